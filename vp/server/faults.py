"""Errors in the form that clients are told them."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
from pathlib import Path
from typing import Any

from vp.errors import VPError

ENDED = {errno.ENOTCONN, errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED}

ABSOLUTE = re.compile(r"(?<![\w.:/~-])/(?!v1/)(?:[^\s/'\"`,;()]+/)+(?=[^\s/'\"`,;()])")
MOST_ROOTS = 16

log = logging.getLogger("vp.server")
_roots: list[str] = []


def tell_below(root: Path) -> None:
    """Let strangers be told of what lies in this directory by its place there alone."""
    for text in {str(root), str(root.resolve())}:
        if text.startswith("/") and text != "/" and text not in _roots:
            _roots.append(text)
            _roots.sort(key=len, reverse=True)
    del _roots[MOST_ROOTS:]


def for_strangers(text: str) -> str:
    """A text without this machine's directories: places below the lake's root, and of other paths the last name."""
    for root in _roots:
        text = re.sub(rf"{re.escape(root)}(/|(?![\w.-]))", lambda found: "" if found[1] else "the lake", text)
    return ABSOLUTE.sub("", text)


def error_body(problem: VPError) -> dict[str, Any]:
    """An error as a websocket message and as the body of an HTTP answer, for strangers."""
    message, hint = for_strangers(problem.message), for_strangers(problem.hint)
    return {"type": "error", "code": problem.code, "message": message, "hint": hint}


def unexpected(error: Exception, what: str) -> VPError:
    """Log an error that nobody foresaw, and put it as one that a client can be told."""
    problem = VPError(
        f"{what} failed unexpectedly ({type(error).__name__}: {error}).",
        hint="This is a fault of the program; its log says more at --log-level debug.",
    )
    log.error(problem.message, exc_info=error if log.isEnabledFor(logging.DEBUG) else None)
    return problem


def in_the_loop(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log in one line what the system refuses the event loop; for asyncio's set_exception_handler.

    A peer that goes just as its connection is being closed is no fault; for asyncio it is one, with a traceback.
    """
    error = context.get("exception")
    if not isinstance(error, OSError):
        loop.default_exception_handler(context)
        return
    log.log(logging.INFO if error.errno in ENDED else logging.WARNING, "%s: %s", context["message"], error)
