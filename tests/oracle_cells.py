"""One price bucket of SPEC 4, one formula at a time, in plain Python.

A cell keeps what it was before the current instant and the deltas of that instant, and works its state out
from both whenever it is asked, so that same-clock touches add up by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, expm1

from tests.oracle_records import Touch

MASSES = ("add", "pull", "fill")
CHAINS = ("add", "pull", "fill", "rest_depth")


@dataclass(frozen=True)
class OracleParameters:
    """Defaults of SPEC 4."""

    mass_tau_seconds: float = 30.0
    v_tau_seconds: float = 2.0
    a_tau_seconds: float = 5.0
    j_tau_seconds: float = 10.0
    pressure_v_add: float = 1.0
    pressure_v_rest_depth: float = 0.5
    pressure_a_add: float = 0.3
    vacuum_v_pull: float = 1.0
    vacuum_v_fill: float = 1.5
    vacuum_v_rest_depth: float = 0.5
    vacuum_a_pull: float = 0.3
    baseline_tau_seconds: float = 60.0
    weak_fraction: float = 0.25
    enter_score: float = 0.2
    leave_score: float = 0.1
    reach: int = 0


DEFAULT_PARAMETERS = OracleParameters()
TOUCH_PARAMETERS = OracleParameters(v_tau_seconds=10.0, a_tau_seconds=25.0, j_tau_seconds=50.0, reach=1)


@dataclass
class CellState:
    mass: dict[str, float] = field(default_factory=lambda: dict.fromkeys(MASSES, 0.0))
    v: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CHAINS, 0.0))
    a: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CHAINS, 0.0))
    j: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CHAINS, 0.0))


def alpha(dt_seconds: float, tau_seconds: float) -> float:
    return -expm1(-dt_seconds / tau_seconds)


def kept(dt_seconds: float, tau_seconds: float) -> float:
    """``1 - alpha``, which no silence makes negative."""
    return exp(-dt_seconds / tau_seconds)


def touched(before: CellState, deltas: dict[str, float], dt: float, p: OracleParameters) -> CellState:
    """SPEC 4, "A touch", word by word; `dt` in seconds."""
    after = CellState()
    for name in MASSES:
        after.mass[name] = before.mass[name] * kept(dt, p.mass_tau_seconds) + deltas[name]
    for name in CHAINS:
        d, v, a, j = deltas[name], before.v[name], before.a[name], before.j[name]
        v1 = alpha(dt, p.v_tau_seconds) * (d / dt) + kept(dt, p.v_tau_seconds) * v
        a1 = alpha(dt, p.a_tau_seconds) * ((v1 - v) / dt) + kept(dt, p.a_tau_seconds) * a
        j1 = alpha(dt, p.j_tau_seconds) * ((a1 - a) / dt) + kept(dt, p.j_tau_seconds) * j
        after.v[name], after.a[name], after.j[name] = v1, a1, j1
    return after


def pressure(state: CellState, p: OracleParameters) -> float:
    return (
        p.pressure_v_add * state.v["add"]
        + p.pressure_v_rest_depth * max(state.v["rest_depth"], 0.0)
        + p.pressure_a_add * max(state.a["add"], 0.0)
    )


def vacuum(state: CellState, p: OracleParameters) -> float:
    return (
        p.vacuum_v_pull * state.v["pull"]
        + p.vacuum_v_fill * state.v["fill"]
        + p.vacuum_v_rest_depth * max(-state.v["rest_depth"], 0.0)
        + p.vacuum_a_pull * max(state.a["pull"], 0.0)
    )


class Cell:
    """One bucket: its state `before` the instant `clock_ns`, and the `deltas` of that instant."""

    def __init__(self, clock_ns: int, depth: int) -> None:
        self.clock_ns = clock_ns
        self.dt_seconds: float | None = None  # none: the first instant of this bucket
        self.before = CellState()
        self.deltas = dict.fromkeys(CHAINS, 0.0)
        self.depth_baseline = depth
        self.last_event_id = 0

    def state(self, p: OracleParameters) -> CellState:
        if self.dt_seconds is None:
            return CellState(mass={name: self.deltas[name] for name in MASSES})
        return touched(self.before, self.deltas, self.dt_seconds, p)

    def touch(self, clock_ns: int, touch: Touch, depth: int, event_id: int, p: OracleParameters) -> None:
        if clock_ns > self.clock_ns:
            self.before = self.state(p)
            self.dt_seconds = (clock_ns - self.clock_ns) / 1e9
            self.clock_ns = clock_ns
            self.deltas = dict.fromkeys(CHAINS, 0.0)
        self.deltas["add"] += touch.add
        self.deltas["pull"] += touch.pull
        self.deltas["fill"] += touch.fill
        self.deltas["rest_depth"] += depth - self.depth_baseline
        self.depth_baseline = depth
        self.last_event_id = event_id

    def read(self, clock_ns: int, p: OracleParameters) -> CellState:
        """What a zero-delta touch at `clock_ns` would leave."""
        if clock_ns == self.clock_ns:
            return self.state(p)
        return touched(self.state(p), dict.fromkeys(CHAINS, 0.0), (clock_ns - self.clock_ns) / 1e9, p)
