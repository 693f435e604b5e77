"""The files of web/, its modules as one script (vp.server.routes.page_script)."""

from __future__ import annotations

import asyncio
import functools
import gzip
import re
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vp.package_files import package_file
from vp.server.routes.page_script import page_script, stripped

WEB = package_file("web")
HOME = "vacuum-pressure.html"
MIME = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# What only readers of a style sheet need; in its texts there is none of it.
STYLE_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
STYLE_SPACE = re.compile(r"\s*([{};,])\s*|(?<=:) (?=\S)")
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
    packed = "gzip" in request.headers.get("accept-encoding", "")
    response = Response(await asyncio.to_thread(_body, file, packed))
    if packed:
        response.headers["content-encoding"] = "gzip"
    response.headers["vary"] = "Accept-Encoding"
    response.headers["content-type"] = kind
    response.headers["cache-control"] = "no-cache"
    response.headers["content-security-policy"] = _policy(request.headers.get("host", ""))
    return response


def served(file: Path) -> bytes:
    """A file of web/ as it is sent."""
    if file.suffix == ".css":
        return STYLE_SPACE.sub(r"\1", STYLE_COMMENT.sub("", file.read_text(encoding="utf-8"))).encode()
    if file.suffix != ".js":
        return file.read_bytes()
    return (page_script(WEB).get(file) or stripped(file.read_text(encoding="utf-8"))).encode()


def _body(file: Path, packed: bool) -> bytes:
    """For a thread: compressed by the application's middleware, the script would hold up every stream meanwhile."""
    body = served(file)
    return _compressed(body) if packed else body


@functools.lru_cache(maxsize=8)  # the page's own files; whoever opens it again gets what the first one got
def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def _policy(host: str) -> str:
    """Nothing but this server's own files, and its own stream."""
    stream = f" ws://{host} wss://{host}" if PLAIN_HOST.fullmatch(host) else ""
    return (
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
        f"img-src 'self' data:; connect-src 'self'{stream}; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'self'"
    )
