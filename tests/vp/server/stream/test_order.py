"""The messages of one viewer, byte for byte, without a connection, a thread or a clock."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from tests.vp.server.tiny import DEFAULTS, LAYOUT, TinySession, even_clocks, messages
from vp.errors import NoRawFileError, VPError
from vp.feed_gap import FeedGap
from vp.server.stream.messages import Hole
from vp.server.stream.order import (
    RESUME_FRAMES,
    Close,
    FindStart,
    MessageOrder,
    SendFrames,
    SendPacked,
    SendText,
    Step,
    Steps,
    Wait,
)
from vp.server.stream.packing import header, pack
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import FramesHeld, Loading, NextSession, RunFacts, RunState, Snapshot

OWN = replace(DEFAULTS, speed=0.0)
FACTS = RunFacts(
    clock_ns=7, records_done=5, lag_seconds=0.25, anomalies={"unknown_order": 3}, records={"read": 5}, time_ns=9
)
LOADING = Snapshot(100.0, 10**18, RunState.LOADING, Loading("book", 1, 4, 2.5), None, None, RunFacts(), 1, None)
LIVE = replace(
    LOADING, state=RunState.LIVE, session=TinySession(even_clocks(9)), facts=FACTS, held=FramesHeld(0, 0, 0.0)
)
STATUS = (
    '{"type":"status","viewers":1,"lag_seconds":0.25,"frames_sent":%d,"frames_missed":%d,'
    '"anomalies":{"unknown_order":3},"clock_ns":"7","time_ns":"9","paused":false,"steps_done":0,'
    '"records_done":5,"records":{"read":5},"notices":[],"feed":null,"server_time_ns":"1000000000000000000"}'
)
SCHEMA = SendPacked(header(len(LAYOUT.schema_message)) + LAYOUT.schema_message)


def holding(seen: Snapshot, oldest: int, head: int, **changes: Any) -> Snapshot:
    return replace(seen, held=FramesHeld(oldest, head, changes.pop("waited_seconds", 0.0)), **changes)


def introduced(order: MessageOrder, seen: Snapshot) -> tuple[Steps, Step]:
    """The steps after the introduction, and the next of them."""
    steps = order.steps(seen)
    config = next(steps)
    assert isinstance(config, SendText)
    assert json.loads(config.text)["type"] == "runtime_config"
    assert steps.send(seen) == SCHEMA
    return steps, steps.send(seen)


def walk(steps: Steps, answers: Iterable[Snapshot]) -> list[Step]:
    """What comes after each of these answers; the last of them ends it."""
    came: list[Step] = []
    for seen in answers:
        try:
            came.append(steps.send(seen))
        except StopIteration:
            break
    return came


def test_progress_is_told_until_the_session_is_there() -> None:
    steps = MessageOrder(OWN, "abc").steps(LOADING)
    text = '{"type":"progress","phase":"%s","records_done":%d,"records_total":4,"records_per_second":2.5}'
    assert next(steps) == SendText(text % ("book", 1))
    assert steps.send(LOADING) == Wait(pushable=False)
    later = replace(LOADING, loading=Loading("warmup", 3, 4, 2.5))
    assert steps.send(later) == SendText(text % ("warmup", 3))
    came = steps.send(replace(LIVE, state=RunState.READY))  # ready while that was sent: nothing to wait for
    assert isinstance(came, SendText)
    assert json.loads(came.text)["session_id"] == "abc"


def test_a_lossless_stream_from_its_first_message_to_its_close() -> None:
    order = MessageOrder(OWN, "abc")
    steps, status = introduced(order, holding(LIVE, 0, 3))
    assert status == SendText(STATUS % (0, 0))
    assert steps.send(holding(LIVE, 0, 3)) == SendFrames(0, 3)
    order.cursor.advance(3)
    assert steps.send(holding(LIVE, 3, 3)) == Wait(pushable=False)
    assert steps.send(holding(LIVE, 3, 5)) == SendFrames(3, 2)
    order.cursor.advance(2)
    later = holding(LIVE, 5, 5, now_seconds=101.0)
    over = replace(later, state=RunState.ENDED)
    assert walk(steps, [later, later, over, over, over, over]) == [
        SendText(STATUS % (5, 0)),
        Wait(pushable=False),
        SendText(STATUS % (5, 0)),
        SendText('{"type":"end","frames_sent":5,"frames_missed":0,"clock_ns":"7"}'),
        Close(1000, "the session is over"),
    ]


def test_a_paced_stream_begins_with_its_history_and_lets_frames_be_pushed() -> None:
    order = MessageOrder(DEFAULTS, "abc")
    before = replace(LIVE, state=RunState.READY, held=None)
    steps, wait = introduced(order, before)
    assert wait == Wait(pushable=False)  # it does not play yet
    assert steps.send(holding(LIVE, 0, 20)) == FindStart(None)
    order.begin_at(4, 20, 1000)
    seen = holding(LIVE, 0, 20)
    assert steps.send(seen) == SendText(
        '{"type":"history","frames":16,"oldest_event_id":1000,"hole":false,'
        '"hole_after_event_id":null,"hole_before_event_id":null}'
    )
    assert steps.send(seen) == SendText(STATUS % (0, 0))
    assert steps.send(seen) == SendFrames(4, 16)
    order.cursor.advance(16)
    assert steps.send(seen) == Wait(pushable=True)


def test_of_a_past_that_comes_the_newest_frame_is_sent_now_and_then_to_who_wants_it_so() -> None:
    past = replace(LIVE, is_catching_up=True)
    order = MessageOrder(replace(DEFAULTS, sparse=True), "abc")
    steps, _find = introduced(order, holding(past, 0, 20))
    order.begin_at(4, 20, 1000)
    seen = holding(past, 0, 20)
    _history, _status = steps.send(seen), steps.send(seen)
    assert steps.send(seen) == SendText('{"type":"missed","frames":15,"frames_missed":15}')
    assert steps.send(seen) == SendFrames(19, 1)
    order.cursor.advance(1)
    assert steps.send(holding(past, 0, 500)) == Wait(pushable=True)
    later = holding(past, 400, 900, now_seconds=order.newest_at)
    assert steps.send(later) == SendText('{"type":"missed","frames":879,"frames_missed":894}')
    assert steps.send(later) == SendFrames(899, 1)
    order.cursor.advance(1)
    of_now = holding(LIVE, 400, 920, now_seconds=later.now_seconds)
    assert steps.send(of_now) == SendFrames(900, 20)


def test_who_does_not_want_it_so_is_sent_all_of_a_past_that_comes() -> None:
    past = replace(LIVE, is_catching_up=True)
    order = MessageOrder(DEFAULTS, "abc")
    steps, _find = introduced(order, holding(past, 0, 20))
    order.begin_at(4, 20, 1000)
    seen = holding(past, 0, 20)
    _history, _status = steps.send(seen), steps.send(seen)
    assert steps.send(seen) == SendFrames(4, 16)


def test_a_command_that_was_carried_out_is_told_at_once_behind_its_frames() -> None:
    order = MessageOrder(DEFAULTS, "abc")
    steps, _find = introduced(order, holding(LIVE, 0, 0))
    order.begin_at(0, 0, None)
    assert not order.owes_status(FACTS)
    stepped = holding(LIVE, 0, 1, facts=replace(FACTS, paused=True, steps_done=1))
    history, status, frames = steps.send(holding(LIVE, 0, 0)), steps.send(holding(LIVE, 0, 0)), steps.send(stepped)
    assert isinstance(history, SendText)
    assert status == SendText(STATUS % (0, 0))
    assert frames == SendFrames(0, 1)
    assert order.owes_status(stepped.facts)
    order.cursor.advance(1)
    told = steps.send(stepped)
    assert isinstance(told, SendText)
    assert json.loads(told.text)["paused"] is True
    assert json.loads(told.text)["steps_done"] == json.loads(told.text)["frames_sent"] == 1
    assert not order.owes_status(stepped.facts)
    assert steps.send(stepped) == Wait(pushable=True)


@pytest.mark.parametrize("told_before", [False, True])
def test_a_status_that_is_due_does_not_run_ahead_of_a_steps_frames(told_before: bool) -> None:
    order = MessageOrder(DEFAULTS, "abc")
    steps, _find = introduced(order, holding(LIVE, 0, 0))
    order.begin_at(0, 0, None)
    stepped = holding(LIVE, 0, 2, now_seconds=101.0, facts=replace(FACTS, paused=True, steps_done=2))
    steps.send(holding(LIVE, 0, 0) if told_before else stepped)  # the history
    if told_before:
        assert steps.send(holding(LIVE, 0, 0)) == SendText(STATUS % (0, 0))
        assert steps.send(holding(LIVE, 0, 0)) == Wait(pushable=True)
    assert steps.send(stepped) == SendFrames(0, 2)
    order.cursor.advance(2)
    told = steps.send(stepped)
    assert isinstance(told, SendText)
    assert json.loads(told.text)["steps_done"] == json.loads(told.text)["frames_sent"] == 2
    assert steps.send(stepped) == Wait(pushable=True)


def test_what_a_slow_viewer_missed_is_told_where_it_missed_it() -> None:
    order = MessageOrder(DEFAULTS, "abc")
    steps, _find = introduced(order, holding(LIVE, 0, 0))
    order.begin_at(0, 0, None)
    slow = holding(LIVE, 0, 50, waited_seconds=99.0)
    assert walk(steps, [slow] * 4) == [
        SendText(
            '{"type":"history","frames":0,"oldest_event_id":null,"hole":false,'
            '"hole_after_event_id":null,"hole_before_event_id":null}'
        ),
        SendText(STATUS % (0, 0)),
        SendText('{"type":"missed","frames":49,"frames_missed":49}'),
        SendFrames(49, 1),
    ]


@pytest.mark.parametrize(
    ("after", "position", "head", "first"),
    [
        (None, 30, 31 + RESUME_FRAMES, 30),
        (("abc", 5), 30, 90, 30),
        (("abc", 5), 30, 30 + RESUME_FRAMES, 30),
        (("abc", 5), 30, 31 + RESUME_FRAMES, 31),  # too much to send at once
        (("other", 5), 10, 31 + RESUME_FRAMES, 10),
    ],
)
def test_a_viewer_that_comes_back_goes_on_behind_what_it_has(
    after: tuple[str, int] | None, position: int, head: int, first: int
) -> None:
    order = MessageOrder(replace(DEFAULTS, after=after), "abc")
    steps, find = introduced(order, holding(LIVE, 0, head))
    assert find == FindStart(5 if after == ("abc", 5) else None)
    assert order.first_to_send(position, head) == first
    order.begin_at(first, head, 77, Hole(5, 8))
    told = steps.send(holding(LIVE, 0, head))
    assert isinstance(told, SendText)
    assert json.loads(told.text) == {
        "type": "history",
        "frames": head - first,
        "oldest_event_id": 77,
        "hole": True,
        "hole_after_event_id": 5,
        "hole_before_event_id": 8,
    }
    assert order.cursor.next == first


ERROR = NoRawFileError("There is no such file.", hint="Look elsewhere.")
TOLD = [
    SendText(
        '{"type":"error","code":"no_raw_file","message":"There is no such file.","hint":"Look elsewhere."}',
    ),
    Close(1008, "no_raw_file"),
]


def test_a_run_that_fails_while_loading_is_told_and_closed() -> None:
    failed = replace(LOADING, state=RunState.FAILED, error=ERROR)
    steps = MessageOrder(DEFAULTS, "abc").steps(failed)
    assert [next(steps), *walk(steps, [failed, failed])] == TOLD


def test_a_run_that_fails_under_its_viewer_first_sends_what_it_made() -> None:
    order = MessageOrder(OWN, "abc")
    steps, _status = introduced(order, LIVE)
    failed = holding(LIVE, 0, 2, state=RunState.FAILED, error=ERROR)
    assert steps.send(failed) == SendFrames(0, 2)
    order.cursor.advance(2)
    failed = holding(failed, 2, 2)
    assert walk(steps, [failed] * 3) == TOLD


@pytest.mark.parametrize("seen", [LOADING, replace(LOADING, session=TinySession(even_clocks(1)))])
def test_a_run_that_was_stopped_ends_with_going_away(seen: Snapshot) -> None:
    stopped = replace(seen, state=RunState.STOPPED)
    steps = MessageOrder(DEFAULTS, "abc").steps(stopped)
    assert [next(steps), *walk(steps, [stopped] * 9)][-1] == Close(1001, "the session was stopped")


def test_a_column_that_there_is_not_is_said_before_anything_else() -> None:
    steps = MessageOrder(replace(OWN, fields=("colour",)), "abc").steps(LIVE)
    error, close = [next(steps), *walk(steps, [LIVE, LIVE])]
    assert isinstance(error, SendText)
    assert json.loads(error.text)["code"] == "bad_parameter"
    assert close == Close(1008, "bad_parameter")


def test_frames_go_out_with_the_columns_asked_for() -> None:
    order = MessageOrder(replace(OWN, fields=("vacuum",)), "abc")
    steps = order.steps(LIVE)
    config = next(steps)
    assert order.encoder is not None
    layout = order.encoder.layout
    assert isinstance(config, SendText)
    assert json.loads(config.text)["frame"] == layout.describe()
    schema = layout.schema_message
    assert steps.send(LIVE) == SendPacked(header(len(schema)) + schema)
    source = messages(even_clocks(3), 0, 3)
    projection = LAYOUT.project(("vacuum",))
    expected = b"".join(header(layout.message_bytes) + projection.apply(message) for message in source)
    assert bytes(order.encoder.encode(pack(source).reshape(-1).data)) == expected


def test_frames_of_all_columns_go_out_as_they_lie_in_memory() -> None:
    order = MessageOrder(OWN, "abc")
    introduced(order, LIVE)
    assert order.encoder is not None
    packed = pack(messages(even_clocks(3), 0, 3)).reshape(-1).data
    assert order.encoder.encode(packed) is packed


def test_any_other_error_closes_with_its_own_code() -> None:
    failed = replace(LOADING, state=RunState.FAILED, error=VPError("It broke."))
    steps = MessageOrder(StreamRequest("a", "b", "c"), "abc").steps(failed)
    assert [next(steps), *walk(steps, [failed])][-1] == Close(1011, "error")


OPEN = FeedGap(100, 0, "the gateway closed the connection", bridged=False)
EARLIER = FeedGap(40, 50, "reset", bridged=True)


def told(step: Step) -> dict[str, Any]:
    assert isinstance(step, SendText), step
    text: dict[str, Any] = json.loads(step.text)
    return text


def test_gaps_are_told_behind_the_history_and_again_as_they_change() -> None:
    order = MessageOrder(DEFAULTS, "abc")
    broken = holding(LIVE, 0, 0, gaps=(EARLIER, OPEN))
    steps, _find = introduced(order, broken)
    order.begin_at(0, 0, None)
    came = [told(step) for step in walk(steps, [broken] * 4)]
    assert [one["type"] for one in came] == ["history", "status", "gap", "gap"]
    assert came[2:] == [
        {"type": "gap", "start_ns": "40", "end_ns": "50", "reason": "reset", "bridged": True},
        {"type": "gap", "start_ns": "100", "end_ns": None, "reason": OPEN.reason, "bridged": None},
    ]
    assert steps.send(broken) == Wait(pushable=True)
    assert not order.owes_gaps(broken.gaps)
    closed = replace(broken, gaps=(EARLIER, replace(OPEN, end_ns=130)))
    assert order.owes_gaps(closed.gaps)
    (again, wait) = walk(steps, [closed, closed])
    assert told(again) == {"type": "gap", "start_ns": "100", "end_ns": "130", "reason": OPEN.reason, "bridged": False}
    assert wait == Wait(pushable=True)


def test_a_change_of_the_feeds_state_is_told_at_once_and_waits_for_no_frames() -> None:
    order = MessageOrder(DEFAULTS, "abc")
    live = holding(LIVE, 0, 0, facts=replace(FACTS, feed={"state": "live"}))
    steps, _find = introduced(order, live)
    order.begin_at(0, 0, None)
    assert [told(step)["type"] for step in walk(steps, [live] * 2)] == ["history", "status"]
    assert steps.send(live) == Wait(pushable=True)
    silent = holding(LIVE, 0, 1, facts=replace(FACTS, feed={"state": "silent"}))
    assert order.owes_status(silent.facts)
    assert told(steps.send(silent))["feed"] == {"state": "silent"}
    assert steps.send(silent) == SendFrames(0, 1)


def test_a_stream_goes_on_with_the_next_session_without_another_schema() -> None:
    order = MessageOrder(DEFAULTS, "abc")
    steps, _find = introduced(order, holding(LIVE, 0, 0))
    order.begin_at(0, 2, None)
    over = holding(LIVE, 0, 2, state=RunState.ENDED, next_session=NextSession("2026-02-07", 77))
    came = walk(steps, [over] * 3)
    assert came[-1] == SendFrames(0, 2)  # nothing of the session is left out
    order.cursor.advance(2)
    status, last = walk(steps, [over] * 3)
    assert told(status)["frames_sent"] == 2
    assert told(last) == {
        "type": "next_session", "dt": "2026-02-07", "start_ns": "77", "frames_sent": 2, "frames_missed": 0,
    }  # fmt: skip
    assert order.told_of == over.next_session
    following = MessageOrder(replace(DEFAULTS, dt="2026-02-07"), "def", goes_on=True).steps(LIVE)
    assert told(next(following))["session_id"] == "def"
    assert following.send(holding(LIVE, 0, 0)) == FindStart(None)
