"""A market of many symbols and as many records as are wanted, made quickly: what the feed's speed is measured by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.dbn_files import header
from tests.live_gateway.feed import RECORD

START_NS = 1_770_388_200 * 10**9  # 2026-02-06 09:30 in New York
TICK = 250_000_000
BASE_PRICE = 21_000 * 10**9
RESTING = 400  # orders of a symbol; from then on each that comes takes the place of one that goes
DEPTH_TICKS = 20
RECEIPT_NS = 20_000
UNDEFINED_PRICE = 2**63 - 1
F_LAST = 128


def contracts(count: int) -> dict[str, int]:
    """So many contracts of one root, with their instrument ids."""
    names = [f"MNQ{month}{year}" for year in range(10) for month in "HMUZ"]
    return {name: 1000 + i for i, name in enumerate(names[:count])}


def orders(instrument: int, times_ns: np.ndarray) -> np.ndarray:
    """A symbol's records at the given times: a clear, then orders that come and, in turn, go."""
    count = len(times_ns)
    records = np.zeros(count, RECORD)
    records["length"], records["rtype"], records["publisher_id"] = RECORD.itemsize // 4, 160, 1
    records["instrument_id"], records["flags"] = instrument, F_LAST
    records["ts_event"], records["ts_recv"] = times_ns, times_ns + RECEIPT_NS
    records["sequence"] = np.arange(count)
    at = np.arange(count) - 1
    goes = (at >= RESTING) & (at % 2 == 1)
    added = np.where(at < RESTING, at, RESTING + (at - RESTING) // 2)  # how many orders came before this record
    number = np.where(goes, added - RESTING, added)
    records["action"] = np.where(goes, b"C", b"A")
    records["order_id"] = number + 1
    is_bid = number % 2 == 0
    records["side"] = np.where(is_bid, b"B", b"A")
    distance = 1 + (number * 7) % DEPTH_TICKS
    records["price"] = BASE_PRICE + np.where(is_bid, -distance, distance) * TICK
    records["size"] = 1 + number % 9
    for name, value in (("action", b"R"), ("side", b"N"), ("price", UNDEFINED_PRICE), ("size", 0), ("order_id", 0)):
        records[name][0] = value
    return records


def write(path: Path, symbols: dict[str, int], times_ns: Sequence[np.ndarray]) -> np.ndarray:
    """The market of `symbols`, of which each has records at its times, as a file in the order of receipt.

    Returns the records.
    """
    each = [orders(number, times) for number, times in zip(symbols.values(), times_ns, strict=True)]
    records = np.concatenate(each)
    records = records[np.argsort(records["ts_recv"], kind="stable")]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(header(symbols=symbols))
        file.write(records.tobytes())
    return records


def even_times(seconds: float, per_second: float, *, offset_ns: int = 0) -> np.ndarray:
    """Times at even distances from START_NS on, ns UTC: int64[n]."""
    return START_NS + offset_ns + (np.arange(round(seconds * per_second)) * 1e9 / per_second).astype(np.int64)
