"""Importing files, and listing what there is."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from tests.dbn_files import compress, header_with, mbo, symbol_mapping
from tests.lakes import RAW, put
from tests.oracle_book import Rec
from vp.lake.lake import Lake
from vp.market.session_hours import midnight_ns
from vp.programs.lake import main

DAY = dt.date(2026, 2, 6)
END = dt.date(2026, 2, 9)
MNQ = RAW.format("future_mbo", "MNQ")
HALF_PAST_TWO_NS = midnight_ns(DAY) + 52_200_000_000_000


def orders(number: int, *days: dt.date) -> bytes:
    return b"".join(mbo(Rec(midnight_ns(day) + 1, "A", "B", 10**9, 1, 1, 128), number) for day in days)


def mapped(dataset: str = "GLBX.MDP3", **names: int) -> bytes:
    rows = {name.replace("_", " "): [(dt.date(2026, 2, 1), END, str(number))] for name, number in names.items()}
    return header_with(rows, dataset=dataset)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """Files of a job, under names of its own."""
    directory = tmp_path / "job" / "below"
    directory.mkdir(parents=True)
    live = header_with({}, schema=None, stype_in=None)
    names = symbol_mapping(7, "MNQ.FUT", "MNQH6", sent_ns=HALF_PAST_TWO_NS)
    files = {
        "day.dbn": mapped(MNQH6=7, MNQM6=8) + orders(7, DAY),
        "week.dbn.zst": compress(mapped(MNQH6=7, MNQM6=8) + orders(7, dt.date(2026, 2, 2), DAY)),
        "one.dbn": mapped(MNQM6=8) + orders(8, DAY),
        "both.dbn": mapped(MNQH6=7, ESH6=9) + orders(7, dt.date(2026, 2, 3)),
        "brk.dbn": mapped("XNYS.PILLAR", BRK_B=5) + orders(5, DAY),
        "live.dbn": live + names + orders(7, DAY),
        "glbx-mdp3-20260204.mbo.MNQH6.dbn": mapped(MNQH6=7) + orders(7, dt.date(2026, 2, 4)),
        "junk.dbn": b"junk",
        "trades.dbn": header_with({"MNQH6": [(DAY, END, "7")]}, schema="trades"),
        "wheat.dbn": mapped(ZWH6=7) + orders(7, DAY),
        "manifest.json": b"{}",
    }
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return tmp_path / "job"


WANTED = {
    f"{MNQ}/glbx-mdp3-20260206.mbo.dbn": "day.dbn",
    f"{MNQ}/glbx-mdp3-20260202-20260206.mbo.dbn.zst": "week.dbn.zst",
    f"{MNQ}/glbx-mdp3-20260206.mbo.MNQM6.dbn": "one.dbn",
    f"{MNQ}/glbx-mdp3-20260203.mbo.dbn": "both.dbn",
    f"{RAW.format('future_mbo', 'ES')}/glbx-mdp3-20260203.mbo.dbn": "both.dbn",
    f"{RAW.format('equity_mbo', 'BRK.B')}/xnys-pillar-20260206.mbo.BRK B.dbn": "brk.dbn",
    f"{MNQ}/glbx-mdp3-20260206.mbo.143000000000.dbn": "live.dbn",
    f"{MNQ}/glbx-mdp3-20260204.mbo.MNQH6.dbn": "glbx-mdp3-20260204.mbo.MNQH6.dbn",
}


def laid(lake: Path) -> dict[str, bytes]:
    return {str(path.relative_to(lake)): path.read_bytes() for path in lake.rglob("*") if path.is_file()}


@pytest.mark.parametrize("how", ["", "--link", "--copy"])
def test_files_go_to_their_places_by_what_they_hold(
    tmp_path: Path, job: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = tmp_path / "lake"
    command = ["import", *([how] if how else []), "--lake", str(lake), str(job)]  # options before files as well
    assert main([*command, "--dry-run"]) == 0
    assert not lake.exists()
    capsys.readouterr()
    assert main(command) == 0
    assert laid(lake) == {place: (job / "below" / name).read_bytes() for place, name in WANTED.items()}
    copied = how == "--copy"
    for place, name in WANTED.items():
        assert (lake / place).samefile(job / "below" / name) is not copied
    said = capsys.readouterr().out
    for reason in ("junk.dbn: is no DBN file", "trades.dbn: holds the schema trades", "wheat.dbn: no known product",
                   "manifest.json: its name ends in"):  # fmt: skip
        assert reason in said
    assert "8 copied" in said if copied else "8 linked" in said
    assert main(command) == 0
    assert f"0 {'copied' if copied else 'linked'}, 8 there already" in capsys.readouterr().out


def test_nothing_is_overwritten(tmp_path: Path, job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "lake", "future_mbo", "MNQ", "glbx-mdp3-20260206.mbo.dbn", b"mine")
    assert main(["import", str(job), "--lake", str(tmp_path / "lake")]) == 0
    assert (tmp_path / "lake" / MNQ / "glbx-mdp3-20260206.mbo.dbn").read_bytes() == b"mine"
    assert "is there already, and is another file" in capsys.readouterr().out


def test_all_or_none(tmp_path: Path, job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = tmp_path / "lake"
    taken = RAW.format("equity_mbo", "BRK.B")  # in the middle: others are laid before it
    (lake / taken).parent.mkdir(parents=True)
    (lake / taken).write_text("no directory")
    assert main(["import", str(job), "--lake", str(lake)]) == 1
    assert "nothing has been imported" in capsys.readouterr().err
    assert list(laid(lake)) == [taken]
    assert (lake / MNQ).is_dir(), "some had been laid"


def test_a_file_that_is_there_more_than_once_has_one_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As two parts of a day, two copies would be played one behind the other."""
    directory = tmp_path / "job"
    directory.mkdir()
    data = mapped(MNQH6=7) + orders(7, DAY)
    for name in ("a.dbn", "a (1).dbn"):
        (directory / name).write_bytes(data)
    (directory / "link.dbn").symlink_to("a.dbn")
    (directory / "again").symlink_to(".")
    for there in (False, True):
        assert main(["import", str(directory), "--lake", str(tmp_path / "lake")]) == 0
        said = capsys.readouterr().out
        assert f"passed over  {directory / 'a.dbn'}: it is the same as {directory / 'a (1).dbn'}" in said
        assert f"{int(not there)} linked, {int(there)} there already, 2 passed over" in said
    assert laid(tmp_path / "lake") == {f"{MNQ}/glbx-mdp3-20260206.mbo.MNQH6.dbn": data}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipes_and_links_in_a_circle_are_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "future_mbo", "MNQ", "glbx-mdp3-20260206.mbo.dbn", mapped(MNQH6=7) + orders(7, DAY))
    for name in ("one", "two", "three"):
        (tmp_path / MNQ / name).symlink_to(tmp_path / "raw")
    pipe = tmp_path / MNQ / "glbx-mdp3-20260207.mbo.dbn"
    os.mkfifo(pipe)
    assert main(["list", "--lake", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "1 raw file" in said
    assert "4 passed over" in said
    assert f"{MNQ}/three: it is a link to {tmp_path / 'raw'}" in said
    assert main(["import", str(pipe), "--lake", str(tmp_path)]) == 1
    assert f"{pipe}: it is no file" in capsys.readouterr().out


def test_files_that_are_parts_of_one_day_are_numbered_by_time(tmp_path: Path) -> None:
    directory = tmp_path / "job"
    directory.mkdir()
    for name, at in (("a.dbn", 9), ("b.dbn", 3), ("c.dbn", 6)):
        record = mbo(Rec(midnight_ns(DAY) + at, "A", "B", 10**9, 1, at, 128), 7)
        (directory / name).write_bytes(mapped(MNQH6=7, MNQM6=8) + record)
    lake = tmp_path / "lake"
    assert main(["import", str(directory), "--lake", str(lake)]) == 0
    (one,) = Lake(lake).inputs(Lake(lake).products.find("future_mbo", "MNQ"), DAY)
    assert [raw.path.name for raw in one.files] == [f"glbx-mdp3-20260206.mbo.000{i}.dbn" for i in (1, 2, 3)]
    for raw, name in zip(one.files, ("b.dbn", "c.dbn", "a.dbn"), strict=True):
        assert raw.path.samefile(directory / name)


@pytest.mark.parametrize("wrong", [["import"], ["import", "/none"], ["list", "x"], ["list", "--copy"], ["sell"], [],
                                   ["import", "/", "--copy", "--link"]])  # fmt: skip
def test_wrong_words(wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*wrong, "--lake", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_the_list_tells_what_is_passed_over_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = mapped(MNQH6=7) + orders(7, DAY)
    for symbol, name, data in (
        ("MNQ", "glbx-mdp3-20260206.mbo.dbn", good),
        ("MNQ", "glbx-mdp3-20260205.mbo.dbn", b""),
        ("MNQ", "glbx-mdp3-20260204.mbo.dbn", b"junk"),
        ("MNQ", "week.dbn", good),
        ("MNQ", "notes.txt", b"x"),
        ("MNQ", ".glbx-mdp3-20260203.mbo.dbn.12345678.part", b"x"),
        ("ZW", "glbx-mdp3-20260206.mbo.dbn", good),
    ):
        put(tmp_path, "future_mbo", symbol, name, data)
    (tmp_path / "raw/elsewhere.dbn").write_bytes(good)
    (tmp_path / MNQ / "gone.dbn").symlink_to(tmp_path / "nowhere")
    os.utime(tmp_path / MNQ / "notes.txt")
    assert main(["list", "--lake", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].endswith("1 raw file, " + f"{len(good):,} bytes; 8 passed over")
    told = {line.split(":")[0].split("/")[-1]: line for line in lines[:-1] if "symbol=ZW" not in line}
    assert "future_mbo MNQ 2026-02-06 mbo: MNQH6" in told["glbx-mdp3-20260206.mbo.dbn"]
    for name, reason in (
        ("glbx-mdp3-20260205.mbo.dbn", "it is empty"),
        ("glbx-mdp3-20260204.mbo.dbn", "is no DBN file"),
        ("week.dbn", "its name does not say what it holds"),
        ("notes.txt", "it is no raw file"),
        (".glbx-mdp3-20260203.mbo.dbn.12345678.part", "it is not whole"),
        ("elsewhere.dbn", "no data have this place"),
        ("gone.dbn", "it cannot be read"),
    ):
        assert told[name].startswith("passed over"), name
        assert reason in told[name]
    assert any("symbol=ZW" in line and "no known futures root" in line for line in lines)
