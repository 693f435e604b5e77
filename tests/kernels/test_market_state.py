"""The state of the market: entered, held and left exactly at its thresholds."""

from __future__ import annotations

import pytest

from tests.kernels.entry import from_python
from vp.kernels import frame as frame_kernels

UP, CHOP, DOWN = 1, 0, -1
ENTER, LEAVE = 0.2, 0.1
market_state = from_python(frame_kernels.market_state)


@pytest.mark.parametrize("sign", [1, -1], ids=["up", "down"])
@pytest.mark.parametrize(
    ("before", "score", "after"),
    [
        (CHOP, 0.19, CHOP), (CHOP, 0.2, UP), (CHOP, 1.0, UP), (CHOP, 0.0, CHOP),
        (UP, 0.19, UP), (UP, 0.1, UP), (UP, 0.099, CHOP), (UP, 0.0, CHOP),
        (UP, -0.15, CHOP), (UP, -0.19, CHOP), (UP, -0.2, DOWN),
    ],
)  # fmt: skip
def test_it_is_entered_held_and_left_at_its_thresholds(before: int, score: float, after: int, sign: int) -> None:
    assert market_state(sign * before, False, sign * score, ENTER, LEAVE) == sign * after
    assert market_state(sign * before, True, sign * score, ENTER, LEAVE) == CHOP, "a weak market has none"
