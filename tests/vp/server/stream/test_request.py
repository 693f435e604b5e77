from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from vp.errors import BadDateError, BadParameterError, BadStartTimeError
from vp.model.parameters import ModelParameters
from vp.server.stream.request import StreamRequest, parse_stream_request

DEFAULTS = StreamRequest("future_mbo", "MNQH6", "2026-02-06", "09:30", speed=2.0, throttle_ms=50.0)


def test_an_empty_query_is_what_the_server_was_started_with() -> None:
    assert parse_stream_request("", DEFAULTS) == DEFAULTS


def test_every_parameter_can_be_given() -> None:
    query = (
        "product_type=equity_mbo&symbol=QQQ&dt=2026-07-08&start_time=10%3A15&speed=0&throttle_ms=0"
        "&bucket=0.50&parameters=touch&fields=pressure,%20vacuum"
    )
    assert parse_stream_request(query, DEFAULTS) == StreamRequest(
        *("equity_mbo", "QQQ", "2026-07-08", "10:15", 0.0, 0.0, Decimal("0.5"), ModelParameters.preset("touch")),
        ("pressure", "vacuum"),
    )


def test_an_empty_value_is_left_out_but_an_empty_start_time_is_the_sessions_start() -> None:
    assert parse_stream_request("product_type=&symbol=&dt=&speed=&throttle_ms=&fields=", DEFAULTS) == DEFAULTS
    assert parse_stream_request("start_time=", DEFAULTS).start_time is None


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
        ("fields=pressure,colour", "fields names 'colour'"),
        ("fields=none,pressure", "none stands for no grid column"),
        ("parameters=best", "parameters was 'best'"),
        ("parameters=/etc/hostname", "parameters was '/etc/hostname'"),
        ("parameters=mass:1", "names 'mass'"),
        ("parameters=enter_score:high", "enter_score the value 'high'"),
        ("parameters=enter_score:1,enter_score:1", "enter_score a second time"),
        ("symbol=%ff%fe", "UTF-8"),
        ("symbol=" + "A" * 5000, "characters"),
        ("&".join("symbol=1" for _ in range(70)), "pairs"),
    ],
)
def test_a_bad_query_says_what_is_wrong(query: str, says: str) -> None:
    with pytest.raises(BadParameterError) as caught:
        parse_stream_request(query, DEFAULTS)
    assert says in str(caught.value)


def test_an_unknown_parameter_is_answered_with_the_known_ones() -> None:
    with pytest.raises(BadParameterError) as caught:
        parse_stream_request("tempo=1", DEFAULTS)
    known = "product_type, symbol, dt, trading_day, start_time, speed, throttle_ms, bucket, parameters, fields"
    assert known in caught.value.hint


def test_a_trading_day_and_a_span_of_days_are_part_of_the_date() -> None:
    day = parse_stream_request("dt=2026-02-06&trading_day=yes", DEFAULTS)
    assert day.dt == "2026-02-06-trading-day"
    assert parse_stream_request("trading_day=1", DEFAULTS) == day
    assert parse_stream_request("dt=2026-02-06-trading-day&trading_day=yes", DEFAULTS) == day
    assert parse_stream_request("dt=2026-02-06&trading_day=no", DEFAULTS) == DEFAULTS
    assert parse_stream_request("dt=2026-02-05..2026-02-06", DEFAULTS).dt == "2026-02-05..2026-02-06"
    assert parse_stream_request("dt=2026-02-06..2026-02-06", DEFAULTS) == DEFAULTS


def test_an_empty_bucket_is_the_products_own() -> None:
    wide = replace(DEFAULTS, bucket=Decimal("0.5"))
    assert parse_stream_request("bucket=0.50", DEFAULTS) == wide
    assert parse_stream_request("", wide) == wide
    assert parse_stream_request("bucket=", wide) == DEFAULTS


@pytest.mark.parametrize(
    ("query", "error", "says"),
    [
        ("dt=2026-02-30", BadDateError, "no day 2026-02-30"),
        ("dt=2026-02-06..2026-02-05", BadDateError, "first day before the last"),
        ("trading_day=perhaps", BadParameterError, "trading_day was 'perhaps', expected yes or no"),
        ("start_time=25:00", BadStartTimeError, "start time was '25:00'"),
        ("start_time=09:30+XT", BadStartTimeError, "no time zone 'XT'"),
        ("bucket=0", BadParameterError, "bucket was '0', expected a positive decimal"),
        ("bucket=1e-3", BadParameterError, "bucket was '1e-3'"),
    ],
)
def test_dates_times_and_buckets_are_judged_at_once(query: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        parse_stream_request(query, DEFAULTS)


def test_no_grid_column_is_another_wish_than_none_named() -> None:
    assert parse_stream_request("fields=none", DEFAULTS).fields == ()
    assert parse_stream_request("fields=", DEFAULTS).fields is None
    assert parse_stream_request("fields=none", DEFAULTS).session == DEFAULTS.session


def test_equal_parameters_are_one_session_however_they_are_stated() -> None:
    by_name = parse_stream_request("parameters=touch", DEFAULTS).session
    touch = ModelParameters.preset("touch")
    pairs = ",".join(f"{name}:{value}" for name, value in touch.to_json().items())
    assert by_name != DEFAULTS.session
    assert parse_stream_request("parameters=default", DEFAULTS).session == DEFAULTS.session
    assert parse_stream_request(f"parameters={pairs}", DEFAULTS).session == by_name
    assert by_name.describe()["parameters_digest"] == touch.digest != DEFAULTS.describe()["parameters_digest"]
    assert parse_stream_request("", by_name) == by_name  # what the server was started with


def test_viewers_share_whatever_columns_they_want() -> None:
    narrow = parse_stream_request("fields=pressure&sparse=yes", DEFAULTS)
    assert narrow.sparse
    assert narrow != DEFAULTS
    assert narrow.session == DEFAULTS.session
