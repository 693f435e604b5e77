from __future__ import annotations

import asyncio
import errno
import logging

import pytest

from vp.server.faults import in_the_loop


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (OSError(errno.ENOTCONN, "not connected"), logging.INFO),
        (ConnectionResetError(errno.ECONNRESET, "reset"), logging.INFO),
        (OSError(errno.EMFILE, "too many open files"), logging.WARNING),
        (ZeroDivisionError("a fault"), logging.ERROR),
    ],
)
def test_what_the_system_refuses_the_event_loop_is_one_line(
    error: Exception, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        def fails() -> None:
            raise error

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(in_the_loop)
        loop.call_soon(fails)
        await asyncio.sleep(0.01)

    asyncio.run(main())
    [record] = caplog.records
    assert record.levelno == level
    assert bool(record.exc_info) is (level == logging.ERROR)
