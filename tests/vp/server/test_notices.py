"""What is to be known of a session's records reaches its viewers and /health: a wrong stamp, a file that is cut."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.dbn_files import header, mbo
from tests.lakes import FUTURES_OPEN_NS, market, put
from tests.oracle_book import Rec
from tests.vp.server.clients import Seen, client, read_to_end
from tests.vp.server.tiny import Running, serving
from vp.model.live_session import LiveSession
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec
from vp.server.app import Service
from vp.server.stream.request import StreamRequest

HOUR = 3600 * 1_000_000_000
RECORDS = market(FUTURES_OPEN_NS, 10, 10)
AT = len(RECORDS) // 2
LATE_NS = FUTURES_OPEN_NS + 5 * HOUR
STRAY = Rec(LATE_NS, "A", "B", 99_000_000_000, 1, 777, 128)
CUT = "Incomplete at the end: the last record of glbx-mdp3-{}.mbo.dbn is of 2026-02-0{} 09:30:10 ET, and "


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A Friday with a stray record in the middle, and a Thursday without: both are cut."""
    root = tmp_path_factory.mktemp("lake")
    day = 24 * HOUR
    for date, shift, records in ((6, 0, [*RECORDS[:AT], STRAY, *RECORDS[AT:]]), (5, day, RECORDS)):
        shifted = [one._replace(ts_event=one.ts_event - shift) for one in records]
        head = header(end_ns=FUTURES_OPEN_NS + 9 * HOUR + HOUR // 2 - shift)
        put(root, "future_mbo", "MNQ", f"glbx-mdp3-2026020{date}.mbo.dbn", head + b"".join(map(mbo, shifted)))

    def prepare_request(request: StreamRequest, tell: Callable[[Any], None]) -> LiveSession:
        spec = SessionSpec(request.product_type, request.symbol, request.dt, request.start_time, lake=str(root))
        return prepare(spec, tell)

    with serving(Service(StreamRequest("future_mbo", "MNQ", "2026-02-06"), prepare_request)) as running:
        yield running


def health_notices(server: Running, dt: str) -> list[str]:
    url = server.ws("").replace("ws://", "http://").partition("/v1/")[0] + "/health"
    with urllib.request.urlopen(url) as answer:
        sessions = json.load(answer)["sessions"]
    return next(one["notices"] for one in sessions if one["dt"] == dt)


def test_a_paced_viewer_is_told_why_nothing_comes(server: Running) -> None:
    """At the stray record the stream stands for five hours, and is not late."""
    says = f"No record is due before 2026-02-06 14:30:00 ET, though {len(RECORDS) - AT} of the"
    seen = Seen()
    with client(server.ws("dt=2026-02-06&speed=100")) as websocket:
        until = time.monotonic() + 20
        while not any(says in " ".join(one.get("notices", [])) for one in seen.texts):
            assert time.monotonic() < until
            seen.take(websocket.recv(timeout=20))
        status = seen.last("status")
        assert status["lag_seconds"] < 1
        assert any(says in one for one in health_notices(server, "2026-02-06"))


def test_who_reads_it_all_is_told_of_the_jump_and_of_the_end(server: Running) -> None:
    seen = read_to_end(server.ws("dt=2026-02-06&speed=0"))
    jumped, cut = seen.last("status")["notices"]
    assert "clock jumped from 2026-02-06 09:29:" in jumped
    assert f"to 2026-02-06 14:30:00 ET, and {len(RECORDS) - AT} records behind it" in jumped
    assert CUT.format("20260206", 6) + "trading goes on until 2026-02-06 17:00:00 ET" in cut
    assert seen.texts[-1]["type"] == "end"


def test_a_cut_file_is_told_at_its_end_and_not_before(server: Running) -> None:
    seen = read_to_end(server.ws("dt=2026-02-05&speed=100"))
    told = [one["notices"] for one in seen.texts if one["type"] == "status"]
    assert told[0] == []
    (cut,) = told[-1]
    assert CUT.format("20260205", 5) + "its header says 2026-02-05 19:00:00 ET" in cut
