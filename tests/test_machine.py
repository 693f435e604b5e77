"""Book and engine, driven by rules through every action and flag, next to the oracle.

The machine keeps an engine, a book that is fast-forwarded in other pieces, and the oracle; after each market event all
three must agree. `VP_HYPOTHESIS` chooses the profile (dev, ci, nightly); `scripts/check_kernels` runs this with array
indices checked and with the kernels interpreted. `VP_RECORDS` is how many records of markets from seeds are driven.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.agreement import assert_same_book, assert_same_top, events_of, read_stream, run_frames
from tests.market_strategies import FAR, WILD, random_market
from tests.market_writer import KINDS, MarketWriter
from tests.oracle import OracleBook, Rec
from vp.dbn.accounting import Accounting, PassedOver
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine

TICK = 250_000_000
HEALTH = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("dev", max_examples=4, stateful_step_count=20, deadline=None, suppress_health_check=HEALTH)
settings.register_profile("ci", max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=HEALTH)
settings.register_profile("nightly", max_examples=2000, deadline=None, suppress_health_check=HEALTH)
PROFILE = settings.get_profile(os.environ.get("VP_HYPOTHESIS", "dev"))


DRIVEN = {"markets": 0, "records": 0}
"""How much a run has gone through, next to the oracle."""


class Market(RuleBasedStateMachine):
    """One rule a kind of market event, and one for records out of nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.writer = MarketWriter(Random(0))
        self.engine = EventDrivenVPEngine(50, TICK)
        self.engine.start_emitting()
        self.forwarded = Book(TICK, dense_levels=64)
        self.oracle = OracleBook(TICK)
        self.records: list[Rec] = []
        self.frames: list[bytes] = []

    @rule(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=6), seed=st.integers(0, 2**32 - 1))
    def event(self, kinds: list[str], seed: int) -> None:
        self.writer.rng = Random(seed)
        before = len(self.writer.records)
        for kind in kinds:
            self.writer.write(kind)
        self.feed(self.writer.records[before:])

    @rule(
        action=st.sampled_from("ACMRTFN"),
        side=st.sampled_from("ABN"),
        ticks=st.one_of(st.integers(-40, 40), st.sampled_from((-(2**34), 2**34, None))),
        off=st.sampled_from((0, 0, 0, 1, -1, TICK // 2)),
        size=st.one_of(st.integers(0, 9), st.sampled_from((2**31 - 1, 2**32 - 1))),
        order_id=st.one_of(st.integers(0, 12), st.sampled_from((2**63 - 1, 2**63, 2**64 - 1))),
        flags=st.integers(0, 255),
        later_ns=st.sampled_from((0, 0, 1, 40_000, 25_000_000, 7_500_000_000, -1, -2_000_000_000)),
    )
    def record(
        self, action: str, side: str, ticks: int | None, off: int, size: int, order_id: int, flags: int, later_ns: int
    ) -> None:
        """Any field values at all, under few ids so that they meet."""
        price = 2**63 - 1 if ticks is None else self.writer.mid + ticks * TICK + off
        self.writer.now_ns += max(later_ns, 0)
        time = self.writer.now_ns + min(later_ns, 0)
        self.feed([Rec(time, action, side, price, size, order_id, flags)])

    @precondition(lambda self: self.forwarded.order_count > 0)
    @rule()
    def saved_and_restored(self) -> None:
        self.forwarded = Book.from_arrow(self.forwarded.to_arrow())

    def feed(self, records: list[Rec]) -> None:
        events = events_of(records)
        at = 0
        while at < len(events):
            at, batch = self.engine.advance(events, at)
            self.frames.append(batch.buffer.tobytes())
        for i in range(len(events)):
            self.forwarded.fast_forward(events.slice(i, i + 1))
        for rec in records:
            self.oracle.apply(rec)
        self.records += records
        assert_same_book(self.forwarded, self.oracle)

    @invariant()
    def agree(self) -> None:
        for book in (self.engine.book, self.forwarded):
            assert_same_top(book, self.oracle)
            found = Accounting.of(
                book.tallies(), book.event_id, read=len(self.records), passed_over=PassedOver(), waiting=0
            )
            assert found.unaccounted == 0

    def teardown(self) -> None:
        """Once more in one piece: the same bits, whatever the pieces were."""
        assert_same_book(self.engine.book, self.oracle)
        again = EventDrivenVPEngine(50, TICK)
        messages = run_frames(again, events_of(self.records))
        assert messages.tobytes() == b"".join(self.frames)
        rows = read_stream(again.layout, messages)
        assert not np.isnan(np.asarray(rows["pressure"].combine_chunks().flatten())).any()
        DRIVEN["markets"] += 1
        DRIVEN["records"] += len(self.records)


Market.TestCase.settings = PROFILE


class TestMarket(Market.TestCase):  # type: ignore[misc, valid-type]  # made by hypothesis
    """The machine as a test, which says how much it drove (`pytest -s`)."""

    @classmethod
    def tearDownClass(cls) -> None:
        print("driven by rules:", DRIVEN)  # noqa: T201
        assert DRIVEN["records"] > 0


@pytest.mark.parametrize("records_wanted", [int(os.environ.get("VP_RECORDS", "1000"))])
def test_long_markets_from_seeds(records_wanted: int) -> None:
    """Tops compared at every record, whole books at every 25th, until so many records of markets are driven."""
    driven = anomalous = seed = 0
    while driven < records_wanted:
        records = random_market(seed, 400, weights=(WILD, FAR)[seed % 2])[: records_wanted - driven]
        events, oracle, book = events_of(records), OracleBook(TICK), Book(TICK, dense_levels=64)
        for i, record in enumerate(records):
            oracle.apply(record)
            book.fast_forward(events.slice(i, i + 1))
            assert_same_top(book, oracle)
            if i % 25 == 0 or i == len(records) - 1:
                assert_same_book(book, oracle)
        driven, seed = driven + len(records), seed + 1
        anomalous += sum(book.anomalies().values())
    assert anomalous
    print(f"{driven:,} records of {seed} markets: the oracle's book; {anomalous:,} anomalies")  # noqa: T201


QUOTE: list[tuple[Any, ...]] = [(1, "A", "B", 99, 5, 1, 0), (1, "A", "A", 101, 5, 2, 128)]


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("unknown_cancel", [(2, "C", "B", 99, 1, 77, 128)]),
        ("undefined_price", [(2, "A", "B", None, 1, 3, 128)]),
        ("undefined_side", [(2, "A", "N", 99, 1, 3, 128)]),
        ("unknown_modify", [(2, "M", "B", 98, 1, 3, 128)]),
        ("unknown_fill", [(2, "F", "B", 98, 1, 3, 128)]),
        ("duplicate_add", [(2, "A", "B", 99, 7, 1, 128)]),
        ("oversize_cancel", [(2, "C", "B", 99, 6, 1, 128)]),
        ("price_mismatch", [(2, "C", "B", 98, 1, 1, 128)]),
        ("out_of_order_time", [(0, "N", "N", None, 0, 0, 128)]),
        ("locked_book", [(2, "A", "B", 101, 1, 3, 128)]),
        ("crossed_book", [(2, "A", "B", 102, 1, 3, 128)]),
        ("maybe_bad_book", [(2, "N", "N", None, 0, 0, 128 | 4)]),
        ("undefined_size", [(2, "A", "B", 99, 2**32 - 1, 3, 128)]),
        ("time_ahead", [(1_000_000_003, "N", "N", None, 0, 0, 128, 1, 2)]),
        ("undefined_time", [(2**64 - 1, "N", "N", None, 0, 0, 128)]),
    ],
)
def test_the_least_that_each_counter_counts(name: str, records: list[tuple[Any, ...]]) -> None:
    """One record more than a sound market, one anomaly, and no other."""
    events = events_of(
        Rec(t, action, side, 2**63 - 1 if price is None else price * TICK, *rest)
        for t, action, side, price, *rest in [*QUOTE, *records]
    )
    book = Book(TICK)
    book.fast_forward(events)
    engine = EventDrivenVPEngine(50, TICK)
    engine.advance(events)
    for anomalies in (book.anomalies(), engine.anomalies()):
        assert {key: count for key, count in anomalies.items() if count} == {name: 1}


def test_every_counter_has_its_fixture() -> None:
    marks = test_the_least_that_each_counter_counts.pytestmark
    assert {case[0] for case in marks[0].args[1]} == set(Book(TICK).anomalies())
    assert set(FAR) == set(KINDS)
