"""The sessions of a lake as the page lists them."""

from __future__ import annotations

from typing import Any

from vp.lake.lake import Lake
from vp.market.session_hours import session_window


def list_sessions(lake: Lake) -> list[dict[str, Any]]:
    """One entry a root or ticker and date, ordered by product type, symbol and date; raises LakeError.

    An entry has `product_type`, `symbol` (root or ticker), `dt`, `source`, `dataset`, `size_bytes`, `contracts` (those
    that the names of its files tell) and the session's hours as text, `hours_et`, and as decimal strings, `start_ns`
    and `end_ns`.
    """
    entries = []
    for entry in lake.sessions():
        window = session_window(entry.product_type, entry.date)
        entries.append(
            {
                "product_type": entry.product_type,
                "symbol": entry.symbol,
                "dt": str(entry.date),
                "source": entry.raw.source,
                "dataset": entry.raw.dataset,
                "size_bytes": entry.size_bytes,
                "contracts": entry.contracts,
                "hours_et": window.describe_et(),
                "start_ns": str(window.start_ns),
                "end_ns": str(window.end_ns),
            }
        )
    return entries
