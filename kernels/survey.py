"""What a file holds: market-by-order records by instrument and UTC day, and where symbol mappings stand."""

from __future__ import annotations

from typing import Any, Final

from .contract import MBO_DTYPE, RTYPE_MBO
from .intrinsics import load_i64, load_u32
from .jit import kernel
from .state import Bytes, DayCounts, Int64s

RTYPE_SYMBOL_MAPPING: Final = 22
UNDEFINED_TIME: Final = -1  # 2**64 - 1 as int64
DAY_NS: Final = 86_400_000_000_000
RECORD_HEADER_BYTES: Final = 16
MBO_FIELDS: Final[Any] = MBO_DTYPE.fields
INSTRUMENT_AT, TS_EVENT_AT, TS_RECV_AT = (MBO_FIELDS[name][1] for name in ("instrument_id", "ts_event", "ts_recv"))


@kernel
def survey_records(data: Bytes, table: DayCounts, mappings: Int64s) -> int:
    """Count the whole records of `data` until they end, a record has no length, or a table is full.

    Parameters
    ----------
    data : uint8[:]
        DBN records, uncompressed.
    table : DayCounts
        Counted on. The day is that of ts_recv, of ts_event where ts_recv is undefined. A quarter of it stays free.
    mappings : int64[1 + n]
        How many symbol mappings were found, and the position of each; cleared here.

    Returns
    -------
    int
        Position of the first byte not read.
    """
    ids, days, counts = table
    position = 0
    end = data.size
    mask = counts.size - 1
    room = 3 * counts.size // 4
    used = 0
    for slot in range(counts.size):
        used += 1 if counts[slot] != 0 else 0
    mappings[0] = 0
    while position + RECORD_HEADER_BYTES <= end and used < room and mappings[0] + 1 < mappings.size:
        after: Any = position + 4 * int(data[position])
        if after == position or after > end:
            break
        rtype = data[position + 1]
        if rtype == RTYPE_MBO and after - position >= TS_RECV_AT + 8:
            instrument = load_u32(data, position + INSTRUMENT_AT)
            time = load_i64(data, position + TS_RECV_AT)
            if time == UNDEFINED_TIME:
                time = load_i64(data, position + TS_EVENT_AT)
            day = time // DAY_NS
            slot = (instrument * 2654435761 + day * 40503) & mask
            while counts[slot] != 0 and (ids[slot] != instrument or days[slot] != day):
                slot = (slot + 1) & mask
            used += 1 if counts[slot] == 0 else 0
            ids[slot] = instrument
            days[slot] = day
            counts[slot] += 1
        elif rtype == RTYPE_SYMBOL_MAPPING:
            mappings[0] += 1
            mappings[mappings[0]] = position
        position = after
    return position
