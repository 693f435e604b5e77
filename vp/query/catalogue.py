"""What can be asked: views, and the named queries of sql/, one a file, whose header says what it gives and takes.

A header is a run of comment lines: `Purpose`, `Grain`, `Reads` (views), `Parameter` (one a line: name, type,
default where it has one, meaning), `Columns` (one a line: name, type, meaning with unit) and `Example`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from vp.errors import BadParameterError, QueryError
from vp.package_files import package_file

HEADER_LINE = re.compile(r"-- (Purpose|Grain|Reads|Parameter|Columns|Example):\s*(.*)")
COLUMN_LINE = re.compile(r"--   (\w+)\s{2,}([A-Z_0-9\[\]]+)\s{2,}(\S.*)")
PARAMETER_FORM = re.compile(r"(\w+), (BIGINT|DOUBLE|VARCHAR)(?:, default ([^:]+))?: (.+)")
PLACE = re.compile(r"\$(\w+)")
READERS: dict[str, tuple[type, str]] = {
    "BIGINT": (int, "a whole number"),
    "DOUBLE": (float, "a number"),
    "VARCHAR": (str, "text"),
}

VIEWS = {
    "events": "the session's records in file order; event_id as in frames, price in 1e-9 units",
    "session": "one row: contract, tick and bucket in 1e-9 units, times",
    "book": "the orders resting 30 minutes before --start-time, bids then asks, in queue order",
    "gaps": "what the feed of a session that was recorded live has not delivered, and whether it was bridged",
    "frames": "the frames of the session's recording, or of --recording",
    "quality": "runs of frames that cannot be trusted, by reason; without a recording, of the session's own",
    "recording": "one row: what the recording's metadata says",
    "raw_files": "raw files of every kind in the lake",
    "book_files": "cached books",
    "recording_files": "recordings in the lake",
}


@dataclass(frozen=True)
class Parameter:
    """A value that a query takes; `default` is None where it must be given."""

    name: str
    type: str
    default: str | None
    meaning: str


@dataclass(frozen=True)
class NamedQuery:
    """One file of sql/.

    Attributes
    ----------
    name : str
        The file's name without its ending.
    sql : str
        Without the header.
    purpose, grain, example : str
    reads : tuple of str
        The views it reads.
    parameters : tuple of Parameter
    columns : tuple of (name, DuckDB type, meaning with unit)
    """

    name: str
    sql: str
    purpose: str
    grain: str
    example: str
    reads: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    columns: tuple[tuple[str, str, str], ...]

    def values(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The value of every parameter, from texts.

        Raises
        ------
        BadParameterError
            One that there is not, one that is missing, or one of the wrong form.
        """
        names = [parameter.name for parameter in self.parameters]
        for name in given:
            if name not in names:
                hint = f"It takes {', '.join(names)}." if names else "It takes none."
                raise BadParameterError(f"The query {self.name} takes no parameter {name[:60]!r}.", hint=hint)
        return {parameter.name: self._value(parameter, given.get(parameter.name)) for parameter in self.parameters}

    def macro(self) -> str:
        """The statement that makes it a table macro of its own name: `FROM depth(levels := 5)`."""
        arguments = [
            parameter.name + ("" if parameter.default is None else f" := {_literal(parameter)}")
            for parameter in self.parameters
        ]
        body = PLACE.sub(lambda place: place[1], self.sql)
        return f"CREATE OR REPLACE TEMP MACRO {self.name}({', '.join(arguments)}) AS TABLE ({body})"

    def refusing(self, reason: str) -> NamedQuery:
        """The same but for its answer, which is an error of these words."""
        return replace(self, sql=f"SELECT error('{reason.replace(chr(39), chr(39) * 2)}') AS error")

    def _value(self, parameter: Parameter, text: str | None) -> Any:
        text = parameter.default if text is None else text
        if text is None:
            raise BadParameterError(
                f"The query {self.name} wants {parameter.name}: {parameter.meaning}.",
                hint=f"For example: {self.example}",
            )
        read, expected = READERS[parameter.type]
        try:
            return read(text)
        except ValueError:
            raise BadParameterError(
                f"{parameter.name} was {text[:60]!r}, expected {expected}: {parameter.meaning}.",
                hint=f"For example: {self.example}",
            ) from None


def load() -> dict[str, NamedQuery]:
    """Every named query that can be used, by name."""
    return read_files()[0]


def named_in(sql: str) -> list[str]:
    """The named queries whose names a text holds, as whatever: it can call no others."""
    words = {word.lower() for word in re.findall(r"\w+", sql)}
    return [name for name in load() if name.lower() in words]


def with_called(names: Iterable[str]) -> list[NamedQuery]:
    """Those named queries and all that they call, each behind what it calls."""
    queries = load()
    found: dict[str, NamedQuery] = {}
    begun: set[str] = set()

    def add(name: str) -> None:
        if name not in begun:
            begun.add(name)
            for called in named_in(queries[name].sql):
                add(called)
            found[name] = queries[name]

    for name in names:
        add(name)
    return list(found.values())


def broken() -> dict[str, str]:
    """What is wrong with each file of sql/ that is no named query, by its name without the ending."""
    return read_files()[1]


def find(name: str) -> NamedQuery:
    """The query of that name; raises BadParameterError, which lists those there are, or QueryError of a broken file."""
    queries = load()
    if name in broken():
        raise QueryError(f"sql/{name}.sql cannot be used: {broken()[name]}.", hint="Mend the file, or take it away.")
    if name not in queries:
        if name in VIEWS:
            raise BadParameterError(
                f"There is no query named {name!r}: it is a view.", hint=f'Ask it by --sql "FROM {name}".'
            )
        near = difflib.get_close_matches(name.lower(), queries, n=3, cutoff=0.5)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        raise BadParameterError(
            f"There is no query named {name[:60]!r}.{meant}",
            hint=f"There are {', '.join(queries)}; SQL goes after --sql.",
        )
    return queries[name]


def parse(name: str, text: str) -> NamedQuery:
    """The query in a file's text.

    Raises
    ------
    ValueError
        The header is not of the form, or there is nothing after it.
    """
    facts: dict[str, str] = {}
    parameters: list[Parameter] = []
    columns: list[tuple[str, str, str]] = []
    lines = text.splitlines()
    body = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    for line in lines[:body]:
        head = HEADER_LINE.fullmatch(line)
        column = COLUMN_LINE.fullmatch(line)
        if head is not None and head[1] == "Parameter":
            form = PARAMETER_FORM.fullmatch(head[2])
            if form is None:
                raise ValueError(f"a parameter of another form: {head[2]}")
            parameters.append(Parameter(*form.groups()))
        elif head is not None:
            facts[head[1]] = head[2]
        elif column is not None:
            columns.append((column[1], column[2], column[3]))
        else:
            raise ValueError(f"a header line of another form: {line}")
    sql = "\n".join(lines[body:]).strip()
    missing = [fact for fact in ("Purpose", "Grain", "Reads", "Example") if fact not in facts]
    if missing or not sql:
        raise ValueError(f"the header has no {missing[0]}" if missing else "there is no query after the header")
    reads = tuple(facts["Reads"].split(", "))
    strange = [view for view in reads if view not in VIEWS]
    if strange:
        raise ValueError(f"its Reads names {strange[0]!r}, expected views: {', '.join(VIEWS)}")
    return NamedQuery(
        name,
        sql,
        facts["Purpose"],
        facts["Grain"],
        facts["Example"],
        reads,
        tuple(parameters),
        tuple(columns),
    )


@cache
def read_files() -> tuple[dict[str, NamedQuery], dict[str, str]]:
    """What `load` and `broken` give; read once."""
    queries: dict[str, NamedQuery] = {}
    broken: dict[str, str] = {}
    for path in sorted(package_file("sql").glob("*.sql")):
        try:
            queries[path.stem] = parse(path.stem, path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            broken[path.stem] = str(error)
    return queries, broken


def _literal(parameter: Parameter) -> str:
    text = parameter.default or ""
    return "'" + text.replace("'", "''") + "'" if parameter.type == "VARCHAR" else text
