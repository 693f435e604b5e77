"""The model's parameters: the contract's defaults, in the order that the kernels read, and nothing absurd."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from tests.oracle import OracleParameters
from vp.errors import BadParameterError
from vp.kernels import contract
from vp.model.parameters import ModelParameters

PLACES = {
    "tau_mass_seconds": contract.P_TAU_MASS,
    "tau_velocity_seconds": contract.P_TAU_V,
    "tau_acceleration_seconds": contract.P_TAU_A,
    "tau_jerk_seconds": contract.P_TAU_J,
    "pressure_add": contract.P_PRESSURE_ADD,
    "pressure_rest": contract.P_PRESSURE_REST,
    "pressure_acceleration": contract.P_PRESSURE_ACCEL,
    "vacuum_pull": contract.P_VACUUM_PULL,
    "vacuum_fill": contract.P_VACUUM_FILL,
    "vacuum_rest": contract.P_VACUUM_REST,
    "vacuum_acceleration": contract.P_VACUUM_ACCEL,
    "tau_baseline_seconds": contract.P_TAU_BASELINE,
    "weak_share": contract.P_WEAK,
    "enter_score": contract.P_ENTER,
    "leave_score": contract.P_LEAVE,
}
NAMES = list(PLACES)


def test_defaults_are_the_contracts() -> None:
    weights = (1.0, 0.5, 0.3, 1.0, 1.5, 0.5, 0.3)
    assert tuple(ModelParameters().to_json().values()) == (30.0, 2.0, 5.0, 10.0, *weights, 60.0, 0.25, 0.2, 0.1)
    assert tuple(dataclasses.asdict(OracleParameters()).values()) == tuple(ModelParameters().to_json().values())


def test_every_parameter_lies_where_the_kernels_look_for_it() -> None:
    assert [field.name for field in dataclasses.fields(ModelParameters)] == NAMES
    for i, name in enumerate(NAMES):
        array = ModelParameters(**{name: 123.0 + i}).to_array()
        assert array[PLACES[name]] == 123.0 + i
    array = ModelParameters().to_array()
    assert array.dtype == np.float64
    assert array.shape == (contract.PARAMETERS,)
    assert {*PLACES.values(), contract.P_HARMONIC} == set(range(contract.PARAMETERS))


@pytest.mark.parametrize(
    ("taus", "harmonic"),
    [
        ((30.0, 2.0, 5.0, 10.0), True),
        ((15.0, 1.0, 2.5, 5.0), True),
        ((30.0, 2.0, 5.0, 10.000000001), False),
        ((30.0, 2.1, 5.0, 10.0), False),
        ((30.0, 2.0, 5.1, 10.0), False),
        ((31.0, 2.0, 5.0, 10.0), False),
    ],
)
def test_one_exponential_serves_only_where_it_can(taus: tuple[float, ...], harmonic: bool) -> None:
    assert bool(ModelParameters(*taus).to_array()[contract.P_HARMONIC]) is harmonic


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.001, 0.0])
def test_what_no_parameter_can_be(name: str, value: float) -> None:
    if value == 0 and not name.startswith("tau_"):
        assert ModelParameters(**{name: value}).to_json()[name] == 0
        return
    with pytest.raises(BadParameterError, match=name) as caught:
        ModelParameters(**{name: value})
    assert repr(value) in str(caught.value)


def test_parameters_go_through_json() -> None:
    parameters = ModelParameters(tau_mass_seconds=0.1, vacuum_fill=1e-17)
    assert ModelParameters(**json.loads(json.dumps(parameters.to_json()))) == parameters
    assert hash(parameters) == hash(ModelParameters(**parameters.to_json()))
