"""Every option of the programs and of the stream's address, in one table.

The table feeds the command lines (vp.programs.command_line), the websocket's query string (vp.server.stream.request)
and docs/options.md. It imports nothing heavy, so that `--help` answers at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vp.errors import BadParameterError
from vp.settings.forms import (
    CACHE_LIMIT_GB,
    CACHES,
    DECOMPRESSED_LIMIT_GB,
    FORMATS,
    HISTORY_LIMIT_GB,
    LOG_FORMATS,
    LOG_LEVELS,
    SEQUELS,
    address,
    assignments,
    bucket,
    cache_name,
    clock_time,
    column_list,
    context_minutes,
    count,
    dataset,
    date,
    engine,
    fees,
    field_list,
    limit_gb,
    live_from,
    log_format,
    log_level,
    origin,
    output_format,
    place,
    port,
    sequel,
    session_dates,
    speed,
    stream_server,
    switch,
    text,
    throttle_ms,
)


@dataclass(frozen=True)
class Setting:
    """One option.

    Attributes
    ----------
    name : str
        As in Python and in the query string (`throttle_ms`).
    flag : str
        As on the command line (`--throttle-ms`).
    default : object
        The value when it is left out; None stands for what `help` says.
    form : callable
        `form(name, text)` gives the value, or raises BadParameterError (vp.settings.forms).
    unit : str
        What the number counts, or the form of the text; stands for the value in `--help`.
    help : str
        One or two sentences.
    example : str
        A value that works, as typed.
    programs : tuple of str
        Which programs take it: serve, record, backfill, query, study, cache, lake, capture.
    query : bool
        Whether the stream's address takes it too.
    repeated : bool
        Whether it may be given more than once; the value is the tuple of all.
    """

    name: str
    flag: str
    default: Any
    form: Callable[[str, str], Any]
    unit: str
    help: str
    example: str
    programs: tuple[str, ...]
    query: bool = False
    repeated: bool = False

    def parse(self, typed: str) -> Any:
        """The value that a text states; raises BadParameterError, with an example."""
        try:
            return self.form(self.name, typed)
        except BadParameterError as error:
            if not error.hint:
                error.hint = (
                    f"For example {self.name}={self.example}."
                    if self.query
                    else (f"For example {self.flag} {self.example}.")
                )
            raise


BOTH = ("serve", "record")
SERVE = ("serve",)
RECORD = ("record",)
QUERY = ("query",)
STUDY = ("study",)
SESSION = ("serve", "record", "query")
EVERY = ("serve", "record", "backfill", "query", "study", "cache", "lake", "capture")
CAPTURE = ("capture",)
SESSIONS = (*SESSION, "study")
LAKE = ("lake",)
BACKFILL = ("backfill",)

SETTINGS: tuple[Setting, ...] = (
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
        "symbols",
        "--symbols",
        (),
        column_list,
        "SYMBOLS",
        "Contracts, roots (the busiest contract of each day), continuous names, or tickers, with commas between. Left "
        "out: every root or ticker that the lake holds.",
        "ES,MNQ",
        BACKFILL,
    ),
    Setting(
        "start",
        "--start",
        None,
        date,
        "YYYY-MM-DD",
        "First day. Left out: the first that the lake holds.",
        "2026-01-02",
        BACKFILL,
    ),
    Setting(
        "end",
        "--end",
        None,
        date,
        "YYYY-MM-DD",
        "Last day, which is recorded too. Left out: the last that the lake holds.",
        "2026-03-31",
        BACKFILL,
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
    Setting(
        "choose",
        "--choose",
        None,
        session_dates,
        "DAYS",
        "Days, as in --dt, on which the best of the sets is chosen: the one whose score has the highest rank "
        "correlation with the move over 5 s. With --report.",
        "2026-02-02..2026-02-03",
        STUDY,
    ),
    Setting(
        "report",
        "--report",
        None,
        session_dates,
        "DAYS",
        "Days, other than those of --choose, that the report is of.",
        "2026-02-04..2026-02-06",
        STUDY,
    ),
    Setting(
        "every_seconds",
        "--every-seconds",
        1,
        count,
        "SECONDS",
        "Time between two samples; 5 or 10 suit names in which little happens.",
        "5",
        STUDY,
    ),
    Setting(
        "columns",
        "--columns",
        (),
        column_list,
        "NAMES",
        "Further scalar columns of frames to measure, with commas between.",
        "vacuum_above,vacuum_below",
        STUDY,
    ),
    Setting(
        "fees",
        "--fees",
        0.0,
        fees,
        "AMOUNT",
        "Fees of one contract or share and one side, in the price's currency: they stand beside every move.",
        "1.20",
        STUDY,
    ),
    Setting(
        "seed",
        "--seed",
        1,
        count,
        "NUMBER",
        "Seed of the resampling; the same gives the same report.",
        "7",
        STUDY,
    ),
    Setting(
        "cross_check",
        "--cross-check",
        False,
        switch,
        "",
        "Set the score's intervals beside those of another bootstrap, of the package arch, with blocks as long as that "
        "finds right. Needs the extra study.",
        "yes",
        STUDY,
    ),
    Setting(
        "fields",
        "--fields",
        None,
        field_list,
        "NAMES",
        "Grid columns wanted, with commas between; the scalar columns always come. none: those alone. Left out: all.",
        "pressure,vacuum",
        (*RECORD, *BACKFILL),
        query=True,
    ),
    Setting(
        "after",
        "--after",
        None,
        place,
        "SESSION.EVENT",
        "The newest frame that the viewer holds already, as session_id.event_id: only later ones come.",
        "1f0c9a7e52b4.120391",
        (),
        query=True,
    ),
    Setting(
        "alone",
        "--alone",
        False,
        switch,
        "",
        "A session of the viewer's own, which no other viewer joins: it may be paused and stepped. At speed 0 every "
        "session is.",
        "yes",
        (),
        query=True,
    ),
    Setting(
        "out",
        "--out",
        None,
        text,
        "FILE",
        "File to write, Arrow or Parquet by its ending (.arrow, .parquet). It is written whole or not at all.",
        "mnq.parquet",
        RECORD,
    ),
    Setting(
        "out",
        "--out",
        None,
        text,
        "DIRECTORY",
        "Directory of the recordings, one of its own for each kind of request; it is made if need be.",
        "frames",
        BACKFILL,
    ),
    Setting(
        "workers",
        "--workers",
        None,
        count,
        "COUNT",
        "Most sessions to work on at a time. Left out: one a processor.",
        "4",
        BACKFILL,
    ),
    Setting(
        "engine",
        "--engine",
        "local",
        engine,
        "ENGINE",
        "What runs them: local, processes of this machine; or ray, a Ray cluster (vacuum-pressure[ray]).",
        "ray",
        BACKFILL,
    ),
    Setting(
        "address",
        "--address",
        None,
        text,
        "ADDRESS",
        "Of the Ray cluster: auto for the one that this machine is part of. Left out: one is started on this machine, "
        "and ended at the end.",
        "auto",
        BACKFILL,
    ),
    Setting(
        "memory_limit_gb",
        "--memory-limit-gb",
        None,
        limit_gb,
        "GIGABYTES",
        "Most memory that these take together; as many are worked on as there is room for. Left out: nine tenths of "
        "what is free at the start.",
        "8",
        BACKFILL,
    ),
    Setting(
        "then",
        "--then",
        None,
        sequel,
        "WHAT",
        f"What to make of the recorded sessions besides: {', '.join(SEQUELS)}, one of each day and one of all days "
        "of a symbol.",
        "study",
        BACKFILL,
    ),
    Setting(
        "sql",
        "--sql",
        None,
        text,
        "SQL",
        "One statement of DuckDB's SQL over the views that --list names.",
        '"SELECT action, count(*) FROM events GROUP BY action"',
        QUERY,
    ),
    Setting(
        "list",
        "--list",
        False,
        switch,
        "",
        "List the named queries and the views; with a query's name, all about that one.",
        "yes",
        QUERY,
    ),
    Setting(
        "set",
        "--set",
        {},
        assignments,
        "NAME=VALUE",
        "Values of the query's parameters, with commas between.",
        "levels=5",
        QUERY,
    ),
    Setting(
        "recording",
        "--recording",
        None,
        text,
        "FILE",
        "File of frames that vp.record wrote. Left out: the newest of the session in the lake's recordings.",
        "frames.parquet",
        QUERY,
    ),
    Setting(
        "recording",
        "--recording",
        (),
        text,
        "FILE",
        "File of frames that vp.record wrote, to be studied instead of a session; once for each. A recording with "
        "--throttle-ms 0 has every event end.",
        "frames.parquet",
        STUDY,
        repeated=True,
    ),
    Setting(
        "build",
        "--build",
        False,
        switch,
        "",
        "Build a book that the cache does not hold, and keep it there.",
        "yes",
        QUERY,
    ),
    Setting(
        "format",
        "--format",
        None,
        output_format,
        "FORMAT",
        f"How to write the answer: {', '.join(FORMATS)}. Left out: by the ending of --out, else a table.",
        "csv",
        QUERY,
    ),
    Setting(
        "out",
        "--out",
        None,
        text,
        "FILE",
        "File to write, whole or not at all. Left out: standard output.",
        "depth.parquet",
        QUERY,
    ),
    Setting(
        "out",
        "--out",
        None,
        text,
        "FILE",
        "File of the report, .html; beside it lie the same as .md and every figure as .parquet. Left out: the report "
        "as Markdown to standard output.",
        "es.html",
        STUDY,
    ),
    Setting(
        "context_minutes",
        "--context-minutes",
        10.0,
        context_minutes,
        "MINUTES",
        "How much of the time before the start a paced session shows as history, at most a frame a second; 0 to 30.",
        "30",
        SERVE,
    ),
    Setting("port", "--port", 8002, port, "PORT", "Port to listen on; 0 takes any free one.", "8002", SERVE),
    Setting(
        "host",
        "--host",
        "127.0.0.1",
        text,
        "ADDRESS",
        "Address to listen on. Only this machine can reach 127.0.0.1; any other address lets the network in, "
        "and nothing asks who is there.",
        "127.0.0.1",
        SERVE,
    ),
    Setting(
        "allow_origin",
        "--allow-origin",
        (),
        origin,
        "ORIGIN",
        "Web site whose pages may use this server besides its own page; give it once for each. Behind a proxy, the "
        "site that people see.",
        "https://trade.example",
        SERVE,
        repeated=True,
    ),
    Setting(
        "max_viewers", "--max-viewers", 500, count, "COUNT", "Most viewers at a time; more are told so.", "50", SERVE
    ),
    Setting(
        "max_sessions",
        "--max-sessions",
        8,
        count,
        "COUNT",
        "Most sessions at work at a time, runs at speed 0 included.",
        "4",
        SERVE,
    ),
    Setting(
        "upstream",
        "--upstream",
        None,
        stream_server,
        "URL",
        "Another server, ws:// or wss://, whose sessions are handed on to viewers of this one: one connection there "
        "for each session, however many watch it here.",
        "ws://origin.example:8002",
        SERVE,
    ),
    Setting(
        "enable_query",
        "--enable-query",
        False,
        switch,
        "",
        "Answer SQL over the lake at /v1/vacuum-pressure/query: read-only, with limits of time, memory and rows.",
        "yes",
        SERVE,
    ),
    Setting(
        "lake",
        "--lake",
        None,
        text,
        "DIRECTORY",
        "Directory of the raw files and the cache. Left out: $VP_LAKE, else ./lake.",
        "./lake",
        EVERY,
    ),
    Setting(
        "file",
        "--file",
        None,
        text,
        "FILE",
        "Raw file (.dbn or .dbn.zst) to play, wherever it lies and whatever its name: instead of those of the lake. "
        "Contract and date are its own, and must be named where it holds several.",
        "mnq.dbn.zst",
        SESSIONS,
    ),
    Setting(
        "products",
        "--products",
        None,
        text,
        "FILE",
        "File of products (futures, tickers, spreads) that adds to those that VP knows and to products.yaml in the "
        "lake's root, and overrides them.",
        "products.yaml",
        (*SESSIONS, *BACKFILL, "lake", *CAPTURE),
    ),
    Setting(
        "decompressed_limit_gb",
        "--decompressed-limit-gb",
        DECOMPRESSED_LIMIT_GB,
        limit_gb,
        "GIGABYTES",
        "Most disk that decompressed copies of .zst files take in the lake's cache, so that they start as fast as "
        "uncompressed ones; the copy used longest ago goes first, 0 keeps none.",
        "20",
        (*BOTH, "study"),
    ),
    Setting(
        "cache_limit_gb",
        "--cache-limit-gb",
        CACHE_LIMIT_GB,
        limit_gb,
        "GIGABYTES",
        "Most disk that the lake's cache takes in all: books, decompressed copies, overviews and surveys. What "
        "was used longest ago goes first, what nobody has used for 90 days too, and a GiB of the disk stays free.",
        "30",
        (*BOTH, *BACKFILL),
    ),
    Setting(
        "history_limit_gb",
        "--history-limit-gb",
        HISTORY_LIMIT_GB,
        limit_gb,
        "GIGABYTES",
        "Most disk that the older frames of all sessions take together, of those that are over too; the oldest go "
        "first, those of sessions that are over before others. 0 keeps in memory what fits there and nothing else.",
        "20",
        SERVE,
    ),
    Setting(
        "history_directory",
        "--history-directory",
        None,
        text,
        "DIRECTORY",
        "Where these frames lie, in a file without a name. Left out: the lake's cache, or the system's temporary "
        "directory if that cannot be written to; of one that lies in memory (tmpfs) at most 256 MiB are used then.",
        "/srv/history",
        SERVE,
    ),
    Setting(
        "link",
        "--link",
        False,
        switch,
        "",
        "Import links to the files, which take no room; this is so without --copy, too.",
        "yes",
        LAKE,
    ),
    Setting(
        "copy",
        "--copy",
        False,
        switch,
        "",
        "Import copies of the files.",
        "yes",
        LAKE,
    ),
    Setting(
        "dry_run",
        "--dry-run",
        False,
        switch,
        "",
        "Say what would be done, and do nothing.",
        "yes",
        (*LAKE, *BACKFILL),
    ),
    Setting(
        "clear",
        "--clear",
        None,
        cache_name,
        "WHAT",
        f"Delete {', '.join(CACHES[:-1])} or all of it; it is made again when it is needed.",
        "decompressed",
        ("cache",),
    ),
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
    Setting(
        "log_level",
        "--log-level",
        "warning",
        log_level,
        "LEVEL",
        f"How much to say on stderr: {', '.join(LOG_LEVELS)}. debug also shows where an unexpected error came from.",
        "info",
        EVERY,
    ),
    Setting(
        "log_format",
        "--log-format",
        "text",
        log_format,
        "FORM",
        f"How to say it: {', '.join(LOG_FORMATS)}, one line an event.",
        "json",
        SERVE,
    ),
)


def of_program(program: str) -> tuple[Setting, ...]:
    """The settings that a program takes."""
    return tuple(setting for setting in SETTINGS if program in setting.programs)


def of_query() -> tuple[Setting, ...]:
    """The settings that the stream's address takes."""
    return tuple(setting for setting in SETTINGS if setting.query)


def shown(value: Any) -> str:
    """A value as a person would type it: 1 rather than 1.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)
