"""kernels/contract.py against databento_dbn: whoever changes one notices here."""

from __future__ import annotations

from operator import index
from typing import Any

import databento_dbn
import numpy as np
import pytest

from vp.kernels import contract
from vp.kernels.memory import LINE_BYTES

dbn: Any = databento_dbn


def test_record_layout_is_that_of_databento() -> None:
    theirs = np.dtype(dbn.MBOMsg._dtypes)
    ours = contract.MBO_DTYPE
    assert theirs.names == ours.names
    for name in theirs.names or ():
        assert theirs.fields is not None
        assert ours.fields is not None
        assert ours.fields[name][1] == theirs.fields[name][1], f"offset of {name}"
        assert ours.fields[name][0].itemsize == theirs.fields[name][0].itemsize, f"width of {name}"
    assert ours.itemsize == theirs.itemsize == contract.MBO_BYTES


def test_a_record_of_databento_is_read_back_field_by_field() -> None:
    fields = {
        "publisher_id": 3,
        "instrument_id": 2**32 - 2,
        "ts_event": 1_770_336_000_000_000_001,
        "order_id": 2**62 + 5,
        "price": -37_250_000_000,
        "size": 2**32 - 3,
        "flags": 0xA8,
        "channel_id": 200,
        "ts_recv": 1_770_336_000_000_000_999,
        "ts_in_delta": -12_345,
        "sequence": 2**32 - 4,
    }
    record = dbn.MBOMsg(action=dbn.Action("M"), side=dbn.Side("A"), **fields)
    row = np.frombuffer(bytes(record), contract.MBO_DTYPE)[0]
    assert {name: int(row[name]) for name in fields} == fields
    assert (row["rtype"], row["action"], row["side"]) == (contract.RTYPE_MBO, ord("M"), ord("A"))
    assert 4 * row["length"] == contract.MBO_BYTES == record.record_size()


def test_codes_flags_and_sentinels_are_those_of_databento() -> None:
    actions = {name: value for name, value in vars(contract).items() if name.startswith("ACTION_")}
    sides = {name: value for name, value in vars(contract).items() if name.startswith("SIDE_")}
    assert {chr(code) for code in actions.values()} == {str(action) for action in dbn.Action.variants()}
    assert {chr(code) for code in sides.values()} == {str(side) for side in dbn.Side.variants()}
    for name, code in actions.items():
        assert str(getattr(dbn.Action, name.removeprefix("ACTION_"))) == chr(code)
    for name, code in sides.items():
        assert str(getattr(dbn.Side, name.removeprefix("SIDE_"))) == chr(code)
    flags = {name: value for name, value in vars(contract).items() if name.startswith("FLAG_")}
    assert flags == {name: int(getattr(dbn, name.replace("FLAG_", "F_"))) for name in flags}
    assert contract.UNDEF_PRICE == dbn.UNDEF_PRICE
    assert contract.UNDEF_SIZE == dbn.UNDEF_ORDER_SIZE
    assert index(dbn.RType.MBO) == contract.RTYPE_MBO


@pytest.mark.parametrize(
    ("prefix", "size"),
    [
        ("D_", contract.D_WORDS),
        ("B_", contract.BOOK_SCALARS),
        ("C_", contract.COUNTERS),
        ("E_", contract.ENGINE_SCALARS),
        ("T_", contract.TRADED_INTS),
        ("P_", contract.PARAMETERS),
        ("SLOT_", contract.GROUP_WORDS),
        ("FAR_", contract.FAR_WORDS),
        ("I_", contract.CELL_WORDS),
    ],
)
def test_every_place_in_an_array_has_one_name(prefix: str, size: int) -> None:
    sizes = {"D_WORDS", "FAR_WORDS"}
    places = [value for name, value in vars(contract).items() if name.startswith(prefix) and name not in sizes]
    assert len(set(places)) == len(places)
    assert set(places) <= set(range(size))


def test_quality_bits_are_the_contracts() -> None:
    bits = {name: value for name, value in vars(contract).items() if name.startswith("QUALITY_")}
    assert bits == {
        "QUALITY_EMPTY_SIDE": 1,
        "QUALITY_CROSSED": 2,
        "QUALITY_SNAPSHOT": 4,
        "QUALITY_BAD_BOOK": 8,
        "QUALITY_INCOMPLETE": 16,
        "QUALITY_GAP": 32,
        "QUALITY_INVALID": 63 - 16,
    }


def test_sides_index_pairs() -> None:
    for pair in ("B_BEST_{}", "B_DENSE_{}S", "B_FAR_{}S", "KIND_{}_LEVEL"):
        ask, bid = (getattr(contract, pair.format(side)) for side in ("ASK", "BID"))
        assert (ask + contract.ASK, ask + contract.BID) == (ask, bid)


def test_a_slot_s_rank_holds_every_publisher() -> None:
    assert contract.PUBLISHERS == 1 << 16 == (contract.TAG_MASK + 1) >> contract.KIND_BITS
    assert contract.TAG_SHIFT + contract.TAG_MASK.bit_length() == contract.STAMP_SHIFT
    kinds = (contract.KIND_ORDER, contract.KIND_ASK_LEVEL, contract.KIND_BID_LEVEL, contract.KIND_QUOTE)
    assert kinds == tuple(range(contract.KIND_MASK + 1))


def test_states_of_a_publisher_and_sentinels_of_the_clock_are_distinct() -> None:
    states = [value for name, value in vars(contract).items() if name.startswith("STATE_")]
    assert sum(states) == np.bitwise_or.reduce(states)
    assert contract.STATE_REPLAYS == contract.FLAG_SNAPSHOT
    assert contract.STATE_BIDS == contract.STATE_ASKS << contract.BID
    sentinels = [contract.BOOK_ONLY, contract.CLOCK_KEPT, contract.CLOCK_UNKNOWN, contract.OUTSIDE]
    assert sentinels == sorted(set(sentinels))
    assert min(sentinels) == contract.NO_TIME


def test_names_fill_their_arrays() -> None:
    assert len(contract.COUNTER_NAMES) == len(set(contract.COUNTER_NAMES)) == contract.COUNTERS
    for i, name in enumerate(contract.SCALAR_COLUMNS):
        assert getattr(contract, f"AT_{name.upper()}") == i
    assert len(contract.SCALAR_COLUMNS) == contract.AT_GRID
    assert contract.AT_GRID < contract.AT_GRID_STRIDE < contract.AT_LAST_EVENT_ID < contract.AT_VALIDITY
    assert contract.GRID_COLUMNS.index("last_event_id") == contract.GRID_FLOATS
    assert len(contract.GRID_COLUMNS) == contract.GRID_FLOATS + 1
    assert set(contract.NULLABLE_COLUMNS) < set(contract.SCALAR_COLUMNS)
    for first, names in (
        ("MASS", ("add_mass", "pull_mass", "fill_mass")),
        ("V", ("v_add", "v_pull", "v_fill", "v_rest_depth")),
        ("A", ("a_add", "a_pull", "a_fill", "a_rest_depth")),
        ("J", ("j_add", "j_pull", "j_fill", "j_rest_depth")),
    ):
        for chain, name in enumerate(names):
            assert contract.GRID_COLUMNS[getattr(contract, f"G_{first}") + chain] == name
    for name in ("pressure", "vacuum", "rest_depth", "bought", "sold"):
        assert contract.GRID_COLUMNS[getattr(contract, f"G_{name.upper()}")] == name
    assert tuple(range(contract.CHAINS)) == (contract.ADD, contract.PULL, contract.FILL, contract.REST_DEPTH)
    chains = (contract.F_MASS, contract.F_V, contract.F_A, contract.F_J)
    assert chains == (0, 4, 8, 12)
    filters = (contract.MASS, contract.VELOCITY, contract.ACCELERATION, contract.JERK)
    assert filters == tuple(range(4))
    assert contract.F_J + 4 == contract.F_GAIN
    ints = (contract.I_DEPTH, contract.I_BASELINE, contract.I_TOUCHED_NS, contract.I_EVENT_ID)
    assert ints == tuple(range(contract.F_GAIN + 4, contract.CELL_WORDS))
    assert contract.CELL_WORDS * 8 % LINE_BYTES == contract.DECAY_FLOATS * 8 % LINE_BYTES == 0
    assert contract.DECAY_MASK == 2**contract.DECAY_BITS - 1
    assert 2 * len(filters) == contract.DECAY_FLOATS
    assert contract.RING & contract.RING_MASK == 0
    assert contract.RING_HALF >= 512, "the contract's reach on each side of spot"
    fields = (0, contract.SLOT_PRICE, contract.SLOT_SIZE, contract.SLOT_RANK)
    assert fields == tuple(range(0, contract.GROUP_WORDS, contract.GROUP_SLOTS))
