"""The standard workload: a generated session of market-by-order records, as files and in lakes.

The generator and the native anchor are not part of the project: they lie in the directory that --anchors names.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

SEED = 7
SYMBOL = "MNQH6"
INSTRUMENT_ID = 42005
DATE = "2026-02-06"
START_TIME = "09:30"
HOURS = (0.0, 26.0)  # what the generator is told; its records then end at 15:45 UTC, past 09:30 in New York
TABLE = "raw/source=databento/product_type=future_mbo/symbol=MNQ/table=market_by_order_dbn"
NAME = "glbx-mdp3-20260206.mbo.dbn"


def make(anchors: Path, directory: Path, records: int) -> Path:
    """The workload of about `records` records as a DBN file, made unless it is there."""
    path = directory / f"workload-{records}.dbn"
    if not path.exists():
        generator = _generator(anchors)
        partial = path.with_suffix(".partial")
        generator.write(partial, generator.records(records, SEED, hours=HOURS), {SYMBOL: INSTRUMENT_ID})
        partial.rename(path)
    return path


def lake(directory: Path, file: Path, *, compressed: bool) -> Path:
    """A lake that holds `file` alone, compressed by `zstd -3` or as it is."""
    root = directory / f"{file.stem}-{'zst' if compressed else 'dbn'}"
    raw = root / TABLE / (f"{NAME}.zst" if compressed else NAME)
    if not raw.exists():
        raw.parent.mkdir(parents=True, exist_ok=True)
        partial = raw.with_name("partial")
        if compressed:
            subprocess.run(["zstd", "-q", "-f", "-3", "-T0", str(file), "-o", str(partial)], check=True)
        else:
            shutil.copyfile(file, partial)
        partial.rename(raw)
    return root


def raw_file(root: Path) -> Path:
    """The one raw file of a lake made here."""
    return next((root / TABLE).iterdir())


def _generator(anchors: Path) -> Any:
    path = anchors / "marketgen.py"
    spec = importlib.util.spec_from_file_location("marketgen", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
