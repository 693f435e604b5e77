#!/usr/bin/env python3
"""Build the wheel, install it outside the checkout, and use it there as a stranger would; 1 if anything is wrong.

    uv run python scripts/wheel_trial.py [--python /usr/bin/python3.12 ...] [--lowest] [--beside kernels]

Each Python gets an empty environment with the known-good versions of pyproject.toml. There, in a directory that holds
a `vp` and a `kernels` of somebody else, the demonstration is served, watched, recorded, studied and queried.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FIRST_MINOR = 11  # of requires-python
MOST_MINOR = 30
START_SECONDS = 300.0  # compiling everything, on a slow machine
ANSWER_SECONDS = 120.0
FRAMES = 20
FOREIGN = ("vp", "kernels")  # what else a user's directory may be called
# In a checkout these lie apart; in the wheel all is in vp/.
PLACES = {"vp/": "vp/", "kernels/": "vp/kernels/", "sql/": "vp/sql/", "web/": "vp/web/"}
LEFT_OUT = re.compile(r"vp/kernels|web/(\..*|.*\.json|.*\.mjs)")  # the link, and tools for working on the page
READY = "vp/model/ready/"
COMPILING = "compiling"  # what a program says that does
RECORD = re.compile(r"\.dist-info/RECORD$")
OURS = re.compile(r"vacuum_pressure-[^/]+\.dist-info/")


class TrialError(Exception):
    """The wheel is not as it should be."""


def main() -> int:
    """Run the trial; returns its exit code."""
    options = _options()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vp-wheel-trial-") as place:
        try:
            pythons = options.python or offered_pythons()
            wheel = build(Path(place, "dist"), pythons[0])
            for number, python in enumerate(pythons):
                beside = options.beside if number == 0 else None
                lowest = options.lowest and number == 0
                try_python(python, wheel, Path(place, f"python-{number}"), number, beside=beside, lowest=lowest)
        except TrialError as error:
            print(f"wheel trial: {error}", file=sys.stderr)
            return 1
    print(f"wheel trial: passed in {time.monotonic() - started:.0f} s")
    return 0


def build(directory: Path, python: str) -> Path:
    """The wheel with compiled kernels, built from the checkout by `python`; without them it is as from the sdist."""
    hook = os.environ | {"HATCH_BUILD_HOOK_ENABLE_CUSTOM": "true"}
    run(["uv", "build", "--quiet", "--python", python, "--wheel", "--out-dir", str(directory)], cwd=ROOT, env=hook)
    run(["uv", "build", "--quiet", "--out-dir", str(directory / "by-sdist")], cwd=ROOT)  # the wheel from the sdist
    (wheel,) = directory.glob("*.whl")
    (other,) = (directory / "by-sdist").glob("*.whl")
    held = {name: data for name, data in contents(wheel).items() if not name.startswith(READY)}
    plain = contents(other)
    if {name: plain[name] for name in plain if not RECORD.search(name)} != {
        name: held[name] for name in held if not RECORD.search(name)
    }:
        raise TrialError("the wheel built from the source distribution differs from that of the checkout")
    complaints = check_contents(held, expected_contents())
    if len(contents(wheel)) - len(held) != 2:
        complaints.append("it holds no compiled kernels")
    if complaints:
        raise TrialError("; ".join(complaints))
    print(f"wheel trial: {wheel.name} holds {len(contents(wheel))} files, {wheel.stat().st_size >> 10} KiB")
    return wheel


def contents(wheel: Path) -> dict[str, bytes]:
    """Every file of a wheel by name; raises TrialError where one is in it twice."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        if len(names) != len(set(names)):
            raise TrialError("a file is in the wheel twice")
        return {name: archive.read(name) for name in names}


def expected_contents() -> dict[str, bytes]:
    """What the wheel must hold besides its metadata: every tracked file of the product, by its name there."""
    tracked = run(["git", "ls-files", "-z", "--", *PLACES], cwd=ROOT).split("\0")
    expected = {}
    for name in filter(None, tracked):
        if not LEFT_OUT.fullmatch(name):
            home = next(home for home in PLACES if name.startswith(home))
            expected[PLACES[home] + name.removeprefix(home)] = (ROOT / name).read_bytes()
    return expected


def check_contents(held: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """What is wrong with the files of a wheel, a sentence each."""
    product = {name: data for name, data in held.items() if not OURS.match(name)}
    found = [f"{name} is not in the wheel" for name in sorted(expected.keys() - product.keys())]
    found += [f"{name} is in the wheel, unasked" for name in sorted(product.keys() - expected.keys())]
    both = sorted(expected.keys() & product.keys())
    return found + [f"{name} is another in the wheel" for name in both if product[name] != expected[name]]


def try_python(python: str, wheel: Path, place: Path, number: int, *, beside: str | None, lowest: bool) -> None:
    """Everything that is tried with one Python."""
    place.mkdir()
    environment = Environment(python, place / "known-good")
    environment.install([f"{wheel}"], constraints=PROJECT["tool"]["uv"]["constraint-dependencies"])
    environment.use(place / "somewhere", compiles=number > 0)
    if beside is not None:
        environment.install([beside])
        environment.check_import(Requirement(beside).name)
        environment.use(place / "beside", programs=False)
        environment.check_checkout()
    if lowest:
        oldest = Environment(python, place / "lowest")
        oldest.install([*PROJECT["project"]["dependencies"]], resolution="lowest-direct")
        oldest.install(["--no-deps", f"{wheel}"])
        oldest.use(place / "lowest-used")


class Environment:
    """An empty environment of one Python, and what is done in it."""

    def __init__(self, python: str, directory: Path) -> None:
        run(["uv", "venv", "--quiet", "--no-config", "--python", python, str(directory)])
        scripts = directory / ("Scripts" if os.name == "nt" else "bin")
        self.python = scripts / "python"
        self.vp = scripts / "vp"
        self.directory = directory
        self.said = ""  # on stderr, by the server that ran last
        version = run([str(self.python), "-c", "import platform; print(platform.python_version())"]).strip()
        self.name = f"Python {version}, {directory.name}"

    def install(self, what: Sequence[str], *, constraints: Sequence[str] = (), resolution: str = "highest") -> None:
        """Install packages as `uv pip` does, knowing nothing of the checkout."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("\n".join(constraints))
            file.flush()
            command = ["uv", "pip", "install", "--quiet", "--no-config", "--python", str(self.python)]
            command += ["--resolution", resolution, "--constraints", file.name, *what]
            run(command, cwd=self.directory)

    def use(self, directory: Path, *, programs: bool = True, compiles: bool = True) -> None:
        """Play the demonstration from `directory`; where `programs`, also record and query it.

        Unless it `compiles`, the kernels that the wheel brings must do for the first start.
        """
        started = time.monotonic()
        directory.mkdir()
        for name in FOREIGN:
            (directory / name).mkdir()
            (directory / name / "__init__.py").write_text(f"raise ImportError('{name} of the current directory')\n")
        with self._serving([str(self.vp), "serve", "--port", "0", "--enable-query"], directory) as address:
            frames = watch(address)
        if not compiles and COMPILING in self.said:
            raise TrialError(f"{self.name}: the first start compiled kernels: {self.said[:300]!r}")
        if programs:
            out = self._run(directory, "record", "--end-time", "09:31", "--out", "demo.parquet")
            if not re.search(r"demo\.parquet: [1-9][0-9,]* frames", out):
                raise TrialError(f"{self.name}: vp record said {out!r}")
            report = self._run(directory, "study", "--end-time", "09:40")
            if not report.startswith("# What the signal was worth: MNQH6, "):
                raise TrialError(f"{self.name}: vp study said {report[:300]!r}")
            queries = self._run(directory, "query", "--list")
            names = [path.stem for path in sorted((ROOT / "sql").glob("*.sql"))]
            missing = [name for name in names if f"  {name} " not in queries]
            if missing:
                raise TrialError(f"{self.name}: vp query --list lacks {', '.join(missing)}")
            answer = self._run(directory, "query", "counts_by_action", "--format", "csv")
            if not re.search(r'^"A",[1-9]', answer, re.MULTILINE):
                raise TrialError(f"{self.name}: vp query counts_by_action said {answer!r}")
            if "books: 1 file," not in self._run(directory, "cache"):
                raise TrialError(f"{self.name}: vp cache shows no book of the session that was served")
        print(f"wheel trial: {self.name}: {frames} frames seen, {time.monotonic() - started:.0f} s", flush=True)

    def check_import(self, package: str) -> None:
        """Whether a package of the same environment is still that package, with VP beside it."""
        words = f"import {package}, vp.kernels; print({package}.__file__); print(vp.kernels.__file__)"
        theirs, ours = run([str(self.python), "-P", "-c", words], env=_clean_environment()).split()
        if "site-packages" not in theirs or Path(theirs).parent == Path(ours).parent:
            raise TrialError(f"{self.name}: {package} is imported from {theirs}, vp.kernels from {ours}")

    def check_checkout(self) -> None:
        """Serve from the checkout, by an environment that holds a foreign package of the name `kernels`."""
        with tempfile.TemporaryDirectory() as lake:
            command = [str(self.python), "-m", "vp.serve", "--port", "0", "--enable-query", "--lake", lake]
            with self._serving(command, ROOT) as address:
                watch(address)
        print(f"wheel trial: {self.name}: the checkout is served too", flush=True)

    @contextlib.contextmanager
    def _serving(self, command: list[str], directory: Path) -> Iterator[str]:
        """The server's address; it must end well on SIGTERM."""
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(  # noqa: S603 - our own words
                command, cwd=directory, env=_clean_environment(), stdout=subprocess.PIPE, stderr=said, text=True
            )
            try:
                yield _address(process, said, self.name)
                process.send_signal(signal.SIGTERM)
                code = process.wait(ANSWER_SECONDS)
            finally:
                process.kill()
                process.communicate()
            said.seek(0)
            told = self.said = said.read()
            if code or "Traceback" in told or "error" in told:
                raise TrialError(f"{self.name}: {' '.join(command[1:3])} ended with {code}: {told.strip()[-500:]}")

    def _run(self, directory: Path, *words: str) -> str:
        return run([str(self.vp), *words], cwd=directory, env=_clean_environment())


def watch(address: str) -> int:
    """See of a server what a browser sees: the page with its modules, health, and frames, whose number is returned."""
    html = fetch(f"{address}/vacuum-pressure.html").decode()
    modules = re.findall(r'(?:src|href)="([\w./-]+\.(?:js|css))"', html)
    if not modules:
        raise TrialError("the page names no module and no style")
    for module in modules:
        if not fetch(f"{address}/{module}"):
            raise TrialError(f"{module} of the page is empty")
    health = json.loads(fetch(f"{address}/health"))
    if not health["ready"]:
        raise TrialError(f"the server is not ready: {health}")
    answer = json.loads(fetch(f"{address}/v1/vacuum-pressure/query", b'{"sql": "SELECT contract FROM session"}'))
    if answer["rows"] != [["MNQH6"]]:
        raise TrialError(f"the server answers a query with {answer}")
    frames = 0
    stream = f"{address.replace('http', 'ws', 1)}/v1/vacuum-pressure/stream?speed=10"
    with connect(stream, open_timeout=ANSWER_SECONDS, max_size=None) as socket:
        while frames < FRAMES:
            message = socket.recv(ANSWER_SECONDS)
            if isinstance(message, bytes):
                frames += 1
            elif json.loads(message)["type"] == "error":
                raise TrialError(f"the stream says {message}")
    return frames


def fetch(address: str, body: bytes | None = None) -> bytes:
    """The body of an answer; raises TrialError where it is none."""
    request = urllib.request.Request(address, body, {"content-type": "application/json"})  # noqa: S310 - http
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
            content: bytes = response.read()
            return content
    except urllib.error.HTTPError as error:
        raise TrialError(f"{address}: {error}: {error.read().decode()[:500]}") from error
    except OSError as error:
        raise TrialError(f"{address}: {error}") from error


def offered_pythons() -> list[str]:
    """Every Python that VP runs on and that this machine has on its path, oldest first."""
    found = []
    for minor in range(FIRST_MINOR, MOST_MINOR):
        python = shutil.which(f"python3.{minor}")
        if python is not None and not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode:  # noqa: S603
            found.append(python)
    if not found:
        raise TrialError(f"there is no python3.{FIRST_MINOR} or later on the path")
    return found


def run(command: Sequence[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """What a command printed; raises TrialError where it failed."""
    ended = subprocess.run(  # noqa: S603 - our own words
        command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=START_SECONDS
    )
    if ended.returncode:
        words = " ".join(command)
        raise TrialError(
            f"{words[:200]} ended with {ended.returncode}: {(ended.stderr or ended.stdout).strip()[-1000:]}"
        )
    return ended.stdout


def _address(process: subprocess.Popen[str], said: io.TextIOBase, name: str) -> str:
    """The address that a server prints once it serves."""
    assert process.stdout is not None
    line = process.stdout.readline()  # ends with the process, if that ends
    found = re.fullmatch(r"Vacuum Pressure: (http://127\.0\.0\.1:\d+)/vacuum-pressure\.html\n", line)
    if found is None:
        process.wait(ANSWER_SECONDS)
        said.seek(0)
        raise TrialError(f"{name}: it does not serve: {said.read().strip()[-1000:]}")
    return found.group(1)


def _clean_environment() -> dict[str, str]:
    """The environment without what would lead back to the checkout."""
    led = ("PYTHON", "VP_", "NUMBA_", "VIRTUAL_ENV", "UV_PROJECT")
    return {name: value for name, value in os.environ.items() if not name.startswith(led)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", metavar="PATH", help="default: each python3.N on the path")
    parser.add_argument("--lowest", action="store_true", help="the oldest versions allowed too, with the first Python")
    parser.add_argument("--beside", metavar="PACKAGE", help="a package to install beside, with the first Python")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
