"""The demonstration market's book: orders in queues by level, and every change of them written as a DBN record.

Functions write to row `m.state[S_ROWS]` of `m.out` and give nothing back, and codes are sums with a side in
them: numba would compile a version for each constant that it sees, and compiling is what a user waits for.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from vp.demo.compiled import routine
from vp.demo.exponential import logarithm
from vp.kernels.contract import (
    ACTION_ADD,
    ACTION_CANCEL,
    ACTION_MODIFY,
    MBO_BYTES,
    RTYPE_MBO,
    SIDE_ASK,
    SIDE_BID,
)
from vp.kernels.state import Float64s, Int64s

TICK_INT: Final = 250_000_000
LEVELS: Final = 4_096  # prices the market knows: level 0 is LOWEST_PRICE, one tick a level
MIDDLE: Final = LEVELS // 2  # 21,500.00
LOWEST_PRICE: Final = 21_500_000_000_000 - MIDDLE * TICK_INT
CAPACITY: Final = 1 << 15  # resting orders at most
RECENT: Final = 256  # orders added last that are remembered
MOST_FILLS: Final = 60  # of one trade
EVENT_RECORDS: Final = 3 * MOST_FILLS + 8  # no event has more

INSTRUMENT_ID: Final = 42_140_878
PUBLISHER_ID: Final = 0  # none of Databento's
HEADER: Final = (MBO_BYTES // 4) | RTYPE_MBO << 8 | PUBLISHER_ID << 16 | INSTRUMENT_ID << 32
BUY: Final = SIDE_BID << 8  # a side as it stands in a record, above the action
SELL: Final = SIDE_ASK << 8

# A record as little-endian int64 words.
W_HEADER: Final = 0
W_EVENT_NS: Final = 1
W_ORDER_ID: Final = 2
W_PRICE: Final = 3
W_PACKED: Final = 4  # size, flags << 32, channel << 40, action << 48, side << 56
W_RECV_NS: Final = 5
W_SEQUENCE: Final = 6  # ts_in_delta, sequence << 32
RECORD_WORDS: Final = MBO_BYTES // 8
FLAGS_SHIFT: Final = 32
CODE_SHIFT: Final = 48  # code: action + side

# An order: O_NEXT and O_PREVIOUS chain the queue of its level, O_PLACE is the row whose O_LIVE names it.
O_ID: Final = 0  # 0: no order
O_LEVEL: Final = 1
O_SIZE: Final = 2
O_SIDE: Final = 3
O_NEXT: Final = 4
O_PREVIOUS: Final = 5
O_PLACE: Final = 6
O_LIVE: Final = 7  # a list of its own: the first S_LIVE rows name the live orders, the others the free ones
ORDER_WORDS: Final = 8
NO_ORDER: Final = -1

L_HEAD: Final = 0
L_TAIL: Final = 1
L_DEPTH: Final = 2
LEVEL_WORDS: Final = 3

S_ROWS: Final = 0  # records written to `out`
S_CLOCK_NS: Final = 1
S_START_NS: Final = 2
S_SECOND: Final = 3
S_BID: Final = 4  # best levels
S_ASK: Final = 5
S_LIVE: Final = 6
S_NEXT_ID: Final = 7
S_SEQUENCE: Final = 8
S_RECV_NS: Final = 9
S_IN_DELTA_NS: Final = 10
S_WALL: Final = 11  # next row of `walls`
S_OVER: Final = 12  # 1 when the script has come to its end
S_RANDOM: Final = 13
S_RECENT: Final = 14
S_RECENTS: Final = 15  # slot and id of the orders added last
S_FILLS: Final = S_RECENTS + 2 * RECENT  # slot and size of the fills of a trade
STATES: Final = S_FILLS + 2 * MOST_FILLS


class Market(NamedTuple):
    """All state of the market; `new_market` makes it."""

    out: Int64s  # [rows, RECORD_WORDS]
    orders: Int64s  # [CAPACITY, ORDER_WORDS]
    levels: Int64s  # [LEVELS, LEVEL_WORDS]
    state: Int64s  # [STATES]
    script: Float64s  # [seconds + 1, SCRIPT_COLUMNS] (vp.demo.wanted_depth)
    depths: Float64s  # [LEVELS, DEPTH_COLUMNS]
    walls: Float64s  # [n, 3] second, level and new texture, by second


def new_market(script: Float64s, depths: Float64s, walls: Float64s, start_ns: int, seed: int, out_rows: int) -> Market:
    """An empty market at the script's first second, ready to write up to `out_rows` records at a time."""
    state = np.zeros(STATES, np.int64)
    state[S_CLOCK_NS] = state[S_START_NS] = start_ns
    state[S_BID] = 0  # no side has a best price yet
    state[S_ASK] = LEVELS - 1
    state[S_NEXT_ID] = 6_855_000_000_000
    state[S_SEQUENCE] = 1_000_000
    state[S_RANDOM] = 88_172_645_463_325_252 ^ seed
    orders = np.zeros((CAPACITY, ORDER_WORDS), np.int64)
    orders[:, O_LIVE] = np.arange(CAPACITY)
    levels = np.zeros((LEVELS, LEVEL_WORDS), np.int64)
    levels[:, [L_HEAD, L_TAIL]] = NO_ORDER
    out = np.zeros((out_rows, RECORD_WORDS), np.int64)
    return Market(out, orders, levels, state, script.copy(), depths.copy(), walls)


@routine
def draw(m: Market) -> float:
    """The next random number in [0, 1): xorshift64*."""
    x = np.uint64(m.state[S_RANDOM])
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    m.state[S_RANDOM] = np.int64(x)
    return np.float64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * 2.0**-53


@routine
def draw_exponential(m: Market) -> float:
    """The next random number of mean 1, exponentially distributed."""
    return -logarithm(1.0 - draw(m))


@routine
def put(m: Market, code: int, level: int, size: int, order_id: int) -> None:
    """Write one record, for now without flags; `code` is action + side."""
    row = m.state[S_ROWS]
    m.out[row, W_HEADER] = HEADER
    m.out[row, W_EVENT_NS] = m.state[S_CLOCK_NS]
    m.out[row, W_ORDER_ID] = order_id
    m.out[row, W_PRICE] = LOWEST_PRICE + level * TICK_INT
    m.out[row, W_PACKED] = size | code << CODE_SHIFT
    m.out[row, W_RECV_NS] = m.state[S_RECV_NS]
    m.out[row, W_SEQUENCE] = m.state[S_IN_DELTA_NS] | m.state[S_SEQUENCE] << 32
    m.state[S_ROWS] = row + 1


@routine
def put_order(m: Market, slot: int, code: int, size: int) -> None:
    """Write one record of a resting order."""
    put(m, code, m.orders[slot, O_LEVEL], size, m.orders[slot, O_ID])


@routine
def join_queue(m: Market, slot: int, level: int) -> None:
    """Put an order at the end of a level's queue."""
    tail = m.levels[level, L_TAIL]
    m.orders[slot, O_LEVEL] = level
    m.orders[slot, O_PREVIOUS] = tail
    m.orders[slot, O_NEXT] = NO_ORDER
    if tail == NO_ORDER:
        m.levels[level, L_HEAD] = slot
    else:
        m.orders[tail, O_NEXT] = slot
    m.levels[level, L_TAIL] = slot
    m.levels[level, L_DEPTH] += m.orders[slot, O_SIZE]
    if m.orders[slot, O_SIDE] == BUY:
        m.state[S_BID] = max(m.state[S_BID], level)
    else:
        m.state[S_ASK] = min(m.state[S_ASK], level)


@routine
def leave_queue(m: Market, slot: int) -> None:
    """Take an order out of its level's queue; the best prices follow if it was the last there."""
    level = m.orders[slot, O_LEVEL]
    after = m.orders[slot, O_NEXT]
    before = m.orders[slot, O_PREVIOUS]
    if before == NO_ORDER:
        m.levels[level, L_HEAD] = after
    else:
        m.orders[before, O_NEXT] = after
    if after == NO_ORDER:
        m.levels[level, L_TAIL] = before
    else:
        m.orders[after, O_PREVIOUS] = before
    m.levels[level, L_DEPTH] -= m.orders[slot, O_SIZE]
    while m.state[S_BID] > 0 and m.levels[m.state[S_BID], L_DEPTH] == 0:
        m.state[S_BID] -= 1
    while m.state[S_ASK] < LEVELS - 1 and m.levels[m.state[S_ASK], L_DEPTH] == 0:
        m.state[S_ASK] += 1


@routine
def new_id(m: Market) -> int:
    """An order id: other instruments of the venue use some in between."""
    order_id: int = m.state[S_NEXT_ID] + 1 + int(draw(m) * 6)
    m.state[S_NEXT_ID] = order_id
    return order_id


@routine
def rest(m: Market, order_id: int, side: int, level: int, size: int) -> None:
    """Let a new order rest, and write it."""
    place = m.state[S_LIVE]
    slot = m.orders[place, O_LIVE]
    m.orders[slot, O_ID] = order_id
    m.orders[slot, O_SIDE] = side
    m.orders[slot, O_SIZE] = size
    m.orders[slot, O_PLACE] = place
    m.state[S_LIVE] += 1
    recent = S_RECENTS + 2 * m.state[S_RECENT]
    m.state[recent] = slot
    m.state[recent + 1] = order_id
    m.state[S_RECENT] = (m.state[S_RECENT] + 1) % RECENT
    join_queue(m, slot, level)
    put_order(m, slot, ACTION_ADD + side, size)


@routine
def take(m: Market, slot: int, size: int, code: int) -> None:
    """Take `size` off an order and write it: as a cancel where nothing is left, else as `code` says.

    A cancel tells what has gone, a modify what is left.
    """
    left = m.orders[slot, O_SIZE] - size
    if left > 0:
        m.orders[slot, O_SIZE] = left
        m.levels[m.orders[slot, O_LEVEL], L_DEPTH] -= size
        put_order(m, slot, code, left if code & 255 == ACTION_MODIFY else size)
        return
    put_order(m, slot, ACTION_CANCEL + m.orders[slot, O_SIDE], size)
    leave_queue(m, slot)
    m.state[S_LIVE] -= 1
    place = m.orders[slot, O_PLACE]
    last = m.orders[m.state[S_LIVE], O_LIVE]
    m.orders[place, O_LIVE] = last
    m.orders[last, O_PLACE] = place
    m.orders[m.state[S_LIVE], O_LIVE] = slot
    m.orders[slot, O_ID] = 0
