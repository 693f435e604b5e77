"""What the service holds: contracts and tickers, their options, and files of each schema by day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Any

import databento_dbn

from tests.dbn_files import Interval, SymbolMapping, compress, mbo
from tests.lakes import market

dbn: Any = databento_dbn  # its stubs give enum members the types of their values
DAY_NS = 86_400 * 1_000_000_000
OPEN_NS = 52_200 * 1_000_000_000  # 09:30 in New York in winter
CONTRACTS = {"MNQ": "MNQH6", "ES": "ESH6"}
NEXT_CONTRACTS = {"MNQ": "MNQM6", "ES": "ESM6"}
TICKERS = ("QQQ", "SPY", "BRKB")
FAMILY = {"MNQ": ("D", "MQ"), "ES": ("E", "EW")}
STRIKES = range(4)


@dataclass(frozen=True)
class Option:
    """An option as its definition tells it."""

    symbol: str
    underlying: str
    expiry: dt.date
    kind: str = "C"


def midnight_ns(date: dt.date) -> int:
    """Midnight UTC in ns."""
    return (date - dt.date(1970, 1, 1)).days * DAY_NS


@cache
def instrument_id(symbol: str) -> int:
    """The same number for the same symbol."""
    return 1000 + int.from_bytes(symbol.encode()) % 1_000_003


def weekly_code(root: str, date: dt.date) -> str:
    """The family of a date, of Monday to Thursday and of Friday; none of a weekend."""
    occurrence = (date.day - 1) // 7 + 1
    days, friday = FAMILY[root]
    return [*(f"{days}{occurrence}{letter}" for letter in "ABCD"), f"{friday}{occurrence}", "", ""][date.weekday()]


def options_of(parent: str, date: dt.date) -> list[Option]:
    """What a parent holds on a date: weekly options of both contracts, a later expiry, a spread of a user's."""
    code = parent.removesuffix(".OPT")
    if code in TICKERS:
        name, on, other = f"{code:<6}", code, code
        expiries = [date - dt.timedelta(days=1), date, date + dt.timedelta(days=2)]
    else:
        root = next((root for root, codes in FAMILY.items() if code.startswith(codes)), None)
        if root is None or code != weekly_code(root, date):
            return []
        name, on, other = f"{code}G6 ", CONTRACTS[root], NEXT_CONTRACTS[root]
        expiries = [date, date + dt.timedelta(days=28)]
    found = [
        Option(f"{name}{expiry:%y%m%d}{kind}{strike}", on, expiry, kind)
        for expiry in expiries
        for kind in "CP"
        for strike in STRIKES
    ]
    if on != other:
        found.append(Option(f"{name}OTHER C1", other, date))
    found.append(Option(f"UD:1V: VT {code} {date:%d}", on, date))
    return found


def nearest(parent: str, date: dt.date) -> list[str]:
    """The symbols that a download of the nearest expiry must hold."""
    on = {option.underlying for option in options_of(parent, date)}
    chosen = min(on)  # H6 before M6
    every = [option for option in options_of(parent, date) if option.underlying == chosen]
    expiry = min(option.expiry for option in every if option.expiry >= date)
    return sorted(o.symbol for o in every if o.expiry == expiry and not o.symbol.startswith("UD:"))


@cache
def file_of(
    dataset: str, schema: str, stype_in: str, symbols: tuple[str, ...], date: dt.date, half: int | None = None
) -> bytes:
    """A compressed file of one UTC day, by Databento's own encoder: whole, or one of its two halves (0, 1)."""
    names = [o.symbol for parent in symbols for o in options_of(parent, date)] if stype_in == "parent" else symbols
    start_ns = midnight_ns(date)
    metadata = dbn.Metadata(
        dataset=dataset, start=start_ns, end=start_ns + DAY_NS, stype_in=dbn.SType(stype_in),
        stype_out=dbn.SType.INSTRUMENT_ID, schema=dbn.Schema(schema), symbols=list(symbols), partial=[], not_found=[],
        mappings=[
            SymbolMapping(name, [Interval(date, date + dt.timedelta(days=1), str(instrument_id(name)))])
            for name in names
        ],
        version=3,
    )  # fmt: skip
    if schema == "definition":
        body = b"".join(_definition(option, start_ns) for parent in symbols for option in options_of(parent, date))
    elif schema == "mbo":
        # Of a future so much that its file comes in several pieces.
        seconds = 2500 if stype_in == "raw_symbol" and names[0] in CONTRACTS.values() else 30
        body = b"".join(
            mbo(rec, instrument_id(name)) for name in names for rec in market(start_ns + OPEN_NS, 5, seconds)
        )
    else:
        make = _statistic if schema == "statistics" else _quote
        body = b"".join(make(name, start_ns + OPEN_NS + i) for i in range(20) for name in names)
    if half is not None:
        record_bytes = body[0] * 4
        middle = len(body) // record_bytes // 2 * record_bytes
        body = body[middle:] if half else body[:middle]
    return compress(bytes(metadata) + body)


def _definition(option: Option, ts: int) -> bytes:
    return bytes(
        dbn.InstrumentDefMsg(
            publisher_id=1, instrument_id=instrument_id(option.symbol), ts_event=ts, ts_recv=ts,
            min_price_increment=250_000_000, display_factor=1_000_000_000, raw_symbol=option.symbol, asset="X",
            instrument_class=dbn.InstrumentClass(option.kind), security_update_action=dbn.SecurityUpdateAction("A"),
            underlying=option.underlying, expiration=midnight_ns(option.expiry), security_type="OOF",
            exchange="XCME", group="G", cfi="", unit_of_measure="", currency="USD", settl_currency="USD",
            secsubtype="", strike_price=0, strike_price_currency="USD",
            match_algorithm=dbn.MatchAlgorithm("F"),
        )
    )  # fmt: skip


def _statistic(name: str, ts: int) -> bytes:
    return bytes(
        dbn.StatMsg(publisher_id=1, instrument_id=instrument_id(name), ts_event=ts, ts_recv=ts, ts_ref=ts, price=5,
                    quantity=9, stat_type=dbn.StatType.OPENING_PRICE)
    )  # fmt: skip


def _quote(name: str, ts: int) -> bytes:
    return bytes(
        dbn.CMBP1Msg(rtype=177, publisher_id=30, instrument_id=instrument_id(name), ts_event=ts, price=5, size=1,
                     action=dbn.Action("A"), side=dbn.Side("B"), ts_recv=ts, flags=128)
    )  # fmt: skip
