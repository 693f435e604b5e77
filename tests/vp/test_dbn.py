"""DBN files of each version and wrapping, and what a damaged one is told to be.

One kind of damage cannot be seen: DBN states no number of records, so a file without compression that ends
where a record ends looks whole. Inside a zstandard frame the same cut is an error.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from operator import index
from pathlib import Path
from random import Random
from typing import Any

import databento_dbn
import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vp.compressed
import vp.dbn
from tests.agreement import events_of
from tests.dbn_files import compress, header, mbo, other_records
from tests.market_strategies import WILD, random_market
from tests.oracle import Rec, read_records
from vp.dbn import DbnFile, Mapping
from vp.dbn_records import RECORD_BYTES
from vp.errors import (
    ChangedFileError,
    DamagedFileError,
    FileError,
    NotDbnError,
    TruncatedFileError,
    UnreadableFileError,
    WrongSchemaError,
)
from vp.event_reader import EventReader, count_by_instrument, read_events
from vp.events import Events

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not (DATA / "README.md").exists(), reason="the shared data are not beside the checkout")
RECORDS = random_market(101, 40, weights=WILD)
MNQ, MES = 42005, 2**32 - 7
TS_OUT = 1_770_336_000_123_456_789
versions = pytest.mark.parametrize("version", [1, 2, 3])

Put = Callable[..., Path]
dbn: Any = databento_dbn

NO_HANDLE = -1


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes bytes to a file and gives its path."""

    def write(data: bytes, name: str = "glbx-mdp3-20260206.mbo.dbn") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def body(records: list[Rec] = RECORDS, instrument_id: int = MNQ) -> bytes:
    return b"".join(mbo(rec, instrument_id, sequence=i) for i, rec in enumerate(records))


def assert_events(events: Events, records: list[Rec]) -> None:
    want = events_of(records)
    for got, wanted in zip(events.core(), want.core(), strict=True):
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted)


def read_all(path: Path, *, chunk_rows: int = 7) -> tuple[int, FileError | None]:
    """Decode a whole file: the number of events handed out, and the error that ended it."""
    rows = 0
    try:
        for events, _, _ in EventReader(DbnFile(path), -1, chunk_rows=chunk_rows).chunks():
            rows += len(events)
    except FileError as error:
        return rows, error
    return rows, None


# Whole files.


@versions
@pytest.mark.parametrize("compressed", [False, True])
def test_each_version(put: Put, version: int, compressed: bool) -> None:
    data = header(version) + body()
    file = DbnFile(put(compress(data)) if compressed else put(data))
    events = read_events(file)
    assert_events(events, RECORDS)
    np.testing.assert_array_equal(events.ts_recv, events.ts_event + 1000)
    np.testing.assert_array_equal(events.sequence, np.arange(len(RECORDS)))
    assert (file.version, file.dataset, file.compressed, file.ts_out) == (version, "GLBX.MDP3", compressed, False)
    assert file.mappings == (Mapping("MNQH6", MNQ, dt.date(2026, 2, 6), dt.date(2026, 2, 7)),)
    assert file.symbols() == ["MNQH6"]
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
    ((events, _, _),) = reader.chunks()
    assert_events(events, RECORDS)
    assert reader.records_seen == 2 * len(RECORDS) + len(others)
    assert count_by_instrument(file) == {MNQ: len(RECORDS)}


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
    assert count_by_instrument(file) == {MNQ: ids.count(MNQ), MES: ids.count(MES)}
    assert file.symbols() == ["MESH6", "MNQH6"]


def test_no_mappings_and_no_records(put: Put) -> None:
    file = DbnFile(put(header(symbols={})))
    assert (file.mappings, file.symbols(), file.record_estimate()) == ((), [], 0)
    assert len(read_events(file)) == 0
    assert count_by_instrument(file) == {}
    assert read_all(put(compress(header()))) == (0, None)


def test_mixed_schema_is_read(put: Put) -> None:
    """A live capture names no schema."""
    assert_events(read_events(DbnFile(put(header(schema=None) + body()))), RECORDS)


def test_window_keeps_clears_and_snapshots(put: Put) -> None:
    times = sorted({rec.ts_event for rec in RECORDS})
    start_ns, end_ns = times[len(times) // 3], times[2 * len(times) // 3]
    inside = [rec for rec in RECORDS if start_ns <= rec.ts_event < end_ns or rec.action == "R" or rec.is_snapshot]
    assert 0 < len(inside) < len(RECORDS)
    assert_events(read_events(DbnFile(put(header() + body())), MNQ, start_ns, end_ns), inside)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("chunk_rows", [1, 7, len(RECORDS), 1000])
def test_any_chunk_can_be_read_on_from(
    put: Put, monkeypatch: pytest.MonkeyPatch, compressed: bool, chunk_rows: int
) -> None:
    monkeypatch.setattr(vp.dbn, "BLOCK_BYTES", 4 * 200)  # blocks that end inside records
    rng = Random(8)
    others = other_records()
    parts = [header()]
    for rec in RECORDS:
        parts += [mbo(rec, rng.choice((MNQ, MES))), *rng.choices(others, k=rng.randint(0, 2))]
    data = b"".join(parts)
    file = DbnFile(put(compress(data[:999], data[999:]) if compressed else data))

    def chunks(offset: int | None = None, record_index: int = 0) -> Iterator[tuple[list[list[int]], int, int]]:
        reader = EventReader(file, MNQ, chunk_rows=chunk_rows, wide=True)
        for events, at, record in reader.chunks(offset, record_index):
            yield [c.tolist() for c in (*events.core(), events.ts_recv, events.sequence)], at, record
        assert reader.records_seen == len(parts) - 1

    whole = list(chunks())
    assert whole[0][1:] == (file.data_offset, 0)
    offsets = np.cumsum([0, *map(len, parts)])
    for i, (_, at, record) in enumerate(whole):
        assert offsets[record + 1] == at, "byte offset and record index name the same record"
        assert list(chunks(at, record)) == whole[i:]


def test_blocks_are_read_from_any_byte(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vp.dbn, "BLOCK_BYTES", 4 * 100)
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
    assert sum(count_by_instrument(file).values()) == records
    if symbols is not None:
        assert file.symbols() == symbols
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


# Damage.


@versions
def test_a_length_of_another_version(put: Put, version: int) -> None:
    """It would take the records behind it along."""
    head = header(version)
    for record in other_records(version):
        for length in set(RECORD_BYTES[record[1]]) - {len(record)}:
            rows, error = read_all(put(head + bytes([length // 4]) + record[1:] + body()))
            assert rows == 0
            assert isinstance(error, DamagedFileError)
            assert f"expected {len(record)} for record type {record[1]}" in error.message


def test_a_mapping_at_no_possible_time(put: Put) -> None:
    data = header()
    at = data.rindex((20260206).to_bytes(4, "little"))
    with pytest.raises(DamagedFileError, match="header") as caught:
        DbnFile(put(data[:at] + bytes(4) + data[at + 4 :]))
    assert caught.value.hint


@pytest.mark.parametrize("lengths", [[0], [4], [300_000], [0, 7, 0]])
def test_skippable_zstandard_frames(put: Put, monkeypatch: pytest.MonkeyPatch, lengths: list[int]) -> None:
    """As pzstd writes them, before each frame."""
    monkeypatch.setattr(vp.compressed, "READ_BYTES", 1000)
    data = header() + body()
    skipped = b"".join(b"\x53\x2a\x4d\x18" + n.to_bytes(4, "little") + bytes(n) for n in lengths)
    file = put(skipped + compress(data[:999]) + skipped + compress(data[999:]) + skipped)
    assert_events(read_events(DbnFile(file)), RECORDS)
    for end in range(1, min(len(skipped), 20)):
        rows, error = read_all(put(skipped + compress(data) + skipped + skipped[:-end]))
        assert rows == len(RECORDS)
        assert error is None or isinstance(error, TruncatedFileError)
        assert (error is None) == (lengths == [0, 7, 0] and end in {8})


@versions
def test_a_header_cut_at_any_byte(put: Put, version: int) -> None:
    data = header(version)
    for end in range(len(data)):
        with pytest.raises(NotDbnError if end < 3 else TruncatedFileError) as caught:
            DbnFile(put(data[:end]))
        assert caught.value.path == str(put(data[:end]))
        if end >= 3:
            assert caught.value.byte_offset == end
            assert f"byte {end}" in caught.value.message


@pytest.mark.parametrize("ts_out", [False, True])
def test_records_cut_at_any_byte(put: Put, ts_out: bool) -> None:
    stamp = {"ts_out": TS_OUT} if ts_out else {}
    records = [mbo(RECORDS[0], **stamp), other_records(**stamp)[0], *(mbo(rec, **stamp) for rec in RECORDS[1:3])]
    head = header(ts_out=ts_out)
    ends = np.cumsum([len(head), *map(len, records)]).tolist()
    data = head + b"".join(records)
    events_before = [0, 1, 1, 2, 3]
    for end in range(len(head), len(data) + 1):
        whole = max(i for i, at in enumerate(ends) if at <= end)
        path = put(data[:end])
        rows, error = read_all(path, chunk_rows=1)
        assert rows == events_before[whole], "what is whole is handed out"
        if end == ends[whole]:
            assert error is None, "a cut between records cannot be seen"
            continue
        assert isinstance(error, TruncatedFileError)
        assert (error.record_index, error.byte_offset) == (whole, ends[whole])
        assert f"record {whole}" in error.message
        assert error.path == str(path)


SMALL = [mbo(RECORDS[0]), mbo(RECORDS[1], MES), other_records()[1], mbo(RECORDS[2])]
MBO_PLACES = (0, 1, 3)
BARS = {17, 32, 33, 34, 35, 36}
"""Record types that are as long as a market-by-order record."""


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("place", "good", "says"),
    [
        (0, {14}, lambda value: f"length was {4 * value} bytes, expected 56 for record type 160"),
        (
            1,
            {160} | BARS,
            lambda value: f"for record type {value}" if value in RECORD_BYTES else f"was {value}",
        ),
        (38, set(b"ACMRTFN"), lambda value: f"action was {chr(value)!r}, expected one of ACMRTFN"),
        (39, set(b"ABN"), lambda value: f"side was {chr(value)!r}, expected one of ABN"),
    ],
    ids=["length", "rtype", "action", "side"],
)
def test_a_wrong_byte_in_a_record(
    put: Put, place: int, good: set[int], says: Callable[[int], str], compressed: bool
) -> None:
    head = header()
    for number in MBO_PLACES:
        offset = len(head) + sum(map(len, SMALL[:number]))
        for value in sorted(set(range(256)) - good)[:: 1 if number == 1 and not compressed else 17]:
            data = bytearray(head + b"".join(SMALL))
            data[offset + place] = value
            rows, error = read_all(put(compress(bytes(data)) if compressed else bytes(data)), chunk_rows=1)
            assert isinstance(error, DamagedFileError)
            assert not isinstance(error, TruncatedFileError)
            assert (error.record_index, error.byte_offset) == (number, offset), value
            assert f"record {number} at byte {offset}" in error.message
            assert says(value) in error.message
            assert error.hint
            assert rows == sum(i < number for i in MBO_PLACES)


@pytest.mark.parametrize("rtype", sorted(BARS))
def test_a_record_that_turned_into_a_bar(put: Put, rtype: int) -> None:
    """One flipped bit makes rtype 160 a bar of the same length; a file of the schema mbo holds none."""
    data = bytearray(header() + b"".join(SMALL))
    data[len(header()) + 56 + 1] = rtype
    rows, error = read_all(put(bytes(data)), chunk_rows=1)
    assert isinstance(error, DamagedFileError)
    assert (rows, error.record_index, error.byte_offset) == (1, 1, len(header()) + 56)


def test_events_before_the_damage_are_handed_out_whatever_the_chunk(put: Put) -> None:
    """A chunk may hold fewer events than it could: those that stand before the damage."""
    data = bytearray(header() + b"".join(SMALL))
    data[len(header()) + sum(map(len, SMALL[:3])) + 39] = 0
    for chunk_rows in (1, 2, 3, 100):
        rows, error = read_all(put(bytes(data)), chunk_rows=chunk_rows)
        assert isinstance(error, DamagedFileError)
        assert rows == 2, chunk_rows


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=4), packed=st.booleans()
)
def test_any_flipped_bytes_give_a_typed_error_or_no_more_events(
    put: Put, flips: list[tuple[int, int]], packed: bool
) -> None:
    plain = header() + b"".join(SMALL)
    data = bytearray(compress(plain) if packed else plain)
    for at, change in flips:
        data[at % len(data)] ^= change
    rows, error = read_all(put(bytes(data)))
    assert rows <= 3
    assert error is None or (error.path and error.hint and str(error))


@versions
def test_flipped_bytes_of_a_header(put: Put, version: int) -> None:
    rng = Random(version)
    plain = header(version) + b"".join(SMALL[:2])
    for at in range(len(header(version))):
        data = bytearray(plain)
        data[at] ^= rng.choice((1, 128, 255))
        rows, error = read_all(put(bytes(data)))
        assert rows <= 2
        assert error is None or error.hint


def test_two_files_joined(put: Put) -> None:
    first = header() + b"".join(SMALL)
    for path in (put(first + first), put(compress(first, first))):
        rows, error = read_all(path, chunk_rows=1)
        assert isinstance(error, DamagedFileError)
        assert (rows, error.record_index, error.byte_offset) == (3, 4, len(first))


@pytest.mark.parametrize("frames", [1, 2])
def test_zstandard_cut_at_any_byte(put: Put, frames: int) -> None:
    plain = header() + b"".join(SMALL)
    middle = len(header()) + 56  # between two records: the first frame alone is a whole file
    parts = [plain] if frames == 1 else [plain[:middle], plain[middle:]]
    data = compress(*parts)
    first = len(compress(parts[0]))
    for end in range(len(data)):
        path = put(data[:end])
        rows, error = read_all(path)
        if end == first:
            assert (rows, error) == (1, None), "a cut between frames and records cannot be seen"
            continue
        assert isinstance(error, NotDbnError if end < 4 else TruncatedFileError), end
        assert error.path == str(path)
        assert rows <= 3
    assert read_all(put(data)) == (3, None)


def test_a_cut_zstandard_stream_says_where_and_hands_out_what_is_whole(put: Put) -> None:
    """In uncompressed bytes, as for all damage, and whatever the chunk."""
    plain = header() + body() * 50
    path = put(compress(plain)[:-1])
    found = set()
    for chunk_rows in (1, 1000, 1 << 16):
        rows, error = read_all(path, chunk_rows=chunk_rows)
        assert isinstance(error, TruncatedFileError)
        assert error.record_index is not None
        assert error.byte_offset == len(header()) + 56 * error.record_index
        found.add((rows, error.record_index))
    assert len(found) == 1
    assert all(rows == record_index > 1000 for rows, record_index in found)


def test_zstandard_with_a_wrong_byte(put: Put) -> None:
    plain = header() + body()
    data = compress(plain)
    rng = Random(9)
    for at in range(4, len(data), 3):
        broken = bytearray(data)
        broken[at] ^= rng.randint(1, 255)
        _, error = read_all(put(bytes(broken)))
        assert error is not None, at
        assert error.code in {"damaged_file", "truncated_file", "not_dbn"}


@pytest.mark.parametrize("tail", [b"\0", b"not zstandard", b"\x28\xb5\x2f"])
def test_bytes_behind_the_last_zstandard_frame(put: Put, tail: bytes) -> None:
    rows, error = read_all(put(compress(header() + b"".join(SMALL)) + tail))
    assert isinstance(error, DamagedFileError)
    assert rows <= 3


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"D",
        b"ts_event,action,side\n1,A,B\n",
        b'{"hd": {"ts_event": "1"}}\n',
        b"PAR1" + bytes(64),
        b"\x1f\x8b\x08" + bytes(64),
        bytes(200),
        zstandard.compress(b"not DBN at all, and long enough to be looked at"),
        zstandard.compress(b""),
        zstandard.compress(b"DB"),
    ],
    ids=["empty", "one byte", "csv", "json", "parquet", "gzip", "zeros", "zstd text", "zstd nothing", "zstd two bytes"],
)
def test_what_is_no_dbn_file(put: Put, data: bytes) -> None:
    with pytest.raises(NotDbnError, match="DBN") as caught:
        DbnFile(put(data))
    assert caught.value.hint
    assert caught.value.path


@pytest.mark.parametrize("version", [0, 4, 255])
def test_versions_that_nobody_knows(put: Put, version: int) -> None:
    data = bytearray(header())
    data[3] = version
    with pytest.raises(NotDbnError, match=f"version {version}"):
        DbnFile(put(bytes(data)))


@pytest.mark.parametrize("schema", ["trades", "mbp-1", "mbp-10", "definition", "ohlcv-1s"])
def test_another_schema(put: Put, schema: str) -> None:
    with pytest.raises(WrongSchemaError, match=schema) as caught:
        DbnFile(put(header(schema=schema)))
    assert "mbo" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        DbnFile(tmp_path / "nowhere.dbn")


def test_a_file_that_shrinks_while_it_is_read(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes are read, never mapped: what another process cuts off is an error, not a dead process."""
    monkeypatch.setattr(vp.dbn, "BLOCK_BYTES", 1000)
    path = put(header() + body() * 50)
    chunks = EventReader(DbnFile(path), -1, chunk_rows=4).chunks()
    next(chunks)
    with path.open("r+b") as file:
        file.truncate(len(header()) + 1500 * 56 + 5)
    with pytest.raises(ChangedFileError, match="replaced, cut or written to"):
        list(chunks)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("how", ["overwritten", "renamed over", "deleted"])
def test_a_file_that_becomes_another(put: Put, monkeypatch: pytest.MonkeyPatch, how: str, compressed: bool) -> None:
    """The other is sound too, and would be read on in the middle."""
    monkeypatch.setattr(vp.dbn, "BLOCK_BYTES", 1000)
    data = header() + body() * 50
    other = header() + body(RECORDS[::-1]) * 50
    path = put(compress(data) if compressed else data)
    chunks = EventReader(DbnFile(path), -1, chunk_rows=4).chunks()
    next(chunks)
    if how == "deleted":
        path.unlink()
    elif how == "overwritten":
        os.utime(path, ns=(0, 0))
        path.write_bytes(compress(other) if compressed else other)
    else:
        put(compress(other) if compressed else other, "new").replace(path)
    with pytest.raises(ChangedFileError) as caught:
        list(chunks)
    assert caught.value.record_index is not None
    assert caught.value.byte_offset is not None


def test_a_disk_that_fails(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    file = DbnFile(put(header() + body()))

    monkeypatch.setattr(file, "_read", lambda _offset: (os.read(NO_HANDLE, 1) for _ in "x"))
    with pytest.raises(UnreadableFileError, match="cannot be read on from record 0") as caught:
        list(EventReader(file, -1).chunks())
    assert caught.value.hint
