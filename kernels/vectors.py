"""Four float64 as one value: what add, pull, fill and rest depth, or the four filters of a cell, go through together.

They have `+`, `-` and `*`, and `+` and `*` with a float64 on the left. LLVM does not find by itself that the four are
one vector. Each lane is rounded as a float64 by itself is, so that results are those of four scalars. Interpreted
(NUMBA_DISABLE_JIT=1), the four are a numpy array.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, types

from .intrinsics import I32, operation

LANES = 4
VECTOR = ir.VectorType(ir.DoubleType(), LANES)


class FourFloatsType(types.Type):
    """numba's type of the four."""

    def __init__(self) -> None:
        super().__init__(name="FourFloats")


four_floats = FourFloatsType()


@extending.register_model(FourFloatsType)
class FourFloatsModel(extending.models.PrimitiveModel):
    """In LLVM they are a vector."""

    def __init__(self, manager: Any, number_type: Any) -> None:
        super().__init__(manager, number_type, VECTOR)  # type: ignore[no-untyped-call]


def _type_of_difference(_context: Any) -> Any:
    return lambda left, right: four_floats if left == right == four_floats else None


def _type_of_sum_or_product(_context: Any) -> Any:
    return lambda left, right: four_floats if left in {types.float64, four_floats} and right == four_floats else None


def _define(symbol: Any, type_of: Any, instruction: str, *kinds: Any) -> None:
    """Give an operator of the four its type, and the instruction for each kind of left operand."""

    def lower(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right = arguments
        four = left if signature.args[0] == four_floats else _filled(builder, [left] * LANES)
        return getattr(builder, instruction)(four, right)

    numba_extending: Any = extending  # has no types
    numba_extending.type_callable(symbol)(type_of)
    for kind in kinds:
        numba_extending.lower_builtin(symbol, kind, four_floats)(lower)


_define(operator.add, _type_of_sum_or_product, "fadd", four_floats, types.float64)
_define(operator.sub, _type_of_difference, "fsub", four_floats)
_define(operator.mul, _type_of_sum_or_product, "fmul", four_floats, types.float64)


def _filled(builder: Any, lanes: Any) -> Any:
    vector = ir.Constant(VECTOR, ir.Undefined)
    for lane, value in enumerate(lanes):
        vector = builder.insert_element(vector, value, I32(lane))
    return vector


def _make(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    return _filled(builder, arguments)


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.bitcast(builder.gep(array.data, [arguments[1]]), VECTOR.as_pointer())


def _load(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.load(_place(context, builder, signature, arguments), align=8)


def _store(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    builder.store(arguments[2], _place(context, builder, signature, arguments), align=8)
    return context.get_dummy_value()


def _store_singles(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    singles = ir.VectorType(ir.FloatType(), LANES)
    place = builder.bitcast(builder.gep(array.data, [arguments[1]]), singles.as_pointer())
    builder.store(builder.fptrunc(arguments[2], singles), place, align=4)
    return context.get_dummy_value()


def _lane(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    return builder.extract_element(*arguments)


def _positive(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    zero = ir.Constant(VECTOR, [0.0] * LANES)
    return builder.select(builder.fcmp_ordered(">", arguments[0], zero), arguments[0], zero)


def _at_most(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    four, most = arguments[0], _filled(builder, [arguments[1]] * LANES)
    return builder.select(builder.fcmp_ordered("<", four, most), four, most)


def _transpose(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    def shuffled(left: Any, right: Any, *lanes: int) -> Any:
        return builder.shuffle_vector(left, right, ir.Constant(ir.VectorType(I32, LANES), lanes))

    pairs = [
        shuffled(*rows, *lanes) for rows in (arguments[:2], arguments[2:]) for lanes in ((0, 4, 1, 5), (2, 6, 3, 7))
    ]
    columns = [shuffled(pairs[i], pairs[i + 2], *lanes) for i in (0, 1) for lanes in ((0, 1, 4, 5), (2, 3, 6, 7))]
    return context.make_tuple(builder, signature.return_type, columns)


def _twin_store(data: Any, at: Any, four: Any) -> None:
    data.reshape(-1)[at : at + LANES] = four


# (float64, float64, float64, float64) -> the four.
make_four = operation(four_floats, (types.float64,) * LANES, _make, lambda *lanes: np.array(lanes, np.float64))
# (data: float64[:], at: int64) -> data[at : at + 4]; the caller has checked the bounds.
load_four = operation(four_floats, (None, types.int64), _load, lambda data, at: data[at : at + LANES].copy())
# (data: float64[:], at: int64, four): data[at : at + 4] = four; the caller has checked the bounds.
store_four = operation(types.void, (None, types.int64, four_floats), _store, _twin_store)
# (data: float32[...], at: int64, four): the same into an array of any dimensions, counted flat.
store_singles = operation(types.void, (None, types.int64, four_floats), _store_singles, _twin_store)
# (four, lane: int64) -> float64.
lane_of = operation(types.float64, (four_floats, types.int64), _lane, lambda four, lane: four[lane])
# (four) -> those above zero, and zero for the others.
positive = operation(four_floats, (four_floats,), _positive, lambda four: np.where(four > 0.0, four, 0.0))
# (four, most: float64) -> those below `most`, and `most` for the others.
at_most = operation(
    four_floats, (four_floats, types.float64), _at_most, lambda four, most: np.where(four < most, four, most)
)
# (four rows of four) -> their four columns.
transpose = operation(
    types.UniTuple(four_floats, LANES),  # type: ignore[no-untyped-call]
    (four_floats,) * LANES,
    _transpose,
    lambda *rows: tuple(np.array(rows).T),
)
