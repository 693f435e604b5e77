from __future__ import annotations

import json
from typing import Any

from vp.errors import ServerFullError
from vp.server.stream import messages
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import Loading, RunFacts

DEFAULTS = StreamRequest("future_mbo", "MNQH6", "2026-02-06", "09:30", speed=2.0, throttle_ms=50.0)


def load(text: str) -> dict[str, Any]:
    message = json.loads(text)
    assert isinstance(message, dict)
    return message


def test_runtime_config_says_what_was_asked_for_before_what_the_session_says() -> None:
    info = {"symbol": "MNQH6", "k": 50, "end_ns": "2", "speed": 9}
    message = load(messages.runtime_config(DEFAULTS, "abc", info, {"message_bytes": 10, "rows": 101}))
    assert message["type"] == "runtime_config"
    assert message["protocol"] == 1
    assert message["session_id"] == "abc"
    assert (message["symbol"], message["k"], message["end_ns"]) == ("MNQH6", 50, "2")
    assert (message["speed"], message["throttle_ms"], message["start_time"]) == (2.0, 50.0, "09:30")
    assert message["quality_bits"] == {
        **{"empty_side": 1, "crossed": 2, "snapshot": 4},
        **{"bad_book": 8, "incomplete": 16, "gap": 32},
    }
    assert message["frame"] == {"message_bytes": 10, "rows": 101}


def test_progress() -> None:
    assert load(messages.progress(Loading("book", 5, None, 1234.56))) == {
        "type": "progress",
        "phase": "book",
        "records_done": 5,
        "records_total": None,
        "records_per_second": 1234.6,
    }


def test_status_and_end() -> None:
    status = load(
        messages.status(
            RunFacts(2**60, 9, 0.12345, {"unknown_order": 3}, {"read": 9}, 2**61, True, 4, ("It is cut.",)),
            viewers=2,
            frames_sent=7,
            frames_missed=1,
            server_time_ns=5,
        )
    )
    assert status == {
        "type": "status",
        "viewers": 2,
        "lag_seconds": 0.123,
        "frames_sent": 7,
        "frames_missed": 1,
        "anomalies": {"unknown_order": 3},
        "clock_ns": str(2**60),
        "time_ns": str(2**61),
        "paused": True,
        "steps_done": 4,
        "records_done": 9,
        "records": {"read": 9},
        "notices": ["It is cut."],
        "feed": None,
        "server_time_ns": "5",
    }
    assert load(messages.end(7, 1, None)) == {
        "type": "end",
        "frames_sent": 7,
        "frames_missed": 1,
        "clock_ns": None,
    }


def test_an_error_keeps_sentence_and_hint_apart() -> None:
    assert load(messages.error(ServerFullError("No room.", hint="Wait."))) == {
        "type": "error",
        "code": "server_full",
        "message": "No room.",
        "hint": "Wait.",
    }
