"""Which planted faults are killed, and by what."""

from __future__ import annotations

import json
import re
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.mutants.checkout_copy import FAILED, PASSED, Answer, CheckoutCopy, reason
from tests.mutants.planting import SOUND, is_of_the_page, is_test_of
from tests.mutants.table import Mutant


class Trial:
    """Faults planted in a copy of the checkout, and what came of it.

    Attributes
    ----------
    survivors : list of Mutant
        Those that no test saw.
    broken : set of str
        Tests that fail without any fault: they say nothing.
    """

    def __init__(self, copy: CheckoutCopy, keep: Path | None) -> None:
        self.copy = copy
        self.keep = keep
        self.survivors: list[Mutant] = []
        self.broken: set[str] = set()

    def run(self, mutants: list[Mutant]) -> None:
        """Plant them; what a page shows at once by itself in one run of pytest for each file of tests."""
        of_pages = [one for one in mutants if is_of_the_page(one)]
        for _, group in groupby(sorted(of_pages, key=_file_of_test), _file_of_test):
            self._run_pages(list(group))
        self._run_alone([one for one in mutants if not is_of_the_page(one)])

    def _run_pages(self, mutants: list[Mutant]) -> None:
        with tempfile.TemporaryDirectory(prefix="vp-mutants-") as directory:
            names, outcomes = Path(directory) / "names.json", Path(directory) / "outcomes.jsonl"
            names.write_text(json.dumps([one.name for one in mutants]), encoding="utf-8")
            tests = sorted({one.test.partition("[")[0] for one in mutants})
            plugin = ("-p", "tests.mutants.planting", "--faults", str(names), "--outcomes", str(outcomes))
            self.copy.run(
                tests, *plugin, "-k", "not firefox", jit=True, keeps_byte_code=True, most_tests=2 * len(mutants)
            )
            lines = outcomes.read_text(encoding="utf-8").splitlines() if outcomes.exists() else []
        told: dict[str, list[dict[str, Any]]] = {}
        for line in map(json.loads, lines):
            told.setdefault(line["fault"], []).append(line)
        unclear = []
        for mutant in mutants:
            parts = told.get(mutant.name, [])
            sound = [each["passed"] for each in told.get(SOUND, []) if is_test_of(mutant, each["test"])]
            failed = [each for each in parts if each["when"] == "call" and not each["passed"]]
            # What fails before a test begins may be what the fault before it has left.
            certain = failed or (parts and all(each["passed"] for each in parts))
            if certain and sound and all(sound):
                self._tell(mutant, Answer(FAILED if failed else PASSED, "".join(each["text"] for each in failed)))
            else:
                unclear.append(mutant)
        self._run_alone(unclear)

    def _run_alone(self, mutants: list[Mutant]) -> None:
        """Each in a run of pytest of its own, after one of each file's tests without a fault."""

        def key(one: Mutant) -> tuple[str, bool]:
            return _file_of_test(one), one.jit

        for (_, jit), group in groupby(sorted(mutants, key=key), key):
            tests = sorted({one.test for one in group})
            said = self.copy.run(tests, jit=jit, keeps_byte_code=True)
            for test in tests:
                sound = said.code == PASSED or (said.code == FAILED and not said.names(test))
                if not sound and (len(tests) == 1 or self.copy.run([test], jit=jit).code != PASSED):
                    print(f"BROKEN    {test} fails without any fault", flush=True)
                    self.broken.add(test)
        for mutant in (one for one in mutants if one.test not in self.broken):
            with mutant.planted_in(self.copy.path):
                said = self.copy.run([mutant.test], jit=mutant.jit)
            self._tell(mutant, said)

    def _tell(self, mutant: Mutant, said: Answer) -> None:
        word = {FAILED: "killed", PASSED: "SURVIVED"}.get(said.code, f"ERROR {said.code}")
        print(f"{word:<9} {mutant.table:<9} {mutant.name}  ({mutant.test})", flush=True)
        if said.code == FAILED:
            print(f"          {reason(said.text)}", flush=True)
        else:
            self.survivors.append(mutant)
        if self.keep is not None:
            self.keep.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"[^a-z0-9]+", "-", f"{mutant.table} {mutant.name}".lower()).strip("-")
            text = f"{word}: {mutant.name}\n{mutant.test}\n\n{said.text}"
            (self.keep / f"{name}.txt").write_text(text, encoding="utf-8")


def _file_of_test(mutant: Mutant) -> str:
    return mutant.test.partition("::")[0]
