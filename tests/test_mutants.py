"""The tables of planted faults fit the code as it is."""

from __future__ import annotations

import pytest

from tests.mutants.table import TABLES, Mutant, load
from tests.places import ROOT

MUTANTS = load()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.table}: {mutant.name}")
def test_it_can_be_planted(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert mutant.planted(text) != text
    assert (ROOT / mutant.test.partition("::")[0]).exists()


def test_names_are_unique() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len(TABLES) >= 5
