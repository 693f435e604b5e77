"""Options are judged before anything is made of them: no kernel is compiled, no raw file opened, nothing cached."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lakes import GOOD, flags

WATCHED = """
import contextlib, importlib, io, json, sys
from pathlib import Path

program, lake, compiled, command_lines = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
seen = []

def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path, _, how = arguments
        if path.startswith(lake) and ".dbn" in path or path.startswith(compiled) and path.endswith((".nbi", ".nbc")):
            seen.append(f"{event} {path}")
    elif event in ("os.mkdir", "os.rename", "os.link") and str(arguments[0]).startswith(lake):
        seen.append(f"{event} {arguments[0]}")
    elif event in ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.exec"):
        seen.append(f"{event} {arguments[0]}")

module = importlib.import_module(program)
sys.addaudithook(watch)
for command_line in command_lines:
    seen.clear()
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = module.main(command_line)
    print(json.dumps({"code": code, "said": said.getvalue(), "seen": list(seen)}), flush=True)
"""

SESSION = (
    ({"product_type": "crypto"}, "crypto"),
    ({"product_type": "future_mbo", "symbol": "ZZZH6"}, "ZZZH6"),
    ({"symbol": "G:D"}, "G:D"),
    ({"symbol": "NOPE"}, "NOPE"),
    ({"dt": "2026-13-40"}, "2026-13-40"),
    ({"dt": "2026-07-09"}, "2026-07-09"),
    ({"start_time": "25:99"}, "25:99"),
    ({"lake": "/dev/null"}, "/dev/null"),
    ({"colour": "red"}, "--colour"),
    ({"log_level": "loud"}, "loud"),
)
FRAMES = (
    ({"throttle_ms": "-1"}, "throttle_ms"),
    ({"parameters": "best"}, "best"),
    ({"parameters": "/missing/mine.yaml"}, "/missing/mine.yaml"),
    ({"parameters": "mass:1"}, "mass"),
    ({"decompressed_limit_gb": "some"}, "some"),
)
WRONG = {
    "vp.programs.record": (
        *SESSION,
        *FRAMES,
        ({"fields": "pressure,colour"}, "colour"),
        ({"fields": "none,pressure"}, "none"),
        ({"end_time": "09:00"}, "09:00"),
        ({"out": "/missing/frames.arrow"}, "/missing"),
        ({"out": "frames.txt"}, "frames.txt"),
    ),
    "vp.programs.serve": (
        *SESSION,
        *FRAMES,
        ({"speed": "fast"}, "fast"),
        ({"context_minutes": "31"}, "31"),
        ({"port": "http"}, "http"),
        ({"max_sessions": "0"}, "max_sessions"),
    ),
    "vp.programs.query": (
        *SESSION,
        ({"out": "/missing/answer.csv"}, "/missing"),
        ({"format": "word"}, "word"),
        ({"set": "colour=red"}, "colour"),
        ({"recording": "/missing/frames.arrow"}, "/missing/frames.arrow"),
    ),
    "vp.programs.cache": (({"clear": "raw"}, "raw"), ({"log_level": "loud"}, "loud")),
}


@pytest.mark.parametrize("program", WRONG)
def test_what_is_wrong_is_said_before_anything_is_made(small_lake: Path, tmp_path: Path, program: str) -> None:
    lake, compiled = tmp_path / "lake", tmp_path / "compiled"
    shutil.copytree(small_lake / "raw", lake / "raw")
    usual = {
        "vp.programs.record": {**GOOD, "out": str(tmp_path / "frames.arrow")},
        "vp.programs.serve": {**GOOD, "port": "0"},
        "vp.programs.query": {**GOOD, "build": None},
        "vp.programs.cache": {},
    }[program]
    lines = []
    for changes, _ in WRONG[program]:
        options = {"lake": str(lake), **usual, **changes}
        lines.append(["depth"] * (program == "vp.programs.query") + command_line(options))
    answers = watched(program, lake, compiled, lines)
    for (changes, says), answer in zip(WRONG[program], answers, strict=True):
        assert answer["code"] in (1, 2), (changes, answer)
        assert says in answer["said"], (changes, answer)
        assert answer["said"].startswith("error: "), (changes, answer)
        assert answer["seen"] == [], (changes, answer)
    assert sorted(path.name for path in lake.iterdir()) == ["raw"]
    assert not list(compiled.rglob("*.nbi"))


@pytest.mark.parametrize("program", ["vp.programs.record", "vp.programs.serve"])
def test_a_file_is_not_looked_into_for_options_that_are_wrong_anyway(
    small_lake: Path, tmp_path: Path, program: str
) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(small_lake / "raw", lake / "raw")
    (file,) = lake.glob("raw/*/*/symbol=GOOD/*/*.dbn")
    of_program = {"vp.programs.record": "out", "vp.programs.serve": "port"}[program]
    wrong = [{"parameters": "best"}, {"throttle_ms": "-1"}, {"start_time": "25:99"}, {of_program: "/missing/x.arrow"}]
    usual = {"out": str(tmp_path / "frames.arrow")} if of_program == "out" else {"port": "0"}
    lines = [command_line({"lake": str(lake), "file": str(file), **usual, **changes}) for changes in wrong]
    for changes, answer in zip(wrong, watched(program, lake, tmp_path / "compiled", lines), strict=True):
        assert answer["code"] == 2, (changes, answer)
        assert answer["said"].startswith("error: "), (changes, answer)
        assert answer["seen"] == [], (changes, answer)


def test_what_is_right_is_seen_by_the_same_watch(small_lake: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(small_lake / "raw", lake / "raw")
    line = command_line({"lake": str(lake), **GOOD, "start_time": "10:00", "out": str(tmp_path / "frames.arrow")})
    ended = subprocess.run(
        [sys.executable, "-c", WATCHED, "vp.programs.record", str(lake), str(tmp_path), json.dumps([line])],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    answer = json.loads(ended.stdout)
    assert answer["code"] == 0, answer
    assert [one for one in answer["seen"] if one.startswith("open") and one.endswith(".dbn")]
    assert [one for one in answer["seen"] if one.startswith("os.mkdir")]


def watched(program: str, lake: Path, compiled: Path, lines: list[list[str]]) -> list[dict[str, Any]]:
    """What each command line answered, and what it was seen to do to the lake and to compiled kernels."""
    ended = subprocess.run(
        [sys.executable, "-c", WATCHED, program, str(lake), str(compiled), json.dumps(lines)],
        env=os.environ | {"NUMBA_CACHE_DIR": str(compiled)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [json.loads(line) for line in ended.stdout.splitlines()]


def command_line(options: dict[str, str | None]) -> list[str]:
    given = flags({name: value for name, value in options.items() if value is not None})
    return given + ["--" + name for name, value in options.items() if value is None]
