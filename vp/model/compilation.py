"""The kernels compiled before a session needs them, by two processes at once; only the first start on a machine does.

Compiled kernels are kept on disk (vp.kernels.jit), where the one process finds what the other has made.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numba

from vp.child_processes import python_command, python_environment
from vp.dbn.events import Events
from vp.dbn.reader import decode_nothing
from vp.kernels.contract import GROW_ORDERS
from vp.kernels.jit import sources_name
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine

NS = 1_000_000_000
USUAL_SECONDS = 10.0
MOST_SHARE = 0.99
TICK_SECONDS = 0.1
ADD = (NS, "A", "B", NS, 1, 1, 128)


def ensure_compiled(on_share: Callable[[float], None]) -> None:
    """Compile what a session runs, unless that has been done; `on_share` hears 0 to 1 now and then.

    A process that fails costs time alone: what it should have compiled is compiled where it is first called.
    """
    done = Path(numba.config.CACHE_DIR, f"{sources_name()}.done")  # type: ignore[attr-defined]
    if numba.config.DISABLE_JIT or done.exists():  # type: ignore[attr-defined]
        return
    started = time.monotonic()

    def tell() -> None:
        on_share(min((time.monotonic() - started) / USUAL_SECONDS, MOST_SHARE))

    workers = [_start(part) for part in (compile_book, compile_engine)]
    try:
        while any(worker.poll() is None for worker in workers):
            tell()
            time.sleep(TICK_SECONDS)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    if all(worker.returncode == 0 for worker in workers):
        done.touch()
    on_share(1.0)


def _start(part: Callable[[], None]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own words
        python_command("-c", f"from {__name__} import {part.__name__}; {part.__name__}()"),
        env=python_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def compile_book() -> None:
    """Compile what reads files and rebuilds, saves and restores books."""
    decode_nothing()
    book = Book(NS)
    book.fast_forward(Events.from_records([ADD]))
    book.make_room(GROW_ORDERS)
    Book.from_arrow(book.to_arrow())


def compile_engine() -> None:
    """Compile the engine, and the frames it writes."""
    engine = EventDrivenVPEngine(tick_int=NS)
    engine.start_emitting()
    engine.advance(Events.from_records([ADD]))
