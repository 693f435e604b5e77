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
    """The test is there, and runs before CI."""
    path, _, name = test.partition("::")
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    functions = [line for line in body if isinstance(line, ast.FunctionDef) and line.name == name.partition("[")[0]]
    assert functions or not name
    marks: list[ast.expr] = [
        mark for function in functions for mark in function.decorator_list if isinstance(mark, ast.Attribute)
    ]
    marks += [line.value for line in body if isinstance(line, ast.Assign) and targets(line) == ["pytestmark"]]
    assert not any("pytest.mark.long" in ast.unparse(mark) for mark in marks)


def targets(line: ast.Assign) -> list[str]:
    return [target.id for target in line.targets if isinstance(target, ast.Name)]


def test_names_are_unique() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len(TABLES) >= 5
