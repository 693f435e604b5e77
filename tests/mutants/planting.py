"""A pytest plugin: faults of the page, planted one after the other around the tests that must see them.

A server reads web/ anew for whoever opens the page. So one process, one server and one browser do for all faults:
pytest makes the fixture `planted_fault` of tests/browser anew for each, and with it whatever stands on the browser.
Each test runs once without any fault too: after the others, so that one which can do its work but once is found out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.table import Mutant, load

SOUND = "sound"


def is_of_the_page(mutant: Mutant) -> bool:
    """Whether a server that runs shows the fault to the next page, and a browser has to see it."""
    return mutant.file.startswith("web/") and mutant.test.startswith("tests/browser/")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--faults NAMES`: a file of their names as JSON; `--outcomes FILE`: a line of JSON for each test that ended."""
    parser.addoption("--faults", type=Path)
    parser.addoption("--outcomes", type=Path)


def pytest_configure(config: pytest.Config) -> None:
    """Know of the options wherever they are needed."""
    config.pluginmanager.register(Outcomes(config.getoption("--outcomes")))


class Outcomes:
    """What came of each test, and of what it stands on. A fault that is killed needs no further one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.killed: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave out what has nothing to add."""
        if dict(item.user_properties)["fault"] in self.killed:
            pytest.skip("the fault is killed already")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write it down."""
        if report.skipped or (report.passed and report.when != "call"):
            return
        fault = dict(report.user_properties)["fault"]
        if report.failed and report.when == "call" and fault != SOUND:
            self.killed.add(str(fault))
        said = {
            "fault": fault,
            "test": report.nodeid.partition("[")[0],
            "when": report.when,
            "passed": report.passed,
            "text": "" if report.passed else report.longreprtext,
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")


def _chosen(config: pytest.Config) -> list[Mutant]:
    names = set(json.loads(config.getoption("--faults").read_text(encoding="utf-8")))
    return [one for one in load() if one.name in names]


def is_test_of(mutant: Mutant, base: str) -> bool:
    """Whether a fault is meant for a test, which is named without its parameters."""
    return mutant.test.partition("[")[0] in (base, base.partition("::")[0])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each test run with each of its faults, then without one."""
    own = [one for one in _chosen(metafunc.config) if is_test_of(one, metafunc.definition.nodeid)]
    names = [*(f"fault{i}" for i in range(len(own))), SOUND]
    metafunc.parametrize("planted_fault", [*own, None], indirect=True, scope="module", ids=names)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a test with parameters only those that the faults name; what ran is told by the name of its fault."""
    chosen = _chosen(config)
    kept = []
    for item in items:
        callspec: Any = item.callspec  # type: ignore[attr-defined]
        mutant = callspec.params["planted_fault"]
        base = item.nodeid.partition("[")[0]
        others = re.sub(rf"-?({SOUND}|fault\d+)-?", "", callspec.id)
        wanted = [
            one.test.partition("[")[2].removesuffix("]")
            for one in chosen
            if is_test_of(one, base) and mutant in (None, one)
        ]
        if any(parameters in ("", others) for parameters in wanted):
            item.user_properties.append(("fault", mutant.name if mutant else SOUND))
            kept.append(item)
    items[:] = kept
