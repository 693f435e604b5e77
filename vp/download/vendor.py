"""Databento's historical service through its official client: faults retried, errors told, the key kept secret."""

from __future__ import annotations

import json
import logging
import math
import os
import random
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from vp.databento_key import KEY_VARIABLE
from vp.download.stopping import Stopping
from vp.errors import (
    ApiKeyError,
    BadParameterError,
    UncertainSubmissionError,
    UnexpectedAnswerError,
    VendorRefusedError,
    VendorUnreachableError,
)
from vp.files import REFUSED_FILES

URL_VARIABLE = "VP_DATABENTO_URL"
DEFAULT_URL = "https://hist.databento.com"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TRIES = 6
LONGEST_PAUSE_SECONDS = 60.0
LONGEST_ASKED_PAUSE_SECONDS = 600.0
MOST_TOLD_CHARACTERS = 500  # of an error: a page in the place of one is no sentence
QUIET_SECONDS = 30.0  # for which nothing may move before a call counts as hung
BUSY = 429
PASSING = (408, 425, BUSY)
REFUSED_KEY, PAYMENT, NO_LICENCE = 401, 402, 403
REFUSED_HINTS = {
    PAYMENT: "Databento asks for payment: look at the billing page of its portal, then run the same command again.",
    NO_LICENCE: "Look in Databento's portal at what the key and its licences allow, then run the same command again.",
}
NEWER_HINT = "Its service may have changed: look for a newer VP; nothing was concluded from this answer."

T = TypeVar("T")
log = logging.getLogger(__name__)


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
    quiet_seconds : float
        For which nothing may move in a call.

    Attributes
    ----------
    batch, metadata, symbology, timeseries
        The client's parts, as `databento.Historical` holds them. They are made one by one, as that class makes https
        of every gateway and would not reach a server on this machine.
    """

    def __init__(
        self,
        key: str,
        url: str,
        stopping: Stopping,
        retry_seconds: float = 1.0,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        from databento.historical.api.batch import BatchHttpAPI  # noqa: PLC0415 - takes seconds
        from databento.historical.api.metadata import MetadataHttpAPI  # noqa: PLC0415
        from databento.historical.api.symbology import SymbologyHttpAPI  # noqa: PLC0415
        from databento.historical.api.timeseries import TimeseriesHttpAPI  # noqa: PLC0415

        self.key = key
        self.url = url
        self.stopping = stopping
        self.retry_seconds = retry_seconds
        self.quiet_seconds = quiet_seconds
        self.batch: Any = BatchHttpAPI(key=key, gateway=url)
        self.metadata: Any = MetadataHttpAPI(key=key, gateway=url)
        self.symbology: Any = SymbologyHttpAPI(key=key, gateway=url)
        self.timeseries: Any = TimeseriesHttpAPI(key=key, gateway=url)
        parts: tuple[Any, ...] = (self.batch, self.metadata, self.symbology, self.timeseries)
        for api in parts:
            api.TIMEOUT = quiet_seconds

    def ask(self, what: str, call: Callable[[], T], *, charged: bool = False) -> T:
        """The answer to a call that may be repeated.

        Parameters
        ----------
        what : str
            For messages: "the cost of ...".
        call : callable
        charged : bool
            Data that come cost money, so that a call is repeated only where none came.

        Raises
        ------
        ApiKeyError, VendorRefusedError, UnexpectedAnswerError
            Asking again would not help.
        UncertainSubmissionError
            It was begun, may have been `charged`, and did not come to its end.
        VendorUnreachableError
            It was asked again and again.
        """
        for attempt in range(TRIES):
            try:
                return call()
            except Exception as error:  # noqa: BLE001 - the client lets errors of several libraries through
                said = self.told(error)
                if charged and not getattr(error, "http_status", 0) and not _unsent(error):
                    raise (
                        _disk_error(error)
                        or UncertainSubmissionError(f"{what[:1].upper()}{what[1:]} broke off: {said}.")
                    ) from None
                asked = self.judge(what, error)
            if attempt + 1 < TRIES:
                pause = self.pause_seconds(attempt, asked)
                log.warning("%s: %s; asking again in %.1f s", what, said, pause)
                self.stopping.sleep(pause)
        raise VendorUnreachableError(
            f"Databento did not give {what} in {TRIES} tries; the last answer was: {said}.",
            hint="Run the same command again later; it goes on where it was.",
        )

    def submit(self, what: str, call: Callable[[], T]) -> T:
        """The answer to a call that buys something and must not arrive twice.

        Raises
        ------
        ApiKeyError, VendorRefusedError, VendorUnreachableError
            It did not arrive: Databento said so itself, or no connection was made.
        UncertainSubmissionError
            Anything else, as nothing else proves it.
        """
        for attempt in range(TRIES):
            try:
                return call()
            except Exception as error:  # noqa: BLE001 - as above
                said = self.told(error)
                status = getattr(error, "http_status", 0)
                if status != BUSY and not _unsent(error):
                    if 400 <= status < 500 and status not in PASSING:
                        self.judge(what, error)
                    raise UncertainSubmissionError(f"Databento's answer to {what} was lost: {said}.") from None
                asked = asked_pause(getattr(error, "headers", {}))
            if attempt + 1 < TRIES:
                pause = self.pause_seconds(attempt, asked)
                log.warning("%s: %s; nothing was sent, trying again in %.1f s", what, said, pause)
                self.stopping.sleep(pause)
        raise VendorUnreachableError(
            f"{what[:1].upper()}{what[1:]} could not be sent in {TRIES} tries: {said}.",
            hint="Run the same command again later.",
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
            if isinstance(error, passing):
                return None
            if isinstance(error, (AttributeError, LookupError)):  # of the client, over what it was answered
                raise UnexpectedAnswerError(
                    f"Databento's client did not understand the answer to {what}: {self.told(error)}.",
                    hint=NEWER_HINT,
                ) from None
            raise VendorRefusedError(
                f"Databento's client refused to ask for {what}: {self.told(error)}.", hint="Check what is asked."
            ) from None
        if status == REFUSED_KEY:
            raise ApiKeyError(
                f"Databento refused the key of {KEY_VARIABLE} when asked for {what}: {self.told(error)}.",
                hint="Check in Databento's portal that the key is active.",
            ) from None
        if status not in PASSING and status < 500:
            hint = REFUSED_HINTS.get(status, "Change what is asked; asking again is no use.")
            raise VendorRefusedError(
                f"Databento refused {what}: {self.told(error)}.", hint=hint, status=status, case=_case(error)
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
        if isinstance(said, dict):
            said = said.get("message", said)
        text = " ".join(str(said).split()) or type(error).__name__
        status = getattr(error, "http_status", None)
        text = without_key(f"HTTP {status}, {text}" if status else text, self.key)
        return "".join(filter(str.isprintable, text[:MOST_TOLD_CHARACTERS])).rstrip(".")


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Raise UnexpectedAnswerError where an answer's form is not as documented."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise UnexpectedAnswerError(
            f"Databento's answer to {what} cannot be understood: {error!r}.", hint=NEWER_HINT
        ) from None


def _unsent(error: Exception) -> bool:
    """Whether it is certain that no byte of a request was sent: no connection was made."""
    import requests  # noqa: PLC0415
    from urllib3.exceptions import NewConnectionError  # noqa: PLC0415

    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(error) is requests.ConnectionError and isinstance(reason, NewConnectionError)


def _case(error: Exception) -> str:
    """The service's own word for why it refused, where it gives one."""
    body = getattr(error, "json_body", None)
    detail = body.get("detail") if isinstance(body, dict) else None
    return str(detail.get("case") or "") if isinstance(detail, dict) else ""


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
        if isinstance(cause, OSError) and not isinstance(cause, network) and cause.errno in REFUSED_FILES:
            return cause
    return None


def without_key(text: str, key: str) -> str:
    """A text in which no key is."""
    return text.replace(key, "<key>") if key else text
