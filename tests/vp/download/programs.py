"""Running the real scripts against a server on loopback, and looking at what they leave behind.

`start` runs a script in a process of its own that is forked from one in which the client is imported already,
which saves seconds a run; `run_program` starts it as a person would.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import multiprocessing
import os
import resource
import runpy
import subprocess
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.databento_server.http import Server
from tests.places import ROOT

KEY = "db-SecretKeyThatNobodyMaySee0123"
QUICK = ["--poll-interval", "0.05", "--retry-seconds", "0.01", "--settle-seconds", "0.2"]
DAYS = ["--start", "2026-02-03", "--end", "2026-02-05"]
FUTURES = ["--symbols", "MNQ,ES", "--include-futures", "--options-schemas", "mbo,statistics"]
EQUITIES = ["--symbols", "QQQ,SPY", "--equity-schemas", "mbo", "--options-schemas", "cmbp-1,statistics"]
ONE = ["--start", "2026-02-03", "--end", "2026-02-03", "--symbols", "MNQ", "--include-futures"]


def command(program: str, *arguments: str) -> list[str]:
    """The command line of a script."""
    return [sys.executable, str(ROOT / f"scripts/batch_download_{program}.py"), *arguments]


def environment(server: Server, key: str = KEY) -> dict[str, str]:
    """What the scripts need, without the lake of whoever runs this."""
    kept = {name: value for name, value in os.environ.items() if name not in ("VP_LAKE", "DATABENTO_API_KEY")}
    return kept | {"DATABENTO_API_KEY": key, "VP_DATABENTO_URL": server.service.address}


def run_program(server: Server, lake: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A script's whole run; its key is in nothing that it says."""
    done = subprocess.run(
        command(program, *arguments, "--lake", str(lake), *QUICK), env=environment(server), cwd=lake.parent,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert KEY not in done.stdout + done.stderr
    return done


def start(
    environ: dict[str, str], directory: Path, program: str, *arguments: str, file_bytes: int | None = None
) -> ForkServerProcess:
    """A script under way; what it says goes to `directory`/said. It may write files of `file_bytes` at most."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["databento", "vp.download.run", "vp.download.report", __name__])
    (directory / "said").write_text("")
    process = context.Process(target=_become, args=(command(program, *arguments)[1:], environ, directory, file_bytes))
    process.start()
    return process


def run(
    server: Server, lake: Path, program: str, *arguments: str, key: str = KEY, file_bytes: int | None = None
) -> tuple[int | None, str]:
    """A script's exit code and what it said; its key is in nothing that it said or left behind."""
    asked = [*arguments, "--lake", str(lake), *QUICK]
    process = start(environment(server, key), lake.parent, program, *asked, file_bytes=file_bytes)
    process.join(120)
    return process.exitcode, said_by(lake.parent, key)


def said_by(directory: Path, key: str = KEY) -> str:
    """What a script said that ran in a directory; no file there holds the key in any form."""
    forms = (key.encode(), base64.b64encode(f"{key}:".encode()), quote(key, safe="").encode())
    for path in directory.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(form in data for form in forms), path
    said = (directory / "said").read_text()
    assert "Traceback" not in said
    return said


def _become(words: list[str], environ: dict[str, str], directory: Path, file_bytes: int | None) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(directory)
    said = os.open("said", os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    if file_bytes is not None:
        # Python takes compiled modules for whole that came out short: none are kept of such a run.
        sys.dont_write_bytecode, sys.pycache_prefix = False, os.devnull
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    sys.argv = words
    runpy.run_path(words[0], run_name="__main__")


def raw_files(lake: Path) -> dict[str, bytes]:
    """Every raw file by its path under raw/, notes and parts too."""
    raw = lake / "raw"
    return {str(path.relative_to(raw)): path.read_bytes() for path in sorted(raw.rglob("*")) if path.is_file()}


def entries(lake: Path) -> list[dict[str, Any]]:
    """The ledger."""
    return [json.loads(path.read_text()) for path in sorted((lake / "jobs").glob("*/*/*.json"))]


def days() -> list[dt.date]:
    """The dates of DAYS."""
    return [dt.date(2026, 2, day) for day in (3, 4, 5)]
