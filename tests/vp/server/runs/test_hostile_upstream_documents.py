"""Documents of a server that is no upstream: a sentence, within a bound of memory."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.vp.server.tiny import DEFAULTS, TinySession, even_clocks, serving, tiny_service
from vp.server.routes.relayed_catalogue import RelayedCatalogue
from vp.server.runs import upstream_documents
from vp.server.runs.upstream import UpstreamError
from vp.server.runs.upstream_documents import UpstreamDocuments


@contextlib.contextmanager
def answering(write: Callable[[BaseHTTPRequestHandler], object]) -> Iterator[str]:
    """A server over plain HTTP whose every answer is what `write` writes; its address as an upstream."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            with contextlib.suppress(OSError):
                write(self)

        def log_message(self, *_told: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"ws://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    "text", ["", "<html>", "5", "[]", "[" * 100_000, '{"default": 5}', '{"default": {}}'], ids=range(7)
)
def test_what_is_no_list_of_sessions_is_a_sentence(text: str) -> None:
    with answering(lambda handler: handler.wfile.write(text.encode())) as address, pytest.raises(UpstreamError):
        RelayedCatalogue(UpstreamDocuments(address))


def test_an_answer_without_an_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_documents, "MOST_BYTES", 1 << 20)
    sent = 0

    def write(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        while sent < 200 << 20:
            sent += handler.wfile.write(b" " * (1 << 20))

    with answering(write) as address, pytest.raises(UpstreamError, match="has no end"):
        UpstreamDocuments(address).sessions()
    assert sent < 100 << 20


@pytest.mark.parametrize("name", ["sessions", "sessions_left_out", "passed_over_count"])
def test_a_list_that_is_none_is_the_upstreams_fault(name: str) -> None:
    with serving(tiny_service(lambda _request: TinySession(even_clocks(5)))) as origin:
        said = UpstreamDocuments(f"ws://127.0.0.1:{origin.port}").sessions()
    changed = {**said, name: {"sessions": 5}.get(name)}
    with answering(lambda handler: handler.wfile.write(json.dumps(changed).encode())) as address:
        catalogue = RelayedCatalogue(UpstreamDocuments(address))
        assert catalogue.defaults.symbol == DEFAULTS.symbol
        with pytest.raises(UpstreamError, match="list of sessions"):
            catalogue()
