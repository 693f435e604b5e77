"""Asking the lake of tests/vp/query/conftest.py."""

from __future__ import annotations

from typing import Any

import duckdb

from vp.query.sandbox import Limits

PATIENT = Limits(processor_seconds=60, seconds=60)


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = connection.sql(sql).pl().rows()
    return found
