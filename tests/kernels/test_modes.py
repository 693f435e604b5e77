"""Kernels compiled with checks lie apart, and every mode and processor gives the same frames in a fresh process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numba
import pyarrow as pa
import pytest

from tests.agreement import TICK, events_of, run_frames
from tests.market_strategies import WILD, random_market
from tests.places import DATA, ROOT
from vp.kernels.cache import directory_name
from vp.model.engine import EventDrivenVPEngine

FRAMES = """
import hashlib, sys
from threading import Thread
from tests.agreement import events_of, run_frames
from tests.market_strategies import WILD, random_market
from vp.model.engine import EventDrivenVPEngine
events = events_of(random_market(4, 120, weights=WILD))
found = []
def work():
    found.append(hashlib.sha256(run_frames(EventDrivenVPEngine(50, 250_000_000), events).tobytes()).hexdigest())
threads = [Thread(target=work) for _ in range(int(sys.argv[1]))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(*sorted(set(found)))
"""


def printed(program: str, *arguments: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=400,
        cwd=ROOT,
        env=os.environ | environment,
    )
    return ran.stdout.strip()


def test_checked_kernels_have_a_cache_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {}
    for checked in (None, 0, 1):  # unset, and NUMBA_BOUNDSCHECK as numba reads it
        monkeypatch.setattr(numba.config, "BOUNDSCHECK", checked)
        names[checked] = directory_name()
    assert names[0] == names[None] != names[1]


WHOLE = pytest.mark.skipif(os.environ.get("VP_SWEEP") != "whole", reason="scripts/check_kernels runs it: it compiles")
LIKE_AN_OLDER_PROCESSOR = {
    "the C library's": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX2_Usable,-FMA_Usable"},
    "the compiler's": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
}


@WHOLE
def test_fresh_processes_threads_and_modes_give_the_same_bits() -> None:
    digests = {printed(FRAMES, "1"), printed(FRAMES, "4"), printed(FRAMES, "1", NUMBA_DISABLE_JIT="1")}
    (digest,) = digests
    assert len(digest) == 64


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param(environment, id=whose, marks=WHOLE if "NUMBA_CPU_NAME" in environment else ())
        for whose, environment in LIKE_AN_OLDER_PROCESSOR.items()
    ],
)
def test_another_choice_for_the_processor_gives_the_same_bits(environment: dict[str, str]) -> None:
    frames = run_frames(EventDrivenVPEngine(50, TICK), events_of(random_market(4, 120, weights=WILD)))
    assert printed(FRAMES, "1", **environment) == hashlib.sha256(frames.tobytes()).hexdigest()


def recording_digest(arguments: list[str], directory: Path, environment: dict[str, str]) -> str:
    """SHA-256 of the frames that the recorder writes, of every market event, in a process and a lake of its own."""
    out = directory / "frames.arrow"
    subprocess.run(
        [sys.executable, "-m", "vp.record", f"--lake={directory}", "--throttle-ms=0", f"--out={out}", *arguments],
        check=True, capture_output=True, timeout=500, cwd=ROOT, env=os.environ | environment,
    )  # fmt: skip
    digest = hashlib.sha256()  # not of the file: its metadata say when the lake's own was written
    with pa.memory_map(str(out)) as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            digest.update(reader.get_batch(number).serialize())
    out.unlink()
    return digest.hexdigest()


@WHOLE
@pytest.mark.parametrize("session", ["an exchange's", "the demonstration's"])
def test_a_recording_is_the_same_on_every_processor(session: str, tmp_path: Path) -> None:
    """The demonstration's file too, which each of the lakes gets made."""
    arguments = ["--end-time", "09:31"]
    if session == "an exchange's":
        path = DATA / "glbx-mdp3-20231225.mbo.dbn.zst"
        if not path.exists():
            pytest.skip(f"{path.name} does not lie beside the checkout")
        arguments = ["--file", str(path)]
    digests = set()
    modes: dict[str, dict[str, str]] = {"this one's": {}} | LIKE_AN_OLDER_PROCESSOR
    for whose, environment in modes.items():
        lake = tmp_path / whose
        lake.mkdir()
        digests.add(recording_digest(arguments, lake, environment))
    assert len(digests) == 1
