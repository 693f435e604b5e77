"""Files that are damaged: a typed error that names the place, and whatever came before it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vp.dbn.file
import vp.dbn.zstd
from tests.dbn_files import compress, header, mbo, other_records
from tests.vp.dbn.raw_files import NO_HANDLE, RECORDS, SMALL, TS_OUT, Put, body, read_all, versions
from tests.vp.dbn.raw_files import put as put  # noqa: PLC0414 - a fixture
from vp.dbn.file import DbnFile
from vp.dbn.reader import EventReader
from vp.dbn.record_types import RECORD_BYTES
from vp.errors import (
    ChangedFileError,
    DamagedFileError,
    NotDbnError,
    TruncatedFileError,
    UnreadableFileError,
    WrongSchemaError,
)


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
    monkeypatch.setattr(vp.dbn.file, "BLOCK_BYTES", 1000)
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
    monkeypatch.setattr(vp.dbn.file, "BLOCK_BYTES", 1000)
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
