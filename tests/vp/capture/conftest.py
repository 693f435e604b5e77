"""The market as a file, and a gateway that plays it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_gateway.control import GatewayProcess, gateway
from tests.vp.capture.capturing import directory, write_market

FILE = "glbx-mdp3-20260206.mbo.dbn"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake that holds the market as a file."""
    lake = tmp_path_factory.mktemp("whole")
    write_market(directory(lake) / FILE)
    return lake


@pytest.fixture(scope="module")
def process(whole: Path) -> Iterator[GatewayProcess]:
    with gateway(directory(whole) / FILE) as running:
        yield running


@pytest.fixture
def feed(process: GatewayProcess) -> GatewayProcess:
    """The gateway as it was at the beginning."""
    process.order("reset")
    process.order("listen")
    return process
