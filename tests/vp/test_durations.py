from __future__ import annotations

import pytest

from vp.durations import BOUNDS_SECONDS, KEPT, Durations, summary


def test_the_latest_make_the_summary_and_all_are_counted() -> None:
    durations = Durations()
    for _ in range(KEPT):
        durations.add(100.0)
    for i in range(KEPT):
        durations.add((i + 1) / 1e6)  # 1 to 1,024 microseconds
    assert summary(durations.latest()) == {"p50_ms": 0.512, "p99_ms": 1.013}
    counts = dict(zip([*BOUNDS_SECONDS, float("inf")], durations.counts(), strict=True))
    assert (counts[0.0005], counts[0.001], counts[0.002], counts[float("inf")]) == (500, 500, 24, KEPT)
    assert sum(counts.values()) == 2 * KEPT
    assert durations.total_seconds == pytest.approx(100.0 * KEPT + sum((i + 1) / 1e6 for i in range(KEPT)))


def test_of_nothing_there_is_no_summary() -> None:
    assert summary(Durations().latest()) is None
