"""`python -m vp.server.query.worker`: answers queries one after the other, for a server that may kill it.

It reads lines of JSON: first what queries are about and what they may use (vp.server.query.request.QueryContext),
then one query a line. For each it writes the line BEGUN once the session is found, then a line of JSON and, if that
says so, that many bytes of Arrow IPC. That line says too whether the process is spent: a query has left it too little
of the memory that it may take, or in a state that nobody foresaw. It ends with its input.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from vp import logs
from vp.errors import QueryLimitError, RequestError, VPError
from vp.query.limits import Limits
from vp.query.output import json_text, readable, refusing
from vp.query.sandbox import Answer
from vp.server.faults import unexpected
from vp.server.query.request import QueryContext, QueryRequest
from vp.server.query.worker_messages import BEGUN, READY
from vp.session import SessionName

JSON_ROWS = 1024
WARM = Limits(processor_seconds=30.0, seconds=60.0)
NOT_OF_THE_QUERY = 500  # status of what is no fault of the query's
WARMING = "SELECT * FROM session, (FROM events LIMIT 1)"  # loads what the first query would wait for
SPARE_PROCESSOR_SECONDS = 1.0  # beyond what the sandbox allows: it ends most queries itself, with a better message
SPARE = 2  # of what the database may use: buffers, and the answer twice
MOST_KEPT = 0.5  # of the same, after a query: more of it would be missing in the next one


def main() -> int:
    """Answer until there are no more queries."""
    logs.configure("warning")
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    told = json.loads(source.readline())
    context = QueryContext(**{**told, "session": SessionName(**told["session"]), "limits": Limits(**told["limits"])})
    with contextlib.suppress(VPError):  # whoever asks for the same is told of it
        replace(context, limits=WARM).answer(QueryRequest(sql=WARMING))
    held = _held_bytes()
    if held:
        _bound_memory(held + SPARE * context.limits.memory_bytes)
    sink.write(READY)
    sink.flush()
    for line in source:
        head, stream = _answer(context, QueryRequest(**json.loads(line)), sink)
        spent = head.pop("unforeseen", False) or _held_bytes() > held + MOST_KEPT * context.limits.memory_bytes
        sink.write(json.dumps({**head, "spent": spent}).encode() + b"\n" + stream)
        sink.flush()
    return 0


def _answer(context: QueryContext, request: QueryRequest, sink: BinaryIO) -> tuple[dict[str, Any], bytes]:
    def begun() -> None:
        _bound_processor(context.limits.processor_seconds + SPARE_PROCESSOR_SECONDS)
        sink.write(BEGUN)
        sink.flush()

    stream = b""
    try:
        answer = context.answer(request, begun)
        stream = _json(answer, context.limits.answer_bytes) if request.format == "json" else _arrow(answer.table)
        head: dict[str, Any] = {"status": 200, "bytes": len(stream), "truncated": answer.truncated}
    except VPError as error:
        head = _refused(error)
    except MemoryError:
        head = _refused(QueryLimitError("The query took more memory than it may.", hint="Ask for less."))
    except Exception as error:  # one client's fault must stay its own  # noqa: BLE001
        head = {**_refused(unexpected(error, "The query")), "unforeseen": True}
    finally:
        _bound_processor(None)
    return head, stream


def _arrow(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    stream: bytes = buffer.getvalue().to_pybytes()
    return stream


def _json(answer: Answer, most_bytes: int) -> bytes:
    """The answer as a JSON object; raises QueryLimitError where it comes to more than `most_bytes`."""
    fields = [{"name": field.name, "type": str(field.type)} for field in answer.table.schema]
    front = {"columns": fields, "truncated": answer.truncated}
    text = bytearray(json.dumps(front, separators=(",", ":"), ensure_ascii=False)[:-1].encode() + b',"rows":[')
    with refusing("json"):
        for batch in answer.table.to_batches(max_chunksize=JSON_ROWS):
            columns = [column.to_pylist() for column in readable(batch, big_integers_as_text=True).columns]
            for row in zip(*columns, strict=True):
                text += json_text(list(row), big_integers_as_text=True).encode() + b","
            if len(text) > most_bytes:
                raise QueryLimitError(
                    f"The answer has more than {most_bytes >> 20} MiB of JSON.",
                    hint="Ask for fewer columns or rows, or for format arrow.",
                )
    return bytes(text.removesuffix(b",") + b"]}")


def _refused(error: VPError) -> dict[str, Any]:
    status = 400 if isinstance(error, RequestError) else NOT_OF_THE_QUERY
    return {"status": status, "bytes": 0, "code": error.code, "message": error.message, "hint": error.hint}


def _bound_processor(more_seconds: float | None) -> None:
    """Let the process take so much more processor time, then be killed; None: without bound.

    The sandbox interrupts DuckDB, which does not hear it within one call of a function.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):  # systems without it have the pool's clock alone
        import resource  # noqa: PLC0415

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        until = hard if more_seconds is None else math.ceil(time.process_time() + more_seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (until, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _held_bytes() -> int:
    """How much of what RLIMIT_DATA bounds the process has; 0 on systems other than Linux."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/status").read_text("ascii").partition("VmData:")[2].split()[0]) << 10
    return 0


def _bound_memory(most_bytes: int) -> None:
    """Let the process have so much; DuckDB's own limit does not hold within one call of a function."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))
        logging.getLogger("vp.server").debug("memory bounded to %d bytes", most_bytes)


if __name__ == "__main__":
    sys.exit(main())
