"""A file that is played by its path, wherever it lies and whatever its name."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.dbn_files import compress, header_with, mbo, symbol_mapping
from tests.oracle_book import Rec
from vp.dbn.opened_lake import open_lake
from vp.dbn.session_input import find_input
from vp.errors import BadParameterError, NoRawFileError, NotDbnError, UnknownRootError, UnknownSymbolError
from vp.lake.choice import choose
from vp.market.session_hours import midnight_ns

DAY, NEXT_DAY = dt.date(2026, 2, 5), dt.date(2026, 2, 6)
END = dt.date(2026, 2, 9)
MIXED = header_with({}, schema=None, stype_in=None)


def orders(number: int, day: dt.date, count: int = 2) -> bytes:
    return b"".join(mbo(Rec(midnight_ns(day) + i, "A", "B", 10**9, 1, i, 128), number) for i in range(1, count + 1))


def mapped(**names: int) -> bytes:
    return header_with({name: [(DAY, END, str(number))] for name, number in names.items()})


def test_contract_and_date_are_the_files_own(tmp_path: Path) -> None:
    path = tmp_path / "whatever.bin.zst"
    path.write_bytes(compress(mapped(MNQH6=7) + orders(7, NEXT_DAY)))
    lake = open_lake(tmp_path / "lake", file=path)
    choice = choose(lake, None, None, None)
    assert (choice.product_type, choice.symbol, choice.dt) == ("future_mbo", "MNQH6", "2026-02-06")
    product = lake.products.find("future_mbo", "MNQH6")
    session = find_input(lake, product, "MNQH6", [NEXT_DAY])
    assert (session.contract, session.source, session.raw_files[0].path) == ("MNQH6", "file", path)
    assert [(entry.symbol, entry.date) for entry in lake.sessions()] == [("MNQ", NEXT_DAY)]


def test_a_choice_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.dbn"
    path.write_bytes(mapped(MNQH6=7, MNQM6=8) + orders(7, DAY) + orders(8, NEXT_DAY))
    lake = open_lake(tmp_path, file=path)
    with pytest.raises(BadParameterError, match="holds several contracts: MNQH6, MNQM6"):
        choose(lake, None, None, None)
    with pytest.raises(BadParameterError, match="has MNQ on 2026-02-05, 2026-02-06"):
        choose(lake, None, "MNQM6", None)
    product = lake.products.find("future_mbo", "MNQ")
    assert [find_input(lake, product, "MNQ", [day]).contract for day in (DAY, NEXT_DAY)] == ["MNQH6", "MNQM6"]
    with pytest.raises(UnknownSymbolError, match="it holds MNQH6, MNQM6"):
        find_input(lake, product, "MNQZ6", [DAY])
    with pytest.raises(NoRawFileError, match="holds no session of ES on 2026-02-05; it holds future_mbo MNQ"):
        lake.inputs(lake.products.find("future_mbo", "ES"), DAY)
    with pytest.raises(NoRawFileError, match="holds no session of MNQ on 2026-02-08"):
        lake.inputs(product, dt.date(2026, 2, 8))


def test_a_live_recording_of_two_roots(tmp_path: Path) -> None:
    path = tmp_path / "live"
    names = symbol_mapping(7, "ALL_SYMBOLS", "MNQH6") + symbol_mapping(8, "ALL_SYMBOLS", "ESH6")
    path.write_bytes(MIXED + names + orders(7, DAY) + orders(8, DAY, 5))
    lake = open_lake(tmp_path, file=path)
    assert [(entry.symbol, entry.date) for entry in lake.sessions()] == [("ES", DAY), ("MNQ", DAY)]
    assert find_input(lake, lake.products.find("future_mbo", "MNQ"), "MNQ", [DAY]).contract == "MNQH6"


def test_equities_and_files_without_names(tmp_path: Path) -> None:
    path = tmp_path / "brk.dbn"
    path.write_bytes(header_with({"BRK B": [(DAY, END, "5")]}, dataset="XNYS.PILLAR") + orders(5, DAY))
    choice = choose(open_lake(tmp_path, file=path), None, None, None)
    assert (choice.product_type, choice.symbol, choice.dt) == ("equity_mbo", "BRK.B", "2026-02-05")
    path.write_bytes(header_with({}) + orders(5, DAY))
    nameless = open_lake(tmp_path, file=path)
    with pytest.raises(BadParameterError, match="does not say which contract"):
        choose(nameless, None, None, None)
    assert choose(nameless, "future_mbo", "MNQH6", None).dt == "2026-02-05"


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(NoRawFileError, match="There is no file"):
        open_lake(tmp_path, file=tmp_path / "none.dbn")
    with pytest.raises(NoRawFileError, match="is no file"):
        open_lake(tmp_path, file=tmp_path)
    (tmp_path / "csv").write_bytes(b"a,b,c\n")
    with pytest.raises(NotDbnError):
        open_lake(tmp_path, file=tmp_path / "csv")


def test_a_file_of_futures_is_never_played_as_shares(tmp_path: Path) -> None:
    """ZWH6 could be a ticker; of a dataset of futures it is a contract, whose root has to be stated."""
    path = tmp_path / "wheat.dbn"
    path.write_bytes(mapped(ZWH6=7) + orders(7, NEXT_DAY))
    for symbol in (None, "ZWH6"):
        with pytest.raises(UnknownRootError, match="'ZWH6' begins with no known futures root") as caught:
            choose(open_lake(tmp_path / "lake", file=path), None, symbol, None)
        assert "ZW: {tick:" in caught.value.hint
    products = tmp_path / "mine.yaml"
    products.write_text('ZW: {tick: "0.25", multiplier: 50}')
    choice = choose(open_lake(tmp_path / "lake", products, path), None, None, None)
    assert (choice.product_type, choice.symbol) == ("future_mbo", "ZWH6")


def test_a_file_without_names_is_of_what_its_dataset_is_of(tmp_path: Path) -> None:
    path = tmp_path / "x.dbn"
    path.write_bytes(mapped() + orders(7, NEXT_DAY))
    choice = choose(open_lake(tmp_path / "lake", file=path), None, "MNQH6", None)
    assert (choice.product_type, choice.dt) == ("future_mbo", "2026-02-06")


def test_what_a_file_does_not_hold_is_told_of_the_file(tmp_path: Path) -> None:
    path, empty = tmp_path / "x.dbn", tmp_path / "empty.dbn"
    path.write_bytes(mapped(MNQH6=7) + orders(7, NEXT_DAY))
    with pytest.raises(NoRawFileError, match=r"x\.dbn holds nothing of ES; it holds future_mbo MNQ\."):
        choose(open_lake(tmp_path / "lake", file=path), None, "ESH6", None)
    empty.write_bytes(mapped(MNQH6=7))
    with pytest.raises(NoRawFileError, match=r"empty\.dbn holds no market-by-order records\."):
        choose(open_lake(tmp_path / "lake", file=empty), None, None, None)
