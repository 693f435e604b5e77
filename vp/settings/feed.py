"""Options of the live feed."""

from __future__ import annotations

from vp.settings.forms import address, dataset, live_from, switch, text
from vp.settings.setting import BACKFILL, CAPTURE, SERVE, Setting

FEED_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "live",
        "--live",
        False,
        switch,
        "",
        "Play the market as it happens, from Databento's live feed, and record it into the lake on the way.",
        "yes",
        SERVE,
    ),
    Setting(
        "product_type",
        "--product-type",
        "future_mbo",
        text,
        "TYPE",
        "Kind of market: future_mbo or equity_mbo.",
        "future_mbo",
        (*CAPTURE, *BACKFILL),
    ),
    Setting(
        "symbol",
        "--symbol",
        (),
        text,
        "SYMBOL",
        "What to record: a contract, a root (all of its contracts), a continuous name, or a ticker; give it once for "
        "each. All come over one connection.",
        "MNQ",
        CAPTURE,
        repeated=True,
    ),
    Setting(
        "dataset",
        "--dataset",
        None,
        dataset,
        "DATASET",
        "Databento's code of the feed. Left out: GLBX.MDP3 for futures, XNAS.ITCH for equities.",
        "XNAS.ITCH",
        (*SERVE, *CAPTURE),
    ),
    Setting(
        "live_from",
        "--live-from",
        None,
        live_from,
        "WHEN",
        "Where the recording begins: now (futures: with the book as it is), today (what the session has brought so "
        "far), week (all that the feed still holds). Left out: now for futures, today for equities. A recording that "
        "is there is gone on with, whatever this says.",
        "today",
        (*SERVE, *CAPTURE),
    ),
    Setting(
        "gateway",
        "--gateway",
        None,
        address,
        "HOST:PORT",
        "Another gateway than Databento's own, as one on this machine is for tests.",
        "127.0.0.1:13000",
        (*SERVE, *CAPTURE),
    ),
)
