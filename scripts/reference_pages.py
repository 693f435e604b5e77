"""Write docs/options.md and docs/errors.md out of the code: `uv run python -m scripts.reference_pages`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import vp
from vp.errors import VPError
from vp.settings.setting import Setting
from vp.settings.table import of_program, of_query, shown

DOCS = Path(__file__).resolve().parents[1] / "docs"
PROGRAMS = ("serve", "record", "backfill", "capture", "query", "study", "cache", "lake")
GENERATED = "This page is written by `scripts/reference_pages.py` out of the code; change it there."


def options_page() -> str:
    """Every option of every program, and every parameter of the stream's address."""
    parts = [f"# Options\n\n{GENERATED} `--help` of each program says the same.\n"]
    for program in PROGRAMS:
        rows = [_row(f"{one.flag} {one.unit}".strip(), one, f"{one.flag} {one.example}") for one in of_program(program)]
        parts.append(f"## python -m vp.{program}\n\n{_table('option', rows)}")
    rows = [_row(one.name, one, f"{one.name}={one.example}") for one in of_query()]
    parts.append(
        "## The stream's address\n\nParameters of `WS /v1/vacuum-pressure/stream` ([protocol.md](protocol.md)). What "
        f"is left out has the value that the server was started with.\n\n{_table('parameter', rows)}"
    )
    return "\n".join(parts)


def errors_page() -> str:
    """Every error that a user can be told about, by its code."""
    rows = [
        f"| `{kind.code}` | {_meaning(kind)} | {kind.exit_code} | {kind.close_code} |"
        for kind in sorted(error_kinds(), key=lambda kind: kind.code)
    ]
    return (
        f"# Errors\n\n{GENERATED}\n\nA program that fails says one line that begins with `error:` and mostly one that "
        "begins with `hint:`, and ends with the exit code below. A server says the same to a viewer as an `error` "
        "message with `code`, `message` and `hint`, and then closes the websocket with the close code "
        "([protocol.md](protocol.md)); HTTP answers carry the same object. Codes are stable; sentences are for people "
        "and may change.\n\n| code | meaning | exit code | close code |\n| --- | --- | --- | --- |\n"
        + "\n".join(rows)
        + "\n"
    )


def error_kinds() -> list[type[VPError]]:
    """Every kind of error of the package, the base included."""
    for module in pkgutil.walk_packages(vp.__path__, "vp."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return [VPError, *_below(VPError)]


def _below(kind: type[VPError]) -> Iterator[type[VPError]]:
    for below in kind.__subclasses__():
        if below.__module__.startswith("vp."):
            yield below
            yield from _below(below)


def _meaning(kind: type[VPError]) -> str:
    return " ".join((inspect.getdoc(kind) or "").split())


def _row(name: str, setting: Setting, example: str) -> str:
    default = "" if setting.default in (None, (), {}, False) else f"`{shown(setting.default)}`"
    return f"| `{name}` | {default} | {setting.help} | `{example}` |"


def _table(first: str, rows: list[str]) -> str:
    return f"| {first} | default | meaning | example |\n| --- | --- | --- | --- |\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    (DOCS / "options.md").write_text(options_page(), encoding="utf-8")
    (DOCS / "errors.md").write_text(errors_page(), encoding="utf-8")
