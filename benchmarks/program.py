"""The server as a program in a process of its own, and what the system says of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Server:
    """The program in a process, serving the demonstration session, or what the options say.

    Parameters
    ----------
    lake : Path
    options : str
        Of the program.
    environment : mapping of str to str, optional
        Beside this process's own.
    is_heard : bool
        Whether what it says on stderr is shown.
    allowed_descriptors : int, optional
        Files and sockets that the system lets it have open; left out, as many as this process.
    """

    def __init__(
        self,
        lake: Path,
        *options: str,
        environment: Mapping[str, str] | None = None,
        is_heard: bool = True,
        allowed_descriptors: int | None = None,
    ) -> None:
        command = [sys.executable, "-m", "vp.serve", "--port", "0", "--lake", str(lake), *options]
        if allowed_descriptors is not None:
            command = ["sh", "-c", 'ulimit -n "$0"; exec "$@"', str(allowed_descriptors), *command]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=None if is_heard else subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        found = re.search(r":(\d+)/", self.process.stdout.readline())
        if found is None:
            self.process.kill()
            raise RuntimeError("the server did not start")
        self.port = int(found.group(1))

    def cpu_seconds(self) -> float:
        """Processor time used so far."""
        return cpu_seconds(self.process.pid)

    def rss_mib(self) -> float:
        """Memory held."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE_BYTES / (1 << 20)

    def private_mib(self) -> float:
        """Memory held for itself alone: without the pages of files that it has mapped, which the system may take."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("RssAnon:")[2].split()[0]) / 1024

    def descriptors(self) -> tuple[int, int]:
        """Files, sockets and pipes open: those that hold histories of sessions, and the others."""
        names = []
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                names.append(descriptor.readlink().name)
        histories = sum(name.startswith("#") and name.endswith(" (deleted)") for name in names)
        return histories, len(names) - histories

    def threads(self) -> int:
        """Threads running."""
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    def health(self) -> Any:
        """What /health says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=30) as response:
            return json.load(response)

    def metrics(self) -> dict[str, float]:
        """What /metrics says, by name and labels as they are written there."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as response:
            lines = response.read().decode().splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}

    def stop(self) -> int:
        """End it; its exit code."""
        self.process.terminate()
        return self.process.wait(30)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
