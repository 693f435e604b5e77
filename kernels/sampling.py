"""The engine's loop with a frame for each moment of a clock grid, instead of one for each span of event time."""

from __future__ import annotations

from .contract import (
    B_CLOCK,
    E_LAST_FRAME_NS,
    FLAG_LAST,
    FULL,
    LADDER_LEVELS,
    N_EVENT_ENDS,
    N_FLOW,
    N_NEXT_SAMPLE_NS,
    N_OPEN,
    N_SAMPLE_NS,
    N_SAMPLED_ENDS,
    N_SAMPLES,
    NO_TIME,
    REACHED,
    SAMPLE_EVENT_ENDS,
    SAMPLE_FLOW,
)
from .engine import advance
from .frame import write_frame
from .jit import kernel
from .state import BookState, Columns, FrameBuffer, Int64s, Model


@kernel
def advance_to_samples(
    columns: Columns, first: int, until: int, book: BookState, model: Model, frames: FrameBuffer, samples: Int64s
) -> tuple[int, int]:
    """Run records as `engine.advance` does, and read the frame of each moment of the clock grid.

    That is the frame of the last event end up to the moment; it comes once, however many moments it is of. A moment
    within an event has none of its own. Beside each, `samples` gets what the frame has not: event ends and order flow
    so far. The engine must emit, and never find a frame due but its first, which is written over.

    Returns (row of the next record, why it stopped); N_SAMPLES says how many frames there are.
    """
    notes = model.notes
    while True:
        due = min(notes[N_NEXT_SAMPLE_NS] + 1, until)
        first, _, why = advance(columns, first, due, book, model, frames, notes[N_SAMPLES])
        if first > 0:
            notes[N_OPEN] = 0 if columns.flags[first - 1] & FLAG_LAST else 1
        if why == FULL:
            continue  # of the first frame, which the next one takes the place of
        if why != REACHED or due == until:
            return first, why
        clock = book.scalars[B_CLOCK]
        is_new = notes[N_EVENT_ENDS] != notes[N_SAMPLED_ENDS]
        if notes[N_OPEN] == 0 and is_new and model.scalars[E_LAST_FRAME_NS] != NO_TIME:
            sample = notes[N_SAMPLES]
            write_frame(book, model, frames, sample)
            samples[sample, SAMPLE_EVENT_ENDS] = notes[N_EVENT_ENDS]
            for level in range(LADDER_LEVELS):
                samples[sample, SAMPLE_FLOW + level] = notes[N_FLOW + level]
            notes[N_SAMPLED_ENDS] = notes[N_EVENT_ENDS]
            notes[N_SAMPLES] += 1
        period = notes[N_SAMPLE_NS]
        reached = max(columns.clock_ns[first], clock)
        notes[N_NEXT_SAMPLE_NS] = -(-reached // period) * period
        if notes[N_SAMPLES] == frames.uint8s.shape[0]:
            return first, FULL
