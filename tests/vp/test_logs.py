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


HOSTILE = "\x1b[2J\x9b31m\u2028ERROR vp: forged\u2029\u202e\u200b\udcff\r\nERROR vp: forged\x7f"
ESCAPED = "\\x1b[2J\\x9b31m\\u2028ERROR vp: forged\\u2029\\u202e\\u200b\\udcff\\r\\nERROR vp: forged\\x7f"


def test_what_strangers_say_cannot_forge_a_line_or_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    log.warning("no file of %s é", HOSTILE)
    logs.event(log, logging.INFO, "refused", symbol=HOSTILE)
    log.error("broken", exc_info=ZeroDivisionError(HOSTILE))
    message, field, broken, *cause = capsys.readouterr().err.removesuffix("\n").split("\n")
    assert message == f"WARNING vp.test_logs: no file of {ESCAPED} é"
    assert field == f"INFO vp.test_logs: refused symbol={ESCAPED}"
    assert broken == "ERROR vp.test_logs: broken"
    assert all(line.startswith("  ") and line.isprintable() for line in cause), cause
    logs.configure("info", "json")
    logs.event(log, logging.INFO, "refused", symbol=HOSTILE)
    said = capsys.readouterr().err
    assert said.removesuffix("\n").isprintable()
    assert json.loads(said)["symbol"] == HOSTILE


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
