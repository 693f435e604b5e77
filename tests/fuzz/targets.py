"""What is fuzzed, and the contract: bytes are accepted, or refused with one of VP's own errors; nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import mutations
from tests.dbn_files import compress, header
from vp.dbn.contents import survey_file
from vp.dbn.file import DbnFile
from vp.errors import RequestError
from vp.server.query.endpoint import parse_query_request
from vp.server.stream.request import StreamRequest, parse_stream_request

PLACE = Path(tempfile.gettempdir())
DEFAULTS = StreamRequest("future_mbo", "MNQH6", "2026-02-06", "09:30")


def reader(data: bytes) -> None:
    """A raw file: every record that is read is counted, and an error names the file, the place and a way out."""
    path = PLACE / "fuzz.mbo.dbn"
    outcome = mutations.read(path, data)
    assert outcome.counted == outcome.read
    if outcome.error is None:
        orders = sum(survey_file(DbnFile(path)).by_instrument().values())
        assert orders == len(outcome.rows) + outcome.passed_over.outside_window
    else:
        assert outcome.error.path
        assert outcome.error.hint


def tell(error: RequestError) -> None:
    """A refusal says something, and does not throw all that was sent back."""
    assert 0 < len(str(error)) < 2000


def request(data: bytes) -> None:
    """The query of a websocket's address, as the server decodes it."""
    try:
        found = parse_stream_request(data.decode("latin-1"), DEFAULTS)
    except RequestError as error:
        tell(error)
        return
    assert found.speed >= 0
    assert found.throttle_ms >= 0
    assert hash(found.session) == hash(found.session.session)


def question(data: bytes) -> None:
    """The body of a query over HTTP."""
    try:
        found = parse_query_request(data)
    except RequestError as error:
        tell(error)
        return
    assert (found.sql is None) != (found.query is None)


def reader_seeds() -> Iterator[bytes]:
    path = PLACE / "fuzz.mbo.dbn"
    for version in (1, 2, 3):
        for compressed in (False, True):
            yield mutations.sound(version, compressed, path).data
    plain = mutations.sound(3, False, path).plain
    unknown = bytes([8, 0xF0, *plain[len(header()) + 2 : len(header()) + 32]])  # of a type newer than this VP
    yield plain[: len(header()) + 56] + unknown + plain[len(header()) + 56 :]
    yield header(schema=None, ts_out=True)
    yield b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd" + compress(plain[:300], plain[300:])


def request_seeds() -> Iterator[bytes]:
    yield b"product_type=future_mbo&symbol=MNQH6&dt=2026-02-06&speed=0&start_time=09%3A30&throttle_ms=25"
    yield b"fields=pressure,vacuum,v_add&after=0123456789ab.42&speed=1e3"
    yield "symbol=ÄÖ%00%F0%9F%92%A9&dt=..%2F..".encode()


def question_seeds() -> Iterator[bytes]:
    yield b'{"sql": "select 1", "format": "arrow", "symbol": "MNQH6", "dt": "2026-02-06"}'
    yield b'{"query": "depth", "set": {"levels": "5"}, "start_time": "09:30"}'


Target = tuple[Callable[[bytes], None], Callable[[], Iterator[bytes]]]
TARGETS: dict[str, Target] = {
    "reader": (reader, reader_seeds),
    "request": (request, request_seeds),
    "question": (question, question_seeds),
}
