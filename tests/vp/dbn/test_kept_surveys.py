"""Surveys on disk: a root over many files is told its contract again without reading them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.dbn_files import header, mbo
from tests.lakes import FUTURES_OPEN_NS, RAW, put
from tests.oracle_book import Rec
from vp.dbn import contents
from vp.dbn.file import DbnFile
from vp.dbn.kept_surveys import KeptSurveys
from vp.lake.cache_budget import SURVEYS, CacheBudget
from vp.model.found_session import find_session
from vp.model.session import SessionSpec


def orders(number: int, count: int) -> bytes:
    return b"".join(mbo(Rec(FUTURES_OPEN_NS + i, "A", "B", 10**9, 1, i + 1, 128), number) for i in range(count))


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Two contracts in a file each; MNQM6 is the busier one."""
    for symbol, number, count in (("MNQH6", 7, 3), ("MNQM6", 8, 5)):
        data = header(symbols={symbol: number}) + orders(number, count)
        put(tmp_path, "future_mbo", "MNQ", f"glbx-mdp3-20260206.mbo.{symbol}.dbn", data)
    return tmp_path


@pytest.fixture
def surveyed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read through, as they are."""
    names: list[str] = []
    survey_file = contents.survey_file

    def counted(file: DbnFile) -> contents.Survey:
        names.append(file.path.name)
        return survey_file(file)

    monkeypatch.setattr(contents, "survey_file", counted)
    return names


def contract(lake: Path) -> str:
    contents._contents.cache_clear()  # as in a process of its own
    return find_session(SessionSpec("future_mbo", "MNQ", "2026-02-06", lake=str(lake))).input.contract


def test_files_are_surveyed_once_and_again_when_they_change(lake: Path, surveyed: list[str]) -> None:
    assert contract(lake) == "MNQM6"
    assert len(surveyed) == 2
    assert contract(lake) == "MNQM6"
    assert len(surveyed) == 2, "their surveys are kept"
    data = header(symbols={"MNQH6": 7}) + orders(7, 9)
    put(lake, "future_mbo", "MNQ", "glbx-mdp3-20260206.mbo.MNQH6.dbn", data)
    assert contract(lake) == "MNQH6"
    assert surveyed[2:] == ["glbx-mdp3-20260206.mbo.MNQH6.dbn"]


def test_a_survey_that_is_damaged_or_of_another_file_is_made_anew(
    lake: Path, surveyed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    contract(lake)
    kept = sorted((lake / "cache" / SURVEYS.directory).iterdir())
    first, second = (path.read_bytes() for path in kept)
    for at in range(0, len(first), 7):
        kept[0].write_bytes(first[:at] + bytes([first[at] ^ 1]) + first[at + 1 :])
        surveyed.clear()
        assert contract(lake) == "MNQM6", at
        assert len(surveyed) == 1, at
        assert kept[0].read_bytes() == first
    assert "damaged" in caplog.text
    kept[0].write_bytes(second)
    surveyed.clear()
    assert contract(lake) == "MNQM6"
    assert len(surveyed) == 1


def test_it_says_what_it_said_and_is_for_those_alone_who_may_read_the_file(lake: Path) -> None:
    raw = next((lake / RAW.format("future_mbo", "MNQ")).glob("*MNQM6*"))
    raw.chmod(0o600)
    kept = KeptSurveys(CacheBudget(lake / "cache", floor_bytes=0))
    made = contents.Contents(raw).survey
    kept.save(raw, 1, 2, made)
    (path,) = (lake / "cache" / SURVEYS.directory).iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    loaded = kept.load(raw, 1, 2)
    assert loaded is not None
    assert np.array_equal(loaded.keys, made.keys)
    assert np.array_equal(loaded.counts, made.counts)
    assert loaded.mappings == made.mappings
    assert kept.load(raw, 1, 3) is None
    assert kept.load(raw.with_name("other"), 1, 2) is None
    os.truncate(path, 10)
    assert kept.load(raw, 1, 2) is None


def test_without_room_nothing_is_kept(lake: Path) -> None:
    kept = KeptSurveys(CacheBudget(lake / "cache", 0, floor_bytes=0))
    raw = next((lake / RAW.format("future_mbo", "MNQ")).glob("*MNQM6*"))
    kept.save(raw, 1, 2, contents.Contents(raw).survey)
    assert not (lake / "cache").exists()
