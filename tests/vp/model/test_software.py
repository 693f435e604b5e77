from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import vp
from vp.model import software as module
from vp.model.software import ROOMS, software


def test_it_changes_with_each_room_that_makes_frames_and_with_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(vp.__file__).parent
    for room in (*ROOMS, "study"):
        shutil.copytree(package / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))

    def now(*more_rooms: str) -> str:
        software.cache_clear()
        return software(*more_rooms)

    before = now()
    monkeypatch.setattr(vp, "__file__", str(tmp_path / "__init__.py"))
    assert now() == before
    assert before.startswith(f"{vp.__version__} ")
    seen = {before}
    for room in ROOMS:
        path = min((tmp_path / room).glob("*.py"))
        path.write_bytes(path.read_bytes() + b"\n")
        assert now() not in seen, room
        seen.add(now())
    (tmp_path / "study" / "blocks.py").write_bytes(b"")
    assert now() in seen
    with_study = now("study")
    assert with_study not in seen
    (tmp_path / "study" / "blocks.py").write_bytes(b"\n")
    assert now("study") != with_study
    monkeypatch.setattr(module, "version", lambda name: f"{name} of tomorrow")
    assert now() not in seen
    software.cache_clear()
