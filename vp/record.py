"""`python -m vp.record` (vp.programs.record)."""

from __future__ import annotations

import sys

from vp.programs.record import main

if __name__ == "__main__":
    sys.exit(main())
