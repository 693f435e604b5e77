"""Known answers: what was measured by hand of two sessions of real exchange data."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.places import DATA
from vp.model.session import SessionSpec
from vp.programs.study import main
from vp.study.measure import Measures
from vp.study.request import StudyRequest
from vp.study.run import run_study

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="needs real exchange data (../shared/data)")
RAW = "raw/source=databento/product_type=future_mbo/symbol={}/table=market_by_order_dbn"


class Known(NamedTuple):
    """Values to the digits that are known, intervals to two."""

    root: str
    file: str
    session: tuple[str, str, str, str]
    imbalance: dict[str, tuple[float, float, float]]
    samples: int
    flow: tuple[float, float]


ESH4 = Known(
    "ES",
    "glbx-mdp3-20231225.mbo.dbn.zst",
    ("ESH4", "2023-12-25", "23:01 UTC", "23:59:59 UTC"),
    {"1 s": (0.192, 0.16, 0.22), "5 s": (0.219, 0.16, 0.28), "next move": (0.338, 0.24, 0.44)},
    3539,
    (0.463, 0.906),
)
CLX5 = Known(
    "CL",
    "glbx-mdp3-20250924.mbo.dbn",
    ("CLX5", "2025-09-24", "19:32 UTC", "20:59:30 UTC"),
    {"1 s": (0.121, 0.10, 0.14), "5 s": (0.181, 0.14, 0.22), "next move": (0.222, 0.13, 0.32)},
    5250,
    (0.526, 0.942),
)


def lake_of(directory: Path, known: Known) -> Path:
    place = directory / RAW.format(known.root)
    place.mkdir(parents=True)
    (place / known.file).symlink_to(DATA / known.file)
    return directory


@pytest.mark.parametrize("known", [ESH4, CLX5], ids=lambda known: known.session[0])
def test_known_answers(known: Known, tmp_path: Path) -> None:
    symbol, dt, start, end = known.session
    spec = SessionSpec("future_mbo", symbol, dt, start, end_time=end, lake=str(lake_of(tmp_path, known)))
    found = run_study(StudyRequest(spec, (("default", spec.parameters),))).measures
    for target, (value, low, high) in known.imbalance.items():
        row = found.one("ic", feature="queue imbalance", target=target)
        assert row is not None
        assert row.value == pytest.approx(value, abs=0.0006)
        assert (row.low, row.high) == pytest.approx((low, high), abs=0.02)
    assert count_of(found, "1 s") == known.samples
    flows = [found.one("same_interval_r2", feature=f"order flow{levels}") for levels in ("", " of ten levels")]
    assert [round(row.value, 3) for row in flows if row is not None] == list(known.flow)


def count_of(found: Measures, target: str) -> int:
    row = found.one("ic", feature="queue imbalance", target=target)
    return 0 if row is None else row.count


def test_two_runs_write_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = lake_of(tmp_path / "lake", ESH4)
    for name in ("a", "b"):
        words = ["--lake", str(lake), "--symbol", "ESH4", "--start-time", "23:05 UTC", "--end-time", "23:25 UTC"]
        assert (
            main([*words, "--parameters", "default,touch", "--fees", "1.25", "--out", str(tmp_path / f"{name}.html")])
            == 0
        )
    said = capsys.readouterr().out.splitlines()
    assert said[0] == said[1]
    for ending in (".html", ".md", ".parquet"):
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()
    page = (tmp_path / "a.html").read_text()
    assert page.count("<svg") >= 6
    assert said[0].split(":")[0] in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", ""), "the report needs nothing besides itself"
    assert "<script" not in page
    markdown = (tmp_path / "a.md").read_text()
    assert "best of them looks better than it is" in markdown
    assert "fees are 0.100 ticks" in markdown
