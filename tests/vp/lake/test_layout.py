"""Every kind of data has one place in the lake, which the lake's page tells and the lake finds."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.places import ROOT
from vp.errors import LakeError
from vp.lake.lake import Lake
from vp.lake.layout import LAYOUT, Place, note_path, place_of

DATE = dt.date(2026, 2, 6)
README = ROOT / "lake" / "README.md"
IDS = [f"{place.product_type}-{place.schema}" for place in LAYOUT]


@pytest.mark.parametrize("place", LAYOUT, ids=IDS)
def test_files_are_found_where_the_page_says(tmp_path: Path, place: Place) -> None:
    lake = Lake(tmp_path)
    directory = lake.directory(place, "QQQ")
    directory.mkdir(parents=True)
    for date in (DATE, DATE - dt.timedelta(days=1)):
        (directory / place.file_name(date)).write_bytes(b"DBN")
    (directory / place.file_name(DATE, compressed=False)).write_bytes(b"DBN")
    (directory / place.file_name(DATE).replace(place.schema, "ohlcv-1s")).write_bytes(b"DBN")
    (directory / f".{place.file_name(DATE)}.part").write_bytes(b"DBN")
    found = [(raw.date.day, raw.dataset, raw.compressed) for raw in lake.files(place, "QQQ")]
    name = place.file_dataset
    assert found == [(5, name, True), (6, name, False), (6, name, True)]
    text = README.read_text()
    row = next(line for line in text.splitlines() if f"{name}-YYYYMMDD.{place.schema}.dbn.zst" in line
               and f"`{place.product_type}`" in line)  # fmt: skip
    assert f"`{place.table}`" in row


def test_the_condition_of_a_day_is_read_from_the_note(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    place = place_of("future_mbo", "mbo")
    directory = lake.directory(place, "MNQ")
    directory.mkdir(parents=True)
    path = directory / place.file_name(DATE)
    path.write_bytes(b"DBN")
    (raw,) = lake.files(place, "MNQ")
    assert lake.condition(raw) is None
    for damaged in ("", "[]", '{"condition": 3}'):
        note_path(path).write_text(damaged)
        assert lake.condition(raw) is None
    note_path(path).write_text('{"condition": "degraded"}')
    assert lake.condition(raw) == "degraded"
    assert note_path(path).name == note_path(path.with_suffix("")).name == "glbx-mdp3-20260206.mbo.dbn.json"


def test_there_is_no_other_place(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"no place for the schema 'trades' of 'future_mbo'\..* equity_mbo mbo"):
        place_of("future_mbo", "trades")
    for symbol in ("../../etc", "mnq", ""):
        with pytest.raises(LakeError, match="no directory for the symbol"):
            Lake(tmp_path).directory(LAYOUT[0], symbol)
