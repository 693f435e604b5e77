"""Bytes at random from a seed, over real sockets: nothing is logged above info, nothing fails, nothing stays behind.

VP_CASES says how many; the fuzzer of tests/fuzz tries millions, without sockets.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.vp.server import raw
from tests.vp.server.raw import BINARY, STREAM, Raw, frame
from tests.vp.server.tiny import DEFAULTS, Running, TinySession, even_clocks, preparing, serving
from vp.server.app import Service
from vp.server.runs.hub import ServerLimits

CASES = int(os.environ.get("VP_CASES", "300"))
WORDS = (
    "speed",
    "symbol",
    "dt",
    "fields",
    "after",
    "throttle_ms",
    "start_time",
    "=",
    "&",
    "%",
    "%00",
    "0",
    "-1",
    "nan",
)
PATHS = (
    STREAM,
    "/health",
    "/metrics",
    "/v1/vacuum-pressure/history",
    "/v1/vacuum-pressure/frames",
    "/../x",
    "/%2e%2e/",
)


@pytest.fixture
def server() -> Iterator[Running]:
    prepare = preparing(lambda _request: TinySession(even_clocks(10**6)))
    with serving(Service(DEFAULTS, prepare, limits=ServerLimits(viewers=20, sessions=3))) as running:
        yield running


@pytest.mark.parametrize("seed", [1, 2])
def test_noise_is_turned_away(server: Running, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    dice = random.Random(seed)
    answers: set[int] = set()
    for _ in range(CASES // 2):
        with raw.raw(server.port) as client, contextlib.suppress(OSError):
            dice.choice((_bytes, _request, _frames))(client, dice)
            answers.add(client.status)
    deadline = time.monotonic() + 20
    while _viewers(server):
        assert time.monotonic() < deadline, "viewers that have gone are still counted"
        time.sleep(0.1)
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []
    assert {101, 200, 400, 404} <= answers
    assert max(answers) < 500
    with raw.stream(server.port, "speed=1000") as viewer:
        assert viewer.read_until(BINARY) is not None


def _bytes(client: Raw, dice: random.Random) -> None:
    """No HTTP at all."""
    client.send(dice.randbytes(dice.randrange(1, 4096)))
    client.socket.settimeout(0.05)
    client.read_status()


def _request(client: Raw, dice: random.Random) -> None:
    """A request with an address of words put together by chance."""
    query = "".join(dice.choice(WORDS) for _ in range(dice.randrange(12)))
    method = dice.choice(("GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "\x01"))
    client.send(
        f"{method} {dice.choice(PATHS)}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    )
    client.read_status()


def _frames(client: Raw, dice: random.Random) -> None:
    """An upgrade, and then frames of every make, or bytes that are none."""
    client.request(STREAM)
    for _ in range(dice.randrange(4)):
        payload = dice.randbytes(dice.choice((0, 1, 5, 125, 126, 4096, 4097)))
        client.send(
            frame(
                dice.randrange(16),
                payload,
                fin=dice.random() < 0.7,
                reserved=dice.choice((0, 0, 0, 1, 4)),
                masked=dice.random() < 0.9,
            )
        )
    if dice.random() < 0.5:
        client.send(dice.randbytes(dice.randrange(64)))


def _viewers(server: Running) -> int:
    with urllib.request.urlopen(f"{server.http}/health", timeout=10) as response:
        return int(json.load(response)["viewers"])
