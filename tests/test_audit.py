"""What scripts/audit.py makes of pip-audit's reports, in the words of pip-audit itself."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from typing import Any

from tests.places import ROOT

SCRIPT = ROOT / "scripts" / "audit.py"


def verdict(report: str, complaint: str = "") -> tuple[int, str]:
    spec = importlib.util.spec_from_file_location("audit", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    judge: Callable[[str, str], tuple[int, str]] = module.verdict
    return judge(report, complaint)


def report(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


FLAWED = {
    "name": "flask",
    "version": "0.5",
    "vulns": [{"id": "PYSEC-2019-179", "fix_versions": ["1.0"], "aliases": [], "description": ""}],
}
SOUND = {"name": "numpy", "version": "2.4.6", "vulns": []}
UNKNOWN = {"name": "x", "skip_reason": "Dependency not found on PyPI and could not be audited: x (1)"}


def test_a_known_vulnerability_fails() -> None:
    code, said = verdict(report(SOUND, FLAWED))
    assert code == 1
    assert "flask 0.5: PYSEC-2019-179, mended in 1.0" in said


def test_none_is_said_with_how_many_were_looked_up() -> None:
    assert verdict(report(SOUND, UNKNOWN)) == (0, "1 of 2 packages looked up, no known vulnerability")


def test_a_service_that_does_not_answer_does_not_fail_but_is_said() -> None:
    for code, said in (verdict("", "ERROR: no route\nServiceError: no route"), verdict(report(UNKNOWN)), verdict("")):
        assert code == 0
        assert "nothing was looked up" in said
