"""What can be made to go wrong, on order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

KINDS = {
    "fin": "the connection is closed at byte `at` of the stream",
    "reset": "the connection is reset at byte `at` of the stream",
    "silence": "nothing comes after byte `at`, and the connection stays",
    "error": "a record says error `code` after byte `at`; if it is a fatal one, the connection is closed",
    "refused_login": "the login is answered with success=0 and `text`",
    "silent_login": "the login is never answered",
    "no_metadata": "the connection is closed after the session's start, before anything of the stream",
    "aged_out": "a subscription with a start is answered with error 8",
    "unfinished_replay": "a replay ends, and says so, before its last `count` records, which are never sent",
    "omit": "a replay leaves out `count` records from its record `at` on",
    "duplicate": "a replay sends `count` records from its record `at` on twice",
    "reorder": "of a replay, record `at` and the `count` before it come the other way round",
}


@dataclass
class Fault:
    """A fault of the next `times` connections that it can befall.

    Attributes
    ----------
    kind : str
        One of KINDS.
    at : int
        Byte of the stream, metadata included; of those that concern replays, a record of it. Below 0: where the stream
        stands when the fault is ordered.
    count, code : int
    text : str
    times : int
    """

    kind: str
    at: int = 0
    count: int = 1
    code: int = 6
    text: str = ""
    times: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no fault; there are {', '.join(KINDS)}")


class Faults:
    """Those that are ordered and have not befallen anyone."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []

    def order(self, given: dict[str, Any]) -> None:
        """Have one happen; raises TypeError, ValueError."""
        self._ordered.append(Fault(**given))

    def clear(self) -> None:
        """Have none happen."""
        self._ordered.clear()

    def take(self, *kinds: str) -> Fault | None:
        """The first of these kinds, used up by it."""
        fault = next((one for one in self._ordered if one.kind in kinds), None)
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._ordered.remove(fault)
        return fault

    def listed(self) -> list[dict[str, Any]]:
        """As they were ordered."""
        return [asdict(fault) for fault in self._ordered]


def altered(replay: np.ndarray, faults: Iterable[Fault]) -> np.ndarray:
    """The indices of a replay's records as a faulty gateway sends them."""
    for fault in faults:
        end = fault.at + fault.count
        if fault.kind == "omit":
            replay = np.delete(replay, np.s_[fault.at : end])
        elif fault.kind == "duplicate":
            replay = np.insert(replay, min(end, len(replay)), replay[fault.at : end])
        elif fault.kind == "reorder":
            replay = replay.copy()
            first = max(fault.at - fault.count, 0)
            replay[first : fault.at + 1] = replay[first : fault.at + 1][::-1]
        elif fault.kind == "unfinished_replay":
            replay = replay[: max(len(replay) - fault.count, 0)]
    return replay
