"""DBN files of each version and wrapping, against what Databento reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from operator import index
from random import Random

import numpy as np
import pytest
import zstandard

import vp.dbn.file
import vp.dbn.zstd
from tests.dbn_files import compress, header, mbo, other_records
from tests.oracle import read_records
from tests.oracle_records import UNDEFINED_TIME
from tests.places import DATA
from tests.vp.dbn.raw_files import (
    MES,
    MNQ,
    RECORDS,
    TS_OUT,
    Put,
    assert_events,
    body,
    dbn,
    needs_data,
    read_all,
    versions,
)
from tests.vp.dbn.raw_files import put as put  # noqa: PLC0414 - a fixture
from vp.dbn.contents import survey_file
from vp.dbn.file import DbnFile
from vp.dbn.reader import EventReader, read_events
from vp.dbn.record_types import RECORD_BYTES
from vp.dbn.symbol_mappings import Mapping
from vp.kernels.contract import BOOK_ONLY
from vp.market.session_hours import midnight_ns


@versions
@pytest.mark.parametrize("compressed", [False, True])
def test_each_version(put: Put, version: int, compressed: bool) -> None:
    data = header(version) + body()
    file = DbnFile(put(compress(data)) if compressed else put(data))
    events = read_events(file)
    assert_events(events, RECORDS)
    stated = [(rec.ts_event, rec.ts_event + 1000 if rec.ts_recv is None else rec.ts_recv) for rec in RECORDS]
    known = [time for time in stated if time[0] != UNDEFINED_TIME]
    found = zip(events.columns.ts_event.tolist(), events.columns.ts_recv.tolist(), strict=True)
    assert [time for time in found if time[0] >= 0] == known
    assert len(known) > 0
    np.testing.assert_array_equal(events.columns.sequence, np.arange(len(RECORDS)))
    assert (file.version, file.dataset, file.compressed, file.ts_out) == (version, "GLBX.MDP3", compressed, False)
    assert file.mappings == (Mapping("MNQH6", MNQ, *(midnight_ns(dt.date(2026, 2, day)) for day in (6, 7))),)
    assert file.record_estimate() == (None if compressed else len(RECORDS))
    assert file.data_offset == len(header(version))


@versions
@pytest.mark.parametrize("ts_out", [False, True])
def test_records_of_other_types_and_ts_out(put: Put, version: int, ts_out: bool) -> None:
    stamp = {"ts_out": TS_OUT} if ts_out else {}
    others = other_records(version, **stamp)
    assert {record[1] for record in others} == {18, 21, 22, 23, 24}
    parts = [header(version, ts_out=ts_out), *others]
    for i, rec in enumerate(RECORDS):
        parts += [mbo(rec, **stamp), others[i % len(others)]]
    file = DbnFile(put(b"".join(parts)))
    assert (file.ts_out, file.mbo_bytes) == (ts_out, 64 if ts_out else 56)
    reader = EventReader(file, MNQ)
    ((events, *_),) = reader.chunks()
    assert_events(events, RECORDS)
    assert reader.records_seen == 2 * len(RECORDS) + len(others)
    assert survey_file(file).by_instrument() == {MNQ: len(RECORDS)}


@pytest.mark.parametrize("frames", [1, 2, 5, 60])
def test_several_zstandard_frames(put: Put, frames: int) -> None:
    """As gateways and `cat` make them; a frame may end inside a record, or inside the header."""
    data = header() + body()
    cuts = sorted(Random(frames).sample(range(1, len(data)), frames - 1))
    parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert_events(read_events(DbnFile(put(compress(*parts)))), RECORDS)
    with_empty = compress(parts[0], b"", *parts[1:], b"")
    assert_events(read_events(DbnFile(put(with_empty))), RECORDS)


def test_zstandard_without_checksum_or_content_size(put: Put) -> None:
    streaming = zstandard.ZstdCompressor(write_checksum=False, write_content_size=False).compressobj()
    data = streaming.compress(header() + body()) + streaming.flush()
    assert_events(read_events(DbnFile(put(data))), RECORDS)


def test_several_instruments(put: Put) -> None:
    rng = Random(7)
    ids = [rng.choice((MNQ, MES, MES)) for _ in RECORDS]
    data = header(symbols={"MNQH6": MNQ, "MESH6": MES}) + b"".join(map(mbo, RECORDS, ids))
    file = DbnFile(put(data))
    for wanted in (MNQ, MES, 5):
        of_one = [rec for rec, number in zip(RECORDS, ids, strict=True) if number == wanted]
        assert_events(read_events(file, wanted), of_one)
    assert_events(read_events(file, -1), RECORDS)
    assert survey_file(file).by_instrument() == {MNQ: ids.count(MNQ), MES: ids.count(MES)}
    assert {mapping.raw_symbol for mapping in file.mappings} == {"MESH6", "MNQH6"}


def test_no_mappings_and_no_records(put: Put) -> None:
    file = DbnFile(put(header(symbols={})))
    assert (file.mappings, file.record_estimate()) == ((), 0)
    assert len(read_events(file)) == 0
    assert survey_file(file).by_instrument() == {}
    assert read_all(put(compress(header()))) == (0, None)


def test_mixed_schema_is_read(put: Put) -> None:
    """A live capture names no schema."""
    assert_events(read_events(DbnFile(put(header(schema=None) + body()))), RECORDS)


def test_a_window_drops_what_comes_after_it(put: Put) -> None:
    """What comes before it builds the book; clear and snapshot records are placed by the time of their receipt."""
    times = sorted({rec.ts_event for rec in RECORDS if rec.action != "R" and not rec.is_snapshot})
    start_ns, end_ns = times[len(times) // 3], times[2 * len(times) // 3]
    received = [rec if rec.ts_recv is not None else rec._replace(ts_recv=rec.ts_event + 1000) for rec in RECORDS]
    received = [rec._replace(ts_recv=None) if rec.ts_event == UNDEFINED_TIME else rec for rec in received]
    kept = [rec for rec in received if rec.is_of_the_session(start_ns, end_ns)]
    assert 0 < len(kept) < len(RECORDS)
    events = read_events(DbnFile(put(header() + body(received))), MNQ, start_ns, end_ns)
    assert_events(events, kept, start_ns=start_ns, end_ns=end_ns)
    book_only = [rec.builds_only(start_ns, end_ns) for rec in kept]
    assert (events.columns.clock_ns == BOOK_ONLY).tolist() == book_only
    assert 0 < sum(book_only) < len(kept)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("chunk_rows", [1, 7, len(RECORDS), 1000])
def test_any_chunk_can_be_read_on_from(
    put: Put, monkeypatch: pytest.MonkeyPatch, compressed: bool, chunk_rows: int
) -> None:
    monkeypatch.setattr(vp.dbn.file, "BLOCK_BYTES", 4 * 200)  # blocks that end inside records
    rng = Random(8)
    others = other_records()
    parts = [header()]
    for rec in RECORDS:
        parts += [mbo(rec, rng.choice((MNQ, MES))), *rng.choices(others, k=rng.randint(0, 2))]
    data = b"".join(parts)
    file = DbnFile(put(compress(data[:999], data[999:]) if compressed else data))

    def chunks(offset: int | None = None, record_index: int = 0) -> Iterator[tuple[list[list[int]], int, int]]:
        reader = EventReader(file, MNQ, chunk_rows=chunk_rows, wide=True)
        for chunk in reader.chunks(offset, record_index):
            yield [column.tolist() for column in chunk.events.columns], chunk.byte_offset, chunk.record_index
        assert reader.records_seen == len(parts) - 1

    whole = list(chunks())
    assert whole[0][1:] == (file.data_offset, 0)
    offsets = np.cumsum([0, *map(len, parts)])
    for i, (_, at, record) in enumerate(whole):
        assert offsets[record + 1] == at, "byte offset and record index name the same record"
        assert list(chunks(at, record)) == whole[i:]


def test_blocks_are_read_from_any_byte(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vp.dbn.file, "BLOCK_BYTES", 4 * 100)
    data = header() + body()
    for path in (put(data, "plain.dbn"), put(compress(data[:500], data[500:]), "packed.dbn.zst")):
        file = DbnFile(path)
        for offset in (0, 1, 399, 400, 401, file.data_offset, len(data) - 1, len(data)):
            assert b"".join(file.blocks(offset)) == data[offset:]


@needs_data
@pytest.mark.parametrize(
    ("name", "version", "records", "symbols"),
    [
        ("glbx-mdp3-20231225.mbo.dbn.zst", 1, 68_792, None),
        ("glbx-mdp3-20250924.mbo.dbn", 3, 38_212, None),
        ("xnas-itch-20250717.mbo.dbn", 1, 5_886, []),
    ],
)
def test_real_files_hold_what_databento_reads(name: str, version: int, records: int, symbols: list[str] | None) -> None:
    file = DbnFile(DATA / name)
    events = read_events(file)
    assert (file.version, len(events)) == (version, records)
    assert sum(survey_file(file).by_instrument().values()) == records
    if symbols is not None:
        assert sorted({mapping.raw_symbol for mapping in file.mappings}) == symbols
    if records < 50_000:
        assert_events(events, read_records(DATA / name))


def test_record_lengths_are_databentos() -> None:
    """Every record class of every version has a length that the reader lets pass."""
    classes: dict[int, set[int]] = {}
    rtypes = {
        "MBOMsg": [160],
        "TradeMsg": [0],
        "MBP1Msg": [1],
        "MBP10Msg": [10],
        "OHLCVMsg": [17, 32, 33, 34, 35, 36],
        "StatusMsg": [18],
        "InstrumentDefMsg": [19],
        "ImbalanceMsg": [20],
        "ErrorMsg": [21],
        "SymbolMappingMsg": [22],
        "SystemMsg": [23],
        "StatMsg": [24],
        "CMBP1Msg": [177, 194],
        "CBBOMsg": [192, 193],
        "BBOMsg": [195, 196],
    }
    for name, numbers in rtypes.items():
        records = [getattr(dbn, name + suffix) for suffix in ("", "V1", "V2") if hasattr(dbn, name + suffix)]
        for number in numbers:
            classes[number] = {np.dtype(record._dtypes).itemsize for record in records}
    assert {number: set(lengths) for number, lengths in RECORD_BYTES.items()} == classes
    assert {index(variant) for variant in dbn.RType.variants()} == set(classes)
