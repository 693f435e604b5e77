"""What notes beside a raw file say of its size and of the number of its records."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vp.files import read_bounded
from vp.lake.layout import note_path

MANIFEST = "manifest.json"
MAX_NOTE_BYTES = 4 << 20


@dataclass(frozen=True)
class StatedTotals:
    """What a file is said to have; None where nothing is said.

    Attributes
    ----------
    size_bytes : int or None
        Of the file as it lies there, compressed or not.
    records : int or None
        Whole records of every type.
    note : str
        The name of the note.
    """

    size_bytes: int | None = None
    records: int | None = None
    note: str = ""


def stated_totals(raw: Path) -> StatedTotals:
    """What is said of a raw file: by the note of its download, by a note of the user's, by its job's manifest.

    The note of `x.dbn` or `x.dbn.zst` is `x.dbn.json`, beside it: an object with `size_bytes`, `records` or both, or as
    `vp download` writes it. `manifest.json` is Databento's own. A note that cannot be read says nothing.
    """
    note = note_path(raw)
    said = read_note(note)
    vendor = said.get("vendor_file")
    if isinstance(vendor, dict):
        size = _count(vendor.get("size")) if vendor.get("laid_as", vendor.get("name")) == raw.name else None
    else:
        size = _count(said.get("size_bytes"))
    records = _count(said.get("records"))
    if size is not None or records is not None:
        return StatedTotals(size, records, note.name)
    files = read_note(raw.with_name(MANIFEST)).get("files")
    for file in files if isinstance(files, list) else []:
        if isinstance(file, dict) and file.get("filename") == raw.name:
            return StatedTotals(_count(file.get("size")), None, MANIFEST)
    return StatedTotals()


def read_note(path: Path) -> dict[str, Any]:
    """The object of JSON in a note; an empty one where there is none, or none that can be read."""
    try:
        said = json.loads(read_bounded(path, MAX_NOTE_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
