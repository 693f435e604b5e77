"""Records a second of VP's own loops over columns in memory and over files."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.anchor import BookState
from benchmarks.workload import INSTRUMENT_ID
from vp.dbn.events import Events
from vp.dbn.file import DbnFile
from vp.dbn.reader import EventReader, read_events
from vp.kernels.contract import MBO_BYTES, MBO_DTYPE
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine

TICK_INT = 250_000_000
CHUNK_RECORDS = 1 << 16
COLUMNS = ("ts_event", "order_id", "price", "size", "flags", "action", "side", "publisher_id")


def load(path: Path) -> Events:
    """All records of the workload as columns in memory."""
    return read_events(DbnFile(path), INSTRUMENT_ID)


def forward(events: Events) -> tuple[BookState, float]:
    """A finished book with queue order from columns in memory, one thread."""
    book = Book(TICK_INT)
    seconds = timed(lambda: book.fast_forward(events))
    return state_of(book), len(events) / seconds


def two_books(events: Events) -> float:
    """Two books of their own from the same columns at once, one a thread: records a second of both together.

    More than two threads could reach for one book, which would have to divide the records and agree on the levels.
    """
    books = [Book(TICK_INT), Book(TICK_INT)]
    threads = [threading.Thread(target=book.fast_forward, args=(events,)) for book in books]

    def run() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return 2 * len(events) / timed(run)


def engine(events: Events) -> float:
    """Book, spot and every touch of the cells, one thread, no frames."""
    machine = EventDrivenVPEngine(tick_int=TICK_INT)
    return len(events) / timed(lambda: machine.advance(events))


def frames(events: Events, count: int = 100_000) -> float:
    """Frames a second when each market event makes one: read from the cells and encoded."""
    machine = EventDrivenVPEngine(tick_int=TICK_INT)
    at, _ = machine.advance(events, 0, int(events.columns.clock_ns[len(events) // 4]))
    machine.start_emitting()
    made = 0
    started = time.perf_counter()
    while made < count and at < len(events):
        at, batch = machine.advance(events, at)
        made += batch.count
    return made / (time.perf_counter() - started)


def decode(path: Path) -> float:
    """Records a second from the page cache into columns, chunk by chunk as a session reads them."""
    reader = EventReader(DbnFile(path), INSTRUMENT_ID)

    def read() -> None:
        for _ in reader.chunks():
            pass

    seconds = timed(read)
    return reader.records_seen / seconds


def numpy_copy(path: Path) -> float:
    """Records a second of a plain numpy copy of the same columns, from a mapping of the same file."""
    records = np.memmap(path, np.uint8, "r", DbnFile(path).data_offset).view(MBO_DTYPE)
    columns = {name: np.empty(CHUNK_RECORDS, MBO_DTYPE[name]) for name in COLUMNS}

    def copy() -> None:
        for first in range(0, len(records), CHUNK_RECORDS):
            chunk = records[first : first + CHUNK_RECORDS]
            for name, column in columns.items():
                column[: len(chunk)] = chunk[name]

    return len(records) / timed(copy)


def from_file(path: Path) -> tuple[float, float]:
    """Seconds for each record of decode and book together, and of decode and engine, over a whole file."""
    records = (path.stat().st_size - DbnFile(path).data_offset) // MBO_BYTES
    book, machine = Book(TICK_INT), EventDrivenVPEngine(tick_int=TICK_INT)

    def through(take: Callable[[Events], object]) -> Callable[[], None]:
        def run() -> None:
            for chunk in EventReader(DbnFile(path), INSTRUMENT_ID).chunks():
                take(chunk.events)

        return run

    return timed(through(book.fast_forward)) / records, timed(through(machine.advance)) / records


def state_of(book: Book) -> BookState:
    """What the anchor prints, of VP's book."""
    depth = {side: sum(size for _, size, _ in book.levels(side)) for side in "AB"}
    return BookState(book.event_id, book.order_count, book.best_bid or 0, book.best_ask or 0, depth["B"], depth["A"])


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
