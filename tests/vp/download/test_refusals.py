"""What one dataset, parent or date refuses leaves the rest going, and stands in the table with its reason."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from tests.databento_server import market
from tests.databento_server.http import Fault, Server
from tests.databento_server.service import RefusedError
from tests.vp.download.programs import ONE, entries, raw_files, run

ALL_OF_QQQ = ["--symbols", "QQQ", "--equity-schemas", "mbo", "--options-schemas", "cmbp-1,statistics"]
DAY = ["--start", "2026-02-03", "--end", "2026-02-03"]


def rows(said: str) -> list[tuple[str, str, str, str]]:
    """Date, symbol, schema and what became of it, of each row of the table."""
    form = re.compile(r"(?:INFO|ERROR) (\d{4}-\d\d-\d\d)  (\S+) +\S+ +(\S+) +[0-9.]+ USD  (.+)")
    return [found.groups() for line in said.splitlines() if (found := form.search(line))]  # type: ignore[misc]


@pytest.mark.parametrize(("status", "hint"), [(403, "what the key and its licences allow"), (402, "asks for payment")])
def test_one_datasets_refusal_leaves_the_others_going(server: Server, tmp_path: Path, status: int, hint: str) -> None:
    sentence = "No license for OPRA.PILLAR"
    server.service.refusals["OPRA.PILLAR"] = RefusedError(status, "license_required", sentence)
    code, said = run(server, tmp_path / "lake", "equities", "daemon", *DAY, *ALL_OF_QQQ)
    assert code == 1
    table = rows(said)
    assert [row[:3] for row in table] == [("2026-02-03", "QQQ", s) for s in ("mbo", "cmbp-1", "statistics")]
    assert table[0][3] == "in the lake"
    for row in table[1:]:
        assert row[3].startswith("not had: Databento refused the condition of OPRA.PILLAR")
        assert sentence in row[3]
        assert hint in row[3]
    assert [job[0] for job in server.service.submitted()] == ["mbo"]
    server.service.refusals.clear()
    assert run(server, tmp_path / "lake", "equities", "daemon", *DAY, *ALL_OF_QQQ)[0] == 0
    assert len(server.service.jobs) == 3


def test_a_refused_order_leaves_the_others_going(server: Server, tmp_path: Path) -> None:
    server.faults = [Fault("submit_job", "status", 1, 402)]
    code, said = run(server, tmp_path / "lake", "equities", "daemon", *DAY, *ALL_OF_QQQ)
    assert (code, "A fault of /v0/batch.submit_job" in said) == (1, True), said
    assert [row[3][:11] for row in rows(said)] == ["not had: Da", "in the lake", "in the lake"]
    assert "0.81 USD were spent on these files at most" in said  # 0.75, 0.05, and definitions of 0.01
    assert round(server.service.bought_usd(), 6) == 0.81


def test_every_day_stands_in_the_table_with_its_reason(server: Server, tmp_path: Path) -> None:
    server.service.conditions |= {"2026-02-16": "", "2026-02-17": "missing", "2026-02-18": "pending"}
    lake = tmp_path / "lake"
    asked = ["--start", "2026-02-13", "--end", "2026-02-18", "--symbols", "MNQ", "--include-futures"]
    code, said = run(server, lake, "futures", "submit", *asked)
    assert code == 0, said
    told = [(row[0][-2:], row[3]) for row in rows(said)]
    assert told == [
        ("13", f"outstanding: job {server.service.jobs[0].details['id']}"),
        ("14", "no data: a Saturday"),
        ("15", "no data: a Sunday"),
        ("16", "no data: a holiday: GLBX.MDP3 lists no such date"),
        ("17", "no data: missing in GLBX.MDP3"),
        ("18", "not there yet: Databento does not have the date"),
    ]


def test_a_foreign_file_in_its_place_is_told(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "daemon", *ONE)[0] == 0
    (entry,) = (lake / "jobs").rglob("*.json")
    entry.unlink()
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert [row[3] for row in rows(said)] == ["in the lake already, not ordered from here"]
    assert (code, len(server.service.jobs)) == (0, 1)


def test_parents_that_do_not_exist_are_passed_over_by_name(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a Friday the server has no family, so that the eight parents before the next Monday's are asked for."""
    lake = tmp_path / "lake"
    options = market.options_of
    monday = dt.date(2026, 2, 9)

    def from_monday(parent: str, date: dt.date) -> list[market.Option]:
        return options(parent, monday if date == dt.date(2026, 2, 6) else date)

    monkeypatch.setattr(market, "options_of", from_monday)
    market.file_of.cache_clear()
    asked = ["--start", "2026-02-06", "--end", "2026-02-06", "--symbols", "MNQ", "--options-schemas", "mbo,statistics"]
    code, said = run(server, lake, "futures", "daemon", *asked)
    market.file_of.cache_clear()
    assert code == 0, said
    assert "GLBX.MDP3 has no MQ1.OPT on 2026-02-06; passed over" in said
    assert "GLBX.MDP3 has no D2A.OPT" not in said
    assert [job[0] for job in server.service.submitted()] == ["mbo", "statistics"]
    # The front month once: two calls. MQ1 and D2A once each, though two schemas need them.
    assert server.service.calls["symbology.resolve"] == 4
    code, said = run(server, lake, "equities", "daemon", *DAY, "--symbols", "NONE", "--options-schemas", "statistics")
    assert code == 1
    assert "OPRA.PILLAR has no NONE.OPT on 2026-02-03; passed over" in said
    assert [row[3] for row in rows(said)] == ["not had: No options expire on the date or later on NONE."]


def test_opra_writes_roots_without_dots(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    asked = [*DAY, "--symbols", "BRK.B", "--equity-schemas", "mbo", "--options-schemas", "statistics"]
    code, said = run(server, lake, "equities", "daemon", *asked)
    assert code == 0, said
    assert [job[1] for job in server.service.submitted()] == [
        "BRK.B", ",".join(market.nearest("BRKB.OPT", dt.date(2026, 2, 3))),
    ]  # fmt: skip
    assert all("symbol=BRK.B/" in path for path in raw_files(lake))


@pytest.mark.parametrize("symbol", ["MNQM6", "mnqm6", "MNQ.v.0", "MNQH6-MNQM6"])
def test_contracts_by_name_are_refused_with_the_root(server: Server, tmp_path: Path, symbol: str) -> None:
    asked = [*DAY, "--include-futures", "--symbols", f"ES,{symbol}"]
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *asked)
    assert code == 2
    assert f"--symbols names '{symbol}', which is a contract of MNQ" in said
    assert "--symbols MNQ orders" in said
    assert server.service.calls.total() == 0


def test_orders_of_one_run_are_bounded(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    asked = [*DAY, *ALL_OF_QQQ]
    code, said = run(server, lake, "equities", "daemon", *asked, "--max-orders", "3")
    assert (code, "3 jobs would be 3 orders after 1, more than --max-orders 3" in said) == (2, True), said
    assert server.service.jobs == []
    assert run(server, lake, "equities", "daemon", *asked, "--max-orders", "3")[0] == 0  # definitions are there
    assert len(entries(lake)) == 4
