"""The market behind the gateway: the market-by-order records of a file, in its order."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import databento_dbn
import numpy as np
import zstandard

dbn: Any = databento_dbn  # its stubs give enum members the types of their values
RTYPE_MBO, RTYPE_MAPPING = 160, 22
MINUTE_NS = 60_000_000_000
RECORD = np.dtype(
    [
        ("length", "u1"), ("rtype", "u1"), ("publisher_id", "<u2"), ("instrument_id", "<u4"), ("ts_event", "<u8"),
        ("order_id", "<u8"), ("price", "<i8"), ("size", "<u4"), ("flags", "u1"), ("channel_id", "u1"),
        ("action", "S1"), ("side", "S1"), ("ts_recv", "<u8"), ("ts_in_delta", "<i4"), ("sequence", "<u4"),
    ]
)  # fmt: skip
WITH_TS_OUT = np.dtype([("record", RECORD), ("ts_out", "<u8")])


class Feed:
    """The records of a file.

    Attributes
    ----------
    records : RECORD[n]
    received_ns : int64[n]
        When each was received, never less than the one before: the feed's own time.
    names : dict of int to str
        The raw symbol of each instrument.
    dataset : str
    """

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        if path.name.endswith(".zst"):
            data = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
        head = 8 + int.from_bytes(data[4:8], "little")
        metadata = dbn.Metadata.decode(data[:head], upgrade_policy=dbn.VersionUpgradePolicy.AS_IS)
        self.dataset: str = metadata.dataset
        self.names: dict[int, str] = {
            int(interval["symbol"]): name for name, found in metadata.mappings.items() for interval in found
        }
        self.records = self._records(data[head:], bool(metadata.ts_out))
        received = self.records["ts_recv"].astype(np.int64)
        undefined = received < 0
        received[undefined] = self.records["ts_event"].astype(np.int64)[undefined]
        self.received_ns = np.maximum.accumulate(received) if len(received) else received
        for number in np.unique(self.records["instrument_id"]).tolist():
            self.names.setdefault(number, str(number))

    def _records(self, data: bytes, ts_out: bool) -> np.ndarray:
        length = RECORD.itemsize + 8 * ts_out
        if len(data) % length == 0 and set(data[1::length]) == {RTYPE_MBO}:  # nothing else among them
            kind = WITH_TS_OUT if ts_out else RECORD
            whole = np.frombuffer(data, kind)
            records = (whole["record"] if ts_out else whole).copy()
            records["length"] = RECORD.itemsize // 4
            return records
        found, position = [], 0
        while position + 16 <= len(data) and data[position]:
            record = data[position : position + 4 * data[position]]
            if record[1] == RTYPE_MBO:
                found.append(record[: RECORD.itemsize])
            elif record[1] == RTYPE_MAPPING and len(record) >= 176:
                name = record[16 + 1 + 71 + 1 : 16 + 2 + 142].split(b"\0")[0].decode()
                self.names.setdefault(int.from_bytes(record[4:8], "little"), name)
            position += len(record)
        records = np.frombuffer(b"".join(found), RECORD).copy()
        records["length"] = RECORD.itemsize // 4
        return records

    @cached_property
    def busiest(self) -> int:
        """The instrument of most records."""
        numbers, counts = np.unique(self.records["instrument_id"], return_counts=True)
        return int(numbers[np.argmax(counts)])

    def time_at(self, position: int) -> int:
        """The feed's time when the first `position` records have been published, ns UTC."""
        if not len(self.records):
            return 0
        return int(self.received_ns[max(position - 1, 0)])

    def position_at(self, time_ns: int) -> int:
        """How many records have been published at a time."""
        return int(np.searchsorted(self.received_ns, time_ns, side="right"))

    def resolve(self, stype_in: str, symbols: Iterable[str]) -> tuple[dict[int, str], list[str]]:
        """The instruments that symbols mean, with the symbol that each was asked for by; and those that mean none."""
        found: dict[int, str] = {}
        unknown = []
        for symbol in symbols:
            numbers = self._numbers(stype_in, symbol)
            found |= dict.fromkeys(numbers, symbol)
            unknown += [] if numbers else [symbol]
        return found, unknown

    def _numbers(self, stype_in: str, symbol: str) -> list[int]:
        if symbol == "ALL_SYMBOLS":
            return list(self.names)
        if stype_in == "instrument_id":
            return [number for number in self.names if str(number) == symbol]
        if stype_in == "parent":
            root = symbol.partition(".")[0]
            return [
                number for number, name in self.names.items() if fnmatch.fnmatchcase(name, f"{root}[FGHJKMNQUVXZ]*")
            ]
        if stype_in == "continuous":
            root = symbol.partition(".")[0]
            return [self.busiest] if self.names[self.busiest].startswith(root) else []
        return [number for number, name in self.names.items() if name == symbol]
