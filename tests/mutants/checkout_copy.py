"""A copy of the checkout in which faults are planted and tests run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.places import ROOT, SHARED

PASSED, FAILED = 0, 1
TIMEOUT_SECONDS = 300  # of each test
OPTIONS = ["-q", "-n0", "-m", "", "-p", "no:cacheprovider", "--tb=short", "-rfE", "--color=no", "--show-capture=no"]
# A server puts the page's script together once; one of the copy does so whenever a file of it was changed.
SCRIPT = "vp/server/routes/page_script.py"
ONCE = "@functools.cache\ndef page_script(web: Path) -> dict[Path, str]:\n"
WHEN_CHANGED = """def page_script(web: Path) -> dict[Path, str]:
    return script_of(web, tuple(sorted((path.name, path.stat().st_mtime_ns) for path in web.glob("*.js"))))


@functools.cache
def script_of(web: Path, _changed_ns: tuple[tuple[str, int], ...]) -> dict[Path, str]:
"""
COMPILE = """
from vp.model.compilation import ensure_compiled
ensure_compiled(lambda _share: None, demonstration=True, sampling=True)
"""
PRINT_PLACES = """
from vp.demo import book
from vp.kernels import forward
print(forward.fast_forward.stats.cache_path, book.draw.stats.cache_path, sep="\\n")
"""


@dataclass(frozen=True)
class Answer:
    """What pytest made of some tests: its exit code, and what it wrote."""

    code: int
    text: str

    def names(self, test: str) -> bool:
        """Whether a test, or one of a file or of a parametrized test, is among those that failed."""
        return re.search(rf"^(FAILED|ERROR) {re.escape(test)}(\[|::| |$)", self.text, re.MULTILINE) is not None


def reason(text: str) -> str:
    """Where in the tests, and why, the first of those failed that pytest tells of."""
    places = re.findall(r"^(tests/\S+:\d+): in ", text, re.MULTILINE)
    words = re.search(r"^E +(.+)$", text, re.MULTILINE)
    return f"{places[0]}: {words[1]}" if places and words else text.strip().rpartition("\n")[2]


@dataclass(frozen=True)
class CheckoutCopy:
    """The copy's directory."""

    path: Path

    @classmethod
    @contextmanager
    def made(cls, *, kernels: bool) -> Iterator[CheckoutCopy]:
        """Copy what git knows of the checkout, with the shared data beside it.

        `kernels`: with the machine code of the checkout's kernels too. A fault of kernels makes the copy compile
        its own, as any change of them does.
        """
        with tempfile.TemporaryDirectory(prefix="vp-mutants-") as directory:
            copy = cls(Path(directory) / "checkout")
            listed = subprocess.run(
                ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                cwd=ROOT, capture_output=True, check=True, text=True,
            ).stdout  # fmt: skip
            for name in filter(None, listed.split("\0")):
                if (ROOT / name).is_file() or (ROOT / name).is_symlink():
                    (copy.path / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(ROOT / name, copy.path / name, follow_symlinks=False)
            for beside in ("web/node_modules",):
                if (ROOT / beside).exists():
                    (copy.path / beside).symlink_to(ROOT / beside)
            if SHARED.exists():
                (Path(directory) / "shared").symlink_to(SHARED)
            script = (copy.path / SCRIPT).read_text(encoding="utf-8")
            if ONCE not in script:
                raise ValueError(f"{SCRIPT} does not hold {ONCE!r}: servers would show no fault of the page")
            (copy.path / SCRIPT).write_text(script.replace(ONCE, WHEN_CHANGED), encoding="utf-8")
            if kernels:
                copy.take_machine_code()
            yield copy

    def take_machine_code(self) -> None:
        """Have the checkout compile its kernels, if it has not, and put the code where the copy looks for its own."""
        theirs = self._python(ROOT, COMPILE + PRINT_PLACES).splitlines()
        own = self._python(self.path, PRINT_PLACES).splitlines()
        for source, target in zip(theirs, own, strict=True):
            if source != target and Path(source).is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
        self._python(self.path, COMPILE)  # it finds all of it, and notes that

    def run(
        self, tests: list[str], *options: str, jit: bool, keeps_byte_code: bool = False, most_tests: int = 0
    ) -> Answer:
        """What pytest says of tests in the copy; a test that hangs has failed.

        `keeps_byte_code`: for later runs. Never that of a fault. `most_tests`: as many as take their time one after the
        other, where they are more than are named.
        """
        environment = self._environment(keeps_byte_code=keeps_byte_code)
        if not jit:
            environment["NUMBA_DISABLE_JIT"] = "1"
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said,
            subprocess.Popen(
                [sys.executable, "-m", "pytest", *OPTIONS, *options, *tests],
                cwd=self.path, env=environment, stdout=said, stderr=said, process_group=0,
            ) as process,
        ):  # fmt: skip
            seconds = TIMEOUT_SECONDS * max(len(tests), most_tests)
            try:
                code, end = process.wait(seconds), ""
            except subprocess.TimeoutExpired:
                code, end = FAILED, f"\nNo end after {seconds} s"
            finally:  # with all that it has started: a faulty program may not end by itself
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            said.seek(0)
            return Answer(code, said.read() + end)

    def _python(self, directory: Path, program: str) -> str:
        """What a program prints that runs in a checkout."""
        environment = self._environment(keeps_byte_code=True) | {"PYTHONPATH": str(directory)}
        command = [sys.executable, "-c", program]
        return subprocess.run(
            command, cwd=directory, env=environment, stdout=subprocess.PIPE, check=True, text=True
        ).stdout

    def _environment(self, *, keeps_byte_code: bool) -> dict[str, str]:
        environment = os.environ | {
            "VP_REQUIRE_BROWSER": "1",
            "PYTHONPATH": str(self.path),
            "PYTHONPYCACHEPREFIX": str(self.path.parent / "bytecode"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if keeps_byte_code:
            del environment["PYTHONDONTWRITEBYTECODE"]
        return environment
