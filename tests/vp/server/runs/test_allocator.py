from __future__ import annotations

import platform

import pytest

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
