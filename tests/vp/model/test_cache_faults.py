"""Whatever befalls a cache file, a session gets the book of the raw file: the old copy, a new one, or none at all.

Writers are killed at each call into the system; every byte of a small file is flipped; it is cut at each length, also
under a reader; two processes build one snapshot at once; the disk is full.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agreement import events_of
from tests.dbn_files import compress, header, mbo
from tests.forks import Forks, forks
from tests.market_strategies import random_market
from vp.dbn.accounting import PassedOver
from vp.dbn.block_files import Source
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.dbn.place import Place
from vp.lake.cache_budget import CacheBudget
from vp.model.book import Book
from vp.model.book_cache import CacheKey, Resume, load_book, save_book

WHOLE = os.environ.get("VP_SWEEP") == "whole"
TICK = 250_000_000
KEY = CacheKey("future_mbo", "MNQH6", "2026-02-06", 1, (("x.mbo.dbn", 2, 3),))
RESUME = Resume(Place(0, 100, 2, 0, PassedOver()), 1)
DAY = [mbo(rec) for rec in random_market(3, 20)]

FAULTY = """
import os, sys
from pathlib import Path
left = 0
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def audited(event, arguments):  # every call by which a file is made, renamed or removed
    global left
    wanted = event in ("os.rename", "os.remove", "os.mkdir", "os.utime") or (
        event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES and sys.argv[1] in str(arguments[0])
    )
    if wanted:
        count()
def count():
    global left
    if left == 0:
        os.kill(os.getpid(), 9)
    left -= 1
def counted(function):
    def call(*arguments):
        count()
        result = function(*arguments)
        count()
        return result
    return call
def at_each_step(write):
    # a process for each step, which dies there; says how each ended
    global left
    for directory in sorted(Path(sys.argv[1]).iterdir(), key=lambda path: int(path.name)):
        child = os.fork()
        if child == 0:
            left = int(directory.name)
            sys.addaudithook(audited)
            write(directory)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
BOOK_STEPS, COPY_STEPS = 24, 32  # more than there are, also where coverage takes some of its own
BOOK_WRITER = """
from tests.vp.model.test_cache_faults import write_book
os.fsync = counted(os.fsync)
at_each_step(write_book)
"""
COPY_WRITER = """
from tests.vp.model.test_cache_faults import write_copy
import vp.dbn.decompressed_copies as kept
os.fsync = counted(os.fsync)
os.pread = counted(os.pread)
kept.Making._write_footer = counted(kept.Making._write_footer)
kept.Making._decompress = counted(kept.Making._decompress)
at_each_step(write_copy)
"""


def small_book(seed: int = 1) -> Book:
    book = Book(TICK)
    book.fast_forward(events_of(random_market(seed, 4)))
    return book


def write_book(directory: Path, seed: int = 1) -> None:
    save_book(directory, KEY, small_book(seed), RESUME)


def raw_of(directory: Path) -> Path:
    raw = directory / "x.mbo.dbn.zst"
    if not raw.exists():
        raw.write_bytes(compress(header() + b"".join(DAY)))
    return raw


def write_copy(directory: Path) -> Path:
    """A decompressed copy, made as a session makes it."""
    raw = raw_of(directory)
    files = DecompressedFiles(CacheBudget(directory / "kept"))
    path = files.directory / Source.of(raw).copy_name()
    deadline = time.monotonic() + 30
    while not path.exists() and time.monotonic() < deadline:
        files.keep(raw)  # again: the thread that made a copy which was thrown away may still be about to end
        time.sleep(0.005)
    return path


def read_copy(directory: Path) -> bytes:
    raw = raw_of(directory)
    return b"".join(DecompressedFiles(CacheBudget(directory / "kept")).blocks(raw, 0))


def assert_right_or_rebuilt(directory: Path) -> bool:
    """The book is the one that was saved, or a miss; whether it was a hit."""
    found = load_book(directory, KEY)
    if found is None:
        return False
    assert found[0].to_arrow().equals(small_book().to_arrow(), check_metadata=True)
    assert found[1] == RESUME
    return True


@pytest.fixture(scope="module")
def children() -> Iterator[Forks]:
    with forks("from tests.vp.model.test_cache_faults import small_book; small_book().to_arrow()") as found:
        yield found


def killed_at_each_step(children: Forks, place: Path, steps: int, program: str) -> list[int]:
    """Directories place/0, place/1, ..., in each of which a writer died one step later; how they ended."""
    for step in range(steps):
        (place / str(step)).mkdir(exist_ok=True)
    code, said = children.run(place.with_suffix(".said"), FAULTY + program, str(place))
    assert code == 0, said
    return [int(line) for line in said.split()]


@pytest.mark.parametrize("before", ["nothing", "an old one"] if WHOLE else ["an old one"])
def test_a_book_whose_writer_is_killed_at_each_step(children: Forks, tmp_path: Path, before: str) -> None:
    if before == "an old one":
        for step in range(BOOK_STEPS):
            (tmp_path / str(step)).mkdir()
            write_book(tmp_path / str(step))
    ended = killed_at_each_step(children, tmp_path, BOOK_STEPS, BOOK_WRITER)
    assert ended[0] == -9
    assert ended[-1] == 0, "more steps than there are: each has had its turn"
    for step in range(BOOK_STEPS):
        hit = assert_right_or_rebuilt(tmp_path / str(step))
        assert hit or (before == "nothing" and ended[step] == -9), "the old one stays until the new one is whole"
        write_book(tmp_path / str(step))
        assert assert_right_or_rebuilt(tmp_path / str(step)), "what is left behind hinders nobody"


def test_a_copy_whose_writer_is_killed_at_each_step(children: Forks, tmp_path: Path) -> None:
    ended = killed_at_each_step(children, tmp_path, COPY_STEPS, COPY_WRITER)
    assert ended[0] == -9
    assert ended[-1] == 0
    for step in range(COPY_STEPS):
        assert read_copy(tmp_path / str(step)) == header() + b"".join(DAY)
        assert write_copy(tmp_path / str(step)).exists()
        assert read_copy(tmp_path / str(step)) == header() + b"".join(DAY)


def test_each_byte_of_a_book_flipped_and_each_cut(tmp_path: Path) -> None:
    write_book(tmp_path)
    path = KEY.path(tmp_path)
    sound = path.read_bytes()
    for at in range(0, len(sound), 1 if WHOLE else 3):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :])
        assert load_book(tmp_path, KEY) is None, at
    for end in range(0, len(sound), 1 if WHOLE else 19):
        path.write_bytes(sound[:end])
        assert load_book(tmp_path, KEY) is None, end
    path.write_bytes(sound + b"\0")
    assert load_book(tmp_path, KEY) is None
    path.write_bytes(sound)
    assert assert_right_or_rebuilt(tmp_path)


def test_each_byte_of_a_copy_flipped_and_each_cut(tmp_path: Path) -> None:
    path = write_copy(tmp_path)
    sound, whole = path.read_bytes(), header() + b"".join(DAY)
    flipped = range(0, len(sound), 1 if WHOLE else 3)
    damaged = [sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :] for at in flipped]
    damaged += [sound[:end] for end in range(0, len(sound), 7 if WHOLE else 19)]
    for data in damaged:
        path.write_bytes(data)
        assert read_copy(tmp_path) == whole
        assert not path.exists(), "it is thrown away"
    path.write_bytes(sound)
    assert read_copy(tmp_path) == whole
    assert path.exists()


def test_a_copy_cut_and_scribbled_over_under_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vp.dbn.block_files.BLOCK_BYTES", 512)
    path = write_copy(tmp_path)
    whole = header() + b"".join(DAY)
    for change in (lambda: os.truncate(path, 700), lambda: path.write_bytes(bytes(len(whole)))):
        write_copy(tmp_path)
        blocks = DecompressedFiles(CacheBudget(tmp_path / "kept")).blocks(raw_of(tmp_path), 0)
        first = next(blocks)
        change()
        assert first + b"".join(blocks) == whole


def test_a_book_is_not_mapped(tmp_path: Path) -> None:
    """A file cut while its book is in use must not kill the process."""
    write_book(tmp_path)
    found = load_book(tmp_path, KEY)
    os.truncate(KEY.path(tmp_path), 0)
    assert found is not None
    assert found[0].to_arrow().equals(small_book().to_arrow(), check_metadata=True)


def test_two_processes_write_one_snapshot_at_once(children: Forks, tmp_path: Path) -> None:
    program = "import sys\nfrom pathlib import Path\nfrom tests.vp.model.test_cache_faults import write_book\n"
    program += f"for _ in range({50 if WHOLE else 10}): write_book(Path(sys.argv[1]))\n"
    place = tmp_path / "books"
    place.mkdir()
    children.start(*((tmp_path / f"{i}.said", program, str(place)) for i in range(2)))
    hits = 0
    while children.running():
        hit = assert_right_or_rebuilt(place)
        assert hit or not hits, "once there, always there"
        hits += hit
        time.sleep(0.002)
    assert children.codes() == [0, 0]
    assert [path.name for path in place.iterdir()] == [KEY.path(place).name]


@pytest.mark.parametrize("limit", [0, 700] if WHOLE else [700])
def test_a_full_disk(children: Forks, tmp_path: Path, limit: int) -> None:
    """No file may grow beyond the limit: a warning, no cache, nothing left behind."""
    program = f"""
import resource, signal, sys, threading
from pathlib import Path
from tests.vp.model.test_cache_faults import raw_of, read_copy, write_book
from vp.dbn.accounting import PassedOver
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.errors import LakeError
from vp.lake.cache_budget import CacheBudget
place = Path(sys.argv[1])
raw = raw_of(place)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
try:
    write_book(place / "books")
except LakeError as error:
    told = str(error)
DecompressedFiles(CacheBudget(place / "kept")).keep(raw)
[thread.join() for thread in threading.enumerate() if thread is not threading.main_thread()]
assert read_copy(place)
assert not list((place / "books").iterdir())
assert not list((place / "kept" / "decompressed").iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
print("said:", told)
"""
    place = tmp_path / "lake"
    place.mkdir()
    code, said = children.run(tmp_path / "said", program, str(place))
    assert code == 0, said
    assert "said: The book snapshot" in said
    assert "hint" not in said
    assert "Traceback" not in said
