from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

import pytest

from vp.child_processes import python_command, python_environment
from vp.ending_signals import EXIT_CODE_BASE, ending_signals

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


INTERRUPTED = """
import os, signal, sys, time
from vp.programs import command_line as cli

class HalfMade:
    def __del__(self):
        raise ValueError("I/O operation on closed file")

def main(_arguments):
    held = HalfMade()
    os.kill(os.getpid(), signal.{name})
    time.sleep(30)

sys.exit(cli.run(main, []))
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_what_is_let_go_when_a_signal_ends_a_program_says_nothing(name: str) -> None:
    command = python_command("-c", INTERRUPTED.format(name=name))
    ended = subprocess.run(command, env=python_environment(), capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == EXIT_CODE_BASE + signal.Signals[name]
    assert ended.stderr == ""
