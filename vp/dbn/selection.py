"""Which records of a file a session takes, as the decoder is told it."""

from __future__ import annotations

import numpy as np

from vp.kernels.state import Selection

NO_LIMIT = 2**63 - 1
ACTIONS = "ACMRTFN"
SIDES = "ABN"


def selection(
    lengths: np.ndarray, mbo_bytes: int, instrument_id: int = -1, start_ns: int = -NO_LIMIT, end_ns: int = NO_LIMIT
) -> Selection:
    """What the decoder keeps of records of these lengths.

    Parameters
    ----------
    lengths : uint8[256]
        Length of each record type in 32-bit words, as DbnFile.record_lengths gives it.
    mbo_bytes : int
        Length of a market-by-order record.
    instrument_id : int
        Below 0: every instrument.
    start_ns, end_ns : int
        The session's window, ns UTC (kernels.decode.clock_of).
    """
    return Selection(instrument_id, start_ns, end_ns, mbo_bytes // 4, lengths, _VALID_ACTION, _VALID_SIDE)


def _code_table(letters: str) -> np.ndarray:
    table = np.zeros(256, np.uint8)
    for letter in letters:
        table[ord(letter)] = 1
    return table


_VALID_ACTION = _code_table(ACTIONS)
_VALID_SIDE = _code_table(SIDES)
