"""Processes killed while they write, again and again: every output whole, the same bytes, and nothing else left."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.vp.backfill.days import DATES, SYMBOLS, lay
from vp.backfill.local_engine import LocalEngine
from vp.backfill.plan import Request, plan
from vp.files import parts_in
from vp.model.session import SessionSpec

SEEDS = int(os.environ.get("VP_BACKFILL_KILLS", "4"))


def request(lake: Path, out: Path) -> Request:
    out.mkdir(exist_ok=True)
    return Request(SessionSpec("equity_mbo", "", "", throttle_ms=0.0, lake=str(lake)), (), None, None, None, out)


class Killer(threading.Thread):
    """Kills one process that writes, once, after a while of a seed's."""

    def __init__(self, out: Path, seed: int) -> None:
        super().__init__(daemon=True)
        self._out = out
        self._random = random.Random(seed)
        self.killed = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not parts_in(self._out):
            if self.over.wait(0.002):
                return
        time.sleep(self._random.uniform(0, 0.3))
        children = multiprocessing.active_children()
        if children:
            os.kill(self._random.choice(children).pid or 0, signal.SIGKILL)
            self.killed += 1


@pytest.mark.long
def test_a_process_killed_while_it_writes(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    for symbol in SYMBOLS:
        for day in range(len(DATES)):
            lay(lake, symbol, day, seconds=120)
    reference = request(lake, tmp_path / "reference")
    assert all(outcome.result for _, outcome in LocalEngine(2, 8 << 30).run(plan(reference).jobs))
    bytes_of = {path.name: path.read_bytes() for path in reference.out.iterdir()}
    assert len(bytes_of) == len(SYMBOLS) * len(DATES)
    killed = 0
    for seed in range(SEEDS):
        wanted = request(lake, tmp_path / f"out-{seed}")
        killer = Killer(wanted.out, seed)
        killer.start()
        outcomes = dict(LocalEngine(2, 8 << 30).run(plan(wanted).jobs))
        killer.over.set()
        killer.join()
        killed += killer.killed
        assert all(outcome.result for outcome in outcomes.values()), seed
        assert {path.name: path.read_bytes() for path in wanted.out.iterdir()} == bytes_of, seed
        assert plan(wanted).jobs == (), seed
    assert killed >= SEEDS // 2
