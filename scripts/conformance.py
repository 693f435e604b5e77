#!/usr/bin/env python3
"""Run the websocket's conformance cases and write docs/conformance.md; or serve an echo for another suite.

uv run python scripts/conformance.py [--out docs/conformance.md]
uv run python scripts/conformance.py --serve 9001 [--host 127.0.0.1]
"""

from __future__ import annotations

import argparse
import sys
import threading
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.vp.server.conformance import CASES, echoing, outcome

HEAD = """\
# Conformance of the websocket

Written by `scripts/conformance.py`: own cases, numbered as the Autobahn suite numbers those that they follow, sent as
raw frames to an echo over the server's own connection class ({versions}).
The Autobahn suite itself (autobahntestsuite 25.10.1 on PyPI) is Python 2 and comes as a container;
`scripts/autobahn` runs it where Docker is. It has not been run for this report. In its place the suite's own library,
autobahn 26.10.2, was a strict client of the same echo (UTF-8 checked as it comes, masked frames of a server refused,
the whole closing handshake): texts and binaries of 0, 1, 125 to 128, 65,535, 65,536 and 1,048,576 bytes, whole and in
thirds (thousands of pieces are refused with 1008, as a bound of the server has it), text cut inside letters, a ping of
125 bytes, a close with 3000: 27 of 27 as they should be.

| case | what | outcome |
| --- | --- | --- |
"""


def main() -> int:
    """Run; 0 if every case passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the report there")
    parser.add_argument("--serve", type=int, metavar="PORT", help="serve the echo until Ctrl-C instead")
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args()
    with echoing(options.host, options.serve or 0) as port:
        if options.serve is not None:
            print(f"echo on {options.host}:{port}", flush=True)
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                return 0
        outcomes = [(case, outcome(port, case)) for case in CASES]
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("uvicorn", "websockets"))
    rows = "".join(f"| {case.number} | {case.what} | {failed or 'pass'} |\n" for case, failed in outcomes)
    failures = sum(bool(failed) for _, failed in outcomes)
    summary = f"\n{len(outcomes) - failures} passed, {failures} failed\n"
    if options.out is not None:
        options.out.write_text(HEAD.format(versions=versions) + rows + summary)
    print(rows + summary)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
