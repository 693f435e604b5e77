"""Breaks at any byte: 20 of them, 200 with VP_LIVE_BREAKS=200."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pyarrow as pa
import pytest

from tests.live_gateway.control import GatewayProcess
from tests.vp.capture.capturing import (
    RECORDS,
    capturing,
    frames,
    of_kind,
)

SEEDS = range(int(os.environ.get("VP_LIVE_BREAKS", "20")))


@pytest.fixture(scope="module")
def expected(whole: Path) -> pa.Table:
    return frames(whole, "MNQM6")


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_no_break_at_any_byte_is_unnoticed_or_leaves_a_trace_in_the_frames(
    process: GatewayProcess, tmp_path: Path, expected: pa.Table, seed: int
) -> None:
    """Two breaks a run, wherever they cut the stream, with the feed going on meanwhile."""
    chance = random.Random(seed)
    process.order("reset")
    process.order("set", split_bytes=chance.choice([7, 61, 1000, 65_536]))
    for _ in range(2):
        process.fault(chance.choice(["fin", "reset", "silence", "error"]), at=chance.randrange(1, 20_000))
    with capturing(process, tmp_path) as capture:
        published = 0
        while published < RECORDS:
            published += chance.randint(1, 150)
            process.publish(min(published, RECORDS))
            capture.until(capture.has_all)
    breaks = capture.kinds().count("break")
    gaps = of_kind(tmp_path, "gap")
    assert all(gap["bridged"] for gap in gaps)
    assert 1 <= breaks <= 2
    assert len(gaps) <= breaks
    assert len(of_kind(tmp_path, "segment")) == 1 + len(gaps) + len(of_kind(tmp_path, "set_aside"))
    assert frames(tmp_path, "MNQM6").equals(expected)
