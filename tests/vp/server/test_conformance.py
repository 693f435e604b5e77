from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.vp.server.conformance import CASES, Case, echoing, outcome


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with echoing() as port:
        yield port


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number} {case.what}")
def test_rfc_6455(port: int, case: Case, caplog: pytest.LogCaptureFixture) -> None:
    assert outcome(port, case) == ""
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []
