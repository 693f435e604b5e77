"""The state that kernels work on: named tuples of arrays, made by vp and changed in place.

What lies at which index of an array is said by the constants of `contract`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
UInt16s = npt.NDArray[np.uint16]
UInt32s = npt.NDArray[np.uint32]
Bytes = npt.NDArray[np.uint8]
Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]
FourFloats = Float64s  # as interpreted; compiled it is one value (vectors)
Int64 = int | np.int64


class Columns(NamedTuple):
    """Records of one instrument in file order, a row each."""

    clock_ns: Int64s  # what the record may bring the clock to, ns UTC; or BOOK_ONLY, CLOCK_KEPT, CLOCK_UNKNOWN
    order_id: Int64s  # the unsigned id's bits
    price: Int64s  # 1e-9 units
    size: UInt32s
    flags: Bytes
    action: Bytes  # DBN's character codes
    side: Bytes
    publisher: UInt16s
    ts_event: Int64s  # ns UTC; it and the next two are empty but for queries, book and engine do not read them
    ts_recv: Int64s
    sequence: UInt32s


class Record(NamedTuple):
    """One row of Columns, every field an int64."""

    clock_ns: Int64
    order_id: Int64
    price: Int64
    size: Int64
    flags: Int64
    action: Int64
    side: Int64
    publisher: Int64


class Effect(NamedTuple):
    """What one record did to the book, every field an int64.

    `removed` left `from_price`, of which `pull` realised no fill; `fill` was filled at `from_price`; `added` arrived
    at `to_price`. The bits TOUCH_FROM and TOUCH_TO say which of the two were touched.
    """

    bits: Int64
    from_price: Int64
    removed: Int64
    pull: Int64
    fill: Int64
    to_price: Int64
    added: Int64


class BookState(NamedTuple):
    """The book of one instrument."""

    slots: Int64s  # the order table (orders)
    depth: Int64s  # [2 * levels] near the market (levels)
    far: Int64s  # [FAR_WORDS * far slots] at all other prices, FAR_ (far_levels)
    publishers: Int64s  # [PUBLISHERS], STATE_ bits
    scalars: Int64s  # [BOOK_SCALARS], B_
    counters: Int64s  # [COUNTERS], C_


class Levels(NamedTuple):
    """What rests by price of a BookState: fewer arrays to hand to a routine that is called at every event end."""

    depth: Int64s
    far: Int64s
    scalars: Int64s


class Cells(NamedTuple):
    """RING cells, one a price bucket: two views of the same words, CELL_WORDS a cell."""

    floats: Float64s  # [RING * CELL_WORDS], F_
    ints: Int64s  # [RING * CELL_WORDS], I_


class Decay(NamedTuple):
    """What time leaves of four exponential filters (decay)."""

    rows: Float64s  # [levels * 2**DECAY_BITS * DECAY_FLOATS]
    rates: Float64s  # [4] -1/tau, in 1/ns
    shift: int  # a row of the first level stands for 2**shift ns


class Model(NamedTuple):
    """The two-force model of one instrument (ring, cells, frame)."""

    cells: Cells  # around spot
    outer: Cells  # those that lie outside the ring ...
    outer_bucket: Int64s  # [RING] ... and which buckets they are; NO_BUCKET: none
    traded: Int64s  # [entries * TRADED_INTS] volume by bucket since the last frame, T_ (interval)
    scalars: Int64s  # [ENGINE_SCALARS], E_
    parameters: Float64s  # [PARAMETERS], P_
    decay: Decay  # of a cell's filters
    baseline_decay: Decay  # four times that of the baseline
    baseline: Float64s  # [1] running mean of total force over frames
    notes: Int64s  # what is noted at event ends, N_ (ladder); empty where nothing is


class FrameBuffer(NamedTuple):
    """Equal messages to write frames into: views of one buffer, [messages, words of that width]."""

    uint8s: Bytes
    int64s: Int64s
    float32s: Float32s
    float64s: Float64s
    places: Int64s  # [PLACES] where each field lies in a message, in words of its own width, AT_
    grid: Float64s  # [GRID_FLOATS * rows, in fours] room for the rows around spot, column by column, G_


class Selection(NamedTuple):
    """What the decoder keeps, and what it takes for a sound record."""

    instrument_id: int  # below 0: those of spans, and without any, every instrument
    start_ns: int  # of the session's window [start_ns, end_ns)
    end_ns: int
    mbo_words: int  # length of a market-by-order record in 32-bit words: 14, with a ts_out 16
    lengths: Bytes  # [256] record length in 32-bit words by rtype (0: a type that is not known, of any length)
    valid_action: Bytes  # [256] 1 where the byte is a known code
    valid_side: Bytes  # [256]
    spans: Int64s  # three for each: an instrument id, and from when until when (exclusive) it is wanted, ns UTC


class DayCounts(NamedTuple):
    """Records by instrument and day: an open-addressing hash of a power of two slots; a count of 0 is a free slot."""

    ids: Int64s
    days: Int64s  # since 1970, UTC
    counts: Int64s
