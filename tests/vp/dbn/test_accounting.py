"""Every record of a file is accounted for, exactly: read = passed over + waiting + applied + ignored + rejected."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests import lakes
from tests.agreement import events_of
from tests.dbn_files import compress, header, mbo, other_records
from tests.lakes import GOOD, put
from tests.market_strategies import WILD, random_market
from tests.market_writer import SESSION_START_NS
from tests.oracle import OracleBook
from tests.oracle_records import F_TOB, UNDEFINED_SIZE
from tests.places import SHARED
from vp.dbn.accounting import Accounting, PassedOver
from vp.model.book import Book
from vp.model.live_session import LiveSession
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec
from vp.programs import record

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared files are not beside the checkout")
MES, MNQ = 7, 42005
DAY_NS = 86_400_000_000_000


def play(session: LiveSession) -> Accounting:
    """Run to the end, and look at the books at every step on the way."""
    while not session.finished:
        session.advance(max_frames=64)
        now = session.accounting()
        assert now.unaccounted == 0, now
        assert now.processed == session.records_done
    session.close()
    return session.accounting()


def test_a_difference_is_seen() -> None:
    whole = Accounting(14, PassedOver(1, 2, 3, 4), 0, 4, 1, {"trade": 2}, {"unknown_cancel": 1})
    assert whole.unaccounted == 0
    assert str(whole) == (
        "14 records = 10 passed over (other types 1, other instruments 2, outside the window 3, unknown types 4) "
        "+ 1 applied + 2 ignored (trade 2) + 1 rejected (unknown_cancel 1)"
    )
    assert (
        str(Accounting(3, PassedOver(0, 0, 0), 1, 2, 2)) == "3 records = 1 waiting + 2 applied + 0 ignored + 0 rejected"
    )
    assert Accounting(11, PassedOver(1, 2, 3), 0, 4, 1, {"trade": 2}, {"unknown_cancel": 1}).unaccounted == 1
    assert Accounting(10, PassedOver(1, 2, 3), 0, 4, 0, {"trade": 2}, {"unknown_cancel": 1}).unaccounted == 1


@pytest.mark.parametrize(
    ("where", "name", "product_type", "root", "symbol", "dt", "read"),
    [
        ("data", "glbx-mdp3-20231225.mbo.dbn.zst", "future_mbo", "ES", "ESH4", "2023-12-25", 68_792),
        ("data", "glbx-mdp3-20250924.mbo.dbn", "future_mbo", "CL", "CLX5", "2025-09-24", 38_212),
        ("data", "xnas-itch-20250717.mbo.dbn", "equity_mbo", "ARL", "ARL", "2025-07-17", 5_886),
        ("golden-2", "equity.mbo.dbn", "equity_mbo", "QQQ", "QQQ", "2026-07-08", 13_936),
        ("golden-2", "futures.mbo.dbn", "future_mbo", "MNQ", "MNQH6", "2026-02-06", 13_937),
    ],
)
@needs_shared
def test_real_and_golden_files(
    tmp_path: Path, where: str, name: str, product_type: str, root: str, symbol: str, dt: str, read: int
) -> None:
    given = SHARED / where / name
    put(tmp_path, product_type, root, name if where == "data" else f"x-{dt.replace('-', '')}.mbo.dbn", b"")
    (laid,) = (tmp_path / "raw").rglob("*.dbn*")
    shutil.copyfile(given, laid)
    whole = play(prepare(SessionSpec(product_type, symbol, dt, throttle_ms=5000, lake=str(tmp_path))))
    assert whole.unaccounted == whole.waiting == 0
    assert whole.read == whole.processed + whole.passed_over.total()
    assert whole.read == read


@pytest.mark.parametrize("seed", range(3))
def test_a_file_of_everything_counted_by_hand(tmp_path: Path, seed: int) -> None:
    """Other types, other instruments, times outside the window: against a count made from the records themselves."""
    rng = Random(seed)
    market = random_market(seed, 1500, weights=WILD)
    end_ns = SESSION_START_NS + DAY_NS
    late = end_ns + DAY_NS
    others = other_records()
    unknown_record = bytes([6, 0xD0]) + bytes(22)
    parts, expected, mine = [header(symbols={"MNQH6": MNQ, "MESH6": MES})], Counter[str](), []
    for rec in market:
        parts.append(mbo(rec, MNQ))
        if rec.is_of_the_session(SESSION_START_NS, end_ns):
            mine.append(rec)
        else:
            expected["outside_window"] += 1
        outside = rec._replace(ts_event=late, ts_recv=late)
        chance = rng.random()
        if chance < 0.1:
            parts.append(mbo(rec, MES))
            expected["other_instruments"] += 1
        elif chance < 0.2:
            parts.append(rng.choice(others))
            expected["other_types"] += 1
        elif chance < 0.25:
            parts.append(mbo(outside, MNQ))
            expected["outside_window"] += 1
        elif chance < 0.3:
            parts.append(unknown_record)
            expected["unknown_types"] += 1
    put(tmp_path, "future_mbo", "MNQ", "glbx-mdp3-20260206.mbo.dbn.zst", compress(b"".join(parts)))
    spec = SessionSpec("future_mbo", "MNQH6", "2026-02-06", throttle_ms=1000, lake=str(tmp_path))
    first = prepare(spec)
    whole = play(first)
    oracle = OracleBook(250_000_000, start_ns=SESSION_START_NS, end_ns=end_ns)
    for rec in mine:
        oracle.apply(rec)
    assert whole.passed_over == PassedOver(**expected)
    assert (whole.read, whole.waiting, whole.unaccounted) == (len(parts) - 1, 0, 0)
    assert whole.processed == len(mine)
    actions = Counter(rec.action for rec in mine if rec.action not in "TF" or rec.size != UNDEFINED_SIZE)
    rejected_fills = oracle.anomalies["undefined_price"] - sum(
        (rec.action in "AM" or (rec.action == "C" and rec.is_level and rec.size == 0))
        and rec.side != "N"
        and rec.price == 2**63 - 1
        and not rec.flags & F_TOB
        for rec in mine
    )
    assert whole.ignored == {"trade": actions["T"], "fill": actions["F"] - rejected_fills, "none": actions["N"]}
    assert whole.rejected == {name: oracle.anomalies[name] for name in whole.rejected}


def test_a_book_from_the_cache_remembers_what_came_before_it(tmp_path: Path) -> None:
    records = lakes.market(lakes.OPEN_NS, seconds_before=2400, step_ms=100)
    others = other_records()
    parts = [header(symbols={"GOOD": 1})]
    for i, rec in enumerate(records):
        parts += [mbo(rec, 1), mbo(rec, 2)] if i % 2 else [mbo(rec, 1), others[i % len(others)]]
    put(tmp_path, "equity_mbo", "GOOD", "xnas-itch-20260708.mbo.dbn", b"".join(parts))
    spec = SessionSpec(**GOOD, lake=str(tmp_path))
    built, cached = prepare(spec), prepare(spec)
    assert (built.info.book_cache, cached.info.book_cache) == ("miss", "hit")
    assert cached.accounting().unaccounted == 0
    one, two = play(built), play(cached)
    assert one == two
    assert one.read == len(parts) - 1
    assert one.passed_over.other_types > 0 < one.passed_over.other_instruments


def test_any_market_in_any_pieces() -> None:
    rng = Random(5)
    for seed in range(20):
        events = events_of(random_market(seed, 300, weights=WILD))
        book = Book(250_000_000)
        at = 0
        while at < len(events):
            piece = min(rng.choice((1, 7, 64)), len(events) - at)
            book.fast_forward(events.slice(at, at + piece))
            at += piece
            found = Accounting.of(book.tallies(), book.event_id, read=at, passed_over=PassedOver(), waiting=0)
            assert found.unaccounted == 0


def test_the_last_line_of_a_recording(small_lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record.main([*lakes.flags(GOOD), "--lake", str(small_lake), "--out", str(tmp_path / "a.arrow")]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    accounting = prepare(SessionSpec(**GOOD, lake=str(small_lake)))
    assert str(play(accounting)) in last
    assert " applied + " in last
