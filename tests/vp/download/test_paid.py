"""Nothing that was paid is given up: files that are not listed yet, that were deleted, that are several."""

from __future__ import annotations

from pathlib import Path

from tests.databento_server import market
from tests.databento_server.http import Fault, Server
from tests.vp.download.programs import ONE, entries, raw_files, run
from vp.dbn.file import DbnFile

NAME = "glbx-mdp3-20260203.mbo"
OPTIONS = ["--start", "2026-02-03", "--end", "2026-02-03", "--symbols", "MNQ", "--options-schemas", "mbo"]


def names(lake: Path) -> list[str]:
    return [Path(path).name for path in raw_files(lake)]


def test_a_job_without_files_is_looked_at_again_in_each_run(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    server.faults = [Fault("list_files", "support", 4), Fault("list_files", "junk", 4, body="[]")]
    for _ in range(2):
        code, said = run(server, lake, "futures", "daemon", *ONE)
        assert code == 1
        assert "was paid and is done, but lists no data file; each run looks again" in said
        assert [entry["state"] for entry in entries(lake)] == ["empty"]
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert code == 0, said
    assert names(lake) == [f"{NAME}.dbn.json", f"{NAME}.dbn.zst"]
    assert len(server.service.jobs) == 1


def test_poll_leaves_a_job_without_files_outstanding(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "submit", *ONE)[0] == 0
    server.service.jobs[0].details["state"] = "done"
    server.faults = [Fault("list_files", "support", 1)]
    code, said = run(server, lake, "futures", "poll")
    assert (code, "1 outstanding" in said) == (0, True), said
    assert run(server, lake, "futures", "poll")[0] == 0
    assert names(lake) == [f"{NAME}.dbn.json", f"{NAME}.dbn.zst"]


def test_a_job_of_no_records_is_without_data(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "submit", *ONE)[0] == 0
    server.service.jobs[0].details["record_count"] = 0
    server.faults = [Fault("list_files", "support", 2)]
    for looks in (1, 2):
        code, said = run(server, lake, "futures", "daemon", *ONE)
        assert (code, "without data: its job holds none" in said) == (0, True), said
        assert server.service.calls["batch.list_files"] == looks


def test_a_deleted_file_is_fetched_again_while_that_is_free(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "daemon", *ONE, "--decompress")[0] == 0
    before = raw_files(lake)
    (compressed,) = lake.rglob("*.mbo.dbn.zst")
    compressed.unlink()
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert (code, "no more" in said) == (0, False), said  # the uncompressed one is there
    for path in lake.rglob("*.mbo.dbn*"):
        path.unlink()
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert code == 0, said
    assert "its file is in the lake no more, or not whole; fetching it again from the job GLBX" in said
    after = raw_files(lake)
    assert [path for path in after if not path.endswith("json")] == [path for path in before if path.endswith("zst")]
    assert all(data == before[path] for path, data in after.items() if path.endswith("zst"))

    (compressed,) = lake.rglob("*.mbo.dbn.zst")
    compressed.unlink()
    server.service.jobs[0].details["state"] = "expired"
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert code == 1
    assert "expired before its file was fetched. Order it anew, for money, with --resubmit-expired" in said
    assert len(server.service.jobs) == 1
    assert run(server, lake, "futures", "daemon", *ONE, "--resubmit-expired")[0] == 0
    assert len(server.service.jobs) == 2
    (entry,) = entries(lake)
    assert entry["former"] == [server.service.jobs[0].details["id"]]
    assert (entry["former_usd"], entry["cost_usd"]) == (0.5, 0.5)


def test_every_data_file_of_a_job_is_laid_down(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    server.service.two_files = True
    code, said = run(server, lake, "futures", "daemon", *ONE, "--decompress")
    assert code == 0, said
    assert "in the lake: 2 files" in said
    assert sorted(name for name in names(lake) if name.endswith("zst")) == [f"{NAME}.{i}.dbn.zst" for i in (1, 2)]
    assert sorted(name for name in names(lake) if name.endswith("json")) == [f"{NAME}.{i}.dbn.json" for i in (1, 2)]
    whole = tmp_path / "whole.dbn.zst"
    whole.write_bytes(server.service.files_of(0)[f"{NAME}.dbn.zst"])
    halves = [records(path) for path in sorted(lake.rglob("*.zst"))]
    assert b"".join(halves) == records(whole)
    calls = server.service.calls.total()
    assert run(server, lake, "futures", "daemon", *ONE)[0] == 0
    assert server.service.calls.total() == calls
    for path in lake.rglob(f"{NAME}.2.dbn*"):
        path.unlink()
    assert run(server, lake, "futures", "daemon", *ONE)[0] == 0
    assert [records(path) for path in sorted(lake.rglob("*.zst"))] == halves


def records(path: Path) -> bytes:
    return b"".join(bytes(block) for block in DbnFile(path, "mbo").blocks())


def test_streams_of_definitions_count_as_often_as_they_are_charged(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    server.faults = [Fault("get_range", "short", 2), Fault("get_range", "status", 1, 503)]
    code, said = run(server, lake, "futures", "daemon", *OPTIONS)
    assert code == 0, said
    assert server.service.streamed_usd == 0.03  # two that broke, and the one that came
    (definitions,) = [entry for entry in entries(lake) if entry["schema"] == "definition"]
    assert round(definitions["former_usd"] + definitions["cost_usd"], 6) == 0.03
    assert "0.53 USD were spent on these files at most" in said

    other = tmp_path / "other"
    server.faults = [Fault("get_range", "short", 3)]
    code, said = run(server, other, "futures", "daemon", *OPTIONS)
    assert (code, "It was streamed 3 times." in said) == (1, True), said
    server.faults = [Fault("get_range", "short", 3)]
    code, said = run(server, other, "futures", "daemon", *OPTIONS, "--max-cost", "0.045")
    assert (code, "more than --max-cost 0.04 USD" in said) == (2, True), said
    assert round(server.service.streamed_usd, 6) == 0.07  # the fifth was one too many
    assert len(server.service.jobs) == 1
    assert market.nearest("D1B.OPT", server.service.day(0)) == server.service.jobs[0].details["symbols"].split(",")
