"""What an upstream's messages tell, judged before anybody is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vp.dbn.accounting import Accounting
from vp.feed_gap import FeedGap


def judge_status(status: Mapping[str, Any]) -> None:
    """Raise what reading a `status` message later would raise (KeyError and so on)."""
    for name in ("clock_ns", "time_ns"):
        if (value := status.get(name)) is not None:
            int(value)
    for name, default in (("records_done", 0), ("steps_done", 0), ("lag_seconds", 0.0)):
        type(default)(status.get(name, default))
    float(status.get("hop_seconds") or 0.0)
    {**Accounting.from_json(status.get("records", {})).to_json()}
    dict.fromkeys(status.get("notices", ()))
    feed = status.get("feed")
    str(None if feed is None else feed["state"])
    for counted in status.get("anomalies", {}).values():
        int(counted)


def gap_of(message: Mapping[str, Any]) -> FeedGap:
    """What a `gap` message tells of; the inverse of vp.server.stream.messages.gap."""
    end_ns = int(message["end_ns"] or 0)
    return FeedGap(int(message["start_ns"]), end_ns, str(message["reason"]), bool(message["bridged"]))
