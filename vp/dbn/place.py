"""Places in a session's files, from which reading can go on."""

from __future__ import annotations

from typing import NamedTuple

from vp.dbn.accounting import PassedOver


class Place(NamedTuple):
    """Where in a session's input a chunk begins.

    Attributes
    ----------
    file_index : int
        Which of the session's files.
    byte_offset, record_index : int
        Of a record of that file, in uncompressed bytes.
    records_before : int
        Records of the files before it.
    passed_over : PassedOver
        Records of all files before the place that are no events of the session.
    """

    file_index: int
    byte_offset: int
    record_index: int
    records_before: int
    passed_over: PassedOver
