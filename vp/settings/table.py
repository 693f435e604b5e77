"""Every option of the programs and of the stream's address, in one table.

The table feeds the command lines (vp.programs.command_line), the websocket's query string (vp.server.stream.request)
and docs/options.md. It imports nothing heavy, so that `--help` answers at once.
"""

from __future__ import annotations

from typing import Any

from vp.settings.backfill import BACKFILL_SETTINGS
from vp.settings.feed import FEED_SETTINGS
from vp.settings.forms import LOG_FORMATS, LOG_LEVELS, log_format, log_level
from vp.settings.lake import LAKE_SETTINGS
from vp.settings.output import OUTPUT_SETTINGS
from vp.settings.server import SERVER_SETTINGS
from vp.settings.session import SESSION_SETTINGS
from vp.settings.setting import EVERY, SERVE, Setting
from vp.settings.study import STUDY_SETTINGS

LOG_SETTINGS: tuple[Setting, ...] = (
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

SETTINGS: tuple[Setting, ...] = (
    *SESSION_SETTINGS,
    *STUDY_SETTINGS,
    *OUTPUT_SETTINGS,
    *BACKFILL_SETTINGS,
    *SERVER_SETTINGS,
    *LAKE_SETTINGS,
    *FEED_SETTINGS,
    *LOG_SETTINGS,
)
"""In the order in which they are told."""


def of_program(program: str) -> tuple[Setting, ...]:
    """The settings that a program takes."""
    return tuple(setting for setting in SETTINGS if program in setting.programs)


def of_query() -> tuple[Setting, ...]:
    """The settings that the stream's address takes."""
    return tuple(setting for setting in SETTINGS if setting.query)


def shown(value: Any) -> str:
    """A value as a person would type it: 1 rather than 1.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)
