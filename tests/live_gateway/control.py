"""The gateway as tests drive it: its process, and orders to it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.places import ROOT

KEY = "db-0123456789abcdefSECRETKEY9876"
PATIENCE_SECONDS = 20.0


class GatewayProcess:
    """A gateway in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int, control: socket.socket) -> None:
        self.port = port
        self.process = process
        self._control = control
        self._lines = control.makefile("r", encoding="utf-8")

    @property
    def address(self) -> str:
        """As `--gateway` takes it."""
        return f"127.0.0.1:{self.port}"

    def order(self, do: str, **given: Any) -> dict[str, Any]:
        """Give an order; returns the state after it."""
        self._control.sendall(json.dumps({"do": do, **given}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._lines.readline())
        assert answer["ok"], answer
        return answer

    def publish(self, until: int | None = None) -> None:
        """Let the feed go on to its record `until`; left out: to its end."""
        self.order("publish", **({} if until is None else {"until": until}))

    def fault(self, kind: str, **given: Any) -> None:
        """Order a fault (tests.live_gateway.faults.Fault)."""
        self.order("fault", kind=kind, **given)

    def state(self) -> dict[str, Any]:
        """What the gateway knows of itself and its sessions."""
        return self.order("state")

    def wait(self, until: Callable[[dict[str, Any]], bool], what: str = "") -> dict[str, Any]:
        """The first state of which `until` holds."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up:
            state = self.state()
            if until(state):
                return state
            time.sleep(0.01)
        raise AssertionError(f"{what or 'it'} did not come about: {state}")

    def close(self) -> None:
        """End the process."""
        self._lines.close()
        self._control.close()
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE_SECONDS)


@contextmanager
def gateway(file: Path, *, speed: str = "hold", from_record: int = 0, key: str = KEY) -> Iterator[GatewayProcess]:
    """A gateway that plays `file` on free ports of loopback."""
    command = [sys.executable, "-m", "tests.live_gateway", str(file), "--control", "--port", "0", "--speed", speed]
    command += ["--from-record", str(from_record)]
    environment = {**os.environ, "DATABENTO_API_KEY": key}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ports = json.loads(process.stdout.readline())
        control = socket.create_connection(("127.0.0.1", ports["control_port"]))
        running = GatewayProcess(process, ports["port"], control)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    try:
        yield running
    finally:
        running.close()
