"""A lake of small generated days."""

from __future__ import annotations

from pathlib import Path

from tests.dbn_files import header, mbo
from tests.oracle_book import Rec

DAY_NS = 86_400_000_000_000
FIRST_DAY_NS = 1_770_076_800_000_000_000  # 2026-02-03 00:00 UTC
DAYS = ("2026-02-03", "2026-02-04", "2026-02-05")
SECOND = 1_000_000_000
TICK = 250_000_000
MINUTES = 20
RAW = "raw/source=databento/product_type=future_mbo/symbol=MNQ/table=market_by_order_dbn"
F_LAST = 128


def swaying_market(start_ns: int, seconds: int) -> list[Rec]:
    """A quote on each side and an order at every second; every seven seconds the market steps up or down by a tick.

    Both quotes move at one moment, in two events; now and then something trades.
    """
    records, number = [], 1
    mid = 40_000
    quotes: dict[str, int] = {}
    for second in range(seconds):
        at = start_ns + second * SECOND
        if second % 7 == 0:
            mid += 1 if (second // 7) % 5 in {0, 1, 3} else -1
            for side, away, size in (("B", -1, 5 + second % 4), ("A", 1, 9 - second % 3)):
                if side in quotes:
                    records.append(Rec(at, "M", side, (mid + away) * TICK, size, quotes[side], F_LAST))
                else:
                    quotes[side] = number
                    records.append(Rec(at, "A", side, (mid + away) * TICK, size, number, F_LAST))
                    number += 1
        side = "B" if second % 3 else "A"
        records.append(
            Rec(at + 1, "A", side, (mid + (-400 if side == "B" else 400)) * TICK, 1 + second % 4, number + 100, F_LAST)
        )
        number += 1
        if second % 11 == 3:
            aggressor, away = ("B", 1) if second % 2 else ("A", -1)
            records.append(Rec(at + 2, "T", aggressor, (mid + away) * TICK, 1 + second % 3, 0, F_LAST))
    return records


def write_lake(root: Path) -> Path:
    """Three days of a future, twenty minutes of each; of the last, nothing but what was before."""
    (root / RAW).mkdir(parents=True)
    for number, day in enumerate(DAYS):
        start = FIRST_DAY_NS + number * DAY_NS + 15 * 3_600 * SECOND
        records = swaying_market(start, MINUTES * 60) if number < 2 else []
        data = header(symbols={"MNQH6": 7}) + b"".join(mbo(record, 7) for record in records)
        (root / RAW / f"glbx-mdp3-{day.replace('-', '')}.mbo.dbn").write_bytes(data)
    return root
