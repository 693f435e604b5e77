"""`python -m tests.mutants [WORD ...]`: plant each fault in a copy of the checkout and run the test that must fail."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.mutants.checkout_copy import CheckoutCopy
from tests.mutants.table import TABLES, Mutant, load
from tests.mutants.trial import Trial


def main() -> int:
    """Run them; the exit code is 1 where one survives, or a test fails without any fault."""
    options = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    options.add_argument(
        "words", nargs="*", metavar="WORD", help="only those of this table, or with it in their name or their test's"
    )
    options.add_argument("--list", action="store_true", help="only list them")
    options.add_argument("--keep", type=Path, metavar="DIRECTORY", help="keep there what pytest says of each")
    given = options.parse_args()
    chosen = [one for one in load() if not given.words or any(is_meant(one, word) for word in given.words)]
    if given.list:
        for one in chosen:
            print(f"{one.table:<9} {one.name:<70} {one.test}")
        return 0
    with CheckoutCopy.made(kernels=any(one.jit for one in chosen)) as copy:
        trial = Trial(copy, given.keep)
        trial.run(chosen)
    print(
        f"{len(chosen)} planted, {len(trial.survivors)} survived, {len(trial.broken)} tests broken, "
        f"of {len(TABLES)} tables"
    )
    return 1 if trial.survivors or trial.broken or not chosen else 0


def is_meant(mutant: Mutant, word: str) -> bool:
    """Whether a word of the command line means a mutant."""
    return word == mutant.table or word in mutant.name or word in mutant.test


if __name__ == "__main__":
    sys.exit(main())
