"""The engine: book, cells and frames of one instrument, driven record by record or table by table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vp.dbn.events import Events
from vp.kernels import engine as engine_kernels
from vp.kernels import grid as grid_kernels
from vp.kernels.cells import ROW_FLOATS
from vp.kernels.contract import (
    B_BUCKET,
    CELL_WORDS,
    DONE,
    E_BUY_VOLUME,
    E_CROSSED_BEFORE_OPENING,
    E_EMITTING,
    E_FRAME,
    E_K,
    E_LAST_FRAME_NS,
    E_LOCKED_BEFORE_OPENING,
    E_OFI,
    E_OTHER_VOLUME,
    E_SELL_VOLUME,
    E_STATE,
    E_THROTTLE_NS,
    E_TRADED_BUCKETS,
    FULL,
    GRID_COLUMNS,
    GRID_FLOATS,
    GROW_TRADES,
    I_EVENT_ID,
    MAX_K,
    NO_TIME,
    REACHED,
    RING_MASK,
)
from vp.kernels.vectors import LANES
from vp.model.arguments import LARGEST_INT64, instance_of, letter, whole_number
from vp.model.book import NO_LIMIT, Book
from vp.model.frame_columns import frame_schema
from vp.model.frames import FrameLayout, first_messages, new_grid
from vp.model.model_state import new_model, with_more_room
from vp.model.parameters import ModelParameters

GRID_DTYPE = np.dtype(
    [("k", "i4"), ("price", "i8")] + [(name, "f8") for name in GRID_COLUMNS[:GRID_FLOATS]] + [("last_event_id", "i8")]
)
FLAG_LAST = 128
ACTIONS = "ACMRTFN"
SIDES = "ABN"
MOST_FRAMES = 1 << 16  # of one call
MOST_PRICE = 2**60  # a tick or a bucket: the sum of two prices and a bucket still has its bits


@dataclass(frozen=True)
class FrameBatch:
    """Frames made by one call of advance, in order: complete Arrow IPC record-batch messages.

    The buffer belongs to the engine and holds until its next call; copy what must outlive it.
    """

    layout: FrameLayout
    buffer: np.ndarray

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self.buffer)

    @property
    def ts_ns(self) -> np.ndarray:
        """Engine clock of each frame: int64[count], ns UTC (copied)."""
        at = self.layout.columns[0].offset
        return np.ascontiguousarray(self.buffer[:, at : at + 8]).view(np.int64).reshape(-1)

    def message(self, index: int) -> memoryview:
        """The bytes of one frame's message."""
        return memoryview(self.buffer[index])


class EventDrivenVPEngine:
    """Pressure and vacuum around spot, event by event.

    Parameters
    ----------
    K : int
        Half height of the grid: 2 K + 1 rows, K at most 512.
    tick_int, bucket_int : int
        Tick and bucket size in 1e-9 units; the bucket is the tick where it is left out.
    parameters : ModelParameters
    throttle_ns : int
        Least event time between frames; 0 gives one at each event end.
    metadata : dict of str
        Schema metadata of the frames.
    frame_capacity : int
        Most frames that one call of `advance` returns.
    book : Book, optional
        A book to go on from, with its own tick and bucket; the engine takes it over.

    Raises
    ------
    BadParameterError
        An argument is of another kind, or out of its range; so do the methods.
    """

    def __init__(
        self,
        K: int = 50,  # noqa: N803 - the field's own name
        tick_int: int = 250_000_000,
        bucket_int: int | None = None,
        *,
        parameters: ModelParameters | None = None,
        throttle_ns: int = 0,
        metadata: dict[str, str] | None = None,
        frame_capacity: int = 256,
        book: Book | None = None,
    ) -> None:
        self.K = whole_number("K", K, 1, MAX_K)
        tick = whole_number("tick_int", tick_int, 1, MOST_PRICE, of="1e-9 units")
        bucket = None if bucket_int is None else whole_number("bucket_int", bucket_int, 1, MOST_PRICE, of="1e-9 units")
        self.parameters = ModelParameters() if parameters is None else parameters
        instance_of("parameters", self.parameters, ModelParameters, "vp.ModelParameters")
        self.book = Book(tick, bucket) if book is None else book
        instance_of("book", self.book, Book, "a vp.Book")
        self.layout = FrameLayout(frame_schema(_checked_metadata(metadata), 2 * self.K + 1))
        self._model = new_model(self.parameters)
        self._model.scalars[E_K] = self.K
        self._model.scalars[E_THROTTLE_NS] = whole_number("throttle_ns", throttle_ns, 0, of="nanoseconds")
        capacity = whole_number("frame_capacity", frame_capacity, 1, MOST_FRAMES)
        self._buffer = np.tile(self.layout.template, (capacity, 1))
        self._frames = self.layout.frame_buffer(self._buffer)

        self.advance(Events.allocate(0))  # puts the cells where the book's spot is

    @property
    def clock_ns(self) -> int | None:
        """Running maximum of ts_event over non-snapshot records, ns UTC."""
        return self.book.clock_ns

    def anomalies(self) -> dict[str, int]:
        """The book's counters of what should not be, by name."""
        return self.book.anomalies()

    def before_openings(self) -> dict[str, int]:
        """Of the anomalies, those that are none: books locked or crossed before the first trade, or in a pause."""
        locked, crossed = self._model.scalars[[E_LOCKED_BEFORE_OPENING, E_CROSSED_BEFORE_OPENING]].tolist()
        return {"locked_book": locked, "crossed_book": crossed}

    def start_emitting(self, throttle_ns: int | None = None) -> None:
        """From here on frames are made, as if none had been made before: what they remember of each other begins anew.

        `throttle_ns`: least event time between them from now on; left out, it stays what it was.
        """
        scalars = self._model.scalars
        scalars[E_EMITTING] = 1
        scalars[E_LAST_FRAME_NS] = NO_TIME
        scalars[E_STATE] = 0
        scalars[[E_BUY_VOLUME, E_SELL_VOLUME, E_OTHER_VOLUME, E_OFI, E_TRADED_BUCKETS]] = 0
        scalars[E_FRAME] += 1  # whatever was traded by bucket is of a frame that will not be
        if throttle_ns is not None:
            scalars[E_THROTTLE_NS] = throttle_ns

    def update(
        self,
        ts_ns: int,
        action: str,
        side: str,
        price_int: int,
        size: int,
        order_id: int,
        flags: int = FLAG_LAST,
        publisher: int = 1,
    ) -> None:
        """Process one record by hand: action and side are DBN's letters, price_int in 1e-9 units."""
        record = (
            whole_number("ts_ns", ts_ns, 0, of="nanoseconds"),
            letter("action", action, ACTIONS),
            letter("side", side, SIDES),
            whole_number("price_int", price_int, -LARGEST_INT64, of="1e-9 units"),
            whole_number("size", size, 0, 2**32 - 1),
            whole_number("order_id", order_id, 0, 2**64 - 1),
            whole_number("flags", flags, 0, 255),
            whole_number("publisher", publisher, 0, 2**16 - 1),
        )
        self.advance(Events.from_records([record]))

    def advance(
        self, events: Events, first: int = 0, until_ns: int = NO_LIMIT, max_frames: int | None = None
    ) -> tuple[int, FrameBatch]:
        """Run records from `first` on until the events are used up, the clock would reach `until_ns`, or the
        frame buffer (or `max_frames`) is full.

        Returns (index of the next record, the frames made). Any chunking gives the same bits.
        """
        instance_of("events", events, Events, "vp.dbn.events.Events")
        first = whole_number("first", first, 0, len(events))
        until_ns = whole_number("until_ns", until_ns, -LARGEST_INT64 - 1, of="nanoseconds")
        frames = self._frames
        if max_frames is not None:
            frames = first_messages(frames, max(whole_number("max_frames", max_frames, 0), 1))
        message = 0
        while True:
            first, message, why = engine_kernels.advance(
                events.columns, first, until_ns, self.book.state, self._model, frames, message
            )
            if why == GROW_TRADES:
                self._model = with_more_room(self._model)
            elif why in {DONE, REACHED, FULL} or not self.book.make_room(why):
                return int(first), FrameBatch(self.layout, self._buffer[:message])

    def advance_event(self, events: Events, first: int = 0, until_ns: int = NO_LIMIT) -> tuple[int, FrameBatch]:
        """As `advance`, but up to the next event end alone, which makes a frame whether or not one is due.

        One that is not due is read aside, with the baseline and the state of the frame before: the frames that are due
        come at the same events as without it, and are the same but for what is counted since the last frame, which
        here is counted up to the frame between and from there on.
        """
        model = self._model
        schedule = model.scalars[[E_THROTTLE_NS, E_LAST_FRAME_NS, E_STATE]].copy()
        baseline = model.baseline.copy()
        model.scalars[E_THROTTLE_NS] = 0
        try:
            index, batch = self.advance(events, first, until_ns, 1)
        finally:
            model = self._model  # perhaps one with more room
            model.scalars[E_THROTTLE_NS] = schedule[0]
        if batch.count and schedule[1] != NO_TIME and model.scalars[E_LAST_FRAME_NS] - schedule[1] < schedule[0]:
            model.scalars[[E_LAST_FRAME_NS, E_STATE]] = schedule[1:]
            model.baseline[:] = baseline
        return index, batch

    def no_frames(self) -> FrameBatch:
        """A batch of none."""
        return FrameBatch(self.layout, self._buffer[:0])

    @property
    def grid(self) -> np.ndarray:
        """The 2 K + 1 rows around spot read now, k ascending: a structured array of GRID_DTYPE.

        Prices in 1e-9 units, masses in contracts, v, a, j per second to the power 1, 2, 3. Before the first
        spot all rows are zero.
        """
        grid = np.zeros(2 * self.K + 1, GRID_DTYPE)
        grid["k"] = np.arange(-self.K, self.K + 1)
        spot = self.book.spot_bucket
        if spot is None:
            return grid
        grid["price"] = (spot + grid["k"].astype(np.int64)) * int(self.book.scalars[B_BUCKET])
        values = new_grid(len(grid))
        grid_kernels.read_grid(self.book.state, self._model, values)
        columns = values[: -LANES * ROW_FLOATS].reshape(GRID_FLOATS, -1)
        for name, column in zip(GRID_COLUMNS, columns, strict=False):
            grid[name] = column[: len(grid)]
        slots = (spot + grid["k"].astype(np.int64)) & RING_MASK
        grid["last_event_id"] = self._model.cells.ints[slots * CELL_WORDS + I_EVENT_ID]
        return grid


def _checked_metadata(metadata: dict[str, str] | None) -> dict[str, str]:
    """Metadata that a schema can hold: texts by name."""
    instance_of("metadata", metadata or {}, dict, "a dict of texts")
    for item in (metadata or {}).items():
        for part in item:
            instance_of(f"metadata's {part!r}", part, str, "a text")
    return metadata or {}
