"""What a study comes to, in words: first whether it can tell anything at all."""

from __future__ import annotations

from math import isfinite

from vp.study.foresight import RIVAL, block_seconds
from vp.study.measure import Measure
from vp.study.samples import MAIN_TARGET
from vp.study.study import Study

LEAST_BLOCKS = 30
MOST_LUCK = 0.01  # share of shifts that may show as much: with 0.05, one verdict in twelve was a false alarm


def sentences(study: Study) -> list[str]:
    """The verdict on the first set of parameters."""
    name = study.sets[0].name
    score = study.measures.one("ic", parameters=name, feature="score", target=MAIN_TARGET)
    short = _too_short(study, name, score)
    if short or score is None:
        return [short or f"Too short to tell: no sample has a move over {MAIN_TARGET} to be held against."]
    return [_foresight(study, name, score), *_addition(study, name), *_cost(study, name), _scope(study)]


def told_from_chance(study: Study, name: str) -> bool:
    """Whether the score's IC over the main horizon is beyond chance, by its interval and by shifts in time."""
    score = study.measures.one("ic", parameters=name, feature="score", target=MAIN_TARGET)
    luck = study.measures.one("shift_p", parameters=name, feature="score", target=MAIN_TARGET)
    return score is not None and luck is not None and score.differs_from_0 and luck.value <= MOST_LUCK


def _too_short(study: Study, name: str, score: Measure | None) -> str:
    seconds = block_seconds(MAIN_TARGET)
    samples = score.count if score else 0
    blocks = samples * study.period_seconds // seconds
    if blocks < LEAST_BLOCKS:
        return (
            f"Too short to tell: {samples:,} samples are {blocks} blocks of {seconds} seconds, and nothing can be "
            f"told from fewer than {LEAST_BLOCKS}."
        )
    planted = study.measures.one("planted_ic", parameters=name)
    if planted is None or not planted.low > 0:
        return "Too short to tell: not even a signal that was planted into these samples is found in them."
    return ""


def _foresight(study: Study, name: str, score: Measure) -> str:
    rival = study.measures.one("ic", parameters=name, feature=RIVAL, target=MAIN_TARGET)
    beside = f"; {RIVAL} has {figure(rival)}" if rival else ""
    rank = f"its rank correlation with the mid's move is {figure(score)}{beside}"
    if not told_from_chance(study, name):
        luck = study.measures.one("shift_p", parameters=name, feature="score", target=MAIN_TARGET)
        if luck and score.differs_from_0:
            rank += f"; the same score shifted in time shows as much in {luck.value:.0%} of all shifts"
        return f"Over {MAIN_TARGET} the score cannot be told from chance here: {rank}."
    if score.value < 0:
        return f"Over {MAIN_TARGET} the score pointed the wrong way here: {rank}."
    above = study.measures.one("ic_above_rival", parameters=name, target=MAIN_TARGET)
    if above is None or not above.differs_from_0:
        less = "neither more nor less than queue imbalance as far as can be told"
    else:
        less = "more than queue imbalance" if above.value > 0 else "less than queue imbalance"
    return f"Over {MAIN_TARGET} the score foretold the mid here, {less}: {rank}."


def _addition(study: Study, name: str) -> list[str]:
    partial = study.measures.one("partial_ic", parameters=name, target=MAIN_TARGET)
    gained = study.measures.one("oos_ic_gained", parameters=name, target=MAIN_TARGET)
    if partial is None:
        return []
    if not partial.differs_from_0 or not told_from_chance(study, name):
        adds = "adds nothing that can be told from chance"
    elif partial.high < 0:
        adds = "adds nothing, it points the other way"
    elif gained is None or not gained.low > 0:
        adds = "adds something here that does not last from the first half to the later"
    else:
        adds = "adds something"
    sentence = f"To queue imbalance, order flow and momentum it {adds} (partial correlation {figure(partial)}"
    return [sentence + (f"; gained out of sample {figure(gained)})." if gained else ").")]


def _cost(study: Study, name: str) -> list[str]:
    ways = {"UP": 1.0, "DOWN": -1.0}
    found = {state: study.measures.one("mean_move", parameters=name, target=MAIN_TARGET, group=state) for state in ways}
    known = {state: row for state, row in found.items() if row is not None and isfinite(row.low)}
    if not known:
        return []
    best = max(known, key=lambda state: ways[state] * known[state].value)
    row, way = known[best], ways[best]
    cost = study.half_spread_ticks + study.fees_ticks
    least = row.low if way > 0 else -row.high
    pays = "more than" if least > cost else "not more than"
    fees = f" and {study.fees_ticks:.2f} of fees" if study.fees_ticks else ""
    return [
        f"After {best} the mid moved {figure(row)} ticks on average over {MAIN_TARGET}: {pays} the "
        f"{study.half_spread_ticks:.2f} ticks of half the spread{fees}."
    ]


def _scope(study: Study) -> str:
    if len(study.sources) == 1:
        return "One session says little about others."
    return f"These are {len(study.sources)} sessions; they say little about other times."


def figure(row: Measure | None) -> str:
    """A value with its interval, as text."""
    if row is None or not isfinite(row.value):
        return "unknown"
    if not isfinite(row.low) or not isfinite(row.high):
        return f"{row.value:.3f} [no interval]"
    return f"{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]"
