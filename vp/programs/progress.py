"""Progress in the terminal: a bar where someone watches, a few plain lines where nobody does."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, TextIO

from vp.model.progress import ProgressLike

PHASES = {
    "compile": "compiling, the first time only",
    "demo": "making demonstration",
    "decode": "reading file",
    "book": "building book",
    "warmup": "warming up",
    "live": "making frames",
}
PER_CENT = {"compile", "demo"}  # phases without records
PLAIN_LINE_SECONDS = 10.0


class TerminalProgress:
    """Shows the phases of a load, one bar each. A context manager; call it with each report."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._bar: Any = None
        self._phase = ""
        self._plain = not self._stream.isatty()
        self._next_line_at = 0.0

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __call__(self, progress: ProgressLike) -> None:
        """Show one report of the pipeline."""
        self._show(
            PHASES.get(progress.phase, progress.phase),
            progress.records_done,
            progress.records_total,
            "%" if progress.phase in PER_CENT else " records",
        )

    def share(self, phase: str, share: float) -> None:
        """Show how much of something without records is done: 0 to 1."""
        self._show(PHASES.get(phase, phase), round(100 * share), 100, "%")

    def close(self) -> None:
        """Leave the last bar standing."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, phase: str, done: int, total: int | None, unit: str) -> None:
        if self._plain:
            self._show_line(phase, done, total, unit)
        else:
            self._show_bar(phase, done, total, unit)

    def _show_bar(self, phase: str, done: int, total: int | None, unit: str) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - not needed for --help

        if phase != self._phase:
            self.close()
            self._phase = phase
            self._bar = tqdm(desc=phase, total=total, unit=unit, unit_scale=True, file=self._stream, dynamic_ncols=True)
        if self._bar is None:
            return
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def _show_line(self, phase: str, done: int, total: int | None, unit: str) -> None:
        now = time.monotonic()
        if phase == self._phase and now < self._next_line_at:
            return
        first = phase != self._phase
        self._phase = phase
        self._next_line_at = now + PLAIN_LINE_SECONDS
        of = f" of {total:,}" if total is not None and unit != "%" else ""
        self._stream.write(f"{phase}\n" if first else f"{phase}: {done:,}{of}{unit}\n")
        self._stream.flush()
