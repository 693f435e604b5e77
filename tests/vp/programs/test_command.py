"""`vp PROGRAM` runs the very programs that `python -m vp.PROGRAM` runs, and says what there is."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import vp
from tests.places import ROOT
from vp.programs import command
from vp.programs.command import PROGRAMS, Program

VP = Path(sys.executable).with_name("vp")


def said_by(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_the_console_script_is_this_command() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["vp"].partition(":")
    assert scripts.keys() == {"vp"}
    assert getattr(import_module(module), function) is command.main


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_every_program_repeats_in_its_help_how_it_was_run(program: Program) -> None:
    shown = said_by(str(VP), *program.words, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"usage: vp {program.name} [-h]")
    assert "python -m" not in shown.stdout
    assert "{command}" not in shown.stdout


@pytest.mark.parametrize("name", ["serve", "record", "query", "study", "cache", "lake"])
def test_the_same_by_the_name_of_the_module(name: str) -> None:
    shown = said_by(sys.executable, "-m", f"vp.{name}", "--help").stdout
    assert shown.startswith(f"usage: python -m vp.{name} [-h]")
    assert f"\n  python -m vp.{name}" in shown
    by_command = said_by(str(VP), name, "--help").stdout
    assert "".join(by_command.replace(f"vp {name}", f"python -m vp.{name}").split()) == "".join(shown.split())


def test_arguments_and_exit_codes_pass_through(tmp_path: Path) -> None:
    for words in ([str(VP)], [sys.executable, "-m", "vp"]):
        shown = said_by(*words, "cache", "--lake", str(tmp_path), cwd=ROOT)
        assert (shown.returncode, shown.stdout.splitlines()[0].startswith("books: 0 files")) == (0, True)
        refused = said_by(*words, "serve", "--dt", "2026-02-06")
        assert refused.returncode == 2
        assert refused.stderr.startswith("error: The session is named in part")


def test_downloads_know_which_market_they_are_for() -> None:
    for market, example in (("futures", "MNQ,ES"), ("equities", "QQQ")):
        shown = said_by(str(VP), "download", market, "--help").stdout
        assert example in shown


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_lists_every_program(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(words) == 0
    shown = capsys.readouterr().out
    for program in PROGRAMS:
        assert f"  {program.name} " in shown
        assert program.purpose in shown


def test_help_of_several_programs_is_theirs_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["download", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "download futures" in shown
    assert "  serve" not in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--version"]) == 0
    assert capsys.readouterr().out == f"Vacuum Pressure {vp.__version__}\n"


@pytest.mark.parametrize(
    ("words", "says", "hints"),
    [
        (
            ["serv"],
            "There is no program 'serv'. Did you mean serve?",
            "There are serve, record, backfill, query, study, cache",
        ),
        (["--port", "1"], "There is no program '--port'.", "There are serve"),
        (["x" * 5000], "There is no program", "There are serve"),
        (
            ["download"],
            "vp download is several programs, which one is not said.",
            "download futures, download equities",
        ),
        (["download", "bonds"], "vp download is several programs, not 'bonds'.", "download futures, download equities"),
    ],
    ids=["near", "option", "long", "half", "wrong half"],
)
def test_what_is_no_program(words: list[str], says: str, hints: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(words) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {says}")
    assert hints in hint
    assert len(error) < 300


def test_a_server_loads_neither_the_client_of_relays_nor_the_database_of_queries() -> None:
    words = (
        "import sys, vp.server.app\nprint(sorted({'requests', 'urllib3', 'databento', 'duckdb'} & set(sys.modules)))"
    )
    assert said_by(sys.executable, "-c", words).stdout == "[]\n"


def test_help_imports_nothing_heavy() -> None:
    """`--help` of every program: numpy alone would take longer than all of it."""
    heavy = "numpy numba pyarrow duckdb starlette uvicorn databento asyncio"
    words = (
        "import contextlib, sys\nfrom vp.programs.command import main\n"
        "with contextlib.suppress(SystemExit):\n    main(sys.argv[1:])\n"
        f"print(sorted(set(sys.modules) & set({heavy.split()!r})), file=sys.stderr)"
    )
    for given in ([], *([*program.words, "--help"] for program in PROGRAMS)):
        assert said_by(sys.executable, "-c", words, *given).stderr == "[]\n", given
