"""Sets of parameters as texts, addresses and files state them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp.errors import BadParameterError
from vp.model.parameter_texts import FILE_BYTES, parameters_of, read_parameters, text_of
from vp.model.parameters import PRESETS, ModelParameters

NAMES = list(ModelParameters().to_json())
HALVES = {name: 0.5 for name in NAMES if name not in {"reach", "enter_score", "leave_score"}}


@pytest.mark.parametrize("read", [parameters_of, read_parameters])
def test_a_preset_and_pairs(read: object) -> None:
    assert callable(read)
    assert read("touch") == read(" touch ") == ModelParameters.preset("touch")
    assert read("default") == ModelParameters()
    assert read("tau_velocity_seconds:10, enter_score : 0.3") == ModelParameters(
        tau_velocity_seconds=10.0, enter_score=0.3
    )


@given(st.dictionaries(st.sampled_from(list(HALVES)), st.floats(0.001, 1000.0), min_size=1))
def test_pairs_and_lines_give_every_value_back_exactly(values: dict[str, Any]) -> None:
    want = ModelParameters(**values)
    assert parameters_of(",".join(f"{name}:{value!r}" for name, value in values.items())) == want
    assert want.to_json() == {**ModelParameters().to_json(), **values}
    assert parameters_of(text_of(want)) == want


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("# slower\ntau_velocity_seconds: 10\nvacuum_fill: 2.5\n", encoding="utf-8")
    assert read_parameters(str(file)) == ModelParameters(tau_velocity_seconds=10.0, vacuum_fill=2.5)
    with pytest.raises(BadParameterError, match="expected default or touch"):
        parameters_of(str(file))  # an address opens no file


def test_every_parameter_can_be_stated(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text("".join(f"{name}: {value}\n" for name, value in ModelParameters.preset("touch").to_json().items()))
    assert read_parameters(str(file)) == ModelParameters.preset("touch")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mass: 1\n", "line 1 names 'mass', which is no parameter of the model"),
        ("vacuum_fill: 1\nvacuum_pull: 1\nvacuum_fill: 2\n", "line 3 gives vacuum_fill a second time"),
        ("\n\nvacuum_fill: much\n", "line 3 gives vacuum_fill the value 'much', expected a number"),
        ("vacuum_fill:\n", "line 1 gives vacuum_fill the value '', expected a number"),
        ("vacuum_fill: -1\n", "line 1: The model parameter vacuum_fill was -1.0"),
        ("vacuum_fill: .nan\n", "line 1"),
        ("vacuum_fill: inf\n", "line 1: The model parameter vacuum_fill was inf"),
        ("vacuum_pull: 1\nvacuum_fill: [1]\n", "line 2 has a collection"),
        ("? [a]\n: 1\n", "line 1 has a collection"),
        ("- vacuum_fill\n", "holds no parameters"),
        ("", "holds no parameters"),
        ("vacuum_fill: 'open\n", "no valid YAML"),
        ("[" * 5000, "no valid YAML"),
        ("vacuum_fill: 1\n" * FILE_BYTES, "longer than 65,536 bytes"),
        ("vacuum_fill: 1\n---\nvacuum_fill: 2\n", "no valid YAML"),
        ("vacuum_fill: \udcff\n", "cannot be read as text"),
    ],
)
def test_what_a_file_gets_wrong_is_said_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadParameterError) as caught:
        read_parameters(str(file))
    assert f"{file}" in caught.value.message
    assert says in caught.value.message
    assert caught.value.hint


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, tmp_path / "missing.yaml"):
        with pytest.raises(BadParameterError, match="there is no such file") as caught:
            read_parameters(str(path))
        assert ", ".join(PRESETS) in caught.value.hint


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fast", "parameters was 'fast', expected default or touch"),
        ("", "parameters was ''"),
        ("vacuum_fill:1,touch", "parameters has 'touch', expected name:value"),
        ("vacuum_fill:1,", "parameters has '', expected name:value"),
        ("vacuum_fill=1:2", "names 'vacuum_fill=1'"),
    ],
)
def test_what_an_address_gets_wrong_is_said(text: str, says: str) -> None:
    with pytest.raises(BadParameterError) as caught:
        parameters_of(text)
    assert says in caught.value.message
    assert caught.value.hint
