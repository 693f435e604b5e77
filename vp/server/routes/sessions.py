"""The sessions of a lake as the page lists them, listed again only when a directory of the lake has changed."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

import vp
from vp.errors import VPError
from vp.lake.inputs import RawFile
from vp.lake.lake import Lake
from vp.lake.seen import Seen
from vp.market.session_hours import SessionWindow, session_window
from vp.model.parameters import PRESETS, ModelParameters
from vp.server.faults import unexpected
from vp.server.net.bodies import PIECE_BYTES, Body, LongResponse, Readers
from vp.server.routes.history import NO_STORE, refusal
from vp.server.stream.messages import PROTOCOL_VERSION
from vp.server.stream.request import StreamRequest

MOST_SESSIONS = 100_000
LISTING_SHARE = 0.5  # of the time, at the most, is spent on listing, however often the lake changes and is asked for
GZIP_LEVEL = 6

log = logging.getLogger("vp.server")


@dataclass(frozen=True)
class Listing:
    """What a lake holds.

    Attributes
    ----------
    sessions : list of dict
        As `list_sessions` makes them.
    left_out : int
        How many more there are.
    passed_over : list of dict
        Some of the entries of the lake that could not be looked at: `path` below the lake's root, and `why`.
    passed_over_count : int
        How many there are.
    """

    sessions: list[dict[str, Any]] = field(default_factory=list)
    left_out: int = 0
    passed_over: list[dict[str, str]] = field(default_factory=list)
    passed_over_count: int = 0


Catalogue = Callable[[], Listing]


class SessionCatalogue:
    """Lists a lake; the same object as long as the lake is the same. May be called in any thread.

    Parameters
    ----------
    open_lake : callable
    live : callable
        The sessions that are being recorded, as `live_session` makes them.
    """

    def __init__(self, open_lake: Callable[[], Lake], live: Callable[[], list[dict[str, Any]]] = list) -> None:
        self._open_lake = open_lake
        self._live = live
        self._live_told: list[dict[str, Any]] = []
        self._told = Listing()
        self._lock = threading.Lock()
        self._kept: Listing | None = None
        self._seen = Seen()
        self._not_before_seconds = 0.0

    def __call__(self) -> Listing:
        """What the lake holds now; raises LakeError, FileError, ProductsFileError."""
        with self._lock:
            before, live = self._kept, self._live()
            listing = self._of_lake()
            if listing is not before or live != self._live_told:
                self._live_told, self._told = live, with_live_sessions(listing, live)
            return self._told

    def _of_lake(self) -> Listing:
        """What the lake holds; the lock is held."""
        began = time.monotonic()
        if self._kept is not None and (began < self._not_before_seconds or self._seen.stands()):
            return self._kept
        seen = Seen()
        lake = self._open_lake()
        sessions = list_sessions(lake, seen)
        listing = Listing(
            sessions[:MOST_SESSIONS],
            max(0, len(sessions) - MOST_SESSIONS),
            [{"path": _below(lake, one.path), "why": one.why} for one in seen.passed_over],
            seen.passed_over_count,
        )
        for told in listing.passed_over:
            log.warning("%s is passed over: %s", told["path"], told["why"])
        took = time.monotonic() - began
        self._not_before_seconds = began + took / LISTING_SHARE
        self._seen = seen
        if listing != self._kept:
            self._kept = listing
        return self._kept


class SessionsRoute:
    """The handler of /sessions.

    Parameters
    ----------
    catalogue : callable
        Lists the sessions; called in a thread, by one request at a time.
    defaults : callable
        What a viewer gets who asks for nothing in particular.
    readers : Readers
        Who takes a long body just now.
    """

    def __init__(self, catalogue: Catalogue, defaults: Callable[[], StreamRequest], readers: Readers) -> None:
        self._catalogue = catalogue
        self._defaults = defaults
        self._readers = readers
        self._listing: Listing | None = None
        self._chosen: StreamRequest | None = None
        self._bodies = b"", b""
        self._making: asyncio.Task[tuple[bytes, bytes]] | None = None

    async def answer(self, request: Request) -> Response:
        """What can be watched, and what one gets who does not choose; those who ask meanwhile wait together."""
        try:
            if self._making is None:
                self._making = asyncio.create_task(asyncio.to_thread(self._encoded))
                self._making.add_done_callback(self._forget)
            plain, packed = await asyncio.shield(self._making)
        except VPError as problem:
            return refusal(problem)
        except Exception as error:  # whatever it is, it is told as all others are  # noqa: BLE001
            return refusal(unexpected(error, "The list of sessions"))
        headers = {**NO_STORE, "content-type": "application/json", "vary": "Accept-Encoding"}
        body = plain
        if "gzip" in request.headers.get("accept-encoding", ""):
            body = packed
            headers["content-encoding"] = "gzip"
        if len(body) <= PIECE_BYTES:
            return Response(body, headers=headers)
        headers["content-length"] = str(len(body))
        return LongResponse(self._readers, lambda: Body(_pieces(body), headers))

    def _forget(self, task: asyncio.Task[tuple[bytes, bytes]]) -> None:
        self._making = None
        if not task.cancelled():
            task.exception()  # who waited has been told

    def _encoded(self) -> tuple[bytes, bytes]:
        """The body, plain and compressed."""
        listing, chosen = self._catalogue(), self._defaults()
        if listing is not self._listing or chosen != self._chosen:
            text = json.dumps(self._described(listing, chosen), separators=(",", ":"))
            plain = text.encode()
            self._bodies = plain, gzip.compress(plain, GZIP_LEVEL, mtime=0)
            self._listing, self._chosen = listing, chosen
        return self._bodies

    def _described(self, listing: Listing, chosen: StreamRequest) -> dict[str, Any]:
        return {
            "version": vp.__version__,
            "protocol": PROTOCOL_VERSION,
            "default": {
                "product_type": chosen.product_type,
                "symbol": chosen.symbol,
                "dt": chosen.dt,
                "start_time": chosen.start_time,
                "speed": chosen.speed,
                "throttle_ms": chosen.throttle_ms,
                "bucket": None if chosen.bucket is None else str(chosen.bucket),
                "parameters": chosen.parameters.to_json(),
                "parameters_digest": chosen.parameters.digest,
            },
            "presets": {name: ModelParameters.preset(name).to_json() for name in PRESETS},
            "sessions": listing.sessions,
            "sessions_left_out": listing.left_out,
            "passed_over": listing.passed_over,
            "passed_over_count": listing.passed_over_count,
        }


def list_sessions(lake: Lake, seen: Seen | None = None) -> list[dict[str, Any]]:
    """One entry a root or ticker and date, ordered by product type, symbol and date; `seen` as in `Lake.sessions`.

    An entry has `product_type`, `symbol` (root or ticker), `dt`, `source`, `dataset`, `size_bytes`, `contracts` (those
    that the names of its files tell), `live` (whether it is being recorded) and the session's hours as text,
    `hours_et`, and as decimal strings, `start_ns` and `end_ns`.
    """
    entries = []
    for entry in lake.sessions(seen):
        window = session_window(entry.product_type, entry.date)
        entries.append(
            {
                "product_type": entry.product_type,
                "symbol": entry.symbol,
                "dt": str(entry.date),
                "source": entry.raw.source,
                "dataset": entry.raw.dataset,
                "size_bytes": entry.size_bytes,
                "contracts": entry.contracts,
                "live": False,
                **_hours(window),
            }
        )
    return entries


def live_session(product_type: str, symbol: str, raw: RawFile, contracts: Sequence[str]) -> dict[str, Any]:
    """The entry of a session that is being recorded, in the same form; how large it is changes all the time.

    `raw` is a segment of it.
    """
    return {
        "product_type": product_type,
        "symbol": symbol,
        "dt": str(raw.date),
        "source": raw.source,
        "dataset": raw.dataset,
        "size_bytes": None,
        "contracts": list(contracts),
        "live": True,
        **_hours(session_window(product_type, raw.date)),
    }


def with_live_sessions(listing: Listing, live: Sequence[dict[str, Any]]) -> Listing:
    """The listing with sessions that are being recorded in their places, in place of what is recorded of them so far.

    It is the listing itself where there are none.
    """
    if not live:
        return listing
    entries = {_place(entry): entry for entry in [*listing.sessions, *live]}
    return replace(listing, sessions=[entries[place] for place in sorted(entries)])


def _place(entry: dict[str, Any]) -> tuple[str, str, str]:
    return entry["product_type"], entry["symbol"], entry["dt"]


def _hours(window: SessionWindow) -> dict[str, str]:
    return {"hours_et": window.describe_et(), "start_ns": str(window.start_ns), "end_ns": str(window.end_ns)}


def _below(lake: Lake, path: Path) -> str:
    """A path below the lake's root, whatever bytes its name has."""
    below = path.relative_to(lake.root) if path.is_relative_to(lake.root) else Path(path.name)
    return str(below).encode("utf-8", "backslashreplace").decode()


def _pieces(body: bytes) -> Iterator[bytes]:
    for at in range(0, len(body), PIECE_BYTES):
        yield body[at : at + PIECE_BYTES]
