"""What one option is: its names, its form, and the programs that take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vp.errors import BadParameterError


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
