"""Damaged files are errors that name the place, or the right result, or another valid file in the vendor's eyes too.

`VP_SWEEP=whole` changes each byte to every other value (half a million files) and cuts at each offset; else one value
a byte, and cuts where something ends.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests import mutations
from tests.dbn_files import compress
from tests.mutations import Sound

WHOLE = os.environ.get("VP_SWEEP") == "whole"
FILES = [(version, packed) for version in (1, 2, 3) for packed in (False, True) if WHOLE or version != 2]


@pytest.fixture(params=FILES, ids=lambda which: f"v{which[0]}{'.zst' if which[1] else ''}")
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Sound:
    version, compressed = request.param
    return mutations.sound(version, compressed, tmp_path / "x.mbo.dbn")


def test_flipped(file: Sound, tmp_path: Path) -> None:
    path = tmp_path / "x.mbo.dbn"
    found: Counter[str] = Counter()
    for what, data in mutations.flips(file, every=WHOLE):
        verdict = mutations.judge(file, what, data, mutations.read(path, data))
        found[verdict] += 1
        if verdict == "another file":
            assert mutations.undetectable(file, int(what.split()[1])), what
    print(file.name, "flipped:", dict(found))  # noqa: T201 - the figures of a sweep
    assert found["error"]
    assert (found["another file"] == 0) == file.compressed


@pytest.mark.parametrize("how", [mutations.cuts, mutations.holes, mutations.swaps], ids=lambda how: how.__name__)
def test_cut_holed_swapped(file: Sound, tmp_path: Path, how: object) -> None:
    path = tmp_path / "x.mbo.dbn"
    found: Counter[str] = Counter()
    for what, data in how(file, every=WHOLE):  # type: ignore[operator]
        found[mutations.judge(file, what, data, mutations.read(path, data))] += 1
    print(file.name, f"{how.__name__}:", dict(found))  # type: ignore[attr-defined]  # noqa: T201
    if how is mutations.cuts:
        assert found["short"] == (0 if file.compressed else len(file.places)), "cuts that fall between two records"
        assert found["equal"] + found["another file"] == 0
    elif how is mutations.swaps:
        assert found["error"] == 0, "swapped records are a valid file: only their times can tell"


def test_joined(file: Sound, tmp_path: Path) -> None:
    """A second header where a record should be."""
    path = tmp_path / "x.mbo.dbn"
    for version, compressed in FILES:
        other = mutations.sound(version, compressed, path)
        if other.compressed == file.compressed:
            outcome = mutations.read(path, file.data + other.data)
        elif file.compressed:
            outcome = mutations.read(path, file.data + compress(b"") + other.data)
        else:
            outcome = mutations.read(path, file.data + other.data)
        assert outcome.rows == file.rows
        assert outcome.error is not None
        assert outcome.error.code in {"damaged_file", "truncated_file"}
        assert outcome.error.record_index == len(file.places)
        assert outcome.error.byte_offset == len(file.plain)
