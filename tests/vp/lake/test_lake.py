"""Which files a lake holds, and which of them is meant."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path

import pytest

from tests.vp.lake.laid_files import DATE, FILE, MNQ, QQQ, README, put, table
from vp.demo.session import DEMO, demo_path
from vp.errors import LakeError, NoRawFileError
from vp.lake.lake import Lake
from vp.market.products import Product, find_product


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


def test_readme_names_every_place() -> None:
    text = README.read_text(encoding="utf-8")
    for product_type in ("future_mbo", "equity_mbo", "future_option_mbo", "equity_option_cmbp_1"):
        assert product_type in text
    for name in ("equity_option_statistics", "table=market_by_order_dbn", "source=generated", "cache/vp_book"):
        assert name in text
