"""What the names of raw files say."""

from __future__ import annotations

import datetime as dt

import pytest

from vp.lake.names import RawName, parse_name

DAY = dt.date(2026, 2, 6)
SUNDAY, SATURDAY = dt.date(2026, 2, 1), dt.date(2026, 2, 7)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("glbx-mdp3-20260206.mbo.dbn", RawName("glbx-mdp3", DAY, DAY, "mbo")),
        ("glbx-mdp3-20260206.mbo.dbn.zst", RawName("glbx-mdp3", DAY, DAY, "mbo", compressed=True)),
        ("glbx-mdp3-20260201-20260207.mbo.dbn", RawName("glbx-mdp3", SUNDAY, SATURDAY, "mbo")),
        ("glbx-mdp3-20260206.mbo.MNQH6.dbn.zst", RawName("glbx-mdp3", DAY, DAY, "mbo", "MNQH6", compressed=True)),
        ("glbx-mdp3-20260201-20260207.mbo.MNQ.v.0.dbn", RawName("glbx-mdp3", SUNDAY, SATURDAY, "mbo", "MNQ.v.0")),
        ("glbx-mdp3-20260206.mbo.MNQH6-MNQM6.dbn", RawName("glbx-mdp3", DAY, DAY, "mbo", "MNQH6-MNQM6")),
        ("xnas-itch-20260206.mbo.BRK.B.dbn", RawName("xnas-itch", DAY, DAY, "mbo", "BRK.B")),
        ("xnas-itch-20260206.mbo.BRK B.dbn", RawName("xnas-itch", DAY, DAY, "mbo", "BRK B")),
        ("xnas-itch-20260206.mbo.BRK%2FB.dbn", RawName("xnas-itch", DAY, DAY, "mbo", "BRK/B")),
        ("ifeu-impact-20260206.mbo.BRN FMH0026!.dbn", RawName("ifeu-impact", DAY, DAY, "mbo", "BRN FMH0026!")),
        ("glbx-mdp3-20260206.mbo.0003.dbn.zst", RawName("glbx-mdp3", DAY, DAY, "mbo", part=3, compressed=True)),
        ("glbx-mdp3-20260206.mbo.MNQH6.0003.dbn", RawName("glbx-mdp3", DAY, DAY, "mbo", "MNQH6", 3)),
        ("glbx-mdp3-20260206.mbo.143005123456.dbn", RawName("glbx-mdp3", DAY, DAY, "mbo", segment="143005123456")),
        ("vp-generated-20260206.mbo.dbn", RawName("vp-generated", DAY, DAY, "mbo")),
        ("dbeq-basic-20260206.mbo.dbn", RawName("dbeq-basic", DAY, DAY, "mbo")),
    ],
)
def test_names(name: str, said: RawName) -> None:
    assert parse_name(name) == said


@pytest.mark.parametrize("name", [
    "README.md", "manifest.json", ".glbx-mdp3-20260206.mbo.dbn.k3.part", "glbx-mdp3-20260206.mbo.dbn.gz",
    "glbx-mdp3-20260206.mbp-10.dbn.zst", "glbx-mdp3-20260206.mbo.dbn.zst.part", "glbx-mdp3-20260230.mbo.dbn",
    "glbx-mdp3-20260207-20260201.mbo.dbn", "glbx-mdp3-20260201-20260230.mbo.dbn", "glbx-mdp3-19000101-22000101.mbo.dbn",
    "glbx-mdp3-20260206.mbo...dbn", "glbx-mdp3-20260206.mbo.%2Fetc.dbn", "glbx-mdp3-20260206.mbo.A%00B.dbn",
    "glbx-mdp3-20260206.mbo.143005123456.dbn.zst", "glbx-mdp3-20260201-20260207.mbo.143005123456.dbn",
    "glbx-mdp3-20260206.mbo.\n.dbn", "20260206.mbo.dbn",
])  # fmt: skip
def test_foreign_names(name: str) -> None:
    assert parse_name(name) is None


def test_days_and_whole_days() -> None:
    week = parse_name("glbx-mdp3-20260201-20260207.mbo.dbn")
    assert week is not None
    assert [day.day for day in week.days()] == [1, 2, 3, 4, 5, 6, 7]
    whole = {name: parse_name(f"glbx-mdp3-2026020{name}.dbn") for name in
             ("6.mbo", "1-20260207.mbo", "6.mbo.MNQH6", "6.mbo.0001", "6.mbo.143005123456")}  # fmt: skip
    assert [said.is_whole_day for said in whole.values() if said] == [True, False, False, False, False]
