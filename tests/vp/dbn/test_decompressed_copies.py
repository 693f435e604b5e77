"""Decompressed copies: what is read through them is what the raw file holds, whatever befalls them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import zstandard

from vp.dbn import block_files, decompressed_copies, stretches
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.errors import DamagedFileError, TruncatedFileError
from vp.lake.cache_budget import DECOMPRESSED, CacheBudget
from vp.lake.cache_room import Room

LIMIT = 1 << 30


def files_in(cache: Path, limit_bytes: int = LIMIT) -> DecompressedFiles:
    return DecompressedFiles(CacheBudget(cache, floor_bytes=0, decompressed_limit_bytes=limit_bytes))


def copies(files: DecompressedFiles) -> list[tuple[Path, int]]:
    """The copies and their sizes in bytes, the one used last first."""
    found = sorted(CacheBudget(files.directory.parent).files(DECOMPRESSED), key=lambda file: -file.used_seconds)
    return [(file.path, file.size_bytes) for file in found if file.path.suffix == block_files.ENDING]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_files, "BLOCK_BYTES", 1000)


@pytest.fixture
def data() -> bytes:
    return np.random.default_rng(5).integers(0, 50, 10_321, np.uint8).tobytes()


@pytest.fixture
def raw(tmp_path: Path, data: bytes) -> Path:
    """Three frames."""
    path = tmp_path / "x-20260206.mbo.dbn.zst"
    parts = (data[:4000], data[4000:4001], data[4001:])
    path.write_bytes(b"".join(zstandard.ZstdCompressor().compress(part) for part in parts))
    return path


@pytest.fixture
def files(tmp_path: Path) -> DecompressedFiles:
    return files_in(tmp_path / "cache")


def make(files: DecompressedFiles, raw: Path) -> None:
    """Make a copy and wait for it."""
    files.keep(raw)
    for thread in threading.enumerate():
        if thread.name == f"decompress {raw.name}":
            thread.join()


def read(files: DecompressedFiles, raw: Path, offset: int = 0) -> bytes:
    return b"".join(files.blocks(raw, offset))


@pytest.mark.parametrize("offset", [0, 1, 999, 1000, 1001, 4000, 10_320, 10_321, 20_000])
def test_a_copy_gives_what_the_raw_file_gives(files: DecompressedFiles, raw: Path, data: bytes, offset: int) -> None:
    assert read(files, raw, offset) == data[offset:]
    assert copies(files) == []
    make(files, raw)
    assert len(copies(files)) == 1
    raw_bytes = raw.read_bytes()
    status = raw.stat()
    raw.write_bytes(bytes(len(raw_bytes)))  # the copy alone can answer now
    os.utime(raw, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert read(files, raw, offset) == data[offset:]


def test_a_flipped_byte_anywhere_is_noticed_and_the_raw_file_read(
    files: DecompressedFiles, raw: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    make(files, raw)
    ((path, size),) = copies(files)
    good = path.read_bytes()
    for at in (*range(0, size, 397), *range(size - 60, size)):
        bad = bytearray(good)
        bad[at] ^= 1
        path.write_bytes(bad)
        caplog.clear()
        assert read(files, raw) == data, at
        assert "damaged" in caplog.text, at
        assert not path.exists(), at


@pytest.mark.parametrize("keep", [0, 1, 47, 48, 5_000, 10_321, 11_000])
def test_a_cut_copy_is_noticed(files: DecompressedFiles, raw: Path, data: bytes, keep: int) -> None:
    make(files, raw)
    ((path, _),) = copies(files)
    path.write_bytes(path.read_bytes()[:keep])
    assert read(files, raw) == data


def test_a_copy_cut_under_the_reader_costs_it_nothing(files: DecompressedFiles, raw: Path, data: bytes) -> None:
    make(files, raw)
    ((path, _),) = copies(files)
    blocks = files.blocks(raw, 0)
    got = next(blocks) + next(blocks)
    os.truncate(path, 100)
    assert got + b"".join(blocks) == data


def test_another_raw_file_of_the_same_name_is_not_taken_for_it(
    files: DecompressedFiles, raw: Path, data: bytes
) -> None:
    make(files, raw)
    raw.write_bytes(zstandard.ZstdCompressor().compress(data[::-1]))
    assert read(files, raw) == data[::-1]
    make(files, raw)
    assert read(files, raw) == data[::-1]


def test_the_copy_used_longest_ago_goes_first(tmp_path: Path, data: bytes) -> None:
    raws = []
    for name in "abc":
        raws.append(tmp_path / f"{name}.dbn.zst")
        raws[-1].write_bytes(zstandard.ZstdCompressor().compress(data))
    files = files_in(tmp_path / "cache", int(2.8 * len(data)))
    make(files, raws[0])
    make(files, raws[1])
    for age, (path, _) in enumerate(copies(files)):
        os.utime(path, ns=(0, 10**9 * (100 - age)))
    first = next(path for path, _ in copies(files) if path.name.startswith("a"))
    assert read(files, raws[0]) == data  # used just now
    make(files, raws[2])
    names = {path.name[0] for path, _ in copies(files)}
    assert names == {"a", "c"}
    assert first.exists()
    assert sum(size for _, size in copies(files)) <= files.limit_bytes


@pytest.mark.parametrize("limit", [0, 5_000])
def test_what_exceeds_the_limit_is_not_kept(tmp_path: Path, raw: Path, data: bytes, limit: int) -> None:
    files = files_in(tmp_path / "cache", limit)
    make(files, raw)
    assert copies(files) == []
    assert [path.suffix for path in files.directory.glob("*")] == [".exceeds"] * (limit > 0)
    assert read(files, raw) == data


@pytest.mark.parametrize("known", ["stated", "by its beginning", "by the time before"])
def test_what_exceeds_the_limit_costs_the_others_nothing(
    tmp_path: Path, data: bytes, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused before room is made for it: each start would empty the cache and leave nothing."""
    files = files_in(tmp_path / "cache", 3 * len(data))
    small, large = tmp_path / "small.dbn.zst", tmp_path / "large.dbn.zst"
    small.write_bytes(zstandard.ZstdCompressor().compress(data))
    compressor = zstandard.ZstdCompressor(write_content_size=known == "stated").compressobj()
    large.write_bytes(compressor.compress(30 * data) + compressor.flush())
    if known == "stated":
        large.write_bytes(zstandard.ZstdCompressor().compress(30 * data))
    if known == "by the time before":
        monkeypatch.setattr(decompressed_copies, "SAMPLE_MARGIN", 1e9)
        make(files, large)
    make(files, small)
    begun: list[tuple[int, ...]] = []

    def begin(_room: Room, *sizes: int) -> bool:
        begun.append(sizes)
        return True

    monkeypatch.setattr(Room, "make", begin)
    for _start in range(3):
        make(files, large)
    assert begun == []
    assert [path.name[:5] for path, _ in copies(files)] == ["small"]


def test_what_a_beginning_lets_expect_may_be_wrong_by_half(tmp_path: Path, data: bytes) -> None:
    raw = tmp_path / "x.dbn.zst"
    compressor = zstandard.ZstdCompressor().compressobj()
    raw.write_bytes(compressor.compress(data) + compressor.flush())
    assert 0 < decompressed_copies.expected_bytes(raw) <= len(data)


def pass_through(files: DecompressedFiles, raw: Path, start: int, end: int, place: int) -> bytes:
    """Read as a session does: from `start`, with `place` named a few blocks late, until `end`, and no further."""
    if start == 0:
        files.keep_from(raw, stretches.NOT_YET)
    else:
        files.keep_from(raw, place)
    got = b""
    blocks = files.blocks(raw, start)
    for block in blocks:
        got += block
        if start + len(got) >= place:
            files.keep_from(raw, place)
        if start + len(got) >= end:
            break
    blocks.close()  # type: ignore[attr-defined]
    return got


@pytest.mark.parametrize(("place", "end"), [(1, 9000), (3999, 4001), (4000, 10_321), (4500, 5000), (10_320, 10_321)])
def test_a_short_run_leaves_the_stretch_that_the_next_one_begins_with(
    files: DecompressedFiles, raw: Path, data: bytes, place: int, end: int
) -> None:
    passed = pass_through(files, raw, 0, end, place)
    assert data.startswith(passed)
    ((path, _),) = copies(files)
    assert path.name.endswith(f"_{place}.blocks")
    status = raw.stat()
    raw.write_bytes(bytes(status.st_size))  # the stretch alone can answer now
    os.utime(raw, ns=(status.st_atime_ns, status.st_mtime_ns))
    blocks = files.blocks(raw, place)
    got = b""
    while len(got) < len(passed) - place:
        got += next(blocks)
    assert got == data[place : len(passed)]


def test_behind_a_stretch_the_raw_file_is_read_or_the_whole_copy_that_is_there_by_then(
    files: DecompressedFiles, raw: Path, data: bytes
) -> None:
    pass_through(files, raw, 0, 4001, 3999)
    assert len(copies(files)) == 1
    assert read(files, raw, 3999) == data[3999:]
    assert read(files, raw, 100) == data[100:]
    blocks = files.blocks(raw, 4000)
    first = next(blocks)
    make(files, raw)
    ((path, _),) = copies(files)
    assert path.name == block_files.Source.of(raw).copy_name(), "the stretch is part of it"
    assert first + b"".join(blocks) == data[4000:]


def test_a_run_that_fails_or_has_a_whole_copy_leaves_no_stretch(
    files: DecompressedFiles, raw: Path, data: bytes
) -> None:
    good = raw.read_bytes()
    raw.write_bytes(good[:-3])
    with pytest.raises(TruncatedFileError):
        pass_through(files, raw, 0, 20_000, 100)
    raw.write_bytes(good)
    assert list(files.directory.glob("*")) + list(files.directory.glob(".*")) == []
    make(files, raw)
    pass_through(files, raw, 0, 9000, 100)
    assert len(copies(files)) == 1
    assert read(files, raw) == data


def test_a_flipped_byte_of_a_stretch_is_noticed(files: DecompressedFiles, raw: Path, data: bytes) -> None:
    pass_through(files, raw, 0, 9000, 100)
    ((path, _),) = copies(files)
    good = path.read_bytes()
    for at in range(0, len(good), 211):
        bad = bytearray(good)
        bad[at] ^= 1
        path.write_bytes(bad)
        assert read(files_in(files.directory.parent), raw, 100) == data[100:], at
        assert not path.exists(), at


def test_a_place_that_passed_too_long_ago_leaves_no_stretch(
    files: DecompressedFiles, raw: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "AT_HAND_BYTES", 10)
    files.keep_from(raw, stretches.NOT_YET)
    blocks = files.blocks(raw, 0)
    got = next(blocks) + next(blocks)
    files.keep_from(raw, 1)
    assert got + b"".join(blocks) == data
    assert copies(files) == []


def test_a_damaged_raw_file_is_not_kept_and_is_told(files: DecompressedFiles, raw: Path) -> None:
    raw.write_bytes(raw.read_bytes()[:-3])
    make(files, raw)
    assert list(files.directory.glob("*")) == []
    with pytest.raises(TruncatedFileError):
        read(files, raw)
    raw.write_bytes(raw.read_bytes()[:20] + b"no zstandard here")
    with pytest.raises(DamagedFileError):
        read(files, raw)


def test_an_unwritable_directory_costs_nothing(tmp_path: Path, raw: Path, data: bytes) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    files = files_in(tmp_path / "cache" / "deeper")
    make(files, raw)
    assert read(files, raw) == data


def test_what_a_dead_process_left_half_made_is_swept(files: DecompressedFiles, raw: Path) -> None:
    files.directory.mkdir(parents=True)
    dead = files.directory / ".old.blocks.k3k3k3k3.part"
    dead.touch()
    make(files, raw)
    assert not dead.exists()


def test_a_copy_waits_for_a_signal_and_not_for_ever(
    files: DecompressedFiles, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    when = threading.Event()
    files.keep(raw, when)
    (maker,) = (thread for thread in threading.enumerate() if thread.name == f"decompress {raw.name}")
    maker.join(0.2)
    assert maker.is_alive()
    assert copies(files) == []
    when.set()
    maker.join()
    assert len(copies(files)) == 1
    copies(files)[0][0].unlink()
    monkeypatch.setattr(decompressed_copies, "PATIENCE_SECONDS", 0.01)
    files.keep(raw, threading.Event())
    for thread in threading.enumerate():
        if thread.name == maker.name:
            thread.join(10)
    assert len(copies(files)) == 1


def test_behind_a_stretch_nothing_is_decompressed_before_it_is_waited_for(
    files: DecompressedFiles, raw: Path, data: bytes
) -> None:
    pass_through(files, raw, 0, 4001, 3999)
    parts = list(files.blocks(raw, 3999))
    stretch_bytes = sum(map(len, parts[: parts.index(b"")]))
    assert stretch_bytes >= 2
    assert b"".join(parts) == data[3999:]
