"""What a viewer may say: commands to a paced session that it watches alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from vp.errors import RequestError, quoted

MOST_STEPS = 1000
STEP_UNITS = ("frame", "event")
COMMAND_HINT = (
    'Expected {"type":"pause"}, {"type":"resume"} or {"type":"step","by":"frame" or "event","count":1 to 1000}; '
    "all else that is wanted goes into the address's query."
)


class UnexpectedMessageError(RequestError):
    """A viewer said something that is no command; the connection closes."""

    code = "unexpected_message"


class NotAloneError(RequestError):
    """A session that others watch too is neither paused nor stepped for one of them."""

    code = "not_alone"


class NotPacedError(RequestError):
    """A stream at speed 0 has no clock that could be paused: it waits for its reader."""

    code = "not_paced"


class TooManyStepsError(RequestError):
    """More steps wait to be made than may."""

    code = "too_many_steps"


@dataclass(frozen=True)
class Pause:
    """Let the session's clock stand."""


@dataclass(frozen=True)
class Resume:
    """Let it go on from where it stands; steps that wait are forgotten."""


@dataclass(frozen=True)
class Step:
    """Pause, and go on by so many frames.

    Attributes
    ----------
    by : str
        frame: the frames that the throttle makes; event: one at each event end, due or not.
    count : int
        1 to MOST_STEPS.
    """

    by: str = "frame"
    count: int = 1


Command = Pause | Resume | Step
PLAIN: dict[str, Command] = {"pause": Pause(), "resume": Resume()}


def parse_command(said: str | bytes) -> Command:
    """The command in a viewer's message.

    Raises
    ------
    UnexpectedMessageError
        It is none: binary, no JSON object, of another type, or with other fields or values than commands have.
    """
    if isinstance(said, bytes):
        raise _unexpected(f"{len(said)} bytes")
    try:
        message = json.loads(said)
    except (ValueError, RecursionError):
        raise _unexpected(quoted(said)) from None
    command = _command(message)
    if command is None:
        raise _unexpected(quoted(said))
    return command


def _command(message: Any) -> Command | None:
    if not isinstance(message, dict):
        return None
    fields = dict(message)
    kind = fields.pop("type", None)
    if kind == "step" and fields.keys() <= {"by", "count"}:
        by, count = fields.get("by", "frame"), fields.get("count", 1)
        good = by in STEP_UNITS and type(count) is int and 1 <= count <= MOST_STEPS  # True is an int as well
        return Step(by, count) if good else None
    return PLAIN.get(kind) if isinstance(kind, str) and not fields else None


def _unexpected(what: str) -> UnexpectedMessageError:
    return UnexpectedMessageError(f"The stream takes commands alone, but {what} came.", hint=COMMAND_HINT)
