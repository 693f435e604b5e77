"""Names of instruments: out of headers and out of records, whichever way they are written."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.dbn_files import header_with, mbo, symbol_mapping
from tests.vp.dbn.raw_files import RECORDS, Put
from tests.vp.dbn.raw_files import put as put  # noqa: PLC0414 - a fixture
from vp.dbn.contents import Contents
from vp.dbn.contracts import names_on, spans_of
from vp.dbn.selection import EVERY_INSTRUMENT, InstrumentSpan
from vp.dbn.symbol_mappings import EVER_NS, NEVER_NS, Mapping, StatedMappings
from vp.market.session_hours import midnight_ns

DAY = dt.date(2026, 2, 6)
MONDAY, THURSDAY, SATURDAY = (dt.date(2026, 2, day) for day in (2, 5, 7))


def among_records(version: int, records: list[bytes]) -> tuple[Mapping, ...]:
    stated = StatedMappings(version, 80 if version == 1 else 176)
    for record in records:
        stated.add(record)
    return stated.mappings()


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("MNQH6", "42005"),  # as a historical stream has it
        ("MNQH6", "MNQH6"),  # as the live feed does
        ("42005", "MNQH6"),
        ("MNQ.FUT", "MNQH6"),
        ("MNQ.v.0", "MNQH6"),
        ("ALL_SYMBOLS", "MNQH6"),
    ],
)
def test_a_record_names_an_instrument_in_either_direction(version: int, asked: str, given: str) -> None:
    record = symbol_mapping(42005, asked, given, version=version, from_ids=asked == "42005")
    assert len(record) == (80 if version == 1 else 176)
    assert among_records(version, [record]) == (Mapping("MNQH6", 42005, EVER_NS, NEVER_NS),)


@pytest.mark.parametrize("asked", ["MNQ.FUT", "ALL_SYMBOLS", "42005", ""])
def test_a_record_that_names_no_single_instrument_names_none(asked: str) -> None:
    assert among_records(3, [symbol_mapping(42005, asked, "42005")]) == ()


def test_a_record_holds_until_the_next_of_its_instrument() -> None:
    records = [
        symbol_mapping(1, "A", "1", sent_ns=10),
        symbol_mapping(2, "B", "2", sent_ns=10),
        symbol_mapping(1, "A", "1", sent_ns=20),  # the same again
        symbol_mapping(1, "C", "1", sent_ns=30),
        symbol_mapping(2, "D", "2", sent_ns=30, start_ns=25, end_ns=90),
    ]
    assert set(among_records(3, records)) == {
        Mapping("A", 1, EVER_NS, 30),
        Mapping("C", 1, 30, NEVER_NS),
        Mapping("B", 2, EVER_NS, 25),
        Mapping("D", 2, 25, 90),
    }


@pytest.mark.parametrize("from_ids", [False, True])
def test_a_header_names_instruments_in_either_direction(put: Put, from_ids: bool) -> None:
    asked, given = ("42005", "MNQH6") if from_ids else ("MNQH6", "42005")
    kinds: dict[str, Any] = {"stype_in": "instrument_id", "stype_out": "raw_symbol"} if from_ids else {}
    file = Contents(put(header_with({asked: [(MONDAY, SATURDAY, given)]}, **kinds)))
    assert file.mappings == (Mapping("MNQH6", 42005, midnight_ns(MONDAY), midnight_ns(SATURDAY)),)


def test_the_records_are_asked_where_the_header_names_none(put: Put) -> None:
    body = [symbol_mapping(7, "MNQ.FUT", "MNQH6"), *(mbo(rec, 7) for rec in RECORDS), symbol_mapping(8, "MNQM6", "8")]
    file = Contents(put(header_with({}, schema=None, stype_in=None) + b"".join(body)))
    assert names_on(file, [DAY]) == {"MNQH6", "MNQM6"}
    assert spans_of(file, "MNQM6", [DAY]) == (InstrumentSpan(8),)
    assert spans_of(file, "MNQZ6", [DAY]) == ()


def test_an_id_that_goes_to_another_contract_is_its_own_on_its_days_alone(put: Put) -> None:
    names = {
        "MNQH6": [(MONDAY, THURSDAY, "1"), (THURSDAY, SATURDAY, "2")],
        "MNQM6": [(MONDAY, THURSDAY, "2"), (THURSDAY, SATURDAY, "1")],
        "MNQU6": [(MONDAY, SATURDAY, "3")],
        "MNQZ6": [(THURSDAY, SATURDAY, "4")],
    }
    file = Contents(put(header_with(names)))
    monday, thursday, saturday = map(midnight_ns, (MONDAY, THURSDAY, SATURDAY))
    assert spans_of(file, "MNQH6", [DAY]) == (
        InstrumentSpan(1, monday, thursday),
        InstrumentSpan(2, thursday, saturday),
    )
    assert spans_of(file, "MNQU6", [DAY]) == (InstrumentSpan(3),)
    assert names_on(file, [MONDAY]) == {"MNQH6", "MNQM6", "MNQU6"}
    assert spans_of(file, "MNQZ6", [MONDAY]) == ()
    assert spans_of(file, "MNQZ6", [MONDAY, THURSDAY]) == (InstrumentSpan(4),)


def test_a_file_without_names_is_its_only_instrument(put: Put) -> None:
    nameless = header_with({})
    alone = Contents(put(nameless + b"".join(mbo(rec, 12) for rec in RECORDS), "a.mbo.dbn"))
    assert spans_of(alone, "MNQH6", [DAY]) == (InstrumentSpan(12),)
    several = Contents(put(nameless + b"".join(mbo(rec, 11 + i % 2) for i, rec in enumerate(RECORDS)), "b.mbo.dbn"))
    assert spans_of(several, "MNQH6", [DAY]) == ()
    assert spans_of(several, "12", [DAY]) == (InstrumentSpan(12),)
    assert spans_of(Contents(put(nameless, "c.mbo.dbn")), "MNQH6", [DAY]) == (InstrumentSpan(EVERY_INSTRUMENT),)
