"""Made-up markets go everywhere, and the oracle keeps its laws in all of them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings

from tests.market_orders import PUBLISHERS
from tests.market_strategies import CALM, FAR, WILD, markets, random_market, write_market
from tests.market_writer import KINDS, LEVEL_PUBLISHER, QUOTE_PUBLISHER, SESSION_START_NS
from tests.oracle import GRID_COLUMNS, OracleBook, OracleEngine, Rec, bucket_of
from tests.oracle_book import F_MAYBE_BAD_BOOK, F_MBP, F_TOB, UNDEFINED_PRICE, UNDEFINED_SIZE
from tests.oracle_records import ANOMALIES

TICK = 250_000_000


@settings(max_examples=60, deadline=None)
@given(records=markets(max_events=40))
def test_book_laws(records: list[Rec]) -> None:
    book = OracleBook(TICK)
    for record in records:
        book.apply(record)
    resting = [(side, price, o) for side in "BA" for price, queue in book.orders[side] for o in queue]
    known = {id(o): (o.side, o.price) for publisher in book.publishers.values() for o in publisher.resting.values()}
    assert {id(o): (side, price) for side, price, o in resting} == known
    assert len(known) == len(resting) == book.order_count
    assert all(o.size > 0 and o.pending >= 0 for _, _, o in resting)
    depths: dict[int, int] = {}
    for _, price, o in resting:
        depths[bucket_of(price, TICK)] = depths.get(bucket_of(price, TICK), 0) + o.size
    assert depths == book.bucket_depths


@settings(max_examples=30, deadline=None)
@given(records=markets(max_events=25))
def test_a_wider_grid_gives_the_same_inner_rows(records: list[Rec]) -> None:
    narrow, wide = OracleEngine(K=5), OracleEngine(K=20)
    for record in records:
        a, b = narrow.apply(record), wide.apply(record)
        assert (a is None) == (b is None)
        if a is not None and b is not None:
            assert all(a[name] == b[name][15:26] for name in GRID_COLUMNS)


WANTED: dict[str, Callable[[Rec], bool]] = {
    "a trade without a side": lambda r: r.action == "T" and r.side == "N",
    "a trade without a price": lambda r: r.action == "T" and r.price == UNDEFINED_PRICE,
    "an order id of 0": lambda r: r.order_id == 0 and r.action in "AC" and not r.flags & (F_TOB | F_MBP),
    "the highest order id": lambda r: r.order_id == 2**64 - 1,
    "the highest publisher": lambda r: r.publisher == 65_535,
    "an undefined size": lambda r: r.size == UNDEFINED_SIZE and r.action in "AM",
    "a clear by a second publisher": lambda r: r.publisher == 2 and r.action == "R" and not r.is_snapshot,
    "a quote with order id 0": lambda r: bool(r.flags & F_TOB) and r.order_id == 0 and r.publisher == QUOTE_PUBLISHER,
    "a quote among orders": lambda r: bool(r.flags & F_TOB) and r.publisher in PUBLISHERS,
    "a side without a quote": lambda r: bool(r.flags & F_TOB) and r.price == UNDEFINED_PRICE,
    "a cancel of a quote": lambda r: bool(r.flags & F_TOB) and r.action == "C",
    "a level": lambda r: r.is_level and r.publisher == LEVEL_PUBLISHER and r.size > 0,
    "a level that goes": lambda r: r.is_level and r.action in "AM" and r.size == 0,
    "a level among orders": lambda r: r.is_level and r.publisher in PUBLISHERS,
    "an order before the window": lambda r: r.ts_event < SESSION_START_NS and r.action == "A" and not r.is_snapshot,
    "a fill before the window": lambda r: r.ts_event < SESSION_START_NS and r.action == "F" and not r.is_snapshot,
    "a trade before the window": lambda r: r.ts_event < SESSION_START_NS and r.action == "T" and not r.is_snapshot,
    "activity ahead of its receipt": lambda r: r.is_ahead and r.action in "ACM",
    "a receipt that cannot be trusted": lambda r: not r.is_ahead and r._replace(flags=0).is_ahead,
    "a receipt that is not known": lambda r: r.ts_recv is None,
    "an event's end without a record": lambda r: r.action == "N" and r.is_last,
    "a bad book": lambda r: bool(r.flags & F_MAYBE_BAD_BOOK) and r.publisher != 1,
}
"""What the contract speaks of, and how a record shows it."""


@pytest.fixture(scope="module")
def wild() -> list[Rec]:
    return random_market(7, 3000, weights=WILD)


@pytest.mark.parametrize("what", WANTED)
def test_made_up_markets_hold(what: str, wild: list[Rec]) -> None:
    assert any(WANTED[what](record) for record in wild)


def test_made_up_markets_hold_every_code_and_no_end_of_them(wild: list[Rec]) -> None:
    assert {r.action for r in wild} == set("ACMRTFN")
    assert {r.side for r in wild} == set("BAN")
    assert {*PUBLISHERS, QUOTE_PUBLISHER, LEVEL_PUBLISHER} == {r.publisher for r in wild}
    book = OracleBook(TICK, start_ns=SESSION_START_NS)
    for record in wild:
        book.apply(record)
    assert all(book.anomalies[name] for name in ANOMALIES)
    assert wild == random_market(7, 3000, weights=WILD)
    assert max(r.price for r in random_market(7, 500, weights=FAR) if r.price != UNDEFINED_PRICE) > 10**14
    assert not any(r.flags & F_TOB or r.publisher != 1 for r in random_market(7, 500, weights=CALM))


def test_publishers_number_their_orders_alike(wild: list[Rec]) -> None:
    of = {publisher: {r.order_id for r in wild if r.publisher == publisher and r.action == "A"} for publisher in (1, 2)}
    assert len(of[1] & of[2]) > 50


def test_snapshots_replace_a_book_with_and_without_a_clear_in_the_middle(wild: list[Rec]) -> None:
    book = OracleBook(TICK, start_ns=SESSION_START_NS)
    replaced, others_between = set(), 0
    for record in wild:
        publisher = book.publishers.get(record.publisher)
        if book.begins_snapshot(record) and publisher is not None and publisher.resting:
            replaced.add(record.action)
        others_between += book.in_snapshot and not (publisher is not None and publisher.in_snapshot)
        book.apply(record)
    assert {"A", "R"} <= replaced
    assert others_between > 5


def test_every_bit_of_quality_comes_and_goes(wild: list[Rec]) -> None:
    book = OracleBook(TICK, start_ns=SESSION_START_NS)
    seen = set()
    for record in wild:
        book.apply(record)
        seen.add(book.quality)
    for bit in (1, 2, 4, 8, 16):
        assert {bool(quality & bit) for quality in seen} == {False, True}, bit
    assert any(quality in (0, 16) for quality in seen)


def test_hypothesis_draws_every_kind() -> None:
    """Whatever `markets` may draw is written by some event, and every event can be written first of all."""
    for kind in KINDS:
        assert write_market([kind], Random(1)), kind
