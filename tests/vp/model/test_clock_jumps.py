"""A stamp that is believed and not true: the session's clock jumps, and a person is told from where to where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.lakes import FUTURES_OPEN_NS, dbn, market, put
from tests.oracle_book import Rec
from vp.dbn.events import UNDEFINED_TIME
from vp.kernels.contract import BOOK_ONLY, CLOCK_KEPT
from vp.model.clock_jumps import REMEMBERED, ClockJump, ClockJumps
from vp.model.live_session import LiveSession
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
F_LAST, F_BAD_TS_RECV, F_SNAPSHOT = 128, 8, 32
NAME = "glbx-mdp3-20260206.mbo.dbn"
RECORDS = market(FUTURES_OPEN_NS, 10, 10)
AT = len(RECORDS) // 2
LATE_NS = FUTURES_OPEN_NS + 9 * HOUR
BEHIND = sum(record.ts_event < LATE_NS for record in RECORDS[AT:])


def looked(runs: list[list[int]]) -> list[ClockJump]:
    """What is found in runs of records, as a session hands them over."""
    jumps, clock = ClockJumps(), None
    for run in runs:
        clocks = np.array(run, np.int64)
        before, disorder = clock, 0
        for time in run:
            if time > CLOCK_KEPT + 1:
                disorder += clock is not None and time < clock
                clock = time if clock is None else max(clock, time)
        jumps.look(clocks, before, clock, disorder)
    return jumps.found


S = SECOND


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([1 * S, 2 * S, 500 * S, 3 * S, 4 * S], [(2 * S, 500 * S, 2)]),
        ([1 * S, 2 * S, 500 * S, 600 * S], []),  # a pause
        ([500 * S, 1 * S, 2 * S], [(None, 500 * S, 2)]),  # the first of all
        ([100 * S, 159 * S, 100 * S], []),  # out of order, as others are
        ([1 * S, 500 * S, 2 * S, 900 * S, 3 * S, 901 * S], [(S, 500 * S, 1), (500 * S, 900 * S, 1)]),
        ([1 * S, 500 * S, BOOK_ONLY, CLOCK_KEPT, 2 * S], [(S, 500 * S, 1)]),
        ([1 * S, BOOK_ONLY, CLOCK_KEPT], []),
    ],
)
def test_what_is_a_jump_however_the_records_come(records: list[int], found: list[tuple[int | None, int, int]]) -> None:
    expected = [ClockJump(*one) for one in found]
    for length in range(1, len(records) + 1):
        assert looked([records[at : at + length] for at in range(0, len(records), length)]) == expected, length


def test_of_many_jumps_a_few_are_kept_and_the_others_counted() -> None:
    jumps, clock = ClockJumps(), 0
    for i in range(1, 11):
        jumps.look(np.array([i * 1000 * S, S, S], np.int64), clock, i * 1000 * S, 2)
        jumps.look(np.array([S], np.int64), i * 1000 * S, i * 1000 * S, 1)
        clock = i * 1000 * S
    assert [one.records_behind for one in jumps.found] == [3] * REMEMBERED
    assert jumps.more == 10 - REMEMBERED
    assert len(jumps.sentences()) == REMEMBERED + 1


def session_with(root: Path, *strays: Rec, at: int = AT) -> LiveSession:
    records = [*RECORDS[:at], *strays, *RECORDS[at:]]
    put(root, "future_mbo", "MNQ", NAME, dbn("MNQH6", 6, records))
    return prepare(SessionSpec("future_mbo", "MNQH6", "2026-02-06", lake=str(root), throttle_ms=0))


def stray(ts_recv: int | None, flags: int = 0) -> Rec:
    return Rec(LATE_NS, "A", "B", 99_000_000_000, 1, 777, flags | F_LAST, ts_recv=ts_recv)


def played(session: LiveSession) -> list[str]:
    while not session.finished:
        session.advance(None, 7)
    session.close()
    return session.notices()


def test_a_jump_of_both_stamps_is_told_with_both_times(tmp_path: Path) -> None:
    before = RECORDS[AT - 1].ts_event
    (said,) = played(session_with(tmp_path, stray(LATE_NS + 1000)))
    assert said == (
        f"The session's clock jumped from 2026-02-06 09:29:{before // SECOND % 60:02d} ET to 2026-02-06 18:30:00 ET, "
        f"and {BEHIND} records behind it are stamped earlier."
    )


@pytest.mark.parametrize(
    "one",
    [stray(UNDEFINED_TIME), stray(LATE_NS - HOUR, F_BAD_TS_RECV)],
    ids=["not received at any time", "received at a time that is not to be believed"],
)
def test_a_stamp_that_no_receipt_contradicts_is_believed_and_told(tmp_path: Path, one: Rec) -> None:
    session = session_with(tmp_path, one)
    (said,) = played(session)
    assert "jumped from" in said
    assert session.anomalies()["time_ahead"] == 0
    assert session.anomalies()["out_of_order_time"] == BEHIND


def test_strays_that_their_receipt_contradicts_move_nothing_and_are_counted(tmp_path: Path) -> None:
    one = stray(RECORDS[AT].ts_event)
    session = session_with(tmp_path, one, one._replace(order_id=778, ts_event=LATE_NS + 9), one._replace(order_id=779))
    assert played(session) == []
    assert session.anomalies()["time_ahead"] == 3
    assert session.clock_ns == RECORDS[-1].ts_event


@pytest.mark.parametrize("at", [0, len(RECORDS)], ids=["the first record", "the last record"])
def test_a_stray_at_either_end_moves_nothing_either(tmp_path: Path, at: int) -> None:
    session = session_with(tmp_path, stray(FUTURES_OPEN_NS - 10 * SECOND), at=at)
    assert played(session) == []
    assert session.clock_ns == RECORDS[-1].ts_event


def test_a_stray_in_a_snapshot_is_no_clock(tmp_path: Path) -> None:
    session = session_with(tmp_path, stray(LATE_NS + 1000, F_SNAPSHOT))
    assert played(session) == []
    assert session.clock_ns == RECORDS[-1].ts_event


def test_while_time_goes_on_and_the_next_record_is_far_away_that_is_told(tmp_path: Path) -> None:
    """Whether it is a pause of the market, or a stamp that the records behind contradict."""
    session = session_with(tmp_path, stray(LATE_NS + 1000))
    reached_ns = RECORDS[AT - 1].ts_event
    session.advance(reached_ns + 1)
    while session.next_event_ns != LATE_NS:
        session.advance(reached_ns + 1)
    assert session.notices() == []
    assert session.notices(reached_ns) == [
        f"No record is due before 2026-02-06 18:30:00 ET, though {BEHIND} of the {len(RECORDS) - AT} records behind it "
        "are stamped earlier."
    ]
    assert session.notices(LATE_NS - SECOND) == []
    session.close()
    pause = RECORDS[-1]._replace(ts_event=LATE_NS, order_id=5)
    session = session_with(tmp_path, pause, at=len(RECORDS))
    session.advance(LATE_NS, 10**6)
    while session.next_event_ns != LATE_NS:
        session.advance(LATE_NS, 10**6)
    assert session.notices(reached_ns) == ["No record is due before 2026-02-06 18:30:00 ET."]
    session.close()
