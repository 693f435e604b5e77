"""Gaps, and what speaks against a book, as the views tell it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests import lakes
from tests.places import DATA
from tests.vp.query.asked import PATIENT, rows
from vp.errors import DamagedFileError
from vp.kernels.contract import QUALITY_EMPTY_SIDE
from vp.lake.lake import Lake
from vp.model.recording_file import open_recording
from vp.programs.record import main as record
from vp.query import connect
from vp.query.connection import choose_session, find_views
from vp.query.quality import REASONS, recorded_quality
from vp.query.sandbox import ask

S = 10**9
T = lakes.OPEN_NS
ARL = "xnas-itch-20250717.mbo.dbn"


def write_manifest(lake: Path, *lines: str) -> None:
    lakes.put(lake, "equity_mbo", "GOOD", "xnas-itch-20260708.mbo.segments.jsonl", "".join(lines).encode())


def gap(start_ns: int, end_ns: int, *, bridged: bool = False) -> str:
    return (
        json.dumps({"kind": "gap", "start_ns": start_ns, "end_ns": end_ns, "reason": "reset", "bridged": bridged})
        + "\n"
    )


def test_gaps_are_those_of_the_manifest_that_reach_into_the_session(tmp_path: Path) -> None:
    lakes.put(tmp_path, "equity_mbo", "GOOD", "xnas-itch-20260708.mbo.dbn", lakes.dbn("GOOD", 1, lakes.market(T)))
    lake = Lake(tmp_path)

    def gaps() -> list[tuple[Any, ...]]:
        views = find_views(lake, choose_session(lake, "GOOD", lakes.DATE))
        sql = "SELECT epoch_ns(start_ns), epoch_ns(end_ns), epoch_us(start_ts), reason, bridged FROM gaps"
        return pl.DataFrame(ask(views, sql, limits=PATIENT).table).rows()

    assert gaps() == []
    segment = json.dumps({"kind": "segment", "file": "x"}) + "\n"
    days = (T - 40 * 3600 * S, T - 39 * 3600 * S), (T + 40 * 3600 * S, T + 41 * 3600 * S)
    inside = T + 1_234_567_890, T + 5 * S
    last = gap(T + 20 * S, T + 30 * S, bridged=True)
    write_manifest(tmp_path, gap(*days[0]), segment, gap(*inside), last, gap(*days[1]), gap(T, T)[:20])
    assert gaps() == [
        (*inside, inside[0] // 1000, "reset", False),
        (T + 20 * S, T + 30 * S, (T + 20 * S) // 1000, "reset", True),
    ]
    write_manifest(tmp_path, segment, "{}\n")
    with pytest.raises(DamagedFileError, match=r"Line 2 of xnas-itch-20260708\.mbo\.segments\.jsonl"):
        gaps()


def plain_runs(frames: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Runs of each bit by Polars."""
    found: list[tuple[Any, ...]] = []
    for bit in REASONS:
        marked = frames.with_columns(on=(pl.col("quality") & bit) != 0)
        runs = marked.with_columns(run=pl.col("on").rle_id()).filter("on").group_by("run", maintain_order=True)
        parts = runs.agg(pl.col("ns").first().alias("start"), pl.col("ns").last().alias("end"), pl.len())
        found += [(row[1], row[2], bit, REASONS[bit], row[3]) for row in parts.rows()]
    return sorted(found)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real exchange data is not here")
@pytest.mark.parametrize("start_time", ["04:00", "09:30"])
def test_quality_of_a_recording_and_of_a_session_is_that_of_its_frames(start_time: str, tmp_path: Path) -> None:
    raw = tmp_path / lakes.RAW.format("equity_mbo", "ARL")
    raw.mkdir(parents=True)
    (raw / ARL).symlink_to(DATA / ARL)
    sql = "SELECT epoch_ns(start_ns), epoch_ns(end_ns), bit, reason, frames FROM quality ORDER BY ALL"
    with connect(tmp_path, symbol="ARL", dt="2025-07-17", start_time=start_time) as connection:
        replayed = rows(connection, sql)
    out = tmp_path / "recordings" / "arl.parquet"
    out.parent.mkdir()
    words = ["--product-type", "equity_mbo", "--symbol", "ARL", "--dt", "2025-07-17", "--start-time", start_time]
    assert (
        record([*words, "--throttle-ms", "0", "--fields", "pressure", "--lake", str(tmp_path), "--out", str(out)]) == 0
    )
    with connect(tmp_path, symbol="ARL", dt="2025-07-17", start_time=start_time) as connection:
        recorded = rows(connection, sql)
        frames = connection.sql("SELECT epoch_ns(ts_ns) AS ns, quality FROM frames ORDER BY event_id").pl()
    assert replayed == recorded == plain_runs(frames)
    assert len(recorded) > 0
    if start_time == "04:00":
        assert QUALITY_EMPTY_SIDE in {row[2] for row in recorded}


@pytest.mark.parametrize("group", [1, 7, 1000])
def test_runs_go_on_over_batches(group: int, asked_lake: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(group)
    bits = np.repeat(rng.integers(0, 64, 300), rng.integers(1, 9, 300)).astype(np.uint8)
    clocks = np.cumsum(rng.integers(0, 3, len(bits))) + lakes.OPEN_NS
    schema = parquet.read_schema(asked_lake / "recordings" / "good.parquet")
    columns = {"ts_ns": pa.array(clocks).cast(pa.timestamp("ns", "UTC")), "quality": pa.array(bits)}
    path = tmp_path / "bits.parquet"
    parquet.write_table(pa.table(columns).replace_schema_metadata(schema.metadata), path, row_group_size=group)
    found = pl.DataFrame(recorded_quality(open_recording(path))).with_columns(
        pl.col("start_ns", "end_ns").to_physical()
    )
    assert sorted(found.rows()) == plain_runs(pl.DataFrame({"ns": clocks, "quality": bits}))
