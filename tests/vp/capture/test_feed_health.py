"""What is known of a feed while it comes."""

from __future__ import annotations

from vp.capture.feed_health import FeedHealth

MS = 1_000_000
NOW_NS = 1_770_388_200_000_000_000


def test_the_stages_of_the_way_are_told_apart() -> None:
    """Three milliseconds from the exchange to Databento, ten from there to here."""
    health = FeedHealth()
    health.arrived(64, 1, (NOW_NS - 13 * MS, NOW_NS - 10 * MS), NOW_NS)
    latency = health.latency()
    assert latency["exchange_to_databento"] == {"p50_ms": 3.0, "p99_ms": 3.0}
    assert latency["databento_to_here"] == {"p50_ms": 10.0, "p99_ms": 10.0}
    assert (health.bytes, health.records) == (64, 1)


def test_of_a_feed_of_another_time_nobody_says_how_long_it_took_to_come() -> None:
    health = FeedHealth()
    health.arrived(64, 1, (NOW_NS - 13 * MS, NOW_NS - 10 * MS), NOW_NS + 3600 * 10**9)
    health.arrived(320, 1, None, NOW_NS)
    assert health.latency() == {
        "exchange_to_databento": {"p50_ms": 3.0, "p99_ms": 3.0}, "databento_to_here": None,
    }  # fmt: skip
    assert (health.bytes, health.records) == (384, 2)
