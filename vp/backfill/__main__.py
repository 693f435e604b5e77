"""`python -m vp.backfill` (vp.programs.backfill)."""

from __future__ import annotations

import sys

from vp.programs.backfill import main

if __name__ == "__main__":
    sys.exit(main())
