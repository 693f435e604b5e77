"""What one query of a stranger may use; apart from the database, which takes memory of whoever imports it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one query may use.

    Attributes
    ----------
    processor_seconds : float
        Of all threads together: how much a query asks for, however busy the machine is.
    seconds : float
        On the clock, which is also that of whoever waits for the answer.
    rows : int
        An answer of more is cut, and says so.
    memory_bytes : int
        Of the database.
    answer_bytes : int
        Of the answer as Arrow columns.
    threads : int
    """

    processor_seconds: float = 2.0
    seconds: float = 20.0
    rows: int = 10_000
    memory_bytes: int = 512 << 20
    answer_bytes: int = 32 << 20
    threads: int = 2
