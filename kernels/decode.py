"""DBN bytes to event columns of one instrument within a window, checking every record on the way."""

from __future__ import annotations

import numpy as np

from .contract import (
    ACTION_CLEAR,
    BOOK_ONLY,
    CLOCK_KEPT,
    CLOCK_UNKNOWN,
    D_DROPPED,
    D_ERROR,
    D_FOREIGN,
    D_OTHER,
    D_POSITION,
    D_RECORDS,
    D_ROWS,
    D_UNKNOWN,
    DECODE_ACTION,
    DECODE_LENGTH,
    DECODE_OK,
    DECODE_RTYPE,
    DECODE_SIDE,
    FLAG_BAD_TS_RECV,
    FLAG_SNAPSHOT,
    MBO_DTYPE,
    OUTSIDE,
    RTYPE_MBO,
    TIME_AHEAD_NS,
)
from .intrinsics import load_i64, load_u32
from .jit import kernel, routine, step
from .state import Bytes, Columns, Int64s, Selection

HEADER_BYTES = 16
PUBLISHER_MASK = 0xFFFF
SPAN_WORDS = 3
UNIT_WORDS = 2  # records are multiples of eight bytes
OLDEST_NS = 631_152_000_000_000_000  # 1990 and 2100, between which all times of market data lie
NEWEST_NS = 4_102_444_800_000_000_000


def byte_of(field: str) -> int:
    """Where a field of a market-by-order record begins."""
    return int(MBO_DTYPE.fields[field][1])  # type: ignore[index]  # the record has fields


LENGTH, RTYPE, PUBLISHER, INSTRUMENT = (byte_of(name) for name in ("length", "rtype", "publisher_id", "instrument_id"))
TS_EVENT, ORDER_ID, PRICE, SIZE = (byte_of(name) for name in ("ts_event", "order_id", "price", "size"))
FLAGS, ACTION, SIDE = (byte_of(name) for name in ("flags", "action", "side"))
TS_RECV, SEQUENCE = (byte_of(name) for name in ("ts_recv", "sequence"))


@step
def is_plain(ts_event: int, ts_recv: int, flags: int, action: int, selection: Selection) -> bool:
    """Whether a record surely brings the clock to its ts_event: nearly all do, and need not be looked at closely."""
    inside = ts_event >= max(selection.start_ns, 0) and ts_event < selection.end_ns
    builds = flags & FLAG_SNAPSHOT != 0 or action == ACTION_CLEAR
    return inside and not builds and ts_recv >= 0 and ts_event - ts_recv <= TIME_AHEAD_NS


@routine
def clock_of(ts_event: int, ts_recv: int, flags: int, action: int, selection: Selection) -> int:
    """What a record may bring the engine clock to, as Columns.clock_ns has it, or OUTSIDE; times in ns, below 0: none.

    Clear and snapshot records are of the session whatever their ts_event, which can be days old, unless they were
    received at its end or later: a file can hold the next day too. A record without a ts_event is placed by its
    ts_recv. A ts_event that lies too far after the ts_recv is not believed, also where it lies beyond the window.
    """
    start_ns = selection.start_ns
    end_ns = selection.end_ns
    inside = ts_event >= 0 and start_ns <= ts_event < end_ns
    if flags & FLAG_SNAPSHOT or action == ACTION_CLEAR:
        if ts_recv >= 0 and ts_recv >= end_ns:
            return OUTSIDE
        if flags & FLAG_SNAPSHOT or not inside:
            return BOOK_ONLY
    if ts_event < 0:
        if ts_recv < 0 or start_ns <= ts_recv < end_ns:
            return CLOCK_UNKNOWN
        return BOOK_ONLY if ts_recv < start_ns else OUTSIDE
    if ts_event < start_ns:
        return BOOK_ONLY
    is_ahead = flags & FLAG_BAD_TS_RECV == 0 and ts_recv >= 0 and ts_event - ts_recv > TIME_AHEAD_NS
    if inside:
        return CLOCK_KEPT if is_ahead else ts_event
    return CLOCK_KEPT if is_ahead and start_ns <= ts_recv < end_ns else OUTSIDE


@step
def has_possible_header(data: Bytes, position: int) -> bool:
    """Whether a record of a type that VP does not know could begin here: its length and time are some record's."""
    words = np.int64(data[position + LENGTH])
    if words % UNIT_WORDS != 0 or 4 * words < HEADER_BYTES:
        return False
    time = load_i64(data, position + TS_EVENT)
    return -1 <= time <= 0 or OLDEST_NS <= time < NEWEST_NS


@step
def holds_an_order(data: Bytes, position: int, selection: Selection) -> bool:
    """Whether a whole record has length, action and side of a market-by-order record, whatever its type says."""
    if data[position + LENGTH] != selection.mbo_words:
        return False  # what is shorter may end before an action
    action, side = data[position + ACTION], data[position + SIDE]
    return selection.valid_action[action] != 0 and selection.valid_side[side] != 0


@step
def is_in_spans(data: Bytes, position: int, spans: Int64s) -> bool:
    """Whether a record is of an instrument, at a time, at which it is wanted; by ts_recv, else by ts_event."""
    instrument = load_u32(data, position + INSTRUMENT)
    time = load_i64(data, position + TS_RECV)
    if time < 0:
        time = load_i64(data, position + TS_EVENT)
    wanted = spans.size == 0
    for i in range(0, spans.size, SPAN_WORDS):
        wanted = wanted or (instrument == spans[i] and spans[i + 1] <= time < spans[i + 2])
    return wanted


@kernel
def decode_records(data: Bytes, selection: Selection, cursor: Int64s, columns: Columns) -> None:
    """Decode whole records from data[cursor[D_POSITION]:] until the bytes or the columns are used up.

    Parameters
    ----------
    data : uint8[:]
        DBN records, uncompressed. A record that the end cuts is left for the next call.
    selection : Selection
    cursor : int64[D_WORDS]
        Position, rows written, records seen, dropped, of other types, error, of other instruments, of unknown types;
        updated.
    columns : Columns
        Filled from row cursor[D_ROWS] on; ts_event, ts_recv and sequence too, unless they are empty.
    """
    end = data.size
    position = cursor[D_POSITION]
    row = cursor[D_ROWS]
    rows = columns.clock_ns.size
    wide = columns.ts_event.size != 0
    error = DECODE_OK
    records = 0
    dropped = 0
    other = 0
    foreign = 0
    unknown = 0
    while position + HEADER_BYTES <= end and row < rows:
        words = np.int64(data[position + LENGTH])
        rtype = data[position + RTYPE]
        after = position + 4 * words
        if rtype != RTYPE_MBO or words != selection.mbo_words:
            is_known = selection.lengths[rtype] != 0
            if is_known and words != selection.lengths[rtype]:
                error = DECODE_LENGTH
                break
            if not is_known and not has_possible_header(data, position):
                error = DECODE_RTYPE
                break
            if after > end:
                break
            if not is_known and holds_an_order(data, position, selection):
                error = DECODE_RTYPE
                break
            if is_known:
                other += 1
            else:
                unknown += 1
            position = after
            records += 1
            continue
        if after > end:
            break
        record_action = data[position + ACTION]
        record_side = data[position + SIDE]
        if selection.valid_action[record_action] == 0:
            error = DECODE_ACTION
            break
        if selection.valid_side[record_side] == 0:
            error = DECODE_SIDE
            break
        records += 1
        if selection.instrument_id >= 0:
            is_foreign = load_u32(data, position + INSTRUMENT) != selection.instrument_id
        else:
            is_foreign = not is_in_spans(data, position, selection.spans)
        if is_foreign:
            position = after
            foreign += 1
            continue
        time = load_i64(data, position + TS_EVENT)
        received = load_i64(data, position + TS_RECV)
        record_flags = data[position + FLAGS]
        clock_ns = time
        if not is_plain(time, received, record_flags, record_action, selection):
            clock_ns = clock_of(time, received, record_flags, record_action, selection)
        if clock_ns == OUTSIDE:
            position = after
            dropped += 1
            continue
        columns.clock_ns[row] = clock_ns
        columns.order_id[row] = load_i64(data, position + ORDER_ID)
        columns.price[row] = load_i64(data, position + PRICE)
        columns.size[row] = load_u32(data, position + SIZE)
        columns.flags[row] = record_flags
        columns.action[row] = record_action
        columns.side[row] = record_side
        columns.publisher[row] = load_u32(data, position + PUBLISHER) & PUBLISHER_MASK
        if wide:
            columns.ts_event[row] = time
            columns.ts_recv[row] = received
            columns.sequence[row] = load_u32(data, position + SEQUENCE)
        row += 1
        position = after
    cursor[D_POSITION] = position
    cursor[D_ROWS] = row
    cursor[D_RECORDS] += records
    cursor[D_DROPPED] += dropped
    cursor[D_OTHER] += other
    cursor[D_FOREIGN] += foreign
    cursor[D_UNKNOWN] += unknown
    cursor[D_ERROR] = error
