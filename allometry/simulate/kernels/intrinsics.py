"""What numba lacks: atomic loads and stores on arrays, software prefetch, and libc calls without the GIL."""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_yield_processor = types.ExternalFunction("sched_yield", types.int32())
_sleep_us = types.ExternalFunction("usleep", types.int32(types.uint32))


@intrinsic
def load_acquire(typingctx, array, index):
    """Atomic load with acquire order of an int64 array element."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        struct = context.make_array(signature.args[0])(context, builder, args[0])
        return builder.load_atomic(builder.gep(struct.data, [args[1]]), "acquire", 8)

    return types.int64(array, index), codegen


@intrinsic
def store_release(typingctx, array, index, value):
    """Atomic store with release order to an int64 array element."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        struct = context.make_array(signature.args[0])(context, builder, args[0])
        builder.store_atomic(args[2], builder.gep(struct.data, [args[1]]), "release", 8)
        return context.get_dummy_value()

    return types.void(array, index, types.int64), codegen


def _word(builder: Any, args: Any) -> Any:
    return builder.gep(builder.inttoptr(args[0], ir.IntType(64).as_pointer()), [args[1]])


@intrinsic
def peek(typingctx, base, index):
    """Load the int64 number `index` behind an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_word(builder, args))

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def peek_acquire(typingctx, base, index):
    """Atomic load with acquire order of the int64 number `index` behind an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_word(builder, args), "acquire", 8)

    return types.int64(types.int64, types.int64), codegen


def _prefetch(context: Any, builder: Any, signature: Any, args: Any, write: int) -> Any:
    struct = context.make_array(signature.args[0])(context, builder, args[0])
    pointer = builder.gep(struct.data, [args[1]])
    byte_pointer = ir.IntType(8).as_pointer()
    i32 = ir.IntType(32)
    function_type = ir.FunctionType(ir.VoidType(), [byte_pointer, i32, i32, i32])
    function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0")
    flags = [ir.Constant(i32, value) for value in (write, 3, 1)]
    builder.call(function, [builder.bitcast(pointer, byte_pointer), *flags])
    return context.get_dummy_value()


@intrinsic
def prefetch(typingctx, array, index):
    """Ask for the cache line of an array element, for reading."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _prefetch(context, builder, signature, args, write=0)

    return types.void(array, index), codegen


@intrinsic
def prefetch_write(typingctx, array, index):
    """Ask for the cache line of an array element, for writing."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _prefetch(context, builder, signature, args, write=1)

    return types.void(array, index), codegen


@intrinsic
def address(typingctx, array, offset):
    """Return the address of an array's data plus an offset in bytes, for libc calls."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        struct = context.make_array(signature.args[0])(context, builder, args[0])
        data = builder.bitcast(struct.data, ir.IntType(8).as_pointer())
        return builder.gep(data, [args[1]])

    return types.voidptr(array, offset), codegen


def _called(builder: Any, signature: Any, args: Any) -> Any:
    """Call what is at the address `args[0]`: handles and numbers go in registers of 64 bits, of which an int uses the lower half."""
    kinds = [arg.type for arg in args[1:]]
    function = ir.FunctionType(ir.IntType(32), kinds).as_pointer()
    return builder.call(builder.inttoptr(args[0], function), args[1:])


@intrinsic
def transfer(typingctx, function, buffer, count, kind, peer, tag, communicator, request):
    """Call `MPI_Isend` or `MPI_Irecv` at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _called(builder, signature, args)

    word, pointer = types.int64, types.voidptr
    return types.int32(word, pointer, word, word, word, word, word, pointer), codegen


@intrinsic
def test(typingctx, function, request, flag, status):
    """Call `MPI_Test` at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _called(builder, signature, args)

    return types.int32(types.int64, types.voidptr, types.voidptr, types.voidptr), codegen


def _without_owner(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        kinds: tuple[Any, ...] = tuple(kind)
        parts = cgutils.unpack_tuple(builder, value, len(kinds))
        return context.make_tuple(
            builder, kind, [_without_owner(context, builder, *part) for part in zip(kinds, parts)]
        )
    return value


@intrinsic
def borrowed(typingctx, given):
    """Return an array, or a tuple with all arrays in it, whose references are not counted; anything else as it is.

    numba counts references where a loop takes an array from a tuple, by atomic operations on one cache line per array: of
    arrays that threads share, the line then travels between their cores hundreds of times per step. Only for arrays that
    their owner keeps for as long as the result is in use, such as those that Python passes.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _without_owner(context, builder, signature.args[0], args[0])

    return given(given), codegen


@njit(nogil=True)
def pause(spins, patience):
    """Wait a moment: spin at first, then give the core away, then sleep, so that a taken core costs little."""
    if spins > 400 * patience:
        _sleep_us(types.uint32(50))
    elif spins > 40 * patience:
        _yield_processor()
    return spins + 1


@njit(nogil=True)
def arrive(flags, mine, generation):
    """Say that this thread has reached `generation`; `flags` has eight int64 per thread, so that no two share a cache line."""
    store_release(flags, mine * 8, generation)


@njit(nogil=True)
def await_all(flags, count, generation, abort, patience):
    """Wait until all `count` threads have reached `generation`; returns False if `abort[0]` was raised meanwhile.

    `patience` scales how long a thread spins before it sleeps.
    """
    for other in range(count):
        spins = 0
        while load_acquire(flags, other * 8) < generation:
            spins = pause(spins, patience)
            if spins & 255 == 0 and load_acquire(abort, 0) != 0:
                return False
    return load_acquire(abort, 0) == 0
