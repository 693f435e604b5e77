"""A snapshot of the orders that rest at a place of the feed, as the gateway sends it to who asks for one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.live_gateway.feed import MINUTE_NS, RECORD, Feed

F_LAST, F_SNAPSHOT, F_BAD_TS_RECV = 128, 32, 8
UNDEFINED_PRICE = 2**63 - 1


@dataclass
class Resting:
    """An order: its newest record with the size that is left, and its place in the queue."""

    record: np.void
    size: int
    priority: int


def place_of_snapshot(feed: Feed, position: int) -> tuple[int, int]:
    """Where the newest snapshot stands that was made before a position, and when it was made: on the minute."""
    time_ns = feed.time_at(position) // MINUTE_NS * MINUTE_NS
    return min(position, int(np.searchsorted(feed.received_ns, time_ns, side="left"))), time_ns


def snapshot(feed: Feed, instrument: int, position: int, time_ns: int) -> np.ndarray:
    """A snapshot of one instrument after the first `position` records: a clear, then adds by priority."""
    records = feed.records[:position]
    rows = []
    own = records[records["instrument_id"] == instrument]
    for publisher in np.unique(own["publisher_id"]).tolist() or [1]:
        orders = _resting(own[own["publisher_id"] == publisher])
        part = np.zeros(1 + len(orders), RECORD)
        part["length"], part["rtype"] = RECORD.itemsize // 4, 160
        part["publisher_id"], part["instrument_id"] = publisher, instrument
        part["ts_event"][0], part["price"][0], part["action"][0], part["side"][0] = time_ns, UNDEFINED_PRICE, b"R", b"N"
        for i, order in enumerate(sorted(orders, key=lambda order: order.priority), 1):
            for name in ("ts_event", "order_id", "price", "side", "channel_id", "sequence"):
                part[name][i] = order.record[name]
            part["action"][i], part["size"][i] = b"A", order.size
        part["flags"] = F_SNAPSHOT | F_BAD_TS_RECV
        part["flags"][-1] |= F_LAST
        part["ts_recv"] = time_ns
        rows.append(part)
    return np.concatenate(rows)


def _resting(records: np.ndarray) -> list[Resting]:
    orders: dict[int, Resting] = {}
    within = False
    for priority, record in enumerate(records):
        action, size = bytes(record["action"]), int(record["size"])
        number = int(record["order_id"])
        is_snapshot = bool(record["flags"] & F_SNAPSHOT)
        if action == b"R" or (is_snapshot and not within):
            orders.clear()
        within = is_snapshot and not record["flags"] & F_LAST
        known = orders.get(number)
        if action in {b"A", b"M"}:
            kept = known is not None and known.record["price"] == record["price"] and size <= known.size
            orders[number] = Resting(record, size, known.priority if known is not None and kept else priority)
            if size == 0:
                del orders[number]
        elif action == b"C" and known is not None:
            known.size -= size
            if known.size <= 0:
                del orders[number]
    return list(orders.values())
