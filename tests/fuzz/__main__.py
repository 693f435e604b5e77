"""`python -m tests.fuzz TARGET`: run one target for a bounded time from its own seeds; exit code 0: nothing found.

The kernels run interpreted, so that the fuzzer sees their branches too. Input that breaks the contract is left in
the directory given by --keep, with a traceback.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["NUMBA_DISABLE_JIT"] = "1"

import atheris

with atheris.instrument_imports(include=["vp"]):
    from tests.fuzz import targets


def main() -> None:
    """Run the fuzzer; it ends the process itself."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=sorted(targets.TARGETS))
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.place is None:  # the fuzzer ends its process without ceremony: somebody must clean up
        with tempfile.TemporaryDirectory(prefix="vp-fuzz-") as place:
            again = [sys.executable, "-m", "tests.fuzz", *sys.argv[1:], "--place", place]
            sys.exit(subprocess.run(again, check=False).returncode)
    run, seeds = targets.TARGETS[options.target]
    targets.PLACE = options.place
    corpus = options.place / "corpus"
    corpus.mkdir()
    for i, data in enumerate(seeds()):
        (corpus / f"seed-{i}").write_bytes(data)
    limits = [f"-max_total_time={options.seconds}", f"-seed={options.seed}", "-max_len=4096", "-timeout=10"]
    places = [f"-artifact_prefix={options.keep}/", str(corpus)]
    atheris.Setup([sys.argv[0], *limits, "-rss_limit_mb=2048", "-print_final_stats=1", *places], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
