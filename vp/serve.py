"""`python -m vp.serve` (vp.programs.serve)."""

from __future__ import annotations

import sys

from vp.programs.serve import main

if __name__ == "__main__":
    sys.exit(main())
