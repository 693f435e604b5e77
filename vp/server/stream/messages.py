"""The messages of a stream, and the codes that it closes with.

Text messages are JSON objects with a `type`; integers that can pass 2^53 travel as decimal strings. Binary
messages are Arrow IPC: the schema message first, then one record-batch message a frame.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vp.errors import VPError
from vp.feed_gap import FeedGap
from vp.model.frame_columns import QUALITY_BITS
from vp.server.faults import error_body
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import Loading, NextSession, RunFacts

API = "/v1/vacuum-pressure"
PROTOCOL_VERSION = 1
CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001


def runtime_config(request: StreamRequest, session_id: str, info: Mapping[str, Any], frame: Mapping[str, Any]) -> str:
    """What a reader must know to read and to label the frames that follow.

    `info` describes the session (SessionInfo.to_json), `frame` a frame message (FrameLayout.describe).
    """
    head = {"type": "runtime_config", "protocol": PROTOCOL_VERSION, "session_id": session_id}
    tail = {
        "start_time": request.start_time,
        "speed": request.speed,
        "throttle_ms": request.throttle_ms,
        "quality_bits": QUALITY_BITS,
        "frame": dict(frame),
    }
    return _json({**head, **info, **tail})


def progress(loading: Loading) -> str:
    """How far loading has come; phase is decode, book or warmup."""
    return _json(
        {
            "type": "progress",
            "phase": loading.phase,
            "records_done": int(loading.records_done),
            "records_total": None if loading.records_total is None else int(loading.records_total),
            "records_per_second": round(float(loading.records_per_second), 1),
        }
    )


def status(facts: RunFacts, *, viewers: int, frames_sent: int, frames_missed: int, server_time_ns: int) -> str:
    """How a stream is doing; once a second."""
    return _json(
        {
            "type": "status",
            "viewers": viewers,
            "lag_seconds": round(facts.lag_seconds, 3),
            "frames_sent": frames_sent,
            "frames_missed": frames_missed,
            "anomalies": {name: int(count) for name, count in facts.anomalies.items()},
            "clock_ns": _nanoseconds(facts.clock_ns),
            "time_ns": _nanoseconds(facts.time_ns),
            "paused": facts.paused,
            "steps_done": facts.steps_done,
            "records_done": int(facts.records_done),
            "records": facts.records,
            "notices": list(facts.notices),
            "feed": facts.feed,
            "server_time_ns": str(server_time_ns),
            **({} if facts.hop_seconds is None else {"hop_seconds": round(facts.hop_seconds, 6)}),
        }
    )


def described_gap(gap: FeedGap) -> dict[str, Any]:
    """A gap, as messages and blocks of the history tell it."""
    return {
        "start_ns": str(gap.start_ns),
        "end_ns": str(gap.end_ns) if gap.end_ns else None,
        "reason": gap.reason,
        "bridged": gap.bridged if gap.end_ns else None,
    }


def gap(told: FeedGap) -> str:
    """The feed has a gap, or what was told of it has changed."""
    return _json({"type": "gap", **described_gap(told)})


def next_session(following: NextSession, frames_sent: int, frames_missed: int) -> str:
    """The session is over, and the stream goes on with the next one."""
    return _json(
        {
            "type": "next_session",
            "dt": following.dt,
            "start_ns": str(following.start_ns),
            "frames_sent": frames_sent,
            "frames_missed": frames_missed,
        }
    )


def end(frames_sent: int, frames_missed: int, clock_ns: int | None) -> str:
    """The session is over."""
    return _json(
        {
            "type": "end",
            "frames_sent": frames_sent,
            "frames_missed": frames_missed,
            "clock_ns": _nanoseconds(clock_ns),
        }
    )


@dataclass(frozen=True)
class Hole:
    """Frames that were made and are held no longer.

    Attributes
    ----------
    after_event_id : int or None
        They come after this event; None where that is not known any more.
    before_event_id : int or None
        They come before this event; None where nothing is held.
    """

    after_event_id: int | None
    before_event_id: int | None


def described_hole(hole: Hole | None) -> dict[str, Any]:
    """A hole, or that there is none, as messages and blocks of the history tell it."""
    return {
        "hole": hole is not None,
        "hole_after_event_id": None if hole is None else hole.after_event_id,
        "hole_before_event_id": None if hole is None else hole.before_event_id,
    }


def history(*, frames: int, oldest_event_id: int | None, hole: Hole | None) -> str:
    """What comes before the live frames, and what is missing before them."""
    return _json({"type": "history", "frames": frames, "oldest_event_id": oldest_event_id, **described_hole(hole)})


def missed(frames: int, frames_missed: int) -> str:
    """Here this viewer, too slow, was not sent `frames`."""
    return _json({"type": "missed", "frames": frames, "frames_missed": frames_missed})


def refused(problem: VPError) -> str:
    """A command that cannot be obeyed; the stream goes on."""
    return _json({**error_body(problem), "type": "refused"})


def error(problem: VPError) -> str:
    """What went wrong; the connection closes with `problem.close_code` after it."""
    return _json(error_body(problem))


def _nanoseconds(value: int | None) -> str | None:
    return None if value is None else str(int(value))


def _json(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
