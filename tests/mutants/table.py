"""The tables of planted faults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TABLES = sorted(Path(__file__).parent.glob("*.toml"))


@dataclass(frozen=True)
class Mutant:
    """One planted fault.

    Attributes
    ----------
    table : str
        Which part of the product: kernels, model, server, download, page.
    name : str
        What is wrong with it, for people.
    file : str
        Path in the checkout.
    find, replace : str
        Code that stands in the file exactly once, and what takes its place.
    test : str
        The pytest node that must fail, a file or a test of one.
    jit : bool
        Whether the test needs compiled kernels; interpreted ones need no minute of compiling.
    """

    table: str
    name: str
    file: str
    find: str
    replace: str
    test: str
    jit: bool

    def planted(self, text: str) -> str:
        """The file's text with the fault in it.

        Raises
        ------
        ValueError
            The code is not there exactly once: the table is older than the code.
        """
        if text.count(self.find) != 1:
            raise ValueError(
                f"{self.file} holds the code of {self.name!r} {text.count(self.find)} times, expected once"
            )
        return text.replace(self.find, self.replace)

    @contextmanager
    def planted_in(self, checkout: Path) -> Iterator[None]:
        """Have the fault in a checkout's file for a while."""
        path = checkout / self.file
        text, found = path.read_text(encoding="utf-8"), path.stat()
        path.write_text(self.planted(text), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))  # its byte code is as good as before


def load() -> list[Mutant]:
    """Every planted fault of every table, in the tables' order."""
    tables = [(path.stem, tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]) for path in TABLES]
    return [Mutant(table, **{"jit": False, **entry}) for table, entries in tables for entry in entries]
