from __future__ import annotations

import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from tests.vp.server import raw
from tests.vp.server.clients import Seen, client, get_json, read_on
from tests.vp.server.tiny import Running, TinySession, even_clocks, serving, tiny_service
from vp import counters


def scrape(server: Running) -> dict[tuple[str, ...], float]:
    """Every sample: its name and the values of its labels."""
    with urllib.request.urlopen(f"{server.http}/metrics", timeout=10) as response:
        assert response.headers["content-type"].startswith("text/plain; version=")
        text = response.read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_prometheus_reads_is_what_happened() -> None:
    service = tiny_service(lambda _request: TinySession(even_clocks(10**6)), load_seconds=0.3)
    with serving(service) as server:
        before = scrape(server)
        assert before["vp_viewers",] == before["vp_records_total",] == 0
        seen = Seen()
        with client(server.ws("speed=10")) as watching:
            assert get_json(server, "/health")["ready"] is False
            assert scrape(server)["vp_sessions", "loading"] == 1
            read_on(watching, seen, until_frames=200)
            assert get_json(server, "/health")["ready"] is True
            during = scrape(server)
            session_id = seen.last("runtime_config")["session_id"]
        with raw.raw(server.port) as stranger:
            assert stranger.request(headers={"Origin": "http://evil.example"}) == 403
        counters.add("cache", "book", "hit")
        after = scrape(server)

    assert during["vp_viewers",] == during["vp_sessions", "live"] == 1
    assert during["vp_frames_sent_total",] >= 199
    assert during["vp_frames_missed_total",] == 0
    assert during["vp_anomalies_total", "unknown_order", session_id] == 3
    assert during["vp_session_lag_seconds", session_id, "MNQH6"] >= 0
    assert during["vp_frame_lag_seconds_count",] > 0
    assert during["process_resident_memory_bytes",] > 1 << 20
    assert after["vp_frames_sent_total",] >= during["vp_frames_sent_total",]
    assert after["vp_records_total",] > 0
    for name in (("vp_refused_total", "origin or host"), ("vp_cache_requests_total", "book", "hit")):
        assert after[name] == before.get(name, 0) + 1
