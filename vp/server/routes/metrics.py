"""`GET /metrics`: what the server does, for Prometheus. Everything is counted elsewhere and read when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

import vp
from vp import counters
from vp.durations import BOUNDS_SECONDS
from vp.server.runs.allocator import allocated
from vp.server.runs.live_run import LiveRun
from vp.server.stream.snapshot import RunState

if TYPE_CHECKING:
    from vp.server.runs.hub import Hub
    from vp.server.runs.session import Feed

LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

FEED_GAUGES = {
    "behind_seconds": "How far catching up with the past has to go, in the feed's time",
    "silent_seconds": "For how long nothing of the market has come",
}
FEED_COUNTERS = {
    "breaks": "Connections that broke",
    "gaps": "Gaps that were not bridged",
    "bytes": "Bytes that arrived",
    "records": "Records that arrived, of every type and instrument",
}


class Metrics(Collector):
    """The figures of one server.

    Attributes
    ----------
    frame_lag : Histogram
        Seconds from when a paced session made a frame to when it had been handed to all who keep up.
    """

    def __init__(self, hub: Hub, feed: Feed | None = None) -> None:
        self._hub = hub
        self._feed = feed
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        self.frame_lag = Histogram(
            "vp_frame_lag_seconds",
            "From when a frame was made to when it was handed to all viewers who keep up",
            buckets=LAG_SECONDS,
            registry=self._registry,
        )
        hub.observe_lag = self.frame_lag.observe

    async def answer(self, _request: Request) -> Response:
        """The route's handler."""
        return Response(
            generate_latest(self._registry),
            headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"},
        )

    def collect(self) -> Iterator[Metric]:
        """All families of this server; called by the registry."""
        hub = self._hub
        yield InfoMetricFamily("vp", "The software", {"version": vp.__version__})
        yield GaugeMetricFamily("vp_viewers", "Viewers connected", hub.viewers)
        totals = hub.totals()
        yield CounterMetricFamily("vp_records", "Records processed by sessions, book building included", totals.records)
        yield CounterMetricFamily("vp_frames_sent", "Frames handed to viewers' sockets", totals.frames_sent)
        yield CounterMetricFamily("vp_frames_missed", "Frames that slow viewers were not sent", totals.frames_missed)
        yield GaugeMetricFamily("vp_history_disk_bytes", "Disk taken by frames of sessions", hub.history_bytes())
        yield GaugeMetricFamily("vp_history_limit_bytes", "Disk that they may take", hub.spool.limit_bytes)
        yield GaugeMetricFamily("vp_histories_kept", "Sessions that are over and keep their frames", hub.histories_kept)
        memory = GaugeMetricFamily("vp_allocator_bytes", "What the C library's allocator has", labels=["state"])
        told = allocated()
        if told is not None:
            for state, held in (("used", told.used_bytes), ("free", told.free_bytes), ("mapped", told.mapped_bytes)):
                memory.add_metric([state], held)
        yield memory
        states = GaugeMetricFamily("vp_sessions", "Sessions by state", labels=["state"])
        lag = GaugeMetricFamily("vp_session_lag_seconds", "Event time that it is behind", labels=["session", "symbol"])
        anomalies = CounterMetricFamily("vp_anomalies", "Anomalies of live sessions", labels=["session", "kind"])
        counts = {state: 0 for state in RunState if not state.over}
        for run in hub.runs:
            if run.state.over:
                continue
            counts[run.state] += 1
            lag.add_metric([run.id, run.request.symbol], run.facts.lag_seconds)
            for kind, count in run.facts.anomalies.items():
                anomalies.add_metric([run.id, kind], count)
        for state, count in counts.items():
            states.add_metric([state], count)
        yield from (states, lag, anomalies)
        caches = CounterMetricFamily("vp_cache_requests", "Look-ups in caches on disk", labels=["cache", "result"])
        looked_up = counters.read("cache")
        for name in [(cache, result) for cache in ("book", "decompressed") for result in ("hit", "miss")]:
            caches.add_metric(name, looked_up.get(name, 0))
        yield caches
        refused = CounterMetricFamily("vp_refused", "Connections and requests turned away", labels=["reason"])
        for (reason,), count in counters.read("refused").items():
            refused.add_metric([reason], count)
        yield refused
        if self._feed is not None:
            yield from self._of_feed(self._feed)

    def _of_feed(self, feed: Feed) -> Iterator[Metric]:
        """How the live feed is doing, and how long each stage of the way takes."""
        told = feed.describe()
        state = GaugeMetricFamily("vp_feed_state", "1 for the state that the live feed is in", labels=["state"])
        for name in feed.states:
            state.add_metric([name], told["state"] == name)
        yield state
        for name, text in FEED_GAUGES.items():
            yield GaugeMetricFamily(f"vp_feed_{name}", text, told[name])
        for name, text in FEED_COUNTERS.items():
            yield CounterMetricFamily(f"vp_feed_{name}", text, told[name])
        live = [run for run in self._hub.runs if isinstance(run, LiveRun) and not run.state.over]
        gaps = GaugeMetricFamily("vp_session_gaps", "Gaps of live sessions", labels=["session", "kind"])
        for run in live:
            kinds = Counter("bridged" if gap.bridged else "missing" if gap.end_ns else "open" for gap in run.gaps)
            for kind in ("open", "bridged", "missing"):
                gaps.add_metric([run.id, kind], kinds[kind])
        yield gaps
        latency = HistogramMetricFamily(
            "vp_latency_seconds",
            "How long each stage of the way takes",
            labels=["stage", "session"],
        )
        for session, stages in [("", feed.stages), *((run.id, run.stages) for run in live)]:
            for stage, durations in stages.items():
                bounds = [*(str(bound) for bound in BOUNDS_SECONDS), "+Inf"]
                counted = zip(bounds, accumulate(durations.counts()), strict=True)
                latency.add_metric([stage, session], list(counted), durations.total_seconds)
        yield latency
