"""Cases of RFC 6455 as raw frames, against an echo over the server's own connection; numbered as Autobahn's suite."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from tests.vp.server.raw import BINARY, CLOSE, PING, PONG, TEXT, frame, raw
from tests.vp.server.tiny import serving_app

ECHO_BYTES = 16 << 20
NORMAL = frame(CLOSE, b"\x03\xe8")
UTF8 = "Hello-µ@ßöäüàá-UTF-8!!".encode()
HALF = len(b"Hello-") + 1  # inside the two bytes of µ
EDITED = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"


@dataclass(frozen=True)
class Case:
    """What is sent, and what must come: messages and pongs in order, then the close code (0: none, dropped)."""

    number: str
    what: str
    sent: tuple[bytes, ...]
    echoed: tuple[tuple[int, bytes], ...] = ()
    close: tuple[int, ...] = (1000,)


def _echo(number: str, opcode: int, payload: bytes) -> Case:
    return Case(number, f"{len(payload)} bytes", (frame(opcode, payload), NORMAL), ((opcode, payload),))


def _breach(number: str, what: str, *sent: bytes, close: int = 1002) -> Case:
    return Case(number, what, sent, (), (close,))


def _pieces(opcode: int, *parts: bytes) -> tuple[bytes, ...]:
    first, *rest = parts
    last = len(rest) - 1
    return (frame(opcode, first, fin=not rest), *(frame(0, part, fin=i == last) for i, part in enumerate(rest)))


SIZES = (0, 125, 126, 127, 128, 65535, 65536)
GOOD_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
BAD_CODES = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999)

CASES: tuple[Case, ...] = (
    *(_echo(f"1.1.{n + 1}", TEXT, b"*" * size) for n, size in enumerate(SIZES)),
    *(_echo(f"1.2.{n + 1}", BINARY, b"\xfe" * size) for n, size in enumerate(SIZES)),
    Case("2.1", "ping without payload", (frame(PING), NORMAL), ((PONG, b""),)),
    Case("2.2", "ping with payload", (frame(PING, b"Hello"), NORMAL), ((PONG, b"Hello"),)),
    Case("2.4", "ping of 125 bytes", (frame(PING, b"\xfe" * 125), NORMAL), ((PONG, b"\xfe" * 125),)),
    _breach("2.5", "ping of 126 bytes", frame(PING, b"\xfe" * 126)),
    Case("2.7", "pong nobody asked for", (frame(PONG, b"x"), NORMAL)),
    Case(
        "2.10",
        "ten pings",
        (*(frame(PING, b"%d" % n) for n in range(10)), NORMAL),
        tuple((PONG, b"%d" % n) for n in range(10)),
    ),
    *(_breach(f"3.{bits}", f"reserved bits {bits:03b}", frame(TEXT, b"x", reserved=bits)) for bits in range(1, 8)),
    *(_breach(f"4.1.{code - 2}", f"reserved opcode {code}", frame(code, b"x")) for code in range(3, 8)),
    *(_breach(f"4.2.{code - 10}", f"reserved opcode {code}", frame(code, b"x")) for code in range(11, 16)),
    _breach("5.1", "ping in two pieces", *_pieces(PING, b"a", b"b")),
    _breach("5.2", "pong in two pieces", *_pieces(PONG, b"a", b"b")),
    Case("5.3", "text in two pieces", (*_pieces(TEXT, b"ab", b"cd"), NORMAL), ((TEXT, b"abcd"),)),
    Case(
        "5.6",
        "ping between two pieces",
        (frame(TEXT, b"ab", fin=False), frame(PING, b"p"), frame(0, b"cd"), NORMAL),
        ((PONG, b"p"), (TEXT, b"abcd")),
    ),
    _breach("5.9", "continuation of nothing", frame(0, b"x")),
    Case(
        "5.15",
        "continuation after the end",
        (*_pieces(TEXT, b"a", b"b"), frame(0, b"c", fin=False)),
        ((TEXT, b"ab"),),
        (1002,),
    ),
    _breach("5.18", "a second text inside a first", frame(TEXT, b"a", fin=False), frame(TEXT, b"b")),
    Case("6.1.2", "three empty pieces", (*_pieces(TEXT, b"", b"", b""), NORMAL), ((TEXT, b""),)),
    Case("6.2.1", "UTF-8", (frame(TEXT, UTF8), NORMAL), ((TEXT, UTF8),)),
    Case("6.2.2", "cut inside a letter", (*_pieces(TEXT, UTF8[:HALF], UTF8[HALF:]), NORMAL), ((TEXT, UTF8),)),
    Case(
        "6.2.4",
        "a byte a piece",
        (*_pieces(TEXT, *(bytes([byte]) for byte in UTF8)), NORMAL),
        ((TEXT, UTF8),),
    ),
    _breach("6.3.1", "text that is no UTF-8", frame(TEXT, EDITED), close=1007),
    _breach("6.3.2", "the same, a byte a piece", *_pieces(TEXT, *(bytes([b]) for b in EDITED)), close=1007),
    *(
        _breach(f"6.{n}", f"UTF-8 {data.hex(' ')}", frame(TEXT, data), close=1007)
        for n, data in (
            ("6.1", b"\xce"),
            ("8.1", b"\xf8\x88\x80\x80\x80"),
            ("11.5", b"\xf4\x90\x80\x80"),
            ("12.1", b"\x80"),
            ("14.1", b"\xc0 "),
            ("18.1", b"\xc0\xaf"),
            ("20.1", b"\xed\xa0\x80"),
        )
    ),
    Case("6.22.1", "the last of a plane", (frame(TEXT, b"\xef\xbf\xbe"), NORMAL), ((TEXT, b"\xef\xbf\xbe"),)),
    Case("7.1.1", "message, then close", (frame(TEXT, b"x"), NORMAL), ((TEXT, b"x"),)),
    Case("7.1.2", "two closes", (NORMAL, NORMAL)),
    Case("7.1.3", "ping after the close", (NORMAL, frame(PING))),
    Case("7.1.4", "text after the close", (NORMAL, frame(TEXT, b"x"))),
    Case("7.3.1", "close without payload", (frame(CLOSE),), close=(0, 1000)),
    _breach("7.3.2", "close of one byte", frame(CLOSE, b"a")),
    Case("7.3.5", "close with the longest reason", (frame(CLOSE, b"\x03\xe8" + b"*" * 123),)),
    _breach("7.3.6", "close with too long a reason", frame(CLOSE, b"\x03\xe8" + b"*" * 124)),
    _breach("7.5.1", "close whose reason is no UTF-8", frame(CLOSE, b"\x03\xe8" + EDITED), close=1007),
    *(
        Case(f"7.7.{n + 1}", f"close code {code}", (frame(CLOSE, code.to_bytes(2)),), close=(code,))
        for n, code in enumerate(GOOD_CODES)
    ),
    *(
        _breach(f"7.9.{n + 1}", f"close code {code}", frame(CLOSE, code.to_bytes(2)))
        for n, code in enumerate(BAD_CODES)
    ),
    Case(
        "10.1.1",
        "65,536 bytes in pieces of 1,300",
        (*_pieces(TEXT, *(b"*" * min(1300, 65536 - at) for at in range(0, 65536, 1300))), NORMAL),
        ((TEXT, b"*" * 65536),),
    ),
    _breach("RFC 5.1", "a frame that is not masked", frame(TEXT, b"x", masked=False)),
)


async def _echo_all(websocket: WebSocket) -> None:
    await websocket.accept()
    while (message := await websocket.receive())["type"] == "websocket.receive":
        if message.get("text") is not None:
            await websocket.send_text(message["text"])
        else:
            await websocket.send_bytes(message["bytes"])


@contextlib.contextmanager
def echoing(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """An echo over the server's own connection class and settings, but for the size of messages; its port."""
    app = Starlette(routes=[WebSocketRoute("/{path:path}", _echo_all)])
    with serving_app(app, host=host, port=port, ws_max_size=ECHO_BYTES) as running:
        yield running.port


def outcome(port: int, case: Case) -> str:
    """Empty if all came as it must; else what came."""
    with raw(port) as client:
        if client.request("/") != 101:
            return f"status {client.status}"
        *first, last = case.sent
        client.send(*first)
        while len(client.received) < len(case.echoed) and client.read() is not None:
            pass
        client.send(last)
        code = client.read_close()
        came = [received for received in client.received if received[0] != CLOSE]
        if came != list(case.echoed):
            return f"came {came!r:.200}"
        return "" if code in case.close else f"close {code}"
