"""A study's report as files: for people, for text tools, and every figure as a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vp.output_file import output_file
from vp.parquet_encoding import parquet_writer
from vp.study.rendering import arrow_table, html, markdown
from vp.study.report import report
from vp.study.study import Study


def write(study: Study, out: Path, metadata: Mapping[str, str] | None = None) -> list[Path]:
    """Write the report to `out`, beside it the same as Markdown, and last every figure as Parquet; returns the paths.

    `metadata` stands in the schema of the Parquet file beside what a study says of itself. Each file is written whole
    or not at all.
    """
    parts: list[Any] = list(report(study))
    texts = {out: html(parts), out.with_suffix(".md"): markdown(parts)}
    for path, text in texts.items():
        with output_file(path) as file:
            file.write(text.encode())
    figures = arrow_table(study)
    figures = figures.replace_schema_metadata({**(figures.schema.metadata or {}), **(metadata or {})})
    table = out.with_suffix(".parquet")
    with output_file(table) as file, parquet_writer(file, figures.schema) as writer:
        writer.write_table(figures)
    return [*texts, table]
