from __future__ import annotations

import pytest

from vp.server.origin import allowed


@pytest.mark.parametrize(
    ("origin", "host", "loopback_only", "expected"),
    [
        (None, "127.0.0.1:8002", True, True),
        ("http://127.0.0.1:8002", "127.0.0.1:8002", True, True),
        ("http://localhost:8002", "localhost:8002", True, True),
        ("http://[::1]:8002", "[::1]:8002", True, True),
        ("HTTP://LOCALHOST:8002", "localhost:8002", True, True),
        ("http://localhost:5174", "127.0.0.1:8002", True, True),
        ("http://127.0.0.1:5174", "127.0.0.1:8002", True, True),
        ("http://evil.example", "127.0.0.1:8002", True, False),
        ("http://127.0.0.1:9000", "127.0.0.1:8002", True, False),
        ("http://evil.example:8002", "evil.example:8002", True, False),  # a name that resolves to this machine
        ("http://trade.example", "trade.example", False, True),
        ("https://trade.example", "trade.example", False, True),
        ("http://evil.example", "trade.example", False, False),
        ("null", "127.0.0.1:8002", True, False),
        ("", "127.0.0.1:8002", True, False),
        ("file://", "127.0.0.1:8002", True, False),
        ("http://[bad", "127.0.0.1:8002", True, False),
        ("http://localhost:8002", None, True, False),
    ],
)
def test_origin(origin: str | None, host: str | None, loopback_only: bool, expected: bool) -> None:
    assert allowed(origin, host, loopback_only=loopback_only) is expected
