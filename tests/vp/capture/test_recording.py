"""That a recording is the stream, that it plays as the market did, and that breaks are bridged or told."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import zstandard

from tests.dbn_files import header_with, mbo
from tests.lakes import FUTURES_OPEN_NS, OPEN_NS, market, put
from tests.live_gateway.control import GatewayProcess, gateway
from tests.oracle_book import Rec
from tests.places import DATA
from tests.vp.capture.capturing import (
    DATE,
    RECORDS,
    Capture,
    capturing,
    directory,
    frames,
    manifest,
    market_bytes,
    of_kind,
)
from vp.lake.lake import Lake
from vp.programs.lake import main as lake_program
from vp.query.connection import choose_session, find_views
from vp.query.sandbox import ask


@pytest.fixture(scope="module")
def expected(whole: Path) -> dict[str, pa.Table]:
    return {symbol: frames(whole, symbol) for symbol in ("MNQH6", "MNQM6")}


def settle(feed: GatewayProcess, capture: Capture, until: int = RECORDS) -> None:
    """Let the feed go on, and wait until the recorder has all of it."""
    feed.publish(until)
    capture.until(capture.has_all)


def assert_whole(lake: Path, expected: dict[str, pa.Table]) -> None:
    for symbol, table in expected.items():
        assert frames(lake, symbol).equals(table), symbol


@pytest.mark.parametrize("split", [1, 7, 56, 65_536])
def test_a_recording_is_the_stream_and_plays_as_the_file(
    feed: GatewayProcess, tmp_path: Path, expected: dict[str, pa.Table], split: int
) -> None:
    feed.order("set", split_bytes=split, digests=True)
    with capturing(feed, tmp_path) as capture:
        settle(feed, capture, RECORDS if split > 7 else 300)
    (path,) = directory(tmp_path).glob("*.dbn")
    (segment,) = of_kind(tmp_path, "segment")
    session = feed.state()["sessions"][-1]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.name == segment["file"]
    assert digest == segment["sha256"] == session["sha256"]
    assert segment["ended"] == "the recorder was stopped"
    assert path.stat().st_mode & 0o222 == 0
    assert list(directory(tmp_path).glob("*.part")) == []
    if split > 7:
        assert_whole(tmp_path, expected)


@pytest.mark.parametrize("kind", ["fin", "reset", "silence", "error"])
def test_a_break_is_bridged_and_frames_are_those_of_an_uninterrupted_run(
    feed: GatewayProcess, tmp_path: Path, expected: dict[str, pa.Table], kind: str
) -> None:
    with capturing(feed, tmp_path) as capture:
        settle(feed, capture, 250)
        feed.fault(kind, at=-1)
        capture.wait("break")
        feed.publish(330)
        capture.wait("bridged")
        settle(feed, capture)
    (gap,) = of_kind(tmp_path, "gap")
    assert gap["bridged"] is True
    assert len(of_kind(tmp_path, "segment")) == 2
    assert_whole(tmp_path, expected)
    views = find_views(Lake(tmp_path), choose_session(Lake(tmp_path), "MNQH6", DATE))
    assert ask(views, "SELECT epoch_ns(start_ns), epoch_ns(end_ns), reason, bridged FROM gaps").table.to_pylist() == [
        dict(
            zip(
                ("epoch_ns(start_ns)", "epoch_ns(end_ns)", "reason", "bridged"),
                (gap["start_ns"], gap["end_ns"], gap["reason"], True),
                strict=True,
            )
        )
    ]


@pytest.mark.parametrize("version", [1, 2])
def test_breaks_are_bridged_whatever_version_of_dbn_the_gateway_sends(
    feed: GatewayProcess, tmp_path: Path, expected: dict[str, pa.Table], version: int
) -> None:
    feed.order("set", version=version)
    with capturing(feed, tmp_path) as capture:
        settle(feed, capture, 250)
        feed.fault("fin", at=-1)
        capture.wait("bridged")
        settle(feed, capture)
    assert {path.read_bytes()[3] for path in directory(tmp_path).glob("*.dbn")} == {version}
    assert_whole(tmp_path, expected)


def test_records_that_the_gateway_left_out_are_fetched_by_a_replay(
    feed: GatewayProcess, tmp_path: Path, expected: dict[str, pa.Table]
) -> None:
    with capturing(feed, tmp_path) as capture:
        settle(feed, capture, 250)
        feed.fault("error", at=-1, code=7, text="skipped")
        feed.publish(260)
        told = capture.wait("break")
        settle(feed, capture)
    assert "left out records" in told.text
    assert [gap["bridged"] for gap in of_kind(tmp_path, "gap")] == [True]
    assert_whole(tmp_path, expected)


@pytest.mark.parametrize("bridged", [True, False])
def test_a_ticker_is_recorded_from_the_beginning_of_its_session(tmp_path: Path, bridged: bool) -> None:
    """And not from before that: the day of New York is another than that of UTC. It has no snapshots to go on from."""
    evening = [rec._replace(order_id=rec.order_id + 100_000) for rec in market(OPEN_NS - 86_400 * 10**9, 10, 10)]
    records = [Rec(OPEN_NS - 25 * 10**9, "R", "N", 2**63 - 1, 0, 0, 128), *market(OPEN_NS, 20, 20)]
    head = header_with({"QQQ": [(dt.date(2026, 7, 7), dt.date(2026, 7, 9), "9")]}, dataset="XNAS.ITCH")
    own = head + b"".join(mbo(rec, 9, sequence=i) for i, rec in enumerate(records, 1000))
    put(tmp_path / "whole", "equity_mbo", "QQQ", "xnas-itch-20260708.mbo.dbn", own)
    file = tmp_path / "feed.dbn"
    file.write_bytes(head + b"".join(mbo(rec, 9, sequence=i) for i, rec in enumerate(evening)) + own[len(head) :])
    lake = tmp_path / "lake"
    options = {"symbols": ("QQQ",), "live_from": None, "product_type": "equity_mbo", "today_ns": OPEN_NS}
    with gateway(file, from_record=len(evening) + 100) as feed, capturing(feed, lake, **options) as capture:
        capture.until(capture.has_all)
        if not bridged:
            feed.fault("aged_out")
        feed.fault("reset", at=-1)
        capture.wait("break", 1 if bridged else 2)
        feed.publish(len(evening) + 150)
        if bridged:
            capture.wait("bridged")
        else:
            # What is published before a session begins is past for it, and it asks for none of that.
            capture.until(lambda: len(feed.state()["logins"]) == 3 and feed.state()["sessions"][-1]["sent_bytes"] > 0)
        feed.publish()
        capture.until(capture.has_all)
    seen = frames(lake, "QQQ", "2026-07-08", "equity_mbo")
    true = frames(tmp_path / "whole", "QQQ", "2026-07-08", "equity_mbo")
    if bridged:
        assert seen.equals(true)
        return
    quality = seen["quality"].to_numpy()
    behind = seen["ts_ns"].cast("int64").to_numpy() > records[99].ts_event
    assert ((quality & 32) != 0).tolist() == behind.tolist()
    assert seen["book_valid"].to_numpy()[behind].tolist() == [False] * int(behind.sum())
    assert 10 < behind.sum() < len(true) - 90


FAULTY_REPLAYS = {
    # Five seconds before the last record are forty records of two contracts.
    "omit": {"at": 20, "count": 3},
    "reorder": {"at": 20, "count": 3},
    "unfinished_replay": {"count": 165},
    "aged_out": {},
}


@pytest.mark.parametrize("kind", FAULTY_REPLAYS)
def test_a_replay_that_does_not_repeat_what_was_recorded_bridges_nothing(
    feed: GatewayProcess, tmp_path: Path, expected: dict[str, pa.Table], kind: str
) -> None:
    with capturing(feed, tmp_path) as capture:
        settle(feed, capture, 240)  # 14:29:50
        feed.fault(kind, **FAULTY_REPLAYS[kind])
        feed.order("refuse")
        feed.fault("fin", at=-1)
        capture.wait("break")
        feed.publish(400)  # beyond 14:30:00, of which there is a snapshot
        feed.order("listen")
        told = capture.wait("gap")
        settle(feed, capture)
    assert "bridged" not in capture.kinds()
    assert "missing" in told.text
    (gap,) = of_kind(tmp_path, "gap")
    assert (gap["bridged"], gap["end_ns"]) == (False, FUTURES_OPEN_NS)
    assert 0 < gap["end_ns"] - gap["start_ns"] < 11 * 10**9
    last = feed.state()["sessions"][-1]["subscriptions"][0]
    assert (last["snapshot"], last["start_ns"]) == (True, None)
    assert len(of_kind(tmp_path, "set_aside")) == (kind != "aged_out")
    for symbol, table in expected.items():
        seen = frames(tmp_path, symbol)
        times, all_times = seen["ts_ns"].cast("int64").to_numpy(), table["ts_ns"].cast("int64").to_numpy()
        before = int((all_times <= gap["start_ns"]).sum())
        assert seen.slice(0, before).equals(table.slice(0, before))
        assert times[before] == times[before - 1]  # the snapshot's end moves no clock
        seen, times = pa.concat_tables([seen.slice(0, before), seen.slice(before + 1)]), np.delete(times, before)
        missing = (all_times > gap["start_ns"]) & (all_times < gap["end_ns"])
        assert missing.sum() > 10
        assert times.tolist() == all_times[~missing].tolist()
        for column in ("bid_price", "ask_price", "bid_size", "ask_size", "rest_depth"):  # the book is that of before
            assert seen[column].slice(before).equals(table[column].filter(~missing).slice(before)), column


@pytest.mark.parametrize("kind", FAULTY_REPLAYS)
def test_a_snapshot_of_before_the_break_bridges_it_by_what_follows_it(
    feed: GatewayProcess, tmp_path: Path, expected: dict[str, pa.Table], kind: str
) -> None:
    with capturing(feed, tmp_path) as capture:
        settle(feed, capture, 400)  # 14:30:10
        feed.fault(kind, **FAULTY_REPLAYS[kind])
        feed.fault("fin", at=-1)
        capture.wait("bridged")
        settle(feed, capture)
    assert feed.state()["sessions"][-1]["subscriptions"][0]["snapshot"] is True
    assert [gap["bridged"] for gap in of_kind(tmp_path, "gap")] == [True]
    assert_whole(tmp_path, expected)


def test_who_is_not_connected_to_goes_on_trying(feed: GatewayProcess, tmp_path: Path) -> None:
    feed.order("refuse")
    with capturing(feed, tmp_path) as capture:
        capture.wait("break", 3)
        feed.order("listen")
        settle(feed, capture, 100)
    assert "cannot be connected to" in capture.wait("break").text
    assert of_kind(tmp_path, "gap") == []  # nothing had been recorded


def test_streams_without_anything_of_the_market_leave_no_file(feed: GatewayProcess, tmp_path: Path) -> None:
    feed.fault("no_metadata", times=2)
    feed.fault("fin", at=0)
    feed.fault("fin", at=100)
    feed.fault("fin", at=700)
    with capturing(feed, tmp_path) as capture:
        capture.wait("break", 4)
        settle(feed, capture, 100)
    (path,) = directory(tmp_path).glob("*.dbn*")
    assert [entry["kind"] for entry in manifest(tmp_path) if entry["kind"] != "begin"] == ["segment"]
    assert manifest(tmp_path)[-2]["kind"] == "begin"
    assert {entry["file"] for entry in manifest(tmp_path)[-2:]} == {path.name.removesuffix(".part")}


def test_a_sealed_day_is_one_file_that_plays_as_its_segments(
    feed: GatewayProcess, tmp_path: Path, expected: dict[str, pa.Table], capsys: pytest.CaptureFixture[str]
) -> None:
    with capturing(feed, tmp_path, symbols=("MNQ", "NQ")) as capture:  # two roots, one connection
        for until in (200, 300):
            settle(feed, capture, until)
            feed.fault("fin", at=-1)
            capture.wait("bridged", 1 + (until > 200))
        settle(feed, capture)
        assert lake_program(["seal", DATE, "--lake", str(tmp_path)]) == 1
        assert "is not finished" in capsys.readouterr().err
    segments = sorted(directory(tmp_path).glob("*.dbn"))
    before = [path.read_bytes() for path in segments]
    assert lake_program(["seal", DATE, "--lake", str(tmp_path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "3 segments" in said[0]
    assert [line.split()[0] for line in said[1:]] == ["bridged", "bridged", "it"]
    sealed = directory(tmp_path) / "glbx-mdp3-20260206.mbo.dbn.zst"
    assert sealed.samefile(directory(tmp_path, "NQ") / sealed.name)
    assert [path.read_bytes() for path in segments] == before
    data = zstandard.ZstdDecompressor().stream_reader(sealed.read_bytes(), read_across_frames=True).read()
    own = [data[at : at + 56] for at in mbo_offsets(data)]
    assert [one[1:] for one in own] == [market_bytes()[at + 1 : at + 56] for at in range(0, len(market_bytes()), 56)]
    assert lake_program(["seal", DATE, "--lake", str(tmp_path)]) == 1
    assert "is there already" in capsys.readouterr().err
    for path in segments:
        path.unlink()
    assert_whole(tmp_path, expected)
    assert lake_program(["seal", "2026-02-05", "--lake", str(tmp_path)]) == 2
    assert "no live recording" in capsys.readouterr().err


def mbo_offsets(data: bytes) -> Iterator[int]:
    """Where market-by-order records stand."""
    at = 8 + int.from_bytes(data[4:8], "little")
    while at < len(data):
        if data[at + 1] == 160:
            yield at
        at += 4 * data[at]


def test_a_segment_that_was_changed_is_not_sealed(
    feed: GatewayProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capturing(feed, tmp_path) as capture:
        settle(feed, capture)
    (path,) = directory(tmp_path).glob("*.dbn")
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.unlink()
    path.write_bytes(data)
    assert lake_program(["seal", DATE, "--lake", str(tmp_path)]) == 1
    assert "is not what its recorder wrote" in capsys.readouterr().err
    assert [path.name for path in directory(tmp_path).iterdir() if path.name.endswith(".zst")] == []


ESH4 = DATA / "glbx-mdp3-20231225.mbo.dbn.zst"


@pytest.mark.long
@pytest.mark.skipif(not ESH4.exists(), reason="the real exchange data is not here")
def test_a_real_session_recorded_through_breaks_plays_as_its_file(tmp_path: Path) -> None:
    put(tmp_path / "whole", "future_mbo", "ES", ESH4.name, ESH4.read_bytes())
    day_ns = 1_703_462_400 * 10**9
    with gateway(ESH4) as feed, capturing(feed, tmp_path, symbols=("ES",), today_ns=day_ns) as capture:
        records = feed.state()["records"]
        for part in range(1, 6):
            feed.publish(records * part // 6)
            capture.until(capture.has_all)
            feed.fault(("fin", "reset")[part % 2], at=-1)
            feed.publish(records * part // 6 + 1)  # one that is idle breaks when it sends something
            capture.wait("bridged", part)
        feed.publish()
        capture.until(capture.has_all)
    assert {gap["bridged"] for gap in of_kind(tmp_path, "gap", root="ES", date="2023-12-25")} == {True}
    seen, true = (frames(lake, "ESH4", "2023-12-25") for lake in (tmp_path, tmp_path / "whole"))
    assert len(true) > 1000
    assert seen.equals(true)
