"""The proof that a replay goes on where a recording ended, on records as single letters."""

from __future__ import annotations

import random

import numpy as np
import pytest

from vp.capture.backoff import FIRST_SECONDS, MOST_SECONDS, Backoff
from vp.capture.overlap import InstrumentOverlap, Overlap, as_bytes
from vp.capture.stream_scan import Orders
from vp.kernels.contract import FLAG_SNAPSHOT, MBO_BYTES, MBO_DTYPE


def taken(recorded: str, replay: str, piece: int = 100) -> int | None:
    """How many records of a replay are repeated ones, in pieces of some length."""
    overlap = InstrumentOverlap([letter.encode() for letter in recorded])
    for begin in range(0, len(replay), piece):
        rows = [letter.encode() for letter in replay[begin : begin + piece]]
        if (found := overlap.feed(rows)) is not None:
            return begin + found
    return None


@pytest.mark.parametrize("piece", [1, 2, 100])
@pytest.mark.parametrize(
    ("recorded", "replay", "expected"),
    [
        ("abc", "abcde", 3),
        ("abc", "abc", 3),
        ("abc", "cde", 1),  # it begins later
        ("abc", "zzabcde", 5),  # it begins earlier
        ("abc", "abde", None),  # the last record is missing
        ("abc", "acde", None),  # one before it is
        ("abc", "abxcde", None),
        ("abc", "bacde", None),
        ("abb", "abbbc", 3),  # equal records: as many as were recorded
        ("ab", "abbbc", 2),
        ("bb", "bbbc", 2),
        ("bb", "abbbc", None),  # nobody knows which two
        ("abab", "ababab", 4),
        ("abab", "xabab", None),
    ],
)
def test_the_end_of_what_was_recorded_is_found_where_it_is_certain(
    recorded: str, replay: str, expected: int | None, piece: int
) -> None:
    assert taken(recorded, replay, piece) == expected


def test_of_random_records_the_end_is_the_true_one_or_none() -> None:
    chance = random.Random(7)
    found = 0
    for _ in range(3000):
        stream = "".join(chance.choice("abc") for _ in range(chance.randint(2, 30)))
        cut = chance.randint(1, len(stream))
        first = chance.randint(0, cut - 1)
        end = taken(stream[first:cut], stream[first:], chance.randint(1, 5))
        assert end == cut - first
        found += 1
        faulty = list(stream[first:])
        del faulty[chance.randrange(cut - first)]
        wrong = taken(stream[first:cut], "".join(faulty))
        rest = "".join(faulty)[wrong:] if wrong is not None else stream[cut:]
        if len(set(stream[first:])) == len(stream[first:]):
            assert rest == stream[cut:]
    assert found == 3000


def rows(*numbers: int, instrument: int = 1, flags: int = 0) -> np.ndarray:
    made = np.zeros(len(numbers), MBO_DTYPE)
    made["order_id"], made["instrument_id"], made["flags"] = numbers, instrument, flags
    return made


def test_each_instrument_goes_on_from_its_own_place_in_the_stream() -> None:
    overlap = Overlap({1: as_bytes(rows(5, 6)), 2: as_bytes(rows(7, instrument=2)), 3: []})
    assert overlap.unproven == {1, 2}
    stream = np.concatenate([rows(6, flags=FLAG_SNAPSHOT), rows(5), rows(7, 8, instrument=2), rows(6, 9)])
    overlap.feed(Orders(stream, 64, 1000, 10))
    assert overlap.is_proven
    assert overlap.ends == {1: (1000 + 5 * 64, 15), 2: (1000 + 3 * 64, 13)}


def test_times_of_sending_do_not_matter() -> None:
    with_times = rows(5)
    with_times["length"] = MBO_BYTES // 4 + 2
    assert as_bytes(with_times) == as_bytes(rows(5))


def test_attempts_are_ever_less_frequent_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(chance=lambda: 1.0)
    assert [backoff.next_seconds(100) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, MOST_SECONDS, MOST_SECONDS]
    backoff.succeeded()
    assert backoff.next_seconds(100) == FIRST_SECONDS
    backoff.succeeded()
    assert backoff.next_seconds(0.2) == pytest.approx(0.8)  # at most one a second
    assert Backoff(chance=lambda: 0.0).next_seconds(100) == FIRST_SECONDS / 2
