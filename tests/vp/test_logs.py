from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from vp import logs

log = logging.getLogger("vp.test_logs")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()  # kept from being closed by basicConfig
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_an_event_is_one_line_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    logs.event(log, logging.INFO, "viewer left", session="a1", why="x\nERROR vp: forged")
    logs.event(log, logging.DEBUG, "not said")
    assert capsys.readouterr().err == "INFO vp.test_logs: viewer left session=a1 why=x\\nERROR vp: forged\n"


def test_an_event_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    logs.event(log, logging.INFO, "viewer left", session="a1", frames_sent=3)
    log.error("broken %s", "é", exc_info=ZeroDivisionError("oh\nno"))
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {"level": "info", "logger": log.name, "message": "viewer left", "session": "a1", "frames_sent": 3}
    assert (second["level"], second["message"]) == ("error", "broken é")
    assert "ZeroDivisionError: oh" in second["cause"]


def test_a_flood_is_cut_short_and_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    logs.configure("info")
    for number in range(1000):
        log.info("refused %d", number)
    log.warning("something else")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == logs.MOST_LINES + 1
    assert said[-1].endswith("something else")
    monkeypatch.setattr(logs, "WINDOW_SECONDS", -1.0)
    log.info("refused %d", 1000)
    assert capsys.readouterr().err == f"INFO {log.name}: refused 1000 left_out={1000 - logs.MOST_LINES}\n"
