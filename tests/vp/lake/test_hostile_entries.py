"""What stands in a lake in the place of small files: pipes, devices, files without end and JSON of any shape."""

from __future__ import annotations

import json
import os
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vp.lake.laid_files import DATE, FILE, put, table
from vp.dbn.block_files import Source, open_copy
from vp.download.ledger import Ledger
from vp.errors import DamagedFileError, UnreadableFileError, VPError
from vp.files import open_to_read, read_bounded
from vp.lake.cache_budget import SURVEYS, CacheBudget
from vp.lake.kept_json import _path as kept_path
from vp.lake.kept_json import load_kept
from vp.lake.lake import Lake
from vp.lake.layout import note_path, place_of
from vp.lake.segment_manifest import MOST_BYTES, manifest_path, read_manifest
from vp.lake.stated_totals import MANIFEST, StatedTotals, stated_totals
from vp.market.products_file import read_products
from vp.model.book_cache import CacheKey, load_orders

Make = Callable[[Path], object]
Read = Callable[[Path], object]


def _endless(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(8 << 40)


ODD: dict[str, Make] = {
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a directory": Path.mkdir,
    "a file of terabytes": _endless,
    "JSON without bottom": lambda path: path.write_bytes(b"[" * 100_000),
    "bytes": lambda path: path.write_bytes(bytes(range(256))),
}


def within_seconds(read: Callable[[], object]) -> object:
    """What a call gives or raises; a failure where it waits for what never comes."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(read())
        except VPError as error:
            found.append(type(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "it waits"
    return found[0]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    put(table(tmp_path), FILE)
    return table(tmp_path) / FILE


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_note_says_nothing(tmp_path: Path, raw: Path, odd: str) -> None:
    for path in (note_path(raw), raw.with_name(MANIFEST)):
        ODD[odd](path)
    assert within_seconds(lambda: stated_totals(raw)) == StatedTotals()
    place = place_of("future_mbo", "mbo")
    (one,) = Lake(tmp_path).every_file(place, "MNQ")
    assert within_seconds(lambda: Lake(tmp_path).condition(one)) is None


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_manifest_is_said_to_be_none(raw: Path, odd: str) -> None:
    path = manifest_path(raw.parent, "glbx-mdp3", DATE)
    ODD[odd](path)
    said = within_seconds(lambda: read_manifest(path))
    if odd in {"JSON without bottom", "bytes"}:
        path.write_bytes(path.read_bytes() + b"\n")
        assert within_seconds(lambda: read_manifest(path)) is DamagedFileError
    else:
        assert said is UnreadableFileError


@pytest.mark.parametrize(
    "entry",
    [
        '{"kind":"gap","start_ns":1e999,"end_ns":1,"reason":"","bridged":false}',
        '{"kind":"gap","start_ns":9223372036854775808,"end_ns":1,"reason":"","bridged":false}',
        '{"kind":"gap","start_ns":-1,"end_ns":1,"reason":"","bridged":false}',
        '{"kind":"overlap","file":"x","instruments":{"1":[1e30,0]}}',
        '{"kind":"overlap","file":"x","instruments":[1]}',
        '{"kind":"gap"}',
        "[]",
        "null",
    ],
)
def test_a_line_that_no_recorder_writes_is_refused(tmp_path: Path, entry: str) -> None:
    path = manifest_path(tmp_path, "glbx-mdp3", DATE)
    path.write_text('{"kind":"set_aside","file":"x","reason":"y"}\n' + entry + "\n")
    with pytest.raises(DamagedFileError, match=f"Line 2 of {path.name} is no entry of a segment manifest"):
        read_manifest(path)


def test_a_long_manifest_is_read_and_not_remembered(tmp_path: Path) -> None:
    path = manifest_path(tmp_path, "glbx-mdp3", DATE)
    line = json.dumps({"kind": "gap", "start_ns": 1, "end_ns": 2, "reason": "z" * 80, "bridged": True}) + "\n"
    for count in (1, 1000):
        path.write_text(line * count)
        first = read_manifest(path)
        assert len(first.gaps) == count
        assert (read_manifest(path) is first) == (count == 1)
    path.write_text(line * (MOST_BYTES // len(line) + 1))
    with pytest.raises(UnreadableFileError, match="it has more than 16,777,216 bytes"):
        read_manifest(path)


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_cache_is_none(tmp_path: Path, raw: Path, odd: str) -> None:
    budget = CacheBudget(tmp_path / "cache", 1 << 30)
    kept = kept_path(budget, SURVEYS, "key")
    key = CacheKey("future_mbo", "MNQH6", "2026-02-06", 0, ())
    source = Source.of(raw)
    paths = [kept, key.path(kept.parent), kept.parent / source.copy_name()]
    kept.parent.mkdir(parents=True)
    for path in paths:
        ODD[odd](path)
    assert within_seconds(lambda: load_kept(budget, SURVEYS, "key")) is None
    assert within_seconds(lambda: load_orders(kept.parent, key)) is None
    assert within_seconds(lambda: open_copy(paths[2], source)) is None


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_file_of_products_and_no_ledger_is_said_to_be_none(tmp_path: Path, odd: str) -> None:
    ODD[odd](tmp_path / "products.yaml")
    said = within_seconds(lambda: read_products(tmp_path / "products.yaml"))
    assert isinstance(said, type)
    assert said.__name__ == "ProductsFileError"
    entry = tmp_path / "jobs" / "future_mbo" / "MNQ" / "mbo-20260206.json"
    entry.parent.mkdir(parents=True)
    ODD[odd](entry)
    said = within_seconds(lambda: Ledger(tmp_path).entries(("future_mbo",)))
    assert isinstance(said, type)
    assert said.__name__ == "LakeError"


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5) == b"12345"
    tracemalloc.start()
    assert read_bounded(path, 1 << 30) == b"12345"
    assert tracemalloc.get_traced_memory()[1] < 1 << 20  # room is made for what there is, not for what there may be
    tracemalloc.stop()
    with pytest.raises(OSError, match="it has more than 4 bytes"):
        read_bounded(path, 4)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is no file"):
        open_to_read(tmp_path / "pipe")
