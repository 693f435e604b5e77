"""What a live feed has not delivered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FeedGap:
    """What a feed has not delivered when it should have.

    Attributes
    ----------
    start_ns : int
        Of the last record before it, ns UTC.
    end_ns : int
        Of the first record behind it; 0 while nothing has come.
    reason : str
    bridged : bool
        Whether what was missing has come again.
    """

    start_ns: int
    end_ns: int
    reason: str
    bridged: bool
