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
from tests.databento_server.http import Fault, Server
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
from vp.dbn.file import DbnFile
from vp.dbn.reader import read_events
from vp.lake.lake import Lake
from vp.lake.layout import note_path, place_of
from vp.market.products import find_product
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec

SEEDS = range(int(os.environ.get("VP_KILL_SEEDS", "10")))
KILLS = 3
TWO_DAYS = ["--start", "2026-02-03", "--end", "2026-02-04"]
ONE_OF_EACH = {
    "futures": ["--symbols", "MNQ", "--include-futures", "--options-schemas", "mbo,statistics"],
    "equities": ["--symbols", "QQQ", "--equity-schemas", "mbo", "--options-schemas", "cmbp-1,statistics"],
}
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


@pytest.mark.parametrize("program", [pytest.param("futures", marks=pytest.mark.long), "equities"])
def test_three_days_of_two_symbols(server: Server, tmp_path: Path, program: str) -> None:
    server.service.conditions["2026-02-04"] = "degraded"
    lake = tmp_path / "lake"
    done = run_program(
        server, lake, program, "daemon", *DAYS, *ASKED[program], "--log-file", "logs/a.log", "--decompress"
    )
    assert done.returncode == 0, done.stderr
    log = (tmp_path / "logs/a.log").read_text()
    assert KEY not in log
    assert "18 in the lake, 0 without data, 0 outstanding, 0 expired, 0 lost, 0 with errors, 0 not there yet" in log
    assert "for 18 jobs to be ordered; --max-cost is 25.00" in log
    product = find_product(KINDS[program][0][0], SYMBOLS[program][0])
    raw = Lake(lake).inputs(product, days()[0])[0].files[0]
    assert not raw.compressed  # --decompress keeps it, and it is taken first
    assert stat.S_IMODE(raw.path.stat().st_mode) == 0o444
    plain, compressed = (read_events(DbnFile(path)) for path in (raw.path, Path(f"{raw.path}.zst")))
    assert len(plain) == len(compressed) > 100
    spec = SessionSpec(product.product_type, SYMBOLS[program][0], str(days()[0]), lake=str(lake))
    with closing(prepare(spec)) as session:  # what vp.serve and vp.record play
        assert session.info.contract == market.CONTRACTS.get(product.root, product.root)
        assert session.info.raw_files == (raw.path.name,)
    for path in (lake / "raw").rglob("*.dbn"):
        path.unlink()
    check_whole(server, lake, program)

    before, calls = raw_files(lake), dict(server.service.calls)
    code, said = run(server, lake, program, "daemon", *DAYS, *ASKED[program])
    assert code == 0, said
    assert raw_files(lake) == before
    assert dict(server.service.calls) == calls  # not even asked


def check_money(server: Server, lake: Path, limit_usd: float) -> None:
    """What was bought is under the limit, and the ledger tells each job's price and no less than all of it."""
    told = {entry["job_id"]: entry["cost_usd"] for entry in entries(lake)}
    assert all(told[job.details["id"]] == job.cost_usd for job in server.service.jobs)
    counted_usd = sum(entry["former_usd"] + entry["cost_usd"] for entry in entries(lake))
    assert server.service.bought_usd() <= counted_usd + 1e-9
    assert server.service.bought_usd() <= limit_usd


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_and_unanswered_at_random_moments(server: Server, tmp_path: Path, seed: int) -> None:
    """Futures and equities in turn, each killed several times and cut off from answers; VP_KILL_SEEDS: how many seeds.

    Whatever happens, each file is bought once, and never more than --max-cost is spent.
    """
    chance = server.dice = random.Random(seed)
    lake = tmp_path / "lake"
    program = ("futures", "equities")[seed % 2]
    limit_usd = {"futures": 2.5, "equities": 3.0}[program]
    ask = [*TWO_DAYS, *ONE_OF_EACH[program], "--max-cost", str(limit_usd)]
    server.service.unlisted_looks = chance.randrange(3)
    server.faults = [
        Fault("submit", "lost", 1000, chance=0.15), Fault("submit", "drop", 1000, chance=0.05),
        Fault("submit", "status", 1000, 502, chance=0.05), Fault("list_jobs", "status", 1000, 500, chance=0.1),
        Fault("list_jobs", "drop", 1000, chance=0.1), Fault("get_job_details", "drop", 1000, chance=0.1),
        Fault("get_range", "short", 1000, chance=0.1), Fault("download/", "reset", 1000, chance=0.1),
    ]  # fmt: skip
    kills = 0
    for _ in range(KILLS):
        calls_before = server.service.calls.total()
        process = start(environment(server), tmp_path, program, "daemon", *ask, "--lake", str(lake), *QUICK)
        # A moment counted in requests rather than in seconds falls into the work however fast the machine is.
        moment = chance.randrange(4, 30)
        while process.is_alive() and server.service.calls.total() - calls_before < moment:
            process.join(0.004 * chance.random())
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
        assert server.service.bought_usd() <= limit_usd
    server.faults.clear()
    code, said = run(server, lake, program, "daemon", *ask)
    if code == 1 and "no job is known by which its list could prove" in said:
        assert server.service.jobs == []  # what a person sees in the portal, who then allows for it once more:
        ask = [*ask, "--resubmit-lost", "--max-cost", str(limit_usd + 0.75)]
        code, said = run(server, lake, program, "daemon", *ask)
    if code == 2:  # orders that did not arrive count, as nothing but a list says so
        assert "together more than --max-cost" in said, said
        code, said = run(server, lake, program, "daemon", *ask, "--max-cost", str(limit_usd + KILLS * 0.75 + 0.75))
    assert code == 0, said
    print(f"{kills} kills of {program} with seed {seed}, {server.service.bought_usd():.2f} USD")  # noqa: T201 - by -rP
    submitted = server.service.submitted()
    assert len(submitted) == len(set(submitted)) == 6
    assert {entry["state"] for entry in entries(lake)} == {"laid"}
    check_money(server, lake, limit_usd)


@pytest.mark.parametrize("program", ["futures", "equities"])
@pytest.mark.parametrize(
    ("lost", "bought"),
    [
        (["submit"], [2, 4]),  # each was found among the jobs
        (["submit", "get_job_details"], [1, 1]),
        (["batch."], [0, 0]),  # no order leaves that could not be found again
    ],
)
def test_every_answer_lost(server: Server, tmp_path: Path, program: str, lost: list[str], bought: list[int]) -> None:
    """At most one order is outstanding, the program ends, and the run after it is no worse."""
    lake = tmp_path / "lake"
    ask = ["daemon", *DAYS, *ASKED[program], "--max-cost", "9"]
    server.faults = [Fault(path, "lost", 10**6) for path in lost]
    for jobs in bought:
        code, said = run(server, lake, program, *ask)
        assert code == 1
        ended = "othing more was ordered" if jobs else "did not give the list of jobs in 6 tries"
        assert ended in said.splitlines()[-1]
        assert sum(entry["state"] in ("submitting", "lost") for entry in entries(lake)) <= 1
        assert len(server.service.jobs) == jobs
    assert len(server.service.submitted()) == len(set(server.service.submitted()))
    check_lost_counts(server, lake)


def check_lost_counts(server: Server, lake: Path) -> None:
    """Each job is in the ledger, known or as one whose answer was lost, at its price."""
    jobs_usd = sum(entry["cost_usd"] for entry in entries(lake) if entry["schema"] != "definition")
    assert round(jobs_usd, 6) == round(sum(job.cost_usd for job in server.service.jobs), 6)


@pytest.mark.parametrize("lakes", [("lake", "lake"), ("lake", "other")])
def test_two_programs_of_one_account_at_once(server: Server, tmp_path: Path, lakes: tuple[str, str]) -> None:
    """Futures and equities in one lake; or futures in two, which order the same and lose answers."""
    programs = ("futures", "equities") if lakes[0] == lakes[1] else ("futures", "futures")
    server.faults = [Fault("submit", "lost", 4, chance=0.5)]
    runs = list(zip(programs, lakes, ("first", "second"), strict=True))

    def ask(program: str, lake: str) -> list[str]:
        return ["daemon", *TWO_DAYS, *ONE_OF_EACH[program], "--lake", str(tmp_path / lake), "--max-cost", "4", *QUICK]

    processes = []
    for program, lake, directory in runs:
        (tmp_path / directory).mkdir()
        processes.append(start(environment(server), tmp_path / directory, program, *ask(program, lake)))
    for process in processes:
        process.join(120)
    server.faults.clear()
    for program, lake, directory in runs:
        process = start(environment(server), tmp_path / directory, program, *ask(program, lake))
        process.join(120)
        assert process.exitcode == 0, (tmp_path / directory / "said").read_text()
    orders = 6 * 2
    assert len(server.service.jobs) == orders
    held = [entry["job_id"] for lake in set(lakes) for entry in entries(tmp_path / lake) if entry["job_id"]]
    assert len(held) == orders
    for lake in set(lakes):
        owned = {entry["job_id"] for entry in entries(tmp_path / lake) if entry["job_id"]}
        assert len(owned) == orders // len(set(lakes))
