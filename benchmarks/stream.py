"""What a websocket client on loopback gets: frames a second at speed 0, and how late frames come in real time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import websockets
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from benchmarks.starts import FRAME_BYTES, Server
from vp.server.net.listener import open_listener
from vp.server.net.server import WebServer

CONSTANT_MESSAGES = 60_000
SETTLING_NS = 3_000_000_000  # before it, what is due was made at once, and both programs warm up


async def _count(url: str, messages: int) -> tuple[float, int]:
    """Binary messages a second, of the first `messages` of a frame's length, and that length in bytes."""
    async with websockets.connect(url, max_size=None, compression=None) as socket:
        count, started = 0, 0.0
        async for message in socket:
            if len(message) > FRAME_BYTES:
                if count == 0:
                    started = time.perf_counter()
                count += 1
                if count > messages:
                    break
        return messages / (time.perf_counter() - started), len(message)


def frames_per_second(lake: Path, messages: int) -> tuple[float, int]:
    """Frames of all fields a second, one at every event's end, at speed 0, and the bytes of one."""
    with Server(lake) as server:
        return asyncio.run(_count(server.url("?speed=0&throttle_ms=0"), messages))


def constant_messages_per_second(message_bytes: int, messages: int) -> float:
    """Messages a second when the same server sends one and the same message of that length, by Starlette's means."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        message = bytes(message_bytes)
        with contextlib.suppress(Exception):
            while True:
                await websocket.send_bytes(message)

    with open_listener("127.0.0.1", 0) as listener:
        server = WebServer(Starlette(routes=[WebSocketRoute("/", endpoint)]))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            return asyncio.run(_count(f"ws://127.0.0.1:{listener.getsockname()[1]}/", messages))[0]
        finally:
            server.should_exit = True
            thread.join(20)


def delays_ms(lake: Path, seconds: float) -> np.ndarray:
    """How late each frame comes in real time, ms, counted from the one that came soonest for its event time.

    Those of the first three seconds, and those from before the session's start, are not counted.
    """
    with Server(lake) as server:
        return asyncio.run(_delays(server.url(), seconds))


async def _delays(url: str, seconds: float) -> np.ndarray:
    event_ns, arrival_ns = [], []
    schema: pa.Schema | None = None
    counted_from_ns = 0
    async with websockets.connect(url, max_size=None, max_queue=None, compression=None) as socket:
        ends = time.monotonic() + seconds
        async for message in socket:
            now = time.monotonic_ns()
            if isinstance(message, str):
                said = json.loads(message)
                if said["type"] == "runtime_config":
                    counted_from_ns = int(said["emit_from_ns"]) + SETTLING_NS
                continue
            if len(message) < FRAME_BYTES:
                schema = pa.ipc.read_schema(pa.py_buffer(message))
                continue
            batch = pa.ipc.read_record_batch(pa.ipc.read_message(message), schema)
            at_ns = batch.column("ts_ns")[0].value
            if at_ns >= counted_from_ns:
                event_ns.append(at_ns)
                arrival_ns.append(now)
            if time.monotonic() > ends:
                break
    late_ns = np.array(arrival_ns, np.int64) - np.array(event_ns, np.int64)
    return np.asarray((late_ns - late_ns.min()) / 1e6)
