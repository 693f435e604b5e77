"""Kernels timed one by one: `uv run pytest tests/bench --benchmark-enable`. Untimed, each is run once and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vp.dbn.events import Events
from vp.dbn.file import DbnFile
from vp.dbn.reader import EventReader, read_events
from vp.demo.session import ensure_demo
from vp.lake.lake import Lake
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine

TICK_INT = 250_000_000
FRAMES = 2_000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration session, some 1.7 million records."""
    lake = tmp_path_factory.mktemp("lake")
    ensure_demo(lake)
    return next(Lake(lake).root.rglob("*.dbn"))


@pytest.fixture(scope="module")
def events(file: Path) -> Events:
    return read_events(DbnFile(file))


def test_decode(benchmark: Any, file: Path, events: Events) -> None:
    def decode() -> int:
        return sum(len(chunk.events) for chunk in EventReader(DbnFile(file), -1).chunks())

    assert benchmark(decode) == len(events)


def test_forward(benchmark: Any, events: Events) -> None:
    def forward() -> Book:
        book = Book(TICK_INT)
        book.fast_forward(events)
        return book

    assert benchmark(forward).event_id == len(events)


def test_engine(benchmark: Any, events: Events) -> None:
    def run() -> EventDrivenVPEngine:
        engine = EventDrivenVPEngine(tick_int=TICK_INT)
        engine.advance(events)
        return engine

    assert benchmark(run).book.event_id == len(events)


def test_frames(benchmark: Any, events: Events) -> None:
    start = len(events) // 2

    def warm() -> tuple[tuple[EventDrivenVPEngine], dict[str, Any]]:
        engine = EventDrivenVPEngine(tick_int=TICK_INT)
        engine.advance(events.slice(0, start))
        engine.start_emitting()
        return (engine,), {}

    def frames(engine: EventDrivenVPEngine) -> int:
        made, at = 0, start
        while made < FRAMES:
            at, batch = engine.advance(events, at)
            made += batch.count
        return made

    assert benchmark.pedantic(frames, setup=warm, rounds=5) >= FRAMES
