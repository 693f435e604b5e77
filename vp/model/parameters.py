"""The parameters of the two-force model."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vp.errors import BadParameterError, quoted
from vp.model.arguments import whole_number

PRESETS: dict[str, dict[str, float]] = {
    "default": {},
    "touch": {
        "reach": 1,
        "tau_velocity_seconds": 10.0,
        "tau_acceleration_seconds": 25.0,
        "tau_jerk_seconds": 50.0,
    },
}
SHORTEST_TAU_SECONDS = 1e-9  # the clock knows no shorter time
MOST_REACH = 1 << 31
MOST = 1e9  # of a weight or a threshold: with it, whatever orders do, forces and their sums are finite float32
DIGEST_DIGITS = 12


@dataclass(frozen=True)
class ModelParameters:
    """Time constants in seconds, weights and thresholds without unit, and the reach in buckets (docs/frames.md).

    Raises
    ------
    BadParameterError
        A value is no finite number, is below 0 or, of a weight or a threshold, above 1e9, or is a time constant below
        a nanosecond; or the reach is not whole.
    """

    tau_mass_seconds: float = 30.0
    tau_velocity_seconds: float = 2.0
    tau_acceleration_seconds: float = 5.0
    tau_jerk_seconds: float = 10.0
    pressure_add: float = 1.0
    pressure_rest: float = 0.5
    pressure_acceleration: float = 0.3
    vacuum_pull: float = 1.0
    vacuum_fill: float = 1.5
    vacuum_rest: float = 0.5
    vacuum_acceleration: float = 0.3
    tau_baseline_seconds: float = 60.0
    weak_share: float = 0.25
    enter_score: float = 0.2
    leave_score: float = 0.1
    reach: int = 0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            object.__setattr__(self, name, _checked(name, value))

    @classmethod
    def preset(cls, name: str) -> ModelParameters:
        """The set of parameters of that name: one of PRESETS.

        Raises
        ------
        BadParameterError
            There is none of that name; the message lists those that there are.
        """
        values: dict[str, Any] | None = PRESETS.get(name)
        if values is None:
            raise BadParameterError(
                f"There is no preset {quoted(name)} of model parameters.", hint=f"Choose from: {', '.join(PRESETS)}."
            )
        return cls(**values)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that stand for every value: equal sets have equal ones, on every machine."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]

    def to_json(self) -> dict[str, float]:
        """The parameters by name."""
        return dataclasses.asdict(self)

    def to_array(self) -> np.ndarray:
        """What the kernels take as it is, all but the time constants: float64[PARAMETERS], in the order of P_."""
        values = [value for name, value in self.to_json().items() if not name.startswith("tau_")]
        return np.array(values, np.float64)

    def cell_taus(self) -> tuple[float, float, float, float]:
        """Time constants of a cell's filters in seconds: mass, velocity, acceleration, jerk."""
        return (
            self.tau_mass_seconds,
            self.tau_velocity_seconds,
            self.tau_acceleration_seconds,
            self.tau_jerk_seconds,
        )


def _checked(name: str, value: Any) -> float:
    """A value as the float, or for the reach the integer, that it is."""
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if name == "reach":
        whole = int(value) if is_number and math.isfinite(value) and value == int(value) else value
        return whole_number("The model parameter reach", whole, 0, MOST_REACH, of="buckets")
    is_tau = name.startswith("tau_")
    least, most = (SHORTEST_TAU_SECONDS, math.inf) if is_tau else (0.0, MOST)
    if not is_number or not math.isfinite(value) or not least <= value <= most:
        wanted = "a number of seconds from 1e-9 on" if is_tau else "a number from 0 to 1e9"
        raise BadParameterError(f"The model parameter {name} was {value!r}, expected {wanted}.")
    return float(value)
