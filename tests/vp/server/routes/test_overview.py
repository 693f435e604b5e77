"""The route of overviews: made once for all who ask alike, one at a time, and ended where it takes too long."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from tests.vp.server.clients import get_json
from tests.vp.server.hubs import endless
from tests.vp.server.tiny import DEFAULTS, Running, serving, tiny_service
from vp.errors import NoRawFileError
from vp.server.app import Service
from vp.server.routes import overview
from vp.server.stream.request import StreamRequest

PATH = "/v1/vacuum-pressure/overview"


def service(make: Callable[[StreamRequest, Callable[[], None]], dict[str, Any]]) -> Service:
    return replace(tiny_service(endless), overview=make)


def refused(server: Running, query: str = "") -> tuple[int, dict[str, Any]]:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.http}{PATH}?{query}", timeout=20)
    with closing(caught.value) as answer:
        return answer.code, json.loads(answer.read())


def test_those_who_ask_alike_wait_for_the_same() -> None:
    asked: list[StreamRequest] = []
    together, at_work = threading.Event(), threading.Lock()

    def make(request: StreamRequest, _check: Callable[[], None]) -> dict[str, Any]:
        assert at_work.acquire(blocking=False), "two are made at a time"
        asked.append(request)
        together.wait(10)
        at_work.release()
        return {"symbol": request.symbol}

    queries = ("", "speed=7&start_time=10:00&fields=none", "symbol=ESH6", "symbol=ESH6&throttle_ms=1")
    with serving(service(make)) as server, ThreadPoolExecutor() as threads:
        answers = [threads.submit(get_json, server, f"{PATH}?{query}") for query in queries]
        time.sleep(0.3)
        assert get_json(server, "/health")["status"] == "ok"
        together.set()
        symbols = [answer.result()["symbol"] for answer in answers]
    assert symbols == [DEFAULTS.symbol, DEFAULTS.symbol, "ESH6", "ESH6"]
    assert sorted(request.symbol for request in asked) == ["ESH6", DEFAULTS.symbol]


def test_what_is_wrong_is_said() -> None:
    def make(request: StreamRequest, _check: Callable[[], None]) -> dict[str, Any]:
        if request.symbol == "BROKEN":
            raise ZeroDivisionError
        raise NoRawFileError("There is none.", hint="Look elsewhere.")

    with serving(service(make)) as server:
        for _ in range(2):  # nothing of a failure stays
            code, body = refused(server)
            assert (code, body["code"], body["hint"]) == (400, "no_raw_file", "Look elsewhere.")
        assert refused(server, "colour=red")[1]["code"] == "bad_parameter"
        code, body = refused(server, "symbol=BROKEN")
        assert (code, body["code"]) == (500, "error")


def make_without_end(_request: StreamRequest, check: Callable[[], None]) -> dict[str, Any]:
    while True:
        check()
        time.sleep(0.01)


def test_what_takes_too_long_is_left_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MAKING_SECONDS", 0.2)

    with serving(service(make_without_end)) as server:
        code, body = refused(server)
        assert (code, body["code"]) == (503, "overview_limit")


def test_so_many_wait_and_the_end_of_the_server_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MOST_WAITING", 2)

    with ThreadPoolExecutor() as threads:
        with serving(service(make_without_end)) as server:
            waiting = [threads.submit(refused, server, f"symbol=ES{month}6") for month in "HM"]
            time.sleep(0.3)
            code, body = refused(server, "symbol=ESU6")
            assert (code, body["code"]) == (503, "overview_limit")
            assert "2 overviews" in body["message"]
            began = time.monotonic()
        assert time.monotonic() - began < 5
        for each in waiting:
            each.exception()
