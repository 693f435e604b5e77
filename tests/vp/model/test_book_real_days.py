"""The book over real exchange data, against what the exchange says itself."""

from __future__ import annotations

import csv
import gzip
from typing import Any

import numpy as np
import pytest

from tests.agreement import TICK
from tests.oracle_book import F_SNAPSHOT
from tests.places import DATA
from vp.dbn.accounting import ORDINARY_TALLIES
from vp.dbn.file import DbnFile
from vp.dbn.reader import read_events
from vp.model.book import Book

needs_data = pytest.mark.skipif(not (DATA / "README.md").exists(), reason="the shared data are not beside the checkout")

CENT = 10_000_000


def ten_best(book: Book) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
    """Ten best bid and ask levels as (price, size, orders), summed over the rows of the book's table."""
    table = book.to_arrow()
    bids = int(np.count_nonzero(table["side"].to_numpy() == "B"))
    price, size, level = (table[name].to_numpy() for name in ("price", "size", "level"))
    found = []
    for rows in (slice(0, bids), slice(bids, None)):
        counts = np.bincount(level[rows])
        sizes = np.bincount(level[rows], weights=size[rows]).astype(int)
        starts = np.cumsum(counts) - counts
        found.append(list(zip(price[rows][starts].tolist(), sizes.tolist(), counts.tolist(), strict=True))[:10])
    return found[0], found[1]


def csv_levels(row: dict[str, str], side: str) -> list[tuple[int, int, int]]:
    numbered = [(f"{side}_px_{i:02}", f"{side}_sz_{i:02}", f"{side}_ct_{i:02}") for i in range(10)]
    return [(round(float(row[px]) * 1e9), int(row[sz]), int(row[ct])) for px, sz, ct in numbered if row[px]]


@needs_data
def test_book_of_a_nasdaq_day_equals_its_mbp10() -> None:
    events = read_events(DbnFile(DATA / "xnas-itch-20250717.mbo.dbn"))
    assert len(events) == 5886
    with gzip.open(DATA / "xnas-itch-20250717.mbp-10.csv.gz", "rt", newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == 3928
    record_of: dict[tuple[int, str, int], int] = {}
    last_of: dict[int, int] = {}
    columns = events.columns
    keys = zip(columns.sequence.tolist(), map(chr, columns.action), columns.order_id.tolist(), strict=True)
    for i, key in enumerate(keys):
        record_of[key] = last_of[key[0]] = i

    wanted: dict[int, list[dict[str, str]]] = {}
    for row in rows:
        sequence = int(row["sequence"])
        of_row = last_of[sequence] if row["action"] == "T" else record_of[sequence, row["action"], int(row["order_id"])]
        wanted.setdefault(of_row, []).append(row)

    book = Book(CENT, 50 * CENT)
    at = 0
    for i in sorted(wanted):
        at += book.fast_forward(events.slice(at, i + 1))
        got = ten_best(book)
        for row in wanted[i]:
            assert got == (csv_levels(row, "bid"), csv_levels(row, "ask")), f"row {row['']}"
    book.fast_forward(events, at)
    assert {name for name, count in book.tallies().items() if count} == {"applied", "ignored_trade", "ignored_fill"}
    assert book.event_id == 5886


@needs_data
@pytest.mark.parametrize(
    ("name", "tick_int", "records", "anomalies", "resting", "best"),
    [
        pytest.param(
            "glbx-mdp3-20231225.mbo.dbn.zst",
            TICK,
            68_792,
            {"unknown_fill": 7, "crossed_book": 891},
            11_217,
            (4_810_000_000_000, 4_810_250_000_000),
            id="ESH4",
        ),
        pytest.param(
            "glbx-mdp3-20250924.mbo.dbn",
            CENT,
            38_212,
            {"unknown_cancel": 1224, "unknown_modify": 216, "unknown_fill": 30, "crossed_book": 172},
            None,
            None,
            id="CLX5",
        ),
    ],
)
def test_real_days(
    name: str, tick_int: int, records: int, anomalies: dict[str, int], resting: int | None, best: Any
) -> None:
    events = read_events(DbnFile(DATA / name))
    book = Book(tick_int)
    assert book.fast_forward(events) == len(events) == book.event_id == records
    found = {key: count for key, count in book.tallies().items() if count}
    assert sum(found.pop(name, 0) for name in ORDINARY_TALLIES) + found.get("unknown_cancel", 0) == records
    assert found == anomalies
    if resting is not None:
        assert (book.order_count, (book.best_bid, book.best_ask)) == (resting, best)
    small = Book(tick_int, dense_levels=64)
    small.fast_forward(events)
    assert small.to_arrow().equals(book.to_arrow(), check_metadata=True)


@needs_data
def test_snapshot_of_a_real_day_ends_where_the_first_other_record_stands() -> None:
    events = read_events(DbnFile(DATA / "glbx-mdp3-20231225.mbo.dbn.zst"))
    snapshot = np.flatnonzero(events.columns.flags & F_SNAPSHOT)
    assert len(snapshot) == 8725
    assert set(events.columns.flags[snapshot].tolist()) == {40}
    end = int(snapshot[-1]) + 1
    book = Book(TICK)
    book.fast_forward(events.slice(0, end))
    assert (book.order_count, book.clock_ns, book.spot_bucket) == (8725, None, None)
    book.fast_forward(events.slice(end, end + 1))
    assert book.clock_ns == events.columns.ts_event[end]
    assert book.spot_bucket is not None
