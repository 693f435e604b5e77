"""Named queries over real exchange data and the demonstration: counts and depth as plain code finds them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.places import DATA
from vp.dbn.events import Events
from vp.dbn.file import DbnFile
from vp.dbn.reader import read_events
from vp.demo.session import DEMO, ensure_demo
from vp.lake.lake import Lake
from vp.market.price_scale import default_bucket
from vp.market.products import find_product
from vp.market.session_hours import phases, session_window
from vp.model.book import Book
from vp.programs.record import main as record
from vp.query import catalogue, connect

REAL = [
    ("future_mbo", "ES", "ESH4", "2023-12-25", "18:30", "glbx-mdp3-20231225.mbo.dbn.zst"),
    ("future_mbo", "CL", "CLX5", "2025-09-24", "17:00", "glbx-mdp3-20250924.mbo.dbn"),
    ("equity_mbo", "ARL", "ARL", "2025-07-17", "12:00", "xnas-itch-20250717.mbo.dbn"),
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = tmp_path_factory.mktemp("real")
    if not DATA.is_dir():
        pytest.skip("the real exchange data is not here")
    for product_type, root, _, _, _, name in REAL:
        directory = lake / f"raw/source=databento/product_type={product_type}/symbol={root}/table=market_by_order_dbn"
        directory.mkdir(parents=True)
        (directory / name).symlink_to(DATA / name)
    return lake


def of_session(lake: Path, product_type: str, symbol: str, date: str) -> Events:
    """The session's events by the plain way."""
    day = dt.date.fromisoformat(date)
    product = find_product(product_type, symbol)
    window = session_window(product_type, day)
    return read_events(DbnFile(Lake(lake).inputs(product, day)[0].files[0].path), -1, window.start_ns, window.end_ns)


def traded(events: Events) -> np.ndarray:
    """Which of the events are trades."""
    return np.asarray(events.columns.action == ord("T"))


def check_session(lake: Path, product_type: str, symbol: str, date: str, start_time: str) -> None:
    events = of_session(lake, product_type, symbol, date)
    product = find_product(product_type, symbol)
    until = phases(session_window(product_type, dt.date.fromisoformat(date)), start_time).warmup_from_ns
    bucket_int = product.bucket_int or default_bucket(product.tick_int, int(events.columns.price[traded(events)][0]))
    book = Book(product.tick_int, bucket_int)
    book.fast_forward(events, 0, until)

    with connect(lake, symbol=symbol, dt=date, start_time=start_time, build=True) as asked:
        counts = asked.sql("SELECT action, records FROM counts_by_action()").to_arrow_table().to_pydict()
        depth = asked.sql("FROM depth(levels := 100000)").to_arrow_table().to_pylist()
        buckets = asked.sql("FROM depth_by_bucket(reach := 1000000)").to_arrow_table().to_pylist()
        top = asked.sql("FROM top_of_book()").to_arrow_table().to_pylist()[0]
        minutes = asked.sql("SELECT sum(messages)::BIGINT AS n, sum(volume)::BIGINT AS v FROM rates_by_minute()")
        rates = minutes.to_arrow_table().to_pylist()[0]
        ended = asked.sql("SELECT ended, count(*) AS n FROM order_lifetimes() GROUP BY ended").to_arrow_table()

    assert dict(zip(counts["action"], counts["records"], strict=True)) == Counter(chr(a) for a in events.columns.action)
    for side in "BA":
        found = [(round(row["price"] * 1e9), row["size"], row["orders"]) for row in depth if row["side"] == side]
        assert found == book.levels(side)
    resting: Counter[int] = Counter()
    for side in "BA":
        for price, size, _ in book.levels(side):
            resting[(2 * price + bucket_int) // (2 * bucket_int)] += size
    spot = book.spot_bucket
    assert spot is not None
    assert {spot + row["k"]: row["bid_size"] + row["ask_size"] for row in buckets} == resting
    assert (round(top["bid_price"] * 1e9), round(top["ask_price"] * 1e9)) == (book.best_bid, book.best_ask)
    live = (events.columns.flags & 32 == 0) & (events.columns.action != ord("R"))
    assert rates["n"] == int(live.sum())
    assert rates["v"] == int(events.columns.size[events.columns.action == ord("T")].sum())
    whole = Book(product.tick_int, product.bucket_int)
    whole.fast_forward(events)
    lives = dict(zip(*ended.to_pydict().values(), strict=True))
    assert lives.get("resting", 0) == whole.order_count


@pytest.mark.parametrize(("product_type", "_root", "symbol", "date", "start_time", "_name"), REAL)
def test_real_sessions(
    product_type: str, _root: str, symbol: str, date: str, start_time: str, _name: str, lake: Path
) -> None:
    check_session(lake, product_type, symbol, date, start_time)


def run_every_query(lake: Path, product_type: str, symbol: str, date: str, start_time: str, end_time: str) -> None:
    """Every named query over a session, those of frames over a recording of a few minutes of it."""
    out = lake / f"recordings/{symbol}.parquet"
    out.parent.mkdir(exist_ok=True)
    session = ["--product-type", product_type, "--symbol", symbol, "--dt", date, "--start-time", start_time]
    asked_for = [*session, "--end-time", end_time, "--throttle-ms", "1000", "--lake", str(lake), "--out", str(out)]
    assert record(asked_for) == 0
    with connect(lake, symbol=symbol, dt=date, start_time=start_time, build=True) as asked:
        frames = len(asked.sql("SELECT event_id FROM frames").to_arrow_table())
        for query in catalogue.load().values():
            given = {"at_price": "1"} if query.name == "queue_at_price" else {}
            rows = len(asked.sql(query.sql, params=query.values(given) or None).to_arrow_table())
            if query.name == "frame_rows":
                assert rows == 101 * frames > 0
            assert rows > 0 or query.name in {"queue_at_price", "volume_by_price"}  # nothing may rest or trade there


@pytest.mark.parametrize(("product_type", "_root", "symbol", "date", "start_time", "_name"), REAL)
def test_every_query_over_real_sessions(
    product_type: str, _root: str, symbol: str, date: str, start_time: str, _name: str, lake: Path
) -> None:
    run_every_query(lake, product_type, symbol, date, start_time, f"{start_time[:2]}:59")


@pytest.mark.long
def test_the_demonstration(tmp_path: Path) -> None:
    ensure_demo(tmp_path)
    assert DEMO.start_time is not None
    check_session(tmp_path, DEMO.product_type, DEMO.symbol, DEMO.dt, DEMO.start_time)
    run_every_query(tmp_path, DEMO.product_type, DEMO.symbol, DEMO.dt, DEMO.start_time, "09:32")
