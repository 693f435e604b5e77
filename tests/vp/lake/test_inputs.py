"""Which files are a session's input, and which of several is tried first."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from random import Random

import pytest

from tests.lakes import put
from vp.errors import NoRawFileError
from vp.lake.lake import Lake
from vp.market.products import find_product

DAY = dt.date(2026, 2, 6)
MNQ = find_product("future_mbo", "MNQ")
BRK = find_product("equity_mbo", "BRK.B")


def names(lake: Path, *files: str, product_type: str = "future_mbo", symbol: str = "MNQ") -> list[list[str]]:
    """The inputs that these files make, put down in any order."""
    for file in Random(3).sample(files, len(files)):
        put(lake, product_type, symbol, file, b"DBN")
    product = find_product(product_type, symbol)
    return [[raw.path.name for raw in one.files] for one in Lake(lake).inputs(product, DAY)]


def test_whole_days_go_before_split_files_and_these_before_segments(tmp_path: Path) -> None:
    assert names(
        tmp_path,
        "glbx-mdp3-20260206.mbo.143005000000.dbn",
        "glbx-mdp3-20260206.mbo.093005000000.dbn",
        "glbx-mdp3-20260206.mbo.MNQM6.dbn.zst",
        "glbx-mdp3-20260206.mbo.MNQH6.dbn.zst",
        "glbx-mdp3-20260201-20260228.mbo.dbn",
        "glbx-mdp3-20260201-20260207.mbo.dbn",
        "glbx-mdp3-20260206.mbo.dbn.zst",
    ) == [
        ["glbx-mdp3-20260206.mbo.dbn.zst"],
        ["glbx-mdp3-20260201-20260207.mbo.dbn"],
        ["glbx-mdp3-20260201-20260228.mbo.dbn"],
        ["glbx-mdp3-20260206.mbo.MNQH6.dbn.zst"],
        ["glbx-mdp3-20260206.mbo.MNQM6.dbn.zst"],
        ["glbx-mdp3-20260206.mbo.093005000000.dbn", "glbx-mdp3-20260206.mbo.143005000000.dbn"],
    ]


def test_parts_of_a_day_are_one_input_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    parts = [f"glbx-mdp3-20260206.mbo.{i}.dbn" for i in (2, 10, 1)]
    assert names(tmp_path, *parts) == [[parts[2], parts[0], parts[1]]]


def test_of_a_part_that_is_there_both_ways_the_uncompressed_one_is_taken(tmp_path: Path) -> None:
    parts = [f"glbx-mdp3-20260206.mbo.000{i}.dbn" for i in (1, 2)]
    assert names(tmp_path, *parts, f"{parts[1]}.zst") == [parts]


def test_files_of_other_days_are_not_among_them(tmp_path: Path) -> None:
    found = names(tmp_path, "glbx-mdp3-20260206.mbo.dbn", "glbx-mdp3-20260205.mbo.dbn",
                  "glbx-mdp3-20260201-20260205.mbo.dbn", "glbx-mdp3-20260207-20260209.mbo.dbn")  # fmt: skip
    assert found == [["glbx-mdp3-20260206.mbo.dbn"]]


@pytest.mark.parametrize("directory", ["BRK.B", "BRK B", "BRK%2FB", "brk.b"])
def test_a_class_of_shares_is_found_however_its_directory_spells_it(tmp_path: Path, directory: str) -> None:
    put(tmp_path, "equity_mbo", directory, "xnas-itch-20260206.mbo.dbn", b"DBN")
    lake = Lake(tmp_path)
    for spelling in ("BRK.B", "brk/b", "BRK B"):
        product = find_product("equity_mbo", spelling)
        assert [raw.path.name for raw in lake.inputs(product, DAY)[0].files] == ["xnas-itch-20260206.mbo.dbn"]
    assert [(entry.symbol, entry.date) for entry in lake.sessions()] == [("BRK.B", DAY)]
    with pytest.raises(NoRawFileError):
        lake.inputs(find_product("equity_mbo", "BRKB"), DAY)


def test_each_day_of_a_week_is_a_session_but_those_without_a_market(tmp_path: Path) -> None:
    put(tmp_path, "future_mbo", "MNQ", "glbx-mdp3-20260201-20260207.mbo.dbn", b"DBN")
    put(tmp_path, "equity_mbo", "QQQ", "xnas-itch-20260201-20260207.mbo.dbn.zst", b"DBN")
    found = [(entry.symbol, entry.date.day) for entry in Lake(tmp_path).sessions()]
    assert found == [("QQQ", day) for day in (2, 3, 4, 5, 6)] + [("MNQ", day) for day in (1, 2, 3, 4, 5, 6)]
    assert Lake(tmp_path).inputs(MNQ, dt.date(2026, 2, 7)), "it can be asked for all the same"
    with pytest.raises(NoRawFileError, match="the lake has 2026-02-01, 2026-02-02"):
        Lake(tmp_path).inputs(MNQ, dt.date(2026, 2, 8))


def test_a_day_that_is_split_by_symbols_is_one_session(tmp_path: Path) -> None:
    for symbol in ("MNQM6", "MNQH6", "MNQH6-MNQM6"):
        put(tmp_path, "future_mbo", "MNQ", f"glbx-mdp3-20260206.mbo.{symbol}.dbn.zst", b"DBN")
    (entry,) = Lake(tmp_path).sessions()
    assert (entry.symbol, entry.date, entry.size_bytes) == ("MNQ", DAY, 9)
    assert entry.contracts == ["MNQH6", "MNQH6-MNQM6", "MNQM6"]
    put(tmp_path, "future_mbo", "MNQ", "glbx-mdp3-20260206.mbo.dbn", b"DBN12")
    (entry,) = Lake(tmp_path).sessions()
    assert (entry.contracts, entry.size_bytes) == ([], 5)


def test_split_files_are_no_whole_days_that_a_download_may_pass_over(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    from vp.lake.layout import place_of

    place = place_of("future_mbo", "mbo")
    for rest in ("6.mbo.MNQH6.dbn.zst", "1-20260207.mbo.dbn", "6.mbo.143005123456.dbn"):
        put(tmp_path, "future_mbo", "MNQ", f"glbx-mdp3-2026020{rest}", b"DBN")
    assert lake.files(place, "MNQ") == []
    assert len(lake.every_file(place, "MNQ")) == 3
