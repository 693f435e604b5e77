"""The segments of one session on disk: new ones, those that an earlier run left, and the manifest of all."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from vp.capture.live_segments import LiveDay
from vp.capture.plan import CapturePlan
from vp.capture.recorded import Recorded, SegmentContents, read_segment, recorded_of
from vp.capture.segment import Beginning, Segment, instruments_of, segment_entry
from vp.capture.segment_file import PART_ENDING, ManifestFile, SegmentFile, lock, name_segment
from vp.errors import CaptureError
from vp.files import sha256_of, sync_directory
from vp.lake.names import parse_name
from vp.lake.segment_manifest import Manifest, manifest_path, read_manifest
from vp.market.session_hours import SessionWindow, midnight_ns, session_window

MICROSECOND_NS = 1000
DAY_NS = 86_400_000_000_000
KILLED = "the recorder was killed"


class CaptureDay:
    """A session's directory, as a recorder writes to it.

    Parameters
    ----------
    plan : CapturePlan
    window : SessionWindow

    Attributes
    ----------
    live : LiveDay
        The same for who plays it while it grows.
    last : Recorded or None
        What there is to go on from.
    ended : str
        Why an earlier run's last segment ended; "" where there is none.

    Raises
    ------
    CaptureError
        Somebody else records it, or the directory cannot be written.
    """

    def __init__(self, plan: CapturePlan, window: SessionWindow) -> None:
        self.plan = plan
        self.window = window
        self.date: dt.date = window.dates.first
        self.live = LiveDay(self.date)
        self.last: Recorded | None = None
        self.ended = ""
        self._last_name_ns = 0
        try:
            for directory in plan.directories:
                directory.mkdir(parents=True, exist_ok=True)
            paths = [manifest_path(directory, plan.file_dataset, self.date) for directory in plan.directories]
            self._manifest = ManifestFile(paths)
            self._take_up(read_manifest(paths[0]))
        except OSError as error:
            raise _unwritable(plan, error) from error

    def open_file(self, time_ns: int, beginning: Beginning) -> SegmentFile:
        """A new segment that begins at a time of the feed, named so that it comes behind those there are.

        How it begins is on disk before its first byte is: a recorder that is killed later leaves what can be used.
        Raises OSError.
        """
        midnight = midnight_ns(self.date)
        at_ns = max(min(time_ns, midnight + DAY_NS - MICROSECOND_NS), midnight, self._last_name_ns + MICROSECOND_NS)
        while True:
            name = self.plan.segment_name(self.date, at_ns)
            at_ns += MICROSECOND_NS
            if any((directory / name).exists() for directory in self.plan.directories):
                continue
            try:
                file = SegmentFile(self.plan.directories[0], name)
            except FileExistsError:
                continue
            try:
                sync_directory(file.path.parent)
                self._manifest.append(self._begin_entry(name, time_ns, beginning))
            except OSError:
                file.discard()
                raise
            self._last_name_ns = at_ns - MICROSECOND_NS
            return file

    def bridged(self, segment: Segment, start_ns: int, reason: str) -> None:
        """Write down from where a segment goes on from the one before; raises OSError."""
        assert segment.file is not None
        assert segment.overlap is not None
        self._manifest.append(
            {"kind": "overlap", "file": segment.file.name, "instruments": instruments_of(segment.overlap)},
            _gap(start_ns, segment.bridged_at_ns, reason, segment.file.name, bridged=True),
        )

    def gap(self, segment: Segment, start_ns: int, end_ns: int, reason: str) -> None:
        """Write down what is missing before a segment; raises OSError."""
        assert segment.file is not None
        segment.is_behind_gap = True
        self._manifest.append(_gap(start_ns, end_ns, reason, segment.file.name))

    def finish(self, segment: Segment, ended: str) -> None:
        """Give a segment its name; one that cannot be played is set aside; raises OSError."""
        finished = segment.finish(ended)
        if segment.file is not None and (finished is None or not segment.is_sound):
            self.live.drop(segment.file.name)
        if finished is None:
            return
        part, entry = finished
        if segment.is_sound:
            self._manifest.append(entry)
        else:
            why = "its snapshot is not whole" if segment.overlap is None else "where it goes on is not known"
            self._manifest.append(entry, {"kind": "set_aside", "file": entry["file"], "reason": f"{why}: {ended}"})
        path = name_segment(part, self.plan.directories)
        if segment.is_sound:
            self.last = replace(segment.recorded(), path=path)
            begins = {} if segment.overlap is None else segment.overlap.ends
            self.live.finish(path, segment.scan, begins, segment.is_behind_gap)

    def abandon(self) -> None:
        """Write down that the rest of the session is missing, of one that is over; raises OSError."""
        if self.last is not None and self.last.reached_ns < self.window.end_ns and self.ended == KILLED:
            self._manifest.append(_gap(self.last.reached_ns, self.window.end_ns, KILLED))

    def close(self) -> None:
        """Let others write here."""
        self._manifest.close()
        self.live.end()

    def _begin_entry(self, name: str, time_ns: int, beginning: Beginning) -> dict[str, Any]:
        after = beginning.after
        return {
            "kind": "begin", "file": name, "opened_ns": time_ns, "replayed": beginning.start_ns is not None,
            "after": None if after is None else after.path.name.removesuffix(PART_ENDING), "symbols": self.plan.asked,
        }  # fmt: skip

    def _take_up(self, manifest: Manifest) -> None:
        """Finish what an earlier run left, and find what there is to go on from."""
        self.live.had_gaps(manifest.gaps)
        directory = self.plan.directories[0]
        stem = f"{self.plan.file_dataset}-{self.date:%Y%m%d}.mbo"
        for part in sorted(directory.glob(f"{stem}.*.dbn{PART_ENDING}")):
            if parse_name(part.name.removesuffix(PART_ENDING)) is not None and part.is_file():
                self._finish_part(part, manifest)
        names = sorted(path.name for path in directory.glob(f"{stem}.*.dbn") if path.is_file())
        times = [said.segment for name in names if (said := parse_name(name)) is not None and said.segment is not None]
        if times:
            self._last_name_ns = midnight_ns(self.date) + _time_of_day_ns(times[-1])
        for name in names:
            if name not in manifest.begun or name not in manifest.finished or name in manifest.set_aside:
                continue
            path, replayed = directory / name, bool(manifest.begun[name]["replayed"])
            contents = read_segment(path, replayed=replayed)
            self.live.finish(path, contents.scan, manifest.begins.get(name, {}), name in manifest.behind_gaps)
            self.last = recorded_of(path, contents.scan, replayed=replayed, caught_up=contents.caught_up)
            self.ended = str(manifest.finished[name]["ended"])

    def _finish_part(self, part: Path, manifest: Manifest) -> None:
        """Finish a segment whose recorder was killed; one that holds nothing of the market goes."""
        handle = os.open(part, os.O_RDWR | os.O_CLOEXEC)
        try:
            if not lock(handle):
                return
            name = part.name.removesuffix(PART_ENDING)
            begun = manifest.begun.get(name)
            contents = read_segment(part, replayed=bool(begun and begun["replayed"]))
            if not contents.has_market:
                part.unlink()
                return
            os.ftruncate(handle, contents.scan.whole_bytes)
            if name not in manifest.finished:
                entries = [segment_entry(name, contents.scan, sha256_of(part), KILLED)]
                if begun is None:
                    entries.append({"kind": "set_aside", "file": name, "reason": "how it begins is not written down"})
                elif not _can_be_played(name, begun, manifest, contents):
                    entries.append({"kind": "set_aside", "file": name, "reason": KILLED})
                self._manifest.append(*entries)
                for entry in entries:
                    manifest.add(entry)
            name_segment(part, self.plan.directories)
        finally:
            os.close(handle)


def _can_be_played(name: str, begun: dict[str, Any], manifest: Manifest, contents: SegmentContents) -> bool:
    """Whether it is known where a killed recorder's segment goes on, and its snapshot is whole."""
    decided = begun["after"] is None or name in manifest.begins or name in manifest.behind_gaps
    return decided and (bool(begun["replayed"]) or contents.snapshot_is_whole)


def _gap(start_ns: int, end_ns: int, reason: str, behind: str = "", *, bridged: bool = False) -> dict[str, Any]:
    """The line of what is missing between two times, or was; `behind`: the segment behind it."""
    return {
        "kind": "gap", "start_ns": start_ns, "end_ns": end_ns, "reason": reason, "bridged": bridged, "file": behind,
    }  # fmt: skip


def finish_earlier_days(plan: CapturePlan, today: dt.date) -> None:
    """Finish what killed recorders left of other days than today; raises CaptureError."""
    left = {
        said.first
        for part in plan.directories[0].glob(f"{plan.file_dataset}-*.mbo.*.dbn{PART_ENDING}")
        if (said := parse_name(part.name.removesuffix(PART_ENDING))) is not None and said.first != today
    }
    for date in sorted(left):
        day = CaptureDay(plan, session_window(plan.product_type, date))
        try:
            day.abandon()
        except OSError as error:
            raise _unwritable(plan, error) from error
        finally:
            day.close()


def _unwritable(plan: CapturePlan, error: OSError) -> CaptureError:
    return CaptureError(
        f"{plan.directories[0]} cannot be written: {error.strerror or error}.",
        hint="Make room or see to its rights; --lake or VP_LAKE chooses another lake.",
    )


def _time_of_day_ns(segment: str) -> int:
    seconds = int(segment[:2]) * 3600 + int(segment[2:4]) * 60 + int(segment[4:6])
    return seconds * 1_000_000_000 + int(segment[6:]) * MICROSECOND_NS
