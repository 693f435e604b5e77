"""Operations that numba has no words for: unaligned loads, prefetch, comparing four words at once, counting
zero bits, arithmetic modulo 2**64.

numba promises LLVM that `+`, `-` and `*` of int64 never overflow, so arithmetic that is meant to wrap around
must not be written with them. Each operation has a plain Python twin for runs with NUMBA_DISABLE_JIT=1.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba import extending, types

I8, I32, I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
WORD = 2**64


def operation(result: Any, parameters: tuple[Any, ...], generate: Any, twin: Any) -> Any:
    """An operation on `parameters` (None: an array): `generate` writes its LLVM, `twin` is the same in Python."""
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return twin

    def typed(*given: Any) -> Any:
        return result(*(own or other for own, other in zip(parameters, given, strict=True))), generate

    by_count: dict[int, Any] = {  # numba reads the number of arguments off the signature
        1: lambda _typing, first: typed(first),
        2: lambda _typing, first, second: typed(first, second),
        3: lambda _typing, first, second, third: typed(first, second, third),
        4: lambda _typing, first, second, third, fourth: typed(first, second, third, fourth),
    }
    return extending.intrinsic(by_count[len(parameters)])


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


def _load_i64(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    pointer = _pointer(context, builder, signature, arguments)
    return builder.load(builder.bitcast(pointer, I64.as_pointer()), align=1)


def _load_u32(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    pointer = _pointer(context, builder, signature, arguments)
    return builder.zext(builder.load(builder.bitcast(pointer, I32.as_pointer()), align=1), I64)


def _prefetch(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    pointer = builder.bitcast(_pointer(context, builder, signature, arguments), I8.as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [pointer.type, I32, I32, I32])
    function = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
    builder.call(function, [pointer, I32(1), I32(3), I32(1)])  # to write, keep in all caches, data
    return context.get_dummy_value()


def _four_equal(builder: Any, words: Any, wanted: Any) -> Any:
    return builder.zext(builder.bitcast(builder.icmp_signed("==", words, wanted), ir.IntType(4)), I64)


def _four_of(builder: Any, value: Any) -> Any:
    four = ir.Constant(ir.VectorType(I64, 4), ir.Undefined)
    for lane in range(4):
        four = builder.insert_element(four, value, I32(lane))
    return four


def _load_four(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    pointer = _pointer(context, builder, signature, arguments)
    return builder.load(builder.bitcast(pointer, ir.VectorType(I64, 4).as_pointer()), align=8)


def _match_four(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    words = _load_four(context, builder, signature, arguments)
    return _four_equal(builder, words, _four_of(builder, arguments[2]))


def _match_four_bits(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    words = _load_four(context, builder, signature, arguments)
    bits = builder.and_(words, _four_of(builder, arguments[2]))
    return _four_equal(builder, bits, _four_of(builder, arguments[3]))


def _count_zeros(name: str) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(I64, [I64, ir.IntType(1)])
        function = builder.module.declare_intrinsic(name, [I64], kind)
        return builder.call(function, [arguments[0], ir.IntType(1)(0)])

    return generate


def _multiply(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    return builder.mul(*arguments)


def _subtract(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    return builder.sub(*arguments)


def _rotate_right(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    value, count = arguments
    function = builder.module.declare_intrinsic("llvm.fshr", [I64], ir.FunctionType(I64, [I64, I64, I64]))
    return builder.call(function, [value, value, count])


def wrapped(number: int) -> int:
    """The int64 whose bits are the low 64 of `number`."""
    number %= WORD
    return number - WORD if number >= WORD // 2 else number


def _twin_rotate_right(value: Any, count: Any) -> int:
    bits, count = int(value) % WORD, int(count)
    return wrapped(bits >> count | bits << (64 - count))


# (data: uint8[:], at: int64) -> int64: the little-endian integer at byte `at`; the caller has checked the bounds.
load_i64 = operation(
    types.int64,
    (None, types.int64),
    _load_i64,
    lambda data, at: int.from_bytes(data[at : at + 8].tobytes(), "little", signed=True),
)
load_u32 = operation(
    types.int64,
    (None, types.int64),
    _load_u32,
    lambda data, at: int.from_bytes(data[at : at + 4].tobytes(), "little"),
)
# (data: int64[:], at: int64): ask for the cache line of element `at` ahead of its use; changes no result.
prefetch = operation(types.void, (None, types.int64), _prefetch, lambda _data, _at: None)
# (data: int64[:], at: int64, value: int64) -> int64: bit k (0 to 3) tells whether data[at + k] == value; the
# caller has checked the bounds.
match_four = operation(
    types.int64,
    (None, types.int64, types.int64),
    _match_four,
    lambda data, at, value: sum(int(data[at + k] == value) << k for k in range(4)),
)
# (data: int64[:], at: int64, mask: int64, value: int64) -> int64: as `match_four`, of data[at + k] & mask.
match_four_bits = operation(
    types.int64,
    (None, types.int64, types.int64, types.int64),
    _match_four_bits,
    lambda data, at, mask, value: sum(int(int(data[at + k]) & mask == value) << k for k in range(4)),
)
# (int64) -> int64: zero bits above the highest, and below the lowest, bit that is one; 64 for 0.
leading_zeros = operation(
    types.int64, (types.int64,), _count_zeros("llvm.ctlz"), lambda value: 64 - (int(value) % WORD).bit_length()
)
trailing_zeros = operation(
    types.int64,
    (types.int64,),
    _count_zeros("llvm.cttz"),
    lambda value: (int(value) & -int(value)).bit_length() - 1 if value else 64,
)
# (int64, int64) -> int64, modulo 2**64.
multiply_wrapping = operation(types.int64, (types.int64, types.int64), _multiply, lambda a, b: wrapped(int(a) * int(b)))
subtract_wrapping = operation(types.int64, (types.int64, types.int64), _subtract, lambda a, b: wrapped(int(a) - int(b)))
# (value: int64, count: int64 of 0 to 63) -> int64.
rotate_right = operation(types.int64, (types.int64, types.int64), _rotate_right, _twin_rotate_right)
