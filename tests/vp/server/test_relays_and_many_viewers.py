"""Three relays with many viewers each, of which one is killed: every byte of every viewer, and what the origin sees."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from benchmarks.crowd import BUFFER_BYTES, Member, Seen, join, unaccounted
from tests.vp.server.clients import get_json
from tests.vp.server.tiny import TinySession, even_clocks, serving, tiny_service
from vp.child_processes import python_command, python_environment

VIEWERS = int(os.environ.get("VP_RELAY_VIEWERS", "100"))  # of each relay
RELAYS = 3
STEP_MS = 100
QUERY = "fields=pressure"
STILL_SECONDS = 5

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="the crowd needs epoll")


@dataclass
class Checked(Member):
    """A viewer that keeps a checksum of each frame."""

    checksums: dict[int, int] = field(default_factory=dict)

    def _frame(self, data: bytes, at: int) -> None:
        super()._frame(data, at)
        start = at + len(self._header)
        self.checksums[self.seen.event_ids[-1]] = zlib.crc32(data[start : start + self._frame_bytes])


@contextlib.contextmanager
def relay(upstream_port: int, lake: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    options = ("--upstream", f"ws://127.0.0.1:{upstream_port}", "--port", "0", "--lake", str(lake))
    command = python_command("-m", "vp.serve", *options, "--max-viewers", str(3 * VIEWERS))
    with subprocess.Popen(command, env=python_environment(), stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        port = int(program.stdout.readline().rpartition(":")[2].partition("/")[0])
        try:
            yield program, port
        finally:
            program.kill()


def watch(members: Sequence[Checked], seconds: float) -> None:
    """Let all of them read for so long, or until nobody sends any more."""
    poll = select.epoll()
    by_fd = {member.socket.fileno(): member for member in members}
    for fd, member in by_fd.items():
        member.socket.setblocking(False)
        poll.register(fd, select.EPOLLIN)
    until = time.monotonic() + seconds
    while by_fd and time.monotonic() < until:
        for fd, _ in poll.poll(0.05):
            try:
                data = by_fd[fd].socket.recv(BUFFER_BYTES)
            except ConnectionError:
                data = b""
            if data:
                by_fd[fd].take(data)
            else:
                poll.unregister(fd)
                del by_fd[fd]
    poll.close()


def crowd(port: int, count: int, query: str = QUERY) -> list[Checked]:
    return [Checked(join(port, query), Seen()) for _ in range(count)]


@pytest.mark.long
def test_every_viewer_has_the_bytes_of_the_origin_though_a_relay_is_killed(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        service = tiny_service(lambda _request: TinySession(even_clocks(10**6, STEP_MS)))
        origin = stack.enter_context(serving(service))
        relays = [stack.enter_context(relay(origin.port, tmp_path / str(number))) for number in range(RELAYS)]
        (reference,) = crowd(origin.port, 1)
        crowds = [crowd(port, VIEWERS) for _, port in relays]
        everyone = [reference, *(one for group in crowds for one in group)]
        watch(everyone, 5)
        assert get_json(origin, "/health")["viewers"] == 1 + RELAYS

        relays[0][0].send_signal(signal.SIGKILL)
        watch(crowds[0], 30)  # until they notice
        session = get_json(origin, "/health")["sessions"][0]["session_id"]
        moved = []
        for number, one in enumerate(crowds[0]):
            one.socket.close()
            after = f"{QUERY}&after={session}.{one.seen.event_ids[-1]}"
            moved.append(Checked(join(relays[1 + number % 2][1], after), Seen()))
        watch([reference, *moved, *crowds[1], *crowds[2]], 5)
        for one in [reference, *moved, *crowds[1], *crowds[2]]:
            one.socket.close()

    assert len(reference.checksums) > 50
    for before, behind in zip(crowds[0], moved, strict=True):
        ids = [*before.seen.event_ids, *behind.seen.event_ids]
        assert ids == sorted(set(ids))
        told = sum(before.seen.told.values()) + sum(behind.seen.told.values())
        assert ids[-1] - ids[0] + 1 - len(ids) <= told  # of what came before its first frame it is told as well
        before.checksums |= behind.checksums
    for one in everyone[1:]:
        assert len(one.checksums) > 50
        shared = one.checksums.keys() & reference.checksums.keys()
        assert len(shared) > 30
        assert all(one.checksums[event] == reference.checksums[event] for event in shared)


@pytest.mark.long
def test_of_a_relay_that_stands_still_for_a_while_every_frame_comes_once_or_is_told_as_missed(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        service = tiny_service(lambda _request: TinySession(even_clocks(10**6, STEP_MS)))
        origin = stack.enter_context(serving(service))
        program, port = stack.enter_context(relay(origin.port, tmp_path))
        (reference,) = crowd(origin.port, 1)
        there = crowd(port, 5)
        watch([reference, *there], 2)
        program.send_signal(signal.SIGSTOP)
        watch([reference, *there], STILL_SECONDS)
        before = [len(one.seen.event_ids) for one in there]
        program.send_signal(signal.SIGCONT)
        watch([reference, *there], 4)
        for one in (reference, *there):
            one.socket.close()
    every = np.asarray(reference.seen.event_ids)
    assert unaccounted([one.seen for one in there], every) == []
    for one, until_then in zip(there, before, strict=True):
        assert len(one.seen.event_ids) - until_then > 4 * 1000 / STEP_MS / 2, "it goes on"
        assert every[-1] - one.seen.event_ids[-1] < 5
        shared = one.checksums.keys() & reference.checksums.keys()
        assert all(one.checksums[event] == reference.checksums[event] for event in shared)
