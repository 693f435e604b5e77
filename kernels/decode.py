"""DBN bytes to event columns of one instrument within a window, checking every record on the way."""

from __future__ import annotations

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
from .intrinsics import load_i64, load_u32
from .jit import kernel
from .state import Bytes, Columns, Int64s, Selection


@kernel
def decode_records(data: Bytes, selection: Selection, cursor: Int64s, columns: Columns) -> None:
    """Decode whole records from data[cursor[D_POSITION]:] until the bytes or the columns are used up.

    Parameters
    ----------
    data : uint8[:]
        DBN records, uncompressed. A record that the end cuts is left for the next call.
    selection : Selection
    cursor : int64[D_WORDS]
        Position, rows written, records seen, dropped, of other types, error, of other instruments; updated.
    columns : Columns
        Filled from row cursor[D_ROWS] on; ts_recv and sequence too, unless they are empty.
    """
    end = data.size
    position = cursor[D_POSITION]
    row = cursor[D_ROWS]
    rows = columns.ts_event.size
    wide = columns.ts_recv.size != 0
    error = DECODE_OK
    records = 0
    dropped = 0
    other = 0
    foreign = 0
    while position + 16 <= end and row < rows:
        words = np.int64(data[position])
        rtype = data[position + 1]
        after = position + 4 * words
        if rtype != RTYPE_MBO or words != selection.mbo_words:
            if selection.lengths[rtype] == 0:
                error = DECODE_RTYPE
                break
            if words != selection.lengths[rtype]:
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
        if selection.valid_action[record_action] == 0:
            error = DECODE_ACTION
            break
        if selection.valid_side[record_side] == 0:
            error = DECODE_SIDE
            break
        records += 1
        if selection.instrument_id >= 0 and load_u32(data, position + 4) != selection.instrument_id:
            position = after
            foreign += 1
            continue
        time = load_i64(data, position + 8)
        record_flags = data[position + 36]
        inside = selection.start_ns <= time < selection.end_ns
        if not inside and record_action != ACTION_CLEAR and record_flags & FLAG_SNAPSHOT == 0:
            position = after
            dropped += 1
            continue
        columns.ts_event[row] = time
        columns.order_id[row] = load_i64(data, position + 16)
        columns.price[row] = load_i64(data, position + 24)
        columns.size[row] = load_u32(data, position + 32)
        columns.flags[row] = record_flags
        columns.action[row] = record_action
        columns.side[row] = record_side
        if wide:
            columns.ts_recv[row] = load_i64(data, position + 40)
            columns.sequence[row] = load_u32(data, position + 52)
        row += 1
        position = after
    cursor[D_POSITION] = position
    cursor[D_ROWS] = row
    cursor[D_RECORDS] += records
    cursor[D_DROPPED] += dropped
    cursor[D_OTHER] += other
    cursor[D_FOREIGN] += foreign
    cursor[D_ERROR] = error
