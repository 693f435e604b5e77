"""How a recording ends and begins again: killed, on a full disk, at midnight, refused; and that no key is told."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import databento_dbn
import pytest

from tests.dbn_files import header, mbo
from tests.lakes import market
from tests.live_gateway.control import KEY, GatewayProcess, gateway
from tests.oracle_book import Rec
from tests.places import ROOT
from tests.vp.capture.capturing import (
    RECORDS,
    capturing,
    directory,
    frames,
    manifest,
    of_kind,
    received_all,
)
from vp.capture.recorded import read_segment
from vp.capture.segment_file import SegmentFile
from vp.errors import ApiKeyError, CaptureError

KILLS = int(os.environ.get("VP_LIVE_KILLS", "5"))
FULL_BYTES = 12_345  # within a record
LIMITED = """
import os, resource, sys
most = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""  # no file of the program gets larger: what a full disk does to one
NIGHT_NS = 1_770_681_600 * 10**9  # 2026-02-10 00:00 UTC, a Tuesday


@contextlib.contextmanager
def program(
    feed: GatewayProcess, lake: Path, *options: str, limit_bytes: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """`python -m vp.capture`, killed at the end if it still runs."""

    limit = [] if limit_bytes is None else ["-c", LIMITED, str(limit_bytes)]
    words = ["--symbol", "MNQ", "--lake", str(lake), "--gateway", feed.address, "--live-from", "week", *options]
    running = subprocess.Popen(
        [sys.executable, *limit, "-m", "vp.capture", *words], cwd=ROOT, env={**os.environ, "DATABENTO_API_KEY": KEY},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def kill_a_recorder(feed: GatewayProcess, lake: Path) -> None:
    """One that has written all of 200 records."""
    feed.publish(200)
    with program(feed, lake) as running:
        until(lambda: received_all(feed, directory(lake)))
        running.kill()


@pytest.mark.long
def test_a_killed_recorder_leaves_whole_records_and_the_next_one_goes_on(
    feed: GatewayProcess, tmp_path: Path, whole: Path
) -> None:
    chance = random.Random(3)
    feed.order("set", split_bytes=61)
    published = 0
    for _ in range(KILLS):
        with program(feed, tmp_path) as running:
            until(lambda: received_all(feed, directory(tmp_path)))
            published += chance.randint(1, RECORDS // (KILLS + 1))
            feed.publish(published)
            time.sleep(chance.random() * 0.02)
            running.send_signal(signal.SIGKILL)
            running.wait()
        for part in directory(tmp_path).glob("*.part"):
            data = part.read_bytes()
            scan = read_segment(part, replayed=True).scan
            assert 0 <= len(data) - scan.whole_bytes < 328
            decoded = databento_dbn.DBNDecoder()
            decoded.write(data[: scan.whole_bytes])
            assert len(decoded.decode()) == scan.records + 1
    with program(feed, tmp_path) as running:
        until(lambda: received_all(feed, directory(tmp_path)))
        feed.publish()
        until(lambda: received_all(feed, directory(tmp_path)))
        running.send_signal(signal.SIGTERM)
        assert running.wait() == 0
    gaps = of_kind(tmp_path, "gap")
    assert 1 <= len(gaps) <= KILLS
    assert {(gap["bridged"], gap["reason"]) for gap in gaps} == {(True, "the recorder was killed")}
    assert list(directory(tmp_path).glob("*.part")) == []
    assert frames(tmp_path, "MNQH6").equals(frames(whole, "MNQH6"))


def test_what_was_killed_on_an_earlier_day_is_finished_and_the_rest_of_that_day_is_a_gap(
    feed: GatewayProcess, tmp_path: Path
) -> None:
    kill_a_recorder(feed, tmp_path)
    file = night_market(tmp_path / "night" / "market.dbn")
    with gateway(file, from_record=50) as later, capturing(later, tmp_path, today_ns=NIGHT_NS - 1) as capture:
        capture.wait("recording")
    assert list(directory(tmp_path).glob("*.part")) == []
    assert [entry["kind"] for entry in manifest(tmp_path)] == ["begin", "segment", "gap"]
    (gap,) = of_kind(tmp_path, "gap")
    assert gap["end_ns"] % (86_400 * 10**9) == 0
    assert gap["end_ns"] > gap["start_ns"]
    assert not gap["bridged"]
    assert len(frames(tmp_path, "MNQH6")) > 50


def test_how_a_segment_begins_is_on_disk_before_its_first_byte(feed: GatewayProcess, tmp_path: Path) -> None:
    feed.publish(200)
    with capturing(feed, tmp_path) as capture:
        capture.until(capture.has_all)
    seen: list[bool] = []
    write = SegmentFile.write

    def look(file: SegmentFile, data: bytes | memoryview) -> None:
        seen.append(any(entry["kind"] == "begin" and entry["file"] == file.name for entry in manifest(tmp_path)))
        write(file, data)

    with pytest.MonkeyPatch.context() as patch, capturing(feed, tmp_path) as capture:
        patch.setattr(SegmentFile, "write", look)
        capture.until(capture.has_all)
    assert seen
    assert all(seen)


def test_the_market_of_a_segment_without_a_beginning_is_kept_and_not_played(
    feed: GatewayProcess, tmp_path: Path
) -> None:
    kill_a_recorder(feed, tmp_path)
    (part,) = directory(tmp_path).glob("*.part")
    data = part.read_bytes()
    next(directory(tmp_path).glob("*.segments.jsonl")).unlink()
    with capturing(feed, tmp_path) as capture:
        capture.until(capture.has_all)
    path = part.with_name(part.name.removesuffix(".part"))
    assert path.read_bytes() == data
    (aside,) = of_kind(tmp_path, "set_aside")
    assert aside["file"] == path.name
    assert "how it begins" in aside["reason"]


def test_a_full_disk_ends_the_recording_whole_and_the_next_start_goes_on(
    feed: GatewayProcess, tmp_path: Path, whole: Path
) -> None:
    feed.publish(100)
    with program(feed, tmp_path, limit_bytes=FULL_BYTES) as running:
        until(lambda: received_all(feed, directory(tmp_path)))
        feed.publish(300)
        said, _ = running.communicate(timeout=20)
        assert running.returncode == 1
    lines = said.splitlines()  # the error's are the last, unless coverage is measured, which cannot be written either
    error, hint = lines[(at := next(i for i, line in enumerate(lines) if line.startswith("error: "))) : at + 2]
    assert "could not be written: File too large" in error
    assert "start again" in hint
    (path,) = directory(tmp_path).glob("*.dbn")
    assert FULL_BYTES - 64 < path.stat().st_size < FULL_BYTES
    (segment,) = of_kind(tmp_path, "segment")
    assert "could not be written" in segment["ended"]
    with capturing(feed, tmp_path) as capture:
        feed.publish()
        capture.until(capture.has_all)
    (gap,) = of_kind(tmp_path, "gap")
    assert gap["bridged"]
    assert "could not be written" in gap["reason"]
    assert frames(tmp_path, "MNQM6").equals(frames(whole, "MNQM6"))


def test_two_recorders_of_one_symbol_are_one_too_many(feed: GatewayProcess, tmp_path: Path) -> None:
    with capturing(feed, tmp_path) as capture:
        feed.publish(50)
        capture.until(capture.has_all)
        with capturing(feed, tmp_path) as other:
            other.join()
        assert isinstance(other.error, CaptureError)
        assert "Another recorder" in str(other.error)
        feed.publish(60)
        capture.until(capture.has_all)
    assert len(of_kind(tmp_path, "segment")) == 1


def test_a_refused_key_ends_it_in_a_sentence(feed: GatewayProcess, tmp_path: Path) -> None:
    with capturing(feed, tmp_path, key="db-another-key-that-is-not-known") as capture:
        capture.join()
    assert isinstance(capture.error, ApiKeyError)
    assert "authentication failed" in str(capture.error)
    for code in (1, 2):
        feed.fault("error", at=1, code=code, text="Key deactivated")
        with capturing(feed, tmp_path) as capture:
            capture.join()
        assert isinstance(capture.error, ApiKeyError), code


def test_a_limit_of_connections_is_waited_for_and_an_unknown_symbol_named(feed: GatewayProcess, tmp_path: Path) -> None:
    feed.fault("refused_login", text="Connection limit exceeded")
    feed.fault("error", at=1, code=3, text="Too many sessions")
    with capturing(feed, tmp_path, symbols=("MNQH6", "MNQZ9")) as capture:
        feed.publish(100)
        capture.until(capture.has_all)
        warning = capture.wait("warning", 2)
    assert "Connection limit exceeded" in capture.wait("break", 1).text
    assert "Too many sessions" in capture.wait("break", 2).text
    assert "MNQZ9" in warning.text
    assert len(frames(tmp_path, "MNQH6")) > 10


def night_market(path: Path, symbol: str = "MNQH6", midnight_ns: int = NIGHT_NS, dataset: str = "GLBX.MDP3") -> Path:
    first = Rec(midnight_ns - 21 * 10**9, "R", "N", 2**63 - 1, 0, 0, 128)
    records = [first, *market(midnight_ns, 20, 20)]
    path.parent.mkdir(parents=True)
    path.write_bytes(
        header(symbols={symbol: 1}, dataset=dataset)
        + b"".join(mbo(rec, 1, sequence=i) for i, rec in enumerate(records))
    )
    return path


def test_at_midnight_a_session_begins_with_a_snapshot_and_neither_day_lacks_anything(tmp_path: Path) -> None:
    file = night_market(directory(tmp_path / "whole") / "glbx-mdp3-20260209-20260210.mbo.dbn")
    lake = tmp_path / "lake"
    with gateway(file) as feed, capturing(feed, lake, today_ns=NIGHT_NS - 1) as capture:
        for until_record in (60, 170, 185, 200):
            feed.publish(until_record)
            capture.until(capture.has_all)
        capture.wait("recording", 2)
        feed.publish()
        capture.until(
            lambda: any(
                entry["ended"] == "the session was over" for entry in of_kind(lake, "segment", date="2026-02-09")
            )
        )
        capture.until(capture.has_all)
    assert capture.error is None
    for date in ("2026-02-09", "2026-02-10"):
        assert [entry["kind"] for entry in manifest(lake, date=date)] == ["begin", "segment"]
        seen, true = frames(lake, "MNQH6", date), frames(tmp_path / "whole", "MNQH6", date)
        same = [name for name in true.schema.names if not name.endswith("event_id")]
        assert len(true) > 50
        assert seen.select(same).equals(true.select(same)), date


def test_the_key_stands_nowhere(feed: GatewayProcess, tmp_path: Path) -> None:
    """In no file, message, log at any level, and command line; neither does what proves that one has it."""
    feed.fault("refused_login", text=f"Connection limit of {KEY} exceeded")
    with program(feed, tmp_path, "--log-level", "debug") as running:
        feed.publish(100)
        until(lambda: received_all(feed, directory(tmp_path)))
        commands = [Path(f"/proc/{running.pid}/cmdline").read_bytes()]
        feed.fault("error", at=-1, code=6, text=f"Internal error of {KEY}")
        feed.publish(110)
        until(lambda: len(feed.state()["logins"]) >= 2)
        until(lambda: received_all(feed, directory(tmp_path)))
        running.send_signal(signal.SIGTERM)
        said, _ = running.communicate(timeout=20)
        assert running.returncode == 0
    assert "Connection limit of (the key) exceeded" in said
    assert "Internal error" in said
    for text in (said.encode(), *commands):
        assert KEY.encode() not in text
        assert KEY[-5:].encode() not in text
        assert b"auth=" not in text
    manifests = list(tmp_path.rglob("*.jsonl"))
    assert manifests
    for path in manifests:
        assert KEY.encode() not in path.read_bytes()


def test_what_a_full_disk_kept_of_a_session_that_is_over_is_a_gap_of_it(feed: GatewayProcess, tmp_path: Path) -> None:
    """But not where the recorder was stopped as it was asked to be."""
    feed.publish(100)
    with program(feed, tmp_path, limit_bytes=FULL_BYTES) as running:
        until(lambda: received_all(feed, directory(tmp_path)))
        feed.publish(300)
        running.communicate(timeout=20)
    (segment,) = of_kind(tmp_path, "segment")
    file = night_market(tmp_path / "night" / "market.dbn")
    for _ in range(2):  # told once
        with gateway(file, from_record=50) as later, capturing(later, tmp_path, today_ns=NIGHT_NS - 1) as capture:
            capture.wait("recording")
    (gap,) = of_kind(tmp_path, "gap")
    assert (gap["start_ns"], gap["bridged"]) == (segment["last_ns"], False)
    assert gap["end_ns"] % (86_400 * 10**9) == 0
    assert "could not be written" in gap["reason"]
    with gateway(file, from_record=239) as next_day, capturing(next_day, tmp_path, today_ns=NIGHT_NS + 1) as capture:
        capture.wait("recording")
    assert [one["bridged"] for one in of_kind(tmp_path, "gap", date="2026-02-09")] == [True]
