"""Objects on this machine's disk: what was wanted and nothing else, within a bound, and nothing left of the dead."""

from __future__ import annotations

import io
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.s3_server import BUCKET, S3Server, environment, until
from tests.s3_server.cutting_proxy import CuttingProxy
from vp.child_processes import python_command, python_environment
from vp.errors import ChangedFileError, ObjectStoreError, VPError
from vp.files import sha256_of
from vp.objects.location import Location
from vp.objects.staging import Staging, WantedObject
from vp.objects.store import BLOCK_BYTES, ObjectIdentity, ObjectStore

PLACE = Location(BUCKET, "in")
STORE = ObjectStore(PLACE)
DIES = """
import os, sys
from pathlib import Path
from vp.objects.staging import Staging
if __name__ == "__main__":
    with Staging(Path(sys.argv[1]), 1000).staged(None, ()) as (place, _):
        (place / "half").write_bytes(b"half")
        print(place, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as one, environment(one.endpoint, one.owner):
        yield one


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(tmp_path / "staging", 1000)


def wanted(server: S3Server, **data: bytes) -> tuple[WantedObject, ...]:
    """Objects of these bytes, laid into the store."""
    found = []
    for name, content in data.items():
        server.put(f"in/days/{name}", content)
        identity = STORE.identity(f"days/{name}")
        assert identity is not None
        found.append(WantedObject(f"days/{name}", identity))
    return tuple(found)


def kept(staging: Staging) -> list[int]:
    """The sizes of what is staged."""
    return sorted(path.stat().st_size for path in (staging.directory / "objects").iterdir())


def jobs(staging: Staging) -> list[Path]:
    return list(staging.directory.glob("job-*"))


@pytest.mark.long
def test_a_job_sees_what_it_wanted_with_its_sums_and_nothing_else(server: S3Server, staging: Staging) -> None:
    names = {"days/a.zst", "days/b"}  # a name makes nobody decompress anything
    first, second = wanted(server, **{"a.zst": b"a" * 300, "b": b"b" * 200})
    with staging.staged(STORE, [first, second]) as (place, sums):
        assert {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()} == names
        assert (place / "days" / "a.zst").read_bytes() == b"a" * 300
        assert sums == {name: sha256_of(place / name) for name in names}
        assert jobs(staging) == [place]
    assert jobs(staging) == []
    server.delete("in")  # what is kept need not be there any more
    with staging.staged(STORE, [second]) as (place, sums):
        assert {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()} == {"days/b"}
        assert [*sums] == ["days/b"]


@pytest.mark.long
def test_the_longest_unused_goes_and_what_is_in_use_stays(server: S3Server, staging: Staging) -> None:
    a, b, c = wanted(server, a=b"a" * 400, b=b"b" * 300, c=b"c" * 500)
    for one in (a, b, a):
        with staging.staged(STORE, [one]):
            pass
    assert kept(staging) == [300, 400]
    with staging.staged(STORE, [c]):
        assert kept(staging) == [400, 500]
    with staging.staged(STORE, [a]) as (place, _):
        with staging.staged(STORE, [c]) as (_, sums):
            assert [*sums] == ["days/c"]
        with staging.staged(STORE, [b]):
            assert kept(staging) == [300, 400]
        assert (place / "days" / "a").read_bytes() == b"a" * 400


@pytest.mark.long
def test_an_object_that_another_job_brings_and_a_third_has_no_room_for_is_kept_for_who_reads_it(
    server: S3Server, staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = wanted(server, a=b"a" * 300)
    with staging.staged(STORE, [one]):
        pass
    monkeypatch.setattr(Staging, "_take", lambda *_: None)  # it was not there yet

    def making_room(path: Path) -> str:
        staging._evict(0)
        return sha256_of(path)

    monkeypatch.setattr("vp.objects.staging.sha256_of", making_room)
    with staging.staged(STORE, [one]) as (place, sums):
        assert (place / one.name).read_bytes() == b"a" * 300
        assert sums == {one.name: sha256_of(place / one.name)}


@pytest.mark.long
def test_what_leaves_no_room_for_another_is_waited_for(server: S3Server, staging: Staging) -> None:
    a, b = wanted(server, a=b"a" * 600, b=b"b" * 600)
    ended = threading.Event()

    def later() -> None:
        with staging.staged(STORE, [b]):
            ended.set()

    with staging.staged(STORE, [a]):
        thread = threading.Thread(target=later)
        thread.start()
        assert not ended.wait(1)
        assert kept(staging) == [600]
    assert ended.wait(30)
    thread.join()
    with pytest.raises(ObjectStoreError, match="--staging-limit-gb"), staging.staged(STORE, [a, b]):
        pass


@pytest.mark.long
def test_an_object_that_is_another_by_now_is_not_taken(server: S3Server, staging: Staging) -> None:
    (a,) = wanted(server, a=b"a" * 100)
    wanted(server, a=b"b" * 100)
    with pytest.raises(ChangedFileError, match="no longer the object"), staging.staged(STORE, [a]):
        pass
    gone = WantedObject("days/gone", ObjectIdentity(10, "etag"))
    with pytest.raises(ChangedFileError, match="no longer the object"), staging.staged(STORE, [gone]):
        pass
    assert kept(staging) == []
    assert jobs(staging) == []


@pytest.mark.long
def test_an_object_that_is_replaced_while_it_is_read_is_not_taken(server: S3Server) -> None:
    size_bytes = 2 * BLOCK_BYTES
    (a,) = wanted(server, a=b"a" * size_bytes)

    class Replacing(io.BytesIO):
        def write(self, data: Any) -> int:
            if self.tell() == 0:
                server.put("in/days/a", b"b" * size_bytes)
            return super().write(data)

    with pytest.raises(ChangedFileError, match="no longer the object"):
        STORE.fetch(a.name, a.identity, Replacing())


@pytest.mark.long
def test_an_object_that_does_not_come_whole_is_not_taken(server: S3Server, tmp_path: Path) -> None:
    staging = Staging(tmp_path / "staging", 100 << 20)
    (a,) = wanted(server, a=b"a" * (20 << 20))
    proxy = CuttingProxy(server.port, down_bytes=11 << 20)
    with (
        environment(proxy.endpoint, server.owner),
        pytest.raises(ObjectStoreError, match=r"cannot be reached|came with"),
        staging.staged(STORE, [a]),
    ):
        pass
    proxy.end()
    assert kept(staging) == []
    assert jobs(staging) == []


def test_what_a_killed_job_leaves_is_swept_and_that_of_a_living_one_is_not(staging: Staging) -> None:
    process = subprocess.Popen(
        python_command("-c", DIES, str(staging.directory)),
        env=python_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    left = Path(process.stdout.readline().strip())
    with staging.staged(None, ()):
        assert (left / "half").exists()
    process.kill()
    process.communicate()
    with staging.staged(None, ()):
        until(lambda: not left.exists())


def test_a_place_that_cannot_be_written_to_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(VPError, match="--staging-directory"), Staging(tmp_path / "file", 10).staged(None, ()):
        pass


def test_what_a_job_itself_raises_is_not_taken_for_the_stagings(staging: Staging) -> None:
    with pytest.raises(OSError, match="of the job"), staging.staged(None, ()):
        raise OSError("of the job")
    assert jobs(staging) == []
