"""A hub without a server, and viewers whose link only writes down what it is given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.vp.server.tiny import DEFAULTS, TinySession, even_clocks, preparing
from vp.server.history.frame_spool import FrameSpool
from vp.server.runs.hub import Hub, ServerLimits
from vp.server.runs.live_recordings import LiveRecordings
from vp.server.runs.session import Session
from vp.server.runs.viewer import Viewer
from vp.server.stream.request import StreamRequest

FAST = replace(DEFAULTS, speed=1000.0)
OWN = replace(DEFAULTS, speed=0.0)


@dataclass
class Record:
    """A link that only writes down what it was given."""

    texts: list[dict[str, Any]] = field(default_factory=list)
    data: bytearray = field(default_factory=bytearray)
    closed: tuple[int, str] | None = None

    def push(self, packed: memoryview | bytes) -> bool:
        self.data += packed
        return True

    async def write(self, packed: memoryview | bytes) -> None:
        self.data += packed

    async def write_text(self, text: str) -> None:
        self.texts.append(json.loads(text))

    async def write_close(self, code: int, reason: str = "") -> None:
        self.closed = (code, reason)

    @property
    def types(self) -> list[str]:
        return [str(message["type"]) for message in self.texts]


def tiny(_request: StreamRequest) -> Session:
    return TinySession(even_clocks(200))


def endless(_request: StreamRequest) -> Session:
    return TinySession(even_clocks(10**6))


async def watch(hub: Hub, request: StreamRequest) -> Record:
    """Be a viewer to the end."""
    link = Record()
    hub.enter()
    viewer = Viewer(link, hub.join(request), request, hub)
    hub.watch(viewer)
    try:
        await viewer.serve()
    finally:
        hub.leave(viewer.run, viewer)
    return link


def in_hub(
    body: Callable[[Hub], Any],
    make: Callable[[StreamRequest], Session] = tiny,
    limits: ServerLimits | None = None,
    spool: FrameSpool | None = None,
    live: LiveRecordings | None = None,
) -> Any:
    """Run `await body(hub)`."""

    async def main() -> Any:
        hub = Hub(preparing(make), limits or ServerLimits(), spool=spool, live=live)
        hub.start()
        try:
            return await body(hub)
        finally:
            await hub.close()

    return asyncio.run(main())


async def until(done: Callable[[], bool]) -> None:
    """Wait until something has come true; ten seconds at most."""
    async with asyncio.timeout(10):
        while not done():
            await asyncio.sleep(0.01)
