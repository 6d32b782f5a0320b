"""The table of packed states, as kernels: hashing, inserting, rehashing, repacking.

Functions of arrays and ints, compiled by Numba; ``packed`` owns the arrays. A state is one 64-bit
word (``low``), or two; ``high`` is ``None`` where one is enough, and Numba compiles the kernels for
each of the two. A low word is never 0: 0 marks an empty place in the table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LINE = 8
"""Places of a table in one cache line."""


class Layout(NamedTuple):
    """Where each node's local id lies: word 0 or 1, first bit, mask of its width."""

    word: Any  # int64[nodes]
    shift: Any  # uint64[nodes]
    mask: Any  # uint64[nodes]


@intrinsic
def prefetch(typingctx: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
    """Ask the processor to fetch ``array[index]``, which is about to be read and written."""
    signature = types.void(array, types.int64)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        array_type = sig.args[0]
        structure = context.make_array(array_type)(context, builder, args[0])
        pointer = cgutils.get_item_pointer(context, builder, array_type, structure, [args[1]])
        byte_pointer = ir.IntType(8).as_pointer()
        function_type = ir.FunctionType(ir.VoidType(), [byte_pointer] + [ir.IntType(32)] * 3)
        name = (
            "llvm.prefetch" if getattr(byte_pointer, "is_opaque", False) else "llvm.prefetch.p0i8"
        )
        function = cgutils.get_or_insert_function(builder.module, function_type, name)
        constants = [ir.Constant(ir.IntType(32), value) for value in (1, 1, 1)]
        builder.call(function, [builder.bitcast(pointer, byte_pointer), *constants])
        return context.get_dummy_value()

    return signature, codegen


@njit(cache=True, inline="always")
def mixed_hash(low: np.uint64, high: np.uint64) -> np.uint64:
    """A hash of a state, good in its upper half."""
    mixed = low * np.uint64(0x9E3779B97F4A7C15) ^ high * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(32)
    return mixed * np.uint64(0xD6E8FEB86659FD93)


@njit(cache=True, inline="always")
def home_place(mixed: np.uint64, size: np.uint64) -> int:
    """The first place in a table of ``size`` to look: the hash, scaled, at the start of a line.

    ``size`` is a multiple of ``LINE``. A state is looked for from there on, place by place, so
    that nearly always one cache line answers.
    """
    lines = size >> np.uint64(3)
    return np.int64((((mixed >> np.uint64(32)) * lines) >> np.uint64(32)) << np.uint64(3))


@njit(cache=True, inline="always")
def insert(
    low: Any,
    high: Any,
    table_low: Any,
    table_high: Any,
    count: int,
    state_low: Any,
    state_high: Any,
    place: int,
) -> int:
    """Add a state unless it is there; ``count`` is how many there are, and after it."""
    size = table_low.size
    while True:
        found = table_low[place]
        if found == 0:
            table_low[place] = state_low
            low[count] = state_low
            if high is not None:
                table_high[place] = state_high
                high[count] = state_high
            return count + 1
        if found == state_low and (high is None or table_high[place] == state_high):
            return count
        place += 1
        if place == size:
            place = 0


@njit(cache=True, inline="always")
def insert_all(
    low: Any,
    high: Any,
    table_low: Any,
    table_high: Any,
    count: int,
    buffer_low: Any,
    buffer_high: Any,
    places: Any,
    filled: int,
) -> int:
    """Add the first ``filled`` states of a buffer, whose places are being fetched."""
    for entry in range(filled):
        state_high = np.uint64(0) if high is None else buffer_high[entry]
        count = insert(
            low, high, table_low, table_high, count, buffer_low[entry], state_high, places[entry]
        )
    return count


@njit(cache=True)
def fill_table(low: Any, high: Any, table_low: Any, table_high: Any, count: int) -> None:
    """Put the first ``count`` states, which are distinct, into an empty table."""
    size = table_low.size
    ahead = 16
    for index in range(count + ahead):
        if index < count:
            state_high = np.uint64(0) if high is None else high[index]
            prefetch(table_low, home_place(mixed_hash(low[index], state_high), np.uint64(size)))
        if index < ahead:
            continue
        state_low = low[index - ahead]
        state_high = np.uint64(0) if high is None else high[index - ahead]
        place = home_place(mixed_hash(state_low, state_high), np.uint64(size))
        while table_low[place] != 0:
            place += 1
            if place == size:
                place = 0
        table_low[place] = state_low
        if high is not None:
            table_high[place] = state_high


SET_ASIDE = 1 << 12


@njit(cache=True)
def spread_table(table_low: Any, table_high: Any, old_size: int) -> bool:
    """Rehash in place a table that has just grown from ``old_size``, its new part empty.

    Hashes are scaled to the size, so the order of the states hardly changes: walking down from the
    old end, each moves up to where nothing unmoved is left, nearly in sequence. The few near the
    start for which that is not so are set aside; says ``False`` if they are too many, and then the
    table must be filled anew.
    """
    size = np.uint64(table_low.size)
    aside_low = np.empty(SET_ASIDE, np.uint64)
    aside_high = np.empty(SET_ASIDE, np.uint64)
    aside = 0
    for index in range(old_size - 1, -1, -1):
        state_low = table_low[index]
        if state_low == 0:
            continue
        state_high = np.uint64(0) if table_high is None else table_high[index]
        table_low[index] = 0
        place = home_place(mixed_hash(state_low, state_high), size)
        if place > index:
            while place < table_low.size and table_low[place] != 0:
                place += 1
        if place <= index or place == table_low.size:
            if aside == SET_ASIDE:
                return False
            aside_low[aside], aside_high[aside] = state_low, state_high
            aside += 1
            continue
        table_low[place] = state_low
        if table_high is not None:
            table_high[place] = state_high
    for index in range(aside):
        place = home_place(mixed_hash(aside_low[index], aside_high[index]), size)
        while table_low[place] != 0:
            place += 1
            if place == table_low.size:
                place = 0
        table_low[place] = aside_low[index]
        if table_high is not None:
            table_high[place] = aside_high[index]
    return True


@njit(cache=True)
def repack(
    low: Any, high: Any, layout: Layout, count: int, new_low: Any, new_high: Any, new_layout: Layout
) -> None:
    """Write the first ``count`` states in another layout."""
    for index in range(count):
        packed_low, packed_high = np.uint64(0), np.uint64(0)
        for node in range(layout.word.size):
            word = low[index]
            if high is not None and layout.word[node] == 1:
                word = high[index]
            local = (word >> layout.shift[node]) & layout.mask[node]
            if new_layout.word[node] == 0:
                packed_low |= local << new_layout.shift[node]
            else:
                packed_high |= local << new_layout.shift[node]
        new_low[index] = packed_low
        if new_high is not None:
            new_high[index] = packed_high
