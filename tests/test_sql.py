"""Queries of sql/ over a recording: columns, types, and values that stand in the recording."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vp.engine import EventDrivenVPEngine
from vp.events import Events

SQL = Path(__file__).resolve().parents[1] / "sql"


def test_frame_rows(tmp_path: Path) -> None:
    engine = EventDrivenVPEngine(metadata={"vp.bucket_int": "250000000"})
    engine.start_emitting()
    rows = [(10**18 + i * 10**9, "A", "BA"[i % 2], 10**9 * (99 + 2 * (i % 2)), 1 + i, i + 1, 128) for i in range(6)]
    _, batch = engine.advance(Events.from_records(rows))
    frames = batch.layout.table(batch.buffer)
    recording = str(tmp_path / "frames.parquet")
    pq.write_table(frames, recording)

    query = (SQL / "frame_rows.sql").read_text()
    with duckdb.connect() as connection:
        relation = connection.sql(query, params={"recording": recording})
        assert relation is not None
        found: pa.Table = relation.to_arrow_table()

    types = {name: str(kind) for name, kind in zip(found.schema.names, found.schema.types, strict=True)}
    assert types.pop("ts_ns").startswith("timestamp[ns, tz=")  # the zone is that of the machine
    assert types == {
        "event_id": "int64",
        "k": "int64",
        "price": "int64",
        "pressure": "float",
        "vacuum": "float",
        "rest_depth": "float",
    }
    assert len(found) == 101 * len(frames)
    last = found.slice(101 * (len(frames) - 1))
    assert last["k"].to_pylist() == list(range(-50, 51))
    assert last["price"].to_pylist() == [10**11 + k * 250_000_000 for k in range(-50, 51)]
    np.testing.assert_array_equal(last["pressure"].to_numpy(), frames["pressure"][len(frames) - 1].values.to_numpy())
    assert max(last["rest_depth"].to_pylist()) == 2 + 4 + 6
