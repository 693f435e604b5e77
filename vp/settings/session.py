"""Options of which session is meant, and of how it is modelled."""

from __future__ import annotations

from vp.settings.forms import bucket, clock_time, session_dates, speed, switch, text, throttle_ms
from vp.settings.setting import BACKFILL, BOTH, SERVE, SESSION, SESSIONS, STUDY, Setting

SESSION_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "product_type",
        "--product-type",
        None,
        text,
        "TYPE",
        "Kind of market: future_mbo or equity_mbo. Left out: the one that there are files of. Without it, "
        "symbol, date and file, the generated demonstration session is used.",
        "future_mbo",
        SESSIONS,
        query=True,
    ),
    Setting(
        "symbol",
        "--symbol",
        None,
        text,
        "SYMBOL",
        "Contract, root (its busiest contract in the file), continuous name, or ticker.",
        "MNQH6",
        ("record", "query", "study"),
    ),
    Setting(
        "symbol",
        "--symbol",
        None,
        text,
        "SYMBOL",
        "Contract, root (its busiest contract in the file), continuous name, or ticker; with --live, once for each "
        "that the feed is to bring, over one connection.",
        "MNQH6",
        SERVE,
        query=True,
        repeated=True,
    ),
    Setting(
        "dt",
        "--dt",
        None,
        session_dates,
        "YYYY-MM-DD",
        "Date of the session. Two dates with .. between play all days from the first to the last as one session. Left "
        "out: the one date that there is of the symbol.",
        "2026-02-06",
        SESSION,
        query=True,
    ),
    Setting(
        "dt",
        "--dt",
        None,
        session_dates,
        "YYYY-MM-DD",
        "Date of the session. Two dates with .. between: every day from the first to the last that the lake holds, "
        "each a session by itself. Left out: the one date that there is of the symbol.",
        "2026-02-02..2026-02-06",
        STUDY,
    ),
    Setting(
        "trading_day",
        "--trading-day",
        False,
        switch,
        "",
        "Play the exchange's trading day instead of the calendar day: of futures from 18:00 in New York of the day "
        "before to 17:00.",
        "yes",
        SESSIONS,
        query=True,
    ),
    Setting(
        "start_time",
        "--start-time",
        None,
        clock_time,
        "HH:MM",
        "Time at which frames begin: in New York, or with a zone behind it (08:30 CT, 14:30 UTC, 09:30 Europe/Berlin), "
        "and a date before it where the session has several. The book is built up to 30 minutes before, the model "
        "warmed up from there. Left out: frames from the start of the session (the demonstration: 09:30).",
        "09:30",
        (*SESSIONS, *BACKFILL),
        query=True,
    ),
    Setting(
        "end_time",
        "--end-time",
        None,
        clock_time,
        "HH:MM",
        "Time at which the recording or study ends, written as --start-time is. Left out: the end of the session.",
        "10:15",
        ("record", "study", "backfill"),
    ),
    Setting(
        "speed",
        "--speed",
        1.0,
        speed,
        "TIMES",
        "How fast event time passes: 1 as it happened, 2 twice as fast, 0 as fast as the reader takes it with "
        "no frame dropped.",
        "2",
        SERVE,
        query=True,
    ),
    Setting(
        "throttle_ms",
        "--throttle-ms",
        25.0,
        throttle_ms,
        "MILLISECONDS",
        "Least event time between two frames; 0 makes one at the end of every market event.",
        "100",
        (*BOTH, *BACKFILL),
        query=True,
    ),
    Setting(
        "bucket",
        "--bucket",
        None,
        bucket,
        "PRICE",
        "Width of a price bucket, a row of the map, in the product's currency: a multiple of its tick. Left out: as "
        "products.yaml says; else the tick for futures, and for tickers one that suits the price.",
        "0.50",
        (*SESSIONS, *BACKFILL),
        query=True,
    ),
    Setting(
        "parameters",
        "--parameters",
        None,
        text,
        "SET",
        "Parameters of the model: a preset (default, touch), name:value with commas between, or, on command lines, a "
        "YAML file of lines name: value; what is left out is the default's. Left out: default.",
        "touch",
        (*BOTH, *BACKFILL),
        query=True,
    ),
    Setting(
        "parameters",
        "--parameters",
        (),
        text,
        "SETS",
        "Sets of parameters of the model to hold side by side: presets (default, touch) and YAML files with commas "
        "between; once more for one of name:value. Left out: default.",
        "default,touch",
        STUDY,
        repeated=True,
    ),
)
