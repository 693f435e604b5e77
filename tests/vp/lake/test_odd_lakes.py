"""Lakes that are not there, without rights, with links and directories where files should be."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vp.lake.laid_files import DATE, FILE, MNQ, QQQ, README, put, table
from vp.errors import LakeError, NoRawFileError
from vp.lake.lake import Lake
from vp.lake.layout import place_of
from vp.lake.seen import Seen
from vp.market.products import Product


def test_a_lake_that_is_not_there_is_empty(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "none")
    assert lake.sessions() == []
    assert not lake.root.exists()


def test_no_file_in_an_empty_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoRawFileError) as caught:
        Lake().inputs(MNQ, DATE)[0].files[0]
    directory = "lake/raw/source=databento/product_type=future_mbo/symbol=MNQ/table=market_by_order_dbn"
    assert caught.value.message == (
        f"There is no raw file of MNQ for 2026-02-06 in {directory}, nor for any other date; "
        "under lake there are no raw files at all."
    )
    assert "glbx-mdp3-20260206.mbo.dbn.zst" in caught.value.hint
    assert "--lake or VP_LAKE" in caught.value.hint


def test_a_directory_where_the_file_should_be(tmp_path: Path) -> None:
    (table(tmp_path) / FILE).mkdir()
    with pytest.raises(LakeError, match=rf"{FILE} is a directory, expected a raw file"):
        Lake(tmp_path).inputs(MNQ, DATE)[0].files[0]
    assert Lake(tmp_path).sessions() == []
    put(table(tmp_path), f"{FILE}.zst")
    assert Lake(tmp_path).inputs(MNQ, DATE)[0].files[0].compressed


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (table(tmp_path) / FILE).symlink_to("gone")
    with pytest.raises(LakeError, match=rf"{FILE} leads to no file, expected a raw file"):
        Lake(tmp_path).inputs(MNQ, DATE)[0].files[0]


def test_a_link_to_itself(tmp_path: Path) -> None:
    (table(tmp_path) / FILE).symlink_to(FILE)
    with pytest.raises(LakeError, match=f"{FILE} cannot be looked at: Too many levels"):
        Lake(tmp_path).inputs(MNQ, DATE)[0].files[0]
    put(table(tmp_path), f"{FILE}.zst")
    assert Lake(tmp_path).inputs(MNQ, DATE)[0].files[0].compressed, "another one will do"


@pytest.mark.parametrize("place", ["", "raw", "raw/source=databento/product_type=future_mbo/symbol=MNQ"])
def test_a_file_where_a_directory_should_be(tmp_path: Path, place: str) -> None:
    path = tmp_path / "lake" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    lake = Lake(tmp_path / "lake")
    with pytest.raises(LakeError, match="cannot be read: Not a directory"):
        _ = lake.inputs(MNQ, DATE)[0].files[0]
    seen = Seen()
    assert lake.sessions(seen) == []
    assert {one.why for one in seen.passed_over} == {"Not a directory"}


def test_no_entry_keeps_the_others_from_being_listed(tmp_path: Path) -> None:
    """Links to themselves and to nothing, pipes, sockets, directories and files in each other's places, odd bytes."""
    good = table(tmp_path)
    put(good, FILE)
    (good / "glbx-mdp3-20260205.mbo.dbn").symlink_to("glbx-mdp3-20260205.mbo.dbn")
    (good / "glbx-mdp3-20260204.mbo.dbn").symlink_to("gone")
    (good / "glbx-mdp3-20260203.mbo.dbn").mkdir()
    os.mkfifo(good / "glbx-mdp3-20260202.mbo.dbn")
    with socket.socket(socket.AF_UNIX) as bound:
        here = Path.cwd()
        os.chdir(good)  # a socket's path is short
        try:
            bound.bind("glbx-mdp3-20260130.mbo.dbn")
        finally:
            os.chdir(here)
    for odd in (b"glbx-mdp3-20260129.mbo.\xff\x1b.dbn", b"\xff.dbn", "é\n.dbn".encode()):
        Path(os.fsdecode(os.fsencode(good) + b"/" + odd)).touch()
    product_type = good.parents[1]
    (product_type / "symbol=ES").touch()
    (product_type / "symbol=NQ").symlink_to("symbol=NQ")
    Path(os.fsdecode(os.fsencode(product_type) + b"/symbol=\xff")).mkdir()
    (product_type.parent / "product_type=equity_mbo").touch()
    lake, seen = Lake(tmp_path), Seen()
    assert [(entry.symbol, entry.date) for entry in lake.sessions(seen)] == [("MNQ", DATE)]
    told = {(one.path.name, one.why.partition(":")[0]) for one in seen.passed_over}
    loop, no_directory = "Too many levels of symbolic links", "Not a directory"
    assert told == {
        ("glbx-mdp3-20260205.mbo.dbn", loop),
        ("glbx-mdp3-20260204.mbo.dbn", "No such file or directory"),
        ("table=market_by_order_dbn", loop),
        ("table=market_by_order_dbn", no_directory),
        ("product_type=equity_mbo", no_directory),
    }
    assert seen.passed_over_count == len(seen.passed_over) == 5
    place = place_of("future_mbo", "mbo")
    assert {raw.path.name for symbol in lake.held_symbols(place) for raw in lake.every_file(place, symbol)} == {FILE}


def test_a_file_that_speaks_of_centuries_makes_no_endless_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vp.lake.session_entry.MOST_DAYS", 1000)
    for number in range(3):
        put(table(tmp_path), f"glbx-mdp3-19700101-20260206.mbo.{number}.dbn")
        put(table(tmp_path), f"glbx-mdp3-19700101-2026020{number}.mbo.MNQH{number}.dbn")
    assert len(Lake(tmp_path).sessions()) < 1000


WITHOUT_RIGHTS = """
import datetime as dt, os, tempfile
from vp.errors import LakeError
from vp.lake.lake import Lake
from vp.lake.layout import place_of
from vp.lake.seen import Seen
from vp.market.products import find_product
lake, mnq = Lake("lake"), find_product("future_mbo", "MNQ")
if os.geteuid() == 0:
    os.setuid(65534)
calls = lambda: lake.inputs(mnq, dt.date(2026, 2, 6))[0].files[0], lake.sessions
for call in calls:
    try:
        print(call())
    except LakeError as error:
        print(error.message)
"""


def test_directories_without_rights(tmp_path: Path) -> None:
    closed = table(tmp_path / "lake")
    put(closed, FILE)
    tmp_path.chmod(0o755)  # the process below gives root's rights up, for which no directory is closed
    closed.chmod(0)
    environment = os.environ | {"PYTHONPATH": str(README.parents[1])}
    command = [sys.executable, "-c", WITHOUT_RIGHTS]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    closed.chmod(0o755)
    assert done.stdout.splitlines() == [f"{closed.relative_to(tmp_path)} cannot be read: Permission denied.", "[]"]


@pytest.mark.parametrize("root", ["../../x", "x/../..", "/etc", "..", "", "MNQ\0", "mnq"])
def test_nothing_outside_is_looked_at(tmp_path: Path, root: str) -> None:
    product = Product(root, "future_mbo", 1, 1, 1.0, 0)
    lake = Lake(tmp_path)
    with pytest.raises(LakeError, match="has no directory for the symbol"):
        lake.inputs(product, DATE)[0].files[0]
    with pytest.raises(LakeError, match=r"has no directory for the symbol 'MNQ' of '\.\./x'"):
        lake.inputs(Product("MNQ", "../x", 1, 1, 1.0, 0), DATE)[0].files[0]


def test_raw_files_are_only_read(tmp_path: Path) -> None:
    put(table(tmp_path), FILE)
    before = [(path, path.stat().st_mtime_ns) for path in sorted(tmp_path.rglob("*"))]
    lake = Lake(tmp_path)
    lake.sessions()
    lake.inputs(MNQ, DATE)[0].files[0]
    with pytest.raises(NoRawFileError):
        lake.inputs(QQQ, DATE)[0].files[0]
    assert [(path, path.stat().st_mtime_ns) for path in sorted(tmp_path.rglob("*"))] == before
