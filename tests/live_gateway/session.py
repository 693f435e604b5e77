"""One client of the gateway: login, subscriptions, then the stream."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import zstandard

from tests.live_gateway import protocol
from tests.live_gateway.faults import Fault, altered
from tests.live_gateway.feed import WITH_TS_OUT
from tests.live_gateway.snapshots import place_of_snapshot, snapshot

if TYPE_CHECKING:
    from tests.live_gateway.server import Gateway

RECORDS_A_WRITE = 4096
SLOW_SECONDS = 1.0
BREAKS = ("fin", "reset", "silence", "error")


class EndedError(Exception):
    """The connection is to end, or has ended."""


class Session:
    """A connection.

    Attributes
    ----------
    sent_bytes : int
        Of the stream, as they went into the socket; `digest` is their sha256, where that was ordered.
    sent_until : int
        Up to which record of the feed the client has been sent all that is its own.
    subscriptions : list of Subscription
        All that came before the session's start; `late` counts those that came after it.
    """

    def __init__(self, gateway: Gateway, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.gateway = gateway
        self.subscriptions: list[protocol.Subscription] = []
        self.late = 0
        self.sent_bytes = 0
        self.records_sent = 0
        self.sent_until = 0
        self.state = "connected"
        self._reader = reader
        self._writer = writer
        self._digest = hashlib.sha256() if gateway.digests else None
        self._login = protocol.Login(ts_out=False, compressed=False, heartbeat_seconds=30)
        self._compress: Any = None
        self._with_ts_out = np.empty((RECORDS_A_WRITE, WITH_TS_OUT.itemsize // 8), np.uint64)
        self._fault: Fault | None = None
        self._sent_at = time.monotonic()
        self._version = gateway.version

    def described(self) -> dict[str, Any]:
        """What tests may know of it."""
        return {
            "state": self.state,
            "sent_bytes": self.sent_bytes,
            "sha256": self._digest.hexdigest() if self._digest else None,
            "records_sent": self.records_sent,
            "sent_until": self.sent_until,
            "late_subscriptions": self.late,
            "subscriptions": [vars(one) for one in self.subscriptions],
        }

    async def run(self) -> None:
        """Serve the client until it goes, or a fault ends it."""
        try:
            await self._log_in()
            await self._await_start()
            watching = asyncio.create_task(self._watch())
            streaming = asyncio.create_task(self._stream())
            try:
                await asyncio.wait((watching, streaming), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (watching, streaming):
                    task.cancel()
                results = await asyncio.gather(watching, streaming, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception) and not isinstance(result, (EndedError, ConnectionError)):
                    raise result
        except (EndedError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.state = "closed"
            self._writer.close()
            with contextlib.suppress(ConnectionError, TimeoutError):
                await asyncio.wait_for(self._writer.wait_closed(), 5)

    # Before the stream.

    async def _say(self, line: str) -> None:
        self._writer.write(line.encode() + b"\n")
        await self._writer.drain()

    async def _hear(self) -> dict[str, str]:
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise EndedError
        try:
            return protocol.fields_of(line.decode())
        except protocol.RefusedError as error:
            await self._say(f"success=0|error={error}")
            raise EndedError from None

    async def _log_in(self) -> None:
        cram = protocol.challenge()
        await self._say("lsg_version=0.7.1")
        await asyncio.sleep(0.001)  # the challenge is a write of its own
        await self._say(f"cram={cram}")
        given = await self._hear()
        faults = self.gateway.faults
        if faults.take("silent_login"):
            await self._forever()
        if refused := faults.take("refused_login"):
            await self._say(f"success=0|error={refused.text}")
            raise EndedError
        try:
            self._login = protocol.judge_login(given, cram, self.gateway.key, self.gateway.feed.dataset)
        except protocol.RefusedError as error:
            await self._say(f"success=0|error={error}")
            raise EndedError from None
        self.gateway.logins.append(time.monotonic())
        self.state = "logged in"
        await self._say(f"success=1|session_id={len(self.gateway.logins)}")

    async def _await_start(self) -> None:
        while True:
            given = await self._hear()
            if "start_session" in given:
                return
            self.subscriptions.append(protocol.subscription_of(given))

    # The stream.

    async def _watch(self) -> None:
        """Take what the client says after the start, without effect, until it goes."""
        while line := await self._reader.readline():
            self.late += line.startswith(b"schema=") or b"|schema=" in line

    async def _stream(self) -> None:
        gateway = self.gateway
        if gateway.faults.take("no_metadata"):
            raise EndedError
        self.state = "streaming"
        self._fault = gateway.faults.take(*BREAKS)
        if self._login.compressed:
            self._compress = zstandard.ZstdCompressor().compressobj()
        self._writer.transport.set_write_buffer_limits(0)  # drained is sent: what is sent next may lie where this lay
        await gateway.begin()
        position = gateway.published
        starts = [one.start_ns for one in self.subscriptions if one.start_ns is not None]
        start_ns = min(starts) if starts else gateway.now_ns()
        dataset = gateway.feed.dataset
        head = protocol.metadata(dataset, self._version, ts_out=self._login.ts_out, start_ns=start_ns)
        await self._send(head)
        subscribed: set[int] = set()
        for subscription in self.subscriptions:
            subscribed |= await self._begin(subscription, position)
        if starts:
            await self._system("Finished mbo replay", protocol.REPLAY_COMPLETED)
        own = np.flatnonzero(np.isin(gateway.feed.records["instrument_id"], list(subscribed)))
        await self._live(own, int(np.searchsorted(own, position)))

    async def _begin(self, subscription: protocol.Subscription, position: int) -> set[int]:
        """Acknowledge a subscription, give names, and send what was before now; returns its instruments."""
        gateway = self.gateway
        if subscription.problems:
            await self._error("; ".join(subscription.problems), 5)
        if subscription.start_ns is not None and gateway.faults.take("aged_out"):
            await self._error("The requested start is older than the data that can be replayed", 8)
        await self._system(f"Subscription request {subscription.number} for mbo data succeeded", protocol.SUBSCRIBED)
        found, unknown = gateway.feed.resolve(subscription.stype_in, subscription.symbols)
        if unknown:
            await self._error(f"Failed to resolve symbols: {', '.join(unknown)}", 4)
        for number, asked in found.items():
            name = gateway.feed.names[number]
            await self._record(
                protocol.mapping(self._version, gateway.now_ns(), number, asked, subscription.stype_in, name)
            )
        records = gateway.feed.records
        past = np.flatnonzero(np.isin(records["instrument_id"][:position], list(found)))
        if subscription.start_ns is not None:
            replay = past[records["ts_event"][past] >= subscription.start_ns]
            faults = [gateway.faults.take(kind) for kind in ("omit", "duplicate", "reorder", "unfinished_replay")]
            await self._market(altered(replay, [fault for fault in faults if fault]))
        elif subscription.snapshot:
            made, time_ns = place_of_snapshot(gateway.feed, position)
            for number in found:
                await self._records(snapshot(gateway.feed, number, made, time_ns))
            await self._market(past[past >= made])
        return set(found)

    async def _live(self, own: np.ndarray, sent: int) -> None:
        gateway = self.gateway
        while True:
            news, published = gateway.news, gateway.published
            until = int(np.searchsorted(own, published))
            if until > sent:
                await self._market(own[sent:until])
                sent = until
            self.sent_until = published
            if published != gateway.published:
                continue
            patience = self._sent_at + self._login.heartbeat_seconds - time.monotonic()
            try:
                await asyncio.wait_for(news.wait(), max(patience, 0.001))
            except TimeoutError:
                await self._system("Heartbeat", protocol.HEARTBEAT)

    async def befall(self, fault: Fault) -> None:
        """Have a fault happen after the next thing that is sent."""
        fault.at = self.sent_bytes
        self._fault = fault

    # What is sent.

    async def _market(self, places: np.ndarray) -> None:
        """Send the records of the feed that stand at these places, in their order."""
        records = self.gateway.feed.records
        for first in range(0, len(places), RECORDS_A_WRITE):
            some = places[first : first + RECORDS_A_WRITE]
            stand_together = np.array_equal(some, np.arange(some[0], some[0] + len(some)))
            await self._records(records[some[0] : some[-1] + 1] if stand_together else records[some])

    async def _records(self, records: np.ndarray) -> None:
        for first in range(0, len(records), RECORDS_A_WRITE):
            some = records[first : first + RECORDS_A_WRITE]
            if self._login.ts_out:
                sent = self._with_ts_out[: len(some)]
                sent[:, :-1] = some.view(np.uint64).reshape(len(some), -1)
                sent[:, -1] = self.gateway.now_ns()
                sent.view(np.uint8)[:, 0] = WITH_TS_OUT.itemsize // 4
                await self._send(sent.reshape(-1).view(np.uint8).data)
            else:
                await self._send(np.ascontiguousarray(some).view(np.uint8).data)
            self.records_sent += len(some)

    async def _system(self, text: str, code: int) -> None:
        await self._record(protocol.system(self._version, self.gateway.now_ns(), text, code))

    async def _error(self, text: str, code: int) -> None:
        await self._record(protocol.error(self._version, self.gateway.now_ns(), text, code))
        if code in protocol.FATAL_CODES:
            raise EndedError

    async def _record(self, record: Any) -> None:
        ts_out = self.gateway.now_ns() if self._login.ts_out else None
        await self._send(protocol.encoded(record, ts_out=ts_out))

    async def _send(self, data: bytes | memoryview) -> None:
        """Into the socket: whole records, in pieces of the size that was ordered, until a fault cuts them."""
        if self._compress is not None:
            data = self._compress.compress(data) + self._compress.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        while data:
            fault = self._fault
            left = len(data)
            if fault is not None and fault.kind != "error":
                left = fault.at - self.sent_bytes
                if left <= 0:
                    await self._break(fault)
            piece = data[: min(left, self.gateway.split_bytes or len(data))]
            data = data[len(piece) :]
            self._writer.write(piece)
            if self._digest is not None:
                self._digest.update(piece)
            self.sent_bytes += len(piece)
            before = time.monotonic()
            await self._writer.drain()
            self._sent_at = time.monotonic()
            if self._sent_at - before > SLOW_SECONDS and not data:
                await self._system("The client reads too slowly", protocol.SLOW_READER)
        fault = self._fault
        if fault is not None and fault.kind == "error" and self.sent_bytes >= fault.at:
            self._fault = None
            await self._error(fault.text or "ordered by a test", fault.code)

    async def _break(self, fault: Fault) -> None:
        if fault.kind == "silence":
            self.state = "silent"
            await self._forever()
        if fault.kind == "reset":
            plug: socket.socket = self._writer.get_extra_info("socket")
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._writer.transport.abort()
        raise EndedError

    async def _forever(self) -> None:
        await asyncio.Event().wait()
