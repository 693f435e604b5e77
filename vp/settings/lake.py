"""Options of the lake, its caches, and the kept history."""

from __future__ import annotations

from vp.settings.forms import (
    CACHE_LIMIT_GB,
    CACHES,
    DECOMPRESSED_LIMIT_GB,
    HISTORY_LIMIT_GB,
    cache_name,
    limit_gb,
    switch,
    text,
)
from vp.settings.setting import BACKFILL, BOTH, CAPTURE, EVERY, LAKE, SERVE, SESSIONS, Setting

LAKE_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "lake",
        "--lake",
        None,
        text,
        "DIRECTORY",
        "Directory of the raw files and the cache; for backfill also a place in object storage, s3://BUCKET/PREFIX. "
        "Left out: $VP_LAKE, else ./lake.",
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
)
