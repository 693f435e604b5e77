from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databento_server.http import Server, running
from tests.vp.download.programs import KEY


@pytest.fixture
def server() -> Iterator[Server]:
    """The service on loopback."""
    with running(KEY) as built:
        yield built
