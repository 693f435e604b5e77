"""The loop that rebuilds a book, without cells or frames.

Nearly all records of a trading day are plain and go the short way; the others go the long way (both: book). The engine
takes both ways too.
"""

from __future__ import annotations

import numpy as np

from .book import apply_plain, apply_record, may_be_plain, note_trade, record_at
from .contract import ACTION_TRADE, B_CLOCK, B_EVENT_ID, DONE, FLAG_LAST, REACHED, SNAPSHOT_ENDS
from .event import advance_clock, end_event, needs_room, records_of_room, update_spot
from .jit import kernel, routine
from .orders import MOST_PLACES, fetch_ahead
from .publishers import follow_publisher, is_settled, mark_bad_book
from .state import BookState, Columns, Record


@routine
def apply_any(book: BookState, record: Record) -> None:
    """Apply one record, whatever it is; fills are not remembered."""
    if not is_settled(book, record) and follow_publisher(book, record) == SNAPSHOT_ENDS:
        update_spot(book)
    apply_record(book, record, np.int64(0))
    mark_bad_book(book, record)


@kernel
def fast_forward(columns: Columns, first: int, until: int, book: BookState) -> tuple[int, int]:
    """Run records through the book alone: those from row `first` on, while the clock they bring stays under `until`.

    Returns (row of the next record, why it stopped); times in ns.
    """
    scalars = book.scalars
    roomy = 0  # records that will find room, so that it need not be looked at for each
    for row in range(first, columns.clock_ns.size):
        i = row & MOST_PLACES
        record = record_at(columns, i)
        if max(record.clock_ns, scalars[B_CLOCK]) >= until:
            return i, REACHED
        if roomy == 0:
            room = needs_room(book)
            if room != DONE:
                return i, room
            roomy = records_of_room(book)
        roomy -= 1
        fetch_ahead(book.slots, columns.order_id, columns.publisher, i)
        scalars[B_EVENT_ID] += 1
        advance_clock(book, record.clock_ns)
        plain = may_be_plain(book, record)
        if plain and record.action == ACTION_TRADE:
            note_trade(book, record)
        elif not plain or apply_plain(book, record, np.int64(0)).word < 0:
            apply_any(book, record)
        if record.flags & FLAG_LAST:
            end_event(book, record.publisher)
    return columns.clock_ns.size, DONE
