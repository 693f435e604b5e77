"""The parameters of the two-force model."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from dataclasses import dataclass

import numpy as np

from vp.errors import BadParameterError, quoted
from vp.kernels.contract import P_HARMONIC, PARAMETERS


@dataclass(frozen=True)
class ModelParameters:
    """Time constants in seconds, weights and thresholds without unit (docs/frames.md)."""

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

    def __post_init__(self) -> None:
        for name, value in self.to_json().items():
            if not math.isfinite(value) or value < 0 or (name.startswith("tau_") and value == 0):
                wanted = "a positive" if name.startswith("tau_") else "a non-negative"
                raise BadParameterError(f"The model parameter {name} was {value!r}, expected {wanted} number.")

    @classmethod
    def preset(cls, name: str) -> ModelParameters:
        """A set out of PRESETS; raises BadParameterError."""
        if name not in PRESETS:
            raise BadParameterError(f"There is no preset {quoted(name)}.", hint=f"There are {', '.join(PRESETS)}.")
        return PRESETS[name]

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that stand for every value: equal sets have equal ones."""
        text = ",".join(f"{name}={value!r}" for name, value in self.to_json().items())
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, float]:
        """The parameters by name."""
        return dataclasses.asdict(self)

    def to_array(self) -> np.ndarray:
        """The parameters as the kernels take them: float64[PARAMETERS], in the order of the P_ constants."""
        array = np.zeros(PARAMETERS)
        values = list(self.to_json().values())
        array[: len(values)] = values
        mass = self.tau_mass_seconds
        array[P_HARMONIC] = (
            mass == 3 * self.tau_jerk_seconds
            and mass == 6 * self.tau_acceleration_seconds
            and mass == 15 * self.tau_velocity_seconds
        )
        return array


PRESETS = {
    "default": ModelParameters(),
    "touch": ModelParameters(tau_velocity_seconds=10.0, tau_acceleration_seconds=25.0, tau_jerk_seconds=50.0),
}
