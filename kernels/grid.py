"""The grid: the cells around spot read at the clock, the forces that they make, and what was traded there."""

from __future__ import annotations

from .cells import ROW_FLOATS, read_cell
from .contract import (
    ADD,
    B_CLOCK,
    B_SPOT,
    CHAINS,
    E_FRAME,
    E_K,
    E_TRADED_BUCKETS,
    FILL,
    G_A,
    G_BOUGHT,
    G_MASS,
    G_PRESSURE,
    G_SOLD,
    G_V,
    G_VACUUM,
    GRID_FLOATS,
    NO_BUCKET,
    P_PRESSURE_ACCEL,
    P_PRESSURE_ADD,
    P_PRESSURE_REST,
    P_VACUUM_ACCEL,
    P_VACUUM_FILL,
    P_VACUUM_PULL,
    P_VACUUM_REST,
    PULL,
    REST_DEPTH,
    T_BOUGHT,
    T_FRAME,
    T_SOLD,
)
from .interval import find_traded
from .jit import kernel, step
from .state import BookState, Float64s, Model
from .vectors import LANES, load_four, positive, store_four, transpose


@step
def grid_stride(grid: Float64s) -> int:
    """How many values each column of the grid has room for: the rows, rounded up to fours."""
    return (grid.size - LANES * ROW_FLOATS) // GRID_FLOATS


@step
def read_chains(book: BookState, model: Model, grid: Float64s) -> None:
    """Read the cells around spot into the columns of masses, rest depth and chains: four rows, turned, at a time."""
    stride = grid_stride(grid)
    first = book.scalars[B_SPOT] - model.scalars[E_K]
    rows = GRID_FLOATS * stride  # room for four rows behind the columns
    for row in range(0, stride, LANES):
        for i in range(LANES):
            bucket = first + row + i
            read_cell(model.cells, model.decay, bucket, book.scalars[B_CLOCK], grid, rows + i * ROW_FLOATS)
        for level in range(4):
            at = rows + level * CHAINS
            columns = transpose(
                load_four(grid, at),
                load_four(grid, at + ROW_FLOATS),
                load_four(grid, at + 2 * ROW_FLOATS),
                load_four(grid, at + 3 * ROW_FLOATS),
            )
            for chain in range(CHAINS):
                store_four(grid, (G_MASS + level * CHAINS + chain) * stride + row, columns[chain])


@step
def weigh_forces(parameters: Float64s, grid: Float64s) -> None:
    """Work out pressure and vacuum of every row from its velocities and accelerations."""
    stride = grid_stride(grid)
    for row in range(0, stride, LANES):
        rest = load_four(grid, (G_V + REST_DEPTH) * stride + row)
        pressure = (
            parameters[P_PRESSURE_ADD] * load_four(grid, (G_V + ADD) * stride + row)
            + parameters[P_PRESSURE_REST] * positive(rest)
            + parameters[P_PRESSURE_ACCEL] * positive(load_four(grid, (G_A + ADD) * stride + row))
        )
        vacuum = (
            parameters[P_VACUUM_PULL] * load_four(grid, (G_V + PULL) * stride + row)
            + parameters[P_VACUUM_FILL] * load_four(grid, (G_V + FILL) * stride + row)
            + parameters[P_VACUUM_REST] * positive(-1.0 * rest)
            + parameters[P_VACUUM_ACCEL] * positive(load_four(grid, (G_A + PULL) * stride + row))
        )
        store_four(grid, G_PRESSURE * stride + row, pressure)
        store_four(grid, G_VACUUM * stride + row, vacuum)


@step
def read_traded(book: BookState, model: Model, grid: Float64s) -> None:
    """Read what has been traded since the last frame into the columns of the rows around spot."""
    stride = grid_stride(grid)
    first = book.scalars[B_SPOT] - model.scalars[E_K]
    grid[G_BOUGHT * stride : (G_SOLD + 1) * stride] = 0.0
    if model.scalars[E_TRADED_BUCKETS] == 0:
        return
    for row in range(2 * model.scalars[E_K] + 1):
        at = find_traded(model, first + row)
        if model.traded[at + T_FRAME] == model.scalars[E_FRAME]:
            grid[G_BOUGHT * stride + row] = float(model.traded[at + T_BOUGHT])
            grid[G_SOLD * stride + row] = float(model.traded[at + T_SOLD])


@kernel
def read_grid(book: BookState, model: Model, grid: Float64s) -> None:
    """Read the rows around spot at the clock, k ascending, into the columns of `grid` (frames.new_grid)."""
    if book.scalars[B_SPOT] == NO_BUCKET:
        grid[:] = 0.0
        return
    read_chains(book, model, grid)
    weigh_forces(model.parameters, grid)
    read_traded(book, model, grid)
