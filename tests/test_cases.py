"""Files that users of market-by-order data really have: each case is written by its own script and played.

The scripts lie beside the checkout, and are run as they are; what is right is told in their README.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from tests.places import SHARED
from vp.dbn.accounting import Accounting
from vp.lake.lake import Lake
from vp.model.pipeline import prepare
from vp.model.recording import record
from vp.model.session import SessionSpec
from vp.programs.query import main as query
from vp.query import connect

CASES = SHARED / "cases"
PRICE = 1e9
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the users' cases are not beside the checkout")


class Played(NamedTuple):
    """Frames of a case, and what was counted."""

    frames: pl.DataFrame
    contract: str
    anomalies: dict[str, int]
    accounting: Accounting

    def books(self) -> list[str]:
        """The best prices of each frame: 200.00x100/200.10x300."""
        return [_book(row) for row in self.frames.iter_rows(named=True)]

    def row(self, utc: str) -> dict[str, Any]:
        """The frame of a time of day, HH:MM:SS."""
        found = self.frames.filter(pl.col("ts_ns").dt.strftime("%H:%M:%S") == utc)
        assert len(found) == 1, f"{len(found)} frames at {utc}"
        return found.row(0, named=True)


def _book(row: dict[str, Any]) -> str:
    sides = ((row["bid_price"], row["bid_size"]), (row["ask_price"], row["ask_size"]))
    return "/".join("-" if price is None else f"{price / PRICE:.2f}x{size}" for price, size in sides)


def written(case: str, lake: Path) -> Path:
    """The lake that a case writes."""
    lake.mkdir()
    subprocess.run([sys.executable, str(CASES / f"{case}.py"), str(lake)], check=True, cwd=CASES)
    return lake


def play(lake: Path, product_type: str, symbol: str, dt: str = "2026-02-06") -> Played:
    session = prepare(SessionSpec(product_type, symbol, dt, throttle_ms=0.0, lake=str(lake)))
    out = lake / "frames.parquet"
    record(session, out)
    anomalies = {name: count for name, count in session.anomalies().items() if count}
    session.close()
    return Played(pl.read_parquet(out), session.info.contract, anomalies, session.accounting())


def test_split_by_symbol(tmp_path: Path) -> None:
    lake = written("split_by_symbol", tmp_path / "lake")
    near, far, either = (play(lake, "future_mbo", symbol) for symbol in ("MNQH6", "MNQM6", "MNQ"))
    assert near.books()[-1] == "20999.75x10/21000.25x10"
    assert far.books()[-1] == "21249.75x10/21250.25x10"
    assert either.contract == "MNQH6", "of two that are as busy, the one of the lower number"
    (entry,) = Lake(lake).sessions()
    assert (entry.symbol, str(entry.date), entry.contracts) == ("MNQ", "2026-02-06", ["MNQH6", "MNQM6"])
    with connect(lake, symbol="MNQM6", dt="2026-02-06") as connection:
        assert connection.sql("SELECT split_symbol FROM raw_files ORDER BY 1").fetchall() == [("MNQH6",), ("MNQM6",)]
        assert connection.sql("SELECT count(*), max(price) FROM events").fetchall() == [(6, 21_250_750_000_000)]


def test_week_in_one_file(tmp_path: Path) -> None:
    lake = written("week_in_one_file", tmp_path / "lake")
    thursday, friday, saturday = (play(lake, "future_mbo", "MNQH6", f"2026-02-0{day}") for day in (5, 6, 7))
    assert thursday.books()[-1] == "20899.75x10/20900.25x10"
    assert friday.books()[-1] == "20999.75x10/21000.25x10"
    assert (thursday.anomalies, friday.anomalies) == ({}, {})
    for day, count in ((thursday, 5), (friday, 6)):
        depth = day.frames["rest_depth"].to_list()[-1]
        assert sum(depth) == 2 * (10 + 11 + 12) + 7 + 8, "and nothing of the other day"
        assert str(day.frames["ts_ns"].dt.date().unique().to_list()) == f"[datetime.date(2026, 2, {count})]"
    assert len(saturday.frames) == 0
    assert [entry.date.day for entry in Lake(lake).sessions()] == [1, 2, 3, 4, 5, 6]


def test_live_recording_of_two_contracts(tmp_path: Path) -> None:
    lake = written("live_recording_of_two_contracts", tmp_path / "lake")
    near, far, either = (play(lake, "future_mbo", symbol) for symbol in ("MNQH6", "MNQM6", "MNQ"))
    assert near.books()[-1] == "20999.75x10/21000.25x10"
    assert far.books()[-1] == "21249.75x17/21250.25x10"
    assert (either.contract, either.books()[-1]) == ("MNQM6", "21249.75x17/21250.25x10")


@pytest.mark.parametrize("symbol", ["BRK.B", "BRK/B", "BRK B"])
def test_share_class_with_a_space(tmp_path: Path, symbol: str) -> None:
    lake = written("share_class_with_a_space", tmp_path / "lake")
    assert play(lake, "equity_mbo", symbol).books()[-1] == "500.00x100/500.10x100"


def test_a_lake_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    lake = written("plain_session", tmp_path / "lake")
    (lake / "cache").touch()
    asked = ["depth", "--symbol", "MNQH6", "--dt", "2026-02-06", "--start-time", "10:30", "--build", "--format", "csv"]
    assert query([*asked, "--lake", str(lake)]) == 0
    out, err = capsys.readouterr()
    rows = pl.read_csv(out.encode())
    best = rows.filter(pl.col("side") == "B").sort("price", descending=True).row(0, named=True)
    assert (best["price"], best["size"]) == (20999.75, 10)
    assert "could not be written" in err + caplog.text


def test_late_at_midnight(tmp_path: Path) -> None:
    played = play(written("late_at_midnight", tmp_path / "lake"), "future_mbo", "MNQH6")
    first, second = played.row("00:00:01"), played.row("00:00:02")
    assert _book(first) == "21000.50x9/21001.00x5"
    assert (_book(second), second["book_valid"]) == ("21000.50x9/21000.75x2", True)
    assert played.anomalies == {}


def test_venues_with_equal_order_ids(tmp_path: Path) -> None:
    played = play(written("venues_with_equal_order_ids", tmp_path / "lake"), "equity_mbo", "AAPL")
    assert played.books()[-6:] == [
        "200.00x100/-",
        "200.00x100/200.10x100",
        "200.00x100/200.10x100",
        "200.00x100/200.10x400",
        "200.00x100/200.10x400",
        "200.00x100/200.10x100",
    ]
    assert played.anomalies == {}


def test_top_of_book_feed(tmp_path: Path) -> None:
    played = play(written("top_of_book_feed", tmp_path / "lake"), "equity_mbo", "AAPL")
    assert played.books() == [
        "200.00x100/200.10x100",
        "200.01x300/200.10x100",
        "200.01x300/200.08x200",
        "-/200.08x200",
        "200.02x100/200.08x200",
    ]
    assert played.anomalies == {}


def test_nothing_on_that_day(tmp_path: Path) -> None:
    played = play(written("nothing_on_that_day", tmp_path / "lake"), "future_mbo", "MNQH6", "2026-02-07")
    assert (len(played.frames), played.accounting.read) == (0, 0)


def test_plain_session(tmp_path: Path) -> None:
    played = play(written("plain_session", tmp_path / "lake"), "future_mbo", "MNQH6")
    assert (played.books()[-1], played.accounting.applied) == ("20999.75x10/21000.25x10", 606)


def test_spread_finer_than_its_legs(tmp_path: Path) -> None:
    lake = written("spread_finer_than_its_legs", tmp_path / "lake")
    (lake / "products.yaml").write_text('spreads:\n  ES: {tick: "0.05"}\n', encoding="utf-8")
    depth = play(lake, "future_mbo", "ESH6-ESM6").frames["rest_depth"].to_list()[-1]
    assert [depth[50 + k] for k in (-3, -2, -1, 0, 1, 2, 3)] == [12, 11, 10, 0, 10, 11, 12]
