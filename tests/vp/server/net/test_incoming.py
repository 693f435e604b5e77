from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from vp.server.net.incoming import COUNT_SECONDS, MOST_FRAMES, BreachError, IncomingMessages


def test_a_message_is_whole_with_its_last_piece() -> None:
    incoming = IncomingMessages(lambda: 0.0)
    half = len(b"a") + 1  # inside the two bytes of µ
    data = "aµ".encode()
    assert incoming.take(Frame(Opcode.TEXT, data[:half], fin=False)) is None
    assert incoming.take(Frame(Opcode.PING, b"between")) is None
    assert incoming.take(Frame(Opcode.CONT, data[half:])) == "aµ"
    assert incoming.take(Frame(Opcode.BINARY, b"\xff")) == b"\xff"
    assert incoming.take(Frame(Opcode.TEXT, b"")) == ""
    assert incoming.take(Frame(Opcode.CLOSE, b"")) is None


def test_text_that_is_none_is_a_breach() -> None:
    with pytest.raises(BreachError) as breach:
        IncomingMessages(lambda: 0.0).take(Frame(Opcode.TEXT, b"\xff"))
    assert breach.value.code == 1007


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG, Opcode.CONT])
def test_so_many_frames_that_cost_nothing_may_come_in_a_while(opcode: Opcode) -> None:
    now = 100.0
    incoming = IncomingMessages(lambda: now)
    incoming.take(Frame(Opcode.BINARY, b"", fin=False))
    for _ in range(3):
        for _ in range(MOST_FRAMES):
            incoming.take(Frame(opcode, b"", fin=False))
        now += COUNT_SECONDS + 0.1
    for _ in range(MOST_FRAMES):
        incoming.take(Frame(opcode, b"", fin=False))
    with pytest.raises(BreachError) as breach:
        incoming.take(Frame(opcode, b"", fin=False))
    assert breach.value.code == 1008


def test_whole_messages_are_not_counted() -> None:
    incoming = IncomingMessages(lambda: 0.0)
    for _ in range(2 * MOST_FRAMES):
        assert incoming.take(Frame(Opcode.BINARY, b"x")) == b"x"
