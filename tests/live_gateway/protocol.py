"""The protocol's text lines and the records that the gateway itself makes: decisions without sockets."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

import databento_dbn

dbn: Any = databento_dbn  # its stubs give enum members the types of their values
UNDEFINED_TIME = 2**64 - 1
FATAL_CODES = (1, 2, 3, 5, 6, 8)
SUBSCRIBED, SLOW_READER, REPLAY_COMPLETED, HEARTBEAT = 1, 2, 3, 0


class RefusedError(Exception):
    """A line that the gateway does not take."""


def fields_of(line: str) -> dict[str, str]:
    """`k=v|k=v` as a dict, in whatever order the keys stand; raises RefusedError."""
    pairs = [part.partition("=") for part in line.rstrip("\n").split("|")]
    if any(not sign or not key for key, sign, _ in pairs):
        raise RefusedError(f"not of the form key=value|key=value: {line!r}")
    return {key: value for key, _, value in pairs}


@dataclass(frozen=True)
class Login:
    """What a client that may come in has asked for."""

    ts_out: bool
    compressed: bool
    heartbeat_seconds: float


def challenge() -> str:
    """A word that no client has answered before."""
    return secrets.token_hex(16)


def judge_login(given: dict[str, str], cram: str, key: str, dataset: str) -> Login:
    """Whether the answer to the challenge is that of the key; raises RefusedError with the gateway's sentence."""
    expected = f"{hashlib.sha256(f'{cram}|{key}'.encode()).hexdigest()}-{key[-5:]}"
    if not hmac.compare_digest(given.get("auth", ""), expected):
        raise RefusedError("User authentication failed")
    if given.get("dataset") != dataset:
        raise RefusedError(f"Unknown dataset {given.get('dataset')}")
    if given.get("encoding") != "dbn":
        raise RefusedError(f"Unknown encoding {given.get('encoding')}")
    if given.get("compression", "none") not in {"none", "zstd"}:
        raise RefusedError(f"Unknown compression {given.get('compression')}")
    seconds = float(given.get("heartbeat_interval_s", "30"))
    return Login(given.get("ts_out", "0") == "1", given.get("compression") == "zstd", seconds)


@dataclass(frozen=True)
class Subscription:
    """One line of a client's: what is to be sent, and from when."""

    schema: str
    stype_in: str
    symbols: tuple[str, ...]
    start_ns: int | None
    snapshot: bool
    number: str = ""
    problems: tuple[str, ...] = field(default=())


def subscription_of(given: dict[str, str]) -> Subscription:
    """What a subscription line says; what is wrong with it in `problems`."""
    start = given.get("start")
    snapshot = given.get("snapshot", "0") == "1"
    symbols = tuple(given.get("symbols", "").split(","))
    problems = []
    if given.get("schema") != "mbo":
        problems.append(f"the schema {given.get('schema')} is not served here")
    if start is not None and not start.isdigit():
        problems.append(f"start {start} is no time")
    if start is not None and snapshot:
        problems.append("a subscription has either a start or a snapshot")
    if len(symbols) > 500:
        problems.append("more than 500 symbols in a line")
    start_ns = int(start) if start is not None and start.isdigit() else None
    stype_in = given.get("stype_in", "raw_symbol")
    return Subscription(
        given.get("schema", ""), stype_in, symbols, start_ns, snapshot, given.get("id", "0"), tuple(problems)
    )


def metadata(dataset: str, version: int, *, ts_out: bool, start_ns: int) -> bytes:
    """The head of a live stream: no schema, no symbols and no mappings."""
    return bytes(
        dbn.Metadata(
            dataset=dataset, start=start_ns, end=None, limit=None, stype_in=None, stype_out=dbn.SType.INSTRUMENT_ID,
            schema=None, symbols=[], partial=[], not_found=[], mappings=[], ts_out=ts_out, version=version,
        )
    )  # fmt: skip


def system(version: int, time_ns: int, text: str, code: int) -> Any:
    """A record of the gateway's: heartbeat, acknowledgement, warning, end of a replay."""
    if version == 1:
        return dbn.SystemMsgV1(ts_event=time_ns, msg=text)
    return dbn.SystemMsg(ts_event=time_ns, msg=text, code=dbn.SystemCode.from_int(code))


def error(version: int, time_ns: int, text: str, code: int) -> Any:
    """A record that says what went wrong."""
    if version == 1:
        return dbn.ErrorMsgV1(ts_event=time_ns, err=text)
    return dbn.ErrorMsg(ts_event=time_ns, err=text, code=dbn.ErrorCode.from_int(code), is_last=True)


def mapping(version: int, time_ns: int, instrument: int, asked: str, stype_in: str, name: str) -> Any:
    """A record that gives an instrument its name."""
    given: dict[str, Any] = {
        "publisher_id": 0, "instrument_id": instrument, "ts_event": time_ns, "stype_in_symbol": asked,
        "stype_out_symbol": name, "start_ts": UNDEFINED_TIME, "end_ts": UNDEFINED_TIME,
    }  # fmt: skip
    if version == 1:
        return dbn.SymbolMappingMsgV1(**given)
    return dbn.SymbolMappingMsg(**given, stype_in=dbn.SType(stype_in), stype_out=dbn.SType.INSTRUMENT_ID)


def encoded(record: Any, *, ts_out: int | None) -> bytes:
    """A record's bytes, with the time of sending where it was asked for."""
    if ts_out is not None:
        record.ts_out = ts_out
    return bytes(record)
