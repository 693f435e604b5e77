from __future__ import annotations

import pytest

from vp.errors import BadParameterError
from vp.server.net.origin import ForbiddenError, Gate, own_names
from vp.settings import forms
from vp.settings.table import SETTINGS

SITE = frozenset({"https://trade.example"})


@pytest.mark.parametrize(
    ("origin", "host", "loopback_only", "expected"),
    [
        (None, "127.0.0.1:8002", True, True),
        (None, None, True, True),
        ("http://127.0.0.1:8002", "127.0.0.1:8002", True, True),
        ("http://localhost:8002", "localhost:8002", True, True),
        ("http://[::1]:8002", "[::1]:8002", True, True),
        ("HTTP://LOCALHOST:8002", "localhost:8002", True, True),
        ("http://localhost:5174", "127.0.0.1:8002", True, False),  # the page's development server: if it is asked for
        ("http://127.0.0.1:5174", "127.0.0.1:8002", True, False),
        ("http://localhost:5174", "evil.example:8002", True, False),
        ("http://evil.example", "127.0.0.1:8002", True, False),
        ("http://127.0.0.1:9000", "127.0.0.1:8002", True, False),
        ("http://evil.example:8002", "evil.example:8002", True, False),  # a name that resolves to this machine
        ("http://evil.example:8002", "evil.example:8002", False, False),
        (None, "evil.example:8002", True, False),
        (None, "evil.example:8002", False, False),
        (None, "127.0.0.1:8002, evil.example", True, False),  # two Host headers
        (None, "localhost.evil.example", True, False),
        (None, "evil.example@localhost", True, False),
        (None, "localhost/x", True, False),
        (None, "localhost:x", True, False),
        (None, "", True, False),
        (None, "[::1", True, False),
        (None, "192.168.1.5:8002", True, False),
        (None, "192.168.1.5:8002", False, True),
        ("http://192.168.1.5:8002", "192.168.1.5:8002", False, True),
        ("http://box:8002", "box:8002", False, True),
        ("http://box.local:8002", "box.local:8002", False, True),
        ("http://box:8002", "box:8002", True, False),
        ("http://evil.example", "192.168.1.5:8002", False, False),
        ("null", "127.0.0.1:8002", True, False),
        ("", "127.0.0.1:8002", True, False),
        ("file://", "127.0.0.1:8002", True, False),
        ("http://[bad", "127.0.0.1:8002", True, False),
        ("http://localhost:8002", None, True, False),
        ("https://trade.example", "127.0.0.1:8002", True, True),  # a proxy that does not pass the name on
        ("https://trade.example", "trade.example", True, True),  # one that does
        ("http://trade.example", "127.0.0.1:8002", True, False),  # not encrypted: another origin
        ("https://trade.example.evil.example", "127.0.0.1:8002", True, False),
    ],
)
def test_gate(origin: str | None, host: str | None, loopback_only: bool, expected: bool) -> None:
    gate = Gate(loopback_only, SITE, names=frozenset({"box", "box.local"}))
    if expected:
        gate.check(origin, host)
        return
    with pytest.raises(ForbiddenError) as refused:
        gate.check(origin, host)
    assert "--allow-origin" in refused.value.hint


def test_this_machine_knows_its_names() -> None:
    assert all(name and name == name.lower() for name in own_names())


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("https://Trade.example", "https://trade.example"),
        ("https://trade.example/", "https://trade.example"),
        ("https://trade.example:443", "https://trade.example"),
        ("http://trade.example:8080", "http://trade.example:8080"),
        ("http://[::1]:5174", "http://[::1]:5174"),
    ],
)
def test_an_origin_is_put_as_browsers_put_it(typed: str, expected: str) -> None:
    assert forms.origin("allow_origin", typed) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "*",
        "null",
        "trade.example",
        "https://",
        "https://*.example",
        "https://a/b",
        "http://a:b",
        "ftp://a",
        "http://u@a",
    ],
)
def test_what_is_no_origin_is_said(typed: str) -> None:
    (setting,) = (setting for setting in SETTINGS if setting.name == "allow_origin")
    with pytest.raises(BadParameterError) as caught:
        setting.parse(typed)
    assert "allow_origin" in caught.value.message
    assert "https://trade.example" in caught.value.hint
