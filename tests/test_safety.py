"""Nothing of what strangers say is run, and nothing of it leads out of the lake."""

from __future__ import annotations

import ast
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import lakes
from tests.lakes import GOOD
from tests.places import ROOT
from vp.errors import RequestError
from vp.lake.lake import Lake
from vp.market.products import find_product
from vp.market.session_hours import parse_date
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec
from vp.server.stream.request import StreamRequest, parse_stream_request

SOURCES = sorted(path for folder in ("vp", "kernels") for path in (ROOT / folder).rglob("*.py"))
# Compiled kernels that came with the installation are as trusted as the code beside them, and their index is a pickle.
ALLOWED = {"vp/model/ready_kernels.py": ["pickle"]}
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "code", "runpy"}
CALLS = {"eval", "exec", "compile", "__import__"}
METHODS = {"os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "yaml.full_load"}


def dangers(source: str) -> list[str]:
    """What in a module runs or unpickles data."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in CALLS:
                found.append(called.id)
            elif isinstance(called, ast.Attribute) and ast.unparse(called) in METHODS:
                found.append(ast.unparse(called))
            for keyword in node.keywords:
                truth = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
                if keyword.arg in {"shell", "allow_pickle"} and truth:
                    found.append(str(keyword.arg))
    return found


@pytest.mark.parametrize(
    "bad",
    ["import pickle", "from marshal import loads", "eval('1')", "import os\nos.system('x')", "f(shell=True)"],
)
def test_dangers_are_found(bad: str) -> None:
    assert dangers(bad)


def test_no_source_runs_or_unpickles_data() -> None:
    assert len(SOURCES) > 60
    found = {str(path.relative_to(ROOT)): dangers(path.read_text("utf-8")) for path in SOURCES}
    assert found == {str(path.relative_to(ROOT)): [] for path in SOURCES} | ALLOWED


OUTSIDE = [
    "../../outside",
    "..",
    "/etc/passwd",
    "GOOD/../../x",
    "..%2F..%2Foutside",
    "%2e%2e%2f",
    "GOOD\0",
    "GOOD\0.dbn",
    "．．／．．／outside",
    "ＧＯＯＤ/..",
    "\u202egood",
    "C:\\x",
    "..\\..\\x",
    "*",
    "~root",
    "symbol=GOOD",
    "A" * 500,
]


@pytest.mark.parametrize("symbol", OUTSIDE, ids=ascii)
def test_no_symbol_date_or_type_leads_out_of_the_lake(
    small_lake: Path, monkeypatch: pytest.MonkeyPatch, symbol: str
) -> None:
    """Each is refused before any file outside of the lake is looked at."""
    looked: list[Path] = []
    iterdir = Path.iterdir

    def watched(self: Path) -> object:
        looked.append(self)
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", watched)
    for name in ("symbol", "dt", "product_type", "start_time"):
        with pytest.raises(RequestError) as caught:
            prepare(SessionSpec(**{**GOOD, name: symbol}, lake=str(small_lake)))
        assert len(caught.value.message) < 2000
    assert all(path.resolve().is_relative_to(small_lake.resolve()) for path in looked)


@pytest.mark.parametrize("symbol", OUTSIDE, ids=ascii)
def test_the_same_by_the_address_of_the_stream(small_lake: Path, symbol: str) -> None:
    defaults = StreamRequest("equity_mbo", "GOOD", GOOD["dt"], "09:30")
    for text in (quote(symbol, safe=""), quote(quote(symbol, safe=""), safe="")):
        with pytest.raises(RequestError):
            request = parse_stream_request(f"symbol={text}", defaults)
            product = find_product(request.product_type, request.symbol)
            Lake(small_lake).inputs(product, parse_date(request.dt))[0].files[0]


@pytest.fixture
def small_lake(tmp_path: Path) -> Path:
    return lakes.build(tmp_path)
