"""Asking the lake of tests/vp/query/conftest.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from vp.programs.query import main
from vp.query.limits import Limits

PATIENT = Limits(processor_seconds=60, seconds=60)


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = connection.sql(sql).pl().rows()
    return found


def said(capsysbinary: pytest.CaptureFixture[bytes], lake: Path, *arguments: str) -> bytes:
    assert main([*arguments, "--lake", str(lake)]) == 0, capsysbinary.readouterr().err
    return capsysbinary.readouterr().out
