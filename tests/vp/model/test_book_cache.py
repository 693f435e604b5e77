"""Snapshots of the book: each part of the key has one of its own, and none is believed that is not whole."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.agreement import TICK, assert_same_book, events_of
from tests.market_strategies import CALM, random_market
from tests.oracle import OracleBook
from tests.oracle_book import F_LAST, F_MAYBE_BAD_BOOK, F_MBP, F_SNAPSHOT, F_TOB
from vp.dbn.accounting import PassedOver
from vp.dbn.events import Events
from vp.dbn.place import Place
from vp.lake.inputs import RawFile
from vp.lake.names import RawName
from vp.model.book import Book
from vp.model.book_cache import CacheKey, Resume, load_book, save_book

DAY = RawName("glbx-mdp3", dt.date(2026, 2, 6), dt.date(2026, 2, 6), "mbo")
RAW = RawFile(Path("glbx-mdp3-20260206.mbo.dbn"), "databento", DAY, 4096, 17)
SECOND = replace(RAW, path=Path("glbx-mdp3-20260206.mbo.0002.dbn"))
KEY = CacheKey.of("future_mbo", "MNQH6", "2026-02-06", 1_770_386_400_000_000_000, [RAW])
RESUME = Resume(Place(1, 560, 9, 40, PassedOver(1, 2, 3)), skip_events=3)
OTHER_KEYS = [
    CacheKey.of("equity_mbo", KEY.contract, KEY.dt, KEY.boundary_ns, [RAW]),
    CacheKey.of(KEY.product_type, "MNQM6", KEY.dt, KEY.boundary_ns, [RAW]),
    CacheKey.of(KEY.product_type, KEY.contract, "2026-02-05", KEY.boundary_ns, [RAW]),
    CacheKey.of(KEY.product_type, KEY.contract, KEY.dt, KEY.boundary_ns + 1, [RAW]),
    CacheKey.of(KEY.product_type, KEY.contract, KEY.dt, KEY.boundary_ns, [replace(RAW, path=Path("other.mbo.dbn"))]),
    CacheKey.of(KEY.product_type, KEY.contract, KEY.dt, KEY.boundary_ns, [replace(RAW, mtime_ns=18)]),
    CacheKey.of(KEY.product_type, KEY.contract, KEY.dt, KEY.boundary_ns, [replace(RAW, size_bytes=4097)]),
    CacheKey.of(KEY.product_type, KEY.contract, KEY.dt, KEY.boundary_ns, [RAW, SECOND]),
    CacheKey.of(KEY.product_type, KEY.contract, KEY.dt, KEY.boundary_ns, [SECOND, RAW]),
    replace(KEY, format_version=KEY.format_version + 1),
]
PARTS = [
    "product type",
    "contract",
    "date",
    "boundary",
    "file name",
    "file time",
    "file size",
    "second file",
    "order",
    "format",
]


def test_a_book_comes_back_with_its_place_in_the_file(tmp_path: Path) -> None:
    book, oracle = Book(TICK), OracleBook(TICK)
    records = random_market(5, 60, weights=CALM)
    book.fast_forward(events_of(records))
    for rec in records:
        oracle.apply(rec)
    save_book(tmp_path, KEY, book, RESUME)
    loaded = load_book(tmp_path, KEY)
    assert loaded is not None
    assert_same_book(loaded[0], oracle)
    assert loaded[1] == RESUME


@pytest.mark.parametrize("other", OTHER_KEYS, ids=PARTS)
def test_each_part_of_the_key_has_its_own_snapshot(tmp_path: Path, other: CacheKey) -> None:
    path = save_book(tmp_path, KEY, Book(TICK), RESUME)
    assert other.path(tmp_path) != path
    assert load_book(tmp_path, other) is None
    shutil.copyfile(path, other.path(tmp_path))
    assert load_book(tmp_path, other) is None, "whole, and yet of another session"
    assert load_book(tmp_path, KEY) is not None


def test_a_changed_digit_is_seen(tmp_path: Path) -> None:
    book = Book(TICK)
    book.fast_forward(events_of(random_market(5, 20, weights=CALM)))
    path = save_book(tmp_path, KEY, book, RESUME)
    whole = path.read_bytes()
    at = whole.index(b'"byte_offset": 560') + len(b'"byte_offset": ')
    path.write_bytes(whole[:at] + b"8" + whole[at + 1 :])
    assert load_book(tmp_path, KEY) is None
    path.write_bytes(whole)
    assert load_book(tmp_path, KEY) is not None


def test_a_book_cut_within_a_snapshot_of_one_publisher_goes_on_the_same(tmp_path: Path) -> None:
    """Orders, levels and quotes of three publishers, one in doubt, one mid-snapshot: saved after each record."""
    rows = [
        (1, "A", "B", 10 * TICK, 5, 1, F_LAST, 1),
        (1, "A", "A", 12 * TICK, 6, 2, F_LAST, 1),
        (2, "A", "B", 10 * TICK, 7, 1, F_LAST | F_MAYBE_BAD_BOOK, 2),
        (2, "A", "B", 9 * TICK, 8, 0, F_MBP, 3),
        (2, "A", "A", 13 * TICK, 9, 0, F_TOB | F_LAST, 3),
        (3, "A", "B", 8 * TICK, 1, 7, F_SNAPSHOT, 1),
        (3, "A", "B", 10 * TICK, 2, 3, F_LAST, 2),
        (3, "A", "A", 12 * TICK, 3, 8, F_SNAPSHOT | F_LAST, 1),
        (4, "M", "A", 14 * TICK, 4, 0, F_TOB | F_LAST, 3),
        (5, "C", "B", 9 * TICK, 3, 0, F_MBP | F_LAST, 3),
        (6, "R", "N", 0, 0, 0, F_LAST, 2),
        (7, "M", "A", 12 * TICK, 9, 8, F_LAST, 1),
    ]
    events = Events.from_records(rows)
    whole = Book(TICK)
    states = [whole.to_arrow()]
    for at in range(len(rows)):
        whole.fast_forward(events.slice(at, at + 1))
        states.append(whole.to_arrow())
    assert whole.levels("B") == [(9 * TICK, 5, 0), (8 * TICK, 1, 1)]
    assert whole.levels("A") == [(12 * TICK, 9, 1), (14 * TICK, 4, 0)]
    for cut in range(len(rows) + 1):
        book = Book(TICK)
        book.fast_forward(events.head(cut))
        save_book(tmp_path, KEY, book, RESUME)
        loaded = load_book(tmp_path, KEY)
        assert loaded is not None
        for at in range(cut, len(rows)):
            assert loaded[0].to_arrow().equals(states[at], check_metadata=True), (cut, at)
            loaded[0].fast_forward(events.slice(at, at + 1))
        assert loaded[0].to_arrow().equals(states[-1], check_metadata=True), cut
