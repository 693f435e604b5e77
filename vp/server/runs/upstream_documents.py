"""What another server answers over plain HTTP: its sessions, and what it plays by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

import requests

from vp.model.parameters import ModelParameters
from vp.server.runs.stream_beginning import RelayedError
from vp.server.runs.upstream import UpstreamError
from vp.server.stream.messages import API
from vp.server.stream.request import StreamRequest

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 90.0  # an overview of a day takes a minute at the most
SCHEMES = {"ws": "http", "wss": "https"}
MOST_BYTES = 64 << 20  # of a document, decompressed
BLOCK_BYTES = 64 << 10
NO_PROXY = {"http": "", "https": ""}


class UpstreamDocuments:
    """A server's documents. Every method asks for one: call it in a thread.

    Parameters
    ----------
    upstream : str
        Its address, ws:// or wss://.

    Attributes
    ----------
    address : str
        The same.
    """

    def __init__(self, upstream: str) -> None:
        self.address = upstream
        scheme, _, rest = upstream.rstrip("/").partition("://")
        self._root = f"{SCHEMES[scheme]}://{rest}"

    def sessions(self) -> dict[str, Any]:
        """The sessions that it has, and which it plays by itself; raises UpstreamError."""
        return self._get("sessions", {})

    def overview(self, request: StreamRequest, check: Callable[[], None]) -> dict[str, Any]:
        """The overview of a session; raises UpstreamError, RelayedError, and what `check` raises."""
        check()
        return self._get("overview", {"product_type": request.product_type, "symbol": request.symbol, "dt": request.dt})

    def _get(self, name: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        address = f"{self._root}{API}/{name}"
        try:
            wait_seconds = CONNECT_SECONDS, ANSWER_SECONDS
            asked = requests.get(address, params=dict(parameters), timeout=wait_seconds, proxies=NO_PROXY, stream=True)
            with asked as answer:
                said = json.loads(_body(answer))
        except (requests.RequestException, ValueError, RecursionError) as error:
            raise UpstreamError(
                f"{address} does not answer as a vp.serve does: {error}.", hint="See that a server runs there."
            ) from error
        if answer.ok and isinstance(said, dict):
            return said
        if isinstance(said, dict) and "code" in said:
            raise RelayedError(said)
        raise UpstreamError(f"{address} answers {answer.status_code}.", hint="Expected the address of a vp.serve.")


def _body(answer: requests.Response) -> bytes:
    """What an answer holds; raises ValueError where that is more, or takes longer, than any document does."""
    until_seconds = time.monotonic() + ANSWER_SECONDS
    body = bytearray()
    for block in answer.iter_content(BLOCK_BYTES):
        body += block
        if len(body) > MOST_BYTES or time.monotonic() > until_seconds:
            raise ValueError("its answer has no end")
    return bytes(body)


def default_request(sessions: Mapping[str, Any]) -> StreamRequest:
    """What a viewer gets there who asks for nothing in particular, by its list of sessions; raises UpstreamError."""
    try:
        told = dict(sessions["default"])
        told["bucket"] = None if told["bucket"] is None else Decimal(told["bucket"])
        told["parameters"] = ModelParameters(**told["parameters"])
        names = {one.name for one in fields(StreamRequest)}
        return StreamRequest(**{name: value for name, value in told.items() if name in names})
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise UpstreamError(
            f"The upstream's list of sessions is none of this version's: {error!r}.", hint="Run the same version."
        ) from error
