"""Finding raw files, and what is said where there are none."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import ROOT
from vp.demo.session import DEMO, demo_path
from vp.errors import LakeError, NoRawFileError
from vp.lake.lake import Lake
from vp.market.products import Product, find_product

MNQ = find_product("future_mbo", "MNQH6")
QQQ = find_product("equity_mbo", "QQQ")
DATE = dt.date(2026, 2, 6)
FILE = "glbx-mdp3-20260206.mbo.dbn"
README = ROOT / "lake" / "README.md"


def table(lake: Path, product: Product = MNQ, source: str = "databento") -> Path:
    """The directory of a product's raw files, made."""
    directory = lake / f"raw/source={source}/product_type={product.product_type}/symbol={product.root}"
    directory = directory / "table=market_by_order_dbn"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def put(directory: Path, *names: str) -> None:
    for name in names:
        (directory / name).write_bytes(b"DBN")


def test_root_is_the_option_then_the_environment_then_the_current_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VP_LAKE", "/elsewhere")
    assert Lake("given").root == Path("given")
    assert Lake(Path("given")).root == Path("given")
    for left_out in (None, ""):
        assert Lake(left_out).root == Path("/elsewhere")
    monkeypatch.setenv("VP_LAKE", "")
    assert Lake().root == Path("lake")
    monkeypatch.delenv("VP_LAKE")
    assert Lake().root == Path("lake")
    assert Lake("given").cache_dir == Path("given/cache")


def test_root_in_a_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert Lake("~/data").root == Path("/home/someone/data")
    with pytest.raises(LakeError, match="~nobody-of-this-name/data has no place"):
        Lake("~nobody-of-this-name/data")


def test_raw_file(tmp_path: Path) -> None:
    path = table(tmp_path) / FILE
    path.write_bytes(b"DBN and more")
    os.utime(path, ns=(1, 1_770_000_000_123_456_789))
    raw = Lake(tmp_path).inputs(MNQ, DATE)[0].files[0]
    assert (raw.path, raw.source, raw.dataset, raw.date) == (path, "databento", "glbx-mdp3", DATE)
    assert (raw.compressed, raw.size_bytes, raw.mtime_ns) == (False, 12, path.stat().st_mtime_ns)


def test_every_symbol_of_a_root_finds_the_same_file(tmp_path: Path) -> None:
    put(table(tmp_path), FILE)
    for symbol in ("MNQ", "mnqh6", "MNQM6", "MNQ.v.0", "MNQH6-MNQM6"):
        assert Lake(tmp_path).inputs(find_product("future_mbo", symbol), DATE)[0].files[0].path.name == FILE


def test_equities_lie_under_their_ticker(tmp_path: Path) -> None:
    share = find_product("equity_mbo", "brk/b")
    put(table(tmp_path, share), "xnas-itch-20260206.mbo.dbn.zst")
    raw = Lake(tmp_path).inputs(share, DATE)[0].files[0]
    assert raw.path.parent.parent.name == "symbol=BRK.B"
    assert (raw.dataset, raw.compressed) == ("xnas-itch", True)
    with pytest.raises(NoRawFileError):
        Lake(tmp_path).inputs(QQQ, DATE)[0].files[0]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([FILE, f"{FILE}.zst"], FILE),
        ([f"{FILE}.zst"], f"{FILE}.zst"),
        (["abc-20260206.mbo.dbn", f"{FILE}.zst"], f"{FILE}.zst"),  # the usual dataset before another's uncompressed
        (["xyz-20260206.mbo.dbn", "abc-20260206.mbo.dbn.zst"], "abc-20260206.mbo.dbn.zst"),
        ([FILE, "glbx-mdp3-20260205.mbo.dbn"], FILE),
    ],
)
def test_choice_among_several(tmp_path: Path, names: list[str], chosen: str) -> None:
    put(table(tmp_path), *names)
    assert Lake(tmp_path).inputs(MNQ, DATE)[0].files[0].path.name == chosen


def test_databento_goes_before_generated(tmp_path: Path) -> None:
    put(table(tmp_path, source="generated"), "vp-generated-20260206.mbo.dbn")
    lake = Lake(tmp_path)
    assert lake.inputs(MNQ, DATE)[0].files[0].source == "generated"
    put(table(tmp_path), f"{FILE}.zst")
    assert lake.inputs(MNQ, DATE)[0].files[0].source == "databento"
    assert [(entry.raw.source, entry.date) for entry in lake.sessions()] == [("databento", DATE)]


def test_the_demonstration_is_found_where_it_is_made(tmp_path: Path) -> None:
    path = demo_path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"DBN")
    raw = (
        Lake(tmp_path).inputs(find_product(DEMO.product_type, DEMO.symbol), dt.date.fromisoformat(DEMO.dt))[0].files[0]
    )
    assert (raw.path, raw.source, raw.dataset) == (path, "generated", "vp-generated")


FOREIGN = [
    "README.md", "manifest.json", ".glbx-mdp3-20260206.mbo.dbn.k3.part", "glbx-mdp3-20260206.mbo.dbn.gz",
    "glbx-mdp3-20260206.mbp-10.dbn.zst", "glbx-mdp3-20260206.mbo.dbn.zst.part", "glbx-mdp3-20260230.mbo.dbn",
    "glbx-mdp3-2026026.mbo.dbn", "20260206.mbo.dbn", "glbx-mdp3-20260206-20260207.mbo.csv", "GLBX-20260206.mbo.dbn",
    "glbx-mdp3-00000000.mbo.dbn", "glbx-mdp3-２０２６0206.mbo.dbn",
]  # fmt: skip


def test_foreign_files_are_passed_over(tmp_path: Path) -> None:
    put(table(tmp_path), *FOREIGN)
    (table(tmp_path) / "glbx-mdp3-notes").mkdir()
    (table(tmp_path).parent / "table=definition").mkdir()
    (tmp_path / "raw/source=databento/product_type=future_mbo/notes").mkdir()
    (tmp_path / "raw/source=databento/product_type=future_mbo/.DS_Store").write_text("")
    lake = Lake(tmp_path)
    assert lake.sessions() == []
    put(table(tmp_path), FILE)
    assert lake.inputs(MNQ, DATE)[0].files[0].path.name == FILE


def test_links_are_fine(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "bytes").write_bytes(b"DBN and more")
    lake = tmp_path / "lake"
    (table(lake) / FILE).symlink_to(kept / "bytes")
    assert Lake(lake).inputs(MNQ, DATE)[0].files[0].size_bytes == 12

    linked = tmp_path / "linked"
    (linked / "raw/source=databento/product_type=future_mbo").mkdir(parents=True)
    (linked / "raw/source=databento/product_type=future_mbo/symbol=MNQ").symlink_to(table(lake).parent)
    assert [entry.symbol for entry in Lake(linked).sessions()] == ["MNQ"]


def test_sessions(tmp_path: Path) -> None:
    put(table(tmp_path), f"{FILE}.zst", FILE, "glbx-mdp3-20260205.mbo.dbn.zst")
    put(table(tmp_path, find_product("future_mbo", "6E")), FILE)
    put(table(tmp_path, QQQ), "xnas-itch-20260206.mbo.dbn")
    put(table(tmp_path, source="generated"), "vp-generated-20260101.mbo.dbn")
    for stranger in ("ZN", "mnq", "MNQH6"):  # none of them can be asked for
        put(table(tmp_path, Product(stranger, "future_mbo", 1, 1, 1.0, 0)), FILE)
    found = [(e.product_type, e.symbol, e.date.isoformat(), e.raw.path.name) for e in Lake(tmp_path).sessions()]
    assert found == [
        ("equity_mbo", "QQQ", "2026-02-06", "xnas-itch-20260206.mbo.dbn"),
        ("future_mbo", "6E", "2026-02-06", FILE),
        ("future_mbo", "MNQ", "2026-01-01", "vp-generated-20260101.mbo.dbn"),
        ("future_mbo", "MNQ", "2026-02-05", "glbx-mdp3-20260205.mbo.dbn.zst"),
        ("future_mbo", "MNQ", "2026-02-06", FILE),
    ]


def test_every_listed_session_can_be_found(tmp_path: Path) -> None:
    put(table(tmp_path), FILE, "abc-20260205.mbo.dbn", "abd-20260205.mbo.dbn")
    put(table(tmp_path, QQQ), "xnas-itch-20260206.mbo.dbn", "arcx-pillar-20260206.mbo.dbn")
    lake = Lake(tmp_path)
    for entry in lake.sessions():
        assert lake.inputs(find_product(entry.product_type, entry.symbol), entry.date)[0].files[0] == entry.raw


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


def test_no_file_of_this_symbol(tmp_path: Path) -> None:
    put(table(tmp_path), FILE)
    with pytest.raises(NoRawFileError, match=r"nor for any other date; under .* there are files of future_mbo MNQ\."):
        Lake(tmp_path).inputs(QQQ, DATE)[0].files[0]
    with pytest.raises(NoRawFileError) as caught:
        Lake(tmp_path).inputs(QQQ, DATE)[0].files[0]
    assert "xnas-itch-20260206.mbo.dbn" in caught.value.hint


def test_no_file_of_this_date(tmp_path: Path) -> None:
    put(table(tmp_path), "glbx-mdp3-20260205.mbo.dbn.zst", "glbx-mdp3-20260203.mbo.dbn")
    put(table(tmp_path, source="generated"), "vp-generated-20260204.mbo.dbn")
    with pytest.raises(NoRawFileError, match=r"the lake has 2026-02-03, 2026-02-04, 2026-02-05\. ") as caught:
        Lake(tmp_path).inputs(MNQ, DATE)[0].files[0]
    assert str(table(tmp_path)) in str(caught.value)
    assert "Choose one of these dates" in caught.value.hint


def test_of_many_dates_the_nearest_are_named(tmp_path: Path) -> None:
    put(table(tmp_path), *(f"glbx-mdp3-202601{day:02}.mbo.dbn" for day in range(1, 32) if day != 15))
    with pytest.raises(NoRawFileError, match="nearest of the 30 dates") as caught:
        Lake(tmp_path).inputs(MNQ, dt.date(2026, 1, 15))[0].files[0]
    days = [int(day) for day in re.findall(r"2026-01-(\d\d)", caught.value.message)]
    assert days == [15, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20]


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


@pytest.mark.parametrize("place", ["", "raw", "raw/source=databento/product_type=future_mbo/symbol=MNQ"])
def test_a_file_where_a_directory_should_be(tmp_path: Path, place: str) -> None:
    path = tmp_path / "lake" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    lake = Lake(tmp_path / "lake")
    for call in (lambda: lake.inputs(MNQ, DATE)[0].files[0], lake.sessions):
        with pytest.raises(LakeError, match="cannot be read: Not a directory"):
            call()


WITHOUT_RIGHTS = """
import datetime as dt, os, tempfile
from vp.errors import LakeError
from vp.lake.lake import Lake
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
    assert done.stdout.splitlines() == [f"{closed.relative_to(tmp_path)} cannot be read: Permission denied."] * 2


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


def test_readme_names_every_place() -> None:
    text = README.read_text(encoding="utf-8")
    for product_type in ("future_mbo", "equity_mbo", "future_option_mbo", "equity_option_cmbp_1"):
        assert product_type in text
    for name in ("equity_option_statistics", "table=market_by_order_dbn", "source=generated", "cache/vp_book"):
        assert name in text
