"""The slow oracle of VP: SPEC 3 to 6 read independently of the kernels, in plain Python.

`oracle_records.py` is what comes in, `oracle_orders.py` what rests, `oracle_book.py` the book, `oracle_cells.py` a
bucket and its forces, `oracle_market.py` market state, trades and order flow, `oracle_engine.py` frames. Here are the
window and the phases of SPEC 2 and 6, the reading of DBN files (databento_dbn), and the comparison of frames.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import databento_dbn
import zstandard

from tests.oracle_book import OracleBook, Order, Rec, Touch, bucket_of
from tests.oracle_cells import DEFAULT_PARAMETERS, TOUCH_PARAMETERS, OracleParameters
from tests.oracle_engine import BOOK, EMIT, GRID_COLUMNS, SCALAR_COLUMNS, WARMUP, Frame, OracleEngine
from tests.oracle_records import ANOMALIES, UNDEFINED_TIME

__all__ = [
    "ANOMALIES",
    "BOOK",
    "DEFAULT_PARAMETERS",
    "EMIT",
    "GRID_COLUMNS",
    "SCALAR_COLUMNS",
    "TOUCH_PARAMETERS",
    "WARMUP",
    "Frame",
    "OracleBook",
    "OracleEngine",
    "OracleParameters",
    "Order",
    "Rec",
    "Touch",
    "bucket_of",
    "frame_differences",
    "read_records",
    "run_session",
]


def phase_of(clock_ns: int | None, warmup_from_ns: int, emit_from_ns: int, end_ns: int) -> str:
    """The phase of a clock. Before any clock (a snapshot at the start) nothing is emitted."""
    if clock_ns is None or clock_ns < warmup_from_ns:
        return BOOK
    return EMIT if emit_from_ns <= clock_ns < end_ns else WARMUP


def run_session(
    records: Iterable[Rec],
    *,
    session_start_ns: int,
    warmup_from_ns: int,
    emit_from_ns: int,
    end_ns: int,
    throttle_ns: int = 0,
    K: int = 50,  # noqa: N803
    tick_int: int = 250_000_000,
    bucket_int: int | None = None,
    parameters: OracleParameters = DEFAULT_PARAMETERS,
    engine: OracleEngine | None = None,
    max_frames: int | None = None,
) -> list[Frame]:
    """Run records of one instrument through the window of SPEC 2 and the phases of SPEC 6.

    Parameters
    ----------
    engine
        A fresh engine to use, and to look into afterwards; it brings its own K, tick, bucket, throttle and parameters.
    max_frames
        Stop after so many frames.
    """
    if engine is None:
        engine = OracleEngine(
            K=K, tick_int=tick_int, bucket_int=bucket_int, throttle_ns=throttle_ns, parameters=parameters
        )
    book = engine.book
    book.start_ns, book.end_ns = session_start_ns, end_ns
    frames: list[Frame] = []
    for rec in records:
        if not rec.is_of_the_session(session_start_ns, end_ns):
            continue
        phase = phase_of(book.clock_after(rec), warmup_from_ns, emit_from_ns, end_ns)
        frame = engine.apply(rec, phase)
        if frame is not None:
            frames.append(frame)
            if len(frames) == max_frames:
                break
    return frames


def read_records(path: Path, instrument_id: int | None = None) -> list[Rec]:
    """All MBO records of a .dbn or .dbn.zst file, or those of one instrument, in file order."""
    data = path.read_bytes()
    if path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read()
    decoder = databento_dbn.DBNDecoder()
    decoder.write(data)
    return [
        Rec(
            ts_event=message.ts_event,
            action=str(message.action),
            side=str(message.side),
            price=message.price,
            size=message.size,
            order_id=message.order_id,
            flags=int(message.flags),
            publisher=message.publisher_id,
            ts_recv=None if message.ts_recv == UNDEFINED_TIME else message.ts_recv,
        )
        for message in decoder.decode()
        if isinstance(message, databento_dbn.MBOMsg)
        and (instrument_id is None or message.instrument_id == instrument_id)
    ]


def frame_differences(
    got: dict[str, Any],
    want: dict[str, Any],
    *,
    relative: float = 1e-5,
    absolute: float = 1e-6,
    columns: Iterable[str] = SCALAR_COLUMNS + GRID_COLUMNS,
    lenient: bool = False,
) -> list[str]:
    """Say where two frames differ: floats by tolerance, everything else exactly. Empty when they agree.

    With `lenient`, `want` is the oracle's: rows whose bucket was once so far from spot that an engine may
    have forgotten it are compared by rest depth alone, and score, strength and state only where rounding
    cannot change them (a score of two totals near zero is noise).
    """

    def same(x: Any, y: Any) -> bool:
        if isinstance(x, float) and isinstance(y, float):
            return abs(x - y) <= max(absolute, relative * abs(y))
        return bool(x == y)

    found: list[str] = []
    for name in columns:
        x, y = got[name], want[name]
        if lenient and not want.get(f"{name}_is_sure", True):
            continue
        if isinstance(y, list):
            if len(x) != len(y):
                found.append(f"{name}: {len(x)} rows, wanted {len(y)}")
                continue
            found += [
                f"{name}[{i}]: {a!r}, wanted {b!r}"
                for i, (a, b) in enumerate(zip(x, y, strict=True))
                if not same(a, b) and not (lenient and name != "rest_depth" and want["may_be_forgotten"][i])
            ]
        elif not same(x, y):
            found.append(f"{name}: {x!r}, wanted {y!r}")
    return found
