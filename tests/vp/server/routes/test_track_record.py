"""What the signal was worth in a session so far, as a server tells it of what it has shown."""

from __future__ import annotations

import json
import time
import urllib.error
from typing import Any

import numpy as np
import pytest

from tests.vp.server.clients import Seen, client, get_json, read_on
from tests.vp.server.tiny import START_NS, Running, TinySession, serving, tiny_service
from vp.server.routes import track_record

SECONDS = 1_200
TICK = 250_000_000


def planted_session() -> TinySession:
    """A frame a second; behind a state of UP, of which the queues tell as well, the mid rises five seconds later."""
    rng = np.random.default_rng(3)
    state = np.repeat(rng.integers(-1, 2, SECONDS // 5 + 1), 5)[:SECONDS]
    mid = 80_000 + np.concatenate([np.zeros(5), np.cumsum(state[:-5]) * 0.2]).round()
    scalars = {
        "bid_price": (mid * TICK).astype(np.int64),
        "ask_price": ((mid + 1) * TICK).astype(np.int64),
        "bid_size": 10 + 5 * state,
        "ask_size": 10 - 5 * state,
        "score": state * 0.5 + rng.normal(0, 0.01, SECONDS),
        "state": state,
        "book_valid": np.ones(SECONDS),
    }
    return TinySession(START_NS + np.arange(SECONDS) * 1_000_000_000, scalars=scalars)


def record_of(server: Running, session_id: str) -> dict[str, Any]:
    found: dict[str, Any] = get_json(server, f"/v1/vacuum-pressure/track-record?session_id={session_id}")
    return found


def test_a_server_tells_what_followed_what_it_has_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first frames on, which are too few, to the end of the session, and when it is over."""
    monkeypatch.setattr(track_record, "LEAST_SECONDS", 0.0)
    with serving(tiny_service(lambda _request: planted_session())) as server:
        seen = Seen()
        with client(server.ws("speed=1000&fields=none")) as viewer:
            read_on(viewer, seen, until_frames=20)
            session_id = seen.last("runtime_config")["session_id"]
            early = record_of(server, session_id)
            read_on(viewer, seen)
        late = record_of(server, session_id)
        deadline = time.monotonic() + 10
        while late["samples"] < SECONDS - 6 and time.monotonic() < deadline:
            late = record_of(server, session_id)
    assert early["session_id"] == session_id
    assert early["samples"] < SECONDS - 6
    assert json.dumps(early)
    # a moment is sampled once a later frame is there, and is known five seconds after
    assert (late["samples"], late["until_ns"]) == (SECONDS - 6, str(START_NS + (SECONDS - 2) * 1_000_000_000))
    assert late["half_spread_ticks"] == 0.5
    up, down = late["after"]["UP"], late["after"]["DOWN"]
    assert up["mean_move_ticks"]["value"] > 0.5 > -0.5 > down["mean_move_ticks"]["value"]
    assert up["mean_move_ticks"]["low"] > 0 > down["mean_move_ticks"]["high"]
    assert min(up["hit_rate"]["value"], down["hit_rate"]["value"]) > 0.7
    assert up["mean_move_ticks"]["told_from_chance"]
    assert late["coefficients"]["score"]["value"] > 0.5
    assert late["coefficients"]["queue imbalance"]["told_from_chance"]


def test_who_asks_for_nothing_that_there_is_is_told_so() -> None:
    with serving(tiny_service(lambda _request: planted_session())) as server:
        for query, status, code in (
            ("session_id=nothing", 404, "unknown_session"),
            ("", 404, "unknown_session"),
            ("symbol=MNQ", 400, "bad_parameter"),
        ):
            with pytest.raises(urllib.error.HTTPError) as told:
                get_json(server, f"/v1/vacuum-pressure/track-record?{query}")
            assert told.value.code == status
            assert json.loads(told.value.read())["code"] == code
