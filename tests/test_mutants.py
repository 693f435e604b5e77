"""The tables of planted faults fit the code as it is."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutants.checkout_copy import ONCE, SCRIPT, WHEN_CHANGED, Answer, reason
from tests.mutants.planting import is_of_the_page, is_test_of
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


@pytest.mark.parametrize("test", sorted({mutant.test for mutant in MUTANTS if not mutant.jit}))
def test_what_starts_a_server_has_compiled_kernels(test: str) -> None:
    assert not test.startswith("tests/browser/"), "a server with interpreted kernels is too slow for a browser's test"


def test_a_fault_is_planted_for_a_while_and_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "signs.js"
    path.write_text("buy sell", encoding="utf-8")
    before = path.stat().st_mtime_ns
    mutant = Mutant(
        "page", "sides swapped", "signs.js", "buy sell", "sell buy", "tests/browser/test_signs.py", jit=True
    )
    with pytest.raises(KeyboardInterrupt), mutant.planted_in(tmp_path):
        assert path.read_text(encoding="utf-8") == "sell buy"
        raise KeyboardInterrupt
    assert (path.read_text(encoding="utf-8"), path.stat().st_mtime_ns) == ("buy sell", before)
    with pytest.raises(ValueError, match="0 times, expected once"), replace(mutant, find="ask").planted_in(tmp_path):
        pass


def test_faults_of_the_page_that_browsers_see_share_a_server() -> None:
    mutant = Mutant("page", "", "web/signs.js", "", "", "tests/browser/test_signs.py::test_late[a-b]", jit=True)
    assert is_of_the_page(mutant)
    assert not is_of_the_page(replace(mutant, file="vp/server/app.py"))
    assert not is_of_the_page(replace(mutant, test="tests/web/test_modules.py"))
    assert is_test_of(mutant, "tests/browser/test_signs.py::test_late")
    assert not is_test_of(mutant, "tests/browser/test_signs.py::test_later")
    assert is_test_of(replace(mutant, test="tests/browser/test_signs.py"), "tests/browser/test_signs.py::test_late")


def test_servers_of_a_copy_show_what_is_planted_while_they_run(tmp_path: Path) -> None:
    source = (ROOT / SCRIPT).read_text(encoding="utf-8")
    assert source.count(ONCE) == 1
    module = ModuleType("page_script_of_a_copy")
    sys.modules[module.__name__] = module  # where its dataclass is looked for
    exec(compile(source.replace(ONCE, WHEN_CHANGED), SCRIPT, "exec"), vars(module))
    main = tmp_path / "main.js"
    main.write_text("const side = 1;\n", encoding="utf-8")
    first = vars(module)["page_script"](tmp_path)
    assert vars(module)["page_script"](tmp_path) is first
    mutant = Mutant("page", "", "main.js", "side = 1", "side = -1", "", jit=True)
    with mutant.planted_in(tmp_path):
        assert "-1" in vars(module)["page_script"](tmp_path)[main]
    assert vars(module)["page_script"](tmp_path) is first


SAID = """
_____ test_words[a] _____
tests/browser/test_signs.py:12: in test_words
    assert shown(page) == "UP"
tests/browser/probe.py:3: in shown
    raise ValueError
E   AssertionError: DOWN
E     more of it
=== short test summary info ===
FAILED tests/browser/test_signs.py::test_words[a] - AssertionError: DOWN
1 failed in 2.00s
"""


def test_who_fails_and_why_is_read_from_what_pytest_says() -> None:
    answer = Answer(1, SAID)
    assert answer.names("tests/browser/test_signs.py::test_words")
    assert answer.names("tests/browser/test_signs.py::test_words[a]")
    assert answer.names("tests/browser/test_signs.py")
    assert not answer.names("tests/browser/test_signs.py::test_word")
    assert reason(SAID) == "tests/browser/test_signs.py:12: AssertionError: DOWN"
    assert reason("\nNo end after 300 s") == "No end after 300 s"
