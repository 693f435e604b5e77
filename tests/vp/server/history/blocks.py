"""History blocks as a page reads them."""

from __future__ import annotations

import json
import struct
from typing import Any


def parse(block: bytes | memoryview) -> tuple[dict[str, Any], dict[str, bytes]]:
    block = bytes(block)
    (length,) = struct.unpack_from("<I", block)
    head = json.loads(block[4 : 4 + length])
    body = block[4 + length :]
    return head, {c["name"]: body[c["offset"] : c["offset"] + c["length_bytes"]] for c in head["columns"]}
