from __future__ import annotations

import json
from typing import Any

import pytest

from vp.errors import BadParameterError, ServerFullError
from vp.server import protocol
from vp.server.protocol import Request, parse_request

DEFAULTS = Request("future_mbo", "MNQH6", "2026-02-06", "09:30", speed=2.0, throttle_ms=50.0)


def test_an_empty_query_is_what_the_server_was_started_with() -> None:
    assert parse_request("", DEFAULTS) == DEFAULTS


def test_every_parameter_can_be_given() -> None:
    query = (
        "product_type=equity_mbo&symbol=QQQ&dt=2026-07-08&start_time=10%3A15&speed=0&throttle_ms=0"
        "&fields=pressure,%20vacuum"
    )
    assert parse_request(query, DEFAULTS) == Request(
        "equity_mbo", "QQQ", "2026-07-08", "10:15", 0.0, 0.0, ("pressure", "vacuum")
    )


def test_an_empty_value_is_left_out_but_an_empty_start_time_is_the_sessions_start() -> None:
    assert parse_request("product_type=&symbol=&dt=&speed=&throttle_ms=&fields=", DEFAULTS) == DEFAULTS
    assert parse_request("start_time=", DEFAULTS).start_time is None


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("color=red", "no parameter 'color'"),
        ("port=80", "no parameter 'port'"),
        ("speed=1&speed=2", "speed is given twice"),
        ("speed=-1", "speed was '-1'"),
        ("speed=nan", "speed was 'nan'"),
        ("speed=inf", "speed was 'inf'"),
        ("speed=1e300", "speed was '1e300'"),
        ("speed=fast", "speed was 'fast'"),
        ("throttle_ms=-0.1", "throttle_ms was '-0.1'"),
        ("throttle_ms=inf", "throttle_ms was 'inf'"),
        ("symbol=%ff%fe", "UTF-8"),
        ("symbol=" + "A" * 5000, "characters"),
        ("&".join("symbol=1" for _ in range(70)), "pairs"),
    ],
)
def test_a_bad_query_says_what_is_wrong(query: str, says: str) -> None:
    with pytest.raises(BadParameterError) as caught:
        parse_request(query, DEFAULTS)
    assert says in str(caught.value)


def test_an_unknown_parameter_is_answered_with_the_known_ones() -> None:
    with pytest.raises(BadParameterError) as caught:
        parse_request("tempo=1", DEFAULTS)
    assert "product_type, symbol, dt, start_time, speed, throttle_ms, fields" in caught.value.hint


def test_viewers_share_whatever_columns_they_want() -> None:
    narrow = parse_request("fields=pressure", DEFAULTS)
    assert narrow != DEFAULTS
    assert narrow.session == DEFAULTS.session


def load(text: str) -> dict[str, Any]:
    message = json.loads(text)
    assert isinstance(message, dict)
    return message


def test_runtime_config_carries_64_bit_times_as_strings() -> None:
    info = {"symbol": "MNQH6", "k": 50, "session_start_ns": 1, "emit_from_ns": "2", "end_ns": 2**62, "speed": 9}
    message = load(protocol.runtime_config(DEFAULTS, "abc", info, {"message_bytes": 10, "rows": 101}))
    assert message["type"] == "runtime_config"
    assert message["protocol"] == 1
    assert message["session_id"] == "abc"
    assert (message["session_start_ns"], message["emit_from_ns"], message["end_ns"]) == ("1", "2", str(2**62))
    assert (message["speed"], message["throttle_ms"], message["start_time"]) == (2.0, 50.0, "09:30")
    assert message["frame"] == {"message_bytes": 10, "rows": 101}


def test_progress() -> None:
    assert load(protocol.progress("book", 5, None, 1234.56)) == {
        "type": "progress",
        "phase": "book",
        "records_done": 5,
        "records_total": None,
        "records_per_second": 1234.6,
    }


def test_status_and_end() -> None:
    status = load(
        protocol.status(
            viewers=2,
            lag_seconds=0.12345,
            frames_sent=7,
            frames_missed=1,
            anomalies={"unknown_order": 3},
            clock_ns=2**60,
            records_done=9,
            records={"read": 9},
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
        "records_done": 9,
        "records": {"read": 9},
        "server_time_ns": "5",
    }
    assert load(protocol.end(7, 1, None)) == {
        "type": "end",
        "frames_sent": 7,
        "frames_missed": 1,
        "clock_ns": None,
    }


def test_an_error_keeps_sentence_and_hint_apart() -> None:
    assert load(protocol.error(ServerFullError("No room.", hint="Wait."))) == {
        "type": "error",
        "code": "server_full",
        "message": "No room.",
        "hint": "Wait.",
    }
