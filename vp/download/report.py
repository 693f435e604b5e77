"""What a download tells: bars where someone watches, plain lines with times where nobody does, never the key."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vp.download.vendor import without_key
from vp.errors import LakeError

LINE_FORM = "%(asctime)s %(levelname)s %(message)s"
TIME_FORM = "%Y-%m-%dT%H:%M:%SZ"
PLAIN_LINE_SECONDS = 10.0

log = logging.getLogger(__name__)


class KeylessFormatter(logging.Formatter):
    """Writes lines in UTC, without the key, whoever wrote it into them."""

    def __init__(self, key: str) -> None:
        super().__init__(LINE_FORM, TIME_FORM)
        self.converter = time.gmtime
        self._key = key

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return without_key(super().format(record), self._key)


class LogFile(logging.FileHandler):
    """The log file; where it cannot be written any more, that is said once and the download goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's own name
        """Give up this handler: a full disk is a sentence, not a traceback a line."""
        logging.getLogger().removeHandler(self)
        log.warning("the log file %s cannot be written any more: %s", self.baseFilename, sys.exc_info()[1])


class BarHandler(logging.Handler):
    """Writes lines above the bars of a terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line to stderr."""
        from tqdm import tqdm  # noqa: PLC0415

        tqdm.write(self.format(record), file=sys.stderr)


def configure_logging(log_file: str | None, key: str) -> None:
    """Log to stderr, and to a file where one is named; raises LakeError where it cannot be written."""
    handlers: list[logging.Handler] = [BarHandler() if sys.stderr.isatty() else logging.StreamHandler(sys.stderr)]
    if log_file:
        path = Path(log_file)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handlers.append(LogFile(path, encoding="utf-8", errors="backslashreplace"))
        except OSError as error:
            raise LakeError(
                f"The log {path} cannot be written: {error.strerror}.", hint="Choose another with --log-file."
            ) from error
    for handler in handlers:
        handler.setFormatter(KeylessFormatter(key))
    logging.basicConfig(level="INFO", handlers=handlers, force=True)
    logging.captureWarnings(capture=True)  # Databento announces changes of its service by warnings
    for noisy in ("databento", "urllib3"):
        logging.getLogger(noisy).setLevel("WARNING")


class Bar:
    """How much of one file has come."""

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._next_line_at = time.monotonic() + PLAIN_LINE_SECONDS
        self._bar: Any = None
        if sys.stderr.isatty():
            from tqdm import tqdm  # noqa: PLC0415

            self._bar = tqdm(
                desc=name, total=total, unit="B", unit_scale=True, file=sys.stderr, dynamic_ncols=True, leave=False
            )

    def at(self, done: int) -> None:
        """Show that `done` bytes have come."""
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        elif time.monotonic() >= self._next_line_at:
            self._next_line_at = time.monotonic() + PLAIN_LINE_SECONDS
            log.info("%s: %s of %s bytes", self._name, f"{done:,}", f"{self._total:,}")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


class Report:
    """Makes bars."""

    @contextmanager
    def bar(self, name: str, total: int) -> Iterator[Bar]:
        """A bar of `total` bytes."""
        bar = Bar(name, total)
        try:
            yield bar
        finally:
            bar.close()
