"""Which records of a file a session takes, as the decoder is told it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vp.dbn.symbol_mappings import EVER_NS, NEVER_NS
from vp.kernels.state import Selection

NO_LIMIT = 2**63 - 1
ACTIONS = "ACMRTFN"
SIDES = "ABN"
EVERY_INSTRUMENT = -1


@dataclass(frozen=True)
class InstrumentSpan:
    """An instrument id of a file, and from when until when (exclusive, ns UTC) it is a contract's."""

    instrument_id: int
    start_ns: int = EVER_NS
    end_ns: int = NEVER_NS

    @property
    def is_limited(self) -> bool:
        """Whether the id is another contract's at other times."""
        return (self.start_ns, self.end_ns) != (EVER_NS, NEVER_NS)


def selection(
    lengths: np.ndarray,
    mbo_bytes: int,
    spans: Sequence[InstrumentSpan] = (),
    start_ns: int = -NO_LIMIT,
    end_ns: int = NO_LIMIT,
) -> Selection:
    """What the decoder keeps of records of these lengths.

    Parameters
    ----------
    lengths : uint8[256]
        Length of each record type in 32-bit words, as DbnFile.record_lengths gives it.
    mbo_bytes : int
        Length of a market-by-order record.
    spans : sequence of InstrumentSpan
        The instruments wanted; none: every one.
    start_ns, end_ns : int
        The session's window, ns UTC (kernels.decode.clock_of).
    """
    alone = len(spans) == 1 and not spans[0].is_limited
    instrument_id = spans[0].instrument_id if alone else EVERY_INSTRUMENT
    limited = () if alone else spans
    limits = [(one.instrument_id, max(one.start_ns, EVER_NS), min(one.end_ns, NEVER_NS)) for one in limited]
    table = np.array(limits, np.int64).reshape(-1)
    return Selection(instrument_id, start_ns, end_ns, mbo_bytes // 4, lengths, _VALID_ACTION, _VALID_SIDE, table)


def _code_table(letters: str) -> np.ndarray:
    table = np.zeros(256, np.uint8)
    for letter in letters:
        table[ord(letter)] = 1
    return table


_VALID_ACTION = _code_table(ACTIONS)
_VALID_SIDE = _code_table(SIDES)
