"""Spellings: venues write one and the same symbol with a space, a slash or a dot in it."""

from __future__ import annotations

import re

SEPARATOR = re.compile(r"[ /.]")  # the three ways to write a class of shares: BRK B, BRK/B, BRK.B


def canonical_ticker(text: str) -> str:
    """A ticker as VP writes it, in capitals with dots: BRK.B for brk/b, `BRK B` and BRK.B."""
    return SEPARATOR.sub(".", text.strip().upper())


def spelling_key(symbol: str) -> str:
    """What all spellings of a symbol share: two symbols with the same key are spellings of one another."""
    return canonical_ticker(" ".join(symbol.split()))


def find_spelling(symbol: str, names: frozenset[str]) -> str | None:
    """The one of `names` that is `symbol`: letter for letter, else another spelling of it; None where none is."""
    if symbol in names:
        return symbol
    key = spelling_key(symbol)
    return min((name for name in names if spelling_key(name) == key), default=None)
