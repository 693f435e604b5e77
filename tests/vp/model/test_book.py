"""The book against the oracle's, its table, and what it holds at the ends of what can be."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement import TICK, assert_same_book, assert_same_top, book_orders, events_of
from tests.market_strategies import CALM, FAR, WILD, markets, random_market
from tests.oracle import OracleBook, Rec
from tests.oracle_book import F_LAST, F_MAYBE_BAD_BOOK, F_SNAPSHOT, F_TOB, UNDEFINED_PRICE, bucket_of
from vp.dbn.accounting import ORDINARY_TALLIES
from vp.dbn.events import Events
from vp.kernels.contract import (
    BID,
    COUNTER_NAMES,
    FAR_BUCKET,
    FAR_BUCKET_DEPTH,
    FAR_DEPTH,
    FAR_PRICE,
    FAR_WORDS,
)
from vp.model.book import DENSE_LEVELS, Book
from vp.model.order_schema import ORDER_SCHEMA

windows = st.sampled_from((DENSE_LEVELS, 64, 4, 1))


def follow(records: list[Rec], dense_levels: int, *, tick_int: int = TICK, every: int = 1) -> Book:
    """Both books record by record: the cheap part always, all of it after every so many."""
    book, oracle = Book(tick_int, dense_levels=dense_levels), OracleBook(tick_int)
    events = events_of(records)
    for i, rec in enumerate(records):
        oracle.apply(rec)
        assert book.fast_forward(events.slice(i, i + 1)) == 1
        assert_same_top(book, oracle)
        if i % every == 0:
            assert_same_book(book, oracle)
        if rec.is_last:
            assert book.valid == oracle.book_valid
    assert_same_book(book, oracle)
    return book


@settings(max_examples=60, deadline=None)
@given(records=markets(max_events=30), dense_levels=windows)
def test_book_is_the_oracles_after_every_record(records: list[Rec], dense_levels: int) -> None:
    follow(records, dense_levels)


@pytest.mark.parametrize("dense_levels", [DENSE_LEVELS, 64, 1])
@pytest.mark.parametrize("weights", [CALM, WILD, FAR], ids=["calm", "wild", "far"])
def test_book_is_the_oracles_over_a_longer_market(weights: dict[str, int], dense_levels: int) -> None:
    follow(random_market(3, 300, weights=weights), dense_levels, every=20)


@settings(max_examples=40, deadline=None)
@given(
    records=markets(max_events=40),
    windows=st.tuples(windows, windows),
    pieces=st.lists(st.integers(1, 40), max_size=10),
)
def test_windows_and_chunks_do_not_matter(records: list[Rec], windows: tuple[int, int], pieces: list[int]) -> None:
    events = events_of(records)
    whole, pieced = (Book(TICK, dense_levels=levels) for levels in windows)
    assert whole.fast_forward(events) == len(events)
    at = 0
    for piece in pieces:
        at += pieced.fast_forward(events.slice(at, min(at + piece, len(events))))
    pieced.fast_forward(events, at)
    assert pieced.to_arrow().equals(whole.to_arrow(), check_metadata=True)


@settings(max_examples=60, deadline=None)
@given(records=markets(max_events=40), share=st.floats(0, 1), seed=st.integers(0, 2**32 - 1), dense_levels=windows)
def test_a_book_goes_on_from_its_table_as_if_nothing_had_been(
    records: list[Rec], share: float, seed: int, dense_levels: int
) -> None:
    events = events_of(records)
    at = int(share * len(events))
    whole = Book(TICK, 4 * TICK, dense_levels=dense_levels)
    whole.fast_forward(events.slice(0, at))
    table = whole.to_arrow()
    shuffled = table.take(pa.array(Random(seed).sample(range(len(table)), len(table)), pa.int64()))
    resumed = Book.from_arrow(shuffled)
    assert resumed.to_arrow().equals(table, check_metadata=True)
    for i in range(at, len(events)):
        whole.fast_forward(events.slice(i, i + 1))
        resumed.fast_forward(events.slice(i, i + 1))
    assert resumed.to_arrow().equals(whole.to_arrow(), check_metadata=True)
    assert (resumed.best_bid, resumed.best_ask, resumed.valid) == (whole.best_bid, whole.best_ask, whole.valid)
    assert resumed.tallies() == whole.tallies()


def test_a_table_may_be_taken_at_any_record() -> None:
    """In the middle of a snapshot or an event, and after any kind of flag."""
    weights = {"snapshot": 3, "nothing": 2, "add": 2, "trade": 2, "bad_book": 1, "quote": 1, "late": 1}
    snapshot = [Rec(0, "A", "B", 0, 1, 1, F_SNAPSHOT), Rec(0, "A", "A", TICK, 1, 2, F_SNAPSHOT)]
    within_an_event = Rec(1, "N", "N", UNDEFINED_PRICE, 0, 0, 0)  # ends the snapshot, so that there is a spot
    events = events_of([*snapshot, within_an_event, *random_market(17, 40, weights=weights)])
    for at in range(len(events)):
        whole = Book(TICK)
        whole.fast_forward(events.slice(0, at))
        resumed = Book.from_arrow(whole.to_arrow())
        for i in range(at, min(at + 2, len(events))):
            for book in (whole, resumed):
                book.fast_forward(events.slice(i, i + 1))
            assert resumed.to_arrow().equals(whole.to_arrow(), check_metadata=True), (at, i)


def test_a_snapshot_that_does_not_say_its_end_sets_spot_when_the_market_goes_on() -> None:
    snapshot = [Rec(0, "A", "B", 0, 1, 1, F_SNAPSHOT), Rec(0, "A", "A", TICK, 1, 2, F_SNAPSHOT)]
    book = follow([*snapshot, Rec(1, "N", "N", UNDEFINED_PRICE, 0, 0, 0)], 64)
    assert book.spot_bucket == 1


def test_an_order_that_comes_after_a_table_stands_last() -> None:
    book = Book(TICK)
    book.fast_forward(events_of([Rec(0, "A", "B", 0, 1, order_id, F_LAST) for order_id in (9, 8, 7)]))
    resumed = Book.from_arrow(book.to_arrow())
    resumed.fast_forward(events_of([Rec(1, "A", "B", 0, 1, order_id, F_LAST) for order_id in (3, 2, 1)]))
    assert [order_id for order_id, *_ in book_orders(resumed)] == [9, 8, 7, 3, 2, 1]


def test_a_table_goes_through_a_file(tmp_path: Path) -> None:
    book = follow(random_market(5, 60, weights=WILD), 64, every=1000)
    table = book.to_arrow()
    with pa.ipc.new_file(tmp_path / "book.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    with pa.ipc.open_file(tmp_path / "book.arrow") as reader:
        assert Book.from_arrow(reader.read_all()).to_arrow().equals(table, check_metadata=True)


def test_table_of_a_small_book() -> None:
    book = Book(TICK)
    rows = [
        (1, "A", "B", 2 * TICK, 5, 2**64 - 1, F_LAST),
        (1, "A", "B", 2 * TICK, 6, 7, F_LAST),
        (1, "A", "B", TICK, 1, 8, F_LAST),
        (1, "A", "A", 5 * TICK, 2, 9, F_LAST),
        (1, "A", "A", 4 * TICK + 1, 3, 0, F_LAST),
    ]
    book.fast_forward(Events.from_records(rows))
    table = book.to_arrow()
    assert table.schema.equals(ORDER_SCHEMA)
    assert book_orders(book) == [
        (2**64 - 1, "B", 2 * TICK, 5, 0, 0, 1, "order"),
        (7, "B", 2 * TICK, 6, 1, 0, 1, "order"),
        (8, "B", TICK, 1, 0, 1, 1, "order"),
        (0, "A", 4 * TICK + 1, 3, 0, 0, 1, "order"),
        (9, "A", 5 * TICK, 2, 0, 1, 1, "order"),
    ]
    assert book.levels("B") == [(2 * TICK, 11, 2), (TICK, 1, 1)]
    assert book.levels("A", 1) == [(4 * TICK + 1, 3, 1)]
    assert (book.depth_at("B", 2 * TICK), book.depth_at("A", 2 * TICK), book.depth_at("A", 4 * TICK + 1)) == (11, 0, 3)
    assert (book.order_count, book.event_id, book.clock_ns, book.valid) == (5, 5, 1, True)
    assert book.spot_bucket == 3, "mid 3 ticks and a half unit"


def test_an_empty_book() -> None:
    book = Book(TICK)
    assert (book.best_bid, book.best_ask, book.spot_bucket, book.clock_ns) == (None, None, None, None)
    assert (book.event_id, book.order_count, book.valid) == (0, 0, False)
    assert book.levels("A") == book.levels("B") == []
    assert book.to_arrow().num_rows == 0
    assert tuple(book.tallies()) == COUNTER_NAMES
    assert set(COUNTER_NAMES) - set(book.anomalies()) == set(ORDINARY_TALLIES)
    assert not any(book.tallies().values())
    again = Book.from_arrow(book.to_arrow())
    assert again.to_arrow().equals(book.to_arrow(), check_metadata=True)
    again.fast_forward(Events.from_records([(1, "A", "B", TICK, 5, 1, F_LAST)]))
    assert again.best_bid == TICK


def test_many_orders_and_far_levels_outgrow_their_first_room() -> None:
    rng = Random(2)
    book, oracle = Book(TICK, dense_levels=64), OracleBook(TICK)
    records = [
        Rec(i, "A", side, TICK * (n if side == "A" else -n), 1 + i % 3, i, F_LAST)
        for i, (side, n) in enumerate((rng.choice("AB"), rng.randint(1, 2000)) for _ in range(9000))
    ]
    records += [Rec(9000, "C", "B", 0, 3, i, F_LAST) for i in rng.sample(range(9000), 8500)]
    for rec in records:
        oracle.apply(rec)
    book.fast_forward(events_of(records))
    assert_same_book(book, oracle)


@pytest.mark.parametrize(("tick", "bucket"), [(TICK, 3 * TICK), (TICK // 5, TICK // 5), (2 * TICK, 2 * TICK)])
def test_a_book_with_far_levels_goes_on_with_another_tick_and_bucket(tick: int, bucket: int) -> None:
    prices = [
        (side, sign * n * 10**6 * TICK + off)
        for side, sign in (("B", -1), ("A", 1))
        for n in range(9)
        for off in (0, 1)
    ]
    records = [Rec(1, "A", side, price, 5 + i, i, F_LAST) for i, (side, price) in enumerate(prices)]
    book, fresh = Book(TICK), Book(tick, bucket)
    for one in (book, fresh):
        one.fast_forward(events_of(records))
    book.rescale(tick, bucket)
    gone = events_of([Rec(2, "C", side, price, 5 + i, i, F_LAST) for i, (side, price) in enumerate(prices) if i % 3])
    for one in (book, fresh):
        one.fast_forward(gone)
    assert book.to_arrow().equals(fresh.to_arrow())
    assert book.levels("A") == fresh.levels("A")
    assert book.levels("B") == fresh.levels("B")
    slots = book.state.far.reshape(-1, FAR_WORDS)
    want: dict[int, int] = {}
    for price, asks, bids in slots[:, [FAR_PRICE, FAR_DEPTH, FAR_DEPTH + BID]].tolist():
        if asks + bids:
            want[bucket_of(price, bucket)] = want.get(bucket_of(price, bucket), 0) + asks + bids
    assert len(want) > 3
    assert {number: depth for number, depth in slots[:, [FAR_BUCKET, FAR_BUCKET_DEPTH]].tolist() if depth} == want


def test_far_levels_that_were_cleared_begin_anew() -> None:
    book, oracle = Book(TICK, dense_levels=1), OracleBook(TICK)
    prices = [("B", -40), ("B", -60), ("A", 40), ("A", 60)]
    before = [Rec(1, "A", side, TICK * n, 5, i, F_LAST) for i, (side, n) in enumerate(prices)]
    after = [Rec(2, "A", side, TICK * n, 2, i, F_LAST) for i, (side, n) in enumerate(prices[1:])]
    for rec in (records := [*before, Rec(2, "R", "N", 0, 0, 0, F_LAST), *after]):
        oracle.apply(rec)
    book.fast_forward(events_of(records))
    assert_same_book(book, oracle)


def test_prices_at_the_ends_of_what_a_price_can_be() -> None:
    prices = (0, 1, -1, -250_000_000, 2**61, -(2**61), 199_999_990_000_000, 10_000_000)
    for dense_levels in (DENSE_LEVELS, 1):
        records = [
            Rec(1, "A", "B" if price < 0 else "A", price, 1 + n, n, F_LAST if n & 1 else 0)
            for n, price in enumerate(prices)
        ]
        records += [Rec(2, "C", "B", price, 1 + n, n, F_LAST) for n, price in enumerate(prices)]
        follow(records, dense_levels)


def test_validity() -> None:
    book = Book(TICK)

    def step(action: str, side: str, price: int, order_id: int, flags: int) -> bool:
        book.fast_forward(Events.from_records([(1, action, side, price, 1, order_id, flags)]))
        return book.valid

    assert step("A", "B", 0, 1, F_LAST) is False, "one side is empty"
    assert step("A", "A", TICK, 2, F_LAST) is True
    assert step("A", "A", 0, 3, F_LAST) is False, "locked"
    assert step("C", "A", 0, 3, F_LAST) is True
    assert step("A", "B", 2 * TICK, 4, F_LAST) is False, "crossed"
    assert step("C", "B", 0, 4, F_LAST) is True
    assert step("N", "N", UNDEFINED_PRICE, 0, F_LAST | F_MAYBE_BAD_BOOK) is False
    assert step("A", "B", 0, 5, F_LAST) is False, "until the next clear"
    assert step("R", "N", UNDEFINED_PRICE, 0, F_LAST) is False
    assert step("A", "B", 0, 1, F_SNAPSHOT) is False, "a snapshot is being replayed"
    assert step("A", "A", TICK, 2, F_SNAPSHOT | F_LAST) is True
    assert step("A", "B", UNDEFINED_PRICE, 0, F_LAST | F_TOB) is False, "the bid side is cleared"
