"""A file put into object storage, whole or not at all, by a process of its own.

A stream to an object publishes what was written to it when it is closed, and also when it is merely dropped, as any
exception does. So nothing here goes on after a fault: the process ends at once, without dropping anything, and the
store keeps an upload that was begun and never completed, which nobody sees. It ends so with its parent too.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from vp.child_processes import python_command, python_environment
from vp.ending_signals import ending_signals
from vp.errors import ChangedFileError, ObjectStoreError, VPError
from vp.files import open_to_read
from vp.objects.location import Location
from vp.objects.store import BLOCK_BYTES, ObjectIdentity, ObjectStore

ENDING_SECONDS = 10.0
_open: list[Any] = []
"""Streams of this process: never dropped."""


def upload(location: Location, name: str, path: Path, sha256: str) -> ObjectIdentity:
    """Put a file that is whole on the disk into object storage, in the place of what is there.

    Parameters
    ----------
    location : Location
    name : str
        Of the object.
    path : Path
    sha256 : str
        Of the file, in hexadecimal, as it was when it was written: it is uploaded as that or not at all.

    Raises
    ------
    ObjectStoreError, ChangedFileError
        There is no new object, unless the store lost its last answer: then it is whole.
    """
    command = python_command("-m", "vp.objects.upload", location.bucket, location.prefix, name, str(path), sha256)
    process = subprocess.Popen(  # noqa: S603 - this interpreter
        command, env=python_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        said = process.stdout.read()
        process.wait(ENDING_SECONDS)
    finally:
        process.kill()
        process.communicate()
    try:
        answer = json.loads(said)
    except ValueError:
        raise ObjectStoreError(
            f"{location.url(name)} was not uploaded: the process for it ended without an answer.",
            hint="Run it again; where memory is short, with fewer --workers.",
        ) from None
    if "etag" in answer:
        return ObjectIdentity(int(answer["size_bytes"]), str(answer["etag"]))
    kind = ChangedFileError if answer["code"] == ChangedFileError.code else ObjectStoreError
    raise kind(answer["message"], hint=answer["hint"])


def main(arguments: list[str]) -> NoReturn:
    """Upload what the arguments say, and say on stdout what came of it."""
    for number in ending_signals():
        signal.signal(number, signal.SIG_DFL)  # at once, and nothing is unwound
    threading.Thread(target=_end_with_parent, daemon=True).start()
    bucket, prefix, name, path, sha256 = arguments
    store = ObjectStore(Location(bucket, prefix))
    try:
        identity = _write(store, name, Path(path), sha256)
    except VPError as error:
        _end({"code": error.code, "message": error.message, "hint": error.hint}, 1)
    except BaseException as error:  # noqa: BLE001 - whatever it is, nothing may be unwound
        what = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        message = f"{store.location.url(name)} was not uploaded: {what}."
        _end({"code": ObjectStoreError.code, "message": message, "hint": "See to the disk, then run it again."}, 1)
    _end({"size_bytes": identity.size_bytes, "etag": identity.etag}, 0)


def _write(store: ObjectStore, name: str, path: Path, sha256: str) -> ObjectIdentity:
    digest = hashlib.sha256()
    size_bytes = 0
    with open_to_read(path) as file:
        with store.told("written", name):
            _open.append(store.open_to_write(name))
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            size_bytes += len(block)
            with store.told("written", name):
                _open[-1].write(block)
    if digest.hexdigest() != sha256:
        raise ChangedFileError(
            f"{path} is no longer what was written there; it was not uploaded.", hint="See to the disk, then run again."
        )
    with store.told("written", name):
        _open[-1].close()
    identity = store.identity(name)
    if identity is None or identity.size_bytes != size_bytes:
        there = "nothing" if identity is None else f"{identity.size_bytes:,} bytes"
        raise ObjectStoreError(
            f"{store.location.url(name)} was uploaded with {size_bytes:,} bytes, and {there} are there.",
            hint="Another writer or the store has replaced it; run it again.",
        )
    return identity


def _end(answer: dict[str, object], code: int) -> NoReturn:
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(code)


def _end_with_parent() -> None:
    """Nobody waits for an upload whose parent is gone; it may not be completed by halves, nor behind another's back."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
