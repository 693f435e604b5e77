"""What is said of a raw file's bytes, by whom, and in which order it is believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vp.lake.stated_sums import notes_beside, stated_sum

NAME = "xnas-itch-20260708.mbo.dbn.zst"
SEGMENT = "xnas-itch-20260708.mbo.133000000000.dbn"
A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def line(raw: Path) -> None:
    raw.with_name(f"{raw.name}.sha256").write_text(f"{A.upper()} *{raw.name}\n")


def download(raw: Path) -> None:
    note = {"vendor_file": {"name": "other.dbn.zst", "laid_as": raw.name, "sha256": B}}
    raw.with_name("xnas-itch-20260708.mbo.dbn.json").write_text(json.dumps(note))


def vendor(raw: Path) -> None:
    files = [{"filename": "other.dbn.zst", "hash": f"sha256:{A}"}, {"filename": raw.name, "hash": f"sha256:{C}"}]
    raw.with_name("manifest.json").write_text(json.dumps({"files": files}))


def test_nothing_is_said_where_there_is_no_note(tmp_path: Path) -> None:
    assert stated_sum(tmp_path / NAME) is None


@pytest.mark.parametrize(
    ("write", "sha256", "note"),
    [
        (line, A, f"{NAME}.sha256"),
        (download, B, "xnas-itch-20260708.mbo.dbn.json"),
        (vendor, C, "manifest.json"),
    ],
)
def test_each_kind_of_note_is_read(tmp_path: Path, write: Callable[[Path], None], sha256: str, note: str) -> None:
    write(tmp_path / NAME)
    found = stated_sum(tmp_path / NAME)
    assert found is not None
    assert (found.sha256, found.note) == (sha256, note)
    assert tmp_path / note in notes_beside(tmp_path / NAME)


def test_the_nearest_note_is_believed(tmp_path: Path) -> None:
    for write, sha256 in ((vendor, C), (download, B), (line, A)):
        write(tmp_path / NAME)
        found = stated_sum(tmp_path / NAME)
        assert found is not None
        assert found.sha256 == sha256


def test_a_finished_segment_has_that_of_its_manifest(tmp_path: Path) -> None:
    manifest = tmp_path / "xnas-itch-20260708.mbo.segments.jsonl"
    manifest.write_text(json.dumps({"kind": "begin", "file": SEGMENT}) + "\n")
    assert stated_sum(tmp_path / SEGMENT) is None
    with manifest.open("a") as file:
        file.write(json.dumps({"kind": "segment", "file": SEGMENT, "sha256": B}) + "\n")
    found = stated_sum(tmp_path / SEGMENT)
    assert found is not None
    assert (found.sha256, found.note) == (B, manifest.name)


@pytest.mark.parametrize("text", ["", "no sum", "a" * 63, "a" * 65, "{", '{"vendor_file": 1}', '{"files": [1, {}]}'])
def test_what_is_no_note_says_nothing(tmp_path: Path, text: str) -> None:
    for note in notes_beside(tmp_path / NAME):
        note.write_text(text)
    assert stated_sum(tmp_path / NAME) is None
