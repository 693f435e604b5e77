"""DBN bytes to event columns of one instrument within a window, checking every record on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from .contract import (
    ACTION_CLEAR,
    D_DROPPED,
    D_ERROR,
    D_FOREIGN,
    D_OTHER,
    D_POSITION,
    D_RECORDS,
    D_ROWS,
    DECODE_ACTION,
    DECODE_LENGTH,
    DECODE_OK,
    DECODE_RTYPE,
    DECODE_SIDE,
    FLAG_SNAPSHOT,
    RTYPE_MBO,
)
from .jit import kernel
from .machine import load_i64, load_u32
from .types import Bytes, Int64s, UInt32s


@kernel
def decode_records(
    data: Bytes,
    end: int,
    lengths: Bytes,
    mbo_length: int,
    valid_action: Bytes,
    valid_side: Bytes,
    instrument_id: int,
    start_ns: int,
    end_ns: int,
    cursor: Int64s,
    ts_event: Int64s,
    order_id: Int64s,
    price: Int64s,
    size: UInt32s,
    flags: Bytes,
    action: Bytes,
    side: Bytes,
    ts_recv: Int64s,
    sequence: UInt32s,
) -> None:
    """Decode whole records from data[cursor[D_POSITION]:end] until the bytes or the columns are used up.

    Parameters
    ----------
    data : uint8[:]
        DBN records, uncompressed. A record that `end` cuts is left for the next call.
    lengths : uint8[256]
        Record length, in 32-bit words, of each rtype (0: unknown rtype).
    mbo_length : int64
        Length of a market-by-order record in words: 14, with a ts_out 16.
    valid_action, valid_side : uint8[256]
        1 where the byte is a known code.
    instrument_id : int64
        The instrument to keep; below 0 keeps all.
    start_ns, end_ns : int64
        Records with ts_event outside [start_ns, end_ns) are dropped, clear and snapshot records excepted.
    cursor : int64[D_WORDS]
        Position, rows written, records seen, dropped, of other types, error, of other instruments; updated.
    ts_event, order_id, price : int64[:], size : uint32[:], flags, action, side : uint8[:]
        The columns to fill, from row cursor[D_ROWS] on.
    ts_recv : int64[:], sequence : uint32[:]
        Filled too, unless they are empty.
    """
    position = cursor[D_POSITION]
    row = cursor[D_ROWS]
    rows = ts_event.size
    wide = ts_recv.size != 0
    error = DECODE_OK
    records = 0
    dropped = 0
    other = 0
    foreign = 0
    while position + 16 <= end and row < rows:
        words = np.int64(data[position])
        rtype = data[position + 1]
        after = position + 4 * words
        if rtype != RTYPE_MBO or words != mbo_length:
            if lengths[rtype] == 0:
                error = DECODE_RTYPE
                break
            if words != lengths[rtype]:
                error = DECODE_LENGTH
                break
            if after > end:
                break
            position = after
            records += 1
            other += 1
            continue
        if after > end:
            break
        record_action = data[position + 38]
        record_side = data[position + 39]
        if valid_action[record_action] == 0:
            error = DECODE_ACTION
            break
        if valid_side[record_side] == 0:
            error = DECODE_SIDE
            break
        records += 1
        if instrument_id >= 0 and load_u32(data, position + 4) != instrument_id:
            position = after
            foreign += 1
            continue
        time = load_i64(data, position + 8)
        record_flags = data[position + 36]
        if (time < start_ns or time >= end_ns) and record_action != ACTION_CLEAR and record_flags & FLAG_SNAPSHOT == 0:
            position = after
            dropped += 1
            continue
        ts_event[row] = time
        order_id[row] = load_i64(data, position + 16)
        price[row] = load_i64(data, position + 24)
        size[row] = load_u32(data, position + 32)
        flags[row] = record_flags
        action[row] = record_action
        side[row] = record_side
        if wide:
            ts_recv[row] = load_i64(data, position + 40)
            sequence[row] = load_u32(data, position + 52)
        row += 1
        position = after
    cursor[D_POSITION] = position
    cursor[D_ROWS] = row
    cursor[D_RECORDS] += records
    cursor[D_DROPPED] += dropped
    cursor[D_OTHER] += other
    cursor[D_FOREIGN] += foreign
    cursor[D_ERROR] = error


@kernel
def count_instruments(data: Bytes, end: int, position: int, ids: Int64s, counts: Int64s) -> int:
    """Count market-by-order records by instrument in the whole records of data[position:end].

    ids, counts : int64[slots], an open-addressing hash of a power of two slots; a count of 0 is a free slot.
    Returns the position of the first byte not read: less than a record is left, a record has no length, or
    the hash is full.
    """
    mask = counts.size - 1
    while position + 16 <= end:
        after: Any = position + 4 * np.int64(data[position])
        if after == position or after > end:
            break
        if data[position + 1] == RTYPE_MBO:
            instrument = load_u32(data, position + 4)
            slot = (instrument * 2654435761) & mask
            probes = 0
            while counts[slot] != 0 and ids[slot] != instrument and probes <= mask:
                slot = (slot + 1) & mask
                probes += 1
            if probes > mask:
                break
            ids[slot] = instrument
            counts[slot] += 1
        position = after
    return position
