"""`python -m vp.query` (vp.programs.query)."""

from __future__ import annotations

import sys

from vp.programs.query import main

if __name__ == "__main__":
    sys.exit(main())
