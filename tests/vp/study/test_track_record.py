"""The figures of a session so far: their signs, their intervals, and what can be told from chance."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scripts.study_power import of_another, planted_script
from tests.vp.study.made_sessions import samples
from vp.demo.session import DEMO, write_session
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec
from vp.server.history.frame_sampler import FrameSampler
from vp.study.foresight import Resampling, information_coefficients
from vp.study.measure import Measures
from vp.study.running_samples import RunningSamples
from vp.study.samples import MAIN_TARGET, Samples
from vp.study.track_record import SEED, Figure, track_record

FEATURES = ("score", "state", "queue imbalance")
HOUR = 3_600


def shown(count: int, strength: float, seed: int = 1, *, state_move: float = 0.0) -> Samples:
    """As RunningSamples gives them."""
    made = samples(count, strength, seed, state_move=state_move)
    return replace(
        made,
        features={name: made.features[name] for name in FEATURES},
        targets={MAIN_TARGET: made.targets[MAIN_TARGET]},
        interval={},
    )


def first(made: Samples, count: int) -> Samples:
    """The first of some samples."""
    return replace(
        made,
        times_ns=made.times_ns[:count],
        features={name: values[:count] for name, values in made.features.items()},
        targets={name: values[:count] for name, values in made.targets.items()},
        half_spread_ticks=made.half_spread_ticks[:count],
    )


def figure(found: Figure | None) -> Figure:
    assert found is not None
    assert found.low <= found.value <= found.high
    return found


def test_what_followed_a_state_has_its_sign_and_is_told_from_chance() -> None:
    made = shown(HOUR, 0.3, state_move=0.5)
    record = track_record(made)
    up, down, anything = (record.after[label] for label in ("UP", "DOWN", "any"))
    state, move = made.features["state"], made.targets[MAIN_TARGET]
    assert (up.samples, down.samples, anything.samples) == ((state == 1).sum(), (state == -1).sum(), HOUR)
    assert figure(up.mean_move_ticks).value == pytest.approx(move[state == 1].mean())
    assert figure(down.mean_move_ticks).value == pytest.approx(move[state == -1].mean())
    assert figure(up.mean_move_ticks).low > 0 > figure(down.mean_move_ticks).high
    assert figure(up.hit_rate).value == pytest.approx((move[state == 1] > 0).mean())
    assert figure(down.hit_rate).value == pytest.approx((move[state == -1] < 0).mean())
    for found in (up.mean_move_ticks, up.hit_rate, down.mean_move_ticks, down.hit_rate):
        assert figure(found).told_from_chance
    assert figure(anything.hit_rate).value == pytest.approx((move > 0).mean())
    assert not figure(anything.mean_move_ticks).told_from_chance, "it is what the others are held against"
    assert (record.samples, record.blocks, record.half_spread_ticks) == (HOUR, HOUR // 30, 0.5)
    assert record.until_ns == made.times_ns[-1]


def test_the_score_is_held_against_queue_imbalance_by_the_figures_of_the_study() -> None:
    made = shown(HOUR, 0.3)
    record = track_record(made)
    rows = Measures(list(information_coefficients("", made, Resampling(made, SEED))))
    for feature in ("score", "queue imbalance"):
        row = rows.one("ic", feature=feature, target=MAIN_TARGET)
        assert row is not None
        found = figure(record.coefficients[feature])
        assert (found.value, found.low, found.high) == (row.value, row.low, row.high)
    assert figure(record.coefficients["score"]).told_from_chance
    assert not figure(record.coefficients["queue imbalance"]).told_from_chance
    assert figure(record.coefficients["difference"]).low > 0
    turned = replace(made, features=made.features | {"score": -made.features["score"]})
    assert figure(track_record(turned).coefficients["score"]).high < 0


def test_what_foretells_nothing_is_grey() -> None:
    """Scores and states that last, as real ones do, of markets that know nothing of them.

    Intervals alone would tell three of these 48 figures from chance.
    """
    told = []
    for seed in range(16):
        rng = np.random.default_rng(1_000 + seed)
        made = shown(1_500, 0.0, seed)
        swing, drift = (np.convolve(rng.standard_normal(1_559), np.ones(60) / 60**0.5, "valid") for _ in range(2))
        state = np.where(swing > 0.6, 1.0, np.where(swing < -0.6, -1.0, 0.0))
        made = replace(
            made,
            features=made.features | {"score": swing, "state": state},
            targets={MAIN_TARGET: made.targets[MAIN_TARGET] + 2 * drift},
        )
        record = track_record(made)
        told += [
            figure(record.coefficients["score"]).told_from_chance,
            figure(record.after["UP"].mean_move_ticks).told_from_chance,
            figure(record.after["DOWN"].mean_move_ticks).told_from_chance,
        ]
    assert sum(told) <= 1


def test_what_is_short_is_grey_and_what_has_no_interval_is_not_told() -> None:
    record = track_record(shown(890, 0.5, state_move=2.0))
    assert record.blocks == 29
    assert figure(record.after["UP"].mean_move_ticks).low > 0
    assert not figure(record.after["UP"].mean_move_ticks).told_from_chance
    assert not figure(record.coefficients["score"]).told_from_chance
    for count in (0, 1, 20):
        nothing = track_record(first(shown(100, 0.5), count))
        assert nothing.after["UP"].mean_move_ticks is None
        assert nothing.coefficients["score"] is None
        assert nothing.samples == count
    still = shown(HOUR, 0.0)
    still = replace(still, targets={MAIN_TARGET: np.zeros(HOUR)})
    assert track_record(still).after["UP"].hit_rate is None, "nothing moved"


def played(seed: int, strength: float, directory: Path) -> Samples:
    """Samples of the frames that a generated market shows, whose moves follow its liquidity in the given strength."""
    path = directory / "planted.mbo.dbn"
    with path.open("wb") as file:
        write_session(file, seed=seed, script=planted_script(seed, strength))
    spec = SessionSpec(DEMO.product_type, DEMO.symbol, DEMO.dt, lake=str(directory), file=path, throttle_ms=100.0)
    with contextlib.closing(prepare(spec)) as session:
        running = RunningSamples(session.info.tick_int, session.info.emit_from_ns, is_warm=False)
        sampler = FrameSampler(session.layout, running)
        while not session.finished:
            batch = session.advance(None, 64)
            if batch.count:
                sampler.take(batch.buffer, int(batch.ts_ns[-1]))
    sampler.hand_on()
    return running.samples()


@pytest.mark.long
def test_a_planted_market_is_told_from_chance_with_its_sign_and_one_without_a_signal_is_grey(tmp_path: Path) -> None:
    up, turned = played(1, 0.8, tmp_path), played(2, -0.8, tmp_path)
    for made, way in ((up, 1), (turned, -1)):
        record = track_record(made)
        assert record.blocks >= 70
        score = figure(record.coefficients["score"])
        assert score.told_from_chance
        assert way * score.value > 0.1
        for label, side in (("UP", 1), ("DOWN", -1)):
            assert way * side * figure(record.after[label].mean_move_ticks).value > 0
    strange = track_record(of_another(up, turned))
    assert not figure(strange.coefficients["score"]).told_from_chance
    assert not figure(strange.after["UP"].mean_move_ticks).told_from_chance
    assert not figure(strange.after["DOWN"].mean_move_ticks).told_from_chance
