"""What happens in the demonstration session, second by second: price, activity, depth, and the episodes.

An episode is the story that VP is about. For 20 to 60 seconds liquidity builds behind the price (pressure)
and drains ahead of it (vacuum); then the price moves ahead. Some are false: the price stays, or turns back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from vp.demo.book import LEVELS, MIDDLE
from vp.demo.wanted_depth import (
    D_PROFILE,
    D_TEXTURE,
    DEPTH_COLUMNS,
    EDGE,
    SCRIPT_COLUMNS,
    T_BUILD,
    T_DIRECTION,
    T_DRAIN,
    T_EVENTS,
    T_FAIR,
    T_ORIGIN,
    T_REACH,
)
from vp.kernels.state import Float64s

SESSION_SECONDS: Final = 13_200  # 08:50 to 12:30 ET
OPEN_SECOND: Final = 2_400  # 09:30 ET
NEWS_SECOND: Final = 4_200  # 10:00 ET
MOST_TEXTURE: Final = 6.0  # of a wall that comes
DIGITS: Final = 9  # kept of the script: the last bits of an exponential differ between processors


@dataclass(frozen=True)
class Episode:
    """One build-up and what became of it.

    Attributes
    ----------
    lead_second, move_second, end_second : int
        Liquidity builds and drains from the first to the second, the price moves from there to the third;
        seconds since the session's begin.
    direction : int
        Where it points: 1 up, -1 down.
    ticks : int
        How far the price goes that way; 0 or less for a false one.
    strength : float
        0.5 to 1.2: how much is built and drained.
    """

    lead_second: int
    move_second: int
    end_second: int
    direction: int
    ticks: int
    strength: float


@dataclass(frozen=True)
class Script:
    """All that the market follows (see vp.demo.book.Market)."""

    episodes: tuple[Episode, ...]
    rows: Float64s  # [seconds + 1, SCRIPT_COLUMNS]
    depths: Float64s  # [LEVELS, DEPTH_COLUMNS]
    walls: Float64s  # [n, 3]

    def part(self, first: int, seconds: int | None = None) -> Script:
        """The same from second `first` on, for so many seconds."""
        stop = len(self.rows) if seconds is None else first + seconds + 1
        return replace(self, rows=self.rows[first:stop], walls=self.walls - (first, 0, 0))


# The first two after the open are set, so that a newcomer who starts at 09:30 sees one of each soon.
SET_EPISODES: Final = (
    Episode(OPEN_SECOND + 55, OPEN_SECOND + 90, OPEN_SECOND + 135, 1, 34, 1.25),
    Episode(OPEN_SECOND + 270, OPEN_SECOND + 308, OPEN_SECOND + 358, -1, 36, 1.1),
)


def write_script(seed: int) -> Script:
    """The script of the whole session; the same for the same seed."""
    rng = np.random.default_rng(seed)
    episodes = _draw_episodes(rng)
    rows = np.zeros((SESSION_SECONDS + 1, SCRIPT_COLUMNS))
    rows[:, T_EVENTS] = _activity(rng, episodes)
    rows[:, T_FAIR] = _fair_price(rng, episodes, rows[:, T_EVENTS])
    for episode, following in zip(episodes, (*episodes[1:], None), strict=True):
        _stage(rows, episode, following.lead_second if following else SESSION_SECONDS)
    depths = np.zeros((LEVELS, DEPTH_COLUMNS))
    depths[:, D_PROFILE] = _profile()
    depths[:, D_TEXTURE] = _texture(rng)
    walls = _walls(rng, rows[:, T_FAIR], depths[:, D_TEXTURE])
    return Script(episodes, rows.round(DIGITS), depths.round(DIGITS), walls.round(DIGITS))


def _draw_episodes(rng: np.random.Generator) -> tuple[Episode, ...]:
    episodes: list[Episode] = []
    second = 130
    offset = 0.0  # ticks from where the session began: the farther, the likelier a way back
    while second < SESSION_SECONDS - 200:
        given = next((e for e in SET_EPISODES if e not in episodes and e.lead_second < second + 300), None)
        if given:
            episode = given
        else:
            lead = second + int(rng.uniform(24, 52))
            end = lead + int(rng.uniform(24, 80))
            direction = 1 if rng.random() < 0.5 - 0.4 * np.tanh(offset / 120) else -1
            strength = float(rng.uniform(0.6, 1.15))
            ticks = int(np.clip(rng.normal(26 * strength, 6), 10, 40))
            if rng.random() < 0.2:
                ticks = -int(rng.integers(0, 8))
            episode = Episode(second, lead, end, direction, ticks, strength)
        episodes.append(episode)
        offset += episode.direction * episode.ticks
        second = max(episode.lead_second + int(rng.uniform(170, 360)), episode.end_second + 110)
    return tuple(episodes)


def _smooth_noise(rng: np.random.Generator, count: int, tau_seconds: float) -> Float64s:
    """Noise of deviation 1 that forgets itself within `tau_seconds` (an Ornstein-Uhlenbeck process)."""
    keep = np.exp(-1 / tau_seconds)
    kicks = rng.normal(0, np.sqrt(1 - keep * keep), count)
    noise = np.empty(count)
    value = 0.0
    for i, kick in enumerate(kicks):
        value = keep * value + kick
        noise[i] = value
    return noise


def _activity(rng: np.random.Generator, episodes: tuple[Episode, ...]) -> Float64s:
    """Market events per second: a quiet pre-open, a burst at the open, a decay to midday, a bump of news."""
    seconds = np.arange(SESSION_SECONDS + 1.0)
    since = seconds - OPEN_SECOND
    quiet = 55 + 35 * np.clip(since + 2_400, 0, 2_400) / 2_400
    trading = 90 + 130 * np.exp(-since / 2_700) + 110 * np.exp(-since / 400) + 450 * np.exp(-since / 22)
    events = np.where(since < 0, quiet, trading)
    news = seconds - NEWS_SECOND
    events *= 1 + np.where(news >= 0, 1.2 * np.exp(-news / 45), 0.0)
    for e in episodes:
        events[e.lead_second : e.move_second] *= 0.85
        events[e.move_second : e.end_second] *= 1.0 + 0.15 * (e.ticks > 0)
    busy = 0.22 * _smooth_noise(rng, len(events), 40) + 0.28 * _smooth_noise(rng, len(events), 2)
    return np.asarray(events * np.exp(busy - 0.06))


def _fair_price(rng: np.random.Generator, episodes: tuple[Episode, ...], events: Float64s) -> Float64s:
    """Fair price in levels: chop around a base that only episodes move."""
    count = SESSION_SECONDS + 1
    base = np.full(count, MIDDLE + 0.5)
    for e in episodes:
        share = np.clip((np.arange(count) - e.move_second) / (e.end_second - e.move_second), 0, 1)
        base += e.direction * e.ticks * share * share * (3 - 2 * share)
    busy = np.clip(np.sqrt(events / 150), 0.6, 1.9)
    chop = 1.7 * busy * _smooth_noise(rng, count, 5) + 2.2 * busy * _smooth_noise(rng, count, 30)
    chop += 3.5 * _smooth_noise(rng, count, 150)
    chop[0] = 0
    return base + chop


def _stage(rows: Float64s, e: Episode, until: int) -> None:
    """Write into the script what an episode builds and drains, until the next one begins."""
    seconds = np.arange(e.lead_second, until)
    part = rows[seconds]
    built = np.clip((seconds - e.lead_second) / (e.move_second - e.lead_second), 0, 1)
    moved = np.clip((seconds - e.move_second) / (e.end_second - e.move_second), 0, 1)
    faded = np.clip((seconds - e.end_second) / (until - e.end_second), 0, 1)
    # A slow market has not the flow for as much.
    strength = e.strength * built * (1 - faded) * np.clip(np.sqrt(part[0, T_EVENTS] / 180), 0.6, 1)
    part[:, T_ORIGIN] = rows[e.lead_second, T_FAIR]
    part[:, T_DIRECTION] = e.direction
    part[:, T_REACH] = max(e.ticks, 14) + 12 + 0.7 * moved * max(e.ticks, 0)
    part[:, T_BUILD] = strength
    part[:, T_DRAIN] = 0.78 * np.minimum(strength, 1.15)
    rows[seconds] = part


def _profile() -> Float64s:
    """Depth wanted by distance from the fair price, in contracts: thin at the touch, a hump, a long tail."""
    d = np.arange(LEVELS)
    near = (9 + 26 * (1 - np.exp(-d / 5))) * np.exp(-d / 75)
    profile: Float64s = np.maximum(near, 5 * np.exp(-d / 400)) + 0.6
    return profile


def _texture(rng: np.random.Generator) -> Float64s:
    """How much more or less than usual rests at each price, the whole session long: more at round prices."""
    texture: Float64s = np.exp(rng.normal(-0.05, 0.3, LEVELS))
    level = np.arange(LEVELS) - MIDDLE  # MIDDLE is a round price
    for every, factor in ((4, 1.25), (20, 1.5), (40, 1.3), (100, 1.6), (400, 1.3)):
        texture[level % every == 0] *= factor
    return texture


def _walls(rng: np.random.Generator, fair: Float64s, texture: Float64s) -> Float64s:
    """Walls that come for a while: rows of (second, level, texture), by second."""
    rows = []
    begins = np.cumsum(rng.exponential(9.0, SESSION_SECONDS // 8))
    for begin in begins[begins < SESSION_SECONDS - 1]:
        away = rng.choice((-1, 1)) * (3 + rng.exponential(18))
        level = int(np.clip(fair[int(begin)] + away, EDGE, LEVELS - EDGE))
        rows.append((begin, level, min(texture[level] * rng.uniform(2.2, 4.5), max(texture[level], MOST_TEXTURE))))
        rows.append((begin + 20 + rng.exponential(90), level, texture[level]))
    return np.array(sorted(rows), np.float64)
