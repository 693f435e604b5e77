"""A lake of small files, sound and broken, and what asking for each of them must answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.dbn_files import compress, header, mbo
from tests.oracle_book import Rec

OPEN_NS = 1_783_517_400_000_000_000  # 2026-07-08 09:30 in New York
FUTURES_OPEN_NS = 1_770_388_200_000_000_000  # 2026-02-06 09:30 in New York
MS = 1_000_000
ACTION_AT = 38  # in a record
F_LAST = 128
DATE = "2026-07-08"
RAW = "raw/source=databento/product_type={}/symbol={}/table=market_by_order_dbn"
GOOD: dict[str, Any] = {"product_type": "equity_mbo", "symbol": "GOOD", "dt": DATE, "start_time": "09:30"}


def market(open_ns: int, seconds_before: int = 60, seconds_after: int = 60, step_ms: int = 250) -> list[Rec]:
    """A ladder on both sides, then an order added or cancelled at every step around the open."""
    tick = 10_000_000
    mid = 100_000_000_000
    at = open_ns - seconds_before * 1000 * MS
    records = [
        Rec(at, "A", side, mid + sign * level * tick, 100, 1000 * (sign + 2) + level, F_LAST)
        for level in range(1, 40)
        for side, sign in (("B", -1), ("A", 1))
    ]
    for i in range((seconds_before + seconds_after) * 1000 // step_ms):
        at += step_ms * MS
        side, sign = ("B", -1) if i % 3 else ("A", 1)
        price = mid + sign * tick * (1 + i * 7 % 39)
        if i % 5 == 4:
            records.append(Rec(at, "C", side, price, 100, 10_000 + i - 3, F_LAST))
        else:
            records.append(Rec(at, "A", side, price, 100 + i % 9, 10_000 + i, F_LAST))
    return records


def dbn(symbol: str, instrument_id: int, records: list[Rec], schema: str = "mbo") -> bytes:
    """A whole DBN file."""
    head = header(symbols={symbol: instrument_id}, schema=schema)
    return head + b"".join(mbo(record, instrument_id) for record in records)


def put(lake: Path, product_type: str, root: str, name: str, data: bytes) -> None:
    """Lay a raw file into a lake."""
    directory = lake / RAW.format(product_type, root)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(data)


def build(lake: Path) -> Path:
    """Fill a lake; returns it."""
    records = market(OPEN_NS)
    name = "xnas-itch-20260708.mbo.dbn"
    for symbol, instrument_id in (("GOOD", 1), ("CUT", 2), ("BAD", 3)):
        data = dbn(symbol, instrument_id, records)
        if symbol == "CUT":
            data = data[:-20]
        if symbol == "BAD":
            at = len(header(symbols={symbol: instrument_id})) + 56 * 100 + ACTION_AT
            data = data[:at] + b"!" + data[at + 1 :]
        put(lake, "equity_mbo", symbol, name, data)
    put(lake, "equity_mbo", "JUNK", name, b"this is no DBN file" * 100)
    put(lake, "equity_mbo", "TRADES", name, dbn("TRADES", 4, [], schema="trades"))
    put(lake, "equity_mbo", "SHORT", name + ".zst", compress(dbn("SHORT", 5, records))[:-200])
    futures = dbn("MNQH6", 6, market(FUTURES_OPEN_NS, 10, 10))
    put(lake, "future_mbo", "MNQ", "glbx-mdp3-20260206.mbo.dbn", futures)
    return lake


@dataclass(frozen=True)
class Wrong:
    """A request that cannot be answered.

    Attributes
    ----------
    name : str
    changes : dict
        What it changes in GOOD.
    code, close_code, exit_code
        Of the error.
    says : str
        A part of the message or the hint.
    late : bool
        Whether it only shows when playing comes to that place in the file.
    """

    name: str
    changes: dict[str, str]
    code: str
    close_code: int
    exit_code: int
    says: str
    late: bool = False


FUTURES = {"product_type": "future_mbo", "symbol": "MNQM6", "dt": "2026-02-06"}
WRONG = (
    Wrong("product type", {"product_type": "crypto"}, "unknown_product_type", 1008, 2, "future_mbo"),
    Wrong("root", {**FUTURES, "symbol": "ZZZH6"}, "unknown_root", 1008, 2, "MNQ"),
    Wrong("symbol", FUTURES, "unknown_symbol", 1008, 2, "MNQH6"),
    Wrong("date", {"dt": "2026-13-40"}, "bad_date", 1008, 2, "2026-13-40"),
    Wrong("no file", {"dt": "2026-07-09"}, "no_raw_file", 1008, 2, "2026-07-08"),
    Wrong("no time", {"start_time": "25:99"}, "bad_start_time", 1008, 2, "25:99"),
    Wrong("time outside", {**FUTURES, "symbol": "MNQH6", "start_time": "18:59:60"}, "bad_start_time", 1008, 2, "18:59"),
    Wrong("throttle", {"throttle_ms": "-1"}, "bad_parameter", 1008, 2, "throttle_ms"),
    Wrong("not DBN", {"symbol": "JUNK"}, "not_dbn", 1011, 1, "xnas-itch-20260708.mbo.dbn"),
    Wrong("cut", {"symbol": "CUT"}, "truncated_file", 1011, 1, "xnas-itch-20260708.mbo.dbn", late=True),
    Wrong("damaged", {"symbol": "BAD"}, "damaged_file", 1011, 1, "record 100"),
    Wrong("cut zst", {"symbol": "SHORT"}, "truncated_file", 1011, 1, "xnas-itch-20260708.mbo.dbn.zst"),
    Wrong("schema", {"symbol": "TRADES"}, "wrong_schema", 1011, 1, "trades"),
)
WRONG_SPEED = Wrong("speed", {"speed": "-1"}, "bad_parameter", 1008, 2, "speed")


def flags(parameters: dict[str, str]) -> list[str]:
    """Parameters as a command line has them."""
    return [part for name, value in parameters.items() for part in ("--" + name.replace("_", "-"), value)]
