"""What became of each file that was asked for, as a table, and what all of them may have cost."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from vp.download.ledger import (
    ABSENT,
    EMPTY,
    EXPIRED,
    LAID,
    LOST,
    REFUSED,
    SUBMITTED,
    SUBMITTING,
    UNKNOWN,
    Entry,
    Want,
)

log = logging.getLogger(__name__)

SAID = {
    LAID: "in the lake", EMPTY: "without data: its job holds none", SUBMITTED: "outstanding", EXPIRED: "expired",
    LOST: "not known whether it was bought", SUBMITTING: "not known whether it was bought",
}  # fmt: skip
COUNTED = {
    "in the lake": (LAID,), "without data": (EMPTY,), "outstanding": (SUBMITTED,), "expired": (EXPIRED,),
    "lost": UNKNOWN,
}  # fmt: skip
BAD = (EXPIRED, LOST, SUBMITTING)


@dataclass(frozen=True)
class Outcome:
    """One row of the table.

    Attributes
    ----------
    want : Want
    said : str
        What became of it.
    bought_usd : float
        All that may have been paid for it.
    well : bool
        Nothing is left for a person to do.
    """

    want: Want
    said: str
    bought_usd: float = 0.0
    well: bool = True


def outcome_of(want: Want, entry: Entry | None, trouble: str | None, passed_over: str | None, *, held: bool) -> Outcome:
    """The row of one file.

    Parameters
    ----------
    want : Want
    entry : Entry or None
        Of the ledger.
    trouble, passed_over : str or None
        Why it could not be had in this run; why nothing was ordered for it.
    held : bool
        The lake holds a file of it, wherever it came from.
    """
    usd = entry.bought_usd if entry is not None else 0.0
    if trouble is not None:
        return Outcome(want, f"not had: {trouble}", usd, well=False)
    if held and entry is not None and entry.state in (REFUSED, ABSENT):
        entry = None  # it came from elsewhere
    if entry is not None and entry.error and entry.state in (EMPTY, REFUSED, ABSENT):
        return Outcome(want, f"not had: {entry.error}", usd, well=False)
    if entry is not None and entry.state in SAID:
        said = SAID[entry.state]
        if entry.state == SUBMITTED or entry.state in BAD:
            said += f": {entry.error}" if entry.error else f": job {entry.job_id}" if entry.job_id else ""
        if entry.state == LAID and len(entry.files) > 1:
            said += f": {len(entry.files)} files"
        return Outcome(want, said, usd, well=entry.state not in BAD)
    if held:
        return Outcome(want, "in the lake already, not ordered from here", usd)
    if passed_over is not None:
        return Outcome(want, passed_over, usd)
    return Outcome(want, "not ordered", usd, well=False)


def show(outcomes: list[Outcome], entries: list[Entry], pending: int) -> None:
    """Tell the table, the counts and the money."""
    for row in sorted(outcomes, key=lambda row: (row.want.date, row.want.symbol, str(row.want))):
        want = row.want
        log.log(
            logging.INFO if row.well else logging.ERROR, "%s  %-6s %-24s %-10s %8.2f USD  %s", want.date, want.symbol,
            want.place.product_type, want.place.schema, row.bought_usd, row.said,
        )  # fmt: skip
    counts = {said: sum(entry.state in states for entry in entries) for said, states in COUNTED.items()}
    log.info(
        "%s, %d with errors, %d not there yet", ", ".join(f"{n} {said}" for said, n in counts.items()),
        sum(not row.well and row.said.startswith("not had") for row in outcomes), pending,
    )  # fmt: skip


def show_money(entries: list[Entry], limit_usd: float) -> None:
    """Tell what was, or may have been, paid for entries, definitions included."""
    unknown_usd = sum(entry.bought_usd for entry in entries if entry.state in (*UNKNOWN, ABSENT))
    total_usd = sum(entry.bought_usd for entry in entries)
    of_them = f", {unknown_usd:.2f} of it for orders whose answer was lost" if unknown_usd else ""
    log.info("%.2f USD were spent on these files at most%s; --max-cost is %.2f", total_usd, of_them, limit_usd)
