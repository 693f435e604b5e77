"""A session of frames alone, and a server around any session: what the server's tests stand on."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from starlette.types import ASGIApp

from vp.dbn.accounting import Accounting
from vp.feed_gap import FeedGap
from vp.model.engine import FrameBatch
from vp.model.frame_columns import frame_schema
from vp.model.frames import FrameLayout
from vp.server.app import Service, build_app
from vp.server.net.listener import open_listener
from vp.server.net.server import WebServer
from vp.server.runs.hub import ServerLimits
from vp.server.runs.session import Session
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import Loading

START_NS = 1_770_388_200_000_000_000  # 2026-02-06 09:30 in New York
MS = 1_000_000
DEFAULTS = StreamRequest("future_mbo", "MNQH6", "2026-02-06", "09:30", speed=1.0, throttle_ms=25.0)
LAYOUT = FrameLayout(frame_schema({"vp.symbol": "MNQ", "vp.contract": "MNQH6", "vp.dt": "2026-02-06"}))


@dataclass(frozen=True)
class TinyInfo:
    """What vp.model.session.SessionInfo says, as far as the server reads it."""

    contract: str = "MNQH6"
    emit_from_ns: int = START_NS
    end_ns: int = START_NS + 3600 * 1_000_000_000
    tick_int: int = 250_000_000

    def to_json(self) -> dict[str, Any]:
        return {
            "contract": self.contract,
            "k": 50,
            "tick_int": self.tick_int,
            "session_start_ns": str(self.emit_from_ns),
            "context_from_ns": str(self.emit_from_ns),
            "emit_from_ns": str(self.emit_from_ns),
            "end_ns": str(self.end_ns),
        }


@dataclass
class TinySession:
    """Frames at given clocks; frame i has event_id i, and `scalars` by name. Genuine messages of the genuine layout."""

    clocks: np.ndarray
    fail_at: int = -1
    info: TinyInfo = field(default_factory=TinyInfo)
    layout: FrameLayout = LAYOUT
    done: int = 0
    closed: bool = False
    scalars: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def next_event_ns(self) -> int | None:
        return int(self.clocks[self.done]) if self.done < len(self.clocks) else None

    @property
    def finished(self) -> bool:
        return self.done >= len(self.clocks)

    @property
    def clock_ns(self) -> int | None:
        return int(self.clocks[self.done - 1]) if self.done else None

    @property
    def records_done(self) -> int:
        return self.done

    def advance(self, until_clock_ns: int | None, max_frames: int) -> FrameBatch:
        end = len(self.clocks)
        if until_clock_ns is not None:
            end = int(np.searchsorted(self.clocks, until_clock_ns))
        end = max(self.done, min(end, self.done + max_frames))
        if self.done <= self.fail_at < end:
            message = "the tiny session breaks here"
            raise ZeroDivisionError(message)
        batch = FrameBatch(self.layout, messages(self.clocks, self.done, end, self.scalars))
        self.done = end
        return batch

    def advance_event(self, until_clock_ns: int) -> FrameBatch:
        return self.advance(until_clock_ns, 1)

    arrived_at: float | None = None
    waiting_since: float | None = None

    def gaps(self) -> tuple[FeedGap, ...]:
        return ()

    def emptiness(self) -> None:
        return None

    def notices(self, reached_ns: int | None = None) -> list[str]:
        return []

    def take_context(self) -> FrameBatch:
        return FrameBatch(self.layout, messages(self.clocks, 0, 0))

    def anomalies(self) -> dict[str, int]:
        return {"unknown_order": 3}

    def accounting(self) -> Accounting:
        return Accounting(read=self.done, processed=self.done, applied=self.done)

    def close(self) -> None:
        self.closed = True


def messages(
    clocks: np.ndarray, first: int, end: int, scalars: Mapping[str, np.ndarray] = MappingProxyType({})
) -> np.ndarray:
    """The frame messages from number `first` up to `end`; `scalars` by name, of all frames."""
    made = np.tile(LAYOUT.template, (end - first, 1))
    written = {"ts_ns": clocks, "event_id": np.arange(end), **scalars}
    for column in LAYOUT.columns:
        if column.name in written and end > first:
            dtype = {"timestamp_ns": "int64", "bool": "uint8"}.get(column.type, column.type)
            values = np.ascontiguousarray(written[column.name][first:end], dtype)
            until = column.offset + column.length_bytes
            made[:, column.offset : until] = values.view(np.uint8).reshape(end - first, -1)
    return made


def even_clocks(frames: int, step_ms: float = 25.0) -> np.ndarray:
    """Clocks of `frames` frames at even distances."""
    return START_NS + (np.arange(frames) * step_ms * MS).astype(np.int64)


def preparing(
    make: Callable[[StreamRequest], Session], seconds: float = 0.0
) -> Callable[[StreamRequest, Callable[[Any], None]], Session]:
    """A prepare that takes a while and reports its progress."""

    def prepare(request: StreamRequest, on_progress: Callable[[Any], None]) -> Session:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            on_progress(Loading("book", 10, 100, 5.0))
            time.sleep(0.01)
        return make(request)

    return prepare


@dataclass(frozen=True)
class Running:
    """A server that runs in a thread."""

    port: int

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ws(self, query: str = "") -> str:
        return f"ws://127.0.0.1:{self.port}/v1/vacuum-pressure/stream{query and '?' + query}"


@contextlib.contextmanager
def serving(service: Service) -> Iterator[Running]:
    """A real server around `service`, on a free port."""
    with serving_app(build_app(service)) as running:
        yield running


@contextlib.contextmanager
def serving_app(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0, **settings: Any) -> Iterator[Running]:
    """A real server around any application; `settings` of uvicorn's replace the server's own."""
    with open_listener(host, port) as listener:
        server = WebServer(app)
        for name, value in settings.items():
            setattr(server.config, name, value)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        try:
            yield Running(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "the server did not stop"


def tiny_service(
    make: Callable[[StreamRequest], Session], *, limits: ServerLimits | None = None, load_seconds: float = 0.0
) -> Service:
    """A service whose sessions `make` makes."""
    return Service(DEFAULTS, preparing(make, load_seconds), limits=limits or ServerLimits())
