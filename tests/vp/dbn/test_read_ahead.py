"""Blocks made ahead by a thread: the same blocks, the same errors, and no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from vp.dbn import read_ahead as ahead
from vp.dbn.read_ahead import BLOCKS_AHEAD, read_ahead
from vp.errors import DamagedFileError


def test_the_same_blocks_in_their_order() -> None:
    made = [bytes([i]) * i for i in range(1, 100)]
    assert list(read_ahead(iter(made))) == made


def test_an_error_comes_after_the_blocks_before_it() -> None:
    def breaks() -> Iterator[bytes]:
        yield b"one"
        yield b"two"
        raise DamagedFileError("it broke", hint="mend it")

    blocks = read_ahead(breaks())
    assert [next(blocks), next(blocks)] == [b"one", b"two"]
    with pytest.raises(DamagedFileError, match="it broke"):
        next(blocks)


def test_no_more_than_a_few_blocks_wait() -> None:
    made: list[int] = []

    def count() -> Iterator[bytes]:
        for i in range(1000):
            made.append(i)
            yield b"x"

    blocks = read_ahead(count())
    next(blocks)
    assert len(made) <= BLOCKS_AHEAD + 2
    blocks.close()
    assert len(made) <= BLOCKS_AHEAD + 4


def test_a_reader_that_stops_early_leaves_no_thread() -> None:
    blocks = read_ahead(iter([b"x"] * 1000))
    assert next(blocks) == b"x"
    blocks.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "read ahead"]


def test_what_takes_long_to_begin_is_begun_when_it_is_waited_for() -> None:
    begun = threading.Event()

    def two_parts() -> Iterator[bytes]:
        yield b"one"
        yield b"two"
        yield b""
        begun.set()
        yield b"three"

    blocks = read_ahead(two_parts())
    assert [next(blocks), next(blocks)] == [b"one", b"two"]
    assert not begun.wait(0.2), "the caller still works on what it has"
    assert list(blocks) == [b"three"]
    assert begun.is_set()


def test_it_is_begun_before_that_for_a_caller_that_is_busy_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "PATIENCE_SECONDS", 0.01)
    begun = threading.Event()

    def two_parts() -> Iterator[bytes]:
        yield b"one"
        yield b""
        begun.set()
        yield b"two"

    blocks = read_ahead(two_parts())
    assert next(blocks) == b"one"
    assert begun.wait(5)
    assert list(blocks) == [b"two"]


def test_a_reader_that_stops_before_that_leaves_no_thread() -> None:
    blocks = read_ahead(iter([b"one", b"", b"two"]))
    assert next(blocks) == b"one"
    blocks.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "read ahead"]
