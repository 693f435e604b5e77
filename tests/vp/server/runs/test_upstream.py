"""What an upstream may answer that is no stream, and how its address is put together."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from tests.vp.server.tiny import DEFAULTS, LAYOUT
from vp.model.parameters import ModelParameters
from vp.server.runs.stream_beginning import layout_of
from vp.server.runs.upstream import UpstreamError, UpstreamGoneError, UpstreamStream, stream_address
from vp.server.stream.request import parse_stream_request


class Answering(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.send_header("content-length", "0")
        self.send_header("connection", "close")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def answering() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(("status", "comes_back"), [(502, True), (503, True), (403, False), (404, False), (200, False)])
def test_a_server_that_may_be_back_is_told_from_one_that_is_none(answering: str, status: int, comes_back: bool) -> None:
    with pytest.raises(UpstreamError) as told:
        UpstreamStream(f"{answering}/{status}")
    assert isinstance(told.value, UpstreamGoneError) == comes_back
    assert answering in str(told.value)


def test_who_does_not_answer_may_be_back() -> None:
    with pytest.raises(UpstreamGoneError):
        UpstreamStream("ws://127.0.0.1:1/")


@pytest.mark.parametrize(
    "request_",
    [
        DEFAULTS,
        replace(DEFAULTS, start_time=None, speed=2.5, throttle_ms=0.0, bucket=Decimal("0.50")),
        replace(DEFAULTS, parameters=ModelParameters.preset("touch"), symbol="BRN FMH0026!"),
        replace(DEFAULTS, parameters=ModelParameters(tau_velocity_seconds=0.1)),
    ],
    ids=["usual", "other values", "preset", "parameters"],
)
def test_an_address_says_all_of_a_request(request_: object) -> None:
    assert isinstance(request_, type(DEFAULTS))
    other = replace(DEFAULTS, symbol="ES", throttle_ms=7.0, bucket=Decimal(3), parameters=ModelParameters(reach=3))
    for after in (None, ("1f0c9a7e52b4", 17)):
        address = stream_address("wss://host/under/", request_, after)
        assert address.startswith("wss://host/under/v1/vacuum-pressure/stream?")
        assert parse_stream_request(urlsplit(address).query, other) == replace(request_, after=after)


def test_a_layout_is_taken_only_where_frames_can_be_handed_on_as_they_are() -> None:
    layout = layout_of(LAYOUT.schema_message, LAYOUT.message_bytes)
    assert layout.columns == LAYOUT.columns
    for schema, size in ((LAYOUT.schema_message, LAYOUT.message_bytes + 8), (b"none", 1), (b"", 1)):
        with pytest.raises(UpstreamError):
            layout_of(schema, size)
