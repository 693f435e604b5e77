"""The command lines of lake/README.md, from nothing to files that are served, recorded and queried."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databento_server import market
from tests.databento_server.http import Server
from tests.places import ROOT
from tests.vp.download.programs import environment
from tests.vp.programs.test_serve import program as serving
from tests.vp.server.clients import Seen, client, read_on
from vp.dbn.file import DbnFile
from vp.lake.lake import Lake
from vp.lake.layout import place_of

DATES = [dt.date(2026, 2, day) for day in range(2, 7)]
OPTION_FILES = {
    "futures": [("future_option_mbo", "mbo"), ("future_option_mbo", "statistics")],
    "equities": [("equity_option_cmbp_1", "cmbp-1"), ("equity_option_statistics", "statistics")],
}


def documented(program: str) -> list[str]:
    """The words after `uv run python` of a downloader's line in lake/README.md."""
    lines = (ROOT / "lake/README.md").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"uv run python scripts/batch_download_{program}.py")]
    return shlex.split(line)[3:]


def parent_of(symbol: str, date: dt.date) -> str:
    return f"{market.weekly_code(symbol, date) if symbol in market.CONTRACTS else symbol}.OPT"


@pytest.mark.long
@pytest.mark.parametrize(
    ("program", "product_type", "contract"), [("equities", "equity_mbo", "QQQ"), ("futures", "future_mbo", "MNQH6")]
)
def test_from_nothing_to_what_is_served_and_queried(
    server: Server, tmp_path: Path, program: str, product_type: str, contract: str
) -> None:
    script, *words = documented(program)
    done = subprocess.run(
        [sys.executable, str(ROOT / script), *words, "--poll-interval", "0.05"], env=environment(server),
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    symbols = words[words.index("--symbols") + 1].split(",")
    assert (tmp_path / words[words.index("--log-file") + 1]).read_text() == done.stderr
    assert len(server.service.jobs) == len(symbols) * len(DATES) * 3
    assert re.search(rf"{server.service.bought_usd():.2f} USD were spent on these files at most", done.stderr)

    lake = Lake(tmp_path / "lake")
    for kind, schema in OPTION_FILES[program]:
        for symbol in symbols:
            held = lake.files(place_of(kind, schema), symbol)
            assert [raw.date for raw in held] == DATES
            for raw in held:
                file = DbnFile(raw.path, schema)
                assert sorted(m.raw_symbol for m in file.mappings) == market.nearest(
                    parent_of(symbol, raw.date), raw.date
                )
                assert sum(len(block) for block in file.blocks()) > 0

    session = ["--product-type", product_type, "--symbol", contract, "--dt", "2026-02-06", "--lake", str(lake.root)]
    with serving(tmp_path, *session, "--port", "0") as running:
        seen = Seen()
        with client(running.ws("speed=0&throttle_ms=0")) as websocket:
            read_on(websocket, seen, until_frames=20)
        assert running.end(signal.SIGINT)[0] == 0
    assert seen.last("runtime_config")["contract"] == contract

    counts = query(tmp_path, "counts_by_action", *session[:-2])
    assert {row["action"] for row in counts} == {"A", "C"}
    listed = [row for row in query(tmp_path, "inventory") if row["kind"] == "raw"]
    assert {(row["product_type"], row["holds"]) for row in listed} >= {*OPTION_FILES[program], (product_type, "mbo")}
    assert {row["condition"] for row in listed} == {"available"}


def query(directory: Path, *words: str) -> list[dict[str, str]]:
    """The rows of a named query on the lake in a directory."""
    done = subprocess.run(
        [sys.executable, "-m", "vp.query", *words, "--format", "csv", "--lake", str(directory / "lake")], cwd=ROOT,
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return list(csv.DictReader(io.StringIO(done.stdout)))
