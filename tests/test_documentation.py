"""What the documents say is so: their commands parse, their links lead somewhere, their tables are complete."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import vp
from scripts import reference_pages
from tests.places import ROOT
from vp.kernels.contract import SCALAR_COLUMNS
from vp.programs import query as query_program
from vp.programs import record
from vp.query.catalogue import VIEWS
from vp.query.views import INVENTORY_VIEWS, RECORDING_VIEWS, SESSION_VIEWS
from vp.settings.table import of_program

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "lake/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
COMMANDS = sorted(
    {
        line.strip()
        for document in DOCUMENTS
        for line in document.read_text().splitlines()
        if re.match(r"\s*uv run python (-m vp\.|scripts/)", line)
    }
)


def test_readme_names_the_two_commands() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert "pip install uv && uv run python -m vp.serve" in lines
    assert "pip install uv && uv run pytest" in lines


def test_readme_is_one_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 50


@cache
def help_of(*program: str) -> str:
    """What a program says to --help, which several commands ask of it."""
    return subprocess.run(
        [sys.executable, *program, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_options_in_documented_commands_exist(command: str) -> None:
    words = shlex.split(command)[3:]
    program = words[:2] if words[0] == "-m" else words[:1]
    shown = help_of(*program)
    for word in words[len(program) :]:
        if word.startswith("--"):
            assert word in shown, f"{command}: no option {word}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_document_names_exist(document: Path) -> None:
    """Whatever is written as `folder/file`, of folders that git keeps; NAME stands for any name."""
    folders = "vp|kernels|web|sql|tests|scripts|docs|benchmarks"
    named = re.findall(rf"`((?:{folders})/[^\s`]*)", document.read_text(encoding="utf-8"))
    assert [name for name in named if not list(ROOT.glob(name.replace("NAME", "*")))] == []


def test_readme_leads_to_every_document() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = {(ROOT / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", text)}
    assert {*DOCUMENTS, ROOT / "CHANGELOG.md"} - {ROOT / "README.md"} <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_frame_column_is_explained() -> None:
    text = (ROOT / "docs/frames.md").read_text()
    for name in SCALAR_COLUMNS:
        assert f"`{name}`" in text


def test_changelog_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    first = re.search(r"^## (\S+) - \d{4}-\d{2}-\d{2}$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first is not None
    assert first.group(1) == project["version"] == vp.__version__


def test_every_view_is_listed() -> None:
    text = (ROOT / "docs/querying.md").read_text()
    for name in (*INVENTORY_VIEWS, *SESSION_VIEWS, *RECORDING_VIEWS):
        assert f"`{name}`" in text
        assert name in dict(VIEWS)


PROGRAMS = {"vp.query": query_program, "vp.record": record}


def run_as_written(page: str) -> tuple[dict[str, Any], int]:
    """Run every command and every block of a page, one after the other; its names at the end, and how many commands."""
    names: dict[str, Any] = {}
    commands = 0
    text = (ROOT / page).read_text(encoding="utf-8")
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if language == "python":
            exec(compile(block, page, "exec"), names)
            continue
        for line in block.splitlines():
            words = shlex.split(line)
            if words[0] == "mkdir":
                Path(words[-1]).mkdir(parents=True)
                continue
            assert words[:4] == ["uv", "run", "python", "-m"]
            assert PROGRAMS[words[4]].main(words[5:]) == 0, line
            commands += 1
    return names, commands


def test_the_guide_runs_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/querying.md, in an empty directory."""
    import matplotlib as mpl

    mpl.use("Agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VP_LAKE", raising=False)
    names, commands = run_as_written("docs/querying.md")
    assert commands == 8
    assert names["volume"]["bought"].sum() > 0 < names["volume"]["sold"].sum()
    assert (tmp_path / "pressure.png").stat().st_size > 10_000
    assert len(names["by_k"]) == 101
    assert 0 < len(names["moves"]) <= 3
    assert names["frames"]["mid_price"].is_not_null().all()
    names["connection"].close()


def test_the_page_of_python_runs_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """docs/python.md, in an empty directory, and every name of `vp` stands in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VP_LAKE", raising=False)
    names, commands = run_as_written("docs/python.md")
    assert commands == 1
    assert "future_mbo MNQ 2026-02-06" in capsys.readouterr().out
    assert len(names["trades"]) > 0
    assert len(names["moves"]) > 0
    assert names["rows"]["vacuum"].max() > 0
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    promised = set(re.findall(r"^\| `vp\.(\w+)", text, re.MULTILINE))
    assert promised == set(vp.__all__)


def test_the_reference_pages_say_what_the_code_says() -> None:
    hint = "run: uv run python -m scripts.reference_pages"
    assert (ROOT / "docs/options.md").read_text() == reference_pages.options_page(), hint
    assert (ROOT / "docs/errors.md").read_text() == reference_pages.errors_page(), hint


def test_every_kind_of_error_has_a_code_and_a_meaning_of_its_own() -> None:
    kinds = reference_pages.error_kinds()
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert kind.__doc__ is not None, kind
        assert "code" in vars(kind), kind
    assert len(kinds) > 30


def test_every_option_of_every_program_stands_in_its_table() -> None:
    page = reference_pages.options_page()
    for program in reference_pages.PROGRAMS:
        section = page.partition(f"## python -m vp.{program}\n")[2].partition("\n## ")[0]
        assert section.count("\n| `") == len(of_program(program))
    assert "| `--port PORT` | `8002` |" in page
