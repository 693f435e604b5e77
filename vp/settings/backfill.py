"""Options of recording many sessions."""

from __future__ import annotations

from vp.settings.forms import SEQUELS, STAGING_LIMIT_GB, column_list, count, date, engine, limit_gb, sequel, text
from vp.settings.setting import BACKFILL, Setting

BACKFILL_SETTINGS: tuple[Setting, ...] = (
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
        "out",
        "--out",
        None,
        text,
        "DIRECTORY",
        "Directory of the recordings, one of its own for each kind of request; it is made if need be. Or a place in "
        "object storage, s3://BUCKET/PREFIX.",
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
        "staging_directory",
        "--staging-directory",
        None,
        text,
        "DIRECTORY",
        "Where objects of a lake in object storage are kept on this machine (on each node of a cluster), and what is "
        "uploaded is written first: on a disk of its own. Left out: below the user's cache.",
        "/srv/staging",
        BACKFILL,
    ),
    Setting(
        "staging_limit_gb",
        "--staging-limit-gb",
        STAGING_LIMIT_GB,
        limit_gb,
        "GIGABYTES",
        "Most disk that these objects take together; what was used longest ago goes first.",
        "200",
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
)
