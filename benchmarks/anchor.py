"""The native anchor: a tuned C++ book over the same file, built where a compiler is."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

COMPILER = ("g++", "-O3", "-march=native", "-o")


@dataclass(frozen=True)
class BookState:
    """What a book ends in: prices in 1e-9 units, depths in contracts."""

    records: int
    live_orders: int
    best_bid: int
    best_ask: int
    bid_depth: int
    ask_depth: int


def build(anchors: Path, directory: Path) -> Path | None:
    """The anchor's program, or None where there is no compiler or no source."""
    source, program = anchors / "peer.cpp", directory / "peer"
    if not source.exists() or shutil.which(COMPILER[0]) is None:
        return None
    if not program.exists():
        subprocess.run([*COMPILER, str(program), str(source)], check=True)
    return program


def run(program: Path, file: Path) -> tuple[BookState, float]:
    """The state it ends in, and its records a second, of the second of two passes in one process."""
    done = subprocess.run([str(program), str(file), "ahead", "2"], check=True, capture_output=True, text=True)
    *state, rate = done.stdout.splitlines()[-1].split()
    return BookState(*map(int, state)), float(rate) * 1e6
