"""The oracle against what others wrote: golden frames, a venue's own book, and counts of real files."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import databento_dbn
import pyarrow.parquet as pq
import pytest

from tests.oracle import (
    DEFAULT_PARAMETERS,
    GRID_COLUMNS,
    SCALAR_COLUMNS,
    TOUCH_PARAMETERS,
    OracleBook,
    OracleEngine,
    frame_differences,
    read_records,
    run_session,
)
from tests.places import SHARED

GOLDEN = SHARED / "golden-2"
DATA = SHARED / "data"
NEW_YORK = ZoneInfo("America/New_York")
PARAMETERS = {"default": DEFAULT_PARAMETERS, "touch": TOUCH_PARAMETERS}

needs_golden = pytest.mark.skipif(not (GOLDEN / "manifest.json").exists(), reason="no ../shared/golden-2 here")
needs_data = pytest.mark.skipif(not (DATA / "README.md").exists(), reason="no ../shared/data here")


def golden_cases() -> list[dict[str, Any]]:
    manifest = GOLDEN / "manifest.json"
    return json.loads(manifest.read_text()) if manifest.exists() else []


def nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000


def wanted_frames(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a golden file, `ts_ns` as an integer."""
    table = pq.read_table(GOLDEN / case["frames"])
    times = table["ts_ns"].cast("int64")
    return table.set_column(table.schema.get_field_index("ts_ns"), "ts_ns", times).to_pylist()  # type: ignore[no-any-return]


def run_golden(case: dict[str, Any], engine: OracleEngine) -> list[dict[str, Any]]:
    zone = UTC if case["product_type"] == "future_mbo" else NEW_YORK
    start = datetime.fromisoformat(case["dt"]).replace(tzinfo=zone)
    emit_from = datetime.fromisoformat(f"{case['dt']}T{case['start_time']}").replace(tzinfo=NEW_YORK)
    records = read_records(GOLDEN / case["file"])
    assert len(records) == case["records"]
    return run_session(
        records,
        session_start_ns=nanoseconds(start),
        warmup_from_ns=nanoseconds(emit_from - timedelta(minutes=30)),
        emit_from_ns=nanoseconds(emit_from),
        end_ns=nanoseconds(start + timedelta(days=1)),
        engine=engine,
        max_frames=case["first_frames"],
    )


@needs_golden
@pytest.mark.parametrize("case", golden_cases(), ids=lambda case: case["frames"].partition(".")[0])
def test_golden_frames(case: dict[str, Any]) -> None:
    engine = OracleEngine(
        bucket_int=case["bucket"],
        throttle_ns=case["throttle_ms"] * 1_000_000,
        parameters=PARAMETERS[case["parameters"]],
    )
    frames = run_golden(case, engine)
    wanted = wanted_frames(case)
    assert len(frames) == len(wanted) == case["first_frames"]
    for i, (frame, want) in enumerate(zip(frames, wanted, strict=True)):
        assert set(want) == {*SCALAR_COLUMNS, *GRID_COLUMNS}
        assert frame_differences(frame, want) == [], f"frame {i}"
        assert frame["mid_price"] == want["mid_price"], "to the last bit"
    assert not any(engine.book.anomalies.values())


def csv_levels(row: dict[str, str], side: str) -> list[tuple[int, int, int]]:
    return [
        (
            round(float(row[f"{side}_px_{i:02}"]) * 1e9),
            int(row[f"{side}_sz_{i:02}"]),
            int(row[f"{side}_ct_{i:02}"]),
        )
        for i in range(10)
        if row[f"{side}_px_{i:02}"]
    ]


@needs_data
def test_book_of_a_nasdaq_day_equals_its_mbp10() -> None:
    path = DATA / "xnas-itch-20250717.mbo.dbn"
    decoder = databento_dbn.DBNDecoder()
    decoder.write(path.read_bytes())
    sequences = [m.sequence for m in decoder.decode() if isinstance(m, databento_dbn.MBOMsg)]

    book = OracleBook(500_000_000)
    after: dict[tuple[int, str, int], Any] = {}
    after_sequence: dict[int, Any] = {}
    for rec, sequence in zip(read_records(path), sequences, strict=True):
        book.apply(rec)
        ten = (book.levels("B")[:10], book.levels("A")[:10])
        after[sequence, rec.action, rec.order_id] = after_sequence[sequence] = ten

    with gzip.open(DATA / "xnas-itch-20250717.mbp-10.csv.gz", "rt", newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == 3928
    for row in rows:
        sequence, action = int(row["sequence"]), row["action"]
        got = after_sequence[sequence] if action == "T" else after[sequence, action, int(row["order_id"])]
        assert got == (csv_levels(row, "bid"), csv_levels(row, "ask")), row[""]
    assert not any(book.anomalies.values())


@needs_data
def test_snapshot_without_clear_or_last_leaves_nothing_unknown() -> None:
    book = OracleBook(250_000_000)
    for rec in read_records(DATA / "glbx-mdp3-20231225.mbo.dbn.zst"):
        book.apply(rec)
    found = {name: count for name, count in book.anomalies.items() if count}
    assert found == {"unknown_fill": 7, "crossed_book": 891}
    assert (book.event_id, book.order_count) == (68_792, 11_217)
    assert (book.best_bid, book.best_ask) == (4_810_000_000_000, 4_810_250_000_000)


@needs_data
def test_file_that_starts_mid_session_counts_what_it_cannot_know() -> None:
    book = OracleBook(10_000_000)
    for rec in read_records(DATA / "glbx-mdp3-20250924.mbo.dbn"):
        book.apply(rec)
    found = {name: count for name, count in book.anomalies.items() if count}
    assert found == {"unknown_cancel": 1224, "unknown_modify": 216, "unknown_fill": 30, "crossed_book": 172}
