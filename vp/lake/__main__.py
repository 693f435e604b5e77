"""`python -m vp.lake`: vp.programs.lake."""

from __future__ import annotations

import sys

from vp.programs.lake import main

if __name__ == "__main__":
    sys.exit(main())
