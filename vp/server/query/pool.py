"""Processes that answer queries for the server, and are killed where an answer takes more than it may.

Within one process nothing stops a query for sure: DuckDB looks at its clock and at its memory between batches of
rows, and one call of one function may take minutes and gigabytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from vp import counters
from vp.child_processes import python_command, python_environment
from vp.errors import QueryLimitError, VPError
from vp.logs import event
from vp.server.query.request import QueryContext, QueryRequest
from vp.server.query.worker_messages import BEGUN, READY, configuration, question

FIND_SECONDS = 60.0  # to start, and to find the session of a query
SPARE_SECONDS = 5.0  # beyond what the sandbox allows: it ends most queries itself, with a better message
LINE_BYTES = 1 << 20  # a refusal may quote the query
Room = Callable[[int], Awaitable[object]]
"""Waits until so many bytes may be held."""

log = logging.getLogger("vp.server")


class RefusedError(Exception):
    """A query that has no answer, as the worker put it."""

    def __init__(self, status: int, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.hint = status, code, message, hint


@dataclass(frozen=True)
class EncodedAnswer:
    """An answer in the form that was asked for, in pieces, and whether there were more rows than it may have."""

    pieces: list[bytes]
    truncated: bool


class WorkerPool:
    """So many processes, started when they are first needed, each at one query at a time."""

    def __init__(self, context: QueryContext, count: int) -> None:
        self._context = context
        self._idle: asyncio.PriorityQueue[tuple[bool, int, _Worker]] = asyncio.PriorityQueue()
        self._all = [_Worker(context) for _ in range(count)]
        for one in self._all:
            self._put_back(one)

    async def ask(self, request: QueryRequest, room: Room) -> EncodedAnswer:
        """The answer, once one of the processes is free and there is room for so many bytes.

        Raises
        ------
        RefusedError, QueryLimitError, VPError, and what `room` raises
        """
        async with self._idle_worker() as worker:
            return await worker.ask(request, room)

    async def close(self) -> None:
        """End them all."""
        for one in self._all:
            await one.end()

    @contextlib.asynccontextmanager
    async def _idle_worker(self) -> AsyncIterator[_Worker]:
        _, _, one = await self._idle.get()
        try:
            yield one
        finally:
            self._put_back(one)

    def _put_back(self, one: _Worker) -> None:
        """Let it be asked again, before those that would have to begin anew."""
        self._idle.put_nowait((not one.runs, self._all.index(one), one))


class _Worker:
    """One process, begun anew after it was killed, and after a query has left it spent."""

    def __init__(self, context: QueryContext) -> None:
        self._context = context
        self._process: asyncio.subprocess.Process | None = None

    @property
    def runs(self) -> bool:
        """Whether it has a process."""
        return self._process is not None and self._process.returncode is None

    async def ask(self, request: QueryRequest, room: Room) -> EncodedAnswer:
        done = False
        try:
            answer = await self._ask(request, room)
            done = True
        except RefusedError:
            done = True
            raise
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            counters.add("refused", "query")
            event(log, logging.INFO, "query killed")
            raise QueryLimitError(
                "The query took more time or memory than it may.", hint="Ask for less, or group before sorting."
            ) from None
        finally:
            if not done:  # nobody waits for what it does
                await self.end()
        return answer

    async def end(self) -> None:
        """End the process; it has ended when this returns, whoever else has ended it at the same time."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if self._process is process:
                self._process = None

    async def _ask(self, request: QueryRequest, room: Room) -> EncodedAnswer:
        process = self._process if self.runs else await self._start()
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(question(request))
        async with asyncio.timeout(FIND_SECONDS):
            line = await process.stdout.readuntil()
        async with asyncio.timeout(self._context.limits.seconds + SPARE_SECONDS):
            if line == BEGUN:
                line = await process.stdout.readuntil()
            head = json.loads(line)
        if head["status"] != 200:
            if head["spent"]:
                await self.end()
            raise RefusedError(head["status"], head["code"], head["message"], head["hint"])
        await room(head["bytes"])
        pieces: list[bytes] = []
        missing = head["bytes"]
        async with asyncio.timeout(FIND_SECONDS):
            while missing:
                pieces.append(await process.stdout.readexactly(min(missing, LINE_BYTES)))
                missing -= len(pieces[-1])
        if head["spent"]:
            await self.end()
        return EncodedAnswer(pieces, head["truncated"])

    async def _start(self) -> asyncio.subprocess.Process:
        """Begin the process, in a session of its own: Ctrl-C is for the server."""
        self._process = await asyncio.create_subprocess_exec(
            *python_command("-m", "vp.server.query.worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
            start_new_session=True,
            env=python_environment(),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(configuration(self._context))
        try:
            async with asyncio.timeout(FIND_SECONDS):
                said = await self._process.stdout.readuntil()
        except asyncio.IncompleteReadError as error:
            said = error.partial
        if said != READY:
            raise VPError("The process that answers queries did not start.", hint="The server's log may say why.")
        return self._process
