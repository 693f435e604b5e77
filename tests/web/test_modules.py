"""The page's pure modules, tested by node's own runner."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")
TESTS = sorted(Path(__file__).parent.glob("*.test.mjs"))


def test_modules_in_node() -> None:
    if NODE is None:
        if os.environ.get("VP_REQUIRE_BROWSER") == "1":
            pytest.fail("VP_REQUIRE_BROWSER=1, but there is no node on the path")
        pytest.skip("no node on the path")
    run = subprocess.run([NODE, "--test", *map(str, TESTS)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
