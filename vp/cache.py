"""`python -m vp.cache` (vp.programs.cache)."""

from __future__ import annotations

import sys

from vp.programs.cache import main

if __name__ == "__main__":
    sys.exit(main())
