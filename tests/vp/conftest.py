from __future__ import annotations

from pathlib import Path

import pytest

from tests import lakes


@pytest.fixture(scope="session")
def small_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of small files, sound and broken (tests.lakes)."""
    return lakes.build(tmp_path_factory.mktemp("lake"))
