from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from vp.errors import BadParameterError, PortInUseError
from vp.programs import command_line as cli
from vp.programs import lake, serve, study


def refuse(_arguments: Sequence[str] | None) -> int:
    raise PortInUseError("Port 1 is taken.", hint="Take another.")


def break_down(_arguments: Sequence[str] | None) -> int:
    raise ZeroDivisionError("oh")


def interrupt(_arguments: Sequence[str] | None) -> int:
    raise KeyboardInterrupt


def test_an_error_is_two_lines_and_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(refuse, []) == 1
    assert capsys.readouterr().err == "error: Port 1 is taken.\nhint: Take another.\n"


def test_an_unexpected_error_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(break_down, []) == cli.EXIT_UNEXPECTED
    said = capsys.readouterr().err
    assert said.startswith("error: unexpected ZeroDivisionError: oh\nhint: ")
    assert "Traceback" not in said


def test_debug_shows_where_an_error_came_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("vp"), "level", logging.DEBUG)
    logging.getLogger("vp").manager._clear_cache()  # type: ignore[attr-defined]
    cli.run(break_down, [])
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(interrupt, []) == 130
    assert capsys.readouterr().err == ""


def test_the_signal_handler_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    cli.run(refuse, [])
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("arguments", [["--prot", "1"], ["--port"], ["stray"], ["--por", "1"]])
def test_a_wrong_option_is_an_error_like_all_others(arguments: list[str]) -> None:
    with pytest.raises(BadParameterError) as caught:
        cli.parse(cli.parser("serve", "", ""), "serve", arguments)
    assert "--help" in caught.value.hint


def test_options_are_parsed_by_the_table() -> None:
    values = cli.parse(cli.parser("serve", "", ""), "serve", ["--port", "0", "--speed", "2", "--start-time", ""])
    assert values["port"] == 0
    assert values["speed"] == 2.0
    assert values["start_time"] is None
    assert values["host"] == "127.0.0.1"


NAMES = (*cli.SESSION_NAMES, "start_time", "lake", "products", "file")


def test_a_session_named_in_part_is_the_one_that_the_lake_leaves_no_choice_about(
    small_lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = dict.fromkeys(NAMES) | {"symbol": "GOOD", "lake": str(small_lake)}
    assert not cli.choose_session(values)
    assert (values["product_type"], values["symbol"], values["dt"]) == ("equity_mbo", "GOOD", "2026-07-08")
    assert capsys.readouterr().err == "chosen: the product type equity_mbo, the date 2026-07-08\n"


def test_a_session_without_a_symbol_is_named_in_part(small_lake: Path) -> None:
    values = dict.fromkeys(NAMES) | {"dt": "2026-07-08", "lake": str(small_lake)}
    with pytest.raises(BadParameterError, match="named in part: symbol is missing"):
        cli.choose_session(values)


def test_no_session_named_is_the_demonstration() -> None:
    values: dict[str, str | None] = dict.fromkeys(NAMES)
    assert cli.choose_session(values)
    assert {name: value for name, value in values.items() if value is not None} == {
        "product_type": "future_mbo",
        "symbol": "MNQH6",
        "dt": "2026-02-06",
        "start_time": "09:30",
    }


@pytest.mark.parametrize("program", ["vp.query", "vp.cache"])
def test_an_output_that_cannot_be_written_is_said_in_a_sentence(program: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", program, "--lake", str(tmp_path), *(["--list"] if program == "vp.query" else [])]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: What was to be written could not be: No space left on device.")
    assert "Traceback" not in ended.stderr


def test_a_program_started_without_outputs_does_its_work(tmp_path: Path) -> None:
    words = f"'{sys.executable}' -m vp.cache --lake '{tmp_path}' >&- 2>&-"
    assert subprocess.run(["/bin/sh", "-c", words], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("program", "words", "says"),
    [
        (study, ["--recording", "x.parquet", "--end-time", "10:00"], "--recording and --end-time cannot both be"),
        (serve, ["--upstream", "ws://127.0.0.1:1", "--enable-query"], "--upstream and --enable-query cannot both be"),
        (serve, ["--symbol", "MNQ", "--live", "--file", "x.dbn"], "--live and --file cannot both be"),
        (lake, ["import", "x.dbn", "--copy", "--link"], "--copy and --link cannot both be"),
    ],
)
def test_what_leaves_no_choice_is_not_given_beside_one(
    program: Any, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(words) == 2
    assert says in capsys.readouterr().err


AT_ITS_END = """
import atexit, gc
atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 1_000))
from vp.programs.command_line import run
code = run(lambda _: 0, [])
print(code, gc.isenabled(), gc.get_freeze_count())
"""


def test_a_process_that_goes_on_collects_garbage_and_one_that_ends_does_not() -> None:
    said = subprocess.run([sys.executable, "-c", AT_ITS_END], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.splitlines() == ["0 True 0", "True True"]
