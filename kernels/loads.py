"""Little-endian integers out of a byte array, at any byte: one machine load each.

DBN records of versions 1 and 2 do not begin at multiples of 8, so the bytes cannot be viewed as integers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending, types


def intrinsic(function: Any) -> Any:
    """An operation that is written in LLVM's terms."""
    return extending.intrinsic(function)


def _load(context: Any, builder: Any, signature: Any, arguments: Any, bits: int) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    pointer = builder.gep(array.data, [arguments[1]])
    return builder.load(builder.bitcast(pointer, ir.IntType(bits).as_pointer()), align=1)


@intrinsic
def load_i64(_typing: Any, data: Any, _at: Any) -> Any:
    """Int64 at byte `_at` of `data` (uint8 array); the caller has checked the bounds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _load(context, builder, signature, arguments, 64)

    return types.int64(data, types.int64), generate


@intrinsic
def load_u32(_typing: Any, data: Any, _at: Any) -> Any:
    """Uint32 at byte `_at` of `data` (uint8 array), as int64; the caller has checked the bounds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.zext(_load(context, builder, signature, arguments, 32), ir.IntType(64))

    return types.int64(data, types.int64), generate


@intrinsic
def prefetch(_typing: Any, data: Any, _at: Any) -> Any:
    """Ask for the cache line of element `_at` of `data` (int64 array) ahead of its use; changes no result."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(8).as_pointer())
        flag = ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch",
            [pointer.type],
            ir.FunctionType(ir.VoidType(), [pointer.type, flag, flag, flag]),
        )
        builder.call(function, [pointer, flag(1), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(data, types.int64), generate
