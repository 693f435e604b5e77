"""Messages that a peer sends, put together from their frames, and bounds on frames that cost it nothing."""

from __future__ import annotations

from collections.abc import Callable

from websockets.frames import Frame, Opcode

CLOSE_INVALID_DATA = 1007
CLOSE_POLICY = 1008
COUNT_SECONDS = 1.0
MOST_FRAMES = 100  # control frames and pieces in COUNT_SECONDS; browsers send a pong every 20 s
DATA = {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}
COSTLESS = {Opcode.CONT, Opcode.PING, Opcode.PONG}


class BreachError(Exception):
    """What came closes the connection, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class IncomingMessages:
    """The message that is coming in, and how many frames came lately.

    Parameters
    ----------
    clock : callable
        Monotonic time, seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._message = bytearray()
        self._is_text = False
        self._counted_since = 0.0
        self._counted = 0

    def take(self, frame: Frame) -> str | bytes | None:
        """Take a frame; the whole message if one ends with it. websockets bounds how long that may be.

        Raises
        ------
        BreachError
            There were too many frames, or the text is no UTF-8.
        """
        if frame.opcode in COSTLESS:
            self._count()
        if frame.opcode not in DATA:
            return None
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
            self._message.clear()
        self._message += frame.data
        if not frame.fin:
            return None
        try:
            return self._message.decode() if self._is_text else bytes(self._message)
        except UnicodeDecodeError:
            raise BreachError(CLOSE_INVALID_DATA, "text that is no UTF-8") from None
        finally:
            self._message.clear()

    def _count(self) -> None:
        now = self._clock()
        if now - self._counted_since > COUNT_SECONDS:
            self._counted_since, self._counted = now, 0
        self._counted += 1
        if self._counted > MOST_FRAMES:
            raise BreachError(CLOSE_POLICY, "too many control frames or pieces")
