"""`python -m vp.study` (vp.programs.study)."""

from __future__ import annotations

import sys

from vp.programs.study import main

if __name__ == "__main__":
    sys.exit(main())
