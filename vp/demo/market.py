"""A small market: orders come, move, trade and go around a fair price.

The market knows nothing of episodes. It follows a script, which says what is wanted at each second (wanted_depth).
Orders are added and cancelled so that the depth of each level tends to what is wanted there, and the aggressors pull
the price towards the fair one.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from vp.demo.book import (
    BUY,
    CAPACITY,
    CODE_SHIFT,
    EVENT_RECORDS,
    FLAGS_SHIFT,
    HEADER,
    L_DEPTH,
    L_HEAD,
    L_TAIL,
    LEVELS,
    MOST_FILLS,
    NO_ORDER,
    O_LEVEL,
    O_NEXT,
    O_SIDE,
    O_SIZE,
    RECORD_WORDS,
    S_ASK,
    S_BID,
    S_CLOCK_NS,
    S_FILLS,
    S_IN_DELTA_NS,
    S_LIVE,
    S_NEXT_ID,
    S_OVER,
    S_RECV_NS,
    S_ROWS,
    S_SECOND,
    S_SEQUENCE,
    S_START_NS,
    SELL,
    W_EVENT_NS,
    W_HEADER,
    W_ORDER_ID,
    W_PACKED,
    W_PRICE,
    W_RECV_NS,
    W_SEQUENCE,
    Market,
    draw,
    draw_exponential,
    join_queue,
    leave_queue,
    new_id,
    put,
    put_order,
    rest,
    take,
)
from vp.demo.compiled import kernel, routine
from vp.demo.wanted_depth import (
    EDGE,
    STEADY_ADD_SHARE,
    T_ADD_SHARE,
    T_BID_ADDS,
    T_BID_CANCELS,
    T_EVENTS,
    T_FAIR,
    choose_level,
    choose_order,
    choose_size,
    turn_second,
    wanted_depth,
)
from vp.kernels.contract import (
    ACTION_CANCEL,
    ACTION_CLEAR,
    ACTION_FILL,
    ACTION_MODIFY,
    ACTION_TRADE,
    FLAG_BAD_TS_RECV,
    FLAG_LAST,
    FLAG_SNAPSHOT,
    SIDE_NONE,
    UNDEF_PRICE,
)
from vp.kernels.state import Int64s

FLAG_PUBLISHER: Final = 2  # stands beside FLAG_LAST on many records of a real file
NS: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
OLDEST_MS: Final = 12 * 86_400_000  # of the orders in the snapshot
YOUNGEST_MS: Final = 60_000


@routine
def add(m: Market, fair: float, far_share: float) -> None:
    """A new order comes."""
    side = BUY if draw(m) < m.script[m.state[S_SECOND], T_BID_ADDS] else SELL
    level = choose_level(m, side, fair, far_share)
    if level > 0 and m.state[S_LIVE] < CAPACITY:
        size = choose_size(m, wanted_depth(m, side, level, fair) - m.levels[level, L_DEPTH])
        rest(m, new_id(m), side, level, size)


@routine
def cancel(m: Market, fair: float, error: float) -> None:
    """An order goes, or a part of it. Best orders on the wrong side of the fair price go first."""
    slot = NO_ORDER
    if abs(error) > 1 and draw(m) < 0.35:
        slot = m.levels[m.state[S_ASK] if error > 0 else m.state[S_BID], L_TAIL]
    if slot == NO_ORDER:
        side = BUY if draw(m) < m.script[m.state[S_SECOND], T_BID_CANCELS] else SELL
        slot = choose_order(m, side, fair)
    if slot == NO_ORDER:
        return
    size = m.orders[slot, O_SIZE]
    if size > 1 and draw(m) < 0.055:
        size = 1 + int(draw(m) * (size - 1))
    take(m, slot, size, ACTION_CANCEL + m.orders[slot, O_SIDE])


@routine
def modify(m: Market, fair: float) -> None:
    """An order changes its price or its size."""
    side = BUY if draw(m) < 0.5 else SELL
    slot = choose_order(m, side, fair)
    if slot == NO_ORDER:
        return
    level = m.orders[slot, O_LEVEL]
    size = m.orders[slot, O_SIZE]
    if draw(m) < 0.65:
        level = choose_level(m, side, fair, 0.03)
        if level == 0 or level == m.orders[slot, O_LEVEL]:
            return
    else:
        size = choose_size(m, 0.0)
        if size == m.orders[slot, O_SIZE]:
            size += 1
        elif size < m.orders[slot, O_SIZE]:  # keeps its place in the queue
            take(m, slot, m.orders[slot, O_SIZE] - size, ACTION_MODIFY + side)
            return
    leave_queue(m, slot)
    m.orders[slot, O_SIZE] = size
    join_queue(m, slot, level)
    put_order(m, slot, ACTION_MODIFY + side, size)


@routine
def trade(m: Market, fair: float, error: float) -> None:
    """An aggressor trades with the front of the queue, level by level; what is left of it may rest."""
    buys = draw(m) < 0.5 + min(max(0.12 * error, -0.46), 0.46)
    step = 1 if buys else -1
    aggressor = BUY if buys else SELL
    resting = SELL if buys else BUY
    level = m.state[S_ASK] if buys else m.state[S_BID]
    left = 1 + int(draw_exponential(m) * 1.4)
    if draw(m) < 0.03:
        left += int(draw_exponential(m) * 12)
    if error * step > 1.5 and draw(m) < 0.4:
        left += int(m.levels[level, L_DEPTH] * draw(m) * 1.3)
    left = min(left, MOST_FILLS)
    order_id = new_id(m)
    fills = S_FILLS
    following = level
    while (left > 0 and (following - fair) * step <= 1.0) or fills == S_FILLS:
        level = following
        taken = min(left, m.levels[level, L_DEPTH])
        left -= taken
        put(m, ACTION_TRADE + aggressor, level, taken, order_id)
        slot = m.levels[level, L_HEAD]
        while taken > 0:
            size = min(taken, m.orders[slot, O_SIZE])
            put_order(m, slot, ACTION_FILL + resting, size)
            m.state[fills] = slot
            m.state[fills + 1] = size
            fills += 2
            taken -= size
            slot = m.orders[slot, O_NEXT]
        following += step
        while m.levels[following, L_DEPTH] == 0 and EDGE < following < LEVELS - EDGE:
            following += step
    for fill in range(S_FILLS, fills, 2):
        take(m, m.state[fill], m.state[fill + 1], ACTION_MODIFY + resting)
    if left > 0 and m.state[S_LIVE] < CAPACITY and draw(m) < 0.4:
        rest(m, order_id, aggressor, level, left)


@routine
def pass_time(m: Market) -> None:
    """Bring the clock to the next event: some follow within the same nanosecond, some within microseconds."""
    kind = draw(m)
    if kind < 0.12:
        gap = 0.0
    elif kind < 0.36:
        gap = 200 + 2_800 * draw(m)
    elif kind < 0.52:
        gap = 5_000 + 200_000 * draw(m) * draw(m)
    else:
        gap = draw_exponential(m) * NS / (0.48 * m.script[m.state[S_SECOND], T_EVENTS])
    m.state[S_CLOCK_NS] += int(gap)
    latency = 90_000 + int(draw_exponential(m) * 60_000)
    m.state[S_RECV_NS] = max(m.state[S_RECV_NS] + 400 + int(draw(m) * 900), m.state[S_CLOCK_NS] + latency)
    m.state[S_IN_DELTA_NS] = 13_000 + int(draw(m) * 6_500)
    m.state[S_SEQUENCE] += 1 + int(draw_exponential(m) * 3)


@kernel
def run(m: Market) -> None:
    """Write whole events into `out` from its begin, until it has no room for another or the script is over.

    In a market whose book is empty they are the orders of the snapshot, and no more.
    """
    m.state[S_ROWS] = 0
    opening = m.state[S_LIVE] == 0
    while m.state[S_ROWS] + EVENT_RECORDS <= m.out.shape[0]:
        if not opening:
            pass_time(m)
        at = (m.state[S_CLOCK_NS] - m.state[S_START_NS]) / NS
        second = int(at)
        if second >= m.script.shape[0] - 1:
            m.state[S_OVER] = 1
            return
        fair = m.script[second, T_FAIR] + (at - second) * (m.script[second + 1, T_FAIR] - m.script[second, T_FAIR])
        if second != m.state[S_SECOND] or m.state[S_LIVE] == 0 or (opening and m.state[S_ROWS] % 16 == 0):
            turn_second(m, second, fair)
        if opening:
            if m.script[second, T_ADD_SHARE] <= STEADY_ADD_SHARE:
                return
            add(m, fair, 0.4)
            continue
        before = m.state[S_ROWS]
        error = fair - 0.5 * (m.state[S_BID] + m.state[S_ASK])
        kind = draw(m)
        trades = 0.024 + 0.012 * min(abs(error), 4.0)
        if kind < trades:
            trade(m, fair, error)
        elif kind < trades + 0.045:
            modify(m, fair)
        elif draw(m) < m.script[second, T_ADD_SHARE]:
            add(m, fair, 0.06)
        else:
            cancel(m, fair, error)
        if m.state[S_ROWS] > before:
            flags = FLAG_LAST + (FLAG_PUBLISHER if draw(m) < 0.7 else 0)
            m.out[m.state[S_ROWS] - 1, W_PACKED] |= flags << FLAGS_SHIFT


def snapshot(m: Market, midnight_ns: int) -> Int64s:
    """Fill an empty market's book; returns the day's snapshot of it: int64[1 + orders, RECORD_WORDS].

    A clear comes first, then the resting orders in the order of their ids, from days old to minutes old.
    """
    run(m)
    orders = m.out[: m.state[S_ROWS]]
    records = np.zeros((len(orders) + 1, RECORD_WORDS), np.int64)
    records[1:] = orders
    records[0, W_PRICE] = UNDEF_PRICE
    records[0, W_PACKED] = (ACTION_CLEAR | SIDE_NONE << 8) << CODE_SHIFT
    records[:, W_HEADER] = HEADER
    records[:, W_PACKED] |= (FLAG_SNAPSHOT | FLAG_BAD_TS_RECV) << FLAGS_SHIFT
    records[-1, W_PACKED] |= FLAG_LAST << FLAGS_SHIFT
    ages_ms = np.geomspace(OLDEST_MS, YOUNGEST_MS, len(orders)).round().astype(np.int64)
    records[:, W_EVENT_NS] = midnight_ns
    records[1:, W_EVENT_NS] -= ages_ms * NS_PER_MS + orders[:, W_ORDER_ID] * 7_919 % NS_PER_MS
    records[:, W_RECV_NS] = midnight_ns
    records[:, W_SEQUENCE] = m.state[S_SEQUENCE] << 32
    m.state[S_NEXT_ID] += 26_000_000  # the night's orders, none of which is left
    m.state[S_SEQUENCE] += 40_000_000
    return records
