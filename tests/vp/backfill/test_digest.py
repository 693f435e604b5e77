"""The digest of a unit of work: it changes with everything that frames depend on, and with nothing else."""

from __future__ import annotations

import dataclasses
import os
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.dbn_files import header
from tests.lakes import put
from tests.vp.backfill.days import build, lay
from vp.errors import NoRawFileError
from vp.kernels.contract import GRID_COLUMNS
from vp.model import recording_task
from vp.model.parameters import ModelParameters
from vp.model.recording_task import RecordingTask
from vp.model.session import SessionSpec

FUTURE = "glbx-mdp3-20260708.mbo.dbn"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = build(tmp_path_factory.mktemp("lake"))
    put(lake, "future_mbo", "MNQ", FUTURE, header())
    return lake


@pytest.fixture
def lake(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "lake"))  # with times of change


def task(lake: Path, fields: tuple[str, ...] | None = None, **changes: Any) -> RecordingTask:
    spec = SessionSpec("equity_mbo", "QQQ", "2026-07-08", "09:30", lake=str(lake))
    return RecordingTask(dataclasses.replace(spec, **changes), fields)


CHANGES: tuple[dict[str, Any], ...] = (
    {"symbol": "AAPL"},
    {"dt": "2026-07-09"},
    {"start_time": "09:31"},
    {"start_time": None},
    {"end_time": "10:00"},
    {"throttle_ms": 50.0},
    {"bucket": Decimal("0.05")},
    {"parameters": ModelParameters(tau_velocity_seconds=1.5)},
    {"parameters": ModelParameters.preset("touch")},
    {"fields": ("pressure",)},
    {"fields": ()},
)


def test_it_changes_with_each_part_of_what_is_asked_for(original: Path) -> None:
    found = [task(original).digest(), *(task(original, **changes).digest() for changes in CHANGES)]
    assert len(set(found)) == len(found)
    assert all(len(digest) == 64 and int(digest, 16) for digest in found)


@pytest.mark.parametrize(
    "changes",
    [
        {"start_time": "13:30 UTC"},
        {"start_time": "09:30 America/New_York"},
        {"fields": GRID_COLUMNS[::-1]},
        {"cache_limit_gb": 0.0},
        {"decompressed_limit_gb": 0.0},
        {"parameters": ModelParameters.preset("default")},
    ],
)
def test_what_is_the_same_in_other_words_is_the_same(original: Path, changes: dict[str, Any]) -> None:
    assert task(original, **changes).digest() == task(original).digest()


def test_the_width_of_a_bucket_is_a_number(original: Path) -> None:
    one, other = (task(original, bucket=Decimal(text)).digest() for text in ("0.5", "0.50"))
    assert one == other


def test_a_lake_may_lie_elsewhere(original: Path, lake: Path) -> None:
    assert task(lake).digest() == task(original).digest()


def test_it_changes_with_the_raw_file_and_what_lies_beside(lake: Path) -> None:
    (raw,) = lake.glob("raw/*/*/symbol=QQQ/*/*20260708*")
    seen = {task(lake).digest()}
    of_the_next_day = task(lake, dt="2026-07-09").digest()

    def is_new() -> bool:
        digest = task(lake).digest()
        new = digest not in seen
        seen.add(digest)
        return new

    assert not is_new()
    status = raw.stat()
    os.utime(raw, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert is_new()
    lay(lake, "QQQ", 0, raw.read_bytes()[:-56])
    os.utime(raw, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert is_new()  # by its size alone
    raw.rename(raw.with_name("xnas-basic-20260708.mbo.dbn"))
    assert is_new()
    lay(lake, "QQQ", 0)
    assert is_new()  # a second file that it may be played from
    assert task(lake, dt="2026-07-09").digest() == of_the_next_day


def test_it_changes_with_what_products_are(lake: Path) -> None:
    before = task(lake).digest()
    other = task(lake, symbol="AAPL").digest()
    (lake / "products.yaml").write_text('tickers:\n  QQQ: {tick: "0.05"}\n')
    assert task(lake).digest() != before
    assert task(lake, symbol="AAPL").digest() == other


def test_of_futures_it_changes_with_spreads_and_definitions(lake: Path) -> None:
    future: dict[str, Any] = {"product_type": "future_mbo", "symbol": "MNQ"}
    seen = [task(lake, **future).digest()]
    (lake / "products.yaml").write_text('spreads:\n  "MNQ*-*": {tick: "0.05"}\n')
    seen.append(task(lake, **future).digest())
    (directory,) = lake.glob("raw/*/product_type=future_mbo/symbol=MNQ/*")
    (directory / "glbx-mdp3-20260708.definition.dbn").write_bytes(b"x")
    seen.append(task(lake, **future).digest())
    assert len(set(seen)) == 3


def test_it_changes_with_the_software(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = task(lake).digest()
    monkeypatch.setattr(recording_task, "software", lambda: "1.0.0 another")
    assert task(lake).digest() != before


def test_of_nothing_there_is_none(original: Path) -> None:
    with pytest.raises(NoRawFileError):
        task(original, dt="2026-07-10").digest()
