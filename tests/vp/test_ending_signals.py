from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from vp.ending_signals import ending_signals

if not hasattr(signal, "SIGHUP"):
    pytest.skip("this system has no SIGHUP", allow_module_level=True)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_terminal_that_closes_ends_a_program_unless_it_was_told_to_stay() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    assert ending_signals() == (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    assert ending_signals() == (signal.SIGINT, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a script has it for what it starts in the background
    assert ending_signals() == (signal.SIGTERM,)
