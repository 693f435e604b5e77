from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.dbn_files import header, mbo
from tests.lakes import FUTURES_OPEN_NS, GOOD, OPEN_NS, WRONG, Wrong, dbn, flags, market, put
from tests.oracle_book import Rec
from vp.kernels.contract import SCALAR_COLUMNS
from vp.model.frame_columns import COLUMN_NAMES
from vp.model.parameters import ModelParameters
from vp.model.recording_task import DIGEST_KEY
from vp.programs import record


def run(lake: Path, out: Path, *options: str) -> int:
    return record.main([*flags(GOOD), "--lake", str(lake), "--out", str(out), *options])


def read_arrow(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def test_both_formats_hold_the_same_frames(
    small_lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small_lake, tmp_path / "a.arrow") == 0
    assert run(small_lake, tmp_path / "a.parquet") == 0
    arrow = read_arrow(tmp_path / "a.arrow")
    parquet = pq.read_table(tmp_path / "a.parquet", page_checksum_verification=True)

    assert arrow.schema.names == list(COLUMN_NAMES)
    assert len(arrow) > 200
    assert parquet.equals(arrow)
    assert parquet.schema.metadata == arrow.schema.metadata
    assert arrow.schema.metadata[b"vp.symbol"] == b"GOOD"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.arrow", "a.parquet"]
    last = capsys.readouterr().out.splitlines()[-1]
    assert f"{len(arrow)} frames" in last
    for word in ("records", "anomalies", "seconds"):
        assert word in last


def test_parquet_is_compressed_and_checked(small_lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.parquet"
    run(small_lake, out)
    column = pq.read_metadata(out).row_group(0).column(0)
    assert column.compression == "ZSTD"
    data = bytearray(out.read_bytes())
    data[len(data) // 2] ^= 1
    out.write_bytes(data)
    with pytest.raises(OSError, match=r"(?i)crc|corrupt"):
        pq.read_table(out, page_checksum_verification=True)


def test_fields_and_end_time_and_throttle(small_lake: Path, tmp_path: Path) -> None:
    run(small_lake, tmp_path / "all.arrow", "--throttle-ms", "0")
    everything = read_arrow(tmp_path / "all.arrow")
    run(small_lake, tmp_path / "few.arrow", "--throttle-ms", "0", "--fields", "vacuum, pressure")
    few = read_arrow(tmp_path / "few.arrow")
    assert few.schema.names[-2:] == ["pressure", "vacuum"]
    assert few.equals(everything.select(few.schema.names))
    told = {**everything.schema.metadata}
    assert few.schema.metadata == {**told, DIGEST_KEY.encode(): few.schema.metadata[DIGEST_KEY.encode()]}
    assert few.schema.metadata != told  # another recording of the same frames
    run(small_lake, tmp_path / "slow.arrow", "--throttle-ms", "5000")
    assert 10 <= len(read_arrow(tmp_path / "slow.arrow")) <= 13
    run(small_lake, tmp_path / "none.parquet", "--start-time", "09:31", "--end-time", "09:32")
    assert len(pq.read_table(tmp_path / "none.parquet")) <= 1


def test_scalars_alone(small_lake: Path, tmp_path: Path) -> None:
    run(small_lake, tmp_path / "all.arrow")
    run(small_lake, tmp_path / "none.arrow", "--fields", "none")
    run(small_lake, tmp_path / "none.parquet", "--fields", "none")
    scalars = read_arrow(tmp_path / "none.arrow")
    assert scalars.schema.names == list(SCALAR_COLUMNS)
    assert scalars.equals(read_arrow(tmp_path / "all.arrow").select(list(SCALAR_COLUMNS)))
    assert scalars.equals(pq.read_table(tmp_path / "none.parquet"))
    assert (tmp_path / "none.arrow").stat().st_size < (tmp_path / "all.arrow").stat().st_size / 10


def test_a_set_of_parameters_makes_other_frames_and_is_named_in_them(small_lake: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("tau_velocity_seconds: 1.5\n")
    made = {}
    for name, chosen in (("usual", ()), ("named", ("default",)), ("touch", ("touch",)), ("mine", (str(file),))):
        run(small_lake, tmp_path / f"{name}.arrow", *(part for one in chosen for part in ("--parameters", one)))
        made[name] = read_arrow(tmp_path / f"{name}.arrow")
    assert made["named"].equals(made["usual"])
    sets = {"usual": ModelParameters(), "touch": ModelParameters.preset("touch")}
    sets["mine"] = ModelParameters(tau_velocity_seconds=1.5)
    for name, parameters in sets.items():
        facts = made[name].schema.metadata
        assert facts[b"vp.parameters_digest"].decode() == parameters.digest
        stated = dict(pair.split("=") for pair in facts[b"vp.parameters"].decode().split(","))
        assert {key: float(value) for key, value in stated.items()} == parameters.to_json()
    slow, usual, quick = (made[name]["v_add"].combine_chunks().flatten() for name in ("touch", "usual", "mine"))
    assert pc.max(slow).as_py() < pc.max(usual).as_py() < pc.max(quick).as_py()
    for name in ("bid_price", "rest_depth", "event_id"):
        assert made["touch"][name].equals(made["usual"][name])


def test_two_recordings_are_the_same_bytes(small_lake: Path, tmp_path: Path) -> None:
    for ending in (".arrow", ".parquet"):
        one, two = tmp_path / f"one{ending}", tmp_path / f"two{ending}"
        run(small_lake, one)
        run(small_lake, two)
        assert one.read_bytes() == two.read_bytes()


def test_an_older_recording_is_replaced_as_a_whole(small_lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.arrow"
    out.write_text("old")
    assert run(small_lake, out) == 0
    assert len(read_arrow(out)) > 200
    out.write_text("old")
    assert run(small_lake, out, "--symbol", "CUT") == 1
    assert out.read_text() == "old"


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_what_cannot_be_recorded(
    small_lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: Wrong
) -> None:
    code = run(small_lake, tmp_path / "a.arrow", *flags(wrong.changes))
    said = capsys.readouterr().err
    assert code == wrong.exit_code
    assert f"error: {said.split('error: ')[1]}" in said
    assert wrong.says in said
    assert "hint: " in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_recording_needs_a_name(small_lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record.main([*flags(GOOD), "--lake", str(small_lake)]) == 2
    assert "--out is missing" in capsys.readouterr().err


def test_unknown_fields_are_refused(small_lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(small_lake, tmp_path / "a.arrow", "--fields", "colour") == 2
    said = capsys.readouterr().err
    assert "'colour'" in said
    assert "pressure" in said
    assert "or none" in said
    assert list(tmp_path.iterdir()) == []


def test_an_empty_recording_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file maps the symbol to an instrument that it has no record of."""
    records = b"".join(mbo(one, 2) for one in market(OPEN_NS, 1, 1))
    name = "xnas-itch-20260708.mbo.dbn"
    put(tmp_path, "equity_mbo", "GOOD", name, header(symbols={"GOOD": 1}) + records)
    out = tmp_path / "frames.arrow"
    assert run(tmp_path, out) == 0
    printed = capsys.readouterr()
    assert "WARNING: The recording is empty: xnas-itch-20260708.mbo.dbn holds no record of GOOD from" in printed.err
    assert "0 frames" in printed.out
    assert "passed over (other instruments 86)" in printed.out


def test_a_full_disk_is_said(small_lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")
    if not full.exists() or not os.access("/proc", os.F_OK):
        pytest.skip("this system has no directory that takes no file")
    assert run(small_lake, Path("/proc/frames.arrow")) == 1
    said = capsys.readouterr().err
    assert "error: Cannot write '/proc/frames.arrow'" in said
    assert "hint: " in said
    assert "Traceback" not in said


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_recording_that_is_terminated_leaves_nothing(small_lake: Path, tmp_path: Path, name: str, code: int) -> None:
    program = (
        "import os, signal, sys\n"
        "from vp.model import recording\n"
        "from vp.programs import record\n"
        "group = recording._write_group\n"
        f"recording._write_group = lambda *a: os.kill(os.getpid(), signal.{name}) or group(*a)\n"
        "sys.exit(record.main(sys.argv[1:]))\n"
    )
    arguments = [*flags(GOOD), "--lake", str(small_lake), "--out", str(tmp_path / "a.arrow")]
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == code, ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_the_directory_where_the_program_runs_is_recorded_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "here" / "one.dbn"
    raw.parent.mkdir()
    raw.write_bytes(dbn("MNQH6", 6, market(FUTURES_OPEN_NS, 2, 2)))
    monkeypatch.chdir(raw.parent)
    for name in ("one.dbn", "../here/one.dbn"):
        assert record.main(["--file", name, "--lake", "lake", "--out", "one.arrow"]) == 0
    monkeypatch.chdir(tmp_path)
    assert record.main(["--file", "here/one.dbn", "--lake", "lake", "--out", "one.arrow"]) == 0


def test_a_file_is_recorded_by_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [Rec(FUTURES_OPEN_NS + i, "A", "BA"[i], 10**9 * (5 + i), 3, 7 + i, 128) for i in range(2)]
    path = tmp_path / "from somewhere.dbn"
    path.write_bytes(dbn("MNQH6", 6, records))
    lake, out = tmp_path / "lake", tmp_path / "frames.arrow"
    assert record.main(["--file", str(path), "--lake", str(lake), "--throttle-ms", "0", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "chosen: the symbol MNQH6, the product type future_mbo, the date 2026-02-06" in said.err
    frames = read_arrow(out)
    assert frames["bid_price"].to_pylist() == [5 * 10**9] * 2
    assert frames["ask_price"].to_pylist() == [None, 6 * 10**9]
    assert frames.schema.metadata[b"vp.raw_file"] == b"from somewhere.dbn"
    assert record.main(["--file", str(path), "--symbol", "MNQM6", "--lake", str(lake), "--out", str(out)]) == 2
    assert "it holds MNQH6" in capsys.readouterr().err
    assert not (lake / "raw").exists()


def test_symbol_alone_suffices_where_there_is_one_date(small_lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "frames.arrow"
    assert (
        record.main(["--symbol", "MNQH6", "--lake", str(small_lake), "--throttle-ms", "1000", "--out", str(out)]) == 0
    )
    assert read_arrow(out).schema.metadata[b"vp.dt"] == b"2026-02-06"
