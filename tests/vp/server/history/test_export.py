from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tests import lakes
from tests.places import DATA
from tests.vp.server.history.blocks import parse
from tests.vp.server.history.conftest import bought
from tests.vp.server.tiny import LAYOUT
from vp.model.frame_columns import frame_schema_like
from vp.model.frames import FrameLayout
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec
from vp.server.history.export import ColumnsBlock, arrow_stream, csv_stream, file_name
from vp.server.history.frame_spool import FrameSpool
from vp.server.history.session_history import READ_BYTES, SessionHistory

NEW_YORK = ZoneInfo("America/New_York")


def whole(history: SessionHistory, first: int, end: int, fields: list[str], *, exact: bool) -> bytes:
    """A block in one, which must be as long as it says, in pieces of bounded size."""
    block = ColumnsBlock(history, first, end, fields, exact=exact)
    pieces = list(block.pieces())
    assert max(len(piece) for piece in pieces) < 2 * READ_BYTES
    assert sum(len(piece) for piece in pieces) == block.length_bytes
    return b"".join(pieces)


def test_columns_hold_each_frame_once_and_round_to_the_nearest(history: SessionHistory) -> None:
    head, columns = parse(whole(history, 100, 700, ["pressure"], exact=False))
    assert head["frames"] == 600
    assert head["first"] == 100
    assert np.array_equal(np.frombuffer(columns["event_id"], "<i8"), np.arange(100, 700))
    assert np.all(np.frombuffer(columns["bid_price"], "<i8") == np.iinfo(np.int64).max)  # null in the template
    short = (np.frombuffer(columns["pressure"], "<u2").astype(np.uint32) << 16).view(np.float32).reshape(600, 101)
    _, exact = parse(whole(history, 100, 700, ["pressure"], exact=True))
    full = np.frombuffer(exact["pressure"], "<f4").reshape(600, 101)
    assert full[3, 7] == np.float32(103 * 1.001 + 7)
    assert np.max(np.abs(short - full) / full) <= 2.0**-8


REAL = [
    ("equity_mbo", "ARL", "ARL", "2025-07-17", "04:01", "xnas-itch-20250717.mbo.dbn"),
    ("future_mbo", "ES", "ESH4", "2023-12-25", "18:30", "glbx-mdp3-20231225.mbo.dbn.zst"),
]


@pytest.mark.skipif(not DATA.is_dir(), reason="the real exchange data is not here")
@pytest.mark.parametrize(("product_type", "root", "symbol", "date", "start_time", "name"), REAL)
def test_csv_reads_back_as_the_same_numbers_without_a_schema(
    product_type: str, root: str, symbol: str, date: str, start_time: str, name: str, tmp_path: Path
) -> None:
    lake = tmp_path / lakes.RAW.format(product_type, root)
    lake.mkdir(parents=True)
    (lake / name).symlink_to(DATA / name)
    spec = SessionSpec(product_type, symbol, date, start_time, throttle_ms=10_000.0, lake=str(tmp_path))
    session = prepare(spec)
    history = SessionHistory.begin(session.layout, FrameSpool(tmp_path), memory_bytes=1 << 16)
    frames = history.frames
    while not session.finished and frames.head < 160:
        batch = session.advance(None, 100)
        if batch.count:
            frames.append(np.array(batch.buffer), session.clock_ns or 0)
            frames.tidy()
    session.close()
    exact = pl.from_arrow(
        pa.ipc.open_stream(b"".join(arrow_stream(history, frames.oldest, frames.head, None))).read_all()
    )
    found = pl.read_csv(b"".join(csv_stream(history, frames.oldest, frames.head, None)))
    assert isinstance(exact, pl.DataFrame)
    assert len(found) == len(exact) > 100
    assert found["ts_ns"].to_list() == exact["ts_ns"].to_physical().to_list()
    assert found["ts"].str.to_datetime(time_zone="UTC").equals(exact["ts_ns"].dt.cast_time_unit("us").alias("ts"))
    for column in exact.drop("ts_ns").iter_columns():
        if isinstance(column.dtype, pl.Array):
            grid = found.select(f"{column.name}[{k}]" for k in range(-50, 51)).to_numpy()
            np.testing.assert_array_equal(grid.astype(column.to_numpy().dtype), column.to_numpy())
            continue
        assert found[column.name].dtype.is_numeric() or column.dtype == pl.Boolean
        read = found[column.name]
        read = read.fill_nan(None) if read.dtype == pl.Float64 else read
        assert read.cast(column.dtype).equals(column), column.name


def test_a_file_is_named_by_contract_date_and_times_in_new_york(history: SessionHistory) -> None:
    assert file_name(history, 0, 1, NEW_YORK) == "MNQH6_2026-02-06_093000-093000"
    assert file_name(history, 40, 900, NEW_YORK) == "MNQH6_2026-02-06_093001-093022"
    assert file_name(history, 40, 900, dt.UTC) == "MNQH6_2026-02-06_143001-143022"
    assert file_name(history, 5, 5, NEW_YORK) == "MNQH6_2026-02-06"
    odd = {"vp.contract": 'BRN F/"M0026!', "vp.dt": "2026-02-06"}
    schema = frame_schema_like(LAYOUT.schema.with_metadata(odd), 101, ["pressure"])
    name = file_name(SessionHistory(history.frames, FrameLayout(schema)), 5, 5, NEW_YORK)
    assert name == "BRN-F-M0026-_2026-02-06"


def test_volumes_come_exact_and_take_little_room(history: SessionHistory) -> None:
    block = whole(history, 100, 700, ["bought", "sold"], exact=False)
    head, columns = parse(block)
    assert {c["name"]: c["type"] for c in head["columns"] if c["name"] in ("bought", "sold")} == {
        "bought": "sparse float32[101]",
        "sold": "sparse float32[101]",
    }
    counts = np.frombuffer(columns["bought"], np.uint8, 600)
    assert counts.tolist() == [n % 4 for n in range(100, 700)]
    rows = np.frombuffer(columns["bought"], np.uint8, int(counts.sum()), 600)
    values = np.frombuffer(columns["bought"], "<f4", rows.size, -(-(600 + rows.size) // 4) * 4)
    grid = np.zeros((600, 101), np.float32)
    grid[np.repeat(np.arange(600), counts), rows] = values
    assert np.array_equal(grid, bought(100, 700))
    assert len(columns["sold"]) == 600
    _, exact = parse(whole(history, 100, 700, ["bought"], exact=True))
    assert np.array_equal(np.frombuffer(exact["bought"], "<f4").reshape(600, 101), grid)
