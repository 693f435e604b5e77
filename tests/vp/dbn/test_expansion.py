"""Compressed files that stand for far more than they hold: made in bounded steps, up to a bound, and refused then."""

from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path

import pytest
import zstandard

import vp.dbn.zstd
from tests.dbn_files import compress, header
from tests.vp.dbn.raw_files import RECORDS, SMALL, Put, assert_events, body, read_all
from tests.vp.dbn.raw_files import put as put  # noqa: PLC0414 - a fixture
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.dbn.file import DbnFile
from vp.dbn.header import FREE_HEADER_BYTES, SYMBOL_LENGTH_AT
from vp.dbn.reader import read_events
from vp.dbn.zstd import BLOCK_BYTES, EXPANSION_VARIABLE, FREE_BYTES, uncompressed
from vp.errors import BadParameterError, DamagedFileError, ExpansionError, NotDbnError
from vp.lake.cache_budget import CacheBudget

RECORD = SMALL[0]
MUCH = RECORD * (2 * FREE_BYTES // len(RECORD))


def bomb(size_bytes: int) -> bytes:
    """A frame of so many zeros, a kilobyte for 32 megabytes."""
    compressor = zstandard.ZstdCompressor(level=3, write_content_size=False).compressobj()
    zeros = bytes(1 << 20)
    made = b"".join(compressor.compress(zeros) for _ in range(size_bytes >> 20))
    return made + compressor.flush()


def test_no_step_makes_more_than_a_block_and_all_of_them_little_memory(put: Put) -> None:
    path = put(bomb(256 << 20))
    longest = total = 0
    tracemalloc.start()
    with pytest.raises(ExpansionError):
        for block in uncompressed(path):
            longest, total = max(longest, len(block)), total + len(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert longest <= BLOCK_BYTES
    assert FREE_BYTES - BLOCK_BYTES < total <= FREE_BYTES
    assert peak < 8 << 20


def test_what_expands_too_far_is_told_with_its_sizes_and_what_to_do(put: Put) -> None:
    path = put(compress(header() + MUCH))
    rows, error = read_all(path, chunk_rows=1 << 16)
    assert isinstance(error, ExpansionError)
    assert f"from {path.stat().st_size:,}" in error.message
    assert f"more than {FREE_BYTES:,} bytes" in error.message
    assert EXPANSION_VARIABLE in error.hint
    assert error.path == str(path)
    assert error.record_index == rows > 0


def test_a_user_who_knows_better_can_say_so(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(compress(header() + MUCH))
    monkeypatch.setenv(EXPANSION_VARIABLE, "1e6")
    assert read_all(path, chunk_rows=1 << 16) == (len(MUCH) // len(RECORD), None)
    for given in ("0.5", "many", "nan", "-3"):
        monkeypatch.setenv(EXPANSION_VARIABLE, given)
        with pytest.raises(BadParameterError, match=EXPANSION_VARIABLE):
            read_all(path)


@pytest.mark.parametrize("share", [0.99, 1.01])
def test_the_bound_counts_times_the_size_of_a_file_that_is_large_enough(
    put: Put, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(vp.dbn.zstd, "FREE_BYTES", 1000)
    plain = header() + body() * 50
    path = put(compress(plain))
    monkeypatch.setenv(EXPANSION_VARIABLE, str(len(plain) / path.stat().st_size / share))
    _, error = read_all(path)
    assert isinstance(error, ExpansionError) == (share > 1)


def test_a_copy_is_not_made_of_what_expands_too_far(put: Put, tmp_path: Path) -> None:
    path = put(bomb(64 << 20), "x.dbn.zst")
    files = DecompressedFiles(CacheBudget(tmp_path / "cache"))
    with pytest.raises(ExpansionError):
        for _ in files.blocks(path, 0):
            pass
    files.keep(path)
    maker = next((one for one in threading.enumerate() if one.name == f"decompress {path.name}"), None)
    if maker is not None:
        maker.join()
    assert list(files.directory.iterdir()) == []


def test_a_window_that_is_too_large_is_refused_and_the_largest_allowed_is_not(put: Put) -> None:
    for log, refused in ((26, False), (27, True)):
        parameters = zstandard.ZstdCompressionParameters(window_log=log, write_content_size=False)
        compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        path = put(compressor.compress(header() + body()) + compressor.flush())
        if not refused:
            assert_events(read_events(DbnFile(path)), RECORDS)
            continue
        with pytest.raises(DamagedFileError, match="memory") as caught:
            DbnFile(path)
        assert "--ultra" in caught.value.hint


def test_many_frames_of_nothing_cost_nothing(put: Put) -> None:
    empty = compress(b"") + b"\x50\x2a\x4d\x18" + bytes(4)
    path = put(compress(header()) + empty * 20_000 + compress(body()))
    assert_events(read_events(DbnFile(path)), RECORDS)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_header_that_is_longer_than_any_of_such_a_file_is_refused_by_its_length(put: Put, compressed: bool) -> None:
    head = header()
    long = head[:4] + (FREE_HEADER_BYTES - 7).to_bytes(4, "little") + head[8:] + bytes(FREE_HEADER_BYTES)
    with pytest.raises(DamagedFileError, match=f"header of {FREE_HEADER_BYTES + 1} bytes at byte 4"):
        DbnFile(put(compress(long) if compressed else long[:1000]))


def test_a_header_with_symbols_too_short_to_be_any_is_refused(put: Put) -> None:
    """Of two bytes each, millions would fit in."""
    head = bytearray(header())
    head[SYMBOL_LENGTH_AT : SYMBOL_LENGTH_AT + 2] = (2).to_bytes(2, "little")
    with pytest.raises(DamagedFileError, match="symbols of 2 bytes at byte 53, expected 71"):
        DbnFile(put(bytes(head)))


def test_a_bomb_that_is_no_dbn_is_named_as_that(put: Put) -> None:
    with pytest.raises(NotDbnError):
        DbnFile(put(bomb(64 << 20)))
