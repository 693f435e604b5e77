"""The recordings that lie in a lake, found by what their own metadata says."""

from __future__ import annotations

from collections.abc import Iterator

from vp.errors import LakeError, NoRecordingError
from vp.lake.lake import Lake
from vp.model.recording_file import ENDINGS, Recording, open_recording
from vp.query.session import ChosenSession


def recordings(lake: Lake) -> Iterator[Recording]:
    """The recordings in the lake's directory for them, by name; other files are passed over. Raises LakeError."""
    directory = lake.recordings_dir
    try:
        paths = sorted(path for path in directory.rglob("*") if path.suffix in ENDINGS and path.is_file())
    except OSError as error:
        raise LakeError(f"{directory} cannot be read: {error.strerror}.", hint="Expected a directory.") from error
    for path in paths:
        try:
            yield open_recording(path)
        except NoRecordingError:
            continue


def find_recording(session: ChosenSession) -> Recording | None:
    """The lake's newest recording of a session, whatever its start time; None where it has none."""
    found = [
        recording
        for recording in recordings(session.lake)
        if recording.facts["product_type"] == session.product.product_type
        and recording.facts["dt"] == session.dt
        and session.symbol in {recording.facts["symbol"].upper(), recording.facts["contract"]}
    ]
    return max(found, key=lambda recording: recording.path.stat().st_mtime_ns, default=None)
