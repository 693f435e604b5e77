#!/usr/bin/env python3
"""Serve Vacuum Pressure: the same program as `python -m vp.serve`, from any directory."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vp.programs.serve import main

if __name__ == "__main__":
    sys.exit(main())
