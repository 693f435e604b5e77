"""Frames as they lie in messages, handed on to be sampled by the second."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vp.server.tiny import LAYOUT, START_NS, messages
from vp.server.history import frame_sampler
from vp.server.history.frame_sampler import FrameSampler
from vp.study.running_samples import RunningSamples
from vp.study.samples import Samples

TICK = 250_000_000
FRAMES = 2_000
CLOCKS = START_NS + np.arange(FRAMES) * 70_000_000


def columns() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    bid = (80_000 + np.cumsum(rng.integers(-1, 2, FRAMES))) * TICK
    return {
        "bid_price": bid,
        "ask_price": bid + TICK,
        "bid_size": rng.integers(1, 90, FRAMES),
        "ask_size": rng.integers(1, 90, FRAMES),
        "score": rng.normal(0, 0.2, FRAMES).astype(np.float32),
        "state": rng.integers(-1, 2, FRAMES),
        "book_valid": np.where(np.arange(FRAMES) // 3 == 40, 0, 1),
    }


def taking(at_once: int) -> FrameSampler:
    sampler = FrameSampler(LAYOUT, RunningSamples(TICK, START_NS, is_warm=True))
    made = messages(CLOCKS, 0, FRAMES, columns())
    for first in range(0, FRAMES, at_once):
        some = made[first : first + at_once]
        sampler.take(some, int(CLOCKS[min(first + at_once, FRAMES) - 1]))
    return sampler


@pytest.mark.parametrize(("at_once", "most_waiting"), [(1, 256), (1, 5), (37, 256)])
def test_samples_are_those_of_the_columns(at_once: int, most_waiting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_sampler, "MOST_WAITING", most_waiting)
    monkeypatch.setattr(frame_sampler, "SECONDS_APART", 0.0)
    found = taking(at_once).samples.samples()
    assert all_of_them() - len(found) in {0, 1}, "the second that goes on waits"
    agree(found)


def test_seconds_that_pass_at_once_are_sampled_together_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_sampler, "SECONDS_APART", 3_600.0)
    sampler = taking(37)
    early = sampler.samples.samples()
    assert len(early) < 5
    sampler.hand_on()
    assert len(sampler.samples.samples()) == all_of_them()
    agree(sampler.samples.samples())
    sampler.hand_on()
    assert len(sampler.samples.samples()) == all_of_them()


def directly() -> Samples:
    direct = RunningSamples(TICK, START_NS, is_warm=True)
    direct.take({"ts_ns": CLOCKS, **columns()})
    return direct.samples()


def all_of_them() -> int:
    return len(directly())


def agree(found: Samples) -> None:
    expected, count = directly(), len(found)
    assert count > 40
    assert np.array_equal(found.times_ns, expected.times_ns[:count])
    for name, values in found.features.items():
        assert np.array_equal(values, expected.features[name][:count]), name
    assert np.array_equal(found.half_spread_ticks, expected.half_spread_ticks[:count])
