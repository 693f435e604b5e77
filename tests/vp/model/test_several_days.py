"""Sessions of several days and of the exchange's trading day: one book, one model, whatever midnights lie within."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.dbn_files import header, mbo
from tests.lakes import put
from tests.oracle_book import Rec
from vp.errors import BadStartTimeError, NoRawFileError
from vp.kernels.contract import QUALITY_INCOMPLETE
from vp.model.live_session import LiveSession
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec

S = 1_000_000_000
HOUR = 3600 * S
TICK = 250_000_000
F_LAST, F_SNAPSHOT = 128, 32
MIDNIGHT = 1_770_336_000 * S  # between 2026-02-05 and 2026-02-06 UTC
NEVER = 2**63 - 1
EVENT_IDS = ("event_id", "last_event_id")


def orders(at: int, first_id: int, count: int, step_ns: int) -> list[Rec]:
    """Adds and cancels in turn around 21,000, each the end of an event."""
    records = []
    for i in range(count):
        side, sign = (("B", -1), ("A", 1))[i % 2]
        price = 21_000 * S + sign * TICK * (1 + i * 5 % 13)
        records.append(Rec(at + i * step_ns, "A", side, price, 1 + i % 7, first_id + i, F_LAST))
        if i % 3 == 2:
            gone = records[-3]
            records.append(Rec(gone.ts_event + 3 * step_ns, "C", gone.side, gone.price, 1, gone.order_id, F_LAST))
    return sorted(records, key=lambda record: record.ts_event)


def resting(records: list[Rec]) -> list[Rec]:
    """The orders that are left, in the order in which they came."""
    left: dict[int, Rec] = {}
    for record in records:
        if record.action == "A":
            left[record.order_id] = record
        else:
            order = left.pop(record.order_id)
            if order.size > record.size:
                left[order.order_id] = order._replace(size=order.size - record.size)
    return sorted(left.values(), key=lambda record: record.order_id)


def snapshot(records: list[Rec]) -> list[Rec]:
    """A snapshot of these orders, as the exchange's feed begins a day with."""
    held = [Rec(r.ts_event, "A", r.side, r.price, r.size, r.order_id, F_SNAPSHOT) for r in records]
    cleared = Rec(MIDNIGHT, "R", "N", NEVER, 0, 0, F_SNAPSHOT)
    held[-1] = held[-1]._replace(flags=F_SNAPSHOT | F_LAST)
    return [cleared, *held]


def lay(lake: Path, day: int, records: list[Rec], instrument_id: int = 7) -> None:
    head = header(symbols={"MNQH6": instrument_id, "MNQM6": 99}, date=dt.date(2026, 2, day))
    data = head + b"".join(mbo(record, instrument_id) for record in records)
    put(lake, "future_mbo", "MNQ", f"glbx-mdp3-202602{day:02}.mbo.dbn", data)


def play(lake: Path, dates: str, start_time: str | None = None, **more: object) -> LiveSession:
    spec = SessionSpec("future_mbo", "MNQH6", dates, start_time, throttle_ms=0, lake=str(lake), **more)  # type: ignore[arg-type]
    return prepare(spec)


def table(session: LiveSession) -> pa.Table:
    parts = [np.zeros((0, len(session.layout.template)), np.uint8)]
    while not session.finished:
        parts.append(session.advance().buffer.copy())
    session.close()
    return session.layout.table(np.concatenate(parts))


@pytest.fixture
def two_days(tmp_path: Path) -> Path:
    """Two days of one contract, whose instrument id changes at midnight; the second begins with a snapshot."""
    evening = orders(MIDNIGHT - 2 * HOUR, 1, 300, 20 * S)
    evening = [record for record in evening if record.ts_event < MIDNIGHT]
    morning = orders(MIDNIGHT + 10 * S, 1001, 200, 10 * S)
    lay(tmp_path, 5, evening)
    lay(tmp_path, 6, [*snapshot(resting(evening)), *morning], instrument_id=8)
    whole = tmp_path / "without a snapshot"
    lay(whole, 5, evening)
    lay(whole, 6, morning, instrument_id=8)
    return tmp_path


@pytest.mark.parametrize("start_time", [None, "2026-02-05 18:30", "23:30 UTC", "19:00:30"])
def test_a_snapshot_within_a_session_changes_nothing(two_days: Path, start_time: str | None) -> None:
    session = play(two_days, "2026-02-05..2026-02-06", start_time)
    assert session.info.dt == "2026-02-05..2026-02-06"
    frames = table(session)
    plain = table(play(two_days / "without a snapshot", "2026-02-05..2026-02-06", start_time))
    at = np.asarray(frames["ts_ns"].cast(pa.int64()))
    before = int((at < MIDNIGHT).sum())
    assert len(frames) - before > 100
    assert before > (100 if start_time is None else 0) or start_time == "19:00:30"
    if before:  # the snapshot's end is an event's end of its own, at a clock that stands still
        assert at[before - 1] == at[before - 2]
        frames = pa.concat_tables([frames.slice(0, before - 1), frames.slice(before)])
        before -= 1
    for name in frames.column_names:
        if name == "ofi":  # a snapshot makes it start afresh
            assert frames[name].slice(before + 1).equals(plain[name].slice(before + 1))
        elif name == "quality":  # only a snapshot tells that the book is whole
            assert set(frames[name].slice(before).to_pylist()) == {0}
            assert set(plain[name].slice(before).to_pylist()) == {QUALITY_INCOMPLETE}
        elif name not in EVENT_IDS:
            assert frames[name].equals(plain[name]), name


def test_a_day_alone_knows_nothing_of_the_one_before(two_days: Path) -> None:
    alone = table(play(two_days, "2026-02-06"))
    both = table(play(two_days, "2026-02-05..2026-02-06"))
    assert alone["bid_price"][-1] == both["bid_price"][-1]
    assert alone["add_mass"][0].as_py() != both["add_mass"][-len(alone)].as_py()


def test_the_exchanges_trading_day(two_days: Path) -> None:
    session = play(two_days, "2026-02-06-trading-day")
    info = session.info
    assert (info.dt, info.session_start_ns, info.end_ns) == (
        "2026-02-06-trading-day",
        MIDNIGHT - HOUR,
        MIDNIGHT + 22 * HOUR,
    )
    frames = table(session)
    whole = table(play(two_days, "2026-02-05..2026-02-06"))
    within = np.asarray(whole["ts_ns"].cast(pa.int64())) >= MIDNIGHT - HOUR
    expected = whole.filter(pa.array(within))
    for name in ("ts_ns", "event_id", "bid_price", "ask_price", "bid_size", "ask_size", "rest_depth", "book_valid"):
        assert frames[name].equals(expected[name]), name  # the book knows of what came before
    masses = [sum(one["add_mass"][2].as_py()) for one in (frames, expected)]
    assert 0 < masses[0] < masses[1], "and the model does not: one order's size"


def test_books_of_a_day_and_of_its_trading_day_are_kept_apart(two_days: Path) -> None:
    for dates in ("2026-02-06", "2026-02-06-trading-day", "2026-02-05..2026-02-06"):
        first, again = (play(two_days, dates, "2026-02-05 19:31") for _ in range(2))
        assert (first.info.book_cache, again.info.book_cache) == ("miss", "hit"), dates
        assert table(first).equals(table(again))
    names = [path.name for path in (two_days / "cache/vp_book").iterdir()]
    assert sorted(name.rpartition("_")[0] for name in names) == [
        "MNQH6_2026-02-05..2026-02-06",
        "MNQH6_2026-02-06",
        "MNQH6_2026-02-06-trading-day",
    ]


def test_an_end_time_on_the_last_day(two_days: Path) -> None:
    session = play(two_days, "2026-02-05..2026-02-06", "2026-02-05 18:30", end_time="2026-02-05 19:10")
    at = np.asarray(table(session)["ts_ns"].cast(pa.int64()))
    assert (at.min() >= MIDNIGHT - HOUR // 2, at.max() < MIDNIGHT + 600 * S) == (True, True)
    assert at.max() > MIDNIGHT + 580 * S


def test_days_without_a_file_are_passed_over_and_named(two_days: Path, caplog: pytest.LogCaptureFixture) -> None:
    frames = table(play(two_days, "2026-02-04..2026-02-09"))
    days = "2026-02-04, 2026-02-08, 2026-02-09"  # and 2026-02-07 is a Saturday
    assert f"MNQH6 is played without {days}: the lake holds no file of it for those days" in caplog.text
    caplog.clear()
    assert frames["ts_ns"].equals(table(play(two_days, "2026-02-05..2026-02-06"))["ts_ns"])
    assert not caplog.text
    with pytest.raises(NoRawFileError, match=r"the lake has 2026-02-05, 2026-02-06\."):
        play(two_days, "2026-02-07..2026-02-09")


def test_an_empty_trading_day_tells_of_the_records_after_it(tmp_path: Path) -> None:
    lay(tmp_path, 5, orders(MIDNIGHT - HOUR, 101, 9, S))
    session = play(tmp_path, "2026-02-05-trading-day")
    assert len(table(session)) == 0
    empty = session.emptiness()
    assert empty is not None
    assert empty.hint == "12 records are of after that: ask for a later session. The file names MNQM6 too."
    assert len(table(play(tmp_path, "2026-02-06-trading-day"))) > 0


def test_a_start_time_outside_says_what_the_session_is(two_days: Path) -> None:
    with pytest.raises(
        BadStartTimeError, match="17:30 ET is not within the session of 2026-02-06-trading-day"
    ) as caught:
        play(two_days, "2026-02-06-trading-day", "17:30")
    assert "2026-02-05 18:00 ET to 2026-02-06 17:00 ET" in caught.value.message
