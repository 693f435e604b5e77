"""The engine: book, cells and frames of one instrument, driven record by record or table by table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vp.dbn.events import Events
from vp.errors import BadParameterError
from vp.kernels import engine as engine_kernels
from vp.kernels import frame as frame_kernels
from vp.kernels import interval as interval_kernels
from vp.kernels.contract import (
    B_BUCKET,
    CELL_FLOATS,
    CELL_INTS,
    DONE,
    E_BUY_VOLUME,
    E_CENTRE,
    E_CROSSED_BEFORE_OPENING,
    E_EMITTING,
    E_FRAME,
    E_K,
    E_LAST_FRAME_NS,
    E_LAST_TRADE_NS,
    E_LOCKED_BEFORE_OPENING,
    E_OFI,
    E_OTHER_VOLUME,
    E_QUOTE_BID,
    E_SELL_VOLUME,
    E_STATE,
    E_THROTTLE_NS,
    E_TRADED_BUCKETS,
    ENGINE_SCALARS,
    FULL,
    GRID_COLUMNS,
    GRID_FLOATS,
    GROW_TRADES,
    I_EVENT_ID,
    I_TOUCHED_NS,
    MAX_K,
    NO_BID,
    NO_BUCKET,
    NO_TIME,
    REACHED,
    RING,
    RING_MASK,
    TRADED_INTS,
)
from vp.kernels.state import Cells, Model
from vp.kernels.vectors import LANES
from vp.model.book import NO_LIMIT, Book
from vp.model.decay_table import decay_table
from vp.model.frames import FrameLayout, first_messages, frame_schema, new_grid
from vp.model.parameters import ModelParameters

GRID_DTYPE = np.dtype(
    [("k", "i4"), ("price", "i8")] + [(name, "f8") for name in GRID_COLUMNS[:GRID_FLOATS]] + [("last_event_id", "i8")]
)
FLAG_LAST = 128
FIRST_TRADED_ENTRIES = 1 << 12


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
        if not 1 <= K <= MAX_K:
            raise BadParameterError(f"K was {K}, expected 1 to {MAX_K}.")
        if tick_int <= 0 or (bucket_int is not None and bucket_int <= 0):
            raise BadParameterError("tick_int and bucket_int are in 1e-9 units and must be positive.")
        self.K = K
        self.parameters = parameters or ModelParameters()
        self.book = book or Book(tick_int, bucket_int)
        self.layout = FrameLayout(frame_schema(metadata or {}, 2 * K + 1))
        self._model = new_model(self.parameters)
        self._model.scalars[E_K] = K
        self._model.scalars[E_THROTTLE_NS] = throttle_ns
        self._buffer = np.tile(self.layout.template, (frame_capacity, 1))
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
    ) -> None:
        """Process one record by hand: action and side are DBN's letters, price_int in 1e-9 units."""
        self.advance(Events.from_records([(ts_ns, action, side, price_int, size, order_id, flags)]))

    def advance(
        self, events: Events, first: int = 0, until_ns: int = NO_LIMIT, max_frames: int | None = None
    ) -> tuple[int, FrameBatch]:
        """Run records from `first` on until the events are used up, the clock would reach `until_ns`, or the
        frame buffer (or `max_frames`) is full.

        Returns (index of the next record, the frames made). Any chunking gives the same bits.
        """
        frames = self._frames if max_frames is None else first_messages(self._frames, max(max_frames, 1))
        message = 0
        while True:
            first, message, why = engine_kernels.advance(
                events.columns, first, until_ns, self.book.state, self._model, frames, message
            )
            if why == GROW_TRADES:
                self._model = with_more_room(self._model)
            elif why in {DONE, REACHED, FULL} or not self.book.make_room(why):
                return int(first), FrameBatch(self.layout, self._buffer[:message])

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
        frame_kernels.read_grid(self.book.state, self._model, values)
        columns = values[: -LANES * frame_kernels.ROW_FLOATS].reshape(GRID_FLOATS, -1)
        for name, column in zip(GRID_COLUMNS, columns, strict=False):
            grid[name] = column[: len(grid)]
        slots = (spot + grid["k"].astype(np.int64)) & RING_MASK
        grid["last_event_id"] = self._model.cells.ints[slots * CELL_INTS + I_EVENT_ID]
        return grid


def new_model(parameters: ModelParameters) -> Model:
    """A model that has seen nothing yet."""
    scalars = np.zeros(ENGINE_SCALARS, np.int64)
    scalars[E_CENTRE] = NO_BUCKET
    scalars[E_LAST_FRAME_NS] = NO_TIME
    scalars[E_LAST_TRADE_NS] = NO_TIME
    scalars[E_FRAME] = 1
    scalars[E_QUOTE_BID] = NO_BID
    return Model(
        cells=_new_cells(),
        outer=_new_cells(),
        outer_bucket=np.full(RING, NO_BUCKET, np.int64),
        traded=np.zeros(FIRST_TRADED_ENTRIES * TRADED_INTS, np.int64),
        scalars=scalars,
        parameters=parameters.to_array(),
        decay=decay_table(parameters.cell_taus()),
        baseline_decay=decay_table((parameters.tau_baseline_seconds,) * 4),
        baseline=np.zeros(1),
    )


def with_more_room(model: Model) -> Model:
    """The model with a table of traded buckets twice as large: at most half of it is ever in use."""
    grown = model._replace(traded=np.zeros(2 * model.traded.size, np.int64))
    interval_kernels.move_traded(model, grown)
    return grown


def _new_cells() -> Cells:
    ints = np.zeros(RING * CELL_INTS, np.int64)
    ints[I_TOUCHED_NS::CELL_INTS] = NO_TIME
    return Cells(np.zeros(RING * CELL_FLOATS), ints)
