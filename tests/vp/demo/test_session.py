"""The demonstration's file as others read it, and the market in it."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import date
from pathlib import Path

import databento
import numpy as np
import pytest

from tests.vp.demo.replay import FIRST_SECOND, LAST, SECONDS, SNAPSHOT, Replay, records_of, session_bytes
from vp.demo import session as demo
from vp.demo.book import INSTRUMENT_ID, TICK_INT
from vp.demo.script import OPEN_SECOND, SESSION_SECONDS, write_script
from vp.demo.wanted_depth import T_BUILD, T_DRAIN, T_FAIR
from vp.kernels.contract import MBO_BYTES, MBO_DTYPE, UNDEF_PRICE
from vp.market.session_hours import phases, session_window

CLOCK_09_30_NS = 1_770_388_200_000_000_000  # 2026-02-06 14:30 UTC


@pytest.fixture(scope="module")
def records() -> np.ndarray:
    return records_of(session_bytes(first_second=FIRST_SECOND, seconds=SECONDS))


@pytest.fixture(scope="module")
def activity(records: np.ndarray) -> np.ndarray:
    rows: np.ndarray = records[records["flags"] & SNAPSHOT == 0]
    return rows


def events_of(records: np.ndarray) -> list[list[tuple[str, str, int, int, int]]]:
    """Market events as lists of (action, side, price, size, order_id)."""
    rows = zip(
        map(chr, records["action"].tolist()),
        map(chr, records["side"].tolist()),
        records["price"].tolist(),
        records["size"].tolist(),
        records["order_id"].tolist(),
        strict=True,
    )
    ends = np.cumsum(records["flags"] & LAST != 0) - (records["flags"] & LAST != 0)
    return [[row for row, _ in group] for _, group in itertools.groupby(zip(rows, ends, strict=True), lambda x: x[1])]


def test_the_same_seed_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    data = session_bytes(seconds=30)
    assert session_bytes(seconds=30) == data
    assert session_bytes(seconds=30, seed=2) != data
    monkeypatch.setattr(demo, "CHUNK_RECORDS", 5_000)
    assert session_bytes(seconds=30) == data


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_databento_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "vp-generated-20260206.mbo.dbn"
    with path.open("wb") as file:
        count = demo.write_session(file, seconds=20)
    store = databento.DBNStore.from_file(path)
    midnight_ns = CLOCK_09_30_NS - (14 * 60 + 30) * 60 * 10**9
    assert store.metadata.version == 3
    assert (store.dataset, str(store.schema)) == ("VP.GENERATED", "mbo")
    assert store.symbols == ["MNQH6"]
    first_ns = CLOCK_09_30_NS - 40 * 60 * 10**9
    assert (store.metadata.start, store.metadata.end) == (midnight_ns, first_ns + 20 * 10**9)
    assert store.metadata.end - 10**9 < int(store.to_ndarray()["ts_event"][-1]) <= store.metadata.end
    [(symbol, [interval])] = store.mappings.items()
    assert (symbol, interval["symbol"]) == ("MNQH6", str(INSTRUMENT_ID))
    assert [str(interval[end]) for end in ("start_date", "end_date")] == ["2026-02-06", "2026-02-07"]
    array = store.to_ndarray()
    assert len(array) == count
    assert sum(1 for _ in store) == count  # the client checks each record's header
    assert np.array_equal(array.view(MBO_DTYPE), records_of(path.read_bytes()))


def test_record_headers_and_fields(records: np.ndarray, activity: np.ndarray) -> None:
    assert set(records["length"]) == {MBO_BYTES // 4}
    assert set(records["rtype"]) == {160}
    assert set(records["instrument_id"]) == {INSTRUMENT_ID}
    assert set(activity["flags"]) == {0, 128, 130}
    assert set(map(chr, activity["action"])) == set("ACMTF")
    assert set(map(chr, activity["side"])) == set("AB")
    assert (activity["price"] % TICK_INT == 0).all()
    assert (abs(activity["price"] - 21_500 * 10**9) < 400 * 10**9).all()
    assert (activity["size"] > 0).all()


def test_snapshot(records: np.ndarray, activity: np.ndarray) -> None:
    snapshot = records[: len(records) - len(activity)]
    midnight_ns = CLOCK_09_30_NS - (14 * 60 + 30) * 60 * 10**9
    assert (snapshot["flags"] & SNAPSHOT != 0).all()
    assert snapshot["flags"].tolist() == [40] * (len(snapshot) - 1) + [168]
    assert (snapshot["ts_recv"] == midnight_ns).all()
    clear, orders = snapshot[0], snapshot[1:]
    assert (chr(clear["action"]), chr(clear["side"]), clear["price"]) == ("R", "N", UNDEF_PRICE)
    assert (clear["ts_event"], clear["order_id"], clear["size"]) == (midnight_ns, 0, 0)
    assert len(orders) > 2_000
    assert set(orders["action"]) == {ord("A")}
    assert (np.diff(orders["ts_event"]) > 0).all()
    assert orders["ts_event"][0] < midnight_ns - 10 * 86_400 * 10**9
    assert orders["ts_event"][-1] < midnight_ns
    far = abs(orders["price"] - 21_500 * 10**9) // TICK_INT
    assert 300 < far.max() < 1_000
    assert np.median(far) < 100


def test_times_and_sequence(activity: np.ndarray) -> None:
    gaps = np.diff(activity["ts_event"])
    first = np.flatnonzero(activity["flags"][:-1] & LAST) + 1  # records that begin an event
    between = gaps[first - 1]
    assert (gaps >= 0).all()
    assert (gaps[np.setdiff1d(np.arange(len(gaps)), first - 1)] == 0).all()  # one time an event
    assert (between == 0).mean() > 0.05
    assert ((between > 0) & (between < 10_000)).mean() > 0.1
    assert (between > 1_000_000).mean() > 0.2
    late = activity["ts_recv"] - activity["ts_event"]
    assert late.min() > 50_000
    assert late.max() < 10_000_000
    assert (np.diff(activity["ts_recv"]) >= 0).all()
    assert (np.diff(activity["sequence"].astype(np.int64)) >= 0).all()
    assert (activity["ts_in_delta"] > 0).all()
    start = CLOCK_09_30_NS + (FIRST_SECOND - OPEN_SECOND) * 10**9
    assert start <= activity["ts_event"][0] < start + 10**9
    assert start + (SECONDS - 1) * 10**9 < activity["ts_event"][-1] < start + SECONDS * 10**9


def test_order_ids_are_new_and_rise(records: np.ndarray) -> None:
    added = records["order_id"][records["action"] == ord("A")]
    assert (np.diff(added) > 0).all()
    traded = records["order_id"][records["action"] == ord("T")]
    assert (np.diff(traded) >= 0).all()
    assert len(np.intersect1d(traded, records["order_id"][records["action"] == ord("F")])) < len(traded) / 10


def test_the_mix_of_records(activity: np.ndarray) -> None:
    counts = Counter(map(chr, activity["action"].tolist()))
    share = {action: count / len(activity) for action, count in counts.items()}
    assert 0.38 < share["A"] < 0.5
    assert 0.35 < share["C"] < 0.5
    assert 0.02 < share["M"] < 0.12
    assert 0.01 < share["T"] < share["F"] < 0.1
    sizes = activity["size"][activity["action"] == ord("A")]
    assert np.median(sizes) == 1
    assert 0.9 < (sizes <= 10).mean() < 1
    assert 20 < sizes.max() <= 250


def test_trades_are_one_event_with_what_they_fill(activity: np.ndarray) -> None:
    kinds: Counter[str] = Counter()
    for event in events_of(activity):
        actions = "".join(row[0] for row in event)
        if "T" not in actions:
            assert actions in {"A", "C", "M"}
            kinds[actions] += 1
            continue
        body = actions.rstrip("A")
        assert len(actions) - len(body) <= 1
        fills = [row for row in event if row[0] == "F"]
        realised = [row for row in event if row[0] in "CM"]
        assert [row[4] for row in fills] == [row[4] for row in realised]
        assert body == body[: -len(realised)] + "C" * (len(realised) - 1) + realised[-1][0]
        aggressors = {(row[1], row[4]) for row in event if row[0] == "T"}
        assert len(aggressors) == 1
        [(side, order_id)] = aggressors
        assert {row[1] for row in fills} == {"A" if side == "B" else "B"}
        for price in {row[2] for row in fills}:
            traded = sum(row[3] for row in event if row[0] == "T" and row[2] == price)
            assert traded == sum(row[3] for row in fills if row[2] == price)
        if actions != body:
            assert (event[-1][1], event[-1][4]) == (side, order_id)
        kinds["many levels"] += len({row[2] for row in fills}) > 1
        kinds["in part"] += realised[-1][0] == "M"
        kinds["in full"] += realised[0][0] == "C"
        kinds["rests"] += actions != body
    assert all(kinds[kind] > 5 for kind in ("A", "C", "M", "many levels", "in part", "in full", "rests"))


def test_the_market_never_contradicts_itself_and_tells_its_story(records: np.ndarray, activity: np.ndarray) -> None:
    book = Replay()
    for row in records[1 : len(records) - len(activity)]:
        book.rest(int(row["order_id"]), chr(row["side"]), int(row["price"]), int(row["size"]))
    assert book.best("B") < book.best("A")
    episode = next(e for e in write_script(demo.SEED).episodes if e.lead_second > FIRST_SECOND)
    marks = [episode.lead_second, episode.move_second, episode.end_second]
    ends = activity["ts_event"][activity["flags"] & LAST != 0]
    seen = []
    partial_cancels = 0
    events = events_of(activity)
    for event, ts_event in zip(events, ends.tolist(), strict=True):
        action, _, _, size, order_id = event[0]
        partial_cancels += action == "C" and size < book.orders[order_id][2]
        book.apply(event)
        bid, ask = book.best("B"), book.best("A")
        assert bid < ask
        if marks and ts_event >= CLOCK_09_30_NS + (marks[0] - OPEN_SECOND) * 10**9:
            marks.pop(0)
            below = book.depth("B", range(bid - 25 * TICK_INT, bid + 1, TICK_INT))
            above = book.depth("A", range(ask, ask + 25 * TICK_INT + 1, TICK_INT))
            seen.append(((bid + ask) // 2 // TICK_INT, below, above))
    assert 0.003 < partial_cancels / len(events) < 0.03

    (lead_price, lead_below, lead_above), (move_price, move_below, move_above), (end_price, _, _) = seen
    assert (episode.direction, abs(move_price - lead_price) < 12) == (1, True)
    assert move_below > 1.4 * lead_below
    assert move_above < 0.5 * lead_above
    assert 20 < end_price - move_price < 45


@pytest.mark.parametrize("seed", [demo.SEED, 1, 2])
def test_episodes(seed: int) -> None:
    script = write_script(seed)
    episodes = script.episodes
    starts = np.array([e.lead_second for e in episodes])
    assert (np.diff(starts) >= 120).all()
    assert (np.diff(starts) <= 600).all()
    assert (np.diff(starts[starts > OPEN_SECOND]) <= 360).all()
    assert starts[-1] < SESSION_SECONDS
    assert ((starts > OPEN_SECOND) & (starts < OPEN_SECOND + 120)).any()
    for e in episodes:
        assert 20 <= e.move_second - e.lead_second <= 60
        assert 20 <= e.end_second - e.move_second <= 90
        assert e.ticks <= 0 or 10 <= e.ticks <= 40
        rows = script.rows
        assert rows[e.lead_second, T_BUILD] == rows[e.lead_second, T_DRAIN] == 0
        assert rows[e.move_second, T_BUILD] > 0.3
        assert rows[e.move_second, T_DRAIN] > 0.2
    assert len({e.direction for e in episodes if e.ticks > 0}) == 2
    assert any(e.ticks <= 0 for e in episodes)
    assert np.ptp(script.rows[:, T_FAIR]) < 1_000


def test_the_default_start_finds_a_warm_market() -> None:
    window = session_window(demo.DEMO.product_type, date.fromisoformat(demo.DEMO.dt))
    bounds = phases(window, demo.DEMO.start_time)
    assert bounds.emit_from_ns == CLOCK_09_30_NS
    first_ns = CLOCK_09_30_NS - OPEN_SECOND * 10**9
    assert window.start_ns < first_ns < bounds.warmup_from_ns
    assert first_ns + SESSION_SECONDS * 10**9 < window.end_ns
