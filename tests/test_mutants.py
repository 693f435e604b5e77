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
def test_the_usual_suite_kills_it(test: str) -> None:
    """What only CI would notice is noticed too late."""
    assert not is_long(test)


def is_long(test: str) -> bool:
    """Whether a test, or all of its file, is marked `long`."""
    path, _, name = test.partition("::")
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    marks = [ast.unparse(line.value) for line in body if isinstance(line, ast.Assign) and names(line) == ["pytestmark"]]
    if any("pytest.mark.long" in mark for mark in marks):
        return True
    functions = [line for line in body if isinstance(line, ast.FunctionDef) and line.name == bare(name)]
    return any(ast.unparse(mark) == "pytest.mark.long" for function in functions for mark in function.decorator_list)


def names(line: ast.Assign) -> list[str]:
    return [target.id for target in line.targets if isinstance(target, ast.Name)]


def bare(name: str) -> str:
    """A test's name without its parameters."""
    return name.partition("[")[0]


def test_names_are_unique() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len(TABLES) >= 5
