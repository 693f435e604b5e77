"""Uploads against a real server: whole or not at all, however they end."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.s3_server import BUCKET, S3Server, environment, until
from tests.s3_server.cutting_proxy import CuttingProxy
from vp.backfill.machine import peak_bytes
from vp.child_processes import python_command, python_environment
from vp.errors import ChangedFileError, ObjectStoreError
from vp.files import sha256_of
from vp.objects.location import Location
from vp.objects.store import ObjectStore
from vp.objects.upload import upload

pytestmark = pytest.mark.long

PLACE = Location(BUCKET, "out")
SIZE_BYTES = 48 << 20  # several parts
HALF_BYTES = 25 << 20
UPLOAD = """
import sys
from pathlib import Path
from vp.files import sha256_of
from vp.objects.location import Location
from vp.objects.upload import upload
if __name__ == "__main__":
    upload(Location(sys.argv[1], sys.argv[2]), sys.argv[3], Path(sys.argv[4]), sha256_of(Path(sys.argv[4])))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as one:
        yield one


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("file") / "frames.parquet"
    path.write_bytes(os.urandom(1 << 20) * (SIZE_BYTES >> 20))
    return path


@pytest.fixture(autouse=True)
def _empty(server: S3Server) -> None:
    server.delete("")


def test_a_file_is_there_whole_and_takes_the_place_of_another(server: S3Server, file: Path) -> None:
    server.put("out/frames.zst", b"of before")  # a name makes nobody compress anything
    with environment(server.endpoint, server.owner):
        identity = upload(PLACE, "frames.zst", file, sha256_of(file))
        assert ObjectStore(PLACE).identity("frames.zst") == identity
    assert identity.size_bytes == SIZE_BYTES
    assert hashlib.sha256(server.get("out/frames.zst")).hexdigest() == sha256_of(file)


def test_a_file_that_is_no_longer_what_was_written_is_not_published(
    server: S3Server, file: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "frames.parquet"
    cut.write_bytes(file.read_bytes()[:-1])
    with environment(server.endpoint, server.owner), pytest.raises(ChangedFileError, match="not uploaded"):
        upload(PLACE, cut.name, cut, sha256_of(file))
    with environment(server.endpoint, server.owner), pytest.raises(ObjectStoreError, match="No such file"):
        upload(PLACE, cut.name, tmp_path / "none", sha256_of(file))
    assert server.names() == {}


def test_a_connection_that_is_lost_half_way_publishes_nothing(server: S3Server, file: Path) -> None:
    server.put("out/frames.parquet", b"of before")
    proxy = CuttingProxy(server.port, up_bytes=HALF_BYTES)
    with environment(proxy.endpoint, server.owner), pytest.raises(ObjectStoreError, match="cannot be reached"):
        upload(PLACE, file.name, file, sha256_of(file))
    assert proxy.reached.is_set()
    assert server.names() == {"out/frames.parquet": len(b"of before")}
    proxy.end()


def test_who_is_killed_half_way_publishes_nothing_nor_does_its_upload_live_on(server: S3Server, file: Path) -> None:
    proxy = CuttingProxy(server.port, up_bytes=HALF_BYTES, cuts=False)
    with environment(proxy.endpoint, server.owner):
        worker = subprocess.Popen(
            python_command("-c", UPLOAD, BUCKET, "out", file.name, str(file)), env=python_environment()
        )
        assert proxy.reached.wait(60)
        (child,) = _children(worker.pid)
        worker.kill()
        worker.wait()
    until(lambda: not Path(f"/proc/{child}").exists() or _is_zombie(child))
    proxy.end()
    assert server.names() == {}


def test_who_is_asked_to_end_half_way_publishes_nothing(
    server: S3Server, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that comes between, as a signal's does."""
    proxy = CuttingProxy(server.port, up_bytes=HALF_BYTES, cuts=False)
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            started.append(self)

    monkeypatch.setattr("vp.objects.upload.subprocess.Popen", Noted)

    def interrupt() -> None:
        proxy.reached.wait(60)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # which waits for the upload

    with environment(proxy.endpoint, server.owner):
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            upload(PLACE, file.name, file, sha256_of(file))
    (child,) = started
    assert child.returncode != 0  # killed, or by itself, as its parent was no longer there to talk to
    proxy.end()
    assert server.names() == {}


def test_the_memory_of_an_upload_is_bounded_whatever_the_size(server: S3Server, tmp_path: Path) -> None:
    """Of a file that grows fivefold, through a store that is slow to take it, it grows by a few parts."""
    peaks = []
    for megabytes in (50, 250):
        path = tmp_path / f"{megabytes}.parquet"
        path.write_bytes(b"\1" * (megabytes << 20))
        with environment(server.endpoint, server.owner):
            worker = subprocess.Popen(
                python_command("-c", UPLOAD, BUCKET, "out", path.name, str(path)), env=python_environment()
            )
            peak = 0
            while worker.poll() is None:
                peak = max([peak, *(peak_bytes(child) for child in _children(worker.pid))])
                time.sleep(0.01)
        assert worker.returncode == 0
        assert server.names()[f"out/{path.name}"] == megabytes << 20
        peaks.append(peak)
        server.delete("")
    assert peaks[1] - peaks[0] < 60 << 20, peaks


def _children(process_id: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]
    except OSError:
        return []


def _is_zombie(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
