"""Ctrl-C, SIGTERM and SIGHUP while DuckDB computes: Python runs no handler then, so a thread passes the signal on."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import duckdb

from vp.ending_signals import ending_signals

AGAIN_SECONDS = 0.1

T = TypeVar("T")


@contextmanager
def signals_interrupt(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Have a signal that ends the program interrupt what `connection` computes; only on the main thread.

    The signal's own handler is called when the block is left: what it raises inside, in a source of rows that DuckDB
    reads, DuckDB would make an error of its own.
    """
    hears, tells = socket.socketpair()
    tells.setblocking(False)
    heard = b""

    def pass_on() -> None:
        nonlocal heard
        heard = hears.recv(1)
        hears.settimeout(AGAIN_SECONDS)
        more = heard
        while more:
            connection.interrupt()  # again and again: one that comes between two queries is lost
            try:
                more = hears.recv(1)
            except TimeoutError:
                continue

    watcher = threading.Thread(target=pass_on, name="pass signals on", daemon=True)
    handlers = {number: signal.signal(number, lambda *_: None) for number in ending_signals()}
    before = signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        tells.close()
        watcher.join()
        hears.close()
        if heard:
            signal.raise_signal(heard[0])


def interruptible(connection: duckdb.DuckDBPyConnection, batches: Iterator[T]) -> Iterator[T]:
    """The same batches, each computed so that a signal interrupts it; between them signals do what they always do."""
    while True:
        with signals_interrupt(connection):
            batch = next(batches, None)
        if batch is None:
            return
        yield batch
