"""The record types of DBN and their lengths (databento_dbn's definitions)."""

from __future__ import annotations

from vp.kernels.contract import MBO_BYTES, RTYPE_MBO

RECORD_HEADER_BYTES = 16
LONGEST_RECORD_BYTES = 4 * 255
RTYPE_SYMBOL_MAPPING = 22

# Length in bytes of each record type, in DBN versions 1, 2 and 3 where they differ.
RECORD_BYTES: dict[int, tuple[int, ...]] = {
    0: (48,),  # trades
    1: (80,),  # mbp-1, tbbo
    10: (368,),  # mbp-10
    18: (40,),  # status
    19: (360, 400, 520),  # definition
    20: (112,),  # imbalance
    21: (80, 320, 320),  # error
    RTYPE_SYMBOL_MAPPING: (80, 176, 176),
    23: (80, 320, 320),  # system
    24: (64, 64, 80),  # statistics
    17: (56,),  # bars, deprecated
    32: (56,),
    33: (56,),
    34: (56,),
    35: (56,),
    36: (56,),
    RTYPE_MBO: (MBO_BYTES,),
    177: (80,),  # cmbp-1
    192: (80,),
    193: (80,),
    194: (80,),
    195: (80,),
    196: (80,),
}
BAR_RTYPES = (17, 32, 33, 34, 35, 36)
