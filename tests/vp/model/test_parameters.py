"""The model's parameters: the contract's defaults, in the order that the kernels read, and nothing absurd."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest

from vp.errors import BadParameterError
from vp.kernels import contract
from vp.model.parameters import ModelParameters

PLACES = {
    "pressure_add": contract.P_PRESSURE_ADD,
    "pressure_rest": contract.P_PRESSURE_REST,
    "pressure_acceleration": contract.P_PRESSURE_ACCEL,
    "vacuum_pull": contract.P_VACUUM_PULL,
    "vacuum_fill": contract.P_VACUUM_FILL,
    "vacuum_rest": contract.P_VACUUM_REST,
    "vacuum_acceleration": contract.P_VACUUM_ACCEL,
    "weak_share": contract.P_WEAK,
    "enter_score": contract.P_ENTER,
    "leave_score": contract.P_LEAVE,
    "reach": contract.P_REACH,
}
NAMES = [field.name for field in dataclasses.fields(ModelParameters)]
TAUS = [name for name in NAMES if name.startswith("tau_")]


def parameters_with(name: str, value: Any) -> ModelParameters:
    return ModelParameters(**{name: value})


def test_defaults_are_the_contracts() -> None:
    weights = (1.0, 0.5, 0.3, 1.0, 1.5, 0.5, 0.3)
    assert tuple(ModelParameters().to_json().values()) == (30.0, 2.0, 5.0, 10.0, *weights, 60.0, 0.25, 0.2, 0.1, 0)
    assert ModelParameters.preset("default") == ModelParameters()


def test_touch_differs_from_the_defaults_in_reach_and_three_time_constants() -> None:
    touch, default = ModelParameters.preset("touch").to_json(), ModelParameters().to_json()
    differing = {name: value for name, value in touch.items() if value != default[name]}
    assert differing == {
        "reach": 1,
        "tau_velocity_seconds": 10.0,
        "tau_acceleration_seconds": 25.0,
        "tau_jerk_seconds": 50.0,
    }


@pytest.mark.parametrize("name", ["", "Touch", "touch ", "__init__"])
def test_a_preset_that_there_is_not_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(BadParameterError, match=repr(name)) as caught:
        ModelParameters.preset(name)
    assert caught.value.hint == "Choose from: default, touch."


def test_every_parameter_lies_where_the_kernels_look_for_it() -> None:
    assert set(NAMES) == {*PLACES, *TAUS}
    for i, name in enumerate(PLACES):
        array = parameters_with(name, 123 + i).to_array()
        assert array[PLACES[name]] == 123 + i
    array = ModelParameters().to_array()
    assert array.dtype == np.float64
    assert array.shape == (contract.PARAMETERS,)
    assert set(PLACES.values()) == set(range(contract.PARAMETERS))


def test_time_constants_of_a_cell_are_in_the_order_of_its_filters() -> None:
    taus = ModelParameters(tau_mass_seconds=7, tau_velocity_seconds=8, tau_acceleration_seconds=9, tau_jerk_seconds=11)
    assert [taus.cell_taus()[i] for i in (contract.MASS, contract.VELOCITY)] == [7.0, 8.0]
    assert [taus.cell_taus()[i] for i in (contract.ACCELERATION, contract.JERK)] == [9.0, 11.0]


def test_the_digest_is_of_every_value_and_of_nothing_else() -> None:
    assert ModelParameters().digest == "5e7e8edb88cf", "one that stands in files of others"
    assert ModelParameters.preset("touch").digest == "e08bfef59f80"
    digests = {ModelParameters().digest, *(parameters_with(name, 123).digest for name in NAMES)}
    assert len(digests) == 1 + len(NAMES)
    assert ModelParameters(tau_mass_seconds=30, reach=True + 1).digest == ModelParameters(reach=2).digest
    assert ModelParameters(pressure_add=np.float64(1), weak_share=np.float64(0.25)) == ModelParameters()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.001, "1", None, True, 1j, [2.0]])
def test_what_no_parameter_can_be(name: str, value: Any) -> None:
    with pytest.raises(BadParameterError, match=name) as caught:
        parameters_with(name, value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("value", "of"), [(0.0, [*PLACES]), (0.9e-9, [n for n in PLACES if n != "reach"]), (1e-9, TAUS)]
)
def test_the_least_that_a_parameter_can_be(name: str, value: float, of: list[str]) -> None:
    if name in of:
        assert parameters_with(name, value).to_json()[name] == value
    elif value != 1e-9 or name == "reach":
        with pytest.raises(BadParameterError, match=name):
            parameters_with(name, value)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "reach" and name not in TAUS])
def test_the_most_that_a_weight_or_a_threshold_can_be(name: str) -> None:
    assert parameters_with(name, 1e9).to_json()[name] == 1e9
    with pytest.raises(BadParameterError, match=f"{name} was 1000000001.0, expected a number from 0 to 1e9"):
        parameters_with(name, 1e9 + 1)


@pytest.mark.parametrize("value", [0.5, -1, 2**31 + 1])
def test_a_reach_is_a_number_of_buckets(value: float) -> None:
    with pytest.raises(BadParameterError, match=f"reach was {value!r}, expected a whole number of buckets"):
        parameters_with("reach", value)
    assert repr(parameters_with("reach", 3.0).reach) == "3"


def test_parameters_go_through_json() -> None:
    parameters = ModelParameters(tau_mass_seconds=0.1, vacuum_fill=1e-17)
    read: dict[str, Any] = json.loads(json.dumps(parameters.to_json()))
    assert ModelParameters(**read) == parameters
    assert hash(parameters) == hash(ModelParameters(**read))
