"""The three phases driven by rules, next to the oracle: chunks of any size, and a book that goes through Arrow.

Records are written by one rule and taken by others, some at a time, so that chunks end anywhere. While the book alone
runs, it is saved and restored at any record; then an engine takes it over, warms up and emits. Every frame is compared
in every column, and after each chunk the book with its levels. `VP_HYPOTHESIS` chooses the profile (dev, ci, nightly).
"""

from __future__ import annotations

import os
from random import Random

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.agreement import TICK, assert_same_book, events_of, frame_rows, to_oracle_parameters
from tests.market_writer import KINDS, LEVEL_PUBLISHER, QUOTE_PUBLISHER, SESSION_START_NS, MarketWriter
from tests.oracle import BOOK, EMIT, WARMUP, OracleEngine, Rec, frame_differences
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine
from vp.model.parameters import ModelParameters

HEALTH = [HealthCheck.too_slow, HealthCheck.filter_too_much]
PROFILES = {"dev": (6, 20), "ci": (40, 40), "nightly": (2000, 50)}
EXAMPLES, STEPS = PROFILES[os.environ.get("VP_HYPOTHESIS", "dev")]


class Phases(RuleBasedStateMachine):
    """A session from its first record: book alone, warmup, frames."""

    @initialize(
        bucket_int=st.sampled_from((TICK, 50 * TICK)),
        grid=st.sampled_from((3, 50)),
        preset=st.sampled_from(("default", "touch")),
        throttle_ns=st.sampled_from((0, 0, 25_000_000)),
        dense_levels=st.sampled_from((1, 64, 4096)),
    )
    def begin(self, bucket_int: int, grid: int, preset: str, throttle_ns: int, dense_levels: int) -> None:
        self.writer = MarketWriter(Random(0))
        self.writer.write("quote")
        self.taken = 0
        self.phase = BOOK
        self.grid, self.throttle_ns = grid, throttle_ns
        self.parameters = ModelParameters.preset(preset)
        self.book = Book(TICK, bucket_int, dense_levels=dense_levels)
        self.engine: EventDrivenVPEngine | None = None
        self.oracle = OracleEngine(
            K=grid,
            tick_int=TICK,
            bucket_int=bucket_int,
            throttle_ns=throttle_ns,
            parameters=to_oracle_parameters(self.parameters),
        )
        self.oracle.book.start_ns = SESSION_START_NS

    @rule(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=8), seed=st.integers(0, 2**32 - 1))
    def write_events(self, kinds: list[str], seed: int) -> None:
        self.writer.rng = Random(seed)
        for kind in kinds:
            self.writer.write(kind)

    @rule(
        action=st.sampled_from("ACMRTFN"),
        side=st.sampled_from("ABN"),
        ticks=st.one_of(st.integers(-12, 12), st.none()),
        size=st.one_of(st.integers(0, 9), st.just(2**32 - 1)),
        order_id=st.one_of(st.integers(0, 5), st.just(2**64 - 1)),
        flags=st.integers(0, 255),
        publisher=st.sampled_from((1, 2, QUOTE_PUBLISHER, LEVEL_PUBLISHER, 0)),
        later_ns=st.sampled_from((0, 0, 40_000, 25_000_000, -1, -(10**18))),
        received_after_ns=st.sampled_from((None, 1_000, -1_000_000_000, -1_000_000_001)),
    )
    def write_record(
        self,
        action: str,
        side: str,
        ticks: int | None,
        size: int,
        order_id: int,
        flags: int,
        publisher: int,
        later_ns: int,
        received_after_ns: int | None,
    ) -> None:
        """Any field values at all, under few ids so that they meet."""
        price = 2**63 - 1 if ticks is None else self.writer.mid + ticks * TICK
        self.writer.now_ns += max(later_ns, 0)
        ts_event = self.writer.now_ns + min(later_ns, 0)
        ts_recv = None if received_after_ns is None else ts_event + received_after_ns
        self.writer.records.append(Rec(ts_event, action, side, price, size, order_id, flags, publisher, ts_recv))

    @rule(share=st.floats(0, 1))
    def take(self, share: float) -> None:
        """Run a chunk of what is written, any part of it."""
        written = self.writer.records[self.taken :]
        records = written[: 1 + int(share * len(written))]
        self.taken += len(records)
        frames = []
        for rec in records:
            clock_ns = self.oracle.book.clock_after(rec)
            frame = self.oracle.apply(rec, BOOK if clock_ns is None else self.phase)
            if frame is not None:
                frames.append(frame)
        self.compare(self.run(records), frames)
        assert_same_book(self.book, self.oracle.book)

    def run(self, records: list[Rec]) -> list[dict[str, object]]:
        events = events_of(records, start_ns=SESSION_START_NS)
        assert len(events) == len(records)
        if self.engine is None:
            assert self.book.fast_forward(events) == len(events)
            return []
        rows, at = [], 0
        while at < len(events):
            at, batch = self.engine.advance(events, at)
            rows += frame_rows(self.engine.layout, batch.buffer.copy())
        self.book = self.engine.book
        return rows

    def compare(self, got: list[dict[str, object]], want: list[dict[str, object]]) -> None:
        assert [row["event_id"] for row in got] == [frame["event_id"] for frame in want]
        for row, frame in zip(got, want, strict=True):
            assert frame_differences(row, frame, lenient=True) == [], f"event {frame['event_id']}"

    @precondition(lambda self: self.phase == BOOK)
    @rule(rows=st.integers(1, 5))
    def save_and_restore(self, rows: int) -> None:
        """The book through an Arrow stream of batches of any length."""
        table, sink = self.book.to_arrow(), pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=rows)
        restored = Book.from_arrow(pa.ipc.open_stream(sink.getvalue()).read_all())
        assert restored.to_arrow().equals(table, check_metadata=True)
        self.book = restored

    @precondition(lambda self: self.phase == BOOK)
    @rule()
    def warm_up(self) -> None:
        self.phase = WARMUP
        self.engine = EventDrivenVPEngine(
            self.grid, parameters=self.parameters, throttle_ns=self.throttle_ns, book=self.book, frame_capacity=5
        )

    @precondition(lambda self: self.phase == WARMUP)
    @rule()
    def emit(self) -> None:
        assert self.engine is not None
        self.phase = EMIT
        self.engine.start_emitting()

    @invariant()
    def the_grid_shows_the_depth_of_the_book(self) -> None:
        if self.engine is None or self.oracle.book.spot is None:
            return
        spot = self.oracle.book.spot
        depths = [self.oracle.book.bucket_depth(spot + k) for k in range(-self.grid, self.grid + 1)]
        np.testing.assert_array_equal(self.engine.grid["rest_depth"], depths)

    def teardown(self) -> None:
        """Whatever phase the rules came to: warm up, emit, and take all that is left."""
        if not hasattr(self, "phase"):
            return
        if self.phase == BOOK:
            self.warm_up()
        if self.phase == WARMUP:
            self.take(0.5)
            self.emit()
        self.writer.write("quote")
        self.take(1.0)


Phases.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=HEALTH
)
TestPhases = Phases.TestCase
