"""The parameters of a plain request."""

from __future__ import annotations

from starlette.requests import Request

from vp.errors import BadParameterError, quoted
from vp.settings.forms import field_list

LARGEST_INT64 = (1 << 63) - 1


class RequestQuery:
    """The parameters of one request.

    Raises BadParameterError for one that is not known.
    """

    def __init__(self, request: Request, known: tuple[str, ...]) -> None:
        self._values = dict(request.query_params)
        for name in self._values:
            if name not in known:
                raise BadParameterError(
                    f"There is no parameter {quoted(name)}.", hint=f"The parameters are {', '.join(known)}."
                )

    def text(self, name: str, default: str) -> str:
        """A parameter, or what it is without a value."""
        return self._values.get(name) or default

    def fields(self) -> tuple[str, ...] | None:
        """The grid columns that `fields` names; None without it."""
        return field_list("fields", self._values.get("fields", ""))

    def integer(self, name: str, default: int) -> int:
        """A whole number, no larger than an int64 in size; raises BadParameterError."""
        text = self._values.get(name)
        if not text:
            return default
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
            raise BadParameterError(f"{name} was {quoted(text)}, expected a whole number.")
        return max(-LARGEST_INT64, min(int(text), LARGEST_INT64))
