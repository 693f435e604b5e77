"""What a viewer asks for in the query of a stream's address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from vp.errors import BadParameterError, quoted
from vp.market.session_hours import as_trading_day
from vp.model.frame_columns import judge_fields
from vp.model.parameter_texts import parameters_of
from vp.model.parameters import ModelParameters
from vp.session import SessionName
from vp.settings.setting import Setting
from vp.settings.table import of_query

MAX_QUERY_BYTES = 4096
MAY_BE_EMPTY = ("start_time", "bucket")


@dataclass(frozen=True)
class StreamRequest(SessionName):
    """What a viewer asks for: a session, and how to see it.

    Attributes
    ----------
    speed : float
        0: a lossless run of the viewer's own.
    throttle_ms : float
    bucket : Decimal or None
        Width of a price bucket in currency; None: the product's.
    parameters : ModelParameters
        Of the model; equal ones share a session, however they were stated.
    fields : tuple of str or None
        Grid columns wanted; none of them where it is empty, all where it is None.
    after : (str, int) or None
        Session id and event_id of the newest frame that the viewer holds of it.
    alone : bool
        Whether the session is to be this viewer's own, shared with nobody.
    held : bool
        Whether it is to be so and to stand before its first frame.
    sparse : bool
        Whether a live session that catches up is to be seen by its newest frame now and then.
    """

    speed: float = 1.0
    throttle_ms: float = 25.0
    bucket: Decimal | None = None
    parameters: ModelParameters = field(default_factory=ModelParameters)
    fields: tuple[str, ...] | None = None
    after: tuple[str, int] | None = None
    alone: bool = False
    held: bool = False
    sparse: bool = False

    @property
    def session(self) -> StreamRequest:
        """The same request without what concerns this viewer alone: viewers with equal ones share."""
        return replace(self, fields=None, after=None, alone=False, held=False, sparse=False)

    def describe(self) -> dict[str, Any]:
        """The session asked for, in the form of /health."""
        names = ("product_type", "symbol", "dt", "start_time", "speed", "throttle_ms")
        bucket = None if self.bucket is None else str(self.bucket)
        described = {name: getattr(self, name) for name in names}
        return {**described, "bucket": bucket, "parameters_digest": self.parameters.digest}


def parse_stream_request(query: str, defaults: StreamRequest) -> StreamRequest:
    """The request in a query string; what it leaves out comes from `defaults`.

    An empty value counts as left out, except that an empty `start_time` means the session's start, and an empty
    `bucket` the product's own.

    Raises
    ------
    RequestError
        A parameter that there is not, one given twice, or a value of the wrong form.
    """
    known = {setting.name: setting for setting in of_query()}
    if len(query) > MAX_QUERY_BYTES:
        raise BadParameterError(f"The query has {len(query)} characters, expected at most {MAX_QUERY_BYTES}.")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=64)
    except ValueError:
        raise BadParameterError("The query is not a list of name=value pairs in UTF-8.", hint=_known(known)) from None
    changes: dict[str, Any] = {}
    for name, value in pairs:
        if name not in known:
            raise BadParameterError(f"There is no parameter {quoted(name)}.", hint=_known(known))
        if name in changes:
            raise BadParameterError(f"The parameter {name} is given twice.")
        changes[name] = _value(known[name], value) if value.strip() else None
    judge_fields(changes.get("fields"))
    trading_day = changes.pop("trading_day", None)
    asked = replace(defaults, **{name: v for name, v in changes.items() if v is not None or name in MAY_BE_EMPTY})
    return replace(asked, dt=as_trading_day(asked.dt)) if trading_day else asked


def _value(setting: Setting, text: str) -> Any:
    """What a text of the query stands for; an address names no file, so its parameters are read without one."""
    value = setting.parse(text)
    return parameters_of(value) if setting.name == "parameters" else value


def _known(known: Mapping[str, Any]) -> str:
    return f"The parameters are {', '.join(known)}."


REQUEST_NAMES = tuple(one.name for one in fields(StreamRequest))
