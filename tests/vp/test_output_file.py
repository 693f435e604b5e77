from __future__ import annotations

from pathlib import Path

import pytest

from vp.errors import BadParameterError, VPError
from vp.output_file import output_file, output_path


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("frames.csv", ".arrow or .parquet"),
        ("frames", ".arrow or .parquet"),
        ("directory.arrow", "is a directory"),
        ("missing/frames.arrow", "no directory"),
        ("lake/raw/frames.arrow", "raw files"),
        ("link/frames.arrow", "raw files"),
    ],
)
def test_where_nothing_is_written(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "directory.arrow").mkdir()
    (tmp_path / "lake" / "raw").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "lake" / "raw")
    with pytest.raises(BadParameterError) as caught:
        output_path(str(tmp_path / name), tmp_path / "lake", (".arrow", ".parquet"))
    assert says in caught.value.message
    assert caught.value.hint


def test_any_ending_where_none_is_asked_for(tmp_path: Path) -> None:
    assert output_path(str(tmp_path / "answer.txt"), tmp_path / "lake") == tmp_path / "answer.txt"


def test_what_the_system_refuses_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(VPError, match="Cannot write") as caught, output_file(tmp_path / "missing" / "a.arrow"):
        pass
    assert caught.value.hint
