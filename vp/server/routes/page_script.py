"""The page's modules as one script, and without what only their readers need.

Apart, each module would be compressed by itself and asked for only once the module that imports it had come.
Together they are a fifth lighter, and come at once. No parser of the language takes part: the few ways in which web/
imports and exports are known by their lines, and whatever else would have to be understood is refused.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from vp.errors import PageScriptError, quoted

FIRST = "main.js"
MODULES = "$modules"
HINT = 'Modules import by a line of import { a, b as c } from "./other.js"; and export a const, class or function.'
# Comments and types, which no text of the page looks like; and indentation, which no text of the page minds.
COMMENT = re.compile(r"/\*\*(?:(?!\*/).)*\*/[ \t]*", re.DOTALL)
LINE_COMMENT = re.compile(r"(?:^|(?<=[\s;{}),]))// .*$", re.MULTILINE)
INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
EMPTY_LINES = re.compile(r"^\n+", re.MULTILINE)
# Spaces that no meaning hangs on: around a sign, and around an operator between two operands.
SPACES = re.compile(r" ?([+\-*/%]?=|[{}()\[\],;:?<>*&|!]) ?|(?:(?<=[\w)\]]) |(?<=[)\]] ))([+\-*/%]) (?=[\w(\[])")
# That a name is never given another value is for the type checker: one word for both compresses better.
CONSTANT = re.compile(r"\bconst(?=[ {\[])")
# A line in which nothing can go wrong, and before which a statement needs no end; behind a `)` it may be all of one.
CLOSING = re.compile(r"[}\])]+[;,]?")
LAST_END = re.compile(r"(?<!\));$")
TEXT = re.compile(r'("(?:[^"\\]|\\.)*"|`[^`]*`)')
DIVISION = re.compile(r"(?<=[\w)\]]) /=? ")
IMPORT = re.compile(r'^import (\{ [\w, ]+ \}|\* as \w+) from "\./([\w-]+\.js)";$', re.MULTILINE)
IMPORTED = re.compile(r"(\w+)(?: as \w+)?")
EXPORT = re.compile(r"^export (?=(?:const (\w+) =|class (\w+) |(?:async )?function (\w+)\())", re.MULTILINE)
REFUSED = {
    "an import or export of another form": re.compile(r"(?:^|;)[ \t]*(?:import|export)\s*[\w{*'\"]", re.MULTILINE),
    "an import while it runs": re.compile(r"(?<![.\w])import\s*[(.]"),
    "an await outside of functions": re.compile(r"^(?![ \t])(?:(?!\basync\b).)*\bawait\b", re.MULTILINE),
    f"{MODULES}, a name of the script's own": re.compile(re.escape(MODULES)),
}


@dataclass(frozen=True)
class _Module:
    """A module taken apart: what it imports (as it is written, and from where), what it exports, and the rest of it."""

    imports: list[tuple[str, str]]
    exports: list[str]
    body: str


def stripped(source: str) -> str:
    """A script as it is sent: without comments, types, indentation and empty lines."""
    return EMPTY_LINES.sub("", INDENTATION.sub("", LINE_COMMENT.sub("", COMMENT.sub("", source))))


def tightened(script: str) -> str:
    """A script without the spaces that are there for its readers, and with one word for names.

    Its lines stay, but for those that only close something, so that a line which a browser reports is found.
    What a line says in quotes is left as it is, and so is each line of which it is not plain without a parser where
    they end: one of a text of several lines, with a text in a text, in other quotes, or with a slash that does not
    divide and so may begin a pattern.
    """
    lines: list[str] = []
    within_text = False
    for line in script.split("\n"):
        marks = line.count("`")
        code = TEXT.sub("", line)
        plain = not within_text and marks in {0, 2} and not re.search("['`/]", DIVISION.sub("", code))
        parts = TEXT.split(line) if plain else []
        tight = "".join(
            part if i % 2 else CONSTANT.sub("let", SPACES.sub(r"\1\2", part)) for i, part in enumerate(parts)
        )
        if lines and CLOSING.fullmatch(line) and not within_text:
            lines[-1] = LAST_END.sub("", lines[-1]) + line
        else:
            lines.append(tight if plain else line)
        within_text ^= marks % 2 == 1
    return "\n".join(lines)


@functools.cache
def page_script(web: Path) -> dict[Path, str]:
    """What is sent in place of each module that main.js of a directory reaches; made once a process.

    In place of main.js all of them, each in a scope of its own and behind those that it imports. In place of any other
    what it exports, out of main.js: whoever imports one by itself has the very objects that the page has.

    Raises
    ------
    PageScriptError
        A module is missing, or is written in a way that cannot be put together.
    """
    modules: dict[str, _Module] = {}
    _gather(web, FIRST, (), modules)
    scopes = "".join(_scope(name, module) for name, module in modules.items())
    single = {web / name: f'import {{ {MODULES} }} from "./{FIRST}";\n{_exports(name, modules)}' for name in modules}
    whole = f"const {MODULES} = {{}};\n{scopes}{_exports(FIRST, modules)}export {{ {MODULES} }};\n"
    return single | {web / FIRST: tightened(whole)}


def _gather(web: Path, name: str, importers: tuple[str, ...], modules: dict[str, _Module]) -> None:
    """Put a module behind those that it imports, in the order in which a browser would run them."""
    if name in importers:
        circle = " imports ".join((*importers[importers.index(name) :], name))
        raise PageScriptError(
            f"Modules of the page import each other: {circle}.", hint="Move what both need to a third."
        )
    if name in modules:
        return
    module = _taken_apart(web, name, importers)
    for written, other in module.imports:
        _gather(web, other, (*importers, name), modules)
        wanted = IMPORTED.findall(written) if written.startswith("{") else []
        if missing := sorted({*wanted} - {*modules[other].exports}):
            raise PageScriptError(
                f"{name} imports {', '.join(missing)} from {other}, which exports no such name.", hint=HINT
            )
    modules[name] = module


def _taken_apart(web: Path, name: str, importers: tuple[str, ...]) -> _Module:
    try:
        source = (web / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PageScriptError(
            f"{name} is missing in {web}; {importers[-1] if importers else 'the page'} needs it.",
            hint="Correct the import, or install the package anew.",
        ) from None
    code = COMMENT.sub(lambda found: "\n" * found.group().count("\n"), source)  # lines keep their numbers
    body = EXPORT.sub("", IMPORT.sub("", code))
    for what, pattern in REFUSED.items():
        if found := pattern.search(body):
            line = body.count("\n", 0, found.end())
            text = quoted(code.split("\n")[line].strip())
            raise PageScriptError(f"{name} has {what} in line {line + 1}: {text}.", hint=HINT)
    return _Module(IMPORT.findall(code), ["".join(names) for names in EXPORT.findall(code)], stripped(body))


def _held(name: str) -> str:
    return f'{MODULES}["{name.removesuffix(".js")}"]'


def _exports(name: str, modules: dict[str, _Module]) -> str:
    return f"export const {{ {', '.join(modules[name].exports)} }} = {_held(name)};\n"


def _scope(name: str, module: _Module) -> str:
    taken = "".join(
        f"const {written.removeprefix('* as ').replace(' as ', ': ')} = {_held(other)};\n"
        for written, other in module.imports
    )
    return f"{_held(name)} = (() => {{\n{taken}{module.body}return {{ {', '.join(module.exports)} }};\n}})();\n"
