"""A finished day's segments as one compressed file, without what replays repeated."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vp.capture.day import WHOLE_SESSION
from vp.capture.segment_file import PART_ENDING, ManifestFile
from vp.capture.stream_scan import Orders, StreamScan
from vp.dbn.zstd import blocks, compressing
from vp.errors import CaptureError, DamagedFileError, FeedDamagedError, LakeError, NoRawFileError
from vp.feed_gap import FeedGap
from vp.files import READ_ONLY, link_new, written_whole
from vp.lake.inputs import SEGMENTS, RawFile
from vp.lake.lake import Lake
from vp.lake.layout import place_of
from vp.lake.segment_manifest import Manifest, manifest_beside, read_manifest
from vp.market.products import PRODUCT_TYPES

READ_BYTES = 4 << 20


@dataclass(frozen=True)
class Sealed:
    """What came of a day's segments.

    Attributes
    ----------
    path : Path
    directories : tuple of Path
        All that lead to it now.
    segments, set_aside : int
    records, repeated : int
        Records in it, and those left out because an earlier segment holds them.
    bytes : int
        Uncompressed.
    gaps : list of FeedGap
        As Manifest.gaps; those that were bridged too.
    ended : str
        Why the last segment ended, where that was not at the session's end; else "".
    """

    path: Path
    directories: tuple[Path, ...]
    segments: int
    set_aside: int
    records: int
    repeated: int
    bytes: int
    gaps: list[FeedGap]
    ended: str


def seal(lake: Lake, date: dt.date) -> list[Sealed]:
    """Seal every live recording of a date: each at once, or not at all. Segments stay where they are.

    Raises
    ------
    NoRawFileError
        There is none.
    CaptureError
        One is still being recorded, or was not finished, or its segments do not go together.
    LakeError
        There is another file of that day, or the disk does not take it.
    DamagedFileError
        A segment is not what its manifest says.
    """
    recordings: dict[tuple[int, ...], list[list[RawFile]]] = {}
    for kind in PRODUCT_TYPES:
        for symbol in lake.held_symbols(place_of(kind, "mbo")):
            by_dataset: dict[tuple[Path, str], list[RawFile]] = {}
            for raw in lake.every_file(place_of(kind, "mbo"), symbol):
                if raw.kind == SEGMENTS and raw.date == date:
                    by_dataset.setdefault((raw.path.parent, raw.dataset), []).append(raw)
            for files in by_dataset.values():
                files.sort(key=lambda raw: raw.name.segment or "")
                # A recording of several roots lies in the directory of each, by links.
                recordings.setdefault(tuple(raw.path.stat().st_ino for raw in files), []).append(files)
    if not recordings:
        raise NoRawFileError(
            f"There is no live recording of {date} under {lake.root}.", hint="`vp lake list` shows what there is."
        )
    return [_seal(places) for places in recordings.values()]


def _seal(places: Sequence[Sequence[RawFile]]) -> Sealed:
    files = places[0]
    path = files[0].path.with_name(f"{files[0].dataset}-{files[0].date:%Y%m%d}.mbo.dbn.zst")
    manifest = read_manifest(manifest_beside(files[0]))
    _refuse_unfinished(files, manifest)
    for taken in (path, path.with_suffix("")):
        if taken.exists():
            raise LakeError(f"{taken} is there already.", hint="What is sealed stays so; take it away to seal anew.")
    played = [raw for raw in files if raw.path.name not in manifest.set_aside]
    if not played:
        raise CaptureError(f"Of the live recording of {files[0].date} no segment can be played.")
    held = ManifestFile([manifest_beside(one[0]) for one in places])  # nobody records meanwhile
    try:
        records, repeated, size = _write(path, played, manifest)
        for other in places[1:]:
            link_new(path, other[0].path.with_name(path.name))
    except OSError as error:
        raise LakeError(
            f"{path} cannot be written: {error.strerror or error}.", hint="Make room, and seal again."
        ) from error
    finally:
        held.close()
    ended = str(manifest.finished[played[-1].path.name]["ended"])
    return Sealed(
        path, tuple(one[0].path.parent for one in places), len(played), len(files) - len(played), records, repeated,
        size, list(manifest.gaps), "" if ended == WHOLE_SESSION else ended,
    )  # fmt: skip


def _refuse_unfinished(files: Sequence[RawFile], manifest: Manifest) -> None:
    first = files[0]
    parts = list(first.path.parent.glob(f"{first.dataset}-{first.date:%Y%m%d}.mbo.*.dbn{PART_ENDING}"))
    if parts:
        raise CaptureError(
            f"{parts[0]} is not finished.",
            hint="Stop the recorder that writes it; if that was killed, start it once more, which finishes it.",
        )
    unknown = [raw.path for raw in files if raw.path.name not in manifest.finished]
    if unknown:
        raise CaptureError(
            f"The manifest beside {unknown[0]} does not tell of it, and so not what it repeats.",
            hint="Play the segments as they are, or bring the manifest.",
        )


def _write(path: Path, files: Sequence[RawFile], manifest: Manifest) -> tuple[int, int, int]:
    """Write the file and read it again before it gets its name; returns records, repeated ones and bytes."""
    digest = hashlib.sha256()
    records = repeated = size = 0
    with written_whole(path, replace=False, most_mode=READ_ONLY) as out:
        with compressing(out) as compressed:
            form: tuple[int, bool] | None = None
            for number, raw in enumerate(files):
                entry = manifest.finished[raw.path.name]
                scan, dropped = _repeated(raw, manifest.begins.get(raw.path.name, {}), str(entry["sha256"]))
                form = form or (scan.version, scan.ts_out)
                if form != (scan.version, scan.ts_out):
                    raise CaptureError(
                        f"{raw.path.name} is of another DBN version than the segments before it.",
                        hint="Play the segments as they are.",
                    )
                begin = 0 if number == 0 else scan.data_offset or 0
                for piece in _kept(raw.path, begin, dropped, scan.whole_bytes):
                    compressed.write(piece)
                    digest.update(piece)
                    size += len(piece)
                gone = sum(end - start for start, end in dropped) // scan.mbo_bytes
                records += scan.records - gone
                repeated += gone
        _check(out, digest.digest(), path)
    return records, repeated, size


def _repeated(
    raw: RawFile, begins: dict[int, tuple[int, int]], sha256: str
) -> tuple[StreamScan, list[tuple[int, int]]]:
    """A segment read through, and the byte ranges of what it repeats; raises DamagedFileError."""
    scan = StreamScan()
    digest = hashlib.sha256()
    dropped: list[tuple[int, int]] = []
    until = max((offset for offset, _ in begins.values()), default=0)
    try:
        with raw.path.open("rb", buffering=0) as file:
            while data := file.read(READ_BYTES):
                digest.update(data)
                for item in scan.feed(data):
                    if isinstance(item, Orders) and item.byte_offset < until:
                        dropped += _repeated_in(item, begins)
    except FeedDamagedError as error:
        raise DamagedFileError(f"{raw.path.name}: {error.message}", path=str(raw.path)) from None
    if digest.hexdigest() != sha256:
        raise DamagedFileError(
            f"{raw.path.name} is not what its recorder wrote: its sha256 is another than the manifest's.",
            path=str(raw.path),
        )
    return scan, dropped


def _repeated_in(orders: Orders, begins: dict[int, tuple[int, int]]) -> Iterator[tuple[int, int]]:
    offsets = orders.byte_offset + np.arange(len(orders.rows), dtype=np.int64) * orders.record_bytes
    gone = np.zeros(len(offsets), bool)
    for number, (begin, _) in begins.items():
        gone |= (orders.rows["instrument_id"] == number) & (offsets < begin)
    for offset in offsets[gone].tolist():
        yield offset, offset + orders.record_bytes


def _kept(path: Path, begin: int, dropped: Sequence[tuple[int, int]], end: int) -> Iterator[bytes]:
    """The bytes of a file from `begin` to `end` without ranges, which are in order."""
    with path.open("rb") as file:
        for start, after in [*dropped, (end, end)]:
            file.seek(begin)
            left = start - begin
            while left > 0 and (data := file.read(min(READ_BYTES, left))):
                left -= len(data)
                yield data
            begin = after


def _check(out: BinaryIO, expected: bytes, path: Path) -> None:
    out.flush()
    out.seek(0)
    digest = hashlib.sha256()
    for data in blocks(out, path):
        digest.update(data)
    if digest.digest() != expected:
        raise LakeError(f"{path} was not written as it should be.", hint="See to the disk of the lake.")
    out.seek(0, 2)
