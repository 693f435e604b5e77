"""Where every record of a file went: nothing that was read is dropped unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, field, fields
from typing import Any

IGNORED_TALLIES = {"trade": "ignored_trade", "fill": "ignored_fill", "none": "ignored_none"}
"""Counters of the records that leave the book as it is, by action."""
REJECTED_TALLIES = ("unknown_cancel", "undefined_price", "undefined_side", "undefined_size")
"""Counters of the records that cannot be applied."""
ORDINARY_TALLIES = ("applied", *IGNORED_TALLIES.values())
"""Counters of what is no anomaly."""


@dataclass(frozen=True)
class PassedOver:
    """Whole records of a file that a session has no use for.

    Unknown are the types of a DBN newer than this VP; repeated is what a replay of the live feed sent again.
    """

    other_types: int = 0
    other_instruments: int = 0
    outside_window: int = 0
    unknown_types: int = 0
    repeated: int = 0

    def total(self) -> int:
        """All of them."""
        return sum(astuple(self))


@dataclass(frozen=True)
class Accounting:
    """Records of a file, from its first on, by what became of them.

    Attributes
    ----------
    read : int
        Whole records read, of every type and instrument.
    passed_over : PassedOver
    waiting : int
        Records of the instrument that are read and not yet processed.
    processed : int
        Records of the instrument that the book has been handed.
    applied : int
        Of those, adds, cancels, modifies and clears that changed the book or confirmed it.
    ignored, rejected : mapping of str to int
        Of those, trades, fills and nones by action; what could not be applied, by reason.
    """

    read: int = 0
    passed_over: PassedOver = field(default_factory=PassedOver)
    waiting: int = 0
    processed: int = 0
    applied: int = 0
    ignored: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls, tallies: Mapping[str, int], processed: int, *, read: int, passed_over: PassedOver, waiting: int
    ) -> Accounting:
        """From the book's counters and what the reader counted."""
        return cls(
            read=read,
            passed_over=passed_over,
            waiting=waiting,
            processed=processed,
            applied=tallies["applied"],
            ignored={action: tallies[name] for action, name in IGNORED_TALLIES.items()},
            rejected={name: tallies[name] for name in REJECTED_TALLIES},
        )

    @classmethod
    def from_json(cls, counts: Mapping[str, Any]) -> Accounting:
        """From what `to_json` gave, or a part of it."""
        known = ("read", "waiting", "processed", "applied", "ignored", "rejected")
        told = {name: counts[name] for name in known if name in counts}
        passed = counts.get("passed_over", {})
        names = [one.name for one in fields(PassedOver) if one.name in passed]
        return cls(passed_over=PassedOver(**{name: passed[name] for name in names}), **told)

    @property
    def unaccounted(self) -> int:
        """Records of which nobody knows what became: 0, or the program is at fault."""
        in_book = self.applied + sum(self.ignored.values()) + sum(self.rejected.values())
        return abs(self.read - self.passed_over.total() - self.waiting - self.processed) + abs(self.processed - in_book)

    def to_json(self) -> dict[str, Any]:
        """The counts by name, as `status` and `/health` show them."""
        return {
            "read": self.read,
            "passed_over": asdict(self.passed_over),
            "waiting": self.waiting,
            "processed": self.processed,
            "applied": self.applied,
            "ignored": dict(self.ignored),
            "rejected": dict(self.rejected),
            "unaccounted": self.unaccounted,
        }

    def __str__(self) -> str:
        """The equation of all records read, in one line; what it has none of may be left out."""
        passed_over = {
            "other types": self.passed_over.other_types,
            "other instruments": self.passed_over.other_instruments,
            "outside the window": self.passed_over.outside_window,
            "unknown types": self.passed_over.unknown_types,
            "repeated": self.passed_over.repeated,
        }
        parts = [
            *([_listed("passed over", passed_over)] if self.passed_over.total() else []),
            *([f"{self.waiting:,} waiting"] if self.waiting else []),
            f"{self.applied:,} applied",
            _listed("ignored", self.ignored),
            _listed("rejected", self.rejected),
        ]
        return f"{self.read:,} records = {' + '.join(parts)}"


def _listed(name: str, counts: Mapping[str, int]) -> str:
    found = ", ".join(f"{reason} {count:,}" for reason, count in counts.items() if count)
    return f"{sum(counts.values()):,} {name}" + (f" ({found})" if found else "")
