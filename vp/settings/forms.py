"""What the options' values look like: each form turns a name and a text into a value, or raises BadParameterError."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Collection
from decimal import Decimal

from vp.errors import QUOTED_CHARACTERS, BadParameterError, quoted

MAX_PORT = 65_535
MAX_COUNT = 100_000
PORTS = {"http": 80, "https": 443}
PRICE_FORM = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?")
YES, NO = {"yes", "true", "on", "1"}, {"no", "false", "off", "0"}
MAX_SPEED = 1_000_000.0
MAX_THROTTLE_MS = 86_400_000.0
MAX_CONTEXT_MINUTES = 30.0
MAX_FEES = 10_000.0
MAX_LIMIT_GB = 1_000_000.0
BYTES_PER_GB = 1_000_000_000
DECOMPRESSED_LIMIT_GB = 10.0
HISTORY_LIMIT_GB = 4.0
CACHE_LIMIT_GB = 12.0
STAGING_LIMIT_GB = 50.0
CACHES = ("books", "decompressed", "overviews", "surveys", "all")
FORMATS = ("table", "csv", "json", "parquet", "arrow")
NO_FIELDS = "none"
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
ENGINES = ("local", "ray")
SEQUELS = ("study",)
LIVE_FROM = ("now", "today", "week")
DATASET = re.compile(r"[A-Z0-9]{2,8}\.[A-Z0-9]{2,12}")


def text(_name: str, value: str) -> str | None:
    """A piece of text; an empty one is none at all."""
    return value.strip() or None


def number(name: str, value: str, most: float) -> float:
    """A finite number from 0 to `most`."""
    try:
        parsed = float(value)
    except ValueError:
        parsed = math.nan
    if not 0 <= parsed <= most:
        raise BadParameterError(
            f"{name} was {quoted(value)}, expected a number from 0 to {most:,.0f}.",
        )
    return parsed + 0.0  # -0 becomes 0


def speed(name: str, value: str) -> float:
    """How many times faster than the clock."""
    return number(name, value, MAX_SPEED)


def throttle_ms(name: str, value: str) -> float:
    """Milliseconds of event time, at most a day."""
    return number(name, value, MAX_THROTTLE_MS)


def context_minutes(name: str, value: str) -> float:
    """Minutes, at most as many as the warmup has."""
    return number(name, value, MAX_CONTEXT_MINUTES)


def port(name: str, value: str) -> int:
    """A TCP port."""
    try:
        parsed = int(value)
    except ValueError:
        parsed = -1
    if not 0 <= parsed <= MAX_PORT:
        raise BadParameterError(
            f"{name} was {quoted(value)}, expected a whole number from 0 to {MAX_PORT} (0: any free port).",
        )
    return parsed


def count(name: str, value: str) -> int:
    """A whole number from 1 to MAX_COUNT."""
    digits = value.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < QUOTED_CHARACTERS and 0 < int(digits) <= MAX_COUNT):
        raise BadParameterError(f"{name} was {quoted(value)}, expected a whole number from 1 to {MAX_COUNT:,}.")
    return int(digits)


def origin(name: str, value: str) -> str:
    """A web site's origin, as browsers state it: scheme, name and, unless it is the scheme's own, port."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - --help is fast

    try:
        parts = urlsplit(value.strip().lower())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = parts.path in {"", "/"} and not parts.query and not parts.fragment and "@" not in parts.netloc
    if parts.scheme not in PORTS or not parts.hostname or "*" in parts.netloc or not plain:
        raise BadParameterError(
            f"{name} was {quoted(value)}, expected http:// or https://, a host and perhaps a port.",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, PORTS[parts.scheme]} else "")


def stream_server(name: str, value: str) -> str | None:
    """The address of a server of streams: ws:// or wss://, a host, perhaps a port and a path."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - --help is fast

    if not value.strip():
        return None
    try:
        parts = urlsplit(value.strip())
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"ws", "wss"} or not parts.hostname or parts.query or parts.fragment:
        raise BadParameterError(f"{name} was {quoted(value)}, expected ws:// or wss://, a host and perhaps a port.")
    return value.strip().rstrip("/")


def session_dates(_name: str, value: str) -> str | None:
    """The days of a session; raises BadDateError."""
    from vp.market.session_hours import parse_dates  # noqa: PLC0415 - --help is fast

    return str(parse_dates(value.strip())) if value.strip() else None


def date(_name: str, value: str) -> dt.date | None:
    """A day; raises BadDateError."""
    from vp.market.session_hours import parse_date  # noqa: PLC0415 - --help is fast

    return parse_date(value.strip()) if value.strip() else None


def clock_time(name: str, value: str) -> str | None:
    """A time of day, perhaps with a day before it and a zone behind it; raises BadStartTimeError."""
    from vp.market.wall_times import parse_time  # noqa: PLC0415 - --help is fast

    if value.strip():
        parse_time(value.strip(), name.replace("_", " "))
    return value.strip() or None


def bucket(name: str, value: str) -> Decimal:
    """A width of price buckets in currency, of at most nine decimal places."""
    digits = value.strip()
    if not PRICE_FORM.fullmatch(digits) or not Decimal(digits):
        raise BadParameterError(
            f"{name} was {quoted(value)}, expected a positive decimal number of at most nine decimal places.",
        )
    return Decimal(digits)


def field_list(name: str, value: str) -> tuple[str, ...] | None:
    """Names of grid columns with commas between: NO_FIELDS alone is no column (), an empty text every one (None)."""
    names = tuple(part.strip() for part in value.split(",") if part.strip())
    if NO_FIELDS not in names:
        return names or None
    if len(names) > 1:
        raise BadParameterError(
            f"{name} was {quoted(value)}: {NO_FIELDS} stands for no grid column and goes with no other.",
            hint=f"Expected names of grid columns, or {NO_FIELDS} alone.",
        )
    return ()


def column_list(_name: str, value: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def fees(name: str, value: str) -> float:
    """An amount of money."""
    return number(name, value, MAX_FEES)


def place(name: str, value: str) -> tuple[str, int]:
    """A session id and an event_id, with a dot between."""
    session_id, _, event_id = value.strip().partition(".")
    if not (session_id.isalnum() and event_id.isascii() and event_id.isdigit() and len(value) < QUOTED_CHARACTERS):
        raise BadParameterError(
            f"{name} was {quoted(value)}, expected a session's id and an event_id with a dot between.",
        )
    return session_id, int(event_id)


def limit_gb(name: str, value: str) -> float:
    """Gigabytes, at most a petabyte."""
    return number(name, value, MAX_LIMIT_GB)


def cache_name(name: str, value: str) -> str:
    """A name out of CACHES."""
    return _name_out_of(CACHES, name, value, f"one of {', '.join(CACHES)}")


def log_level(name: str, value: str) -> str:
    """A name out of LOG_LEVELS."""
    return _name_out_of(LOG_LEVELS, name, value, f"one of {', '.join(LOG_LEVELS)}")


def log_format(name: str, value: str) -> str:
    """A name out of LOG_FORMATS."""
    return _name_out_of(LOG_FORMATS, name, value, f"one of {', '.join(LOG_FORMATS)}")


def engine(name: str, value: str) -> str:
    """A name out of ENGINES."""
    return _name_out_of(ENGINES, name, value, " or ".join(ENGINES))


def sequel(name: str, value: str) -> str:
    """A name out of SEQUELS."""
    return _name_out_of(SEQUELS, name, value, " or ".join(SEQUELS))


def live_from(name: str, value: str) -> str:
    """A name out of LIVE_FROM."""
    return _name_out_of(LIVE_FROM, name, value, f"one of {', '.join(LIVE_FROM)}")


def dataset(name: str, value: str) -> str:
    """Databento's code of a dataset."""
    code = value.strip().upper()
    if not DATASET.fullmatch(code):
        raise BadParameterError(f"{name} was {quoted(value)}, expected a venue and a feed with a dot between.")
    return code


def address(name: str, value: str) -> tuple[str, int]:
    """A host and a port of it, with a colon between; IPv6 in brackets."""
    host, _, digits = value.strip().rpartition(":")
    is_port = digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) <= MAX_PORT
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not host or not is_port or any(letter.isspace() for letter in host):
        raise BadParameterError(f"{name} was {quoted(value)}, expected a host and a port with a colon between.")
    return host, int(digits)


def switch(name: str, value: str) -> bool:
    """An option that is given without a value on a command line, and as yes or no in an address."""
    word = value.strip().lower()
    if word not in YES | NO:
        raise BadParameterError(f"{name} was {quoted(value)}, expected yes or no.")
    return word in YES


def output_format(name: str, value: str) -> str:
    """A name out of FORMATS."""
    hint = "For example --format csv."
    return _name_out_of(FORMATS, name, value, f"one of {', '.join(FORMATS)}", hint)


def assignments(name: str, value: str) -> dict[str, str]:
    """Values of a named query's parameters: name=value, with commas between."""
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if any(not sign or not key.strip() for key, sign, _ in pairs):
        raise BadParameterError(f"{name} was {quoted(value)}, expected NAME=VALUE.", hint="For example --set levels=5.")
    return {key.strip(): given.strip() for key, _, given in pairs}


def _name_out_of(names: Collection[str], name: str, value: str, expected: str, hint: str = "") -> str:
    """One of some names, however its letters are written; `expected` says which there are."""
    if value.lower() not in names:
        raise BadParameterError(f"{name} was {quoted(value)}, expected {expected}.", hint=hint)
    return value.lower()
