from __future__ import annotations

import asyncio
import gzip
import json
import re
import urllib.request
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from websockets.sync.client import connect

from tests.vp.server.tiny import TinySession, even_clocks, serving, tiny_service
from vp.server.routes import page_files

FILES = {
    "main.js": "",
    "vacuum-pressure.html": "<!doctype html>",
    "draw.js": "export {};",
    "style.css": "body{}",
    "parts/read.js": "export {};",
    "package.json": "{}",
    "tsconfig.json": "{}",
    "notes.md": "#",
    ".hidden.js": "secret",
    ".git/config.js": "secret",
    "node_modules/left/index.js": "secret",
}


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    web = tmp_path / "web"
    for name, text in FILES.items():
        (web / name).parent.mkdir(parents=True, exist_ok=True)
        (web / name).write_text(text)
    (tmp_path / "outside.js").write_text("secret")
    (web / "link.js").symlink_to(tmp_path / "outside.js")
    monkeypatch.setattr(page_files, "WEB", web)
    return web


def get(path: str, host: str = "127.0.0.1:8002") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body that the routes of the pages give."""
    app = Starlette(routes=[Route("/", page_files.home), Route("/{path:path}", page_files.page)])
    sent: list[dict[str, object]] = []
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", host.encode())],
        "scheme": "http",
        "server": ("127.0.0.1", 8002),
        "root_path": "",
    }

    async def receive() -> dict[str, object]:
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    status, raw = sent[0]["status"], sent[0]["headers"]
    assert isinstance(status, int)
    assert isinstance(raw, list)
    headers = {name.decode(): value.decode() for name, value in raw}
    body = b"".join(part for part in (message.get("body", b"") for message in sent[1:]) if isinstance(part, bytes))
    return status, headers, body


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/vacuum-pressure.html", "text/html; charset=utf-8"),
        ("/draw.js", "text/javascript; charset=utf-8"),
        ("/parts/read.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
    ],
)
def test_pages_modules_and_styles_are_served(web: Path, path: str, kind: str) -> None:
    status, headers, body = get(path)
    assert status == 200
    assert headers["content-type"] == kind
    assert headers["cache-control"] == "no-cache"
    assert body.decode() == FILES[path[1:]]


def test_a_style_sheet_comes_without_comments_and_space_and_means_the_same(web: Path) -> None:
    rules = '/* why */\na:hover, b > c :focus {\n  content: "● "; margin: 0 auto;\n}\n'
    rules += "@media (max-width: 9px) and (x) { p { a: b; } }\n"
    (web / "style.css").write_text(rules)
    sent = get("/style.css")[2].decode()
    assert sent == 'a:hover,b > c :focus{content:"● ";margin:0 auto;}@media (max-width:9px) and (x){p{a:b;}}'


@pytest.mark.parametrize(
    "path",
    [
        "/package.json",
        "/tsconfig.json",
        "/notes.md",
        "/.hidden.js",
        "/.git/config.js",
        "/node_modules/left/index.js",
        "/link.js",
        "/../outside.js",
        "/parts/../../outside.js",
        "//etc/passwd",
        "/parts",
        "/missing.js",
        "/draw.js/",
        "/draw.js\x00",
        "/parts\\read.js",
    ],
)
def test_nothing_else_is_served(web: Path, path: str) -> None:
    status, _, body = get(path)
    assert status == 404
    assert b"secret" not in body


def test_the_root_leads_to_the_page_with_its_query() -> None:
    status, headers, _ = get("/?symbol=ESH4")
    assert status in {302, 307}
    assert headers["location"] == "vacuum-pressure.html?symbol=ESH4"  # beside the address


def test_the_page_may_load_only_from_here_and_speak_only_to_here(web: Path) -> None:
    _, headers, _ = get("/vacuum-pressure.html")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self' ws://127.0.0.1:8002 wss://127.0.0.1:8002;" in policy


def test_a_strange_host_does_not_get_into_the_policy(web: Path) -> None:
    _, headers, _ = get("/vacuum-pressure.html", host="x; script-src *")
    assert "script-src *" not in headers["content-security-policy"]


def test_the_page_comes_compressed_to_those_who_take_it_and_frames_do_not() -> None:
    service = tiny_service(lambda _request: TinySession(even_clocks(200, step_ms=1)))
    with serving(service) as server, connect(server.ws("speed=1000"), close_timeout=0.2) as socket:
        config = json.loads(socket.recv())
        while config["type"] != "runtime_config":
            config = json.loads(socket.recv())
        assert "permessage-deflate" not in str(socket.response and socket.response.headers)
        plain, encoding = fetch(f"{server.http}/vacuum-pressure.html", "identity")
        assert encoding is None
        packed, encoding = fetch(f"{server.http}/vacuum-pressure.html", "gzip, br")
        assert encoding == "gzip"
        assert gzip.decompress(packed) == plain
        assert len(packed) < len(plain) / 2
        named = sorted(re.findall(r'(?:src|href)="([\w-]+\.(?:js|css))"', plain.decode()))
        assert named == ["main.js", "screens.css", "start.js", "style.css"]  # and what main.js imports lies in it
        weight = len(packed) + sum(len(fetch(f"{server.http}/{name}", "gzip")[0]) for name in named)
        assert 20_000 < weight < 80_000  # the whole page, as it goes over the wire
        script, encoding = fetch(f"{server.http}/main.js", "identity")
        assert encoding is None
        assert script == gzip.decompress(fetch(f"{server.http}/main.js", "gzip")[0])
        address = f"{server.http}/v1/vacuum-pressure/history?session_id={config['session_id']}&fields=pressure"
        assert fetch(address, "gzip")[1] is None


def fetch(address: str, accepted: str) -> tuple[bytes, str | None]:
    """The body as it came over the wire, and its encoding."""
    request = urllib.request.Request(address, headers={"accept-encoding": accepted})
    with urllib.request.urlopen(request) as response:
        return response.read(), response.headers["content-encoding"]
