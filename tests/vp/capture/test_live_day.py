"""A recording while it grows: read as it comes, by engines as slow as may be, and by nobody twice."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from tests.live_gateway import busy_market
from tests.live_gateway.control import GatewayProcess, gateway
from tests.vp.capture.capturing import DATE, RECORDS, Capture, capturing, frames
from tests.vp.server.runs.memory import private_kib
from vp.capture.live_segments import LiveDay
from vp.dbn.growing_input import GrowingReader
from vp.model.live_session import LiveSession
from vp.model.overview import GrowingOverviews, overview
from vp.model.pipeline import prepare, prepare_growing
from vp.model.session import SessionSpec

LOOKS = 20


def day_of(capture: Capture) -> LiveDay:
    return capture.recorder.days[dt.date.fromisoformat(DATE)]


def shows_all(capture: Capture, feed: GatewayProcess) -> bool:
    """Whether the recording tells others of all that the gateway has sent."""
    if not capture.has_all():
        return False
    sent = feed.state()["sessions"][-1]["sent_bytes"]
    return day_of(capture).segments()[-1].whole_bytes == int(sent)


def waits(session: LiveSession) -> bool:
    """Whether something lies on the disk that its engine has not read."""
    return session.waiting_since is not None


def all_frames(session: LiveSession) -> pa.Table:
    tables = []
    while (batch := session.advance(None, 64)).count:
        tables.append(session.layout.table(batch.buffer))
    return pa.concat_tables(tables).replace_schema_metadata(None).combine_chunks()


def spec_of(lake: Path, symbol: str = "MNQH6") -> SessionSpec:
    return SessionSpec(product_type="future_mbo", symbol=symbol, dt=DATE, lake=str(lake), throttle_ms=0)


def test_the_overview_of_what_there_is_so_far_counts_each_record_once(
    feed: GatewayProcess, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, overviews, sums, reads = spec_of(tmp_path), GrowingOverviews(), [], []
    next_chunk = GrowingReader.next_chunk

    def counted(reader: GrowingReader) -> object:
        chunk = next_chunk(reader)
        reads.append(0 if chunk is None else len(chunk[0]))
        return chunk

    monkeypatch.setattr(GrowingReader, "next_chunk", counted)
    with capturing(feed, tmp_path) as capture:
        for until in (200, 300, RECORDS):
            feed.publish(until)
            capture.until(capture.has_all)
            if until == 300:
                feed.fault("fin", at=-1)
                feed.publish(310)
                capture.wait("bridged")
            capture.until(lambda: shows_all(capture, feed))
            told = overviews.now(spec, day_of(capture))
            sums.append(sum(told["events"]))
        overviews.close()
    assert sums[0] < sums[1] < sums[2]
    true = overview(spec_of(whole))
    assert told == true
    assert sum(reads) == len(frames(whole, "MNQH6"))  # each record makes one


def test_a_feed_that_brings_nothing_of_the_market_is_told_to_be_silent(feed: GatewayProcess, tmp_path: Path) -> None:
    with capturing(feed, tmp_path, silent_seconds=1.5) as capture:  # heartbeats come each second
        feed.publish(200)
        capture.wait("recording")
        told = capture.wait("silent")
        assert capture.recorder.describe()["state"] == "silent"
        assert capture.recorder.describe()["silent_seconds"] >= 1.5
        feed.publish(220)
        capture.until(lambda: capture.recorder.state == "live")
        capture.wait("recording", 2)
    assert "Nothing of the market has come" in told.text
    assert "goes on" in capture.wait("recording", 2).text
    assert "break" not in capture.kinds()


def test_gaps_are_open_until_the_feed_goes_on_and_stand_in_what_is_played_later(
    feed: GatewayProcess, tmp_path: Path
) -> None:
    with capturing(feed, tmp_path) as capture:
        feed.publish(240)
        capture.until(capture.has_all)
        assert day_of(capture).gaps() == ()
        feed.order("refuse")
        feed.fault("fin", at=-1)
        capture.wait("break", 2)
        (opened,) = day_of(capture).gaps()
        assert opened.end_ns == 0
        assert capture.recorder.state == "gap"
        feed.order("listen")
        feed.publish(330)
        capture.wait("bridged")
        (closed,) = day_of(capture).gaps()
        capture.until(lambda: capture.recorder.state == "live")
    assert (closed.start_ns, closed.reason, closed.bridged) == (opened.start_ns, opened.reason, True)
    assert closed.end_ns > closed.start_ns
    with contextlib.closing(prepare(spec_of(tmp_path))) as session:
        assert session.gaps() == (closed,)


def test_frames_begin_at_the_start_time_whether_or_not_the_market_has_come_to_it(
    feed: GatewayProcess, tmp_path: Path, whole: Path
) -> None:
    spec = replace(spec_of(tmp_path), start_time="09:30", context_minutes=1.0)
    with contextlib.closing(prepare(replace(spec, lake=str(whole), context_minutes=0.0))) as session:
        expected = all_frames(session)
        begins_ns, counted = session.info.emit_from_ns, session.anomalies()
    assert 0 < len(expected) < len(frames(whole, "MNQH6"))
    assert expected["ts_ns"].cast("int64")[0].as_py() >= begins_ns
    with capturing(feed, tmp_path) as capture:
        feed.publish(100)
        capture.until(lambda: shows_all(capture, feed))
        early = prepare_growing(spec, day_of(capture))
        assert (early.clock_ns or 0) < begins_ns
        assert early.advance(None, 64).count == 0
        feed.publish(RECORDS)
        capture.until(lambda: shows_all(capture, feed))
        late = prepare_growing(spec, day_of(capture))
        for begun in (early, late):
            with contextlib.closing(begun) as session:
                assert all_frames(session).equals(expected)
                assert session.anomalies() == counted
                assert session.anomalies_before() != dict.fromkeys(counted, 0)


def test_what_a_slow_engine_has_before_it_waits_on_the_disk(tmp_path: Path) -> None:
    """Forty MiB come while it stands still; memory does not grow, and it then makes all frames there are."""
    records = 650_000
    file = tmp_path / "whole" / "feed.dbn"
    busy_market.write(file, {"MNQH6": 1}, [busy_market.even_times(records / 5000, 5000)])
    lake = tmp_path / "lake"
    spec = SessionSpec(product_type="future_mbo", symbol="MNQH6", dt=DATE, lake=str(lake), throttle_ms=1000)
    with gateway(file, from_record=2000) as feed, capturing(feed, lake) as capture:
        capture.until(lambda: shows_all(capture, feed))
        day = day_of(capture)
        with contextlib.closing(prepare_growing(spec, day)) as session:
            seen = [session.layout.table(session.advance(None, 1).buffer)]
            assert not waits(session)
            before_kib = private_kib()
            for part in range(1, LOOKS + 1):
                feed.publish(records * part // LOOKS)
                capture.until(lambda: shows_all(capture, feed))
            grown_kib = private_kib() - before_kib
            assert waits(session)  # it says for how long
            while (batch := session.advance(None, 64)).count:
                seen.append(session.layout.table(batch.buffer))
            assert not waits(session)
            assert session.records_done == records
        assert "break" not in capture.kinds()
    assert grown_kib < 12_000, grown_kib
    with contextlib.closing(prepare(spec)) as again:
        tables = []
        while not again.finished:
            tables.append(again.layout.table(again.advance(None, 64).buffer))
    assert pa.concat_tables(seen).equals(pa.concat_tables(tables))
