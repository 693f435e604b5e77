"""`python -m vp.capture`: vp.programs.capture."""

from __future__ import annotations

import sys

from vp.programs.capture import main

if __name__ == "__main__":
    sys.exit(main())
