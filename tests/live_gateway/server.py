"""The gateway: its port, its place in the feed, and the control channel."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

from tests.live_gateway.faults import Fault, Faults
from tests.live_gateway.feed import Feed
from tests.live_gateway.session import Session

TICK_SECONDS = 0.005
HELD, AS_FAST_AS_READ = None, 0.0


class Gateway:
    """Serves a feed.

    Parameters
    ----------
    feed : Feed
    key : str
        The one that is let in.
    speed : float or None
        How many times faster than it happened the feed goes on once a session has begun; 0: all of it is there at
        once; None: it goes on by order alone.

    Attributes
    ----------
    published : int
        Records of the feed that have happened.
    logins : list of float
        When clients were let in, by the monotonic clock.
    """

    def __init__(self, feed: Feed, key: str, speed: float | None = HELD) -> None:
        self.feed = feed
        self.key = key
        self.speed = speed
        self.published = 0
        self.news = asyncio.Event()
        self.faults = Faults()
        self.logins: list[float] = []
        self.connects = 0
        self.sessions: list[Session] = []
        self.version = 3
        self.split_bytes = 0
        self.digests = False
        self.port = 0
        self._listening: asyncio.Server | None = None
        self._playing: asyncio.Task[None] | None = None
        self._clock: tuple[float, int] | None = None  # a moment of the machine's, and what time the feed had then
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, port: int = 0) -> int:
        """Let clients in; returns the port."""
        if self._listening is not None:
            return self.port
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", port or self.port)
        self.port = self._listening.sockets[0].getsockname()[1]
        return self.port

    async def refuse(self) -> None:
        """Let nobody connect until `listen`."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def now_ns(self) -> int:
        """The feed's time."""
        if self._clock is None or not self.speed:
            return self.feed.time_at(self.published)
        began, time_ns = self._clock
        return time_ns + int((time.monotonic() - began) * self.speed * 1e9)

    def publish(self, until: int) -> None:
        """Let the feed go on to its record `until`."""
        self.published = max(self.published, min(until, len(self.feed.records)))
        self.news.set()
        self.news = asyncio.Event()

    async def begin(self) -> None:
        """A session has begun: the feed goes on from now."""
        if self.speed is HELD or self._playing is not None:
            return
        if self.speed == AS_FAST_AS_READ:
            self.publish(len(self.feed.records))
        else:
            self._clock = time.monotonic(), self.feed.time_at(max(self.published, 1))
            self._playing = asyncio.create_task(self._play())

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take orders, a JSON object a line, each answered by one."""
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):  # at the end of the process
            await self._control(reader, writer)

    async def _control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            try:
                answer = {"ok": True, **await self._obey(json.loads(line))}
            except (ValueError, TypeError, KeyError) as error:
                answer = {"ok": False, "error": str(error)}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        do = order.pop("do")
        if do == "publish":
            self.publish(int(order.get("until", len(self.feed.records))))
        elif do == "fault":
            if order.get("at", 0) < 0:
                for session in self.sessions:
                    if session.state == "streaming":
                        await session.befall(Fault(**order))
                self.news.set()  # so that an idle one sends something
                self.news = asyncio.Event()
            else:
                self.faults.order(order)
        elif do == "clear":
            self.faults.clear()
        elif do == "set":
            for name, value in order.items():
                if name not in {"version", "split_bytes", "digests", "key"}:
                    raise ValueError(f"{name} cannot be set")
                setattr(self, name, value)
        elif do == "reset":
            self.published, self.version, self.split_bytes, self.digests = 0, 3, 0, False
            self.faults.clear()
            self.sessions = [session for session in self.sessions if session.state != "closed"]
            self.logins.clear()
        elif do == "refuse":
            await self.refuse()
        elif do == "listen":
            await self.listen()
        elif do != "state":
            raise ValueError(f"there is no order {do!r}")
        return {
            "port": self.port,
            "records": len(self.feed.records),
            "published": self.published,
            "now_ns": self.now_ns(),
            "connects": self.connects,
            "logins": self.logins,
            "faults": self.faults.listed(),
            "sessions": [session.described() for session in self.sessions],
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects += 1
        session = Session(self, reader, writer)
        self.sessions.append(session)
        with contextlib.suppress(asyncio.CancelledError):  # at the end of the process
            await session.run()

    async def _play(self) -> None:
        while self.published < len(self.feed.records):
            self.publish(self.feed.position_at(self.now_ns()))
            await asyncio.sleep(TICK_SECONDS)


async def serve(gateway: Gateway, port: int, control_port: int | None, ready: Any) -> None:
    """Run until cancelled; `ready` is told both ports."""
    await gateway.listen(port)
    control = None
    if control_port is not None:
        control = await asyncio.start_server(gateway.control, "127.0.0.1", control_port)
    ready(gateway.port, control.sockets[0].getsockname()[1] if control else None)
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
