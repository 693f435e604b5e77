"""What notes beside a raw file say of its size and its records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vp.lake.stated_totals import StatedTotals, stated_totals

NAME = "glbx-mdp3-20260206.mbo.dbn.zst"
NOTE = "glbx-mdp3-20260206.mbo.dbn.json"
VENDOR = {"name": "other.dbn.zst", "size": 77, "sha256": "0" * 64, "laid_as": NAME}
MANIFEST = {"job_id": "X", "files": [{"filename": "condition.json", "size": 3}, {"filename": NAME, "size": 55}]}


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ({}, StatedTotals()),
        ({NOTE: {"vendor_file": VENDOR}}, StatedTotals(77, None, NOTE)),
        ({NOTE: {"vendor_file": {**VENDOR, "laid_as": "another.dbn.zst"}}}, StatedTotals()),
        ({NOTE: {"size_bytes": 5}}, StatedTotals(5, None, NOTE)),
        ({NOTE: {"records": 9}}, StatedTotals(None, 9, NOTE)),
        ({NOTE: {"size_bytes": 5, "records": 9}}, StatedTotals(5, 9, NOTE)),
        ({"manifest.json": MANIFEST}, StatedTotals(55, None, "manifest.json")),
        ({NOTE: {"size_bytes": 5}, "manifest.json": MANIFEST}, StatedTotals(5, None, NOTE)),
        ({NOTE: {"size_bytes": "5", "records": True}}, StatedTotals()),
        ({NOTE: {"size_bytes": -5}}, StatedTotals()),
        ({NOTE: [1, 2]}, StatedTotals()),
        ({"manifest.json": {"files": 3}}, StatedTotals()),
        ({"manifest.json": {"files": [3, {"filename": "other", "size": 1}]}}, StatedTotals()),
    ],
)
def test_what_is_said(tmp_path: Path, notes: dict[str, Any], said: StatedTotals) -> None:
    for name, text in notes.items():
        (tmp_path / name).write_text(json.dumps(text))
    assert stated_totals(tmp_path / NAME) == said


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_note_that_cannot_be_read_says_nothing(tmp_path: Path, text: bytes) -> None:
    (tmp_path / NOTE).write_bytes(text)
    assert stated_totals(tmp_path / NAME) == StatedTotals()


def test_the_size_of_a_compressed_file_is_not_that_of_the_uncompressed_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / NOTE).write_text(json.dumps({"vendor_file": VENDOR}))
    assert stated_totals(tmp_path / NAME.removesuffix(".zst")) == StatedTotals()
