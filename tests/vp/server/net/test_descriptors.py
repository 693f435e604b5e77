from __future__ import annotations

import subprocess
import sys

import pytest

from vp.server.net.descriptors import MOST_DESCRIPTORS, most_connections, raise_descriptor_limit

resource = pytest.importorskip("resource")

RAISE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, int(sys.argv[1])))
from vp.server.net.descriptors import most_connections, raise_descriptor_limit
print(most_connections(), raise_descriptor_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0], most_connections())
"""


def test_as_many_as_the_system_allows_half_of_them_connections() -> None:
    run = subprocess.run([sys.executable, "-c", RAISE, "1000"], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["32", "1000", "1000", "500"]


def test_never_more_than_there_is_use_for() -> None:
    assert raise_descriptor_limit() <= MOST_DESCRIPTORS
    assert most_connections() <= MOST_DESCRIPTORS // 2
