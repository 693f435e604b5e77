"""`python -m vp.cache` over a lake whose cache holds both kinds of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from vp.programs import cache


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    for name, size in (
        ("vp_book/a.arrow", 10),
        ("decompressed/b.blocks", 2000),
        ("decompressed/.c.blocks.x1x1x1x1.part", 7),
    ):
        path = tmp_path / "cache" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    (tmp_path / "cache" / "vp_book" / "notes.txt").write_text("not the cache's")
    return tmp_path


def test_shows_what_there_is(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cache.main(["--lake", str(lake)]) == 0
    shown = capsys.readouterr().out
    assert "books: 1 file, 10 bytes" in shown
    assert "decompressed: 2 files, 2,007 bytes" in shown
    assert "2,000  b.blocks" in shown


@pytest.mark.parametrize(
    ("what", "left"),
    [
        ("books", {"b.blocks", ".c.blocks.x1x1x1x1.part", "notes.txt"}),
        ("decompressed", {"a.arrow", "notes.txt"}),
        ("all", {"notes.txt"}),
    ],
)
def test_clears_its_own_files_alone(lake: Path, what: str, left: set[str]) -> None:
    assert cache.main(["--lake", str(lake), "--clear", what]) == 0
    assert {path.name for path in (lake / "cache").rglob("*") if path.is_file()} == left


def test_an_empty_lake_has_an_empty_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cache.main(["--lake", str(tmp_path), "--clear", "all"]) == 0
    assert "books: 0 files deleted, 0 bytes" in capsys.readouterr().out


def test_what_is_odd_in_a_cache_is_no_fault(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (lake / "cache/vp_book/directory.arrow").mkdir()
    (lake / "cache/vp_book/nowhere.arrow").symlink_to("/nonexistent")
    assert cache.main(["--lake", str(lake)]) == 0
    assert "books: 2 files" in capsys.readouterr().out
    assert cache.main(["--lake", str(lake), "--clear", "all"]) == 0
    assert {path.name for path in (lake / "cache/vp_book").iterdir()} == {"directory.arrow", "notes.txt"}


def test_a_file_that_cannot_be_deleted_is_named(
    lake: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert cache.main(["--lake", str(lake), "--clear", "all"]) == 1
    told = capsys.readouterr().err
    assert "a.arrow: Operation not permitted" in told
    assert "hint: " in told


def test_another_word_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cache.main(["--clear", "raw"]) == 2
    assert "expected one of books, decompressed, overviews, surveys, all" in capsys.readouterr().err
