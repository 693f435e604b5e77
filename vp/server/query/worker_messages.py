"""What a server says to a process that answers queries, and what that says first."""

from __future__ import annotations

import json
from dataclasses import asdict

from vp.server.query.request import QueryContext, QueryRequest

READY = b"ready\n"
BEGUN = b"begun\n"


def configuration(context: QueryContext) -> bytes:
    """The first line that the process reads."""
    return json.dumps(asdict(context)).encode() + b"\n"


def question(request: QueryRequest) -> bytes:
    """Each further line."""
    return json.dumps(asdict(request)).encode() + b"\n"
