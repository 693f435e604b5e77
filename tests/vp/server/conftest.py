from __future__ import annotations

import pytest

from vp.server.stream import cursor


@pytest.fixture(autouse=True)
def _patient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no viewer jump because the machine that runs the tests is busy."""
    if request.module.__name__.rpartition(".")[2] != "test_cursor":
        monkeypatch.setattr(cursor, "LIVE_SECONDS", 20.0)
