"""Which rooms may import which: no module knows what is built upon it. docs/architecture.md tells the same in words."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from tests.places import ROOT

PACKAGE = ROOT / "vp"

# Each room, and the rooms that it may import; they stand before it. What of `vp` is in no package is a room by itself.
BASE = {
    "errors": set[str](),
    "counters": set[str](),
    "csv_lines": set[str](),
    "durations": set[str](),
    "ending_signals": set[str](),
    "feed_gap": set[str](),
    "files": set[str](),
    "logs": set[str](),
    "parquet_encoding": set[str](),
    "child_processes": set[str](),
    "session": set[str](),
    "package_files": {"errors"},
    "databento_key": {"errors"},
    "output_file": {"errors", "files"},
}
RAW = {*BASE, "kernels", "market", "lake"}
ROOMS = BASE | {
    "kernels": set(),
    "market": {*BASE},
    "settings": {"errors", "market"},
    "lake": {*BASE, "market"},
    "demo": {*BASE, "kernels"},
    "dbn": RAW,
    "model": {*RAW, "dbn", "demo", "settings"},
    "query": {*RAW, "settings", "dbn", "model"},
    "study": {*RAW, "dbn", "model", "settings"},
    "objects": {*BASE},
    "backfill": {*RAW, "dbn", "model", "settings", "study", "objects"},
    "download": {*RAW, "dbn"},
    "capture": {*RAW, "dbn"},
    "server.faults": {*BASE},
    "server.stream": {*BASE, "server.faults", "market", "model", "settings"},
    "server.net": {*BASE, "server.faults"},
    "server.query": {*RAW, "settings", "server.faults", "dbn", "query", "server.net"},
    "server.history": {*BASE, "server.faults", "model", "study", "server.stream"},
    "server.runs": {*BASE, "server.faults", "dbn", "model", "study", "settings", "server.stream", "server.history"},
}
SERVER = {room for room in ROOMS if room.startswith("server.")}
ROOMS["server.routes"] = {*RAW, *SERVER, "model", "study", "settings"}
ROOMS["server.app"] = {*ROOMS["server.routes"], "server.routes"}
ROOMS["programs"] = {*ROOMS}
ROOMS["entry points"] = {"programs"}
ROOMS["public names"] = {"model", "lake", "query"}

ENTRY_POINTS = {
    "vp.__main__",
    "vp.serve",
    "vp.record",
    "vp.cache",
    "vp.lake.__main__",
    "vp.query.__main__",
    "vp.capture.__main__",
    "vp.study.__main__",
    "vp.backfill.__main__",
}
PUBLIC_NAMES = "vp"  # the package itself: __version__ is for everyone, the rest for other programs alone

OUTSIDE_OF_STREAM = {"asyncio", "socket", "threading", "time", "starlette", "uvicorn", "websockets"}


def module_of(file: Path) -> str:
    """The name that a file is imported by."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def files_of(package: Path) -> list[Path]:
    """The Python files of a package; those of kernels lie behind a link, which a search does not follow by itself."""
    return sorted(
        {*package.rglob("*.py"), *(file for kernels in package.glob("kernels") for file in kernels.glob("*.py"))}
    )


FILES = {module_of(file): file for file in files_of(PACKAGE)}


def room_of(module: str) -> str:
    """The room that a module belongs to."""
    if module == PUBLIC_NAMES:
        return "public names"
    if module in ENTRY_POINTS:
        return "entry points"
    parts = module.split(".")[1:]
    return ".".join(parts[:2]) if parts[0] == "server" and len(parts) > 1 else parts[0]


def imported(file: Path, module: str = "") -> set[str]:
    """Every module that a file imports, wherever in it; for a public name of `vp`, `vp`."""
    module = module or module_of(file)
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names} - {PUBLIC_NAMES}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level or package == "vp.kernels", f"{file} has a relative import"
            base = f"{package}.{node.module}" if node.level else str(node.module)
            names |= {known(base, alias.name) for alias in node.names if alias.name != "__version__"}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == PUBLIC_NAMES:
            names |= {known(PUBLIC_NAMES, node.attr)} if not node.attr.startswith("__") else set()
    return names


def known(package: str, name: str) -> str:
    """The module of that name in a package, or else the package, which has a name of its own there."""
    return f"{package}.{name}" if f"{package}.{name}" in FILES else package


def upward(module: str) -> set[tuple[str, str]]:
    """The imports of a module that its room may not have."""
    room = room_of(module)
    return {
        (module, name)
        for name in imported(FILES[module], module)
        if name in FILES and room_of(name) not in {*ROOMS[room], room}
    }


def test_the_table_names_the_rooms_that_there_are_each_behind_those_that_it_may_import() -> None:
    assert {room_of(module) for module in FILES} - {"server"} == set(ROOMS)
    before: set[str] = set()
    for room, may_import in ROOMS.items():
        assert may_import <= before, room
        before.add(room)
    assert FILES.keys() >= ENTRY_POINTS


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    modules = [module for module in FILES if room_of(module) == room]
    found = {pair for module in modules for pair in upward(module)}
    assert found == set()


def test_the_table_of_the_architecture_is_this_one() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    written = dict(re.findall(r"^\| `(?:vp/)?([a-z_/]+?)/?` \| [^|]+ \| ([^|]*?) ?\|$", text, re.MULTILINE))
    for room in (
        ROOMS.keys() - BASE.keys() - {"entry points", "public names", "server.faults", "programs", "server.app"}
    ):
        named = {name.replace("/", ".") for name in re.findall(r"`([a-z_/]+)`", written[room.replace(".", "/")])}
        assert named == ROOMS[room] - BASE.keys() - {"server.faults"}, room


def test_every_package_says_in_its_first_lines_what_it_may_import() -> None:
    for module, file in FILES.items():
        if file.name == "__init__.py" and module != PUBLIC_NAMES:
            sentence = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
            assert sentence is not None, module
            assert "import" in sentence.lower(), module


def test_streams_messages_know_neither_sockets_nor_threads_nor_clocks() -> None:
    for file in files_of(PACKAGE / "server/stream"):
        assert {name.split(".")[0] for name in imported(file)} & OUTSIDE_OF_STREAM == set(), file


def test_uvicorn_is_spoken_to_in_one_room() -> None:
    for module, file in FILES.items():
        if room_of(module) != "server.net":
            assert not {name.split(".")[0] for name in imported(file)} & {"uvicorn", "h11"}, file


def test_kernels_know_numpy_and_numba_alone() -> None:
    for file in files_of(PACKAGE / "kernels"):
        others = {name.split(".")[0] for name in imported(file) if not name.startswith("vp.kernels.")}
        assert others - sys.stdlib_module_names <= {"numpy", "numba", "llvmlite"}, file


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import vp.server.app", {"vp.server.app"}),
        ("from vp.server import app", {"vp.server.app"}),
        ("from vp.server.app import create", {"vp.server.app"}),
        ("def late():\n    from vp.programs import serve", {"vp.programs.serve"}),
        ("if TYPE_CHECKING:\n    from vp.query.views import Views", {"vp.query.views"}),
        ("from vp import Book", {"vp"}),
        ("import vp\nvp.Book", {"vp"}),
        ("import vp\nvp.query.connect()", {"vp.query"}),
        ("from vp import __version__", set()),
        ("import vp\nvp.__version__", set()),
    ],
)
def test_no_way_to_import_is_overlooked(line: str, found: set[str], tmp_path: Path) -> None:
    file = tmp_path / "written.py"
    file.write_text(line, encoding="utf-8")
    assert imported(file, "vp.errors") == found


def test_what_points_upward_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "lake.py"
    file.write_text("from vp.model import book\nfrom vp.errors import LakeError\n", encoding="utf-8")
    monkeypatch.setitem(FILES, "vp.lake.lake", file)
    assert upward("vp.lake.lake") == {("vp.lake.lake", "vp.model.book")}
