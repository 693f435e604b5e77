"""`python -m vp.backfill` over small lakes: the bytes of vp.record, what is skipped, what fails, and how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.vp.backfill.days import DATES, SYMBOLS, build, lay
from vp.backfill.finished import REMEMBERED
from vp.child_processes import python_command, python_environment
from vp.files import parts_in
from vp.programs import backfill, record

COMMON = ("--product-type", "equity_mbo", "--start-time", "09:30", "--fields", "pressure,vacuum", "--throttle-ms", "50")


def run(lake: Path, out: Path, *options: str) -> int:
    return backfill.main([*COMMON, "--lake", str(lake), "--out", str(out), *options])


def name(symbol: str, dt: str) -> str:
    return f"equity_mbo-{symbol}-{dt}.parquet"


NAMES = sorted(name(symbol, dt) for symbol in SYMBOLS for dt in DATES)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def recorded(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All sessions of the lake, recorded by two processes."""
    out = tmp_path_factory.mktemp("recorded") / "not" / "there"
    assert run(original, out, "--workers", "2") == 0
    return out


@pytest.fixture
def lake(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "lake"))


@pytest.fixture
def out(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "out"))


def held(out: Path) -> list[str]:
    """What lies in a directory, but for what it remembers of it."""
    return sorted(path.name for path in out.iterdir() if path.name != REMEMBERED)


def stamps(out: Path) -> dict[str, int]:
    return {file: (out / file).stat().st_mtime_ns for file in held(out)}


def test_each_session_is_the_file_that_record_writes(original: Path, recorded: Path, tmp_path: Path) -> None:
    assert held(recorded) == NAMES
    for symbol in SYMBOLS:
        for dt in DATES:
            one = tmp_path / name(symbol, dt)
            options = ["--symbol", symbol, "--dt", dt, "--lake", str(original), "--out", str(one)]
            assert record.main([*COMMON, *options]) == 0
            assert one.read_bytes() == (recorded / one.name).read_bytes()
            assert len(pq.read_table(one)) > 50


def test_a_second_run_does_nothing_and_a_touched_file_is_recorded_again(
    lake: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = stamps(out)
    assert run(lake, out) == 0
    assert stamps(out) == before
    said = capfd.readouterr()
    assert "0 sessions to record, 4 done before" in said.err
    assert said.out == ""
    (raw,) = lake.glob("raw/*/*/symbol=QQQ/*/*20260709*")
    os.utime(raw)
    assert run(lake, out, "--dry-run") == 0
    assert stamps(out) == before
    said = capfd.readouterr()
    assert "1 session to record (1 of them again), 3 done before" in said.err
    assert name("QQQ", "2026-07-09") in said.out
    assert run(lake, out, "--workers", "1") == 0
    assert {file for file, stamp in stamps(out).items() if stamp != before[file]} == {name("QQQ", "2026-07-09")}
    assert "QQQ 2026-07-09  written" in capfd.readouterr().out


def test_what_is_remembered_of_outputs_is_believed_only_of_the_same_files(
    lake: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def done() -> bool:
        assert run(lake, out, "--dry-run") == 0
        return "4 done before" in capfd.readouterr().err

    assert done()
    for remembered in (None, b"", b"[1]", b'{"a": 1}', b'{"equity_mbo-QQQ-2026-07-08.parquet": [[1, 2, 3], "x"]}'):
        (out / REMEMBERED).unlink(missing_ok=True)
        if remembered is not None:
            (out / REMEMBERED).write_bytes(remembered)
        assert done(), remembered
        assert done()
    one = out / name("QQQ", DATES[0])
    data = one.read_bytes()
    one.write_bytes(data[:-4] + b"PARX")  # of the same size
    assert not done()


def test_what_is_cut_short_or_of_another_request_is_not_done(
    lake: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cut = out / name("AAPL", DATES[0])
    cut.write_bytes(cut.read_bytes()[:-1])
    (out / name("QQQ", DATES[0])).write_bytes(b"")
    (out / name("QQQ", DATES[1])).unlink()
    run(lake, out, "--dry-run")
    assert "3 sessions to record (2 of them again), 1 done before" in capfd.readouterr().err
    run(lake, out, "--dry-run", "--throttle-ms", "60")
    assert "4 sessions to record (3 of them again), 0 done before" in capfd.readouterr().err


def test_symbols_and_days_are_those_asked_for(
    original: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def planned(*options: str) -> list[str]:
        assert run(original, tmp_path / "none", "--dry-run", *options) == 0
        return sorted(line.split("  ")[0] for line in capfd.readouterr().out.splitlines())

    first, last = DATES
    assert planned() == [f"{symbol} {dt}" for symbol in SYMBOLS for dt in DATES]
    assert planned("--symbols", "qqq") == [f"QQQ {first}", f"QQQ {last}"]
    assert planned("--symbols", "QQQ,AAPL,QQQ", "--start", last) == [f"AAPL {last}", f"QQQ {last}"]
    assert planned("--symbols", "qqq,QQQ", "--start", last) == [f"QQQ {last}"]
    assert planned("--end", first) == [f"AAPL {first}", f"QQQ {first}"]
    assert not (tmp_path / "none").exists()


def test_bad_rows_are_told_and_hinder_no_other(lake: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (raw,) = lake.glob("raw/*/*/symbol=QQQ/*/*20260708*")
    lay(lake, "QQQ", 0, raw.read_bytes()[:-20])
    lay(lake, "AAPL", 1, b"this is no DBN file" * 10)
    out = tmp_path / "out"
    assert run(lake, out, "--symbols", "AAPL,QQQ,MSFT,G:D", "--workers", "1") == 1
    assert held(out) == [name("AAPL", DATES[0]), name("QQQ", DATES[1])]
    said = capfd.readouterr()
    rows = {line.split("  ")[0]: line for line in said.out.splitlines()}
    assert "failed" in rows["QQQ 2026-07-08"]
    assert "truncated_file" in rows["QQQ 2026-07-08"]
    assert "not_dbn" in rows["AAPL 2026-07-09"]
    assert "written" in rows["AAPL 2026-07-08"]
    assert "no_raw_file" in rows["MSFT"]
    assert "unknown_symbol" in rows["G:D"]
    assert "QQQ 2026-07-08 failed" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--start", "2026-07-09", "--end", "2026-07-08"), "first before the last"),
        (("--start", "yesterday"), "yesterday"),
        (("--fields", "colour"), "colour"),
        (("--out", "/dev/null/frames"), "/dev/null"),
        (("--then", "sleep"), "sleep"),
        (("--workers", "0"), "workers"),
        (("--parameters", "best"), "best"),
        (("--throttle-ms", "-1"), "throttle_ms"),
        (("--address", "127.0.0.1:6379"), "--engine ray"),
    ],
)
def test_what_is_wrong_with_the_request_is_said_at_once(
    original: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], options: tuple[str, ...], says: str
) -> None:
    assert run(original, tmp_path / "out", *options) == 2
    said = capfd.readouterr().err
    assert said.startswith("error: ")
    assert says in said
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_a_sentence(
    original: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / ("x" * 300)
    assert run(original, out) == 1
    said = capfd.readouterr().err
    assert f"error: The directory {str(out)!r} cannot be made: " in said
    assert "fault of the program" not in said


def test_nothing_is_written_among_raw_files(original: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(original, original / "raw" / "frames") == 2
    assert "raw files" in capfd.readouterr().err


LIMITED = """
import resource, sys
from vp.programs.backfill import main
if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
    sys.exit(main(sys.argv[2:]))
"""


def test_a_full_disk_is_the_row_of_what_did_not_fit(original: Path, recorded: Path, tmp_path: Path) -> None:
    """No file may grow beyond the limit, which two of the four stay under."""
    sizes = sorted((recorded / file).stat().st_size for file in held(recorded))
    assert sizes[1] < sizes[2]
    options = [*COMMON, "--lake", str(original), "--out", str(tmp_path), "--workers", "1"]
    script = tmp_path.parent / "limited.py"
    script.write_text(LIMITED)
    done = subprocess.run(
        python_command(str(script), str(sizes[2] - 1), *options),
        env={name: value for name, value in python_environment().items() if not name.startswith("COVERAGE_")},
        capture_output=True,  # coverage's own file would not fit either
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("  failed") == 2
    assert "Cannot write" in done.stdout
    assert "Traceback" not in done.stderr
    left = held(tmp_path)
    assert len(left) == 2
    for file in left:
        assert (tmp_path / file).read_bytes() == (recorded / file).read_bytes()


@pytest.mark.long
def test_two_at_once_over_one_directory_come_to_the_same(original: Path, recorded: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = [*COMMON, "--lake", str(original), "--out", str(out), "--workers", "1"]
    command = python_command("-m", "vp.backfill", *words)
    programs = [subprocess.Popen(command, env=python_environment(), stderr=subprocess.PIPE) for _ in range(2)]
    said = [program.communicate(timeout=120)[1].decode() for program in programs]
    assert [program.returncode for program in programs] == [0, 0], said
    assert held(out) == NAMES
    assert all((out / name).read_bytes() == (recorded / name).read_bytes() for name in NAMES)


def test_ctrl_c_leaves_whole_files_and_says_what_is_left(tmp_path: Path) -> None:
    lake, out = tmp_path / "lake", tmp_path / "out"
    for symbol in SYMBOLS:
        for day in range(len(DATES)):
            lay(lake, symbol, day, seconds=300)
    program = subprocess.Popen(
        python_command(
            "-m", "vp.backfill", "--product-type", "equity_mbo", "--throttle-ms", "0", "--workers", "1",
            "--lake", str(lake), "--out", str(out),
        ),
        env=python_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 120
    while not (out.is_dir() and len(list(out.glob("*.parquet"))) == 1 and parts_in(out)):
        assert program.poll() is None, program.communicate()
        assert time.monotonic() < until
        time.sleep(0.005)
    os.killpg(program.pid, signal.SIGINT)  # as a terminal does: to every process of it
    said, told = program.communicate(timeout=60)
    assert program.returncode == 130, told
    assert "Traceback" not in told
    assert said.count("  written") == len(held(out)) < 4
    assert said.count("  written") + said.count("  left") == 4
    for file in held(out):
        assert len(pq.read_table(out / file, page_checksum_verification=True)) > 100


def test_studies_are_made_of_each_day_and_of_all(lake: Path, out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(lake, out, "--symbols", "QQQ", "--then", "study", "--workers", "1") == 0
    of_days = [f"equity_mbo-QQQ-{days}-study" for days in (*DATES, "..".join(DATES))]
    made = {*held(out)} - {*NAMES}
    assert made == {f"{study}.{ending}" for study in of_days for ending in ("html", "md", "parquet")}
    before = stamps(out)
    capfd.readouterr()
    assert run(lake, out, "--symbols", "QQQ", "--then", "study") == 0
    assert stamps(out) == before
    assert capfd.readouterr().out == ""
