"""`vp PROGRAM`: every program of the product under one name, the same that `python -m vp.PROGRAM` runs."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from vp import __version__
from vp.errors import BadParameterError
from vp.programs import command_line as cli


@dataclass(frozen=True)
class Program:
    """A program: its words after `vp`, the module of its `main`, and what it is for."""

    words: tuple[str, ...]
    module: str
    purpose: str

    @property
    def name(self) -> str:
        """As typed after `vp`."""
        return " ".join(self.words)

    def main(self, arguments: Sequence[str]) -> int:
        """Run it; returns its exit code. Imported only now, so that `--help` is fast."""
        run: Callable[..., int] = import_module(self.module).main
        return run(*self.words[1:], arguments)


PROGRAMS = (
    Program(("serve",), "vp.serve", "serve a session to browsers and programs"),
    Program(("record",), "vp.record", "write the frames of a session into a file"),
    Program(("backfill",), "vp.backfill.__main__", "record many sessions, those that are not there yet"),
    Program(("query",), "vp.query.__main__", "ask the lake with SQL"),
    Program(("study",), "vp.study.__main__", "measure what score and state foretell, with intervals"),
    Program(("cache",), "vp.cache", "show what the lake's cache holds, and clear it"),
    Program(("lake",), "vp.lake.__main__", "list what the lake holds, and import files into it"),
    Program(("capture",), "vp.capture.__main__", "record the live feed into the lake"),
    Program(("download", "futures"), "vp.programs.download", "fill the lake with futures and their options"),
    Program(("download", "equities"), "vp.programs.download", "fill the lake with equities and their options"),
)
HELP = ("--help", "-h")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program that the first words name, with the rest; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in HELP:
        sys.stdout.write(help_text(PROGRAMS))
        return 0
    if given[0] == "--version":
        sys.stdout.write(f"Vacuum Pressure {__version__}\n")
        return 0
    program = next((one for one in PROGRAMS if tuple(given[: len(one.words)]) == one.words), None)
    if program is not None:
        return program.main(given[len(program.words) :])
    family = [one for one in PROGRAMS if one.words[0] == given[0]]
    if family and given[1:2] and given[1] in HELP:
        sys.stdout.write(help_text(family))
        return 0
    raise _unknown(given, family)


def help_text(programs: Sequence[Program]) -> str:
    """What `vp --help` prints of some programs."""
    width = max(len(program.name) for program in programs)
    lines = ["usage: vp PROGRAM [OPTION...]", "", "Vacuum Pressure: pressure and vacuum around the price, live.", ""]
    lines += ["programs:", *(f"  {program.name:<{width}}  {program.purpose}" for program in programs)]
    lines += ["", "`vp PROGRAM --help` explains every option of a program; `vp --version` tells the version."]
    return "\n".join(lines) + "\n"


def _unknown(given: Sequence[str], family: Sequence[Program]) -> BadParameterError:
    """What to say of words that name no program; `family` are those that begin with the first of them."""
    if family:
        names = ", ".join(program.name for program in family)
        what = f"not {given[1][:60]!r}" if given[1:] else "which one is not said"
        return BadParameterError(f"vp {given[0]} is several programs, {what}.", hint=f"They are {names}.")
    known = [program.name for program in PROGRAMS]
    near = difflib.get_close_matches(given[0], known, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return BadParameterError(f"There is no program {given[0][:60]!r}.{meant}", hint=f"There are {', '.join(known)}.")
