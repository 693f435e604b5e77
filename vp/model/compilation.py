"""The kernels compiled before a session needs them, by two processes at once; only the first start on a machine does.

Compiled kernels are kept on disk (vp.kernels.cache), where the one process finds what the other has made.
"""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numba
import numpy as np

from vp.child_processes import python_command, python_environment
from vp.dbn.events import Events
from vp.dbn.reader import decode_nothing
from vp.kernels import frame, interval, ring
from vp.kernels.cache import CACHE_DIRECTORY, remove_old_directories
from vp.kernels.contract import GROW_ORDERS
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine
from vp.model.frame_columns import frame_schema
from vp.model.frames import FrameLayout
from vp.model.model_state import new_model
from vp.model.parameters import ModelParameters

NS = 1_000_000_000
USUAL_SECONDS = 6.0
TICK_SECONDS = 0.1
log = logging.getLogger(__name__)

ADD = (NS, "A", "B", NS, 1, 1, 128)


def ensure_compiled(on_share: Callable[[float], None], *, demonstration: bool = False, sampling: bool = False) -> None:
    """Compile what a session runs, unless that has been done; `on_share` hears 0 to 1 now and then.

    `demonstration`: also what generates the demonstration; `sampling`: also what samples a session. A process that
    fails costs time alone: what it should have compiled is compiled where it is first called.
    """
    if CACHE_DIRECTORY is None:
        log.warning(
            "compiled kernels can be kept nowhere, and every start compiles them: "
            "NUMBA_CACHE_DIR or XDG_CACHE_HOME can name a directory of your own for them"
        )
        return
    wanted = [["loops", *(["sampling"] * sampling)], ["cells", *(["demonstration"] * demonstration)]]
    directory = CACHE_DIRECTORY
    missing = [[part for part in parts if not _mark(directory, part).exists()] for parts in wanted]
    if numba.config.DISABLE_JIT or not any(missing):  # type: ignore[attr-defined]
        return
    if not any(_mark(directory, part).exists() for part in PARTS) and _install(directory):
        return
    started = time.monotonic()
    workers = [(parts, _start(parts)) for parts in missing if parts]
    try:
        while any(worker.poll() is None for _, worker in workers):
            on_share(guessed_share(time.monotonic() - started))
            time.sleep(TICK_SECONDS)
    finally:
        for _, worker in workers:
            worker.kill()
            worker.wait()
    for parts, worker in workers:
        if worker.returncode == 0:
            for part in parts:
                _mark(directory, part).touch()
    remove_old_directories(directory)
    on_share(1.0)


def guessed_share(seconds: float) -> float:
    """How much is taken to be compiled by now: half after `USUAL_SECONDS`, and more however long it takes."""
    return seconds / (seconds + USUAL_SECONDS)


def compile_parts(parts: Sequence[str]) -> None:
    """Compile the named parts one after the other, in a process that ends then: it collects no garbage."""
    gc.disable()
    for part in parts:
        PARTS[part]()


def compile_loops() -> None:
    """What runs through records: decoder, book and engine, with what saves and restores a book."""
    decode_nothing()
    book = Book(NS)
    book.fast_forward(Events.from_records([ADD]))
    book.make_room(GROW_ORDERS)
    book = Book.from_arrow(book.to_arrow())
    engine = EventDrivenVPEngine(book=book)
    engine.start_emitting()
    engine.advance(Events.from_records([ADD]))


def compile_sampling() -> None:
    """What runs through records for a study, around what runs through them for everyone."""
    from vp.model.sampling_engine import SamplingEngine  # noqa: PLC0415 - for studies alone

    engine = SamplingEngine(book=Book(NS))
    engine.start_emitting()
    engine.advance(Events.from_records([ADD]))


def compile_cells() -> None:
    """What the engine's loop calls now and then; the loop finds it done, which in the meantime compiled the others."""
    book = Book(NS).state
    model = new_model(ModelParameters())
    layout = FrameLayout(frame_schema({}))
    frames = layout.frame_buffer(layout.template.reshape(1, -1))
    number = 0
    for routine, arguments in (
        (frame.write_frame, (book, model, frames, number)),
        (ring.count_all_depth, (book, model)),
        (ring.recentre, (book, model, number)),
        (ring.rebase, (book, model)),
        (interval.move_traded, (model, model)),
        (ring.touch_bucket, (book, model, number, number, number, number)),
    ):
        routine.compile(tuple(map(numba.typeof, arguments)))


def compile_demonstration() -> None:
    """What generates the demonstration."""
    from vp.demo import book as demo_book  # noqa: PLC0415
    from vp.demo import market as demo_market  # noqa: PLC0415
    from vp.demo.wanted_depth import DEPTH_COLUMNS, SCRIPT_COLUMNS  # noqa: PLC0415

    script = np.zeros((1, SCRIPT_COLUMNS))
    depths = np.zeros((demo_book.LEVELS, DEPTH_COLUMNS))
    demo_market.run(demo_book.new_market(script, depths, np.zeros((1, 3)), 0, 0, 0))


PARTS = {
    "loops": compile_loops,
    "sampling": compile_sampling,
    "cells": compile_cells,
    "demonstration": compile_demonstration,
}


def _install(directory: Path) -> bool:
    """Take the kernels that came with the installation, all parts of them, where there are any for this machine."""
    from vp.model.ready_kernels import install_ready_kernels  # noqa: PLC0415 - it builds them by way of this module

    installed = install_ready_kernels()
    if installed:
        for part in PARTS:
            _mark(directory, part).touch()
    return installed


def _mark(directory: Path, part: str) -> Path:
    return directory / f"{part}.done"


def _start(parts: Sequence[str]) -> subprocess.Popen[bytes]:
    environment = python_environment()
    if CACHE_DIRECTORY is not None:
        environment["NUMBA_CACHE_DIR"] = str(CACHE_DIRECTORY.parent)
    if sys.pycache_prefix is not None:  # imports that are compiled anew each time take longer than some kernels
        environment["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.Popen(  # noqa: S603 - our own words
        python_command("-c", f"from {__name__} import compile_parts; compile_parts({list(parts)!r})"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
