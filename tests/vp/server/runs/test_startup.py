"""The first session: loaded while the server answers, given to one run, left off when nobody wants it."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.vp.server.tiny import DEFAULTS, TinySession, even_clocks, serving
from vp.errors import VPError
from vp.model.progress import ProgressLike
from vp.server.app import Service
from vp.server.runs.session import StoppedError
from vp.server.runs.startup import StartupSession
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import Loading

Tell = Callable[[ProgressLike], None]


class Slow:
    """A load that goes on until it is let go."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.go = threading.Event()
        self.session = TinySession(even_clocks(20))
        self.error = error
        self.left_off = False

    def __call__(self, tell: Tell) -> TinySession:
        try:
            while not self.go.wait(0.01):
                tell(Loading("compile", 40, 100))
        except StoppedError:
            self.left_off = True
            raise
        if self.error is not None:
            raise self.error
        return self.session


def health(address: str) -> Any:
    with urllib.request.urlopen(f"{address}/health") as response:
        return json.load(response)


def test_the_server_answers_while_its_first_session_loads() -> None:
    load, others = Slow(), []

    def prepare(request: object, _tell: Tell) -> TinySession:
        others.append(request)
        return TinySession(even_clocks(5))

    startup = StartupSession(DEFAULTS, load)
    with serving(Service(DEFAULTS, prepare, startup)) as server:
        told = health(server.http)
        [entry] = told["sessions"]
        assert told["ready"] is False
        assert (entry["state"], entry["symbol"], entry["session_id"]) == ("loading", DEFAULTS.symbol, None)
        with connect(server.ws()) as first, connect(server.ws(f"speed={DEFAULTS.speed + 1}")) as other:
            while (message := json.loads(first.recv()))["phase"] == "decode":
                pass
            assert (message["type"], message["phase"], message["records_done"]) == ("progress", "compile", 40)
            assert [entry["session_id"] is None for entry in health(server.http)["sessions"]] == [False, False]
            assert others == []  # another session waits until the machine is free
            load.go.set()
            for socket in (first, other):
                while True:
                    message = socket.recv()
                    if isinstance(message, str) and json.loads(message)["type"] == "runtime_config":
                        break
            assert health(server.http)["ready"] is True
        assert len(others) == 1
    assert load.session.closed


def test_a_claim_that_is_given_up_can_be_claimed_again() -> None:
    load = Slow()
    startup = StartupSession(DEFAULTS, load)
    startup.start()
    assert not startup.claim(replace(DEFAULTS, symbol="OTHER"))
    assert startup.claim(replace(DEFAULTS, fields=("vacuum",)))
    assert not startup.claim(DEFAULTS)

    def unwanted(_progress: ProgressLike) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        startup.wait(DEFAULTS, unwanted)
    assert startup.claim(DEFAULTS)
    load.go.set()
    assert startup.wait(DEFAULTS, lambda _progress: None) is load.session
    startup.close()
    assert not load.session.closed  # it is the run's


def test_two_who_claim_at_the_same_moment_do_not_both_get_it() -> None:
    both_inside = threading.Barrier(2)

    class SlowRequest(StreamRequest):
        """A request that takes its time to say whose session it is, until two are asked at once."""

        @property
        def session(self) -> StreamRequest:
            with contextlib.suppress(threading.BrokenBarrierError):
                both_inside.wait(0.5)
            return DEFAULTS.session

    startup = StartupSession(DEFAULTS, lambda _tell: TinySession(even_clocks(5)))
    requests = [SlowRequest(DEFAULTS.product_type, DEFAULTS.symbol, DEFAULTS.dt) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        claimed = list(threads.map(startup.claim, requests))
    assert sorted(claimed) == [False, True]


def test_a_load_is_left_off_when_the_server_ends() -> None:
    load, said = Slow(), []
    startup = StartupSession(DEFAULTS, load, lambda: said.append("ready"), lambda: said.append("failed"))
    startup.start()
    time.sleep(0.05)
    startup.close()
    assert load.left_off
    assert (startup.done, startup.error, said) == (True, None, [])


@pytest.mark.parametrize("error", [VPError("There is no such file."), ValueError("a fault"), SystemExit(3)])
def test_a_load_that_fails_is_told_to_who_started_it_and_to_who_waits(error: BaseException) -> None:
    load, said = Slow(error), []
    startup = StartupSession(DEFAULTS, load, lambda: said.append("ready"), lambda: said.append("failed"))
    startup.start()
    assert startup.claim(DEFAULTS)
    load.go.set()
    with pytest.raises(type(error)):
        startup.wait(DEFAULTS, lambda _progress: None)
    startup.close()
    assert (startup.error, said) == (error, ["failed"])


def test_what_goes_wrong_in_saying_that_it_is_ready_is_a_failure_too() -> None:
    """The reader of the output has gone, for one."""

    def ready() -> None:
        raise BrokenPipeError

    failed = threading.Event()
    startup = StartupSession(DEFAULTS, lambda _tell: TinySession(even_clocks(5)), ready, failed.set)
    startup.start()
    assert failed.wait(5)
    assert isinstance(startup.error, BrokenPipeError)
    startup.close()
