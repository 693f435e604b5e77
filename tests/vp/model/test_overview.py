"""The overview of a session, beside a plain count of the same records."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.browser.known_market import FIRST_NS, at_ns, known_market, price
from tests.dbn_files import header, mbo
from tests.lakes import dbn, put
from tests.oracle_book import F_LAST, F_SNAPSHOT, UNDEFINED_PRICE, Rec
from vp.errors import DamagedFileError
from vp.model.overview import MINUTE_NS, MOST_BINS, Overview, overview
from vp.model.session import SessionSpec

DATE = "2026-02-06"
START_NS = FIRST_NS - 10 * MINUTE_NS  # midnight, UTC
NAME = "glbx-mdp3-20260206.mbo.dbn"
INSTRUMENT = 42005


def trade(seconds: float, ticks: int, size: int, side: str = "B", flags: int = F_LAST) -> Rec:
    return Rec(at_ns(seconds), "T", side, price(ticks), size, 0, flags)


TRADES = [
    trade(61, 5, 10),
    trade(62, 9, 1, "A"),
    trade(63, 2, 2, "N"),
    trade(64, 4, 7, "A"),
    trade(181, -6, 3),
    trade(181, -7, 4, flags=0),
    trade(180.5, -3, 5),  # before the clock: it counts where the clock is
    Rec(at_ns(182), "T", "B", UNDEFINED_PRICE, 100, 0, F_LAST),
    Rec(at_ns(600), "A", "B", price(-8), 3, 999_999, F_LAST | F_SNAPSHOT),
]


def spec(lake: Path) -> SessionSpec:
    return SessionSpec("future_mbo", "MNQH6", DATE, lake=str(lake))


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    put(tmp_path, "future_mbo", "MNQ", NAME, dbn("MNQH6", INSTRUMENT, [*known_market(), *TRADES]))
    return tmp_path


def test_each_minute_is_what_was_traded_in_it(lake: Path) -> None:
    told = overview(spec(lake))
    records = [*known_market(), *TRADES]
    assert (told["start_ns"], told["bin_ns"]) == (str(START_NS), str(MINUTE_NS))
    assert {len(told[name]) for name in ("volume", "events", "high", "low", "last")} == {1440}
    minutes = {number: volume for number, volume in enumerate(told["volume"]) if volume}
    first = sum(rec.size for rec in known_market() if rec.action == "T")
    assert minutes == {10: first, 11: 20, 13: 112}
    for minute, high, low, last in ((10, 5, -3, -3), (11, 9, 2, 4), (13, -3, -7, -3)):
        assert [told[name][minute] for name in ("high", "low", "last")] == [str(price(n)) for n in (high, low, last)]
    assert told["high"][12] is told["low"][12] is told["last"][12] is None
    ends = sum(rec.flags & F_LAST != 0 for rec in records if not rec.flags & F_SNAPSHOT)
    assert sum(told["events"]) == ends
    assert told["events"][13] == 3
    assert told["events"][20] == 0  # a snapshot is no activity


def test_it_is_kept_until_a_file_changes(lake: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = overview(spec(lake))
    (kept,) = (lake / "cache" / "overviews").glob("*.json")
    inode = kept.stat().st_ino

    def never() -> None:
        pytest.fail("a file is read")

    assert overview(spec(lake), never) == made
    assert kept.stat().st_ino == inode
    data = bytearray(kept.read_bytes())
    at = data.index(b'"volume":[0,0') + len(b'"volume":[')
    data[at] = ord("7")
    kept.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert overview(spec(lake)) == made
    assert "damaged" in caplog.text
    put(lake, "future_mbo", "MNQ", NAME, dbn("MNQH6", INSTRUMENT, known_market()))
    assert overview(spec(lake))["volume"] != made["volume"]


def test_no_more_are_kept_than_may(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vp.lake.cache_room.MOST_FILES", 2)
    for count in range(1, 5):
        put(lake, "future_mbo", "MNQ", NAME, dbn("MNQH6", INSTRUMENT, known_market()[: 900 + count]))
        overview(spec(lake))
    assert len(list((lake / "cache" / "overviews").iterdir())) == 2


def test_what_is_wrong_with_a_file_is_said_and_nothing_kept(lake: Path) -> None:
    data = header(symbols={"MNQH6": INSTRUMENT}) + b"".join(mbo(rec, INSTRUMENT) for rec in known_market())
    put(lake, "future_mbo", "MNQ", NAME, data[:-30])
    with pytest.raises(DamagedFileError):
        overview(spec(lake))
    assert not list((lake / "cache").glob("overviews/*"))


def test_it_ends_where_it_is_told_to(lake: Path) -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        overview(spec(lake), stop)


@pytest.mark.parametrize(("days", "minutes"), [(1, 1), (2, 2), (7, 10), (366, 360)])
def test_bins_are_no_more_than_may(days: int, minutes: int) -> None:
    made = Overview.empty(0, days * 1440 * MINUTE_NS)
    assert made.bin_ns == minutes * MINUTE_NS
    assert len(made.volume) <= MOST_BINS
    assert len(made.volume) * made.bin_ns >= made.end_ns
