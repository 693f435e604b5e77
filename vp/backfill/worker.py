"""A process that runs one job after the other for the engine that has started it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import NoReturn

from vp import logs
from vp.backfill.job import perform
from vp.ending_signals import EXIT_CODE_BASE, end_without_last_words

SHARE_SECONDS = 0.5
NOT_HEARD = ("SIGINT", "SIGHUP")  # of a terminal, to all of its processes: the engine ends its workers itself


def work(connection: Connection, log_level: str) -> None:
    """Run what comes until the connection is closed, and say for each how far it is, and then its outcome."""
    signal.signal(signal.SIGTERM, _end)
    for name in NOT_HEARD:  # blocked by who starts it, until multiprocessing starts its tracker on the way and unblocks
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logs.configure(log_level)
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        outcome = perform(job, _Shares(connection).tell)
        with suppress(OSError):  # the engine has gone
            connection.send(outcome)


class _Shares:
    """Tells how much of a job is done, now and then."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._told = time.monotonic()

    def tell(self, share: float) -> None:
        now = time.monotonic()
        if now - self._told >= SHARE_SECONDS:
            self._told = now
            with suppress(OSError):
                self._connection.send(share)


def _end(signal_number: int, _frame: FrameType | None) -> NoReturn:
    end_without_last_words()
    raise SystemExit(EXIT_CODE_BASE + signal_number)  # unwinds, so that half-written files go


def _end_with_parent() -> None:
    """Nobody waits for what a worker does whose engine is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
