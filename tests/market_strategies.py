"""Made-up markets for tests: record sequences that go into every corner of the contract.

A market is a list of event kinds, each written out as one or more records. `markets()` is the hypothesis
strategy (kinds shrink one by one), `random_market()` the same from a seed, for long runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

from tests.market_writer import KINDS, SESSION_START_NS, MarketWriter
from tests.oracle_book import Rec

CALM = {
    "add": 30,
    "add_far": 4,
    "cancel": 16,
    "cancel_part": 6,
    "modify_size": 8,
    "modify_price": 6,
    "trade_through": 12,
    "quote": 6,
    "drift": 5,
    "burst": 3,
    "trade": 2,
}
"""What an ordinary market does."""

WILD = dict.fromkeys(KINDS, 4) | {
    "add": 40,
    "quote": 40,
    "cancel": 10,
    "trade_through": 10,
    "add_stub": 1,
    "clear": 1,
    "clear_and_rebuild": 1,
    "bad_book": 1,
    "snapshot": 2,
    "top_of_book": 1,
    "price_levels_among_orders": 1,
    "ahead_of_receipt": 2,
    "before_the_window": 2,
    "undefined_time": 1,
    "jump": 2,
    "jump_far": 0,
    "add_stub_across": 0,
}
"""Everything that can go wrong, spot hardly ever so far away that a bucket may be forgotten."""

FAR = WILD | {"jump_far": 2, "add_stub": 4, "add_stub_across": 1}
"""The same with spot going thousands of ticks away: compare frames leniently."""


def random_market(
    seed: int,
    events: int,
    *,
    weights: dict[str, int] = WILD,
    tick_int: int = 250_000_000,
    start_ns: int = SESSION_START_NS,
) -> list[Rec]:
    """A market of so many events from a seed, its kinds chosen by weight: `CALM`, `WILD` or `FAR`."""
    rng = Random(seed)
    kinds = rng.choices(list(weights), list(weights.values()), k=events)
    return write_market(kinds, rng, tick_int=tick_int, start_ns=start_ns)


def write_market(
    kinds: Sequence[str], rng: Random, *, tick_int: int = 250_000_000, start_ns: int = SESSION_START_NS
) -> list[Rec]:
    """The records of a list of event kinds."""
    writer = MarketWriter(rng, tick_int=tick_int, start_ns=start_ns)
    for kind in kinds:
        writer.write(kind)
    return writer.records


@st.composite
def markets(
    draw: st.DrawFn,
    *,
    max_events: int = 60,
    kinds: Sequence[str] = tuple(KINDS),
    tick_int: int = 250_000_000,
    start_ns: int = SESSION_START_NS,
) -> list[Rec]:
    """Record sequences of up to `max_events` events of the given kinds, a two-sided quote first or not."""
    opening = ["quote"] if draw(st.booleans()) else []
    rest = draw(st.lists(st.sampled_from(list(kinds)), max_size=max_events))
    rng = Random(draw(st.integers(0, 2**32 - 1)))
    return write_market(opening + rest, rng, tick_int=tick_int, start_ns=start_ns)
