"""Counting a file's records and finding its mappings, against a plain count of the same."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np

from vp.kernels.contract import MBO_BYTES, MBO_DTYPE, RTYPE_MBO
from vp.kernels.state import DayCounts
from vp.kernels.survey import DAY_NS, RTYPE_SYMBOL_MAPPING, UNDEFINED_TIME, survey_records

MAPPING = bytes([44, RTYPE_SYMBOL_MAPPING]) + bytes(174)
HEARTBEAT = bytes([80, 23]) + bytes(318)


def order(instrument_id: int = 3, ts_event: int = 5, ts_recv: int = 6, words: int = 14) -> bytes:
    record = np.zeros(1, MBO_DTYPE)
    record["length"], record["rtype"], record["instrument_id"] = words, RTYPE_MBO, instrument_id
    record["ts_event"], record["ts_recv"] = ts_event, ts_recv
    return record.tobytes() + bytes(4 * words - MBO_BYTES)


class Table:
    def __init__(self, slots: int = 64, mappings: int = 16) -> None:
        self.table = DayCounts(*(np.zeros(slots, np.int64) for _ in range(3)))
        self.mappings = np.full(1 + mappings, -1, np.int64)

    def survey(self, data: bytes) -> int:
        view = np.frombuffer(data, np.uint8)
        return int(survey_records(view, self.table, self.mappings))

    def found(self) -> dict[tuple[int, int], int]:
        ids, days, counts = self.table
        return {(int(ids[i]), int(days[i])): int(counts[i]) for i in np.flatnonzero(counts)}

    def places(self) -> list[int]:
        return [int(place) for place in self.mappings[1 : 1 + self.mappings[0]]]


def test_records_are_counted_by_instrument_and_day_of_receipt() -> None:
    rng = Random(3)
    records: list[bytes] = []
    places: list[int] = []
    want = Counter[tuple[int, int]]()
    for _ in range(300):
        kind = rng.randrange(5)
        if kind == 0:
            places.append(len(b"".join(records)))
            records.append(MAPPING)
        elif kind == 1:
            records.append(HEARTBEAT)
        else:
            number, day, received = rng.choice((0, 3, 2**32 - 1)), rng.randrange(4), rng.random() < 0.8
            within = rng.choice((0, 1, DAY_NS - 1))
            stamp = day * DAY_NS + within
            other = (day + 1) * DAY_NS
            times = (other, stamp) if received else (stamp, UNDEFINED_TIME)
            records.append(order(number, *times, words=rng.choice((14, 16))))
            want[number, day] += 1
    table = Table(mappings=len(places) + 1)
    stream = b"".join(records)
    assert table.survey(stream + records[-1][:15]) == len(stream)
    assert table.found() == want
    assert table.places() == places


def test_a_second_call_counts_on() -> None:
    table = Table()
    table.survey(order() + MAPPING)
    table.survey(order() * 2)
    assert table.found() == {(3, 0): 3}
    assert table.places() == []


def test_it_stops_where_a_table_is_full() -> None:
    table = Table(slots=4)
    assert table.survey(b"".join(order(i) for i in range(9))) == 3 * MBO_BYTES
    assert table.found() == {(i, 0): 1 for i in range(3)}
    table = Table(mappings=2)
    assert table.survey(MAPPING * 3) == 2 * len(MAPPING)
    assert table.places() == [0, len(MAPPING)]


def test_it_stops_at_a_record_without_length_and_at_one_that_is_cut() -> None:
    for rest in (bytes(56), order()[:-1], b"\x03" + order()[1:16]):
        table = Table()
        read = table.survey(order() + rest)
        assert (read, table.found()[3, 0]) == (MBO_BYTES + (12 if rest[0] == 3 else 0), 1)
