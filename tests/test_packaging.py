"""What the project says of itself holds: every import is declared, every version known, every file in the wheel."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import vp
from tests.places import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DECLARED = [Requirement(text) for text in PYPROJECT["project"]["dependencies"]]
EXTRAS = [Requirement(text) for some in PYPROJECT["project"]["optional-dependencies"].values() for text in some]
TOOLS = [Requirement(text) for text in PYPROJECT["dependency-groups"]["dev"]]
BUILDERS = [Requirement(text) for text in PYPROJECT["build-system"]["requires"]]
UV = PYPROJECT["tool"]["uv"]
# Declared, though the product imports it nowhere: what for.
NOT_IMPORTED = {
    "pytz": "DuckDB's fetchall() makes times with it",
    "tzdata": "zoneinfo reads it where the system has no time zones",
}
RUN_BY_NAME = {"mypy", "pip-audit", "ruff", "pytest-xdist", "pytest-benchmark", "pytest-cov"}  # tools, plugins
RUN_BY_NAME |= {"flask", "flask-cors"}  # moto's server
STANDARD = sys.stdlib_module_names | {"compression"}  # from Python 3.14 on
OF_THE_CHECKOUT = {"vp", "kernels", "tests", "scripts", "benchmarks"}


def names(requirements: list[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements}


def imported(folder: str) -> dict[str, set[str]]:
    """Top-level names of other packages that the Python files of a folder import, with where."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            else:
                continue
            for module in modules:
                top = module.partition(".")[0]
                if top not in STANDARD and top not in OF_THE_CHECKOUT:
                    found.setdefault(top, set()).add(f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def distributions(folders: tuple[str, ...]) -> dict[str, set[str]]:
    """The distributions that folders import from, with where."""
    known = metadata.packages_distributions()
    found: dict[str, set[str]] = {}
    for folder in folders:
        for module, places in imported(folder).items():
            for name in known.get(module, [module]):
                found.setdefault(canonicalize_name(name), set()).update(places)
    return found


def test_every_import_of_the_product_is_declared_and_no_more() -> None:
    needed = distributions(("vp", "kernels"))
    undeclared = {name: sorted(places) for name, places in needed.items() if name not in names(DECLARED + EXTRAS)}
    assert undeclared == {}
    assert names(DECLARED) - needed.keys() == NOT_IMPORTED.keys()
    assert names(EXTRAS) <= needed.keys()


def test_every_import_of_tests_and_tools_is_declared_and_no_more() -> None:
    needed = distributions(("tests", "scripts", "benchmarks"))
    declared = names(DECLARED + EXTRAS + TOOLS + BUILDERS)
    undeclared = {name: sorted(places) for name, places in needed.items() if name not in declared}
    assert undeclared == {}
    stubs = {name for name in names(TOOLS) if name.startswith("types-")}
    assert names(TOOLS) - needed.keys() == RUN_BY_NAME | stubs


def test_dependencies_have_a_lower_bound_and_no_pin() -> None:
    for requirement in DECLARED + EXTRAS:
        assert [bound.operator for bound in requirement.specifier] == [">="], requirement
    for requirement in TOOLS:
        assert not requirement.specifier, f"{requirement}: its version stands among the constraints"


def constraints(texts: list[str]) -> dict[str, Requirement]:
    """The constraints that hold on this machine, by name."""
    found: dict[str, Requirement] = {}
    for text in texts:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate():
            found[canonicalize_name(requirement.name)] = requirement
    return found


def closure(requirements: list[Requirement]) -> Iterator[metadata.Distribution]:
    """The installed distributions that requirements lead to, those that they need included."""
    seen: set[tuple[str, str]] = set()
    waiting = [(requirement, "") for requirement in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                found = metadata.distribution(name)
                if not wanted:
                    yield found
                waiting += [(Requirement(text), wanted) for text in found.requires or []]


def test_every_version_in_use_is_known_to_be_good() -> None:
    """The constraints name all that is needed, directly or not, in the version that is installed here."""
    known = constraints(UV["constraint-dependencies"])
    installed = {canonicalize_name(found.name): found.version for found in closure(DECLARED + TOOLS)}
    assert len(installed) > len(DECLARED + TOOLS)
    assert {name for name in installed if name not in known} == set()
    other = {name: version for name, version in installed.items() if version not in known[name].specifier}
    assert other == {}
    for requirement in DECLARED:
        (pin,) = known[canonicalize_name(requirement.name)].specifier
        assert pin.operator == "=="
        assert pin.version in requirement.specifier, f"{requirement} forbids the version that is known to be good"


def test_the_build_is_constrained_too() -> None:
    known = constraints(UV["build-constraint-dependencies"])
    for text in PYPROJECT["build-system"]["requires"]:
        requirement = Requirement(text)
        (pin,) = known[canonicalize_name(requirement.name)].specifier
        assert pin.version in requirement.specifier


def test_the_installed_metadata_is_of_this_version() -> None:
    assert metadata.version("vacuum-pressure") == vp.__version__ == PYPROJECT["project"]["version"]


def trial() -> Any:
    """The module scripts/wheel_trial.py."""
    spec = importlib.util.spec_from_file_location("wheel_trial", ROOT / "scripts" / "wheel_trial.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_wrong_with_a_wheel_is_said() -> None:
    check = trial().check_contents
    expected = {"vp/a.py": b"1", "vp/b.py": b"2", "vp/c.py": b"3"}
    held = {"vp/a.py": b"1", "vp/b.py": b"0", "kernels/d.py": b"", "vacuum_pressure-0.1.0.dist-info/METADATA": b""}
    assert check(expected, expected) == []
    assert check(held, expected) == [
        "vp/c.py is not in the wheel",
        "kernels/d.py is in the wheel, unasked",
        "vp/b.py is another in the wheel",
    ]


def test_the_wheel_holds_the_product_and_nothing_else(tmp_path: Path) -> None:
    if shutil.which("uv") is None or not (ROOT / ".git").exists():
        pytest.skip("it takes uv and a checkout")
    wheel_trial = trial()
    command = ["uv", "build", "--quiet", "--wheel", "--offline", "--out-dir", str(tmp_path), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if "build-system.requires" in built.stderr:
        pytest.skip("the tool that builds wheels is not here, and cannot be fetched offline")
    assert built.returncode == 0, built.stderr
    expected = wheel_trial.expected_contents()
    for name in ("vp/kernels/engine.py", "vp/sql/depth.sql", "vp/web/vacuum-pressure.html", "vp/market/products.yaml"):
        assert name in expected
    held = wheel_trial.contents(next(tmp_path.glob("*.whl")))
    assert wheel_trial.check_contents(held, expected) == []
