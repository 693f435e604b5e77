#!/usr/bin/env python3
"""Fill the lake with futures and their options from Databento's batch service; --help tells how."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vp.programs.download import main

if __name__ == "__main__":
    sys.exit(main("futures"))
