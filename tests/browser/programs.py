"""The programs that a browser test runs: the server in a process of its own, and Chromium."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ENDING_SECONDS = 60.0  # on however busy a machine
QUIET = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


class Server:
    """`python -m vp.serve` in a process of its own."""

    def __init__(self, lake: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vp.serve", "--lake", str(lake), "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        printed = []
        for line in self.process.stdout:
            printed.append(line)
            found = re.search(r"(http://127\.0\.0\.1:\d+)/vacuum-pressure\.html", line)
            if found:
                self.address = found.group(1)
                return
        raise AssertionError(f"the server ended before it served: {''.join(printed)}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(ENDING_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def end(self) -> None:
        """See to it that it has ended, however the test did."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
