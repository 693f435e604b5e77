"""Compressed files that are cut, changed, or go on behind their end."""

from __future__ import annotations

from random import Random

import pytest

import vp.dbn.file
import vp.dbn.zstd
from tests.dbn_files import compress, header
from tests.vp.dbn.raw_files import RECORDS, SMALL, Put, assert_events, body, read_all
from tests.vp.dbn.raw_files import put as put  # noqa: PLC0414 - a fixture
from vp.dbn.file import DbnFile
from vp.dbn.reader import read_events
from vp.errors import DamagedFileError, NotDbnError, TruncatedFileError


@pytest.mark.parametrize("lengths", [[0], [4], [300_000], [0, 7, 0]])
def test_skippable_zstandard_frames(put: Put, monkeypatch: pytest.MonkeyPatch, lengths: list[int]) -> None:
    """As pzstd writes them, before each frame."""
    monkeypatch.setattr(vp.dbn.zstd, "READ_BYTES", 1000)
    data = header() + body()
    skipped = b"".join(b"\x53\x2a\x4d\x18" + n.to_bytes(4, "little") + bytes(n) for n in lengths)
    file = put(skipped + compress(data[:999]) + skipped + compress(data[999:]) + skipped)
    assert_events(read_events(DbnFile(file)), RECORDS)
    for end in range(1, min(len(skipped), 20)):
        rows, error = read_all(put(skipped + compress(data) + skipped + skipped[:-end]))
        assert rows == len(RECORDS)
        assert error is None or isinstance(error, TruncatedFileError)
        assert (error is None) == (lengths == [0, 7, 0] and end in {8})


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
    refused = 0
    for at in range(4, len(data), 3):
        broken = bytearray(data)
        broken[at] ^= rng.randint(1, 255)
        path = put(bytes(broken))
        _, error = read_all(path)
        if error is None:  # a bit that the format leaves free, in front of an intact checksum
            assert b"".join(DbnFile(path).blocks()) == body(), at
            continue
        assert error.code in {"damaged_file", "truncated_file", "not_dbn"}
        refused += 1
    assert refused > 0.98 * len(range(4, len(data), 3))


@pytest.mark.parametrize("tail", [b"\0", b"not zstandard", b"\x28\xb5\x2f"])
def test_bytes_behind_the_last_zstandard_frame(put: Put, tail: bytes) -> None:
    rows, error = read_all(put(compress(header() + b"".join(SMALL)) + tail))
    assert isinstance(error, DamagedFileError)
    assert rows <= 3
