"""Blocks of bytes read or decompressed by a thread while the caller works on those before."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator

BLOCKS_AHEAD = 3


def read_ahead(blocks: Iterator[bytes]) -> Generator[bytes]:
    """The same blocks, the next few of them made by a thread while the caller works on one."""
    ready: queue.Queue[bytes | BaseException | None] = queue.Queue(BLOCKS_AHEAD)
    unwanted = threading.Event()

    def work() -> None:
        outcome: BaseException | None = None
        try:
            for block in blocks:
                ready.put(block)
                if unwanted.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised where the blocks are wanted
            outcome = error
        finally:
            close = getattr(blocks, "close", None)
            if close is not None:
                close()  # here and now: what a generator does at its end is done when the caller goes on
        ready.put(outcome)

    worker = threading.Thread(target=work, name="read ahead", daemon=True)
    worker.start()
    try:
        while isinstance(block := ready.get(), bytes):
            yield block
        if block is not None:
            raise block
    finally:
        unwanted.set()
        while worker.is_alive():  # it may wait for room
            with contextlib.suppress(queue.Empty):
                ready.get(timeout=0.01)
