"""Bringing one file over: resumed where it broke off, however often, as long as each time something comes.

The client's own download has no timeout and only warns of a wrong checksum, so the bytes are fetched here.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path

from vp.download.report import Bar, Report
from vp.download.vendor import TRIES, Vendor
from vp.errors import DownloadError, VendorUnreachableError
from vp.files import open_own

RANGE_FORM = re.compile(r"bytes ([0-9]+)-[0-9]+/([0-9]+|\*)")
READ_BYTES = 256 << 10
BREAK_PAUSE_FRACTION = 0.1  # of the usual first pause, where a connection broke that had brought something
BREAK_LINE_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remote:
    """A file as Databento lists it."""

    name: str
    url: str
    sha256: str
    size_bytes: int


class Transfer:
    """Brings files over."""

    def __init__(self, vendor: Vendor, report: Report) -> None:
        self._vendor = vendor
        self._report = report

    def fetch(self, remote: Remote, part: Path) -> None:
        """Fetch what is missing of `part`, with pauses between tries that bring nothing.

        Raises
        ------
        VendorUnreachableError
            Try after try brought nothing.
        DownloadError, VendorRefusedError, ApiKeyError, OSError
        """
        self._require_own(remote.url)
        fruitless, next_line_at = 0, time.monotonic()
        with self._report.bar(remote.name, remote.size_bytes) as bar:
            while (have := _size(part)) != remote.size_bytes:
                bar.at(max(have, 0))
                said, asked = self._try(remote, part, max(have, 0), bar)
                got = _size(part)
                if got == remote.size_bytes:
                    break
                fruitless = 0 if got > have else fruitless + 1
                if fruitless == TRIES:
                    raise VendorUnreachableError(
                        f"{remote.name} could not be fetched in {TRIES} tries: {said}.",
                        hint="Run the same command again later; it goes on where it was.",
                    )
                pause = self._vendor.pause_seconds(fruitless, asked) * (1.0 if fruitless else BREAK_PAUSE_FRACTION)
                if fruitless or time.monotonic() >= next_line_at:
                    next_line_at = time.monotonic() + BREAK_LINE_SECONDS
                    log.warning("%s: %s at byte %s; going on in %.1f s", remote.name, said, f"{got:,}", pause)
                self._vendor.stopping.sleep(pause)

    def _try(self, remote: Remote, part: Path, have: int, bar: Bar) -> tuple[str, float | None]:
        """What ended one connection, and the pause in s that it asked for."""
        import requests  # noqa: PLC0415 - takes long
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            return self._fetch_rest(remote, part, have, bar), None
        except HTTPError as error:
            return self._vendor.told(error), None
        except Exception as error:
            if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
                raise  # of the disk
            asked = self._vendor.judge(remote.name, error)
            return self._vendor.told(error), asked

    def _fetch_rest(self, remote: Remote, part: Path, have: int, bar: Bar) -> str:
        import requests  # noqa: PLC0415 - takes long
        from databento.common.http import check_http_error  # noqa: PLC0415

        if have > remote.size_bytes:
            part.unlink()
            have = 0
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-{remote.size_bytes - 1}"
        with requests.get(
            remote.url, headers=headers, auth=(self._vendor.key, ""), stream=True,
            timeout=(self._vendor.quiet_seconds, self._vendor.quiet_seconds),
        ) as response:  # fmt: skip
            if response.status_code == 416:
                part.unlink(missing_ok=True)
                return "the range was refused"
            check_http_error(response)
            begins = RANGE_FORM.fullmatch(response.headers.get("Content-Range", ""))
            resumed = response.status_code == 206 and begins is not None and int(begins[1]) == have
            done = have if resumed else 0
            length = response.headers.get("Content-Length")
            if length is not None and length != str(remote.size_bytes - done):
                kind = response.headers.get("Content-Type", "of no type")
                return f"{length} bytes of {kind} came in the place of {remote.size_bytes - done:,}"
            with open(part, "ab" if resumed else "wb", opener=open_own) as file:
                # What has come is written at once: of a connection that breaks, no byte is lost.
                while done < remote.size_bytes and (piece := response.raw.read1(READ_BYTES)):
                    file.write(piece[: remote.size_bytes - done])
                    done += len(piece)
                    bar.at(min(done, remote.size_bytes))
        return "the connection ended early"

    def _require_own(self, url: str) -> None:
        """Refuse to send the key to strangers."""
        from urllib3.exceptions import LocationParseError  # noqa: PLC0415 - takes long
        from urllib3.util import parse_url  # noqa: PLC0415 - as it is read where it is sent to

        try:
            ours, given = parse_url(self._vendor.url), parse_url(url)
        except LocationParseError:
            raise DownloadError(f"Databento lists a file at {url[:80]!r}, which is no address.") from None
        same = (given.scheme, given.host, given.port) == (ours.scheme, ours.host, ours.port)
        databento = given.scheme == "https" and (given.host or "").endswith(".databento.com")
        if given.auth is not None or (not same and not databento):
            raise DownloadError(
                f"Databento lists a file at {given.host}, which is not Databento; the key was not sent there.",
                hint="Fetch the file by hand from Databento's portal.",
            )


def _size(part: Path) -> int:
    """The size in bytes; -1 where there is none, so that an empty file counts as progress once."""
    return part.stat().st_size if part.exists() else -1
