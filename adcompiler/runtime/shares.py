"""Work on the elements of one array, cut into shares that Numba's threads do at once.

It is written into a function with parallel loops, where no loop of them runs, and handed to the pool of
threads that runs these.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils
from numba.core.targetconfig import ConfigStack

LARGE = 1 << 17
"""From how many bytes on threads are worth it."""
_LINE = 64
"""Shares begin where no other thread's line of the cache does."""
_IN_LOOP = "__numba_parfor_gufunc"


def is_around_loops(builder):
    """Tell whether this is a function with parallel loops, and not the body of one."""
    flags = ConfigStack.top_or_none()
    return flags is not None and flags.auto_parallel.enabled and _IN_LOOP not in builder.function.name


def in_shares(builder, name, write, data, size, given=()):
    """Write what lets threads work on shares of some memory.

    Args:
        builder: what writes instructions.
        name: a name for what is done, the same for the same types.
        write: writes what is done with a share, given a builder, its place, its size in bytes, and `given`.
        data: where the memory begins.
        size: how many bytes it has.
        given: further values that all shares need.
    """
    word, pointer = size.type, cgutils.voidptr_t
    threads = builder.call(
        cgutils.get_or_insert_function(builder.module, ir.FunctionType(word, []), "get_num_threads"), []
    )
    share = builder.udiv(builder.add(size, builder.sub(threads, word(1))), threads)
    share = builder.and_(builder.add(share, word(_LINE - 1)), word(-_LINE))
    start = builder.bitcast(data, pointer)
    values = (builder.gep(start, [size]), *given)
    places = [cgutils.alloca_once_value(builder, value) for value in (start, threads, share)]
    places.append(cgutils.alloca_once_value(builder, cgutils.pack_struct(builder, values)))
    kind = ir.FunctionType(ir.VoidType(), [*[pointer] * 5, *[word] * 3])
    at_once = cgutils.get_or_insert_function(builder.module, kind, "numba_parallel_for")
    work = _work(builder.module, name, write, word, [value.type for value in values])
    handed = (builder.bitcast(one, pointer) for one in (work, *places))
    builder.call(at_once, [*handed, word(0), word(1), threads])


def _work(module, name, write, word, kinds):
    """Return the function that does some shares: from a place on, but not beyond the end."""
    known, pointer = module.globals.get(name), cgutils.voidptr_t
    if known is not None:
        return known
    words = word.as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [pointer.as_pointer(), words, words, pointer])
    made = ir.Function(module, kind, name)
    made.linkage = "internal"
    starts, counts, steps, handed = made.args
    builder = ir.IRBuilder(made.append_basic_block())
    values = builder.load(builder.bitcast(handed, ir.LiteralStructType(kinds).as_pointer()))
    end, *given = (builder.extract_value(values, k) for k in range(len(kinds)))
    start = builder.load(starts)
    left = builder.sub(builder.ptrtoint(end, word), builder.ptrtoint(start, word))
    wanted = builder.mul(builder.load(counts), builder.load(steps))
    size = builder.select(builder.icmp_signed("<", wanted, left), wanted, left)
    with builder.if_then(builder.icmp_signed(">", size, word(0))):
        write(builder, start, size, *given)
    builder.ret_void()
    return made
