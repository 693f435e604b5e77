"""The state of the model that the kernels work on: one that has seen nothing, and one with more room."""

from __future__ import annotations

import numpy as np

from vp.kernels import interval as interval_kernels
from vp.kernels.contract import (
    CELL_WORDS,
    E_CENTRE,
    E_FRAME,
    E_LAST_FRAME_NS,
    E_LAST_TRADE_NS,
    E_QUOTE_BID,
    ENGINE_SCALARS,
    I_TOUCHED_NS,
    NO_BID,
    NO_BUCKET,
    NO_TIME,
    RING,
    TRADED_INTS,
)
from vp.kernels.memory import words_on_lines
from vp.kernels.state import Cells, Model
from vp.model.decay_table import decay_table
from vp.model.parameters import ModelParameters

FIRST_TRADED_ENTRIES = 1 << 12


def new_model(parameters: ModelParameters) -> Model:
    """A model that has seen nothing yet."""
    scalars = np.zeros(ENGINE_SCALARS, np.int64)
    scalars[E_CENTRE] = NO_BUCKET
    scalars[E_LAST_FRAME_NS] = NO_TIME
    scalars[E_LAST_TRADE_NS] = NO_TIME
    scalars[E_FRAME] = 1
    scalars[E_QUOTE_BID] = NO_BID
    return Model(
        cells=_new_cells(),
        outer=_new_cells(),
        outer_bucket=np.full(RING, NO_BUCKET, np.int64),
        traded=np.zeros(FIRST_TRADED_ENTRIES * TRADED_INTS, np.int64),
        scalars=scalars,
        parameters=parameters.to_array(),
        decay=decay_table(parameters.cell_taus()),
        baseline_decay=decay_table((parameters.tau_baseline_seconds,) * 4),
        baseline=np.zeros(1),
        notes=np.zeros(0, np.int64),
    )


def with_more_room(model: Model) -> Model:
    """The model with a table of traded buckets twice as large: at most half of it is ever in use."""
    grown = model._replace(traded=np.zeros(2 * model.traded.size, np.int64))
    interval_kernels.move_traded(model, grown)
    return grown


def _new_cells() -> Cells:
    words = words_on_lines(RING * CELL_WORDS)
    words[I_TOUCHED_NS::CELL_WORDS] = NO_TIME
    return Cells(words.view(np.float64), words)
