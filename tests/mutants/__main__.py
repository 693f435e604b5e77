"""`python -m tests.mutants [NAME ...]`: plant each fault in a copy of the checkout and run the test that must fail."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.mutants.table import TABLES, Mutant, load
from tests.places import ROOT, SHARED

PASSED, FAILED = 0, 1
TIMEOUT_SECONDS = 300


def main() -> int:
    """Run them; the exit code is 1 where one survives, or a test fails without any fault."""
    options = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    options.add_argument("words", nargs="*", metavar="WORD", help="only those of this table, or with it in their name")
    options.add_argument("--list", action="store_true", help="only list them")
    given = options.parse_args()
    chosen = [one for one in load() if not given.words or any(is_meant(one, word) for word in given.words)]
    if given.list:
        for one in chosen:
            print(f"{one.table:<9} {one.name:<70} {one.test}")
        return 0
    with copied_checkout() as copy:
        broken = [
            test for test, jit in sorted({(one.test, one.jit) for one in chosen}) if run(copy, test, jit) != PASSED
        ]
        for test in broken:
            print(f"BROKEN    {test} fails without any fault")
        survivors = [one for one in chosen if one.test not in broken and not is_killed(copy, one)]
    print(f"{len(chosen)} planted, {len(survivors)} survived, {len(broken)} tests broken, of {len(TABLES)} tables")
    return 1 if survivors or broken or not chosen else 0


def is_meant(mutant: Mutant, word: str) -> bool:
    """Whether a word of the command line means a mutant."""
    return word == mutant.table or word in mutant.name


@contextmanager
def copied_checkout() -> Iterator[Path]:
    """A copy of what git knows of the checkout, with the shared data beside it."""
    with tempfile.TemporaryDirectory(prefix="vp-mutants-") as directory:
        copy = Path(directory) / "checkout"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, check=True, text=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file() or (ROOT / name).is_symlink():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
        for beside in ("web/node_modules",):
            if (ROOT / beside).exists():
                (copy / beside).symlink_to(ROOT / beside)
        if SHARED.exists():
            (Path(directory) / "shared").symlink_to(SHARED)
        yield copy


def is_killed(copy: Path, mutant: Mutant) -> bool:
    """Plant one fault, run its test, and take the fault out again."""
    path = copy / mutant.file
    text = path.read_text(encoding="utf-8")
    path.write_text(mutant.planted(text), encoding="utf-8")
    try:
        code = run(copy, mutant.test, mutant.jit)
    finally:
        path.write_text(text, encoding="utf-8")
    said = {FAILED: "killed", PASSED: "SURVIVED"}.get(code, f"ERROR {code}")
    print(f"{said:<9} {mutant.table:<9} {mutant.name}  ({mutant.test})", flush=True)
    return code == FAILED


def run(copy: Path, test: str, jit: bool) -> int:
    """pytest's exit code of a test in the copy; a test that hangs has failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-m", "", "-p", "no:cacheprovider", test]
    environment = os.environ | {"VP_REQUIRE_BROWSER": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(copy)}
    if not jit:
        environment["NUMBA_DISABLE_JIT"] = "1"
    with subprocess.Popen(
        command, cwd=copy, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
    ) as process:
        try:
            return process.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            return FAILED
        finally:  # with all that it has started: a faulty program may not end by itself
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
