"""Blocks of bytes read or decompressed by a thread while the caller works on those before."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator

BLOCKS_AHEAD = 3
PATIENCE_SECONDS = 10.0


def read_ahead(blocks: Iterator[bytes]) -> Generator[bytes]:
    """The same blocks, the next few of them made by a thread while the caller works on one.

    An empty block says that what comes next takes long to begin: it is begun once the caller has nothing left to work
    on, or has been busy for PATIENCE_SECONDS.
    """
    ready: queue.Queue[bytes | BaseException | None] = queue.Queue(BLOCKS_AHEAD)
    unwanted = threading.Event()
    waited_for = threading.Event()

    def work() -> None:
        outcome: BaseException | None = None
        try:
            for block in blocks:
                if block:
                    ready.put(block)
                else:
                    waited_for.wait(PATIENCE_SECONDS)
                if unwanted.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised where the blocks are wanted
            outcome = error
        finally:
            close = getattr(blocks, "close", None)
            if close is not None:
                close()  # here and now: what a generator does at its end is done when the caller goes on
        ready.put(outcome)

    def take() -> bytes | BaseException | None:
        if ready.empty():
            waited_for.set()
        block = ready.get()
        if not unwanted.is_set():
            waited_for.clear()
        return block

    worker = threading.Thread(target=work, name="read ahead", daemon=True)
    worker.start()
    try:
        while isinstance(block := take(), bytes):
            yield block
        if block is not None:
            raise block
    finally:
        unwanted.set()
        waited_for.set()
        while worker.is_alive():  # it may wait for room
            with contextlib.suppress(queue.Empty):
                ready.get(timeout=0.01)
