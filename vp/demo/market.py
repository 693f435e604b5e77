"""A small market: orders come, move, trade and go around a fair price.

The market knows nothing of episodes. It follows a script, one row a second: where the fair price is, how busy
the market is, and how deep each side wants to be at which prices. Orders are added and cancelled so that the
depth of each level tends to what is wanted there, and the aggressors pull the price towards the fair one.
"""

from __future__ import annotations

import math
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
    O_ID,
    O_LEVEL,
    O_LIVE,
    O_NEXT,
    O_SIDE,
    O_SIZE,
    RECENT,
    RECORD_WORDS,
    S_ASK,
    S_BID,
    S_CLOCK_NS,
    S_FILLS,
    S_IN_DELTA_NS,
    S_LIVE,
    S_NEXT_ID,
    S_OVER,
    S_RECENTS,
    S_RECV_NS,
    S_ROWS,
    S_SECOND,
    S_SEQUENCE,
    S_START_NS,
    S_WALL,
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
from vp.demo.exponential import exponential
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

EDGE: Final = 40  # no orders this close to either end of the levels
FLAG_PUBLISHER: Final = 2  # stands beside FLAG_LAST on many records of a real file

D_PROFILE: Final = 0  # depth wanted by distance from the fair price
D_TEXTURE: Final = 1  # times this, by level
DEPTH_COLUMNS: Final = 2

# A row of the script (float64).
T_FAIR: Final = 0  # fair price in levels, at the second's begin
T_EVENTS: Final = 1  # market events per second
T_ORIGIN: Final = 2  # an episode builds behind this level and drains ahead of it ...
T_DIRECTION: Final = 3  # ... seen in this direction: 1 up, -1 down, 0 no episode
T_REACH: Final = 4  # how many levels ahead
T_BUILD: Final = 5  # wanted depth behind, times 1 + build
T_DRAIN: Final = 6  # wanted depth ahead, times 1 - drain
T_ADD_SHARE: Final = 7  # the market's own notes: how the flow has to lean for the depth to become what is wanted
T_BID_ADDS: Final = 8
T_BID_CANCELS: Final = 9
SCRIPT_COLUMNS: Final = 10

BUILD_REACH: Final = 34  # levels behind the origin
NEAR: Final = 64  # levels around the fair price whose depth steers the flow
STEADY_ADD_SHARE: Final = 0.52  # trades take some, so that adds outweigh cancels
NS: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
OLDEST_MS: Final = 12 * 86_400_000  # of the orders in the snapshot
YOUNGEST_MS: Final = 60_000


@routine
def wanted_depth(m: Market, side: int, level: int, fair: float) -> float:
    """Depth that a side wants at a level."""
    distance = level - fair if side == SELL else fair - level
    if distance < 0:
        return 0.4
    depth: float = m.depths[int(distance), D_PROFILE] * m.depths[level, D_TEXTURE]
    second = m.state[S_SECOND]
    direction = m.script[second, T_DIRECTION]
    ahead = (level - m.script[second, T_ORIGIN]) * direction
    margin = m.script[second, T_REACH] - ahead
    if direction == 0 or ahead < -BUILD_REACH or margin < 0:
        return depth
    if (side == BUY) == (direction > 0):
        depth *= 1 + m.script[second, T_BUILD]
    elif ahead >= -3:
        depth *= 1 - m.script[second, T_DRAIN] * min(1.0, (margin + 1) / 6)
    return depth


@routine
def choose_level(m: Market, side: int, fair: float, far_share: float) -> int:
    """A level where a side wants more depth and an order would not trade; 0 if none was found."""
    for _ in range(12):
        kind = draw(m)
        if kind < far_share:
            distance = 60 * exponential(draw(m) * 2.4)
        elif kind < 0.5:
            distance = draw(m) * 62
        else:
            distance = draw_exponential(m) * 8
        if side == BUY:
            level = math.floor(fair) - int(distance)
            passive = level < m.state[S_ASK]
        else:
            level = math.ceil(fair) + int(distance)
            passive = level > m.state[S_BID]
        if not passive or level < EDGE or level > LEVELS - EDGE:
            continue
        if draw(m) * 2 * wanted_depth(m, side, level, fair) > m.levels[level, L_DEPTH]:
            return level
    return 0


@routine
def choose_size(m: Market, missing: float) -> int:
    """Size of an order for a level that misses so much depth: mostly small, now and then large."""
    if missing > 25 and draw(m) < 0.2:
        return int(min(missing, 120.0) * (0.15 + 0.4 * draw(m)))
    kind = draw(m)
    if kind < 0.70:
        return 1
    if kind < 0.84:
        return 2
    if kind < 0.965:
        return 3 + int(draw(m) * 3)
    if kind < 0.996:
        return 6 + int(draw(m) * 5)
    return 10 + int(draw_exponential(m) * 14)


@routine
def choose_order(m: Market, side: int, fair: float) -> int:
    """A resting order of a side, out of levels that are too deep rather than others; NO_ORDER if none was found."""
    for _ in range(24):
        if draw(m) < 0.5:
            recent = S_RECENTS + 2 * int(draw(m) * RECENT)
            slot: int = m.state[recent]
            if m.state[recent + 1] == 0 or m.orders[slot, O_ID] != m.state[recent + 1]:
                continue
        else:
            slot = m.orders[int(draw(m) * m.state[S_LIVE]), O_LIVE]
        level = m.orders[slot, O_LEVEL]
        if m.orders[slot, O_SIDE] != side or (abs(level - fair) > 2 * NEAR and draw(m) > 0.1):
            continue
        if draw(m) * 2 * wanted_depth(m, side, level, fair) < m.levels[level, L_DEPTH]:
            return slot
    return NO_ORDER


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
def turn_second(m: Market, second: int, fair: float) -> None:
    """Let walls come and go, and judge on which side how much depth is missing."""
    m.state[S_SECOND] = second
    while m.state[S_WALL] < m.walls.shape[0] and m.walls[m.state[S_WALL], 0] <= second:
        m.depths[int(m.walls[m.state[S_WALL], 1]), D_TEXTURE] = m.walls[m.state[S_WALL], 2]
        m.state[S_WALL] += 1
    lean = 0.0
    wanted = 0.0
    resting = 0.0
    for i in range(2):
        side = SELL if i == 0 else BUY
        side_wanted = 0.0
        side_resting = 0.0
        for distance in range(NEAR):
            level = math.ceil(fair) + distance if i == 0 else math.floor(fair) - distance
            side_wanted += wanted_depth(m, side, level, fair)
            if (level >= m.state[S_ASK]) if i == 0 else (level <= m.state[S_BID]):
                side_resting += m.levels[level, L_DEPTH]
        lean += (1 - side_resting / side_wanted) * (2 * i - 1)
        wanted += side_wanted
        resting += side_resting
    missing = 1 - resting / wanted
    m.script[second, T_ADD_SHARE] = min(max(STEADY_ADD_SHARE + missing, 0.38), 0.64)
    m.script[second, T_BID_ADDS] = min(max(0.5 + 1.2 * lean, 0.15), 0.85)
    m.script[second, T_BID_CANCELS] = min(max(0.5 - 1.2 * lean, 0.15), 0.85)


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
