"""The programs as on a system without the modules of Unix: without what those are for, all else works."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.lakes import GOOD, flags
from tests.places import ROOT
from tests.vp.server.clients import Seen, client, read_on

# The modules that docs.python.org/3/library says are available on Unix alone.
UNIX = ("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty")
WITHOUT = (
    "import sys\n"
    f"for name in {UNIX!r}:\n    sys.modules[name] = None\n"
    "from vp.programs.command import main\nsys.exit(main(sys.argv[1:]))"
)


def run(directory: Path, *words: str, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *words],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_recorder_queries_and_cache_work(small_lake: Path, tmp_path: Path) -> None:
    lake = ("--lake", str(small_lake))
    recorded = run(tmp_path, "record", *flags(GOOD), *lake, "--out", "good.parquet")
    assert (recorded.returncode, "good.parquet: " in recorded.stdout) == (0, True), recorded.stderr
    asked = run(tmp_path, "query", "counts_by_action", *flags(GOOD), *lake, "--format", "csv")
    assert asked.returncode == 0, asked.stderr
    assert '"A"' in asked.stdout
    assert run(tmp_path, "cache", *lake).returncode == 0


def test_downloads_say_what_is_missing(tmp_path: Path) -> None:
    """Nothing is ordered where nothing keeps a second download from ordering the same."""
    words = [
        "download",
        "futures",
        "submit",
        "--start",
        "2026-02-06",
        "--end",
        "2026-02-06",
        "--symbols",
        "MNQ",
        "--include-futures",
    ]
    ended = run(tmp_path, *words, "--lake", str(tmp_path), DATABENTO_API_KEY="db-" + "a" * 29)
    assert ended.returncode == 1
    assert "This system has no locks of files" in ended.stderr
    assert "Traceback" not in ended.stderr


def top_level_imports(source: str) -> set[str]:
    """Modules that an import of the source needs: not those within a function, nor those that may be lacking."""
    found = set()
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Try):
            waiting += ast.iter_child_nodes(node)
    return found


def test_imports_are_found() -> None:
    source = "import fcntl, os\nclass A:\n    import pwd\ndef f():\n    import grp\ntry:\n    import tty\nexcept E: ..."
    assert top_level_imports(source) & set(UNIX) == {"fcntl", "pwd"}


def test_no_module_needs_those_of_unix() -> None:
    needing = {}
    for path in sorted([*(ROOT / "vp").rglob("*.py"), *(ROOT / "kernels").glob("*.py")]):
        needed = top_level_imports(path.read_text("utf-8")) & set(UNIX)
        if needed:
            needing[str(path.relative_to(ROOT))] = sorted(needed)
    assert needing == {}


def test_it_serves(small_lake: Path, tmp_path: Path) -> None:
    words = ["serve", *flags(GOOD), "--lake", str(small_lake), "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-c", WITHOUT, *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().removeprefix("Vacuum Pressure: ").removesuffix("/vacuum-pressure.html\n")
        assert address.startswith("http://"), process.communicate()[1]
        with urllib.request.urlopen(f"{address}/health", timeout=30) as response:
            assert json.load(response)["ready"]
        with client(f"{address.replace('http', 'ws')}/v1/vacuum-pressure/stream?speed=5") as websocket:
            seen = Seen()
            read_on(websocket, seen, until_frames=20)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in said
