"""What a market wants, and what it chooses by it: how deep each side is to be, where, and with which orders.

The script says it, one row a second: where the fair price is, how busy the market is, and which side builds or drains
at which prices.
"""

from __future__ import annotations

import math
from typing import Final

from vp.demo.book import (
    BUY,
    L_DEPTH,
    LEVELS,
    NO_ORDER,
    O_ID,
    O_LEVEL,
    O_LIVE,
    O_SIDE,
    RECENT,
    S_ASK,
    S_BID,
    S_LIVE,
    S_RECENTS,
    S_SECOND,
    S_WALL,
    SELL,
    Market,
    draw,
    draw_exponential,
)
from vp.demo.compiled import routine
from vp.demo.exponential import exponential

EDGE: Final = 40  # no orders this close to either end of the levels

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
