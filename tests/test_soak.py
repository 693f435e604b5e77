"""What scripts/soak.py makes of its samples."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.soak import FIELDS, _grew, _summary


def samples(**changes: np.ndarray) -> np.ndarray:
    """An hour in which nothing grows: 20 MiB of noise in private memory, and now and then a viewer's descriptor."""
    dice = np.random.default_rng(1)
    seconds = np.arange(0.0, 3600.0, 5.0)
    made = {name: np.full(seconds.size, 10.0) for name in FIELDS}
    made |= {"seconds": seconds, "private_mib": 200 + dice.normal(0, 20, seconds.size)}
    for name, change in changes.items():
        made[name] = made[name] + change
    return np.column_stack([made[name] for name in FIELDS])


HOURS = np.arange(0.0, 3600.0, 5.0) / 3600


@pytest.mark.parametrize(
    ("changes", "grew"),
    [
        ({}, False),
        ({"private_mib": 30 * HOURS}, True),
        ({"private_mib": -30 * HOURS}, False),
        ({"threads": np.floor(3 * HOURS)}, True),
        ({"history_files": np.floor(3 * HOURS)}, True),
        ({"descriptors": np.floor(20 * HOURS)}, True),
        ({"kept_free_mib": 30 * HOURS}, False),  # it stands in private memory already
    ],
)
def test_what_grows_is_told_from_what_does_not(changes: dict[str, np.ndarray], grew: bool) -> None:
    assert _grew({**_summary(samples(**changes)), "viewers": 4}) is grew


def test_each_kind_of_memory_has_its_own_slope() -> None:
    found = _summary(samples(mapped_mib=12 * HOURS))
    assert found["mapped_mib_per_hour"] == pytest.approx(12.0, abs=0.1)
    assert found["used_mib_per_hour"] == pytest.approx(0.0, abs=0.1)
    assert found["mapped_mib_end"] > found["mapped_mib_start"] + 9
