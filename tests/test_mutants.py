"""The tables of planted faults fit the code as it is."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.table import TABLES, Mutant, load
from tests.places import ROOT

MUTANTS = load()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.table}: {mutant.name}")
def test_it_can_be_planted(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert mutant.planted(text) != text
    assert (ROOT / mutant.test.partition("::")[0]).exists()


@pytest.mark.parametrize("test", sorted({mutant.test for mutant in MUTANTS}))
def test_what_must_kill_it_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    functions = {line.name for line in body if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert not name or name.partition("[")[0] in functions


def test_names_are_unique() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len(TABLES) >= 5
