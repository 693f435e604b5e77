"""What this machine has, and what processes take of it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

STATUS = "/proc/{}/status"
REFERENCES = Path("/proc/self/clear_refs")
RESET_PEAK = "5"
CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
UNKNOWN_BYTES = 4 << 30


def begin_measuring() -> None:
    """Let the peak of this process be what it takes from now on, where the system can (Linux)."""
    with suppress(OSError):
        REFERENCES.write_text(RESET_PEAK, "ascii")


def peak_bytes(process_id: int | None = None) -> int:
    """Most memory that a process has had resident: this one, or of Linux any; 0 where nobody knows."""
    found = _status_bytes(os.getpid() if process_id is None else process_id, "VmHWM")
    if found or process_id is not None:
        return found
    with suppress(ImportError):
        import resource  # noqa: PLC0415 - Windows has none

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return 0


def resident_bytes(process_id: int) -> int:
    """Memory that a process has resident now; 0 where nobody knows."""
    return _status_bytes(process_id, "VmRSS")


def processors() -> int:
    """How many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def available_bytes(meminfo: Path = Path("/proc/meminfo"), limits: tuple[Path, ...] = CGROUP_LIMITS) -> int:
    """Memory that is free for new processes: of the machine, or what a container may have, whichever is less."""
    found = [_kilobytes_after(_text(meminfo), "MemAvailable") << 10 or UNKNOWN_BYTES]
    found += [int(text) for path in limits if (text := _text(path).strip()).isdigit()]
    return min(found)


def _status_bytes(process_id: int, name: str) -> int:
    return _kilobytes_after(_text(Path(STATUS.format(process_id))), name) << 10


def _kilobytes_after(text: str, name: str) -> int:
    _, _, behind = text.partition(f"{name}:")
    number = behind.split()[:1]
    return int(number[0]) if number and number[0].isdigit() else 0


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""
