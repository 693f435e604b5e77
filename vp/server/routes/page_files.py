"""The files of web/; comments, types and indentation of modules stay behind, a quarter of the weight of the page."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vp.package_files import package_file

WEB = package_file("web")
HOME = "vacuum-pressure.html"
MIME = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Comments and types, which no text of the page looks like; and indentation, which no text of the page minds.
COMMENT = re.compile(rb"/\*\*(?:(?!\*/).)*\*/[ \t]*", re.DOTALL)
INDENTATION = re.compile(rb"^[ \t]+", re.MULTILINE)
PLAIN_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
PLAIN_PATH = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.\-]*/)*[A-Za-z0-9_][A-Za-z0-9_.\-]*")


async def home(request: Request) -> Response:
    """Lead to the page beside this address, under whatever path a proxy put it."""
    query = request.scope["query_string"].decode("latin-1")
    return RedirectResponse(f"{HOME}?{query}" if query else HOME)


async def page(request: Request) -> Response:
    """One file of web/: pages, modules and styles; nothing hidden, nothing installed."""
    path: str = request.path_params["path"]
    if not PLAIN_PATH.fullmatch(path) or "node_modules" in path.split("/"):
        raise HTTPException(404)
    file = WEB / path
    kind = MIME.get(file.suffix)
    if kind is None or not file.resolve().is_relative_to(WEB) or not file.is_file():
        raise HTTPException(404)
    response = Response(await asyncio.to_thread(served, file))
    response.headers["content-type"] = kind
    response.headers["cache-control"] = "no-cache"
    response.headers["content-security-policy"] = _policy(request.headers.get("host", ""))
    response.headers["x-content-type-options"] = "nosniff"
    response.headers["referrer-policy"] = "no-referrer"
    return response


def served(file: Path) -> bytes:
    """A file as it is sent. Every line keeps its number, so that what a browser reports can be found."""
    body = file.read_bytes()
    if file.suffix == ".js":
        body = INDENTATION.sub(b"", COMMENT.sub(lambda found: b"\n" * found.group().count(b"\n"), body))
    return body


def _policy(host: str) -> str:
    """Nothing but this server's own files, and its own stream."""
    stream = f" ws://{host} wss://{host}" if PLAIN_HOST.fullmatch(host) else ""
    return (
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
        f"img-src 'self' data:; connect-src 'self'{stream}; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'self'"
    )
