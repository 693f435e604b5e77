"""A lake of a few small days, and jobs that do what a test wants of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.lakes import OPEN_NS, dbn, market, put
from vp.backfill.job import Result
from vp.errors import VPError
from vp.files import written_whole

DAY_NS = 86_400_000_000_000
DATES = ("2026-07-08", "2026-07-09")
SYMBOLS = ("AAPL", "QQQ")
PATIENCE_SECONDS = 60.0


def lay(lake: Path, symbol: str, day: int, data: bytes | None = None, seconds: int = 20) -> None:
    """Lay a day of a ticker into a lake: the market of `seconds` after the open, longer where asked."""
    name = f"xnas-itch-{DATES[day].replace('-', '')}.mbo.dbn"
    records = market(OPEN_NS + day * DAY_NS, 20, seconds + 5 * len(symbol))
    put(lake, "equity_mbo", symbol, name, dbn(symbol, 1 + SYMBOLS.index(symbol), records) if data is None else data)


def build(lake: Path) -> Path:
    """Two tickers on two days; returns the lake."""
    for symbol in SYMBOLS:
        for day in range(len(DATES)):
            lay(lake, symbol, day)
    return lake


@dataclass(frozen=True)
class MadeJob:
    """A job of a test's own.

    Attributes
    ----------
    kills : int
        How often its process is killed half-way before it gets through.
    allocates_bytes : int
    seconds : float
        How long it takes.
    fault : str
        refuses (VPError), breaks (another exception), exits, hears Ctrl-C; empty: nothing goes wrong.
    """

    name: str
    out: Path
    size_bytes: int = 1
    kills: int = 0
    allocates_bytes: int = 0
    seconds: float = 0.0
    fault: str = ""
    digest: str = ""

    @property
    def place(self) -> str:
        return str(self.out)

    def run(self, on_share: Callable[[float], None]) -> Result:
        """Write its name into `out`, and when it began and ended into a file beside."""
        started = time.monotonic()
        room = bytearray(os.urandom(1)) * self.allocates_bytes
        time.sleep(self.seconds)
        if self.fault == "refuses":
            raise VPError("It is not to be had.", hint="Ask for another.")
        if self.fault == "breaks":
            raise ZeroDivisionError("by nothing")
        if self.fault == "exits":
            os._exit(7)
        if self.fault == "hears Ctrl-C":
            os.kill(os.getpid(), signal.SIGINT)
        with written_whole(self.out) as file:
            file.write(self.name.encode())
            if len(list(self.out.parent.glob(f"{self.name}.killed-*"))) < self.kills:
                (self.out.parent / f"{self.name}.killed-{os.getpid()}").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        on_share(1.0)
        (self.out.parent / f"{self.name}.times").write_text(f"{started} {time.monotonic()} {len(room)}")
        return Result(1, 2)


@dataclass(frozen=True)
class CrowdedJob:
    """A job that holds memory for as long as another is at work, and does not end before another has begun.

    Which have begun, and which are at work, are the names of files in directories beside `out`, with the processes'.
    """

    name: str
    out: Path
    allocates_bytes: int
    size_bytes: int = 1
    digest: str = ""

    @property
    def place(self) -> str:
        return str(self.out)

    def run(self, on_share: Callable[[float], None]) -> Result:
        """Write when it began and ended into `out`, seconds of the machine's clock."""
        begun, at_work = (self.out.parent / state for state in ("begun", "at-work"))
        for directory in (begun, at_work):
            directory.mkdir(exist_ok=True)
            (directory / f"{self.name} {os.getpid()}").touch()
        try:
            started = time.monotonic()
            room = bytearray(os.urandom(1)) * self.allocates_bytes
            until = started + PATIENCE_SECONDS
            while True:
                ended = time.monotonic()  # whoever is not seen at work now begins later
                if len(list(begun.iterdir())) > 1 and len(list(at_work.iterdir())) == 1:
                    break
                if ended > until:
                    raise VPError("The engine lets it hold its memory beside another.")
                time.sleep(0.02)
        finally:
            (at_work / f"{self.name} {os.getpid()}").unlink()
        self.out.write_text(f"{started} {ended} {len(room)}")
        return Result(1, 2)
