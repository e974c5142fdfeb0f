"""Three instructions that numba has no name for."""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic


def _address(context, builder, array_type, array, index):
    array = context.make_array(array_type)(context, builder, array)
    pointer = builder.gep(array.data, [index])
    return builder.bitcast(pointer, ir.IntType(8).as_pointer())


@intrinsic
def prefetch(typing, array, index):
    """Ask for the cache line of array[index], early: nothing waits for it."""

    def generate(context, builder, signature, arguments):
        pointer = _address(context, builder, signature.args[0], *arguments)
        number = ir.IntType(32)
        function_type = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0")
        builder.call(function, [pointer, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@intrinsic
def eight_bytes(typing, array, index):
    """Read array[index : index + 8] of a byte array as one little-endian number."""

    def generate(context, builder, signature, arguments):
        pointer = _address(context, builder, signature.args[0], *arguments)
        word = builder.load(builder.bitcast(pointer, ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return types.uint64(array, types.int64), generate


@intrinsic
def trailing_zeros(typing, number):
    """Count the zero bits below the lowest one bit."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.uint64(types.uint64), generate
