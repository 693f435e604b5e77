"""The tables of planted faults fit the code as it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from tests.mutants.table import TABLES, Mutant, load
from tests.places import ROOT

MUTANTS = load()


@cache
def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def functions_of(path: str) -> set[str]:
    body = ast.parse(text_of(path)).body
    return {line.name for line in body if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef)}


def unfit(mutant: Mutant) -> Iterator[str]:
    """What keeps it from being planted, or from being killed by the test that must."""
    try:
        if mutant.planted(text_of(mutant.file)) == text_of(mutant.file):
            yield f"{mutant.name!r} changes nothing"
    except ValueError as error:
        yield str(error)
    path, _, name = mutant.test.partition("::")
    if not (ROOT / path).exists():
        yield f"{mutant.name!r} is killed by {path}, which is not there"
    elif name and name.partition("[")[0] not in functions_of(path):
        yield f"{mutant.name!r} is killed by {mutant.test}, which {path} does not have"


@pytest.mark.parametrize("table", [path.stem for path in TABLES])
def test_each_of_a_table_can_be_planted_and_what_must_kill_it_is_there(table: str) -> None:
    entries = [mutant for mutant in MUTANTS if mutant.table == table]
    assert entries
    assert [said for mutant in entries for said in unfit(mutant)] == []


def test_names_are_unique() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len(TABLES) >= 5
