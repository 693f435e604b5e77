"""The decoder against numpy's view of the same records, whichever way the bytes are cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vp.kernels.contract import (
    BOOK_ONLY,
    CLOCK_KEPT,
    CLOCK_UNKNOWN,
    D_DROPPED,
    D_ERROR,
    D_FOREIGN,
    D_OTHER,
    D_POSITION,
    D_RECORDS,
    D_ROWS,
    D_UNKNOWN,
    D_WORDS,
    DECODE_ACTION,
    DECODE_LENGTH,
    DECODE_OK,
    DECODE_RTYPE,
    DECODE_SIDE,
    FLAG_BAD_TS_RECV,
    FLAG_SNAPSHOT,
    MBO_BYTES,
    MBO_DTYPE,
    RTYPE_MBO,
)
from vp.kernels.decode import decode_records
from vp.kernels.state import Columns, Selection

OTHER_RTYPE, OTHER_WORDS = 22, 20
UNKNOWN_RTYPE = 0xD0
LENGTHS = np.zeros(256, np.uint8)
LENGTHS[RTYPE_MBO] = MBO_BYTES // 4
LENGTHS[OTHER_RTYPE] = OTHER_WORDS
VALID_ACTION, VALID_SIDE = (np.isin(np.arange(256), list(codes)).astype(np.uint8) for codes in (b"ACMRTFN", b"ABN"))
SECOND = 1_000_000_000
START_NS, END_NS = 50 * SECOND, 90 * SECOND
UNDEFINED = 2**64 - 1
TIMES = (0, START_NS - 1, START_NS, START_NS + 1, 60 * SECOND, 60 * SECOND + 1, 61 * SECOND, END_NS - 1, END_NS)
EVERY_TIME = (*TIMES, END_NS + SECOND // 2, 2**62, 2**63, UNDEFINED)
DTYPES = (
    np.int64, np.int64, np.int64, np.uint32, np.uint8, np.uint8, np.uint8, np.uint16, np.int64, np.int64, np.uint32,
)  # fmt: skip
NARROW = 8  # columns that are always filled
VALUES = ("order_id", "price", "size", "flags", "action", "side", "publisher_id", "ts_event", "ts_recv", "sequence")
EVERY_INSTRUMENT = -1


@dataclass
class Decoder:
    """Calls the kernel as vp.dbn.reader does: bytes in pieces, columns that are used again."""

    rows: int = 8
    wide: bool = True
    instrument_id: int = EVERY_INSTRUMENT
    window: tuple[int, int] = (START_NS, END_NS)
    mbo_words: int = MBO_BYTES // 4
    spans: tuple[tuple[int, int, int], ...] = ()
    cursor: np.ndarray = field(default_factory=lambda: np.zeros(D_WORDS, np.int64))
    found: list[tuple[int, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        sizes = [self.rows] * NARROW + [self.rows if self.wide else 0] * (len(DTYPES) - NARROW)
        self.columns = Columns(*(np.zeros(size, dtype) for size, dtype in zip(sizes, DTYPES, strict=True)))
        codes = LENGTHS, VALID_ACTION, VALID_SIDE
        spans = np.array(self.spans, np.int64).reshape(-1)
        self.selection = Selection(self.instrument_id, *self.window, self.mbo_words, *codes, spans)

    def feed(self, data: bytes) -> bytes:
        """Decode all whole records of `data`; returns what is left."""
        view = np.frombuffer(data, np.uint8)
        self.cursor[D_POSITION] = 0
        while True:
            decode_records(view, self.selection, self.cursor, self.columns)
            rows = int(self.cursor[D_ROWS])
            used = self.columns[: None if self.wide else NARROW]
            self.found += zip(*(column[:rows].tolist() for column in used), strict=True)
            self.cursor[D_ROWS] = 0
            if rows < self.rows or self.cursor[D_ERROR]:
                return data[int(self.cursor[D_POSITION]) :]


def random_records(rng: Random, count: int) -> list[bytes]:
    """Records of two instruments, inside, at the edges of, and outside the window, and of other types."""
    records = []
    for _ in range(count):
        if rng.random() < 0.2:
            records.append(bytes((OTHER_WORDS, OTHER_RTYPE)) + rng.randbytes(4 * OTHER_WORDS - 2))
            continue
        if rng.random() < 0.1:
            records.append(unknown_record(2 * rng.randint(2, 127), rng.choice((0, UNDEFINED, 1_770_336_000 * SECOND))))
            continue
        record = np.zeros(1, MBO_DTYPE)
        record["length"], record["rtype"] = MBO_BYTES // 4, RTYPE_MBO
        record["publisher_id"], record["instrument_id"] = rng.choice((1, 255, 256, 65535)), rng.choice((3, 2**32 - 1))
        record["ts_event"] = np.array(rng.choice(EVERY_TIME), np.uint64).view(np.int64)
        record["order_id"] = rng.choice((0, -1, -(2**63), 2**63 - 1, rng.getrandbits(62)))
        record["price"] = rng.choice((2**63 - 1, -1, -(2**63), 5, rng.getrandbits(40)))
        record["size"] = rng.choice((0, 1, 2**32 - 1))
        record["flags"] = rng.getrandbits(8)
        record["channel_id"] = rng.getrandbits(8)
        record["action"], record["side"] = rng.choice(b"ACMRTFN"), rng.choice(b"ABN")
        record["ts_recv"] = np.array(rng.choice(EVERY_TIME), np.uint64).view(np.int64)
        record["sequence"] = rng.getrandbits(32)
        records.append(record.tobytes())
    return records


def unknown_record(words: int, ts_event: int = 0, rtype: int = UNKNOWN_RTYPE) -> bytes:
    """A record of a type that nobody knows yet, zeros behind its header."""
    header = bytes((words, rtype)) + bytes(6) + ts_event.to_bytes(8, "little")
    return header + bytes(4 * words - len(header))


def clock_of(record: np.void) -> int | None:
    """What the contract says of the record's time; None: not of the session."""
    event, received = (int(record[name]) % 2**64 for name in ("ts_event", "ts_recv"))
    flags = int(record["flags"])
    event_known, received_known = event < 2**63, received < 2**63
    is_clear = record["action"] == ord("R")
    if (is_clear or flags & FLAG_SNAPSHOT) and received_known and received >= END_NS:
        return None
    inside = event_known and START_NS <= event < END_NS
    if flags & FLAG_SNAPSHOT or (is_clear and not inside):
        return BOOK_ONLY
    if not event_known:
        if received_known and received >= END_NS:
            return None
        return BOOK_ONLY if received_known and received < START_NS else CLOCK_UNKNOWN
    if event < START_NS:
        return BOOK_ONLY
    disbelieved = received_known and not flags & FLAG_BAD_TS_RECV and event > received + SECOND
    if disbelieved and (inside or START_NS <= received < END_NS):
        return CLOCK_KEPT
    return event if inside else None


def expected(records: list[bytes], instrument_id: int) -> tuple[list[tuple[int, ...]], int]:
    """Rows that pass, and how many of the instrument lie outside the window."""
    rows, dropped = [], 0
    for data in records:
        if data[1] != RTYPE_MBO:
            continue
        record = np.frombuffer(data, MBO_DTYPE)[0]
        if instrument_id not in (EVERY_INSTRUMENT, int(record["instrument_id"])):
            continue
        clock_ns = clock_of(record)
        if clock_ns is None:
            dropped += 1
        else:
            rows.append((clock_ns, *(int(record[name]) for name in VALUES)))
    return rows, dropped


GOOD = bytes(
    next(r for r in random_records(Random(1), 99) if r[1] == RTYPE_MBO and clock_of(np.frombuffer(r, MBO_DTYPE)[0]))
)
OTHER = next(r for r in random_records(Random(1), 99) if r[1] == OTHER_RTYPE)


def damage(record: bytes, at: int, value: int) -> bytes:
    return record[:at] + bytes([value]) + record[at + 1 :]


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
    assert decoder.found == [row if wide else row[:NARROW] for row in want]
    cursor = decoder.cursor
    assert (cursor[D_RECORDS], cursor[D_DROPPED], cursor[D_ERROR]) == (len(records), dropped, DECODE_OK)
    assert cursor[D_OTHER] == sum(data[1] == OTHER_RTYPE for data in records)
    assert cursor[D_UNKNOWN] == sum(data[1] == UNKNOWN_RTYPE for data in records)


def test_every_pair_of_times() -> None:
    """With each flag that matters and an action that does, and one that does not."""
    records = []
    for event, received in product(EVERY_TIME, EVERY_TIME):
        for flags, action in product((0, FLAG_SNAPSHOT, FLAG_BAD_TS_RECV, FLAG_SNAPSHOT | FLAG_BAD_TS_RECV), b"AR"):
            record = np.zeros(1, MBO_DTYPE)
            record["length"], record["rtype"], record["action"], record["side"] = 14, RTYPE_MBO, action, ord("B")
            record["flags"] = flags
            record["ts_event"], record["ts_recv"] = (np.array(t, np.uint64).view(np.int64) for t in (event, received))
            records.append(record.tobytes())
    decoder = Decoder(rows=1024)
    decoder.feed(b"".join(records))
    want, dropped = expected(records, EVERY_INSTRUMENT)
    assert decoder.found == want
    assert decoder.cursor[D_DROPPED] == dropped
    assert {row[0] for row in want} > {BOOK_ONLY, CLOCK_KEPT, CLOCK_UNKNOWN, START_NS}


@pytest.mark.parametrize("words", [4, 6, 20, 254])
def test_a_record_of_a_type_to_come_is_passed_over(words: int) -> None:
    for rtype in set(range(256)) - {RTYPE_MBO, OTHER_RTYPE}:
        decoder = Decoder(window=(0, 2**63 - 1))
        assert decoder.feed(GOOD + unknown_record(words, 0, rtype) + GOOD) == b""
        cursor = decoder.cursor
        assert (cursor[D_ERROR], cursor[D_UNKNOWN], cursor[D_OTHER], cursor[D_RECORDS]) == (DECODE_OK, 1, 0, 3)


@pytest.mark.parametrize(
    "record",
    [
        damage(unknown_record(20), 0, words) for words in (0, 1, 2, 3, 5, 21, 255)
    ] + [unknown_record(20, ts_event) for ts_event in (1, 2**40, 2**62 + 2**61, 2**63, UNDEFINED - 1)],
)  # fmt: skip
def test_no_type_to_come_has_such_a_length_or_time(record: bytes) -> None:
    decoder = Decoder()
    decoder.feed(record + GOOD * 20)
    assert (decoder.cursor[D_ERROR], decoder.cursor[D_RECORDS]) == (DECODE_RTYPE, 0)


def test_a_record_that_the_end_cuts_is_left_alone() -> None:
    record = b"".join(random_records(Random(5), 1))
    for end in range(len(record)):
        decoder = Decoder(window=(0, 2**63 - 1))
        assert decoder.feed(record[:end]) == record[:end]
        assert (decoder.found, decoder.cursor[D_RECORDS], decoder.cursor[D_ERROR]) == ([], 0, DECODE_OK)


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
        decoder = Decoder(window=(0, 2**63 - 1), instrument_id=filter_id)
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


def test_an_instrument_is_wanted_in_its_span_of_times_alone() -> None:
    def order(number: int, ts_recv: int, ts_event: int) -> bytes:
        record = np.frombuffer(GOOD, MBO_DTYPE).copy()
        record["instrument_id"], record["ts_recv"], record["ts_event"] = number, ts_recv, ts_event
        return record.tobytes()

    begin, middle, end = (START_NS + second * SECOND for second in (10, 20, 30))
    spans = ((3, begin, middle), (4, middle, end))
    times = (begin - 1, begin, middle - 1, middle, end - 1, end)
    tried = list(product((3, 4, 5), times))
    wanted = [begin, middle - 1, middle, end - 1]
    decoder = Decoder(spans=spans, rows=64)
    decoder.feed(b"".join(order(number, ts_recv, ts_recv) for number, ts_recv in tried))
    at = Columns._fields.index("ts_recv")
    assert [row[at] for row in decoder.found] == wanted
    assert decoder.cursor[D_FOREIGN] == len(tried) - len(wanted)
    decoder = Decoder(spans=spans, rows=64)
    decoder.feed(order(3, -1, middle - 1) + order(3, -1, middle))
    assert [row[at] for row in decoder.found] == [-1], "without a ts_recv the ts_event tells"
