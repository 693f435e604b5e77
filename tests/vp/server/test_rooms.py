"""Which rooms of the server may import which: what each `__init__` says, held to the code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import vp.server

SERVER = Path(vp.server.__file__).parent
ROOMS = {
    "stream": set[str](),
    "net": set[str](),
    "query": set[str](),
    "history": {"stream"},
    "runs": {"stream", "history"},
    "routes": {"stream", "history", "runs", "net", "query"},
}
OUTSIDE = {"asyncio", "socket", "threading", "time", "starlette", "uvicorn", "websockets"}


def imported(file: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} has a relative import"
            names |= {f"{node.module}.{name.name}" for name in node.names} | {str(node.module)}
    return names


def files(room: str) -> list[Path]:
    return sorted((SERVER / room).glob("*.py"))


def test_every_room_is_known_and_says_in_a_sentence_what_it_may_import() -> None:
    found = {path.parent.name for path in SERVER.glob("*/__init__.py")}
    assert found == set(ROOMS)
    for room in ROOMS:
        sentence = ast.get_docstring(ast.parse((SERVER / room / "__init__.py").read_text()))
        assert sentence is not None
        assert "import" in sentence
        assert len(files(room)) > 1


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    for file in files(room):
        server = {name.split(".")[2] for name in imported(file) if name.startswith("vp.server.")}
        assert server & set(ROOMS) <= ROOMS[room] | {room}, file
        assert "app" not in server, file


def test_streams_messages_know_neither_sockets_nor_threads_nor_clocks() -> None:
    for file in files("stream"):
        assert {name.split(".")[0] for name in imported(file)} & OUTSIDE == set(), file


def test_uvicorn_is_spoken_to_in_one_room() -> None:
    for file in SERVER.rglob("*.py"):
        if file.parent.name != "net":
            assert not any(name.split(".")[0] in {"uvicorn", "h11"} for name in imported(file)), file


def test_the_rest_of_the_product_does_not_need_the_server() -> None:
    product = SERVER.parent
    for file in product.rglob("*.py"):
        if not {SERVER, product / "programs"} & set(file.parents):
            assert not any(name.startswith("vp.server") for name in imported(file)), file
