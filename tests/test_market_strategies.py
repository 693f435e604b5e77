"""Made-up markets go everywhere, and the oracle keeps its laws in all of them."""

from __future__ import annotations

from hypothesis import given, settings

from tests.market_strategies import CALM, FAR, WILD, markets, random_market
from tests.oracle import GRID_COLUMNS, OracleBook, OracleEngine, Rec, bucket_of
from tests.oracle_book import ANOMALIES, F_LAST, F_MAYBE_BAD_BOOK, F_SNAPSHOT, F_TOB, UNDEFINED_PRICE

TICK = 250_000_000


@settings(max_examples=60, deadline=None)
@given(records=markets(max_events=40))
def test_book_laws(records: list[Rec]) -> None:
    book = OracleBook(TICK)
    for record in records:
        book.apply(record)
    resting = [(side, price, o) for side in "BA" for price, queue in book.orders[side] for o in queue]
    known = {id(o): (o.side, o.price) for publisher in book.publishers.values() for o in publisher.resting.values()}
    assert {id(o): (side, price) for side, price, o in resting} == known
    assert len(known) == len(resting) == book.order_count
    assert all(o.size > 0 and o.pending >= 0 for _, _, o in resting)
    depths: dict[int, int] = {}
    for _, price, o in resting:
        depths[bucket_of(price, TICK)] = depths.get(bucket_of(price, TICK), 0) + o.size
    assert depths == book.ladder.bucket_depths


@settings(max_examples=30, deadline=None)
@given(records=markets(max_events=25))
def test_a_wider_grid_gives_the_same_inner_rows(records: list[Rec]) -> None:
    narrow, wide = OracleEngine(K=5), OracleEngine(K=20)
    for record in records:
        a, b = narrow.apply(record), wide.apply(record)
        assert (a is None) == (b is None)
        if a is not None and b is not None:
            assert all(a[name] == b[name][15:26] for name in GRID_COLUMNS)


def test_made_up_markets_go_everywhere() -> None:
    records = random_market(7, 1500, weights=WILD)
    assert {r.action for r in records} == set("ACMRTFN")
    assert {r.side for r in records} == set("BAN")
    for flag in (F_LAST, F_TOB, F_SNAPSHOT, F_MAYBE_BAD_BOOK):
        assert any(r.flags & flag for r in records)
    assert {0, 2**64 - 1} <= {r.order_id for r in records}
    book = OracleBook(TICK)
    for record in records:
        book.apply(record)
    assert all(book.anomalies[name] for name in ANOMALIES)
    assert records == random_market(7, 1500, weights=WILD)
    assert max(r.price for r in random_market(7, 500, weights=FAR) if r.price != UNDEFINED_PRICE) > 10**14
    assert not any(r.flags & F_TOB for r in random_market(7, 500, weights=CALM))
