"""The messages of a stream and the request that opens one. No sockets here.

Text messages are JSON objects with a `type`; integers that can pass 2^53 travel as decimal strings. Binary
messages are Arrow IPC: the schema message first, then one record-batch message a frame.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qsl

from vp.errors import BadParameterError, VPError
from vp.settings import of_query, quoted

PROTOCOL_VERSION = 1
MAX_QUERY_BYTES = 4096
CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_PROTOCOL_ERROR = 1002
CLOSE_INVALID_DATA = 1007
CLOSE_POLICY = 1008
NANOSECOND_NAMES = ("session_start_ns", "emit_from_ns", "end_ns")


@dataclass(frozen=True)
class Request:
    """What a viewer asks for.

    Attributes
    ----------
    product_type, symbol, dt : str
    start_time : str or None
        HH:MM in New York; None: from the session's start.
    speed : float
        0: a lossless run of the viewer's own.
    throttle_ms : float
    fields : tuple of str or None
        Grid columns wanted; None: all.
    after : (str, int) or None
        Session id and event_id of the newest frame that the viewer holds of it.
    """

    product_type: str
    symbol: str
    dt: str
    start_time: str | None = None
    speed: float = 1.0
    throttle_ms: float = 25.0
    fields: tuple[str, ...] | None = None
    after: tuple[str, int] | None = None

    @property
    def session(self) -> Request:
        """The same request without what concerns this viewer alone: viewers with equal ones share."""
        return replace(self, fields=None, after=None)

    def describe(self) -> dict[str, Any]:
        """The session asked for, in the form of /health."""
        names = ("product_type", "symbol", "dt", "start_time", "speed", "throttle_ms")
        return {name: getattr(self, name) for name in names}


def parse_request(query: str, defaults: Request) -> Request:
    """The request in a query string; what it leaves out comes from `defaults`.

    An empty value counts as left out, except that an empty `start_time` means the session's start.

    Raises
    ------
    BadParameterError
        A parameter that there is not, one given twice, or a value of the wrong form.
    """
    known = {setting.name: setting for setting in of_query()}
    if len(query) > MAX_QUERY_BYTES:
        raise BadParameterError(f"The query has {len(query)} characters, expected at most {MAX_QUERY_BYTES}.")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=64)
    except ValueError:
        raise BadParameterError("The query is not a list of name=value pairs in UTF-8.", hint=_known(known)) from None
    changes: dict[str, Any] = {}
    for name, value in pairs:
        if name not in known:
            raise BadParameterError(f"There is no parameter {quoted(name)}.", hint=_known(known))
        if name in changes:
            raise BadParameterError(f"The parameter {name} is given twice.")
        changes[name] = known[name].type(name, value) if value.strip() else None
    return replace(defaults, **{name: v for name, v in changes.items() if v is not None or name == "start_time"})


def _known(known: Mapping[str, Any]) -> str:
    return f"The parameters are {', '.join(known)}."


def runtime_config(request: Request, session_id: str, info: Mapping[str, Any], frame: Mapping[str, Any]) -> str:
    """What a reader must know to read and to label the frames that follow.

    `info` describes the session (SessionInfo.to_json), `frame` a frame message (FrameLayout.describe).
    """
    described = dict(info)
    for name in NANOSECOND_NAMES:
        described[name] = str(described[name])
    head = {"type": "runtime_config", "protocol": PROTOCOL_VERSION, "session_id": session_id}
    tail = {
        "start_time": request.start_time,
        "speed": request.speed,
        "throttle_ms": request.throttle_ms,
        "frame": dict(frame),
    }
    return _json({**head, **described, **tail})


def progress(phase: str, records_done: int, records_total: int | None, records_per_second: float) -> str:
    """How far loading has come; phase is decode, book or warmup."""
    return _json(
        {
            "type": "progress",
            "phase": phase,
            "records_done": int(records_done),
            "records_total": None if records_total is None else int(records_total),
            "records_per_second": round(float(records_per_second), 1),
        }
    )


def status(
    *,
    viewers: int,
    lag_seconds: float,
    frames_sent: int,
    frames_missed: int,
    anomalies: Mapping[str, int],
    clock_ns: int | None,
    records_done: int,
    records: Mapping[str, Any],
    server_time_ns: int,
) -> str:
    """How a stream is doing; once a second."""
    return _json(
        {
            "type": "status",
            "viewers": viewers,
            "lag_seconds": round(lag_seconds, 3),
            "frames_sent": frames_sent,
            "frames_missed": frames_missed,
            "anomalies": {name: int(count) for name, count in anomalies.items()},
            "clock_ns": _nanoseconds(clock_ns),
            "records_done": int(records_done),
            "records": records,
            "server_time_ns": str(server_time_ns),
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


def history(*, frames: int, oldest_event_id: int | None, hole: bool) -> str:
    """What comes before the live frames; `hole`: the server no longer holds all after what the viewer has."""
    return _json({"type": "history", "frames": frames, "oldest_event_id": oldest_event_id, "hole": hole})


def missed(frames: int, frames_missed: int) -> str:
    """Here this viewer, too slow, was not sent `frames`."""
    return _json({"type": "missed", "frames": frames, "frames_missed": frames_missed})


def error(problem: VPError) -> str:
    """What went wrong; the connection closes with `problem.close_code` after it."""
    return _json({"type": "error", "code": problem.code, "message": problem.message, "hint": problem.hint})


def _nanoseconds(value: int | None) -> str | None:
    return None if value is None else str(int(value))


def _json(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


REQUEST_NAMES = tuple(field.name for field in fields(Request))
