"""A report as Markdown, and as one HTML page that needs nothing besides; its figures as a table."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from html import escape

import polars as pl
import pyarrow as pa

from vp.logs import printable
from vp.study.measure import Measure
from vp.study.report import Heading, Paragraph, Part, Plot, Table
from vp.study.study import Study

DECIMALS = 9  # of a figure in the table: what is beyond differs between processors
STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --paper: #fff; --rule: #d5dae0; --head: #f2f4f6; --accent: #1b6ca8;
  --label: #444; --grid: #e4e4e4; --zero: #777; --bar: #b9c7d4;
  --c0: #1b6ca8; --c1: #c2571a; --c2: #3b7d3b; --c3: #7a4e9c; --c4: #777; --c5: #b03a5b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #d8dee6; --paper: #14181d; --rule: #38414b; --head: #1f262d; --accent: #5aa9e6;
    --label: #aab4bf; --grid: #2b333b; --zero: #8a95a1; --bar: #46586a;
    --c0: #5aa9e6; --c1: #f08a4b; --c2: #74c274; --c3: #b58ad9; --c4: #a0a8b0; --c5: #e8799a; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1080px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.verdict { font-size: 1.15rem; border-left: 4px solid var(--accent); padding-left: .8rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 12.5px; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--rule); padding: .15rem .5rem; text-align: left; white-space: nowrap; }
td.long { white-space: normal; min-width: 24rem; overflow-wrap: anywhere; } th { background: var(--head); }
svg { width: 100%; min-width: 640px; max-width: 760px; height: auto; display: block; fill: none; }
svg text { font: 11px system-ui, sans-serif; fill: var(--label); } svg text.title { font-size: 13px; font-weight: 600; }
"""
LONG_CELL = 80
MARKUP = re.compile(r"<(?=[A-Za-z/!?])")


def markdown(parts: Iterable[Part]) -> str:
    """The report without its plots."""
    written = []
    for part in parts:
        if isinstance(part, Heading):
            written.append(f"{'#' * part.level} {_in_line(part.text)}")
        elif isinstance(part, Paragraph):
            text = _in_line(part.text)
            written.append(f"**{text}**" if part.is_verdict else text)
        elif isinstance(part, Table):
            rows = [part.header, tuple("---" for _ in part.header), *part.rows]
            written.append(
                "\n".join("| " + " | ".join(_in_line(cell).replace("|", "\\|") for cell in row) + " |" for row in rows)
            )
    return "\n\n".join(written) + "\n"


def _in_line(text: str) -> str:
    """A text as Markdown's text: names of files stand in it, and markup in them would be a page's."""
    return MARKUP.sub("&lt;", printable(text))


def html(parts: Iterable[Part]) -> str:
    """The report as a page."""
    title, written = "", []
    for part in parts:
        if isinstance(part, Heading):
            title = title or part.text
            written.append(f"<h{part.level}>{escape(part.text)}</h{part.level}>")
        elif isinstance(part, Paragraph):
            verdict = ' class="verdict"' if part.is_verdict else ""
            written.append(f"<p{verdict}>{escape(part.text)}</p>")
        elif isinstance(part, Plot):
            written.append(f'<div class="wide">{part.svg}</div>')
        else:
            written.append(_table(part))
    body = "\n".join(written)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.header)
    rows = [
        "<tr>"
        + "".join(f"<td{' class=long' if len(cell) > LONG_CELL else ''}>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in table.rows
    ]
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def arrow_table(study: Study) -> pa.Table:
    """Every figure, a row each: the fields of Measure; what it was made of stands in the schema's metadata."""
    names = [field.name for field in dataclasses.fields(Measure)]
    rows = study.measures.rows
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    for name in ("value", "low", "high"):
        columns[name] = [round(value, DECIMALS) for value in columns[name]]
    metadata = {
        "vp.version": study.version,
        "vp.seed": str(study.seed),
        "vp.files": ", ".join(f"{name} {digest}" for source in study.sources for name, digest in source.files),
        "vp.parameters": ", ".join(f"{one.name} {one.digest}" for one in study.sets),
    }
    texts, numbers = pa.string(), pa.float64()
    types = {"value": numbers, "low": numbers, "high": numbers, "count": pa.int64()}
    schema = pa.schema([(name, types.get(name, texts)) for name in names], metadata=metadata)
    return pl.DataFrame(columns).to_arrow().cast(schema)  # pyarrow's own way imports pandas, where it is installed
