from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from vp.files import written_whole
from vp.lake import cache_room
from vp.lake.cache_budget import BOOKS, DECOMPRESSED, KINDS, OVERVIEWS, CacheBudget, CacheKind, mark_as_used
from vp.lake.cache_room import Room


class Usage(NamedTuple):
    """As shutil has it."""

    total: int
    used: int
    free: int


def put(cache: Path, kind: CacheKind, name: str, size_bytes: int, age_seconds: float) -> Path:
    path = cache / kind.directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size_bytes))
    used = time.time() - age_seconds
    os.utime(path, (used, used))
    return path


def left(cache: Path) -> set[str]:
    return {path.name for path in cache.rglob("*") if path.is_file()}


def room(cache: Path, limit_bytes: int, floor_bytes: int = 0, kind: CacheKind = BOOKS, ahead_bytes: int = 0) -> Room:
    return Room(CacheBudget(cache, limit_bytes, floor_bytes), kind, ahead_bytes)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    put(tmp_path, BOOKS, "old.arrow", 100, 30)
    put(tmp_path, DECOMPRESSED, "middle.blocks", 200, 20)
    put(tmp_path, BOOKS, "new.arrow", 100, 10)
    (tmp_path / BOOKS.directory / "notes.txt").write_text("not the cache's")
    return tmp_path


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that the cache is listed, which seems to take a second; nothing else takes time."""
    seconds: list[int] = [0]
    begun: list[int] = []

    def clock() -> float:
        return float(seconds[0])

    def files(self: CacheBudget, *kinds: CacheKind) -> object:
        if kinds == (KINDS[0],):
            begun.append(seconds[0])
            seconds[0] += 1
        return real(self, *kinds)

    real = CacheBudget.files
    monkeypatch.setattr(CacheBudget, "files", files)
    monkeypatch.setattr(cache_room, "monotonic", clock)
    return begun


@pytest.mark.parametrize(
    ("wanted", "limit", "gone"),
    [
        (100, 500, set()),
        (101, 500, {"old.arrow"}),
        (201, 500, {"old.arrow", "middle.blocks"}),
        (500, 500, {"old.arrow", "middle.blocks", "new.arrow"}),
    ],
)
def test_what_was_used_longest_ago_goes_first_whatever_it_is(
    cache: Path, wanted: int, limit: int, gone: set[str]
) -> None:
    before = left(cache)
    assert room(cache, limit).make(wanted)
    assert left(cache) == before - gone
    assert "notes.txt" in left(cache)


@pytest.mark.parametrize(
    ("wanted", "gone"),
    [(50, set()), (51, {"middle.blocks"}), (250, {"middle.blocks"})],
)
def test_a_kind_that_has_a_limit_of_its_own_makes_room_of_itself(cache: Path, wanted: int, gone: set[str]) -> None:
    before = left(cache)
    budget = CacheBudget(cache, 1000, floor_bytes=0, decompressed_limit_bytes=250)
    assert Room(budget, DECOMPRESSED).make(wanted)
    assert left(cache) == before - gone
    assert not Room(budget, DECOMPRESSED).make(251)
    assert Room(budget, BOOKS).make(251)
    assert left(cache) == before - gone


def test_what_can_have_no_room_costs_the_others_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = left(cache)
    assert not room(cache, 500).make(501)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10_000, 0, 1000))
    assert not room(cache, 5000, floor_bytes=1400).make(1)
    assert left(cache) == before


@pytest.mark.parametrize(
    ("free", "written", "gone"),
    [(1100, 0, set()), (1099, 0, {"old.arrow"}), (1000, 100, set()), (900, 0, {"old.arrow", "middle.blocks"})],
)
def test_a_part_of_the_disk_stays_free(
    cache: Path, monkeypatch: pytest.MonkeyPatch, free: int, written: int, gone: set[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10_000, 0, free))
    before = left(cache)
    assert room(cache, 10_000, floor_bytes=1000).make(100, written)
    assert left(cache) == before - gone


def test_reading_counts_as_use_and_what_nobody_uses_goes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_room, "MOST_AGE_SECONDS", 15.0)
    mark_as_used(cache / BOOKS.directory / "old.arrow")
    assert room(cache, 10_000).make(1)
    assert left(cache) == {"old.arrow", "new.arrow", "notes.txt"}


def test_there_is_a_number_of_files_at_the_most(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_room, "MOST_FILES", 2)
    assert room(cache, 10_000).make(1)
    assert left(cache) == {"new.arrow", "notes.txt"}, "and the one that is to come"


def test_what_killed_programs_left_goes_from_all_of_it(cache: Path) -> None:
    for kind in KINDS:
        put(cache, kind, ".x.arrow.abcd1234.part", 1, 0)
    assert room(cache, 10_000).make(1)
    assert not [name for name in left(cache) if name.endswith(".part")]


def test_what_others_are_writing_counts_and_what_one_has_written_oneself_counts_once(cache: Path) -> None:
    with written_whole(cache / BOOKS.directory / "other.arrow") as other:
        other.write(bytes(150))
        other.flush()
        assert not room(cache, 500).make(351)
        assert "old.arrow" in left(cache)
        with written_whole(cache / DECOMPRESSED.directory / "own.blocks") as own:
            own.write(bytes(50))
            own.flush()
            assert room(cache, 600, kind=DECOMPRESSED).make(50, 50)
            assert "old.arrow" in left(cache)
            assert room(cache, 600, kind=DECOMPRESSED).make(51, 50)
            assert left(cache) & {"old.arrow", "middle.blocks"} == {"middle.blocks"}


def test_a_file_that_grows_has_the_cache_listed_for_a_share_of_the_time(cache: Path, listings: list[int]) -> None:
    """However many steps it takes: what goes is known from the listing before."""
    growing = room(cache, 1000)
    before = left(cache)
    for size_bytes in range(1, 601):
        assert growing.make(size_bytes, size_bytes - 1)
    assert left(cache) == before
    for size_bytes in range(601, 701):
        assert growing.make(size_bytes, size_bytes - 1)
    assert left(cache) == before - {"old.arrow"}
    for size_bytes in range(701, 1001):
        assert growing.make(size_bytes, size_bytes - 1)
    assert left(cache) == {"notes.txt"}
    assert not growing.make(1001, 1000)
    assert len(listings) == 1


def test_a_listing_is_made_anew_once_it_is_old(
    cache: Path, listings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = room(cache, 1000)
    assert growing.make(1)
    put(cache, OVERVIEWS, "another.json", 600, 40)
    assert growing.make(2, 1)
    assert "another.json" in left(cache), "nobody has looked"
    monkeypatch.setattr(cache_room, "monotonic", lambda: 2.0 + cache_room.LISTING_SHARE)
    assert growing.make(3, 2)
    assert len(listings) == 2
    assert "another.json" not in left(cache)


def test_what_was_used_since_the_listing_stays_and_what_has_gone_by_itself_counts_as_gone(
    cache: Path, listings: list[int]
) -> None:
    growing = room(cache, 500)
    assert growing.make(1)
    mark_as_used(cache / BOOKS.directory / "old.arrow")
    assert growing.make(101, 1)
    assert left(cache) == {"old.arrow", "new.arrow", "notes.txt"}
    (cache / BOOKS.directory / "new.arrow").unlink()
    assert growing.make(301, 101)
    assert left(cache) == {"old.arrow", "notes.txt"}
    assert len(listings) == 1


def test_room_is_made_ahead_as_far_as_there_is_some(cache: Path, listings: list[int]) -> None:
    growing = room(cache, 500, ahead_bytes=150)
    assert growing.make(1)
    assert left(cache) == {"middle.blocks", "new.arrow", "notes.txt"}
    assert growing.make(400, 151)
    assert growing.make(500, 400)
    assert left(cache) == {"notes.txt"}
    assert not growing.make(501, 500)
    assert len(listings) == 1


def test_odd_entries_and_a_cache_that_is_not_there_are_no_fault(tmp_path: Path) -> None:
    budget = CacheBudget(tmp_path / "none" / "cache", 100, floor_bytes=0)
    assert Room(budget, BOOKS).make(100)
    assert list(budget.files()) == []
    (tmp_path / BOOKS.directory).mkdir()
    (tmp_path / BOOKS.directory / "a.arrow").symlink_to("/nonexistent")
    (tmp_path / BOOKS.directory / "b.arrow").mkdir()
    (tmp_path / DECOMPRESSED.directory).touch()
    odd = CacheBudget(tmp_path, 0, floor_bytes=0)
    assert [file.path.name for file in odd.files()] == ["a.arrow"]
    assert Room(odd, BOOKS).make(0)
    assert list(odd.files()) == []
