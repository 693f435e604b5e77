"""`python -m vp.serve --live`: frames while the market comes are those of its recording."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pytest
from websockets.sync.client import ClientConnection

from tests.lakes import put
from tests.live_gateway.control import KEY, GatewayProcess, gateway
from tests.places import DATA, ROOT
from tests.vp.capture.capturing import DATE, directory, frames, of_kind, write_market
from tests.vp.capture.test_ends import NIGHT_NS, night_market, until
from tests.vp.server.clients import Seen, client, read_on
from vp.demo.session import DATASET, DEMO, ensure_demo
from vp.programs.serve import main as serve


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = tmp_path_factory.mktemp("whole")
    write_market(directory(lake) / "glbx-mdp3-20260206.mbo.dbn")
    return lake


@contextmanager
def serving(
    feed: GatewayProcess, lake: Path, *options: str, errors: IO[bytes] | int = subprocess.PIPE
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program, and its port."""
    words = ["--live", "--gateway", feed.address, "--lake", str(lake), "--port", "0", "--throttle-ms", "0", *options]
    running = subprocess.Popen(
        [sys.executable, "-m", "vp.serve", *words], cwd=ROOT, env={**os.environ, "DATABENTO_API_KEY": KEY},
        stdout=subprocess.PIPE, stderr=errors, text=True,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        line = running.stdout.readline()
        found = re.search(r":(\d+)/", line)
        if found is None:
            raise AssertionError(running.communicate()[1])
        yield running, int(found[1])
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--live", "--symbol", "MNQ", "--dt", "2026-02-06"], "--live and --dt cannot both be"),
        (["--live"], "nothing to record"),
        (["--symbol", "MNQ", "--symbol", "ES"], "Several symbols are given"),
        (["--live", "--symbol", "MNQ", "--gateway", "here"], "gateway was 'here'"),
    ],
)
def test_what_cannot_be_live_is_said_at_once(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve(["--lake", str(tmp_path), "--port", "0", *options]) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_frames_seen_live_are_those_of_the_recording_through_breaks(tmp_path: Path, whole: Path) -> None:
    expected = frames(whole, "MNQM6")
    lake = tmp_path / "lake"
    with (
        gateway(directory(whole) / "glbx-mdp3-20260206.mbo.dbn", from_record=100) as feed,
        serving(feed, lake, "--symbol", "MNQM6", "--symbol", "MNQH6", "--live-from", "week") as (process, port),
    ):
        address = f"ws://127.0.0.1:{port}/v1/vacuum-pressure/stream"
        seen, later, other_contract = Seen(), Seen(), Seen()
        with client(address) as viewer:
            read_on(viewer, seen, until_frames=40)
            feed.publish(250)
            read_on(viewer, seen, until_frames=110)
            feed.fault("fin", at=-1)
            feed.publish(330)
            feed.wait(lambda state: len(state["logins"]) == 2)
            feed.publish()
            read_on(viewer, seen, until_frames=1 + len(expected))
            with client(f"{address}?fields=none") as second:
                read_on(second, later, until_frames=1 + len(expected))
            with client(f"{address}?symbol=MNQH6&fields=none") as third:
                read_on(third, other_contract, until_frames=1 + len(expected))
            viewer.send(json.dumps({"type": "pause"}))
            while seen.texts[-1]["type"] != "refused":
                seen.take(viewer.recv(timeout=10))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
            health = json.load(answer)
        session, _ = health["sessions"]  # the other one has no viewer any more, and goes on
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert KEY not in said
    feed_state = health["feed"]
    assert (feed_state["state"], feed_state["breaks"], feed_state["gaps"]) == ("live", 1, 0)
    assert feed_state["symbols"] == ["MNQM6", "MNQH6"]
    assert (session["dt"], session["contract"], session["state"]) == (DATE, "MNQM6", "live")
    assert [gap["bridged"] for gap in of_kind(lake, "gap")] == [True]
    assert list(directory(lake).glob("*.part")) == []
    table = seen.table.replace_schema_metadata(None)
    for other in (expected, frames(lake, "MNQM6")):
        assert pa.Table.equals(table, other.replace_schema_metadata(None))
    assert "does not wait" in seen.last("refused")["message"]
    assert other_contract.table["event_id"].to_pylist() == frames(whole, "MNQH6")["event_id"].to_pylist()
    assert later.table["event_id"].to_pylist() == expected["event_id"].to_pylist()


@pytest.mark.long
def test_a_gap_that_is_not_bridged_is_told_everywhere_and_plays_as_it_was_seen(tmp_path: Path, whole: Path) -> None:
    lake = tmp_path / "lake"
    with (
        gateway(directory(whole) / "glbx-mdp3-20260206.mbo.dbn", from_record=240) as feed,
        serving(feed, lake, "--symbol", "MNQH6", "--live-from", "week") as (process, port),
    ):
        address = f"ws://127.0.0.1:{port}/v1/vacuum-pressure/stream"
        seen, later = Seen(), Seen()
        with client(f"{address}?fields=none") as viewer:
            read_on(viewer, seen, until_frames=60)
            feed.order("refuse")
            feed.fault("aged_out")
            feed.fault("fin", at=-1)
            read_until(viewer, seen, "gap")
            while seen.last("status")["feed"]["state"] != "gap":
                read_until(viewer, seen, "status", times=1)
            opened = seen.last("gap")
            assert (opened["end_ns"], opened["bridged"]) == (None, None)
            assert "closed the connection" in opened["reason"]
            assert answer(port, "/health")["feed"]["state"] == "gap"
            assert 'vp_feed_state{state="gap"} 1.0' in metrics(port)
            assert 'kind="open",' in metrics(port)
            feed.publish(400)
            feed.order("listen")
            read_until(viewer, seen, "gap")
            feed.publish()
            with client(f"{address}?fields=none") as second:
                read_until(second, later, "gap")
                head = history_head(port, later.last("runtime_config")["session_id"])
            feed.wait(lambda state: state["sessions"][-1]["sent_until"] == state["records"])
            session = wait_for(port, lambda health: not health["sessions"][0]["lag_seconds"])["sessions"][0]
            told = answer(port, "/health")["feed"]
            numbers = metrics(port)
            listed = answer(port, "/v1/vacuum-pressure/sessions")["sessions"]
            overview = answer(port, "/v1/vacuum-pressure/overview")
            expected = stop_and_play(process, lake, "MNQH6")
            read_on(viewer, seen)
    closed = seen.last("gap")
    (gap,) = of_kind(lake, "gap")
    assert closed == later.last("gap") | {"type": "gap"}
    assert (int(closed["start_ns"]), int(closed["end_ns"])) == (gap["start_ns"], gap["end_ns"])
    assert (closed["start_ns"], closed["bridged"], gap["bridged"]) == (opened["start_ns"], False, False)
    assert [one["start_ns"] for one in head["gaps"]] == [closed["start_ns"]]
    assert (told["state"], told["gaps"], told["breaks"]) == ("live", 1, 2)
    assert told["records"] > 300
    for stage in ("exchange_to_databento", "databento_to_here"):
        assert f'vp_latency_seconds_count{{session="",stage="{stage}"}}' in numbers
    assert session["latency"]["here_to_frame"]["p50_ms"] > 0
    assert told["latency"]["databento_to_here"] is None  # the file is of another year
    assert 'vp_feed_state{state="live"} 1.0' in numbers
    assert "vp_feed_gaps_total 1.0" in numbers
    assert re.search(r'vp_session_gaps\{kind="missing",session="\w+"\} 1.0', numbers)
    assert [(one["symbol"], one["dt"], one["live"], one["size_bytes"]) for one in listed] == [("MNQ", DATE, True, None)]
    assert listed[0]["contracts"] == ["MNQH6"]
    assert 0 < sum(overview["events"]) < len(frames(whole, "MNQH6"))
    states = [one["feed"]["state"] for one in seen.texts if one["type"] == "status"]
    assert states.index("gap") < len(states) - 1 - states[::-1].index("live")
    assert [one for one in seen.texts if one["type"] == "missed"] == []  # else this machine was too slow for the test
    quality = seen.table["quality"].to_numpy()
    assert ((quality & 32) != 0).sum() == ((expected["quality"].to_numpy() & 32) != 0).sum()
    assert seen.table.replace_schema_metadata(None).equals(
        expected.select(seen.table.column_names).replace_schema_metadata(None)
    )


ESH4 = DATA / "glbx-mdp3-20231225.mbo.dbn.zst"
PARTS = 10
THROTTLE = ["--throttle-ms", "1000"]
WHOLE = [("demonstration", True), ("exchange", False)]
if "VP_LIVE_BREAKS" in os.environ:  # all, where time does not matter
    WHOLE += [("demonstration", False), ("exchange", True)]


@pytest.mark.long
@pytest.mark.parametrize(("of", "bridged"), WHOLE)
def test_whole_sessions_seen_live_are_those_of_their_recording(tmp_path: Path, of: str, bridged: bool) -> None:
    """Through breaks; against the file that the gateway plays, bit for bit or up to the gap."""
    if of == "exchange" and not ESH4.exists():
        pytest.skip("the real exchange data is not here")
    is_demo = of == "demonstration"
    symbol, root, date = (DEMO.symbol, "MNQ", DEMO.dt) if is_demo else ("ESH4", "ES", "2023-12-25")
    file = ensure_demo(tmp_path / "demo") if is_demo else ESH4
    put(tmp_path / "whole", "future_mbo", root, file.name, file.read_bytes())
    asked = ["--dataset", DATASET] if is_demo else []
    lake = tmp_path / "lake"
    with (
        gateway(file, from_record=1000) as feed,
        serving(feed, lake, "--symbol", symbol, "--live-from", "week", *THROTTLE, *asked) as (process, port),
    ):
        seen = Seen()
        records = feed.state()["records"]
        with client(f"ws://127.0.0.1:{port}/v1/vacuum-pressure/stream") as viewer:
            read_on(viewer, seen, until_frames=1)
            for part in range(1, PARTS + 1):
                feed.publish(max(1000, records * part // PARTS))
                if part in {3, 7}:
                    feed.order("refuse")
                    feed.fault("fin", at=-1)
                    if not bridged:
                        feed.fault("aged_out")
                    read_until(viewer, seen, "gap")
                    feed.publish(records * part // PARTS + 5000)
                    feed.order("listen")
                    read_until(viewer, seen, "gap")
                until(lambda: answer(port, "/health")["feed"]["state"] == "live")
                read_settled(viewer, seen, port)
            recorded = stop_and_play(process, lake, symbol, date, throttle_ms=1000)
            read_on(viewer, seen)
    assert [one for one in seen.texts if one["type"] == "missed"] == []
    table = seen.table.replace_schema_metadata(None)
    assert len(table) > 500
    assert table.equals(recorded.replace_schema_metadata(None))
    gaps = of_kind(lake, "gap", root=root, date=date)
    assert [gap["bridged"] for gap in gaps] == [bridged] * 2
    true = frames(tmp_path / "whole", symbol, date, throttle_ms=1000).replace_schema_metadata(None)
    if bridged:
        assert table.equals(true)
    else:
        before = int((true["ts_ns"].cast("int64").to_numpy() <= gaps[0]["start_ns"]).sum())
        assert before > 100
        assert table.slice(0, before).equals(true.slice(0, before))


def read_settled(viewer: ClientConnection, seen: Seen, port: int) -> None:
    """Read until the session has processed all that has come, and the viewer has all frames of it."""
    while True:
        health = answer(port, "/health")["sessions"][0]
        read_until(viewer, seen, "status", times=2)
        told = seen.last("status")
        if int(told["records_done"]) == health["records_done"] and not told["lag_seconds"]:
            return


def read_until(viewer: ClientConnection, seen: Seen, kind: str, times: int = 1) -> None:
    """Read until so many more texts of a kind have come."""
    while times > 0:
        seen.take(message := viewer.recv(timeout=20))
        times -= isinstance(message, str) and json.loads(message)["type"] == kind


def fetch(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        body: bytes = response.read()
        return body


def answer(port: int, path: str) -> Any:
    return json.loads(fetch(port, path))


def metrics(port: int) -> str:
    return fetch(port, "/metrics").decode()


def history_head(port: int, session_id: str) -> Any:
    block = fetch(port, f"/v1/vacuum-pressure/history?session_id={session_id}&limit=1&fields=none")
    return json.loads(block[4 : 4 + int.from_bytes(block[:4], "little")])


def wait_for(port: int, condition: Callable[[Any], bool]) -> Any:
    give_up = time.monotonic() + 20
    while not condition(health := answer(port, "/health")):
        assert time.monotonic() < give_up, health
        time.sleep(0.02)
    return health


def stop_and_play(
    process: subprocess.Popen[str], lake: Path, symbol: str, date: str = DATE, throttle_ms: float = 0
) -> pa.Table:
    """The frames of what was recorded, once the program has ended."""
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=20)
    return frames(lake, symbol, date, throttle_ms=throttle_ms)


def test_before_the_feed_has_sent_anything_the_server_answers_and_says_so(tmp_path: Path, whole: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with gateway(directory(whole) / "glbx-mdp3-20260206.mbo.dbn") as feed:
        words = ["--live", "--symbol", "MNQ", "--live-from", "week", "--gateway", feed.address, "--host", "0.0.0.0"]
        running = subprocess.Popen(
            [sys.executable, "-m", "vp.serve", *words, "--lake", str(tmp_path), "--port", str(port)], cwd=ROOT,
            env={**os.environ, "DATABENTO_API_KEY": KEY}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            until(lambda: is_listening(port))
            address = f"ws://127.0.0.1:{port}/v1/vacuum-pressure/stream?fields=none"
            refused, seen = Seen(), Seen()
            with client(address) as viewer:
                read_on(viewer, refused)
            health = answer(port, "/health")
            feed.publish(100)
            until(lambda: answer(port, "/health")["feed"]["state"] == "live")
            with client(address) as viewer:
                read_on(viewer, seen, until_frames=3)
        finally:
            running.send_signal(signal.SIGTERM)
            _, said = running.communicate(timeout=20)
    assert (health["status"], health["ready"], health["feed"]["state"]) == ("ok", False, "connecting")
    assert (refused.last("error")["code"], refused.code) == ("feed_not_ready", 1013)
    assert "MNQ.FUT of GLBX.MDP3" in refused.last("error")["message"]
    assert seen.last("runtime_config")["dt"] == DATE
    assert running.returncode == 0, said
    assert said.count("WARNING: 0.0.0.0 can be reached from the network, and nothing asks who is there") == 1


def is_listening(port: int) -> bool:
    with contextlib.suppress(OSError):
        return bool(answer(port, "/health"))
    return False


@pytest.mark.long
@pytest.mark.parametrize("product_type", ["future_mbo", "equity_mbo"])
def test_at_midnight_a_stream_goes_on_with_the_next_session(tmp_path: Path, product_type: str) -> None:
    """That of UTC for futures, and for equities that of New York."""
    is_future = product_type == "future_mbo"
    symbol, midnight_ns = ("MNQH6", NIGHT_NS) if is_future else ("QQQ", NIGHT_NS + 5 * 3600 * 10**9)
    file, lake = tmp_path / "night" / "market.dbn", tmp_path / "lake"
    night_market(file, symbol, midnight_ns, dataset="GLBX.MDP3" if is_future else "XNAS.ITCH")
    asked = ["--product-type", product_type, "--symbol", "MNQ" if is_future else symbol, "--live-from", "week"]
    with gateway(file, from_record=100) as feed, serving(feed, lake, *asked) as (process, port):
        seen, later = Seen(), Seen()
        address = f"ws://127.0.0.1:{port}/v1/vacuum-pressure/stream"
        with client(address) as viewer:
            read_on(viewer, seen, until_frames=50)
            feed.publish(200)
            feed.wait(lambda state: len(state["logins"]) == 2)
            feed.publish()
            read_until(viewer, seen, "next_session")
            read_until(viewer, seen, "history")
            with client(address + "?fields=none") as newcomer:
                read_until(newcomer, later, "history")
            process.send_signal(signal.SIGTERM)
            read_on(viewer, seen)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    dates = ["2026-02-09", "2026-02-10"]
    days = [frames(lake, symbol, date, product_type).replace_schema_metadata(None) for date in dates]
    assert min(len(day) for day in days) > 50
    assert [one for one in seen.texts if one["type"] == "missed"] == []  # else this machine was too slow for the test
    assert seen.table.replace_schema_metadata(None).equals(pa.concat_tables(days))
    configs = [one for one in seen.texts if one["type"] == "runtime_config"]
    assert [one["dt"] for one in configs] == dates
    assert configs[0]["session_id"] != configs[1]["session_id"] == later.last("runtime_config")["session_id"]
    (told,) = [one for one in seen.texts if one["type"] == "next_session"]
    assert (told["dt"], told["start_ns"]) == (dates[1], str(midnight_ns))
    assert told["frames_sent"] == len(days[0])
    kinds = [one["type"] for one in seen.texts]
    assert kinds.index("next_session") > kinds.index("history")
    assert ("end" in kinds, seen.code) == (False, 1001)  # the server ended, no session did


def test_a_feed_that_has_to_end_is_told_of_and_the_key_stands_nowhere(tmp_path: Path, whole: Path) -> None:
    """The gateway no longer takes the key: viewers are told so, the server goes on, and no text whatever holds it."""
    lake, logs = tmp_path / "lake", tmp_path / "stderr"
    texts: dict[str, bytes] = {}
    with (
        gateway(directory(whole) / "glbx-mdp3-20260206.mbo.dbn", from_record=100) as feed,
        logs.open("wb") as errors,
        serving(
            feed, lake, "--symbol", "MNQH6", "--log-level", "debug", "--live-from", "week", errors=errors
        ) as served,
    ):
        process, port = served
        seen = Seen()
        feed.fault("refused_login", text=f"Connection limit of {KEY} exceeded")
        with client(f"ws://127.0.0.1:{port}/v1/vacuum-pressure/stream") as viewer:
            read_on(viewer, seen, until_frames=40)
            feed.order("set", key="db-that-was-made-instead-of-it")
            feed.fault("error", at=-1, code=6, text=f"Internal error of {KEY}")
            feed.publish(130)
            read_on(viewer, seen)
        for path in ("/health", "/metrics", "/v1/vacuum-pressure/sessions", "/v1/vacuum-pressure/overview"):
            texts[path] = fetch(port, path)
        command = subprocess.run(["ps", "-o", "args", "-p", str(process.pid)], capture_output=True, check=True).stdout
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
    last = seen.last("status")["feed"]
    assert (last["state"], "refuses the key" in last["text"]) == ("stopped", True)
    assert seen.texts[-1]["type"] == "end"
    health = json.loads(texts["/health"])
    assert (health["status"], health["feed"]["state"]) == ("ok", "stopped")
    assert process.returncode == 1
    said = logs.read_bytes()
    assert b"error: The gateway refuses the key" in said
    assert b"Connection limit of (the key) exceeded" in said
    texts |= {
        "stdout": out.encode(),
        "stderr": said,
        "command line": command,
        "messages": json.dumps(seen.texts).encode(),
    }
    texts |= {str(path): path.read_bytes() for path in lake.rglob("*") if path.is_file()}
    assert any(name.endswith(".jsonl") for name in texts)
    for name, text in texts.items():
        # What the gateway itself says is recorded as it came; nothing else may hold the key.
        assert (KEY.encode() in text) is name.endswith(".dbn"), name
        assert (KEY[-5:].encode() in text) is name.endswith(".dbn"), name
        assert b"auth=" not in text, name
