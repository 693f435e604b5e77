"""Definition files beside raw files: the tick of a spread."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import databento_dbn
import pytest

from tests.dbn_files import compress, header
from vp.dbn.definitions import read_definitions, with_defined_tick
from vp.errors import FileError, WrongSchemaError
from vp.market.products import find_product

dbn: Any = databento_dbn
DATES = [dt.date(2026, 2, 6)]
CENT = 10_000_000
SPREAD = find_product("future_mbo", "ESH6-ESM6")
NO_TICK = 2**63 - 1


def definition(symbol: str, tick_int: int, instrument_id: int = 2) -> bytes:
    return bytes(
        dbn.InstrumentDefMsg(
            publisher_id=1, instrument_id=instrument_id, ts_event=1, ts_recv=1, min_price_increment=tick_int,
            display_factor=10**9, raw_symbol=symbol, asset="ES", instrument_class=dbn.InstrumentClass("S"),
            security_update_action=dbn.SecurityUpdateAction("A"), underlying="", expiration=1, security_type="FUT",
            exchange="XCME", group="ES", cfi="", unit_of_measure="", currency="USD", settl_currency="USD",
            secsubtype="", strike_price=0, strike_price_currency="USD", match_algorithm=dbn.MatchAlgorithm("F"),
        )
    )  # fmt: skip


def write(path: Path, *definitions: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = header(symbols={"ESH6-ESM6": 2}, schema="definition") + b"".join(definitions)
    path.write_bytes(compress(data) if path.suffix == ".zst" else data)
    return path


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "symbol=ES/table=market_by_order_dbn/glbx-mdp3-20260206.mbo.dbn"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def tick_of(raw: Path, contract: str = "ESH6-ESM6") -> int | None:
    product = with_defined_tick(SPREAD, contract, [raw], DATES)
    if product.tick_is_guessed:
        assert product == SPREAD
        return None
    assert product.bucket_int == product.tick_int
    return product.tick_int


@pytest.mark.parametrize("name", [
    "table=definition/glbx-mdp3-20260206.definition.dbn", "table=definition/glbx-mdp3-20260206.definition.dbn.zst",
    "table=market_by_order_dbn/glbx-mdp3-20260206.definition.dbn.zst",
    "table=definition/glbx-mdp3-20260201-20260207.definition.dbn", "table=definition/glbx-mdp3-20251201.definition.dbn",
    "table=definition/glbx-mdp3-20260206.definition.ES.FUT.dbn",
    "table=definition/glbx-mdp3-20260206.definition.ESH6-ESM6.dbn",
])  # fmt: skip
def test_a_definition_file_beside_a_raw_file_gives_its_spread_a_tick(raw: Path, name: str) -> None:
    assert tick_of(raw) is None
    write(raw.parent.parent / name, definition("ESH6", 25 * CENT, 1), definition("ESH6-ESM6", 5 * CENT))
    assert tick_of(raw) == 5 * CENT
    assert tick_of(raw, "ESM6-ESU6") is None


def test_the_last_definition_of_a_file_counts_and_an_undefined_tick_does_not(raw: Path) -> None:
    path = raw.parent.with_name("table=definition") / "glbx-mdp3-20260206.definition.dbn"
    ticks = [definition("ESH6-ESM6", tick_int) for tick_int in (10 * CENT, 5 * CENT, NO_TICK, 0)]
    write(path, *ticks)
    assert tick_of(raw) == 5 * CENT
    write(path, *ticks[2:])
    assert tick_of(raw) is None


def test_the_file_of_the_day_goes_before_others_and_those_by_nearness(raw: Path) -> None:
    table = raw.parent.with_name("table=definition")
    for day, tick_int in (("20260106", 1), ("20260208", 2), ("20260203", 3)):
        write(table / f"glbx-mdp3-{day}.definition.dbn", definition("ESH6-ESM6", tick_int * CENT))
    assert tick_of(raw) == 2 * CENT
    write(table / "glbx-mdp3-20260206.definition.dbn", definition("ESM6-ESU6", 4 * CENT))
    assert tick_of(raw) == 2 * CENT
    write(table / "glbx-mdp3-20260206.definition.dbn", definition("ESH6-ESM6", 5 * CENT), definition("X", 9))
    assert tick_of(raw) == 5 * CENT


def test_what_is_stated_is_not_looked_for(raw: Path) -> None:
    write(raw.parent / "glbx-mdp3-20260206.definition.dbn", definition("ESH6-ESM6", 5 * CENT))
    stated = replace(SPREAD, tick_int=CENT, bucket_int=CENT, tick_is_guessed=False)
    assert with_defined_tick(stated, "ESH6-ESM6", [raw], DATES) == stated


def test_a_damaged_file_is_passed_over_with_a_warning(raw: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = write(raw.parent / "glbx-mdp3-20260206.definition.dbn", definition("ESH6-ESM6", 5 * CENT))
    whole.write_bytes(whole.read_bytes()[:-9])
    with pytest.raises(FileError):
        list(read_definitions(whole))
    with caplog.at_level(logging.WARNING):
        assert tick_of(raw) == 5 * CENT or tick_of(raw) is None
    assert "glbx-mdp3-20260206.definition.dbn is no help with the tick of ESH6-ESM6" in caplog.text


def test_another_schema_under_the_name_of_definitions(raw: Path) -> None:
    path = raw.parent / "glbx-mdp3-20260206.definition.dbn"
    path.write_bytes(header(symbols={"ESH6-ESM6": 2}, schema="trades"))
    with pytest.raises(WrongSchemaError):
        list(read_definitions(path))
    assert tick_of(raw) is None
