from __future__ import annotations

import io

import pytest

from vp.programs.progress import TerminalProgress
from vp.server.stream.snapshot import Loading


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_where_nobody_watches_there_is_one_line_a_phase() -> None:
    stream = io.StringIO()
    with TerminalProgress(stream) as progress:
        for done in range(0, 1000, 10):
            progress(Loading("book", done, 1000, 1.0))
        progress(Loading("warmup", 1, None, 1.0))
        progress.share("making frames", 0.5)
    assert stream.getvalue() == "building book\nwarming up\nmaking frames\n"


def test_shares_and_records_are_told_in_their_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vp.programs.progress.PLAIN_LINE_SECONDS", 0.0)
    stream = io.StringIO()
    with TerminalProgress(stream) as progress:
        progress.share("demo", 0.0)
        progress.share("demo", 0.42)
        progress(Loading("book", 0, 1000, 1.0))
        progress(Loading("book", 500, 1000, 1.0))
    assert stream.getvalue() == (
        "making demonstration\nmaking demonstration: 42%\nbuilding book\nbuilding book: 500 of 1,000 records\n"
    )


def test_on_a_terminal_there_is_a_bar_a_phase() -> None:
    stream = Terminal()
    with TerminalProgress(stream) as progress:
        progress(Loading("book", 0, 1000, 1.0))
        progress(Loading("book", 1000, 1000, 1.0))
        progress(Loading("warmup", 5, None, 1.0))
        progress.share("making frames", 1.0)
    shown = stream.getvalue()
    for phase in ("building book", "warming up", "making frames", "100%", "1.00k"):
        assert phase in shown
