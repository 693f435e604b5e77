"""A session with nothing in it says so, to its viewers and to whoever records it, and what there is instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.dbn_files import header, mbo
from tests.lakes import OPEN_NS, flags, market, put
from tests.vp.server.clients import read_to_end
from tests.vp.server.tiny import Running, serving
from vp.model.live_session import LiveSession
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec
from vp.programs import record
from vp.server.app import Service
from vp.server.stream.request import StreamRequest

F_SNAPSHOT = 32
IDS = {"GOOD": 1, "OTHER": 2}
NAME = "xnas-itch-{}.mbo.dbn"
TRADED, SILENT = "2026-07-08", "2026-07-09"
DAY_NS = 86_400_000_000_000


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tickers with one ordinary day and one on which each lacks something."""
    root = tmp_path_factory.mktemp("lake")
    day = market(OPEN_NS, 60, 1)
    next_day = [one._replace(ts_event=one.ts_event + DAY_NS) for one in day]
    snapshot = [one._replace(flags=one.flags | F_SNAPSHOT) for one in day[:10]]
    held = {
        "BARE": b"",
        "OTHERS": b"".join(mbo(one, 2) for one in next_day),
        "SNAP": b"".join(mbo(one, 1) for one in snapshot),
        "EARLY": b"".join(mbo(one, 1) for one in next_day),
    }
    for symbol, records in held.items():
        names = header(symbols={symbol: 1, "OTHER": 2})
        put(root, "equity_mbo", symbol, NAME.format("20260708"), names + b"".join(mbo(one, 1) for one in day))
        put(root, "equity_mbo", symbol, NAME.format("20260709"), names + records)
    return root


CASES = [
    ("BARE", None, "holds no record of BARE from 2026-07-09 00:00:00 ET to 2026-07-10 00:00:00 ET."),
    ("BARE", "09:30", "holds no record of BARE from 2026-07-09 09:30:00 ET to 2026-07-10 00:00:00 ET."),
    ("OTHERS", None, "holds no record of OTHERS from 2026-07-09 00:00:00 ET"),
    ("SNAP", None, "holds no record of SNAP from 2026-07-09 00:00:00 ET to 2026-07-10 00:00:00 ET, only what its book"),
    (
        "SNAP",
        "09:30",
        "from 2026-07-09 09:30:00 ET to 2026-07-10 00:00:00 ET, only what its book was before",
    ),
    ("EARLY", "15:00", "15:00:00 ET to 2026-07-10 00:00:00 ET; the last before is of 2026-07-09 09:30:0"),
]


@pytest.fixture(scope="module")
def server(lake: Path) -> Iterator[Running]:
    def prepare_request(request: StreamRequest, tell: Callable[[Any], None]) -> LiveSession:
        spec = SessionSpec(request.product_type, request.symbol, request.dt, request.start_time, lake=str(lake))
        return prepare(replace(spec, context_minutes=10.0 if request.speed else 0.0), tell)

    with serving(Service(StreamRequest("equity_mbo", "BARE", SILENT), prepare_request)) as running:
        yield running


@pytest.mark.parametrize("speed", ["0", "1"])
@pytest.mark.parametrize(("symbol", "start_time", "says"), CASES)
def test_viewers_are_told(server: Running, symbol: str, start_time: str | None, says: str, speed: str) -> None:
    seen = read_to_end(server.ws(f"symbol={symbol}&start_time={start_time or ''}&speed={speed}"))
    told = seen.texts[-1]
    assert (told["type"], told["code"], seen.code) == ("error", "empty_session", 1008)
    assert says in told["message"]
    assert NAME.format("20260709") in told["message"]
    if symbol == "EARLY":
        assert told["hint"] == "Begin earlier."
    else:
        assert f"The lake holds {symbol} of {TRADED} too." in told["hint"]
        assert "The file names OTHER too." in told["hint"]


def test_a_day_with_records_ends_as_ever(server: Running) -> None:
    seen = read_to_end(server.ws(f"symbol=SNAP&dt={TRADED}&start_time=09:30&speed=0"))
    assert seen.texts[-1]["type"] == "end"
    assert len(seen.frames) > 1


@pytest.mark.parametrize(("symbol", "start_time", "says"), CASES)
def test_a_recording_says_it(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], symbol: str, start_time: str | None, says: str
) -> None:
    asked = {"product_type": "equity_mbo", "symbol": symbol, "dt": SILENT, "out": str(tmp_path / "frames.arrow")}
    if start_time is not None:
        asked["start_time"] = start_time
    assert record.main([*flags(asked), "--lake", str(lake)]) == 0
    printed = capsys.readouterr()
    assert "WARNING: The recording is empty: " in printed.err
    assert says in printed.err
    assert "0 frames" in printed.out
