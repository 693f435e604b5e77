from __future__ import annotations

import numpy as np
import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from tests.vp.server.tiny import LAYOUT, even_clocks, messages
from vp.server.stream.packing import header, pack, project, unpack


@pytest.mark.parametrize("length", [0, 1, 125, 126, 10_648, 65_535, 65_536, 200_000])
def test_the_header_is_the_one_that_websockets_writes(length: int) -> None:
    body = b"x" * length
    written = Frame(Opcode.BINARY, body).serialize(mask=False)
    assert header(length) + body == written


@pytest.mark.parametrize("length", [10, 200, 70_000])
def test_a_packed_block_is_a_run_of_whole_websocket_messages(length: int) -> None:
    block = np.random.default_rng(1).integers(0, 256, (5, length), np.uint8)
    packed = pack(block)
    reader = StreamReader()
    reader.feed_data(packed.tobytes())
    for i in range(5):
        parser = Frame.parse(reader.read_exact, mask=False)
        with pytest.raises(StopIteration) as stopped:
            next(parser)  # everything is there, so it never asks for more
        frame = stopped.value.value
        assert frame.fin
        assert frame.opcode is Opcode.BINARY
        assert bytes(frame.data) == block[i].tobytes()
    assert (unpack(packed.reshape(-1).data, length) == block).all()


def test_a_block_can_be_projected() -> None:
    source = messages(even_clocks(4), 0, 4)
    projection = LAYOUT.project(["vacuum"])
    length = projection.layout.message_bytes
    narrow = project(source, projection, length)
    assert narrow.shape == (4, length)
    assert narrow[2].tobytes() == projection.apply(source[2])
    assert projection.layout.table(narrow).equals(LAYOUT.table(source).select(projection.layout.schema.names))
