"""Fetching the files of a finished job: each verified, then laid down once and for all."""

from __future__ import annotations

import logging
import re
import shutil
from pathlib import Path
from typing import Any

from vp.dbn.file import DbnFile
from vp.download.files import keep_decompressed
from vp.download.jobs import comparable, require_fields
from vp.download.ledger import LAID, Entry, Ledger, Want
from vp.download.report import Report
from vp.download.transfer import Remote, Transfer
from vp.download.vendor import NEWER_HINT, Vendor
from vp.errors import DownloadError, FileError, UnexpectedAnswerError
from vp.files import lay_down, sha256_of, write_whole
from vp.lake.lake import Lake
from vp.lake.layout import ENDINGS, note_path
from vp.lake.names import parse_name
from vp.market.session_hours import session_window

HASH_FORM = re.compile(r"sha256:([0-9a-f]{64})")
JOB_FORM = re.compile(r"[A-Za-z0-9_.\-]{1,80}")
NAME_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,180}")
FILE_FIELDS: dict[str, Any] = {"filename": str}
DATA_FIELDS: dict[str, Any] = {"filename": str, "hash": str, "size": int, "urls": dict}
WHOLE_TRIES = 3
DAY_NS = 86_400 * 1_000_000_000

log = logging.getLogger(__name__)


class Fetcher:
    """Lays the files of finished jobs into the lake."""

    def __init__(self, vendor: Vendor, lake: Lake, ledger: Ledger, report: Report, *, decompress: bool) -> None:
        self.vendor = vendor
        self.lake = lake
        self.ledger = ledger
        self.decompress = decompress
        self._transfer = Transfer(vendor, report)

    def fetch(self, entry: Entry) -> Entry | None:
        """Bring every data file of a finished job into the lake; returns the new entry, None where none is listed.

        Raises
        ------
        DownloadError
            One cannot be had whole, holds something else, or its place is taken by another file.
        UnexpectedAnswerError, VendorUnreachableError, ApiKeyError, VendorRefusedError
        """
        remotes = self._remotes(entry)
        if not remotes:
            return None
        directory = self.lake.directory(entry.want.place, entry.want.symbol)
        names = _names(entry.want, remotes)
        files: list[dict[str, Any]] = [
            {"name": remote.name, "size": remote.size_bytes, "sha256": remote.sha256, "laid_as": name}
            for remote, name in zip(remotes, names, strict=True)
        ]
        entry = entry.with_(files=files)
        for remote, file in zip(remotes, files, strict=True):
            path = directory / file["laid_as"]
            try:
                directory.mkdir(parents=True, exist_ok=True)
                self._bring(entry, remote, file, path)
                if self.decompress and path.name.endswith(".zst"):
                    keep_decompressed(path, entry.want.place.schema)
            except OSError as error:
                raise DownloadError(
                    f"{path} cannot be written: {error.strerror or error}.",
                    hint="Free some space or make the directory writable, and run the same command again.",
                ) from error
        return self.ledger.write(entry.with_(state=LAID, error=""))

    def laid_paths(self, entry: Entry) -> list[Path]:
        """The files that an entry laid down, those that were kept uncompressed alone too.

        [] where one is gone, or has another size than it was laid down with.
        """
        directory = self.lake.directory(entry.want.place, entry.want.symbol)
        held = []
        for file in entry.files:
            path = directory / (file.get("laid_as") or _whole_day(entry.want, file["name"]))
            plain = path.with_name(path.name.removesuffix(".zst"))
            whole = (path.stat().st_size == file["size"]) if path.is_file() else (plain != path and plain.is_file())
            found = next((way for way in (path, plain) if way.is_file()), None) if whole else None
            if found is None:
                return []
            held.append(found)
        return held

    def _bring(self, entry: Entry, remote: Remote, file: dict[str, Any], path: Path) -> None:
        part = path.with_name(f".{path.name}.{entry.job_id}.part")
        if not path.exists():
            _require_space(remote, part)
            self._fetch_verified(remote, part)
            check_content(part, entry)
            write_whole(note_path(path), entry.note(file))
            try:
                lay_down(part, path)
            except FileExistsError:
                pass
            else:
                log.info("%s: %s, %s bytes", entry.want, path, f"{remote.size_bytes:,}")
                return
        if not path.is_file() or path.stat().st_size != remote.size_bytes or sha256_of(path) != remote.sha256:
            raise DownloadError(
                f"{path} is there already and differs from the file of the job {entry.job_id}; it was left as it is.",
                hint="If the one in the lake is wrong, move it away and run the same command again.",
            )
        part.unlink(missing_ok=True)

    def _remotes(self, entry: Entry) -> list[Remote]:
        job_id = entry.job_id or ""
        if not JOB_FORM.fullmatch(job_id):
            raise DownloadError(f"{entry.want}: {job_id!r} is no job's number.", hint="Look at Databento's portal.")
        what = f"the files of the job {job_id}"
        listed = self.vendor.ask(what, lambda: self.vendor.batch.list_files(job_id))
        if not isinstance(listed, list):
            raise UnexpectedAnswerError(
                f"Databento's answer to {what} cannot be understood: {str(listed)[:80]}, expected a list.",
                hint=NEWER_HINT,
            )
        for item in listed:
            require_fields(what, item, FILE_FIELDS)
        data = [item for item in listed if item["filename"].endswith(ENDINGS)]
        return [_parse_remote(what, item) for item in data]

    def _fetch_verified(self, remote: Remote, part: Path) -> None:
        for attempt in range(WHOLE_TRIES):
            self._transfer.fetch(remote, part)
            found = sha256_of(part)
            if found == remote.sha256:
                return
            part.unlink()
            log.warning(
                "%s: sha256 is %s, expected %s; thrown away (%s of %s)",
                remote.name, found[:12], remote.sha256[:12], attempt + 1, WHOLE_TRIES,
            )  # fmt: skip
        raise DownloadError(
            f"{remote.name} came {WHOLE_TRIES} times with a wrong sha256, expected {remote.sha256}; nothing was kept.",
            hint="Run the same command again later, which costs nothing; tell Databento if it happens again.",
        )


def check_content(path: Path, entry: Entry) -> None:
    """Raise DownloadError where a file's header tells of other data than were ordered."""
    place, date = entry.want.place, entry.want.date
    try:
        file = DbnFile(path, place.schema)
    except FileError as error:
        raise DownloadError(f"The job {entry.job_id} gave no file of {entry.want}: {error.message}") from error
    start_ns = session_window("future_", date).start_ns  # a UTC day for equities too
    if file.dataset != place.dataset or not start_ns <= file.start_ns < start_ns + DAY_NS:
        raise DownloadError(
            f"The job {entry.job_id} gave data of {file.dataset} from {file.start_ns} ns on, expected {place.dataset} "
            f"of {date}.",
            hint="Tell Databento; nothing was laid into the lake.",
        )
    strange = set(map(comparable, file.asked_symbols)).difference(map(comparable, entry.order.symbols))
    if strange:
        raise DownloadError(
            f"The job {entry.job_id} gave data of {', '.join(sorted(strange)[:5])[:80]}, which were not ordered for "
            f"{entry.want}.",
            hint="Tell Databento; nothing was laid into the lake.",
        )


def _require_space(remote: Remote, part: Path) -> None:
    """Raise DownloadError where a file cannot fit, before it fills the disk for all others."""
    missing_bytes = remote.size_bytes - (part.stat().st_size if part.exists() else 0)
    free_bytes = shutil.disk_usage(part.parent).free
    if missing_bytes > free_bytes:
        raise DownloadError(
            f"{part.parent} has {free_bytes:,} bytes free, and {remote.name} needs {missing_bytes:,} more.",
            hint="Free some space and run the same command again.",
        )


def _names(want: Want, remotes: list[Remote]) -> list[str]:
    """The names in the lake: the layout's for the one file of a day, Databento's own where a day has several.

    Those that could not be found again by their names are numbered parts.
    """
    if len(remotes) == 1:
        return [_whole_day(want, remotes[0].name)]
    names = [remote.name for remote in remotes]
    understood = (NAME_FORM.fullmatch(name) and parse_name(name, want.place.schema) for name in names)
    if len(set(names)) == len(names) and all(understood):
        return names
    whole = want.place.file_name(want.date).removesuffix(".dbn.zst")
    return [f"{whole}.{i:04d}.dbn{'.zst' * name.endswith('.zst')}" for i, name in enumerate(names, 1)]


def _whole_day(want: Want, name: str) -> str:
    return want.place.file_name(want.date, compressed=name.endswith(".zst"))


def _parse_remote(what: str, item: dict[str, Any]) -> Remote:
    require_fields(what, item, DATA_FIELDS)
    require_fields(what, item["urls"], {"https": str})
    sha256 = HASH_FORM.fullmatch(item["hash"])
    if sha256 is None or item["size"] <= 0:
        raise UnexpectedAnswerError(
            f"Databento's answer to {what} tells of {item['filename']} no sha256 and size by which it can be verified.",
            hint=NEWER_HINT,
        )
    return Remote(item["filename"], item["urls"]["https"], sha256[1], item["size"])
