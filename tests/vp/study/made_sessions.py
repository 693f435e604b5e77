"""Sampled sessions made by hand, and samples of which it is known what they foretell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vp.kernels.contract import CHANGE_VALID, CHANGE_WORDS, SCALAR_COLUMNS
from vp.study.sampled_session import SampledSession
from vp.study.samples import BASELINES, MAIN_HORIZON_SECONDS, TARGETS, Samples

NS = 1_000_000_000
START_NS = 1_770_388_200 * NS
TICK = 250_000_000


def session(
    mids: list[float], changes: Sequence[tuple[float, int, float, int]] | None = None, **columns: list[float]
) -> SampledSession:
    """A frame at every second with these mids in ticks, half a tick to either side; an event end for each.

    `changes`: (second, event ends, mid in ticks, flags), unless they are those of the mids.
    """
    count = len(mids)
    times = START_NS + np.arange(count) * NS
    values: dict[str, Any] = dict.fromkeys(SCALAR_COLUMNS, np.zeros(count))
    values |= {"ts_ns": times, "bid_size": np.full(count, 10), "ask_size": np.full(count, 10)}
    values["bid_price"] = np.array([round((mid - 0.5) * TICK) for mid in mids])
    values["ask_price"] = values["bid_price"] + TICK
    values |= {name: np.array(value) for name, value in columns.items() if name != "flow"}
    if changes is None:
        moved = [i for i in range(count) if i == 0 or mids[i] != mids[i - 1]]
        changes = [(i, i + 1, mids[i], CHANGE_VALID) for i in moved]
    rows = [(START_NS + round(at * NS), ends, round(2 * mid * TICK), flags, TICK) for at, ends, mid, flags in changes]
    flow = np.array(columns.get("flow", [0] * count), np.int64)
    return SampledSession(
        contract="MNQH6",
        dt="2026-02-06",
        tick_int=TICK,
        columns=values,
        event_ends=np.arange(1, count + 1),
        flow=np.stack([flow, *[2 * flow] * 9], axis=1),
        changes=np.array(rows, np.int64).reshape(-1, CHANGE_WORDS),
        from_ns=START_NS,
        last_ns=int(times[-1]),
        last_event_end=count,
        warm_from_ns=int(times[0]),
    )


def samples(
    count: int, strength: float, seed: int = 1, *, half_spread_ticks: float = 0.5, state_move: float = 0.0
) -> Samples:
    """Samples whose score has about this correlation with the move over the main horizon, and whose rivals have none.

    `state_move`: ticks by which the move after UP is larger, and after DOWN smaller.
    """
    rng = np.random.default_rng(seed)
    future = rng.standard_normal(count + MAIN_HORIZON_SECONDS)
    move = np.convolve(future, np.ones(MAIN_HORIZON_SECONDS), "valid")[:count]
    score = strength * move / move.std() + np.sqrt(1 - strength**2) * rng.standard_normal(count)
    state = np.where(score > 0.7, 1, np.where(score < -0.7, -1, 0)).astype(float)
    move = move + state_move * state
    features = {"score": score, "state": state, "strength": np.abs(score)}
    features |= {name: rng.standard_normal(count) for name in BASELINES}
    targets = {name: move.copy() for name in TARGETS}
    targets["next move"] = np.sign(move)
    return Samples(
        START_NS + np.arange(count) * NS,
        features,
        targets,
        np.full(count, half_spread_ticks),
        {"move": move, "order flow": move + rng.standard_normal(count)},
        1,
    )
