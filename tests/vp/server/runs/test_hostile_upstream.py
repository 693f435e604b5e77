"""What no upstream of this version says: the relayed session ends in a sentence of its own, and asks no faster."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from tests.vp.server.clients import client
from tests.vp.server.tiny import DEFAULTS, TinySession, even_clocks, serving, tiny_service
from vp.errors import VPError
from vp.server.runs.relayed_run import RelayedRun
from vp.server.runs.relayed_session import RelayedSession

Message = str | bytes
PATIENCE_SECONDS = 10.0


@pytest.fixture(scope="module")
def genuine() -> list[Message]:
    """What a server says up to its third frame, with a status among it."""
    said: list[Message] = []
    with (
        serving(tiny_service(lambda _request: TinySession(even_clocks(10**6, 5)))) as origin,
        client(origin.ws()) as websocket,
    ):
        while sum(isinstance(one, bytes) for one in said) < 4:
            said.append(websocket.recv(timeout=10))
    assert {"runtime_config", "history", "status"} <= {kind(one) for one in said}
    return said


def kind(message: Message) -> str:
    return str(json.loads(message)["type"]) if isinstance(message, str) else ""


@contextlib.contextmanager
def saying(messages: list[Message], stays: bool = True) -> Iterator[tuple[str, list[float]]]:
    """A server that says this to each who comes; its address, and when they came, seconds of the machine's clock."""
    came: list[float] = []
    over = threading.Event()

    def handle(websocket: ServerConnection) -> None:
        came.append(time.monotonic())
        with contextlib.suppress(ConnectionClosed):
            for message in messages:
                websocket.send(message)
            while stays and not over.is_set():
                with contextlib.suppress(TimeoutError):
                    websocket.recv(timeout=0.05)

    with serve(handle, "127.0.0.1", 0, max_size=None, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}", came
        finally:
            over.set()
            server.shutdown()
            thread.join()


def relay(address: str, until: Callable[[RelayedRun], bool]) -> VPError | None:
    """Relay what is said there until something is so; why the run failed, if it did."""

    async def run() -> VPError | None:
        made = RelayedRun(DEFAULTS, lambda request, on_progress: RelayedSession(address, request, on_progress))
        made.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not until(made):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        made.stop()
        made.join(PATIENCE_SECONDS)
        return made.error

    return asyncio.run(run())


def changed(message: str, changes: dict[str, Any]) -> str:
    kept = {**json.loads(message), **changes}
    return json.dumps({name: value for name, value in kept.items() if value is not ...})


@pytest.mark.parametrize(
    ("of", "changes"),
    [
        ("progress", {"records_done": None}),
        ("progress", {"records_total": "many"}),
        ("runtime_config", {"tick_int": float("inf")}),
        ("runtime_config", {"emit_from_ns": str(10**40)}),
        ("runtime_config", {"contract": ...}),
        ("history", {"frames": float("inf")}),
        ("status", {"notices": 5}),
        ("status", {"time_ns": "noon"}),
        ("status", {"clock_ns": float("inf")}),
        ("status", {"lag_seconds": None}),
        ("status", {"steps_done": None}),
        ("status", {"hop_seconds": "long"}),
        ("status", {"records": [1]}),
        ("status", {"anomalies": 5}),
        ("status", {"feed": 5}),
        ("status", {"type": "gap"}),
    ],
    ids=str,
)
def test_a_message_with_a_value_that_none_has_is_the_upstreams_fault(
    genuine: list[Message], of: str, changes: dict[str, Any]
) -> None:
    said = [changed(one, changes) if isinstance(one, str) and kind(one) == of else one for one in genuine]
    if of == "progress" and of not in map(kind, genuine):
        said.insert(0, json.dumps({"type": "progress", "phase": "decode", "records_done": 1, **changes}))
    with saying(said) as (address, came):
        error = relay(address, lambda run: run.state.over)
        assert error is not None
        assert error.code == "upstream"
        assert len(came) == 1


@pytest.mark.parametrize("message", ["[" * 3_000_000, b"x" * (5 << 20)], ids=["nested", "too long"])
@pytest.mark.parametrize("is_first", [True, False])
def test_what_is_no_message_ends_the_session_and_is_not_asked_for_again(
    genuine: list[Message], message: Message, is_first: bool
) -> None:
    with saying([message] if is_first else [*genuine, message]) as (address, came):
        error = relay(address, lambda run: run.state.over)
        assert error is not None
        assert error.code == "upstream"
        assert "no message of a stream" in error.message
        assert len(came) == 1


def test_an_upstream_that_leaves_as_soon_as_it_has_begun_is_asked_less_and_less(genuine: list[Message]) -> None:
    with saying(genuine, stays=False) as (address, came):
        relay(address, lambda _run: len(came) > 4)
        pauses = [later - earlier for earlier, later in itertools.pairwise(came)]
        assert pauses[2] > 0.7
        assert pauses[3] > 1.5
