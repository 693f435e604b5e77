"""What notes beside a raw file say that its bytes add up to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from vp.errors import FileError
from vp.files import read_bounded
from vp.lake.layout import note_path
from vp.lake.names import parse_name
from vp.lake.segment_manifest import manifest_path, read_manifest
from vp.lake.stated_totals import MANIFEST, read_note

ENDING = ".sha256"
MOST_BYTES = 4096
SHA256 = re.compile(r"[0-9a-f]{64}")
LINE = re.compile(rb"([0-9a-fA-F]{64})(?:[ \t\n]|$)")
VENDOR_PREFIX = "sha256:"


@dataclass(frozen=True)
class StatedSum:
    """A file's sha256 in hexadecimal, and the name of the note that states it."""

    sha256: str
    note: str


def notes_beside(raw: Path) -> list[Path]:
    """Where something may be said of a raw file; most of it is not there."""
    name = parse_name(raw.name)
    manifests = [] if name is None or name.segment is None else [manifest_path(raw.parent, name.dataset, name.first)]
    return [raw.with_name(raw.name + ENDING), note_path(raw), raw.with_name(MANIFEST), *manifests]


def stated_sum(raw: Path) -> StatedSum | None:
    """The sha256 that is stated of a raw file; None where nobody states one.

    By `NAME.sha256` beside it, as sha256sum writes it; by the note of its download; by the manifest of its recording,
    where it is a finished segment; or by Databento's manifest.json. A note that cannot be read says nothing.
    """
    sums, download, vendor, *manifests = notes_beside(raw)
    ways = [
        (sums, _of_line),
        (download, _of_download),
        *((one, _of_segment) for one in manifests),
        (vendor, _of_vendor),
    ]
    for note, read in ways:
        found = read(note, raw.name)
        if found is not None:
            return StatedSum(found, note.name)
    return None


def _of_line(path: Path, _name: str) -> str | None:
    try:
        found = LINE.match(read_bounded(path, MOST_BYTES))
    except OSError:
        return None
    return None if found is None else found[1].decode().lower()


def _of_download(path: Path, name: str) -> str | None:
    file = read_note(path).get("vendor_file")
    if not isinstance(file, dict) or file.get("laid_as", file.get("name")) != name:
        return None
    return _sound(file.get("sha256"))


def _of_segment(path: Path, name: str) -> str | None:
    try:
        return _sound(read_manifest(path).finished.get(name, {}).get("sha256"))
    except FileError:
        return None


def _of_vendor(path: Path, name: str) -> str | None:
    files = read_note(path).get("files")
    for file in files if isinstance(files, list) else []:
        if isinstance(file, dict) and file.get("filename") == name:
            said = file.get("hash")
            return _sound(said.removeprefix(VENDOR_PREFIX)) if isinstance(said, str) else None
    return None


def _sound(said: object) -> str | None:
    return said if isinstance(said, str) and SHA256.fullmatch(said) else None
