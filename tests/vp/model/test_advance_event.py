"""Frames between those that are due: each at the next event end, and the others go on as if there had been none."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.agreement import TICK, events_of, frame_rows, run_frames
from tests.market_writer import KINDS, SESSION_START_NS, MarketWriter
from tests.oracle_book import F_LAST
from vp.dbn.events import Events
from vp.model.engine import EventDrivenVPEngine

COUNTED = ("buy_volume", "sell_volume", "other_volume", "ofi")
BY_BUCKET = ("bought", "sold")
MS = 1_000_000


def random_events(seed: int) -> Events:
    writer = MarketWriter(Random(seed))
    writer.write("quote")
    for _ in range(500):
        writer.write(writer.rng.choice(sorted(KINDS)))
    return events_of(writer.records, start_ns=SESSION_START_NS)


def due_alone(events: Events, throttle_ns: int) -> list[dict[str, Any]]:
    engine = EventDrivenVPEngine(tick_int=TICK, throttle_ns=throttle_ns)
    return frame_rows(engine.layout, run_frames(engine, events))


def with_those_between(events: Events, throttle_ns: int, seed: int) -> list[dict[str, Any]]:
    """As `due_alone`, with a frame at some event ends more."""
    rng = Random(seed)
    engine = EventDrivenVPEngine(tick_int=TICK, throttle_ns=throttle_ns)
    engine.start_emitting()
    parts, at = [engine.no_frames().buffer.copy()], 0
    while at < len(events):
        if rng.random() < 0.5:
            before = at
            at, batch = engine.advance_event(events, at)
            ends = before + np.flatnonzero(events.columns.flags[before:at] & F_LAST)
            assert batch.count == 0 or ends[-1] == at - 1
        else:
            at, batch = engine.advance(events, at, max_frames=rng.randint(1, 3))
        parts.append(batch.buffer.copy())
    return frame_rows(engine.layout, np.concatenate(parts))


@pytest.mark.parametrize("throttle_ms", [0, 25, 1000])
def test_frames_that_are_due_are_the_same(throttle_ms: int) -> None:
    events = random_events(throttle_ms)
    want = due_alone(events, throttle_ms * MS)
    got = with_those_between(events, throttle_ms * MS, seed=1)
    by_event = {row["event_id"]: row for row in got}
    assert len(by_event) == len(got)
    assert (len(got) > len(want) + 20) == (throttle_ms > 0)
    for row in want:
        other = by_event[row["event_id"]]
        for name in row.keys() - {*COUNTED, *BY_BUCKET}:
            assert row[name] == other[name] or row[name] != row[name], (row["event_id"], name)
    counted = 0
    for before, row in pairwise(got):
        own = next((one for one in want if one["event_id"] == row["event_id"]), None)
        if own is not None and any(one["event_id"] == before["event_id"] for one in want):
            counted += 1
            assert [row[name] for name in (*COUNTED, *BY_BUCKET)] == [own[name] for name in (*COUNTED, *BY_BUCKET)]
    assert counted > 5
    last = want[-1]["event_id"]
    for name in COUNTED:
        total = sum(row[name] for row in want)
        assert sum(row[name] for row in got if row["event_id"] <= last) == total
        assert total != 0


def test_a_frame_between_says_what_the_moment_is() -> None:
    """All that is of the moment is what a session with a frame at each event end says of it."""
    events = random_events(7)
    every = {row["event_id"]: row for row in due_alone(events, 0)}
    between = with_those_between(events, 25 * MS, seed=2)
    remembered = {"state", "strength", *COUNTED, *BY_BUCKET}  # of the frames before
    for row in between:
        same = every[row["event_id"]]
        assert {name: row[name] for name in row.keys() - remembered} == {
            name: same[name] for name in row.keys() - remembered
        }
