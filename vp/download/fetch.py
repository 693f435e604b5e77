"""Fetching the file of a finished job: resumed where it broke off, verified, then laid down once and for all.

The client's own download has no timeout and only warns of a wrong checksum, so the bytes are fetched here.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vp.dbn import DbnFile
from vp.download.files import keep_decompressed, lay_down, sha256_of, write_whole
from vp.download.ledger import EMPTY, LAID, Entry, Ledger
from vp.download.report import Report
from vp.download.vendor import TRIES, Vendor, understood
from vp.errors import DownloadError, FileError, VendorUnreachableError
from vp.lake import Lake
from vp.layout import ENDINGS, note_path
from vp.session import session_window

HASH_FORM = re.compile(r"sha256:([0-9a-f]{64})")
JOB_FORM = re.compile(r"[A-Za-z0-9_.\-]{1,80}")
RANGE_FORM = re.compile(r"bytes ([0-9]+)-")
WHOLE_TRIES = 3
CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
CHUNK_BYTES = 32 << 10  # of a connection that ends early, what stands in a begun chunk is lost
DAY_NS = 86_400 * 1_000_000_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remote:
    """A file as Databento lists it; `name` is for people, no path is made of it."""

    name: str
    url: str
    sha256: str
    size_bytes: int


class Fetcher:
    """Lays the files of finished jobs into the lake."""

    def __init__(self, vendor: Vendor, lake: Lake, ledger: Ledger, report: Report, *, decompress: bool) -> None:
        self.vendor = vendor
        self.lake = lake
        self.ledger = ledger
        self.report = report
        self.decompress = decompress

    def fetch(self, entry: Entry) -> Entry:
        """Bring the file of a finished job into the lake; returns the new entry.

        Raises
        ------
        DownloadError
            It cannot be had whole, holds something else, or its place is taken by another file.
        VendorUnreachableError, ApiKeyError, VendorRefusedError
        """
        remote = self._remote(entry)
        if remote is None:
            log.info("%s: the job %s holds no data", entry.want, entry.job_id)
            return self.ledger.write(entry.with_(state=EMPTY, error=""))
        directory = self.lake.directory(entry.want.place, entry.want.symbol)
        compressed = remote.name.endswith(".zst")
        path = directory / entry.want.place.file_name(entry.want.date, compressed=compressed)
        part = directory / f".{path.name}.{entry.job_id}.part"
        entry = entry.with_(file={"name": remote.name, "size": remote.size_bytes, "sha256": remote.sha256})
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._bring(entry, remote, part, path)
            if self.decompress and compressed:
                keep_decompressed(path)
        except OSError as error:
            raise DownloadError(
                f"{path} cannot be written: {error.strerror or error}.",
                hint="Free some space or make the directory writable, and run the same command again.",
            ) from error
        return self.ledger.write(entry.with_(state=LAID, error=""))

    def _bring(self, entry: Entry, remote: Remote, part: Path, path: Path) -> None:
        if not path.exists():
            self._fetch_verified(remote, part)
            check_content(part, entry)
            write_whole(note_path(path), entry.note())
            try:
                lay_down(part, path)
            except FileExistsError:
                pass
            else:
                log.info("%s: %s, %s bytes", entry.want, path, f"{remote.size_bytes:,}")
                return
        if path.stat().st_size != remote.size_bytes or sha256_of(path) != remote.sha256:
            raise DownloadError(
                f"{path} is there already and differs from the file of the job {entry.job_id}; it was left as it is.",
                hint="If the one in the lake is wrong, move it away and run the same command again.",
            )
        part.unlink(missing_ok=True)

    def _remote(self, entry: Entry) -> Remote | None:
        job_id = entry.job_id or ""
        if not JOB_FORM.fullmatch(job_id):
            raise DownloadError(f"{entry.want}: {job_id!r} is no job's number.", hint="Look at Databento's portal.")
        what = f"the files of the job {job_id}"
        listed = self.vendor.ask(what, lambda: self.vendor.client.batch.list_files(job_id))
        with understood(what):
            found = [item for item in listed if str(item["filename"]).endswith(ENDINGS)]
        data = [_parse_remote(entry, item) for item in found]
        if len(data) > 1:
            raise DownloadError(
                f"The job {job_id} for {entry.want} has {len(data)} data files, expected one.",
                hint="Fetch them by hand from Databento's portal.",
            )
        return data[0] if data else None

    def _fetch_verified(self, remote: Remote, part: Path) -> None:
        for attempt in range(WHOLE_TRIES):
            self._fetch_whole(remote, part)
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

    def _fetch_whole(self, remote: Remote, part: Path) -> None:
        """Fetch what is missing of `part`, with pauses between tries that bring nothing."""
        import requests  # noqa: PLC0415 - takes long

        self._require_own(remote.url)
        fruitless = 0
        with self.report.bar(remote.name, remote.size_bytes) as bar:
            while True:
                have = part.stat().st_size if part.exists() else 0
                bar.at(have)
                if have == remote.size_bytes and part.exists():
                    return
                said, asked = "", None
                try:
                    self._fetch_rest(remote, part, have, bar.at)
                    said = "the connection ended early"
                except Exception as error:
                    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
                        raise  # of the disk
                    asked = self.vendor.judge(remote.name, error)
                    said = self.vendor.told(error)
                got = part.stat().st_size if part.exists() else 0
                if got == remote.size_bytes:
                    continue
                fruitless = 0 if got > have else fruitless + 1
                if fruitless == TRIES:
                    raise VendorUnreachableError(
                        f"{remote.name} could not be fetched in {TRIES} tries: {said}.",
                        hint="Run the same command again later; it goes on where it was.",
                    )
                pause = self.vendor.pause_seconds(fruitless, asked)
                log.warning("%s: %s at byte %s; going on in %.1f s", remote.name, said, f"{got:,}", pause)
                self.vendor.stopping.sleep(pause)

    def _fetch_rest(self, remote: Remote, part: Path, have: int, at: Any) -> None:
        import requests  # noqa: PLC0415 - takes long
        from databento.common.http import check_http_error  # noqa: PLC0415

        if have > remote.size_bytes:
            part.unlink()
            have = 0
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-{remote.size_bytes - 1}"
        with requests.get(
            remote.url, headers=headers, auth=(self.vendor.key, ""), stream=True,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
        ) as response:  # fmt: skip
            if response.status_code == 416:
                part.unlink(missing_ok=True)
                return
            check_http_error(response)
            begins = RANGE_FORM.match(response.headers.get("Content-Range", ""))
            resumed = response.status_code == 206 and begins is not None and int(begins[1]) == have
            done = have if resumed else 0
            with part.open("ab" if resumed else "wb") as file:
                for chunk in response.iter_content(CHUNK_BYTES):
                    piece = chunk[: remote.size_bytes - done]
                    file.write(piece)
                    done += len(piece)
                    at(done)
                    if len(piece) < len(chunk):
                        return

    def _require_own(self, url: str) -> None:
        """Refuse to send the key to strangers."""
        ours, given = urlsplit(self.vendor.url), urlsplit(url)
        same = (given.scheme, given.netloc) == (ours.scheme, ours.netloc)
        databento = given.scheme == "https" and (given.hostname or "").endswith(".databento.com")
        if not same and not databento:
            raise DownloadError(
                f"Databento lists a file at {given.hostname}, which is not Databento; the key was not sent there.",
                hint="Fetch the file by hand from Databento's portal.",
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


def _parse_remote(entry: Entry, item: dict[str, Any]) -> Remote:
    try:
        sha256 = HASH_FORM.fullmatch(item["hash"])
        remote = Remote(str(item["filename"]), item["urls"]["https"], sha256[1] if sha256 else "", int(item["size"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DownloadError(
            f"The list of files of the job {entry.job_id} cannot be understood: {error!r}.",
            hint="A newer VP may know it.",
        ) from None
    if sha256 is None or remote.size_bytes <= 0:
        raise DownloadError(
            f"The job {entry.job_id} lists {remote.name} without a sha256 and a size, so that it cannot be verified.",
            hint="Fetch it by hand from Databento's portal.",
        )
    return remote
