"""What a viewer says, as commands; all else is refused."""

from __future__ import annotations

import json

import pytest

from vp.server.stream.commands import MOST_STEPS, Command, Pause, Resume, Step, UnexpectedMessageError, parse_command


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ('{"type":"pause"}', Pause()),
        (' { "type" : "resume" } ', Resume()),
        ('{"type":"step"}', Step("frame", 1)),
        ('{"type":"step","by":"event"}', Step("event", 1)),
        ('{"type":"step","by":"frame","count":7}', Step("frame", 7)),
        (f'{{"count":{MOST_STEPS},"type":"step"}}', Step("frame", MOST_STEPS)),
    ],
)
def test_commands(said: str, command: Command) -> None:
    assert parse_command(said) == command


@pytest.mark.parametrize(
    "said",
    [
        b'{"type":"pause"}',
        b"",
        "",
        "pause",
        '"pause"',
        "{}",
        "[]",
        "null",
        '{"type":"stop"}',
        '{"type":["pause"]}',
        '{"type":"pause","count":1}',
        '{"type":"resume","by":"frame"}',
        '{"type":"step","by":"second"}',
        '{"type":"step","by":["event"]}',
        '{"type":"step","count":0}',
        '{"type":"step","count":-1}',
        f'{{"type":"step","count":{MOST_STEPS + 1}}}',
        '{"type":"step","count":1e3}',
        '{"type":"step","count":1.5}',
        '{"type":"step","count":"1"}',
        '{"type":"step","count":true}',
        '{"type":"step","count":NaN}',
        f'{{"type":"step","count":{"9" * 4000}}}',
        '{"type":"step","count":null}',
        '{"type":"step","speed":2}',
        '{"type":"pause"} {"type":"resume"}',
        "[" * 4096,
        '{"a":' * 800,
        "x" * 4096,
    ],
    ids=lambda said: str(said)[:40],
)
def test_what_is_no_command(said: str | bytes) -> None:
    with pytest.raises(UnexpectedMessageError) as refused:
        parse_command(said)
    assert len(refused.value.message) < 200
    assert json.dumps(refused.value.message)
    assert '"step"' in refused.value.hint
