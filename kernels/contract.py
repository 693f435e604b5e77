"""The constants that every kernel and every caller shares: codes, flags, sentinels, array layouts.

Layouts are index constants into flat arrays, so that a kernel sees plain arrays and Python sees names.
Record layout and codes are those of DBN (databento_dbn pins them in the layout test).
"""

from __future__ import annotations

from typing import Final

import numpy as np

# DBN's market-by-order record: 56 bytes, the same in versions 1, 2 and 3.
MBO_DTYPE: Final = np.dtype(
    [
        ("length", "u1"),
        ("rtype", "u1"),
        ("publisher_id", "<u2"),
        ("instrument_id", "<u4"),
        ("ts_event", "<i8"),
        ("order_id", "<i8"),
        ("price", "<i8"),
        ("size", "<u4"),
        ("flags", "u1"),
        ("channel_id", "u1"),
        ("action", "u1"),
        ("side", "u1"),
        ("ts_recv", "<i8"),
        ("ts_in_delta", "<i4"),
        ("sequence", "<u4"),
    ]
)
MBO_BYTES: Final = 56
RTYPE_MBO: Final = 160

# The decoder's cursor (int64) and why it stopped.
D_POSITION: Final = 0
D_ROWS: Final = 1
D_RECORDS: Final = 2  # whole records seen, of every type and instrument
D_DROPPED: Final = 3  # of the instrument, but outside the window
D_OTHER: Final = 4  # of other types
D_ERROR: Final = 5
D_FOREIGN: Final = 6  # of other instruments
D_UNKNOWN: Final = 7  # of types that this version of VP does not know
D_WORDS: Final = 8
DECODE_OK: Final = 0
DECODE_LENGTH: Final = 1
DECODE_RTYPE: Final = 2
DECODE_ACTION: Final = 3
DECODE_SIDE: Final = 4

ACTION_ADD: Final = ord("A")
ACTION_CANCEL: Final = ord("C")
ACTION_MODIFY: Final = ord("M")
ACTION_CLEAR: Final = ord("R")
ACTION_TRADE: Final = ord("T")
ACTION_FILL: Final = ord("F")
ACTION_NONE: Final = ord("N")

SIDE_ASK: Final = ord("A")
SIDE_BID: Final = ord("B")
SIDE_NONE: Final = ord("N")

FLAG_LAST: Final = 128
FLAG_TOB: Final = 64
FLAG_SNAPSHOT: Final = 32
FLAG_MBP: Final = 16
FLAG_BAD_TS_RECV: Final = 8
FLAG_MAYBE_BAD_BOOK: Final = 4

UNDEF_PRICE: Final = 2**63 - 1
UNDEF_SIZE: Final = 2**32 - 1
NO_TIME: Final = -(2**63)  # the engine clock before the first record

# What stands for a record's time in Columns.clock_ns where the record does not move the clock.
BOOK_ONLY: Final = -(2**63)  # it builds the book and is no activity: of a snapshot, or of before the window
CLOCK_KEPT: Final = -(2**63) + 1  # activity whose ts_event lies too far after its ts_recv to be true
CLOCK_UNKNOWN: Final = -(2**63) + 2  # activity without a ts_event
OUTSIDE: Final = -(2**63) + 3  # not of the session: the decoder drops it
TIME_AHEAD_NS: Final = 1_000_000_000  # how far a ts_event may lie after its ts_recv

NO_BID: Final = -(2**63)  # best bid of an empty side: below every price
NO_ASK: Final = 2**63 - 1  # best ask of an empty side: above every price
NO_BUCKET: Final = -(2**63)

ASK: Final = 0
BID: Final = 1

# Order table: groups of GROUP_SLOTS slots, GROUP_WORDS int64 a group, field by field: four ids, four prices, four
# sizes, four ranks. A slot is named by the word of its id; its other fields lie SLOT_PRICE, ... words further on.
# A slot is empty when its size word is 0.
GROUP_SLOTS: Final = 4
GROUP_WORDS: Final = 16
SLOT_PRICE: Final = 4
SLOT_SIZE: Final = 8  # size in the low 32 bits, pending fill above
SLOT_RANK: Final = 12  # priority stamp << STAMP_SHIFT | tag << TAG_SHIFT | side

# What a slot holds is known by its id and its tag, publisher id << KIND_BITS | kind.
KIND_ORDER: Final = 0  # the id is the order's
KIND_ASK_LEVEL: Final = 1  # an aggregated level (F_MBP), as KIND_ASK_LEVEL + side; the id is its price
KIND_BID_LEVEL: Final = 2
KIND_QUOTE: Final = 3  # the best level of a publisher's side (F_TOB); the id is the side
KIND_BITS: Final = 2
KIND_MASK: Final = 3
TAG_SHIFT: Final = 1
TAG_MASK: Final = (1 << 18) - 1
STAMP_SHIFT: Final = 19

SIZE_MASK: Final = 0xFFFF_FFFF
PENDING_SHIFT: Final = 32
PENDING_MAX: Final = 2**31 - 1

# Book scalars (int64).
B_EVENT_ID: Final = 0
B_CLOCK: Final = 1
B_LIVE: Final = 2
B_NEXT_RANK: Final = 3
B_BEST_ASK: Final = 4  # indexed as B_BEST_ASK + side
B_BEST_BID: Final = 5
B_DENSE_ASKS: Final = 6  # occupied dense levels, indexed as B_DENSE_ASKS + side
B_DENSE_BIDS: Final = 7
B_FAR_ASKS: Final = 8  # occupied far levels, indexed as B_FAR_ASKS + side
B_FAR_BIDS: Final = 9
B_FAR_PRICES: Final = 10  # far prices of either side
B_BASE_TICK: Final = 11  # tick number of dense level 0
B_TICK: Final = 12
B_BUCKET: Final = 13
B_IN_SNAPSHOT: Final = 14  # publishers within a snapshot
B_BAD_BOOK: Final = 15  # publishers whose book is in doubt (F_MAYBE_BAD_BOOK)
B_INCOMPLETE: Final = 16  # publishers that send orders and have had neither clear nor snapshot
B_STANDING: Final = 17  # QUALITY_ bits that stand until something is heard: of the three above, and of a gap
B_SPOT: Final = 18  # bucket number, NO_BUCKET before the first
B_SPOT_BID: Final = 19  # the best prices that B_SPOT was computed from
B_SPOT_ASK: Final = 20
B_LAST_PRICE: Final = 21
B_QUALITY: Final = 22  # QUALITY_ bits as of the last event end
B_PLACED: Final = 23  # 0 until the dense window has been placed
B_WINDOW_LOW: Final = 24  # a mid outside these prices asks for the dense window to be placed anew
B_WINDOW_HIGH: Final = 25
B_OUTSIDE: Final = 26  # 1 when the mid of the last event end was outside
B_BASE_PRICE: Final = 27  # B_BASE_TICK * B_TICK
B_TICK_INVERSE: Final = 28  # inverse of the tick's odd part modulo 2**64
B_TICK_TWOS: Final = 29  # how often 2 divides the tick
B_RESTING: Final = 30  # publishers of which something may rest
B_PLACED_AT: Final = 31  # B_EVENT_ID when the dense window was placed
BOOK_SCALARS: Final = 32

# Far levels (far_levels): words of a slot.
FAR_PRICE: Final = 0
FAR_DEPTH: Final = 1  # of the price, as FAR_DEPTH + side
FAR_PLACE: Final = 3  # of the price in a heap, as FAR_PLACE + side
FAR_BUCKET: Final = 5
FAR_BUCKET_DEPTH: Final = 6
FAR_HEAP: Final = 7
FAR_WORDS: Final = 8

# What speaks against the book (bits).
QUALITY_EMPTY_SIDE: Final = 1
QUALITY_CROSSED: Final = 2  # or locked
QUALITY_SNAPSHOT: Final = 4  # within one
QUALITY_BAD_BOOK: Final = 8
QUALITY_INCOMPLETE: Final = 16
QUALITY_GAP: Final = 32
QUALITY_INVALID: Final = 47  # every bit that makes a book invalid

# What is known of each publisher (int64), by its id: bits.
PUBLISHERS: Final = 1 << 16
STATE_BAD_BOOK: Final = 1
STATE_COMPLETE: Final = 2  # has had a clear or a snapshot
STATE_ORDERS: Final = 4  # sends orders
STATE_IN_SNAPSHOT: Final = 16
STATE_REPLAYS: Final = 32  # its last record had F_SNAPSHOT, whose value this is
STATE_ASKS: Final = 64  # orders or levels of it may rest, as STATE_ASKS << side
STATE_BIDS: Final = 128
STATE_QUOTES: Final = 256  # quotes of it may rest

# Counters (int64). Records in = applied + ignored by action + rejected by reason (vp.dbn.accounting).
C_APPLIED: Final = 0
C_IGNORED_TRADE: Final = 1
C_IGNORED_FILL: Final = 2
C_IGNORED_NONE: Final = 3
C_REJECTED_CANCEL: Final = 4
C_REJECTED_PRICE: Final = 5
C_REJECTED_SIDE: Final = 6
C_UNKNOWN_MODIFY: Final = 7
C_UNKNOWN_FILL: Final = 8
C_DUPLICATE_ADD: Final = 9
C_OVERSIZE_CANCEL: Final = 10
C_PRICE_MISMATCH: Final = 11
C_OUT_OF_ORDER: Final = 12
C_LOCKED: Final = 13
C_CROSSED: Final = 14
C_MAYBE_BAD_BOOK: Final = 15
C_REJECTED_SIZE: Final = 16
C_TIME_AHEAD: Final = 17
C_UNDEFINED_TIME: Final = 18
COUNTERS: Final = 19
COUNTER_NAMES: Final = (
    "applied",
    "ignored_trade",
    "ignored_fill",
    "ignored_none",
    "unknown_cancel",
    "undefined_price",
    "undefined_side",
    "unknown_modify",
    "unknown_fill",
    "duplicate_add",
    "oversize_cancel",
    "price_mismatch",
    "out_of_order_time",
    "locked_book",
    "crossed_book",
    "maybe_bad_book",
    "undefined_size",
    "time_ahead",
    "undefined_time",
)

# Why a kernel that loops over records came back.
DONE: Final = 0  # every record handed in is processed
REACHED: Final = 1  # the next record brings the clock to or beyond `until`
FULL: Final = 2  # the frame buffer is full
GROW_ORDERS: Final = 3  # the order table needs more slots, or has far too many
GROW_LEVELS: Final = 4  # the far levels need more slots, or the dense window another place
GROW_TRADES: Final = 5  # the table of traded buckets needs more entries

# What one record did to the book (bits).
TOUCH_FROM: Final = 1
TOUCH_TO: Final = 2
DEPTH_RESET: Final = 4  # depth changed at prices that the effect does not name

# What a record's flags began or ended for its publisher.
SNAPSHOT_BEGINS: Final = 1
SNAPSHOT_ENDS: Final = 2

# Cells: one price bucket each, in a ring of RING buckets around spot.
RING: Final = 2048
RING_MASK: Final = RING - 1
RING_HALF: Final = RING // 2
MAX_K: Final = 512

# A cell, CELL_WORDS words of 8 bytes: three cache lines. Its floats (float64): masses and three levels of every chain.
F_MASS: Final = 0  # none of rest depth
F_V: Final = 4
F_A: Final = 8
F_J: Final = 12
F_GAIN: Final = 16  # alpha/dt of each filter at the last touch, for later touches at its clock
# Its ints (int64).
I_DEPTH: Final = 20
I_BASELINE: Final = 21
I_TOUCHED_NS: Final = 22  # NO_TIME: never touched
I_EVENT_ID: Final = 23
CELL_WORDS: Final = 24

# Engine scalars (int64).
E_CENTRE: Final = 0  # bucket in the middle of the ring, NO_BUCKET before the first
E_EMITTING: Final = 1
E_THROTTLE_NS: Final = 2
E_LAST_FRAME_NS: Final = 3  # NO_TIME before the first frame
E_BUY_VOLUME: Final = 4  # since the last frame, as those that follow
E_SELL_VOLUME: Final = 5
E_OTHER_VOLUME: Final = 6
E_OFI: Final = 7
E_TRADED_BUCKETS: Final = 8  # entries of the table of traded buckets that are in use
E_FRAME: Final = 9  # number of the frame that comes next, from 1
E_QUOTE_BID: Final = 10  # best prices and sizes at the event end before; NO_BID: none to compare with
E_QUOTE_BID_SIZE: Final = 11
E_QUOTE_ASK: Final = 12
E_QUOTE_ASK_SIZE: Final = 13
E_STATE: Final = 14
E_K: Final = 15
E_LAST_TRADE_NS: Final = 16  # clock of the last trade; NO_TIME before the first
E_LOCKED_BEFORE_OPENING: Final = 17  # event ends whose book was locked before an opening ...
E_CROSSED_BEFORE_OPENING: Final = 18  # ... or crossed: orders gather, and nothing trades
ENGINE_SCALARS: Final = 19

OPENING_PAUSE_NS: Final = 300_000_000_000  # the trade behind so long a pause is an opening

# The table of traded buckets (int64), TRADED_INTS an entry.
T_FRAME: Final = 0  # number of the frame that the entry is of; it is free when that is not the next
T_BUCKET: Final = 1
T_BOUGHT: Final = 2
T_SOLD: Final = 3
TRADED_INTS: Final = 4

# What is noted at event ends for who studies a session (int64, ladder): scalars, the flow of each level since the
# beginning, two ladders of asks and two of bids (prices, then sizes), and the changes of the mid.
LADDER_LEVELS: Final = 10
LADDER_SIDE_WORDS: Final = 2 * LADDER_LEVELS
N_EVENT_ENDS: Final = 0
N_CLOCK: Final = 1  # of the last event end; NO_TIME before the first
N_FLAGS: Final = 2  # of the last change, but for the pause
N_TWICE_MID: Final = 3
N_CHANGES: Final = 4  # rows that wait to be taken out
N_SAMPLE_NS: Final = 5  # the clock grid's period, and its next moment
N_NEXT_SAMPLE_NS: Final = 6
N_SAMPLES: Final = 7  # frames that wait to be taken out
N_SAMPLED_ENDS: Final = 8  # N_EVENT_ENDS at the last of them
N_OPEN: Final = 9  # 1 within an event
N_NOW: Final = 10  # for each side, which of its ladders is the last one: 0, or LADDER_SIDE_WORDS
N_FLOW: Final = 12
N_LADDERS: Final = N_FLOW + LADDER_LEVELS
N_NEXT_BEST: Final = N_LADDERS + 4 * LADDER_SIDE_WORDS  # places of a heap of far levels that may be the next best
NOTE_WORDS: Final = N_NEXT_BEST + LADDER_LEVELS + 1  # the changes follow
CHANGE_CLOCK: Final = 0
CHANGE_EVENT_ENDS: Final = 1
CHANGE_TWICE_MID: Final = 2  # best bid and ask together, 1e-9 units; 0 where the book is not valid
CHANGE_FLAGS: Final = 3
CHANGE_SPREAD: Final = 4  # best ask less best bid, likewise
CHANGE_WORDS: Final = 5
CHANGE_VALID: Final = 1
CHANGE_AFTER_PAUSE: Final = 2  # no event ended for OPENING_PAUSE_NS before it
SAMPLE_EVENT_ENDS: Final = 0  # beside a frame (int64): event ends, and the flow of each level, both since the beginning
SAMPLE_FLOW: Final = 1
SAMPLE_WORDS: Final = SAMPLE_FLOW + LADDER_LEVELS

# Model parameters (float64), but for the time constants, which are in the tables of exponentials.
P_PRESSURE_ADD: Final = 0
P_PRESSURE_REST: Final = 1
P_PRESSURE_ACCEL: Final = 2
P_VACUUM_PULL: Final = 3
P_VACUUM_FILL: Final = 4
P_VACUUM_REST: Final = 5
P_VACUUM_ACCEL: Final = 6
P_WEAK: Final = 7
P_ENTER: Final = 8
P_LEAVE: Final = 9
P_REACH: Final = 10  # rows count up to so many buckets, the best price's own included, on each side; 0: all rows
PARAMETERS: Final = 11

# A table of exponentials of time (float64): levels of 2**DECAY_BITS rows of DECAY_FLOATS.
DECAY_BITS: Final = 9
DECAY_MASK: Final = 511
DECAY_FLOATS: Final = 8  # exp(-t/tau) of four time constants, then exp(-t/tau) - 1 of them
MASS: Final = 0  # the filters of a cell, in the order in which its table has their time constants
VELOCITY: Final = 1
ACCELERATION: Final = 2
JERK: Final = 3

# The grid (float64): its float columns in the order of the schema, each as long as the rows rounded up to fours.
ADD: Final = 0  # the chains, in the order in which cells and rows hold them
PULL: Final = 1
FILL: Final = 2
REST_DEPTH: Final = 3  # has no mass
CHAINS: Final = 4
G_PRESSURE: Final = 0
G_VACUUM: Final = 1
G_MASS: Final = 2  # of add, pull, fill
G_REST_DEPTH: Final = 5
G_V: Final = 6  # of every chain
G_A: Final = 10
G_J: Final = 14
G_BOUGHT: Final = 18
G_SOLD: Final = 19
GRID_FLOATS: Final = 20

# Columns of a frame in the order of the schema.
SCALAR_COLUMNS: Final = (
    "ts_ns",
    "event_id",
    "spot_price",
    "bid_price",
    "ask_price",
    "mid_price",
    "bid_size",
    "ask_size",
    "buy_volume",
    "sell_volume",
    "other_volume",
    "last_price",
    "ofi",
    "state",
    "score",
    "strength",
    "pressure_above",
    "pressure_below",
    "vacuum_above",
    "vacuum_below",
    "book_valid",
    "quality",
)
GRID_COLUMNS: Final = (
    "pressure",
    "vacuum",
    "add_mass",
    "pull_mass",
    "fill_mass",
    "rest_depth",
    "v_add",
    "v_pull",
    "v_fill",
    "v_rest_depth",
    "a_add",
    "a_pull",
    "a_fill",
    "a_rest_depth",
    "j_add",
    "j_pull",
    "j_fill",
    "j_rest_depth",
    "bought",
    "sold",
    "last_event_id",
)
NULLABLE_COLUMNS: Final = ("spot_price", "bid_price", "ask_price", "mid_price", "last_price")

# Where a frame's fields lie in its message (int64, in words of the field's own width): the data of each scalar column
# and of the grid, then the validity byte and the null count of the nullable ones.
AT_TS_NS: Final = 0
AT_EVENT_ID: Final = 1
AT_SPOT_PRICE: Final = 2
AT_BID_PRICE: Final = 3
AT_ASK_PRICE: Final = 4
AT_MID_PRICE: Final = 5
AT_BID_SIZE: Final = 6
AT_ASK_SIZE: Final = 7
AT_BUY_VOLUME: Final = 8
AT_SELL_VOLUME: Final = 9
AT_OTHER_VOLUME: Final = 10
AT_LAST_PRICE: Final = 11
AT_OFI: Final = 12
AT_STATE: Final = 13
AT_SCORE: Final = 14
AT_STRENGTH: Final = 15
AT_PRESSURE_ABOVE: Final = 16
AT_PRESSURE_BELOW: Final = 17
AT_VACUUM_ABOVE: Final = 18
AT_VACUUM_BELOW: Final = 19
AT_BOOK_VALID: Final = 20
AT_QUALITY: Final = 21
AT_GRID: Final = 22  # the first float column of the grid; the others follow ...
AT_GRID_STRIDE: Final = 23  # ... so many words apart
AT_LAST_EVENT_ID: Final = 24
AT_VALIDITY: Final = 25
AT_NULL_COUNT: Final = AT_VALIDITY + len(NULLABLE_COLUMNS)
PLACES: Final = AT_NULL_COUNT + len(NULLABLE_COLUMNS)
