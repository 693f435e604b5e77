"""Small DBN files and everything that can befall their bytes; what a reader may then say.

DBN has no checksum, so one thing cannot be seen in principle: a byte of an uncompressed file's values (a price, a
time, an id, a flag) that became another value makes another valid file. A zstandard frame with a checksum shows that
too. `judge` allows a different result only there, and then asks Databento's own decoder whether the file says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import databento_dbn

from tests.dbn_files import compress, header, mbo, other_records
from tests.market_strategies import random_market
from tests.oracle_book import F_LAST, F_MBP, F_TOB
from vp.dbn.accounting import PassedOver
from vp.dbn.file import DbnFile
from vp.dbn.reader import EventReader
from vp.errors import FileError

MNQ = 42005
VALUE_BYTES = frozenset(range(2, 38)) | frozenset(range(40, 56))
"""Bytes of a market-by-order record that carry values; the rest are its length, type, action and side."""
_BUY, _SELL = random_market(11, 1, weights={"quote": 1})[:2]
EVENTS = (
    _BUY,
    _BUY._replace(publisher=41, order_id=0, flags=F_LAST | F_TOB),
    _SELL._replace(publisher=65_535, ts_recv=_SELL.ts_event - 2_000_000_000),
    _SELL._replace(publisher=42, order_id=2**64 - 1, flags=F_LAST | F_MBP),
    _BUY._replace(action="R", side="N", publisher=65_535, flags=F_LAST),
)
Row = tuple[int, ...]
dbn: Any = databento_dbn


@dataclass(frozen=True)
class Sound:
    """A whole file: its version, its bytes before compression and on disk, its records' places."""

    version: int
    compressed: bool
    plain: bytes
    data: bytes
    places: tuple[tuple[int, int], ...]
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        return f"v{self.version}{'.zst' if self.compressed else ''}"


@dataclass(frozen=True)
class Outcome:
    """What a reader made of a file: its events, its counts, and the error that ended it."""

    rows: tuple[Row, ...]
    read: int
    passed_over: PassedOver
    error: FileError | None

    @property
    def counted(self) -> int:
        """Records that came out as events or were passed over."""
        return len(self.rows) + self.passed_over.total()


def sound(version: int, compressed: bool, path: Path) -> Sound:
    """A file of five events, of orders, a quote and a level of three publishers, among records of other types."""
    events = [mbo(rec, MNQ, sequence=i) for i, rec in enumerate(EVENTS)]
    others = other_records(version)
    records = [events[0], others[0], events[1], others[3], *events[2:4], others[1], events[4]]
    head = header(version)
    plain = head + b"".join(records)
    places, at = [], len(head)
    for record in records:
        places.append((at, at + len(record)))
        at += len(record)
    data = compress(plain) if compressed else plain
    outcome = read(path, data)
    assert outcome.error is None
    assert len(outcome.rows) == len(events)
    return Sound(version, compressed, plain, data, tuple(places), outcome.rows)


def read(path: Path, data: bytes) -> Outcome:
    """Read `data` as a file, of every instrument."""
    path.write_bytes(data)
    rows: list[Row] = []
    reader = None
    error = None
    try:
        reader = EventReader(DbnFile(path), -1, chunk_rows=3, wide=True)
        for chunk in reader.chunks():
            rows += zip(*(column.tolist() for column in chunk.events.columns[1:]), strict=True)  # as they stand there
    except FileError as found:
        error = found
    if reader is None:
        return Outcome((), 0, PassedOver(), error)
    return Outcome(tuple(rows), reader.records_seen, reader.passed_over, error)


def flips(file: Sound, *, every: bool) -> Iterator[tuple[str, bytes]]:
    """Each byte changed: to every other value, or else by one flipped bit or to one other value, in turn."""
    rng = Random(file.version)
    for at, value in enumerate(file.data):
        one = value ^ (1 << rng.randrange(8) if at % 2 else rng.randint(1, 255))
        for other in set(range(256)) - {value} if every else {one}:
            yield f"byte {at} is {other}", file.data[:at] + bytes([other]) + file.data[at + 1 :]


def cuts(file: Sound, *, every: bool) -> Iterator[tuple[str, bytes]]:
    """The file cut at each offset, or else at each third and on both sides of every place where something ends."""
    ends = {0, 8, file.places[0][0], *(end for _, end in file.places), len(file.data)}
    near = {end + by for end in ends for by in (-1, 0, 1)}
    for end in range(len(file.data)):
        if every or end % 3 == 0 or end in near:
            yield f"cut at {end}", file.data[:end]


def holes(file: Sound, *, every: bool) -> Iterator[tuple[str, bytes]]:
    """A byte lost, a byte doubled, a stretch of zeros, at each offset, or else one of them at each other."""
    for at in range(len(file.data)):
        cases = (
            (f"byte {at} lost", file.data[:at] + file.data[at + 1 :]),
            (f"byte {at} doubled", file.data[: at + 1] + file.data[at:]),
            (f"zeros from {at}", file.data[:at] + bytes(min(32, len(file.data) - at)) + file.data[at + 32 :]),
        )
        if every:
            yield from cases
        elif at % 2:
            yield cases[at // 2 % 3]


def swaps(file: Sound, *, every: bool) -> Iterator[tuple[str, bytes]]:
    """Each two records in each other's place, `every` or not."""
    del every
    head = file.plain[: file.places[0][0]]
    records = [file.plain[a:b] for a, b in file.places]
    for i in range(len(records)):
        for j in range(i + 1, len(records)):
            order = list(records)
            order[i], order[j] = order[j], order[i]
            plain = head + b"".join(order)
            yield f"records {i} and {j} swapped", compress(plain) if file.compressed else plain


def judge(file: Sound, what: str, data: bytes, outcome: Outcome) -> str:
    """`equal`, `error`, `short` or `another file`; anything else is an assertion that fails."""
    said = f"{file.name}: {what}: {outcome}"
    assert outcome.counted == outcome.read, said
    if outcome.error is not None:
        error = outcome.error
        assert error.path, said
        assert error.hint, said
        assert error.byte_offset is not None or error.code in {"not_dbn", "wrong_schema"}, said
        if outcome.rows != file.rows[: len(outcome.rows)]:  # an earlier value changed too: as the decoder says
            assert not file.compressed or not _checked(what), said
        return "error"
    if outcome.rows == file.rows:
        return "equal"
    if what.startswith("cut"):
        assert not file.compressed, said
        assert outcome.rows == file.rows[: len(outcome.rows)], said
        assert any(end == len(data) for _, end in file.places) or len(data) == file.places[0][0], said
        return "short"
    assert not file.compressed or not _checked(what), said
    assert outcome.rows == databento_rows(file, data), said
    return "another file"


def undetectable(file: Sound, at: int) -> bool:
    """Whether a byte of an uncompressed file carries a value, so that another is as good."""
    for start, end in file.places:
        if start <= at < end:
            return end - start != 56 or at - start in VALUE_BYTES | {38, 39}
    return True


def _checked(what: str) -> bool:
    """Whether the zstandard frame's checksum covers what was done: all but what was compressed anew."""
    return "swapped" not in what


def databento_rows(file: Sound, data: bytes) -> tuple[Row, ...]:
    """The events that Databento's own decoder finds in an uncompressed file (or in what `file` compressed)."""
    import zstandard

    if file.compressed:
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    decoder = dbn.DBNDecoder(upgrade_policy=dbn.VersionUpgradePolicy.AS_IS)
    decoder.write(data)
    rows = []
    for record in decoder.decode():
        if isinstance(record, dbn.MBOMsg):
            order_id = record.order_id - 2**64 if record.order_id >= 2**63 else record.order_id
            ts_event, ts_recv = (t - 2**64 if t >= 2**63 else t for t in (record.ts_event, record.ts_recv))
            codes = (int(record.flags), ord(str(record.action)), ord(str(record.side)))
            values = (order_id, record.price, record.size, *codes, record.publisher_id)
            rows.append((*values, ts_event, ts_recv, record.sequence))
    return tuple(rows)
