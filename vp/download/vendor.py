"""Databento's historical service through its official client: faults retried, errors told, the key kept secret."""

from __future__ import annotations

import errno
import json
import logging
import math
import os
import random
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from vp.download.stopping import Stopping
from vp.errors import (
    ApiKeyError,
    BadParameterError,
    UncertainSubmissionError,
    VendorRefusedError,
    VendorUnreachableError,
)

KEY_VARIABLE = "DATABENTO_API_KEY"
URL_VARIABLE = "VP_DATABENTO_URL"
DEFAULT_URL = "https://hist.databento.com"
KEY_FORM = re.compile(r"[\x21-\x7e]{4,200}")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TRIES = 6
LONGEST_PAUSE_SECONDS = 60.0
LONGEST_ASKED_PAUSE_SECONDS = 600.0
PASSING = (408, 425, 429)
REFUSED_KEY = (401, 403)
DISK_ERRORS = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.ENOTDIR,
    errno.ENOENT, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EMFILE, errno.EEXIST,
}  # fmt: skip

T = TypeVar("T")
log = logging.getLogger(__name__)


def key_of_environment() -> str:
    """Databento's key; raises ApiKeyError where there is none that could be one."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not KEY_FORM.fullmatch(key):
        state = "is not set" if not key else "is no key: it holds spaces or other characters that no key has"
        raise ApiKeyError(
            f"{KEY_VARIABLE} {state}.", hint="Set it in the environment to a key of Databento's portal (db-...)."
        )
    return key


def url_of_environment() -> str:
    """Where the service is: VP_DATABENTO_URL, else Databento's own; raises BadParameterError."""
    url = os.environ.get(URL_VARIABLE, "").strip().rstrip("/") or DEFAULT_URL
    parts = urlsplit(url)
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise BadParameterError(
            f"{URL_VARIABLE} was {url!r}, expected https://host, or http:// on this machine itself.",
            hint="Leave it out for Databento; the key would go over the network unencrypted otherwise.",
        )
    return url


class Vendor:
    """Calls to the service.

    Parameters
    ----------
    key, url : str
    stopping : Stopping
    retry_seconds : float
        The first pause after a passing fault; it doubles up to a minute.
    """

    def __init__(self, key: str, url: str, stopping: Stopping, retry_seconds: float = 1.0) -> None:
        import databento  # noqa: PLC0415 - takes seconds

        self.key = key
        self.url = url
        self.stopping = stopping
        self.retry_seconds = retry_seconds
        self.client = databento.Historical(key, url)
        if url.startswith("http://"):  # a server on this machine: the client makes https of every gateway
            for api in (self.client.batch, self.client.metadata, self.client.symbology, self.client.timeseries):
                api._base_url = url + api._base_url.removeprefix(self.client.gateway)

    def ask(self, what: str, call: Callable[[], T]) -> T:
        """The answer to a call that may be repeated.

        Parameters
        ----------
        what : str
            For messages: "the cost of ...".
        call : callable

        Raises
        ------
        ApiKeyError, VendorRefusedError
            Asking again would not help.
        VendorUnreachableError
            It was asked again and again.
        """
        for attempt in range(TRIES):
            try:
                return call()
            except Exception as error:  # noqa: BLE001 - the client lets errors of several libraries through
                asked = self.judge(what, error)
                said = self.told(error)
            if attempt + 1 < TRIES:
                pause = self.pause_seconds(attempt, asked)
                log.warning("%s: %s; asking again in %.1f s", what, said, pause)
                self.stopping.sleep(pause)
        raise VendorUnreachableError(
            f"Databento did not give {what} in {TRIES} tries; the last answer was: {said}.",
            hint="Run the same command again later; it goes on where it was.",
        )

    def submit(self, what: str, call: Callable[[], T]) -> T:
        """The answer to a call that must not arrive twice.

        Raises
        ------
        ApiKeyError, VendorRefusedError
            It did not arrive.
        UncertainSubmissionError
            Nobody knows.
        """
        for attempt in range(TRIES):
            try:
                return call()
            except Exception as error:  # noqa: BLE001 - as above
                asked = self.judge(what, error)
                said = self.told(error)
                if getattr(error, "http_status", 0) != 429:  # refused unseen, the one fault that is certain
                    raise UncertainSubmissionError(
                        f"Databento's answer to {what} was lost: {said}.", hint="Its list of jobs will tell."
                    ) from None
            if attempt + 1 < TRIES:
                pause = self.pause_seconds(attempt, asked)
                log.warning("%s: %s; sending it again in %.1f s", what, said, pause)
                self.stopping.sleep(pause)
        raise VendorUnreachableError(
            f"Databento was too busy for {what} in {TRIES} tries: {said}.", hint="Run the same command again later."
        )

    def judge(self, what: str, error: Exception) -> float | None:
        """Raise what an error means where it is lasting; of a passing one, the pause in s that it asks for.

        An OSError of the disk is raised as it is.
        """
        status = getattr(error, "http_status", None)
        if status is None:
            import databento  # noqa: PLC0415
            import requests  # noqa: PLC0415

            of_disk = _disk_error(error)
            if of_disk is not None:
                raise of_disk
            passing = (databento.BentoError, requests.RequestException, OSError, json.JSONDecodeError)
            if not isinstance(error, passing):
                raise VendorRefusedError(
                    f"Databento's client refused to ask for {what}: {self.told(error)}.", hint="Check what is asked."
                ) from None
            return None
        if status in REFUSED_KEY:
            raise ApiKeyError(
                f"Databento refused the key of {KEY_VARIABLE} when asked for {what} (HTTP {status}).",
                hint="Check in Databento's portal that the key is active and may use this dataset.",
            ) from None
        if status not in PASSING and status < 500:
            raise VendorRefusedError(
                f"Databento refused {what}: {self.told(error)}.", hint="Change what is asked; asking again is no use."
            ) from None
        return asked_pause(getattr(error, "headers", {}))

    def pause_seconds(self, attempt: int, asked: float | None = None) -> float:
        """How long to wait before the next try: as asked, else doubling, with a jitter of a quarter."""
        if asked is not None:
            return asked
        pause: float = min(self.retry_seconds * 2.0**attempt, LONGEST_PAUSE_SECONDS)
        return pause * random.uniform(0.75, 1.0)

    def told(self, error: BaseException) -> str:
        """An error as one line, without the key."""
        said = getattr(error, "message", None) or error
        text = " ".join(str(said).split()) or type(error).__name__
        status = getattr(error, "http_status", None)
        text = f"HTTP {status}, {text}" if status else text
        return without_key(text, self.key).rstrip(".")


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Raise VendorRefusedError where an answer's form is not as documented."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise VendorRefusedError(
            f"Databento's answer to {what} cannot be understood: {error!r}.", hint="A newer VP may know it."
        ) from None


def asked_pause(headers: Mapping[str, Any]) -> float | None:
    """Seconds that a Retry-After header asks for, bounded; None without one."""
    try:
        asked = float(headers.get("Retry-After", ""))
    except (TypeError, ValueError):
        return None
    return None if math.isnan(asked) else min(max(asked, 0.0), LONGEST_ASKED_PAUSE_SECONDS)


def _disk_error(error: Exception) -> OSError | None:
    """What the disk said, where an error is of it; the client wraps it in one of its own when it streams to a file."""
    import requests  # noqa: PLC0415

    network = (requests.RequestException, ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError)
    for cause in (error, error.__context__):
        if isinstance(cause, OSError) and not isinstance(cause, network) and cause.errno in DISK_ERRORS:
            return cause
    return None


def without_key(text: str, key: str) -> str:
    """A text in which no key is."""
    return text.replace(key, "<key>") if key else text
