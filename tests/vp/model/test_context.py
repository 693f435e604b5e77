"""Frames of before the emit boundary: right by themselves, and without a trace in those from the boundary on."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.lakes import DATE, MS, OPEN_NS, dbn, put
from tests.oracle_book import Rec
from tests.vp.model.test_pipeline import frames
from vp.errors import BadParameterError
from vp.model.pipeline import prepare
from vp.model.recording import record
from vp.model.session import SessionSpec

SECOND = 1000 * MS
MINUTE = 60 * SECOND
F_LAST = 128
STEP = 500_000_000
MIDDLE = 100_000_000_000


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market whose best prices move and where both sides trade, from 25 minutes before the open to five after."""
    rng = random.Random(11)
    at = OPEN_NS - 25 * MINUTE
    records = [
        Rec(at, "A", side, MIDDLE + sign * level * STEP, 100 + level, 100 * (sign + 2) + level, F_LAST)
        for level in range(1, 30)
        for side, sign in (("B", -1), ("A", 1))
    ]
    order_id = 1000
    while at < OPEN_NS + 5 * MINUTE:
        at += rng.randrange(1, 1500) * MS
        order_id += 1
        side, sign = rng.choice((("B", -1), ("A", 1)))
        price = MIDDLE + sign * rng.randrange(0, 5) * STEP
        last = F_LAST if rng.random() < 0.8 else 0
        records.append(Rec(at, "T", rng.choice((side, side, "N")), price, rng.randrange(1, 9), 0, last))
        records.append(Rec(at, "A", side, price, rng.randrange(1, 90), order_id, F_LAST))
        records.append(Rec(at + MS, "C", side, price, records[-1].size, order_id, last))
    root = tmp_path_factory.mktemp("context")
    put(root, "equity_mbo", "MOVE", f"xnas-itch-{DATE.replace('-', '')}.mbo.dbn", dbn("MOVE", 1, records))
    return root


def spec(lake: Path, context_minutes: float = 0.0, start_time: str = "09:30") -> SessionSpec:
    return SessionSpec(
        "equity_mbo", "MOVE", DATE, start_time, throttle_ms=100.0, lake=str(lake), context_minutes=context_minutes
    )


@pytest.mark.parametrize("minutes", [0.5, 10.0, 30.0])
def test_frames_from_the_boundary_on_are_the_same_bits_with_and_without(lake: Path, minutes: float) -> None:
    without, given = prepare(spec(lake)), prepare(spec(lake, minutes))
    context = given.take_context()
    assert context.count > 10
    assert without.take_context().count == given.take_context().count == 0
    assert np.array_equal(frames(given), frames(without))


def test_it_does_not_matter_what_was_under_way_at_the_boundary(lake: Path) -> None:
    """Somewhere a trade lies between the last frame of the context and the boundary, a state is held, and the like."""
    for second in range(5, 300, 5):
        start = f"09:{25 + second // 60}:{second % 60:02}"
        asked = replace(spec(lake, 2.0, start), end_time=f"09:{26 + second // 60}:{second % 60:02}", throttle_ms=5000.0)
        assert np.array_equal(frames(prepare(asked)), frames(prepare(replace(asked, context_minutes=0.0)))), start


def test_the_context_is_what_a_session_shows_that_begins_there(lake: Path) -> None:
    session = prepare(spec(lake, 10.0))
    context = session.take_context()
    earlier = prepare(replace(spec(lake, 0.0, "09:20"), end_time="09:30", throttle_ms=1000.0))
    want = frames(earlier)
    assert np.array_equal(context.buffer, want)
    table = session.layout.table(context.buffer)
    for name in ("buy_volume", "sell_volume", "other_volume", "ofi", "score", "strength"):
        assert np.count_nonzero(table[name].to_numpy()) > 50, name
    first, last = context.ts_ns[[0, -1]]
    assert OPEN_NS - 10 * MINUTE == session.info.context_from_ns <= first < OPEN_NS - 10 * MINUTE + 2 * SECOND
    assert OPEN_NS - 3 * SECOND < last < OPEN_NS == session.info.emit_from_ns
    assert np.diff(context.ts_ns).min() >= SECOND
    session.close()


def test_no_more_context_than_warmup(lake: Path) -> None:
    """Half an hour before 00:10 the session had not begun; without a start there is nothing before."""
    for start_time, minutes in (("00:10", 10), (None, 0)):
        session = prepare(replace(spec(lake, 30.0), start_time=start_time))
        info = session.info
        assert info.emit_from_ns - info.context_from_ns == minutes * MINUTE
        assert session.take_context().count == 0
        session.close()


@pytest.mark.parametrize("minutes", [-1.0, 30.5, float("nan")])
def test_the_context_lies_within_the_warmup(lake: Path, minutes: float) -> None:
    with pytest.raises(BadParameterError, match="context_minutes"):
        prepare(spec(lake, minutes))


def test_recordings_have_none(lake: Path, tmp_path: Path) -> None:
    for name, minutes in (("with", 10.0), ("without", 0.0)):
        record(prepare(spec(lake, minutes)), tmp_path / f"{name}.arrow")
    assert (tmp_path / "with.arrow").read_bytes() == (tmp_path / "without.arrow").read_bytes()
    with pa.OSFile(str(tmp_path / "with.arrow")) as file:
        first = pa.ipc.open_file(file).read_all()["ts_ns"][0]
    assert first.value >= OPEN_NS
