"""A session that fails under its viewers ends for them alone: a real server, real files, real clients."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import lakes
from tests.lakes import GOOD
from tests.vp.server.clients import Seen, client, get_json, read_on
from tests.vp.server.tiny import Running, serving
from vp.dbn import file as dbn
from vp.dbn.session_input import session_reader
from vp.model.live_session import LiveSession
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec
from vp.server.app import Service
from vp.server.stream.request import StreamRequest

NAME = "xnas-itch-20260708.mbo.dbn"
DEFAULTS = StreamRequest("equity_mbo", "GOOD", lakes.DATE, "09:30", throttle_ms=0)


@pytest.fixture
def lake(small_lake: Path, tmp_path: Path) -> Path:
    """Its own copy, with a second sound symbol whose file is long."""
    shutil.copytree(small_lake, tmp_path / "lake")
    records = lakes.market(lakes.OPEN_NS, seconds_before=10, seconds_after=60, step_ms=20)
    lakes.put(tmp_path / "lake", "equity_mbo", "LONG", NAME, lakes.dbn("LONG", 9, records))
    return tmp_path / "lake"


@pytest.fixture
def server(lake: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(dbn, "BLOCK_BYTES", 4096)
    defaults: Any = session_reader.__kwdefaults__
    monkeypatch.setitem(defaults, "chunk_rows", 64)  # a second or so at a time

    def prepared(request: StreamRequest, tell: Callable[[Any], None]) -> LiveSession:
        spec = SessionSpec(
            request.product_type, request.symbol, request.dt, request.start_time, lake=str(lake), throttle_ms=0
        )
        return prepare(spec, tell)

    with serving(Service(DEFAULTS, prepared)) as running:
        yield running


def break_file(lake: Path, how: str) -> None:
    path = lake / lakes.RAW.format("equity_mbo", "LONG") / NAME
    if how == "replaced":
        other = path.with_name("new")
        other.write_bytes(path.read_bytes()[::-1])
        other.replace(path)
    elif how == "cut":
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2 + 3)
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["replaced", "cut", "deleted"])
def test_a_file_that_fails_under_its_session(lake: Path, server: Running, how: str) -> None:
    slow = "speed=1&throttle_ms=0"
    with client(server.ws(f"symbol=GOOD&{slow}")) as healthy, client(server.ws(f"symbol=LONG&{slow}")) as broken:
        others, mine = Seen(), Seen()
        read_on(healthy, others, 3)
        read_on(broken, mine, 3)
        break_file(lake, how)
        hurried = Seen()
        with client(server.ws("symbol=GOOD&speed=0")) as fast:
            read_on(fast, hurried)
        assert hurried.last("end")["frames_sent"] > 100
        reader = threading.Thread(target=read_on, args=(broken, mine), daemon=True)
        reader.start()
        reader.join(20)
        assert not reader.is_alive()
        error = mine.last("error")
        assert (error["code"], mine.code) == ("changed_file", 1011)
        assert NAME in error["message"]
        assert error["hint"]
        read_on(healthy, others, len(others.frames) + 3)
        health = get_json(server, "/health")
    assert health["status"] == "ok"
    (alive,) = (session for session in health["sessions"] if session["state"] == "live")
    assert alive["symbol"] == "GOOD"
    assert alive["records"]["unaccounted"] == 0
    assert alive["records"]["read"] >= alive["records"]["processed"] > 0


def test_a_kernel_that_fails(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    advance = LiveSession.advance

    def failing(self: LiveSession, *given: Any) -> Any:
        if self.info.contract == "LONG":
            message = "index out of bounds"
            raise IndexError(message)
        return advance(self, *given)

    monkeypatch.setattr(LiveSession, "advance", failing)
    with client(server.ws("symbol=GOOD")) as healthy, client(server.ws("symbol=LONG")) as broken:
        others, mine = Seen(), Seen()
        read_on(healthy, others, 3)
        read_on(broken, mine)
        assert mine.code == 1011
        assert "IndexError: index out of bounds" in mine.last("error")["message"]
        read_on(healthy, others, len(others.frames) + 3)
        assert get_json(server, "/health")["status"] == "ok"


def test_every_status_adds_up(server: Running) -> None:
    seen = Seen()
    with client(server.ws("symbol=GOOD&speed=0")) as viewer:
        read_on(viewer, seen)
    records = seen.last("status")["records"]
    rows = len(lakes.market(lakes.OPEN_NS))
    assert (records["read"], records["processed"], records["waiting"], records["unaccounted"]) == (rows, rows, 0, 0)
    assert {**GOOD}["symbol"] == "GOOD"
