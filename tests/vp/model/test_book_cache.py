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
from vp.dbn.accounting import PassedOver
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
