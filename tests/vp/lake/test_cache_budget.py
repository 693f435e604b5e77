from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from vp.lake import cache_budget
from vp.lake.cache_budget import BOOKS, DECOMPRESSED, KINDS, CacheBudget, CacheKind, mark_as_used


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


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    put(tmp_path, BOOKS, "old.arrow", 100, 30)
    put(tmp_path, DECOMPRESSED, "middle.blocks", 200, 20)
    put(tmp_path, BOOKS, "new.arrow", 100, 10)
    (tmp_path / BOOKS.directory / "notes.txt").write_text("not the cache's")
    return tmp_path


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
    assert CacheBudget(cache, limit, floor_bytes=0).make_room(wanted)
    assert left(cache) == before - gone
    assert "notes.txt" in left(cache)


def test_what_can_have_no_room_costs_the_others_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = left(cache)
    assert not CacheBudget(cache, 500, floor_bytes=0).make_room(501)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10_000, 0, 1000))
    assert not CacheBudget(cache, 5000, floor_bytes=1400).make_room(1)
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
    assert CacheBudget(cache, 10_000, floor_bytes=1000).make_room(100, written)
    assert left(cache) == before - gone


def test_reading_counts_as_use_and_what_nobody_uses_goes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_budget, "MOST_AGE_SECONDS", 15.0)
    mark_as_used(cache / BOOKS.directory / "old.arrow")
    assert CacheBudget(cache, 10_000, floor_bytes=0).make_room(1)
    assert left(cache) == {"old.arrow", "new.arrow", "notes.txt"}


def test_there_is_a_number_of_files_at_the_most(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_budget, "MOST_FILES", 2)
    assert CacheBudget(cache, 10_000, floor_bytes=0).make_room(1)
    assert left(cache) == {"new.arrow", "notes.txt"}, "and the one that is to come"


def test_what_killed_programs_left_goes_from_all_of_it(cache: Path) -> None:
    for kind in KINDS:
        put(cache, kind, ".x.arrow.abcd1234.part", 1, 0)
    assert CacheBudget(cache, 10_000, floor_bytes=0).make_room(1)
    assert not [name for name in left(cache) if name.endswith(".part")]


def test_odd_entries_and_a_cache_that_is_not_there_are_no_fault(tmp_path: Path) -> None:
    budget = CacheBudget(tmp_path / "none" / "cache", 100, floor_bytes=0)
    assert budget.make_room(100)
    assert list(budget.files()) == []
    (tmp_path / BOOKS.directory).mkdir()
    (tmp_path / BOOKS.directory / "a.arrow").symlink_to("/nonexistent")
    (tmp_path / BOOKS.directory / "b.arrow").mkdir()
    (tmp_path / DECOMPRESSED.directory).touch()
    odd = CacheBudget(tmp_path, 0, floor_bytes=0)
    assert [file.path.name for file in odd.files()] == ["a.arrow"]
    assert odd.make_room(0)
