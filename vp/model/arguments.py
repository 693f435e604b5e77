"""What a caller from Python hands over, refused in one sentence where it cannot be right."""

from __future__ import annotations

from operator import index
from typing import Any

from vp.errors import BadParameterError

LARGEST_INT64 = 2**63 - 1


def whole_number(name: str, value: Any, least: int, most: int = LARGEST_INT64, *, of: str = "") -> int:
    """An argument that is a whole number from `least` to `most`, as an int; numpy's integers are ones too.

    Raises
    ------
    BadParameterError
        It is none, or lies outside; `of` says in the message what it counts.
    """
    try:
        number = None if isinstance(value, bool) else index(value)
    except TypeError:
        number = None
    if number is None or not least <= number <= most:
        wanted = f"from {least} on" if most == LARGEST_INT64 else f"from {least} to {most}"
        raise BadParameterError(f"{name} was {value!r}, expected a whole number{of and f' of {of}'} {wanted}.")
    return number


def instance_of(name: str, value: Any, kind: type, called: str) -> None:
    """Refuse with a BadParameterError an argument that is no `kind`, whose name for people is `called`."""
    if not isinstance(value, kind):
        raise BadParameterError(f"{name} was a {type(value).__name__}, expected {called}.")


def letter(name: str, value: Any, letters: str) -> str:
    """An argument that is one of `letters`; raises BadParameterError where it is not."""
    if not isinstance(value, str) or len(value) != 1 or value not in letters:
        raise BadParameterError(f"{name} was {value!r}, expected one of {', '.join(letters)}.")
    return value
