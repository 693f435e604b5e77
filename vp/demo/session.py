"""The generated demonstration session: made once, it lies in the lake like any other raw file.

What happens in it is written in vp.demo.script; vp.demo.market plays it, on the book of vp.demo.book. They
need numba and are only imported where the file is not there yet.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from vp.errors import LakeError
from vp.files import NO_ROOM, READ_ONLY, written_whole
from vp.session import SessionName

if TYPE_CHECKING:
    import numpy as np

    from vp.demo.script import Script


DEMO: Final = SessionName("future_mbo", "MNQH6", "2026-02-06", "09:30")
DATASET: Final = "VP.GENERATED"
ROOT: Final = "MNQ"
SEED: Final = 20260206
FIRST_TIME: Final = dt.time(8, 50, tzinfo=ZoneInfo("America/New_York"))  # before it, there is only the snapshot
CHUNK_RECORDS: Final = 1 << 16
NS_PER_SECOND: Final = 1_000_000_000


def demo_path(lake_root: Path) -> Path:
    """Where the demonstration lies in a lake."""
    directory = Path("raw", "source=generated", f"product_type={DEMO.product_type}", f"symbol={ROOT}")
    name = f"{DATASET.lower().replace('.', '-')}-{DEMO.dt.replace('-', '')}.mbo.dbn"
    return lake_root / directory / "table=market_by_order_dbn" / name


def ensure_demo(lake_root: Path, progress: Callable[[float], None] | None = None) -> Path:
    """Make the demonstration's DBN file unless it is there; returns its path.

    The file is written whole or not at all and is read-only from then on; a file that is there is left as it
    is. It is the same for everyone, and two programs that make it at once do not disturb each other.

    Parameters
    ----------
    lake_root : Path
    progress : callable, optional
        Called with how much is done, from 0 to 1, where there is something to do.

    Raises
    ------
    LakeError
        The lake cannot be written.
    """
    path = demo_path(Path(lake_root))
    try:
        if path.exists():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path, replace=False, most_mode=READ_ONLY) as file:
            write_session(file, progress=progress)
    except OSError as error:
        reason = error.strerror or str(error)
        raise LakeError(
            f"The demonstration session could not be written to {path.parent}: {reason}.",
            hint="Free about 100 MB there, or choose another lake with --lake or VP_LAKE."
            if error.errno in NO_ROOM
            else "Choose another lake with --lake or VP_LAKE, or make the directory writable.",
        ) from error
    return path


def write_session(
    file: IO[bytes],
    *,
    seed: int = SEED,
    first_second: int = 0,
    seconds: int | None = None,
    script: Script | None = None,
    progress: Callable[[float], None] | None = None,
) -> int:
    """Write the session, or a part of it, as DBN version 3; returns how many records.

    Parameters
    ----------
    file : binary file
    seed : int
        The same seed gives the same bytes.
    first_second, seconds : int
        Which part, in seconds from 08:50 ET; it begins with a snapshot as the whole does.
    script : Script, optional
        Another story than the demonstration's, from 08:50 ET on.
    progress : callable, optional
        Called with how much is done, from 0 to 1.
    """
    from vp.demo import book as demo_book  # noqa: PLC0415 - numba is not needed where the file is there
    from vp.demo import market as demo_market  # noqa: PLC0415 - numba is not needed where the file is there
    from vp.demo import script as demo_script  # noqa: PLC0415 - numba is not needed where the file is there

    tell = progress or (lambda _share: None)
    tell(0.0)
    midnight_ns = _day_start_ns()
    start_ns = _first_ns() + first_second * NS_PER_SECOND
    script = (script or demo_script.write_script(seed)).part(first_second, seconds)
    length_ns = (len(script.rows) - 1) * NS_PER_SECOND
    market = demo_book.new_market(script.rows, script.depths, script.walls, start_ns, seed, CHUNK_RECORDS)

    file.write(_metadata_bytes(midnight_ns, start_ns + length_ns))
    records = _write_records(file, demo_market.snapshot(market, midnight_ns))
    while not market.state[demo_book.S_OVER]:
        demo_market.run(market)
        records += _write_records(file, market.out[: market.state[demo_book.S_ROWS]])
        tell(min(1.0, (int(market.state[demo_book.S_CLOCK_NS]) - start_ns) / length_ns))
    return records


def _day_start_ns() -> int:
    return int(dt.datetime.fromisoformat(f"{DEMO.dt}T00:00+00:00").timestamp()) * NS_PER_SECOND


def _first_ns() -> int:
    return int(dt.datetime.combine(dt.date.fromisoformat(DEMO.dt), FIRST_TIME).timestamp()) * NS_PER_SECOND


def _metadata_bytes(midnight_ns: int, end_ns: int) -> bytes:
    import databento_dbn as dbn  # noqa: PLC0415

    from vp.demo.book import INSTRUMENT_ID  # noqa: PLC0415

    day = dt.date.fromisoformat(DEMO.dt)
    interval = SimpleNamespace(start_date=day, end_date=day + dt.timedelta(days=1), symbol=str(INSTRUMENT_ID))
    mapping: Any = SimpleNamespace(raw_symbol=DEMO.symbol, intervals=[interval])
    metadata = dbn.Metadata(
        dataset=DATASET,
        start=midnight_ns,
        end=end_ns,
        stype_in=dbn.SType.RAW_SYMBOL,  # type: ignore[arg-type]  # the stub takes an enum's member for a str
        stype_out=dbn.SType.INSTRUMENT_ID,  # type: ignore[arg-type]
        schema=dbn.Schema.MBO,  # type: ignore[arg-type]
        symbols=[DEMO.symbol],
        partial=[],
        not_found=[],
        mappings=[mapping],
        ts_out=False,
        version=3,
    )
    return bytes(metadata)


def _write_records(file: IO[bytes], records: np.ndarray) -> int:
    file.write(records.astype("<i8", copy=False).data)
    return len(records)
