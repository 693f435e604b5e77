"""What stands in the bytes of a live stream: record by record where they differ, in bulk where they are orders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import databento_dbn
import numpy as np

from vp.dbn.record_types import RECORD_BYTES, RECORD_HEADER_BYTES
from vp.dbn.symbol_mappings import UNDEFINED_TIME, Mapping, StatedMappings
from vp.errors import FeedDamagedError
from vp.kernels.contract import FLAG_SNAPSHOT, MBO_BYTES, MBO_DTYPE, RTYPE_MBO
from vp.kernels.decode import byte_of

END_OF_REPLAY = re.compile(r"(finish|complet).*replay|replay.*(finish|complet)", re.IGNORECASE)  # where no code says it
PRELUDE_BYTES = 8
MAX_METADATA_BYTES = 16 << 20
MOST_NAMES = 1 << 20  # instruments that one connection can be of
RTYPE_ERROR, RTYPE_MAPPING, RTYPE_SYSTEM = 21, 22, 23
FIRST_LOOK_RECORDS = 64
MARK_BYTES = 1 << 20

UNDEFINED_NS = np.uint64(UNDEFINED_TIME)
SCANNED_NAMES = ["length_and_type", "ts_event", "flags", "ts_recv"]
SCANNED = [
    np.dtype(
        {
            "names": SCANNED_NAMES,
            "formats": ["<u2", "<u8", "u1", "<u8"],
            "offsets": [0, *(byte_of(name) for name in SCANNED_NAMES[1:])],
            "itemsize": MBO_BYTES + ts_out_bytes,
        }
    )
    for ts_out_bytes in (0, 8)
]
CODE_BEFORE_END = {RTYPE_ERROR: 2, RTYPE_SYSTEM: 1}  # bytes from the code to the record's end
SUBSCRIBED, SLOW_READER, REPLAY_COMPLETED = 1, 2, 3
AUTH_FAILED, KEY_DEACTIVATED, CONNECTION_LIMIT, UNKNOWN_SYMBOL, INVALID_SUBSCRIPTION = 1, 2, 3, 4, 5
SKIPPED_RECORDS, REPLAY_AGED_OUT = 7, 8

dbn: Any = databento_dbn


@dataclass(frozen=True)
class Orders:
    """A run of market-by-order records.

    Attributes
    ----------
    as_sent : structured array[n]
        With what the feed puts behind a record; a view that holds until the next item is taken.
    record_bytes : int
        Of each in the stream.
    byte_offset, record_index : int
        Of the first, in the stream.
    """

    as_sent: np.ndarray
    record_bytes: int
    byte_offset: int
    record_index: int

    @cached_property
    def rows(self) -> np.ndarray:
        """The records themselves, copied: MBO_DTYPE[n]."""
        count = len(self.as_sent)
        table = self.as_sent.view(np.uint8).reshape(count, -1)
        return np.ascontiguousarray(table[:, :MBO_BYTES]).view(MBO_DTYPE).reshape(count)


@dataclass(frozen=True)
class System:
    """A message of the gateway's: `code` is its number (-1 where the version has none), `time_ns` when it was sent."""

    code: int
    text: str
    time_ns: int | None


@dataclass(frozen=True)
class Refusal:
    """An error that the gateway states; `code` is its number, -1 where the version has none."""

    code: int
    text: str
    time_ns: int | None


Item: TypeAlias = Orders | System | Refusal | Mapping


def is_end_of_replay(item: Item) -> bool:
    """Whether the gateway says that it has sent all of the past that was asked for."""
    if not isinstance(item, System):
        return False
    return item.code == REPLAY_COMPLETED or (item.code < 0 and END_OF_REPLAY.search(item.text) is not None)


class StreamScan:
    """Reads one stream, from its first byte on, in pieces of any size.

    Attributes
    ----------
    data_offset : int or None
        Where the records begin; None until the metadata are there.
    whole_bytes : int
        Up to where the stream is whole: metadata and records that have come to their end.
    records : int
        Whole records so far.
    version, ts_out : int, bool
        As the metadata say.
    clock_ns : int
        The latest time of a record of the market (its ts_event, or ts_recv if that is less), no snapshot's; 0: none.
    received_ns : tuple of int
        The first and the latest ts_recv of market-by-order records, snapshots included; (0, 0): none.
    marks : list of (byte offset, record index, clock_ns)
        A place about every MARK_BYTES; clock_ns as of what stands before it.
    names : dict of int to str
    newest : (int, int) or None
        ts_event and ts_recv of the newest market-by-order record; None where that is a snapshot's or has neither.
    """

    def __init__(self) -> None:
        self.data_offset: int | None = None
        self.whole_bytes = 0
        self.records = 0
        self.version = 0
        self.ts_out = False
        self.clock_ns = 0
        self.received_ns = (0, 0)
        self.marks: list[tuple[int, int, int]] = []
        self.names: dict[int, str] = {}
        self.newest: tuple[int, int] | None = None
        self._carry = b""
        self._kind = SCANNED[False]
        self._look_records = FIRST_LOOK_RECORDS  # at once: as many as stood together last

    @property
    def mbo_bytes(self) -> int:
        """Length of a market-by-order record."""
        return MBO_BYTES + 8 * self.ts_out

    def feed(self, data: bytes | memoryview) -> Iterator[Item]:
        """What the next bytes bring, in order; each item must be used before the next is taken.

        Raises
        ------
        FeedDamagedError
            A record cannot be one, or the stream begins with something else than metadata.
        """
        view = memoryview(data)
        if self.data_offset is None:
            whole = self._carry + bytes(view)
            begin = self._read_metadata(whole)
            if not begin:
                self._carry = whole
                return
            self._carry, view = b"", memoryview(whole)[begin:]
        # What arrives is not copied, but for the record that the end of a piece cuts.
        cut = self._carry
        missing = max(RECORD_HEADER_BYTES, 4 * cut[0]) - len(cut) if cut else 0
        for piece in (cut + view[:missing], view[missing:]):
            if piece:
                yield from self._items(piece)

    def _items(self, data: bytes | memoryview) -> Iterator[Item]:
        """Those of whole records; the rest is kept for the next piece."""
        position = 0
        while len(data) - position >= RECORD_HEADER_BYTES:
            records = self._run(data, position)
            count = len(records)
            if count:
                orders = self._orders(records)
                position += count * self.mbo_bytes
                self._advance(count * self.mbo_bytes, count)
                yield orders
                continue
            size = 4 * data[position]
            rtype = data[position + 1]
            self._check(size, rtype)
            if len(data) - position < size:
                break
            record = bytes(data[position : position + size])
            position += size
            self._advance(size, 1)
            yield from self._other(rtype, record)
        self._carry = bytes(data[position:])

    def _read_metadata(self, whole: bytes) -> int:
        """Where records begin, in `whole`; 0 where there is not enough of it."""
        if not b"DBN".startswith(whole[:3]):
            raise FeedDamagedError(
                f"The stream begins with {whole[:8]!r}, expected DBN metadata.",
                hint="See to it that --gateway names a gateway of Databento's live feed.",
            )
        if len(whole) < PRELUDE_BYTES:
            return 0
        end = PRELUDE_BYTES + int.from_bytes(whole[4:8], "little")
        if end > MAX_METADATA_BYTES:
            raise FeedDamagedError(f"The stream states metadata of {end} bytes, more than any stream has.")
        if len(whole) < end:
            return 0
        try:
            metadata = dbn.Metadata.decode(whole[:end], upgrade_policy=dbn.VersionUpgradePolicy.AS_IS)
        except BaseException as error:  # a damaged header can make the decoder panic, and a panic is no Exception
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            raise FeedDamagedError(f"The stream's metadata cannot be decoded: {error}.") from None
        self.version, self.ts_out = whole[3], bool(metadata.ts_out)
        self._kind = SCANNED[self.ts_out]
        self.data_offset = self.whole_bytes = end
        self.marks.append((end, 0, 0))
        return end

    def _run(self, data: bytes | memoryview, position: int) -> np.ndarray:
        """The market-by-order records that stand one behind the other from here on, a view."""
        step = self.mbo_bytes
        records = np.frombuffer(data, self._kind, (len(data) - position) // step, position)
        expected = step // 4 | RTYPE_MBO << 8
        seen, look = 0, self._look_records
        while seen < len(records):
            other = records["length_and_type"][seen : seen + look] != expected
            if other.any():
                together = seen + int(np.argmax(other))
                self._look_records = max(FIRST_LOOK_RECORDS, together)
                return records[:together]
            seen, look = seen + look, look * 8
        self._look_records = max(self._look_records, len(records))
        return records

    def _orders(self, records: np.ndarray) -> Orders:
        event, receipt, flags = records["ts_event"], records["ts_recv"], records["flags"]
        time = np.minimum(event, receipt)
        snapshot = flags & FLAG_SNAPSHOT
        if snapshot.any():
            time = time[snapshot == 0]
        latest = time.max(initial=0)
        if latest == UNDEFINED_NS:  # of few, and not looked for in all
            latest = time[time != UNDEFINED_NS].max(initial=0)
        self.clock_ns = max(self.clock_ns, int(latest))
        untimed = event[-1] == UNDEFINED_NS or receipt[-1] == UNDEFINED_NS
        self.newest = None if untimed or snapshot[-1] else (int(event[-1]), int(receipt[-1]))
        if UNDEFINED_NS in {receipt[0], receipt[-1]}:
            receipt = receipt[receipt != UNDEFINED_NS]
        if len(receipt):
            first, _ = self.received_ns
            self.received_ns = first or int(receipt[0]), int(receipt[-1])
        return Orders(records, self.mbo_bytes, self.whole_bytes, self.records)

    def _check(self, size: int, rtype: int) -> None:
        expected = RECORD_BYTES.get(rtype)
        length = 0 if expected is None else expected[min(self.version, len(expected)) - 1] + 8 * self.ts_out
        if size < RECORD_HEADER_BYTES or (length and size != length):
            raise FeedDamagedError(
                f"The stream is damaged at byte {self.whole_bytes}: a record of type {rtype} of {size} bytes, "
                f"expected {length or 'at least 16'}."
            )

    def _other(self, rtype: int, record: bytes) -> Iterator[Item]:
        if rtype == RTYPE_MAPPING:
            stated = StatedMappings(self.version, len(record))
            stated.add(record)
            for mapping in stated.mappings():
                self.names[mapping.instrument_id] = mapping.raw_symbol
                if len(self.names) > MOST_NAMES:
                    raise FeedDamagedError(f"The stream names more than {MOST_NAMES:,} instruments, more than any has.")
                yield mapping
        elif rtype in CODE_BEFORE_END:
            time = int.from_bytes(record[8:16], "little")
            end = len(record) - 8 * self.ts_out
            code_at = end - CODE_BEFORE_END[rtype]
            code = record[code_at] if self.version > 1 else -1
            text = record[16 : code_at if self.version > 1 else end].split(b"\0", 1)[0].decode("ascii", "replace")
            kind = System if rtype == RTYPE_SYSTEM else Refusal
            yield kind(code, text, time if 0 < time < UNDEFINED_TIME else None)

    def _advance(self, size: int, records: int) -> None:
        self.whole_bytes += size
        self.records += records
        if self.whole_bytes - self.marks[-1][0] >= MARK_BYTES:
            self.marks.append((self.whole_bytes, self.records, self.clock_ns))
