"""Log lines: one a line, as text or as JSON, and no more of a kind than someone can read."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from typing import Any

MOST_LINES = 20
WINDOW_SECONDS = 10.0
CONTROLS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb]"
)
"""What moves a terminal's cursor, ends a line, turns the direction of letters, cannot be seen, or is no character."""


def printable(text: str) -> str:
    """A text in one line, with escapes in place of CONTROLS: it may come from a stranger."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def event(log: logging.Logger, level: int, message: str, **fields: Any) -> None:
    """Log something that happened, with what is known of it as fields."""
    if log.isEnabledFor(level):
        log.log(level, message, extra={"fields": fields})


class Flood(logging.Filter):
    """Lets MOST_LINES of one kind (logger, level and message before its values) pass in WINDOW_SECONDS.

    The next one that passes says in `left_out` how many did not. So whoever sends nonsense all day fills no disk.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[tuple[str, int, str], list[float]] = {}  # start of the window, lines in it

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        now = time.monotonic()
        kind = record.name, record.levelno, str(record.msg)
        window = self._kinds.get(kind)
        if window is None or now - window[0] > WINDOW_SECONDS:
            left_out = 0 if window is None else int(window[1]) - MOST_LINES
            if left_out > 0:
                record.fields = {**_fields(record), "left_out": left_out}
            if len(self._kinds) > 1000:
                self._kinds.clear()
            window = self._kinds[kind] = [now, 0]
        window[1] += 1
        return window[1] <= MOST_LINES


class TextFormatter(logging.Formatter):
    """`LEVEL logger: message name=value`; a cause, if there is one, on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = f"{record.levelname} {record.name}: {printable(record.getMessage())}"
        line += "".join(f" {name}={printable(str(value))}" for name, value in _fields(record).items())
        if record.exc_info:  # indented, as a message within it may hold lines that look like ours
            line += "".join(f"\n  {printable(part)}" for part in self.formatException(record.exc_info).split("\n"))
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, the fields, and the cause, if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line = {"time": said, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        line |= _fields(record)
        if record.exc_info:
            line["cause"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(level: str, form: str = "text") -> None:
    """Log to stderr from `level` (a name of vp.settings.forms.LOG_LEVELS) on, in a `form` of LOG_FORMATS there."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    handler.addFilter(Flood())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return getattr(record, "fields", {})
