"""Raw DBN files to write in tests, and what is read of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import databento_dbn
import numpy as np
import pytest

from tests.agreement import events_of
from tests.dbn_files import mbo, other_records
from tests.market_strategies import WILD, random_market
from tests.oracle import Rec
from tests.places import DATA
from vp.dbn.events import Events
from vp.dbn.file import DbnFile
from vp.dbn.reader import EventReader
from vp.errors import FileError

needs_data = pytest.mark.skipif(not (DATA / "README.md").exists(), reason="the shared data are not beside the checkout")
RECORDS = random_market(101, 40, weights=WILD)
MNQ, MES = 42005, 2**32 - 7
SMALL = [mbo(RECORDS[0]), mbo(RECORDS[1], MES), other_records()[1], mbo(RECORDS[2])]
TS_OUT = 1_770_336_000_123_456_789
versions = pytest.mark.parametrize("version", [1, 2, 3])

Put = Callable[..., Path]
dbn: Any = databento_dbn

NO_HANDLE = -1


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes bytes to a file and gives its path."""

    def write(data: bytes, name: str = "glbx-mdp3-20260206.mbo.dbn") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def body(records: list[Rec] = RECORDS, instrument_id: int = MNQ) -> bytes:
    return b"".join(mbo(rec, instrument_id, sequence=i) for i, rec in enumerate(records))


def assert_events(events: Events, records: list[Rec], **window: int) -> None:
    """The columns are those of the records in that window; all records are within one that is not named."""
    want = events_of(records, **window)
    if not window:  # the same decoder has made `want`
        columns = events.columns
        found = zip(
            columns.order_id.view(np.uint64).tolist(), columns.price.tolist(), columns.size.tolist(),
            columns.flags.tolist(), columns.action.tolist(), columns.side.tolist(), columns.publisher.tolist(),
            strict=True,
        )  # fmt: skip
        assert list(found) == [
            (rec.order_id, rec.price, rec.size, rec.flags, ord(rec.action), ord(rec.side), rec.publisher)
            for rec in records
        ]
    for name in want.columns._fields[:8]:
        got, wanted = getattr(events.columns, name), getattr(want.columns, name)
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted)


def read_all(path: Path, *, chunk_rows: int = 7) -> tuple[int, FileError | None]:
    """Decode a whole file: the number of events handed out, and the error that ended it."""
    rows = 0
    try:
        for chunk in EventReader(DbnFile(path), -1, chunk_rows=chunk_rows).chunks():
            rows += len(chunk.events)
    except FileError as error:
        return rows, error
    return rows, None
