"""Which instrument of a file a symbol means."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.dbn_files import header, mbo
from tests.vp.dbn.raw_files import RECORDS, Put
from tests.vp.dbn.raw_files import put as put  # noqa: PLC0414 - a fixture
from vp.dbn.contracts import Contract, choose_contract
from vp.dbn.file import DbnFile
from vp.errors import UnknownSymbolError
from vp.market.products import find_product

DATE = dt.date(2026, 2, 6)
MNQ = find_product("future_mbo", "MNQ")
NEAR, NEXT, LATER = 11, 12, 13
NUMBERS = [NEXT] * 2 + [NEAR] * 5 + [LATER] * 3  # records of each


def file_of(put: Put, symbols: dict[str, int], numbers: list[int]) -> DbnFile:
    return DbnFile(put(header(symbols=symbols) + b"".join(map(mbo, RECORDS, numbers))))


@pytest.mark.parametrize("asked", ["MNQ", "MNQ.v.0"])
def test_a_root_and_a_continuous_name_mean_the_busiest(put: Put, asked: str) -> None:
    file = file_of(put, {"MNQH6": NEAR, "MNQM6": NEXT, "MNQU6": LATER}, NUMBERS)
    assert choose_contract(file, MNQ, asked, DATE) == Contract("MNQH6", NEAR)


def test_of_two_that_are_as_busy_it_is_the_one_of_the_lower_number(put: Put) -> None:
    file = file_of(put, {"MNQH6": NEAR, "MNQM6": NEXT}, [NEXT, NEAR, NEXT, NEAR])
    assert choose_contract(file, MNQ, "MNQ", DATE) == Contract("MNQH6", NEAR)


def test_a_name_means_itself_however_quiet(put: Put) -> None:
    file = file_of(put, {"MNQH6": NEAR, "MNQM6": NEXT, "MNQU6": LATER}, NUMBERS)
    assert choose_contract(file, MNQ, "MNQM6", DATE) == Contract("MNQM6", NEXT)
    with pytest.raises(UnknownSymbolError, match="does not hold MNQZ6; it holds MNQH6, MNQM6, MNQU6"):
        choose_contract(file, MNQ, "MNQZ6", DATE)


def test_a_file_without_mappings_is_its_only_instrument(put: Put) -> None:
    assert choose_contract(file_of(put, {}, [NEXT] * 4), MNQ, "MNQH6", DATE) == Contract("MNQH6", NEXT)
    assert choose_contract(file_of(put, {}, NUMBERS), MNQ, "MNQ", DATE) == Contract(str(NEAR), NEAR)
    with pytest.raises(UnknownSymbolError, match="holds the instruments 11, 12, 13, so MNQH6 cannot be told"):
        choose_contract(file_of(put, {}, NUMBERS), MNQ, "MNQH6", DATE)
