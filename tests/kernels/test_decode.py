"""The decoder against numpy's view of the same records, whichever way the bytes are cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vp.kernels.contract import (
    D_DROPPED,
    D_ERROR,
    D_OTHER,
    D_POSITION,
    D_RECORDS,
    D_ROWS,
    D_WORDS,
    DECODE_ACTION,
    DECODE_LENGTH,
    DECODE_OK,
    DECODE_RTYPE,
    DECODE_SIDE,
    FLAG_SNAPSHOT,
    MBO_BYTES,
    MBO_DTYPE,
    RTYPE_MBO,
)
from vp.kernels.decode import decode_records
from vp.kernels.state import Columns, Selection

OTHER_RTYPE, OTHER_WORDS = 22, 20
LENGTHS = np.zeros(256, np.uint8)
LENGTHS[RTYPE_MBO] = MBO_BYTES // 4
LENGTHS[OTHER_RTYPE] = OTHER_WORDS
VALID_ACTION, VALID_SIDE = (np.isin(np.arange(256), list(codes)).astype(np.uint8) for codes in (b"ACMRTFN", b"ABN"))
START_NS, END_NS = -50, 1000
COLUMNS = Columns._fields
DTYPES = (np.int64, np.int64, np.int64, np.uint32, np.uint8, np.uint8, np.uint8, np.int64, np.uint32)
EVERY_INSTRUMENT = -1


@dataclass
class Decoder:
    """Calls the kernel as vp.dbn.reader does: bytes in pieces, columns that are used again."""

    rows: int = 8
    wide: bool = True
    instrument_id: int = EVERY_INSTRUMENT
    window: tuple[int, int] = (START_NS, END_NS)
    mbo_words: int = MBO_BYTES // 4
    cursor: np.ndarray = field(default_factory=lambda: np.zeros(D_WORDS, np.int64))
    found: list[tuple[int, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        sizes = [self.rows] * 7 + [self.rows if self.wide else 0] * 2
        self.columns = Columns(*(np.zeros(size, dtype) for size, dtype in zip(sizes, DTYPES, strict=True)))
        codes = LENGTHS, VALID_ACTION, VALID_SIDE
        self.selection = Selection(self.instrument_id, *self.window, self.mbo_words, *codes)

    def feed(self, data: bytes) -> bytes:
        """Decode all whole records of `data`; returns what is left."""
        view = np.frombuffer(data, np.uint8)
        self.cursor[D_POSITION] = 0
        while True:
            decode_records(view, self.selection, self.cursor, self.columns)
            rows = int(self.cursor[D_ROWS])
            used = self.columns[: 9 if self.wide else 7]
            self.found += zip(*(column[:rows].tolist() for column in used), strict=True)
            self.cursor[D_ROWS] = 0
            if rows < self.rows or self.cursor[D_ERROR]:
                return data[int(self.cursor[D_POSITION]) :]


def random_records(rng: Random, count: int) -> list[bytes]:
    """Records of two instruments, inside, at the edges of, and outside the window, and of another type."""
    records = []
    for _ in range(count):
        if rng.random() < 0.2:
            records.append(bytes((OTHER_WORDS, OTHER_RTYPE)) + rng.randbytes(4 * OTHER_WORDS - 2))
            continue
        record = np.zeros(1, MBO_DTYPE)
        record["length"], record["rtype"] = MBO_BYTES // 4, RTYPE_MBO
        record["publisher_id"], record["instrument_id"] = 7, rng.choice((3, 2**32 - 1))
        record["ts_event"] = rng.choice((START_NS - 1, START_NS, 0, END_NS - 1, END_NS, 2**62, -(2**63)))
        record["order_id"] = rng.choice((0, -1, -(2**63), 2**63 - 1, rng.getrandbits(62)))
        record["price"] = rng.choice((2**63 - 1, -1, -(2**63), 5, rng.getrandbits(40)))
        record["size"] = rng.choice((0, 1, 2**32 - 1))
        record["flags"] = rng.getrandbits(8)
        record["channel_id"] = rng.getrandbits(8)
        record["action"], record["side"] = rng.choice(b"ACMRTFN"), rng.choice(b"ABN")
        record["ts_recv"], record["sequence"] = rng.getrandbits(62), rng.getrandbits(32)
        records.append(record.tobytes())
    return records


def expected(records: list[bytes], instrument_id: int) -> tuple[list[tuple[int, ...]], int]:
    """Rows that pass, and how many of the instrument lie outside the window."""
    rows, dropped = [], 0
    for data in records:
        if data[1] != RTYPE_MBO:
            continue
        record = np.frombuffer(data, MBO_DTYPE)[0]
        if instrument_id not in (EVERY_INSTRUMENT, int(record["instrument_id"])):
            continue
        kept = record["action"] == ord("R") or int(record["flags"]) & FLAG_SNAPSHOT
        if START_NS <= record["ts_event"] < END_NS or kept:
            rows.append(tuple(int(record[name]) for name in COLUMNS))
        else:
            dropped += 1
    return rows, dropped


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 30),
    rows=st.sampled_from((1, 2, 8, 64)),
    instrument_id=st.sampled_from((EVERY_INSTRUMENT, 3, 2**32 - 1, 4)),
    wide=st.booleans(),
    pieces=st.integers(1, 300),
)
def test_any_cutting_gives_the_same_rows(
    seed: int, count: int, rows: int, instrument_id: int, wide: bool, pieces: int
) -> None:
    records = random_records(Random(seed), count)
    stream = b"".join(records)
    decoder = Decoder(rows=rows, wide=wide, instrument_id=instrument_id)
    left = b""
    for at in range(0, len(stream), pieces):
        left = decoder.feed(left + stream[at : at + pieces])
    want, dropped = expected(records, instrument_id)
    assert left == b""
    assert decoder.found == [row if wide else row[:7] for row in want]
    cursor = decoder.cursor
    assert (cursor[D_RECORDS], cursor[D_DROPPED], cursor[D_ERROR]) == (len(records), dropped, DECODE_OK)
    assert cursor[D_OTHER] == sum(data[1] != RTYPE_MBO for data in records)


def test_a_record_that_the_end_cuts_is_left_alone() -> None:
    record = b"".join(random_records(Random(5), 1))
    for end in range(len(record)):
        decoder = Decoder(window=(-(2**63), 2**63 - 1))
        assert decoder.feed(record[:end]) == record[:end]
        assert (decoder.found, decoder.cursor[D_RECORDS], decoder.cursor[D_ERROR]) == ([], 0, DECODE_OK)


GOOD = next(r for r in random_records(Random(1), 99) if r[1] == RTYPE_MBO)
OTHER = next(r for r in random_records(Random(1), 99) if r[1] == OTHER_RTYPE)


def damage(record: bytes, at: int, value: int) -> bytes:
    return record[:at] + bytes([value]) + record[at + 1 :]


@pytest.mark.parametrize("filter_id", [EVERY_INSTRUMENT, 12345])
@pytest.mark.parametrize(
    ("field_name", "at", "good", "error"),
    [
        ("length", 0, {MBO_BYTES // 4}, DECODE_LENGTH),
        ("rtype", 1, {RTYPE_MBO}, DECODE_RTYPE),
        ("action", 38, set(b"ACMRTFN"), DECODE_ACTION),
        ("side", 39, set(b"ABN"), DECODE_SIDE),
    ],
)
def test_every_wrong_value_stops_the_decoder_where_it_stands(
    field_name: str, at: int, good: set[int], error: int, filter_id: int
) -> None:
    """Records of other instruments are checked too: a slip in one of them shifts all that follow."""
    assert MBO_DTYPE.fields is not None
    assert MBO_DTYPE.fields[field_name][1] == at
    for value in set(range(256)) - good:
        decoder = Decoder(window=(-(2**63), 2**63 - 1), instrument_id=filter_id)
        left = decoder.feed(GOOD + OTHER + damage(GOOD, at, value) + GOOD)
        wanted = DECODE_LENGTH if field_name == "rtype" and value == OTHER_RTYPE else error
        assert decoder.cursor[D_ERROR] == wanted, value
        assert decoder.cursor[D_RECORDS] == 2
        assert decoder.cursor[D_POSITION] == len(GOOD + OTHER)
        assert left == damage(GOOD, at, value) + GOOD
        assert len(decoder.found) == (filter_id == EVERY_INSTRUMENT)


def test_wrong_lengths_of_other_records() -> None:
    for value in set(range(256)) - {OTHER_WORDS}:
        decoder = Decoder()
        decoder.feed(damage(OTHER, 0, value) + GOOD * 20)
        assert (decoder.cursor[D_ERROR], decoder.cursor[D_RECORDS]) == (DECODE_LENGTH, 0)
