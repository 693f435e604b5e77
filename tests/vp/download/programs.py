"""Running the real scripts against a server on loopback, and looking at what they leave behind."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.databento_server.http import Server

ROOT = Path(__file__).resolve().parents[3]
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


def run(server: Server, lake: Path, program: str, *arguments: str, key: str = KEY) -> subprocess.CompletedProcess[str]:
    """A script's whole run; its key is in nothing that it says."""
    done = subprocess.run(
        command(program, *arguments, "--lake", str(lake), *QUICK), env=environment(server, key), cwd=lake.parent,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert key not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


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
