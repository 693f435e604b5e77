"""DBN files for tests, written by Databento's own encoder: headers of each version and records of each type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import databento_dbn
import zstandard

from tests.oracle_book import Rec

UNDEFINED_TIME = 2**64 - 1
dbn: Any = databento_dbn  # its stubs give enum members the types of their values


@dataclass(frozen=True)
class Interval:
    """What databento_dbn takes for a stretch of days on which a symbol means one instrument."""

    start_date: dt.date
    end_date: dt.date
    symbol: str


@dataclass(frozen=True)
class SymbolMapping:
    """What databento_dbn takes for a symbol's mappings."""

    raw_symbol: str
    intervals: Sequence[Interval]


def header(
    version: int = 3,
    *,
    symbols: dict[str, int] | None = None,
    schema: str | None = "mbo",
    ts_out: bool = False,
    date: dt.date = dt.date(2026, 2, 6),
    dataset: str = "GLBX.MDP3",
    end_ns: int | None = None,
) -> bytes:
    """The metadata of a file that maps `symbols` to instrument ids for one day; it goes until `end_ns`."""
    names = {"MNQH6": 42005} if symbols is None else symbols
    mappings = [
        SymbolMapping(name, [Interval(date, date + dt.timedelta(days=1), str(number))])
        for name, number in names.items()
    ]
    metadata = dbn.Metadata(
        dataset=dataset,
        start=0,
        end=end_ns,
        stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=None if schema is None else dbn.Schema(schema),
        symbols=list(names),
        partial=[],
        not_found=[],
        mappings=mappings,
        ts_out=ts_out,
        version=version,
    )
    return bytes(metadata)


def _received(rec: Rec) -> int:
    if rec.ts_recv is not None:
        return rec.ts_recv
    return UNDEFINED_TIME if rec.ts_event == UNDEFINED_TIME else rec.ts_event + 1000


def mbo(rec: Rec, instrument_id: int = 42005, *, ts_out: int = UNDEFINED_TIME, sequence: int = 0) -> bytes:
    """A market-by-order record; one that does not say when it was received is so a microsecond after its time."""
    return bytes(
        dbn.MBOMsg(
            publisher_id=rec.publisher,
            instrument_id=instrument_id,
            ts_event=rec.ts_event,
            order_id=rec.order_id,
            price=rec.price,
            size=rec.size,
            action=dbn.Action(rec.action),
            side=dbn.Side(rec.side),
            ts_recv=_received(rec),
            flags=rec.flags,
            channel_id=5,
            ts_in_delta=-7,
            sequence=sequence,
            ts_out=ts_out,
        )
    )


def other_records(version: int = 3, *, ts_out: int = UNDEFINED_TIME) -> list[bytes]:
    """One record of each type that may stand between market-by-order records of a file of this version."""
    old = version == 1
    mapping: dict[str, Any] = {"publisher_id": 1, "instrument_id": 42005, "ts_event": 5, "start_ts": 0, "end_ts": 9}
    mapping |= {"stype_in_symbol": "MNQH6", "stype_out_symbol": "42005"}
    if not old:
        mapping |= {"stype_in": dbn.SType.RAW_SYMBOL, "stype_out": dbn.SType.INSTRUMENT_ID}
    statistic: dict[str, Any] = {"publisher_id": 1, "instrument_id": 42005, "ts_event": 5, "ts_recv": 6, "ts_ref": 7}
    statistic |= {"price": 8, "quantity": 9, "stat_type": dbn.StatType.OPENING_PRICE}
    records = [
        (dbn.SymbolMappingMsgV1 if old else dbn.SymbolMappingMsg)(**mapping),
        (dbn.SystemMsgV1 if old else dbn.SystemMsg)(ts_event=5, msg="Heartbeat"),
        (dbn.ErrorMsgV1 if old else dbn.ErrorMsg)(ts_event=5, err="no such symbol"),
        (dbn.StatMsg if version == 3 else dbn.StatMsgV1)(**statistic),
        dbn.StatusMsg(publisher_id=1, instrument_id=42005, ts_event=5, ts_recv=6),
    ]
    for record in records:
        record.ts_out = ts_out
    return [bytes(record) for record in records]


def compress(*frames: bytes) -> bytes:
    """Each part as one zstandard frame, one after the other."""
    return b"".join(zstandard.ZstdCompressor(write_checksum=True).compress(frame) for frame in frames)


def symbol_mapping(
    number: int,
    asked: str,
    given: str,
    *,
    version: int = 3,
    sent_ns: int = 5,
    start_ns: int = UNDEFINED_TIME,
    end_ns: int = UNDEFINED_TIME,
    from_ids: bool = False,
) -> bytes:
    """A mapping as it stands among the records: what was asked for, and what it was answered with."""
    fields: dict[str, Any] = {"publisher_id": 0, "instrument_id": number, "ts_event": sent_ns}
    fields |= {"start_ts": start_ns, "end_ts": end_ns, "stype_in_symbol": asked, "stype_out_symbol": given}
    if version == 1:
        return bytes(dbn.SymbolMappingMsgV1(**fields))
    kinds = (dbn.SType.RAW_SYMBOL, dbn.SType.INSTRUMENT_ID)
    stype_in, stype_out = kinds[::-1] if from_ids else kinds
    return bytes(dbn.SymbolMappingMsg(**fields, stype_in=stype_in, stype_out=stype_out))


def header_with(
    mappings: dict[str, list[tuple[dt.date, dt.date, str]]],
    *,
    stype_in: str | None = "raw_symbol",
    stype_out: str = "instrument_id",
    schema: str | None = "mbo",
    dataset: str = "GLBX.MDP3",
    version: int = 3,
) -> bytes:
    """The metadata of a file whose names change in time: intervals from a day until another, exclusive."""
    rows = [
        SymbolMapping(name, [Interval(*interval) for interval in intervals]) for name, intervals in mappings.items()
    ]
    metadata = dbn.Metadata(
        dataset=dataset,
        start=0,
        stype_in=None if stype_in is None else dbn.SType(stype_in),
        stype_out=dbn.SType(stype_out),
        schema=None if schema is None else dbn.Schema(schema),
        symbols=list(mappings),
        partial=[],
        not_found=[],
        mappings=rows,
        ts_out=False,
        version=version,
    )
    return bytes(metadata)
