"""The scripts as processes against a real server: whole runs, and runs that are killed."""

from __future__ import annotations

import hashlib
import os
import random
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tests.databento_server import market
from tests.databento_server.http import Server
from tests.vp.download.programs import (
    DAYS,
    EQUITIES,
    FUTURES,
    KEY,
    QUICK,
    days,
    entries,
    environment,
    raw_files,
    run,
    run_program,
    start,
)
from vp.dbn import DbnFile
from vp.event_reader import read_events
from vp.lake import Lake
from vp.layout import note_path, place_of
from vp.pipeline import SessionSpec, prepare
from vp.products import find_product

SEEDS = range(int(os.environ.get("VP_KILL_SEEDS", "5")))
KINDS = {
    "futures": [("future_mbo", "mbo"), ("future_option_mbo", "mbo"), ("future_option_mbo", "statistics")],
    "equities": [("equity_mbo", "mbo"), ("equity_option_cmbp_1", "cmbp-1"), ("equity_option_statistics", "statistics")],
}
ASKED = {"futures": FUTURES, "equities": EQUITIES}
SYMBOLS = {"futures": ("MNQ", "ES"), "equities": ("QQQ", "SPY")}


def check_whole(server: Server, lake: Path, program: str) -> None:
    """Each job was submitted once, and each file is whole, verified and read-only."""
    submitted = server.service.submitted()
    assert len(submitted) == len(set(submitted)) == 18
    held = Lake(lake)
    for product_type, schema in KINDS[program]:
        place = place_of(product_type, schema)
        for symbol in SYMBOLS[program]:
            files = held.files(place, symbol)
            assert [raw.date for raw in files] == days()
            for raw in files:
                assert stat.S_IMODE(raw.path.stat().st_mode) == 0o444
                assert held.condition(raw) == ("degraded" if raw.date.day == 4 else "available")
                names = sorted(mapping.raw_symbol for mapping in DbnFile(raw.path, schema).mappings)
                if product_type == "future_mbo":
                    assert names == [market.CONTRACTS[symbol]]
                elif product_type == "equity_mbo":
                    assert names == [symbol]
                else:
                    parent = {"MNQ": "D1{}", "ES": "E1{}"}.get(symbol, symbol).format("ABCD"[raw.date.weekday()])
                    assert names == market.nearest(f"{parent}.OPT", raw.date)
    for entry in entries(lake):
        assert entry["state"] == "laid", entry
        if entry["schema"] != "definition":
            place = place_of(entry["product_type"], entry["schema"])
            (file,) = entry["files"]
            path = held.directory(place, entry["symbol"]) / file["laid_as"]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]
            assert note_path(path).exists()
    assert not [path for path in raw_files(lake) if path.endswith(".part")]


@pytest.mark.parametrize("program", ["futures", "equities"])
def test_three_days_of_two_symbols(server: Server, tmp_path: Path, program: str) -> None:
    server.service.conditions["2026-02-04"] = "degraded"
    lake = tmp_path / "lake"
    done = run_program(
        server, lake, program, "daemon", *DAYS, *ASKED[program], "--log-file", "logs/a.log", "--decompress"
    )
    assert done.returncode == 0, done.stderr
    log = (tmp_path / "logs/a.log").read_text()
    assert KEY not in log
    assert "18 in the lake, 0 without data, 0 outstanding, 0 expired, 0 with errors, 0 not there yet" in log
    assert "for 18 jobs to be ordered; --max-cost is 25.00" in log
    product = find_product(KINDS[program][0][0], SYMBOLS[program][0])
    raw = Lake(lake).find_raw(product, days()[0])
    assert not raw.compressed  # --decompress keeps it, and it is taken first
    assert stat.S_IMODE(raw.path.stat().st_mode) == 0o444
    plain, compressed = (read_events(DbnFile(path)) for path in (raw.path, Path(f"{raw.path}.zst")))
    assert len(plain.ts_event) == len(compressed.ts_event) > 100
    spec = SessionSpec(product.product_type, SYMBOLS[program][0], str(days()[0]), lake=str(lake))
    with closing(prepare(spec)) as session:  # what vp.serve and vp.record play
        assert session.info.contract == market.CONTRACTS.get(product.root, product.root)
        assert session.info.raw_file == raw.path.name
    for path in (lake / "raw").rglob("*.dbn"):
        path.unlink()
    check_whole(server, lake, program)

    before, calls = raw_files(lake), dict(server.service.calls)
    code, said = run(server, lake, program, "daemon", *DAYS, *ASKED[program])
    assert code == 0, said
    assert raw_files(lake) == before
    assert dict(server.service.calls) == calls  # not even asked


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_random_moments(server: Server, tmp_path: Path, seed: int) -> None:
    """Killed four times at least, futures and equities in turn; VP_KILL_SEEDS says how often (default 5: 20 kills)."""
    chance = random.Random(seed)
    server.service.conditions["2026-02-04"] = "degraded"
    lake = tmp_path / "lake"
    program = ("futures", "equities")[seed % 2]
    asked = ["daemon", *DAYS, *ASKED[program], "--lake", str(lake), *QUICK]
    kills = 0
    for _ in range(5):
        calls_before = server.service.calls.total()
        process = start(environment(server), tmp_path, program, *asked)
        # A moment counted in requests rather than in seconds falls into the work however fast the machine is.
        moment = chance.randrange(1, 40)
        while process.is_alive() and server.service.calls.total() - calls_before < moment:
            process.join(0.004 * chance.random())
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
    code, said = run(server, lake, program, "daemon", *DAYS, *ASKED[program])
    assert code == 0, said
    print(f"{kills} kills of {program} with seed {seed}")  # noqa: T201 - shown by -rP
    assert kills >= 4
    check_whole(server, lake, program)
