from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.places import ROOT
from tests.vp.server.runs.memory import private_kib
from vp.server.runs.allocator import give_back


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has malloc_trim")
def test_what_is_free_between_what_is_held_goes_back_to_the_system() -> None:
    blocks = [bytes(2000) for _ in range(100_000)]
    held = blocks[::500]
    del blocks
    before = private_kib()
    give_back()
    assert private_kib() < before - 50_000
    assert len(held) == 200


KEPT = """
from vp.server.runs.allocator import allocated, keep_little
if {called}: keep_little()
block = bytearray(16 << 20)
del block  # which makes glibc keep blocks of its size from now on, left alone
before = allocated().mapped_bytes
block = bytearray(8 << 20)
print(allocated().mapped_bytes - before >= 8 << 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
@pytest.mark.parametrize("called", [True, False])
def test_large_blocks_go_back_as_a_whole(called: bool) -> None:
    command = [sys.executable, "-c", KEPT.format(called=called)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    assert said == f"{called}\n"
