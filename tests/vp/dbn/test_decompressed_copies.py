"""Decompressed copies: what is read through them is what the raw file holds, whatever befalls them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import zstandard

from vp.dbn import decompressed_copies as decompressed
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.errors import DamagedFileError, TruncatedFileError

LIMIT = 1 << 30


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompressed, "BLOCK_BYTES", 1000)


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
    return DecompressedFiles(tmp_path / "cache", LIMIT)


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
    assert files.copies() == []
    make(files, raw)
    assert len(files.copies()) == 1
    raw_bytes = raw.read_bytes()
    status = raw.stat()
    raw.write_bytes(bytes(len(raw_bytes)))  # the copy alone can answer now
    os.utime(raw, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert read(files, raw, offset) == data[offset:]


def test_a_flipped_byte_anywhere_is_noticed_and_the_raw_file_read(
    files: DecompressedFiles, raw: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    make(files, raw)
    ((path, size),) = files.copies()
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
    ((path, _),) = files.copies()
    path.write_bytes(path.read_bytes()[:keep])
    assert read(files, raw) == data


def test_a_copy_cut_under_the_reader_costs_it_nothing(files: DecompressedFiles, raw: Path, data: bytes) -> None:
    make(files, raw)
    ((path, _),) = files.copies()
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
    files = DecompressedFiles(tmp_path / "cache", int(2.8 * len(data)))
    make(files, raws[0])
    make(files, raws[1])
    for age, (path, _) in enumerate(files.copies()):
        os.utime(path, ns=(0, 10**9 * (100 - age)))
    first = next(path for path, _ in files.copies() if path.name.startswith("a"))
    assert read(files, raws[0]) == data  # used just now
    make(files, raws[2])
    names = {path.name[0] for path, _ in files.copies()}
    assert names == {"a", "c"}
    assert first.exists()
    assert sum(size for _, size in files.copies()) <= files.limit_bytes


@pytest.mark.parametrize("limit", [0, 5_000])
def test_what_exceeds_the_limit_is_not_kept(tmp_path: Path, raw: Path, data: bytes, limit: int) -> None:
    files = DecompressedFiles(tmp_path / "cache", limit)
    make(files, raw)
    assert files.copies() == []
    assert list((tmp_path / "cache").glob("*")) == []
    assert read(files, raw) == data


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
    files = DecompressedFiles(tmp_path / "cache" / "deeper", LIMIT)
    make(files, raw)
    assert read(files, raw) == data


def test_what_a_dead_process_left_half_made_is_swept(files: DecompressedFiles, raw: Path) -> None:
    files.directory.mkdir()
    dead = files.directory / ".old.blocks.k3k3k3k3.part"
    dead.touch()
    make(files, raw)
    assert not dead.exists()
