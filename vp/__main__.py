"""`python -m vp`: the same as `vp`."""

from __future__ import annotations

import sys

from vp.programs.command import main

if __name__ == "__main__":
    sys.exit(main())
