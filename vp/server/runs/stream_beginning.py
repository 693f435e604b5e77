"""What the stream of another server says before the first frame: the session, and how its frames are laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from vp.errors import VPError
from vp.model.frames import FrameLayout
from vp.model.progress import ProgressLike
from vp.server.runs.upstream import LOOK_SECONDS, UpstreamError, UpstreamGoneError, UpstreamStream
from vp.server.stream.snapshot import Loading

SERVER_FULL = "server_full"
RELIED_ON = ("tick_int", "emit_from_ns", "end_ns")
MOST_INT = 2**63 - 1
MOST_LETTERS = 200  # of what is wrong with a message
OWN_NAMES = ("type", "protocol", "session_id", "speed", "quality_bits", "frame")


class RelayedError(VPError):
    """What the server upstream says of the session, with its code."""

    code = "upstream_error"

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__(str(said.get("message", "")), hint=str(said.get("hint", "")))
        self.code = str(said.get("code", self.code))


@dataclass(frozen=True)
class Beginning:
    """How a stream begins.

    Attributes
    ----------
    session_id : str
    config : mapping
        The `runtime_config` message.
    layout : FrameLayout
        Of its frames.
    frames : int
        How many come at once.
    oldest_event_id : int or None
        Of the oldest frame that the server holds.
    hole : bool
        Whether frames are missing before those that come.
    """

    session_id: str
    config: Mapping[str, Any]
    layout: FrameLayout
    frames: int
    oldest_event_id: int | None
    hole: bool


@dataclass(frozen=True)
class RelayedInfo:
    """What the upstream's `runtime_config` says of the session."""

    config: Mapping[str, Any]

    @property
    def contract(self) -> str:
        """Its name."""
        return str(self.config["contract"])

    @property
    def emit_from_ns(self) -> int:
        """Where frames begin, ns UTC."""
        return int(self.config["emit_from_ns"])

    @property
    def end_ns(self) -> int:
        """Where the session ends, ns UTC."""
        return int(self.config["end_ns"])

    @property
    def tick_int(self) -> int:
        """In 1e-9 units."""
        return int(self.config["tick_int"])

    def to_json(self) -> dict[str, Any]:
        """All of it, but what each server says of its own stream."""
        return {name: value for name, value in self.config.items() if name not in OWN_NAMES}


@contextmanager
def as_of_this_version(what: str) -> Iterator[None]:
    """Read what an upstream has said: whatever keeps it from being read is an UpstreamError, and no fault of ours."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise UpstreamError(
            f"The upstream's {what} is none of this version's: {repr(error)[:MOST_LETTERS]}.",
            hint="Run the same version at both.",
        ) from error


def read_beginning(stream: UpstreamStream, on_progress: Callable[[ProgressLike], None]) -> Beginning:
    """Read a stream up to its first frame; `on_progress` hears how far the upstream is with loading, and now and then.

    Raises
    ------
    UpstreamGoneError
        The connection is lost, or the upstream is full.
    UpstreamError
        It says what no upstream of this version says.
    RelayedError
        It refuses the session.
    """
    config: dict[str, Any] = {}
    schema = b""
    while True:
        message = stream.receive(LOOK_SECONDS)
        if message is None:
            on_progress(Loading())
        elif isinstance(message, bytes):
            schema = message
        elif message["type"] == "progress":
            with as_of_this_version("progress"):
                loading = _loading(message)
            on_progress(loading)
        elif message["type"] == "runtime_config":
            config = message
        elif message["type"] == "error":
            raise refusal(message)
        elif message["type"] == "history":
            break
    with as_of_this_version("stream"):
        for name in RELIED_ON:
            if not 0 < int(config[name]) <= MOST_INT:
                raise ValueError(f"{name} was {config[name]}")
        oldest = message["oldest_event_id"]
        return Beginning(
            str(config["session_id"]),
            {**config, "contract": str(config["contract"])},
            layout_of(schema, int(config["frame"]["message_bytes"])),
            int(message["frames"]),
            None if oldest is None else int(oldest),
            bool(message["hole"]),
        )


def refusal(message: Mapping[str, Any]) -> VPError:
    """What the upstream's error is here: a server that is full may have room soon."""
    if message.get("code") == SERVER_FULL:
        return UpstreamGoneError(str(message.get("message")), hint=str(message.get("hint", "")))
    return RelayedError(message)


def _loading(message: Mapping[str, Any]) -> Loading:
    total = message.get("records_total")
    return Loading(
        str(message.get("phase")),
        int(message.get("records_done", 0)),
        None if total is None else int(total),
        float(message.get("records_per_second", 0.0)),
    )


def layout_of(schema_message: bytes, message_bytes: int) -> FrameLayout:
    """The layout of frames that a schema message announces.

    Raises
    ------
    UpstreamError
        It is none that this VP would give them: bytes could not be handed on as they are.
    """
    try:
        layout = FrameLayout(pa.ipc.read_schema(pa.py_buffer(schema_message)))
    except (pa.ArrowException, OSError, ValueError, KeyError, AttributeError) as error:
        raise UpstreamError(f"The upstream's schema cannot be read: {error}.", hint="Run the same version.") from error
    if layout.schema_message != schema_message or layout.message_bytes != message_bytes:
        raise UpstreamError(
            "The upstream lays frames out in another way than this version.", hint="Run the same version at both."
        )
    return layout
