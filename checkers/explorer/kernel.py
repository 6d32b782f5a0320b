"""The hot loops: functions of arrays and ints, compiled by Numba. They know nothing of Paxos.

A global state is one local id per node, packed into one 64-bit word, or two. ``low`` and ``high``
hold the states in the order of discovery; ``high`` is ``None`` where one word is enough, and Numba
compiles the kernels for each of the two. Local ids start at 1, and node 0 lies in the low word, so
a low word is never 0: 0 marks an empty place in the table.

A step is a bit: each event that some node may ever see has a number at that node. Whether it is
possible is an OR of what the nodes' local states say was sent, less what is known to change
nothing, less what a budget of the whole cluster forbids.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

BATCH = 64
"""Successors gathered before the first is looked up, so that their cache lines are on the way."""

KNOWN, LIVE = 0, 1


class Layout(NamedTuple):
    """Where each node's local id lies: word 0 or 1, first bit, mask of its width."""

    word: Any  # int64[nodes]
    shift: Any  # uint64[nodes]
    mask: Any  # uint64[nodes]


class Steps(NamedTuple):
    """The learned local steps.

    ``rows[node, local, word]`` is the pair (known, live): which events were asked, and which of
    them change something. The successors of the live events of one word stand side by side in
    ``successors``, from ``base[node, local, word]``: a local id, or minus the place in
    ``branches`` of (whole step or 0, number of cuts, cut step or 0, …).
    """

    rows: Any  # uint64[nodes, locals, words, 2]
    base: Any  # int32[nodes, locals, words]
    asked: Any  # uint64[nodes, locals, words]
    successors: Any  # int32[...]
    branches: Any  # int32[...]
    sent: Any  # int32[nodes, locals]: the id of what this local state has sent
    sent_bits: Any  # uint64[nodes, sent ids, nodes, words]: what it lets each node receive
    always_bits: Any  # uint64[nodes, words]: events that need no sender


class Guards(NamedTuple):
    """Budgets of the whole cluster: a count per local state, all counts packed into one word."""

    counts: Any  # uint64[nodes, locals]
    shift: Any  # uint64[guards]
    mask: Any  # uint64[guards]
    most: Any  # uint64[guards]
    bits: Any  # uint64[guards, nodes, words]: the events that each budget forbids when used up
    restarts: int  # the guard that limits crashes in the middle of a step, or -1


@intrinsic
def _prefetch(typingctx: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
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


@intrinsic
def _count_bits(typingctx: Any, word: Any) -> Any:  # noqa: ARG001
    signature = types.int64(types.uint64)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.ctpop(args[0])

    return signature, codegen


@intrinsic
def _lowest_bit(typingctx: Any, word: Any) -> Any:  # noqa: ARG001
    signature = types.int64(types.uint64)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return signature, codegen


@njit(cache=True, inline="always")
def _place(low: np.uint64, high: np.uint64, size: np.uint64) -> int:
    """The first place in a table of ``size`` to look for a state: a mixed hash, scaled to it."""
    mixed = low * np.uint64(0x9E3779B97F4A7C15) ^ high * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    return np.int64(((mixed >> np.uint64(32)) * size) >> np.uint64(32))


@njit(cache=True, inline="always")
def _insert(
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


@njit(cache=True)
def fill_table(low: Any, high: Any, table_low: Any, table_high: Any, count: int) -> None:
    """Put the first ``count`` states, which are distinct, into an empty table."""
    size = table_low.size
    ahead = 16
    for index in range(count + ahead):
        if index < count:
            state_high = np.uint64(0) if high is None else high[index]
            _prefetch(table_low, _place(low[index], state_high, np.uint64(size)))
        if index < ahead:
            continue
        state_low = low[index - ahead]
        state_high = np.uint64(0) if high is None else high[index - ahead]
        place = _place(state_low, state_high, np.uint64(size))
        while table_low[place] != 0:
            place += 1
            if place == size:
                place = 0
        table_low[place] = state_low
        if high is not None:
            table_high[place] = state_high


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


# What ``expand`` reports in ``counters``.
POSITION, COUNT, TRANSITIONS, NOTES, POSTPONED = range(5)


@njit(cache=True)
def expand(
    todo: Any,
    low: Any,
    high: Any,
    table_low: Any,
    table_high: Any,
    limit: int,
    layout: Layout,
    steps: Steps,
    guards: Guards,
    buffer_low: Any,
    buffer_high: Any,
    places: Any,
    fan_out: int,
    notes: Any,
    postponed: Any,
    counters: Any,
) -> None:
    """Add the successors of the states at the indices ``todo``, from ``counters[POSITION]`` on.

    Stops before a state whose successors might not fit: more than ``limit`` states in all, or
    more notes or postponed states than there is room for. A state with a step that is not known
    is left alone: the step is noted once (node, local id, event, index of this state), and the
    state's index is postponed, to be expanded whole when Python has learned the step.
    ``fan_out`` is at least the number of successors of any one state.
    """
    nodes = layout.word.size
    words = steps.rows.shape[2]
    locals_ = np.empty(nodes, np.int64)
    senders = np.empty(nodes, np.int64)
    blocked = np.zeros((nodes, words), np.uint64)
    guard_count = guards.shift.size
    size = np.uint64(table_low.size)
    position, count = counters[POSITION], counters[COUNT]
    transitions, note_count = counters[TRANSITIONS], counters[NOTES]
    postponed_count = counters[POSTPONED]
    filled = 0
    while position < todo.size:
        if count + filled + fan_out > limit or note_count + nodes * words * 64 > notes.shape[0]:
            break
        if postponed_count == postponed.size:
            break
        index = todo[position]
        position += 1
        state_low = low[index]
        state_high = np.uint64(0) if high is None else high[index]
        total = np.uint64(0)
        for node in range(nodes):
            word = state_low
            if high is not None and layout.word[node] == 1:
                word = state_high
            local = np.int64((word >> layout.shift[node]) & layout.mask[node])
            locals_[node] = local
            senders[node] = steps.sent[node, local]
            if guard_count > 0:
                total += guards.counts[node, local]
        may_crash = True
        if guard_count > 0:
            blocked[:] = np.uint64(0)
            for guard in range(guard_count):
                used = (total >> guards.shift[guard]) & guards.mask[guard]
                if used >= guards.most[guard]:
                    if guard == guards.restarts:
                        may_crash = False
                    for node in range(nodes):
                        for word_index in range(words):
                            blocked[node, word_index] |= guards.bits[guard, node, word_index]
        start = filled
        complete = True
        for node in range(nodes):
            local = locals_[node]
            shift = layout.shift[node]
            for word_index in range(words):
                possible = steps.always_bits[node, word_index]
                for sender in range(nodes):
                    possible |= steps.sent_bits[sender, senders[sender], node, word_index]
                known = steps.rows[node, local, word_index, KNOWN]
                live = steps.rows[node, local, word_index, LIVE]
                possible &= (live | ~known) & ~blocked[node, word_index]
                if possible == 0:
                    continue
                unknown = possible & ~known
                if unknown != 0:
                    complete = False
                    unknown &= ~steps.asked[node, local, word_index]
                    steps.asked[node, local, word_index] |= unknown
                    while unknown != 0:
                        bit = _lowest_bit(unknown)
                        unknown &= unknown - np.uint64(1)
                        notes[note_count, 0] = node
                        notes[note_count, 1] = local
                        notes[note_count, 2] = word_index * 64 + bit
                        notes[note_count, 3] = index
                        note_count += 1
                if not complete:
                    continue
                base = steps.base[node, local, word_index]
                while possible != 0:
                    lower = (possible & (~possible + np.uint64(1))) - np.uint64(1)
                    possible &= possible - np.uint64(1)
                    successor = np.int64(steps.successors[base + _count_bits(live & lower)])
                    cut, cut_end = np.int64(0), np.int64(0)
                    if successor < 0:
                        cut = -successor
                        successor = np.int64(steps.branches[cut])
                        if may_crash:
                            cut_end = cut + 2 + steps.branches[cut + 1]
                        cut += 2
                    while True:
                        if successor > 0:
                            difference = np.uint64(successor - local) << shift
                            new_low, new_high = state_low, state_high
                            if high is None or layout.word[node] == 0:
                                new_low += difference
                            else:
                                new_high += difference
                            place = _place(new_low, new_high, size)
                            _prefetch(table_low, place)
                            buffer_low[filled] = new_low
                            if high is not None:
                                buffer_high[filled] = new_high
                            places[filled] = place
                            filled += 1
                        if cut >= cut_end:
                            break
                        successor = np.int64(steps.branches[cut])
                        cut += 1
        if not complete:
            filled = start
            postponed[postponed_count] = index
            postponed_count += 1
            continue
        transitions += filled - start
        if filled >= BATCH:
            for entry in range(filled):
                new_high = np.uint64(0) if high is None else buffer_high[entry]
                count = _insert(
                    low,
                    high,
                    table_low,
                    table_high,
                    count,
                    buffer_low[entry],
                    new_high,
                    places[entry],
                )
            filled = 0
    for entry in range(filled):
        new_high = np.uint64(0) if high is None else buffer_high[entry]
        count = _insert(
            low, high, table_low, table_high, count, buffer_low[entry], new_high, places[entry]
        )
    counters[POSITION], counters[COUNT] = position, count
    counters[TRANSITIONS], counters[NOTES] = transitions, note_count
    counters[POSTPONED] = postponed_count


@njit(cache=True)
def project(
    low: Any,
    high: Any,
    layout: Layout,
    begin: int,
    end: int,
    projections: Any,
    memo_low: Any,
    memo_high: Any,
    memo_table_low: Any,
    memo_table_high: Any,
    memo_layout: Layout,
    count: int,
    limit: int,
) -> tuple[int, int]:
    """Add the tuple of projections of each state in ``begin:end`` to a set of such tuples.

    ``projections[node, local]`` is the id (from 1) of what a property reads of a local state.
    Returns how far it came before the set reached ``limit``, and how many tuples there are.
    """
    nodes = layout.word.size
    size = np.uint64(memo_table_low.size)
    last_low, last_high = np.uint64(0), np.uint64(0)
    for index in range(begin, end):
        key_low, key_high = np.uint64(0), np.uint64(0)
        for node in range(nodes):
            word = low[index]
            if high is not None and layout.word[node] == 1:
                word = high[index]
            local = (word >> layout.shift[node]) & layout.mask[node]
            projection = np.uint64(projections[node, np.int64(local)])
            if memo_layout.word[node] == 0:
                key_low |= projection << memo_layout.shift[node]
            else:
                key_high |= projection << memo_layout.shift[node]
        if key_low == last_low and key_high == last_high:
            continue
        if count >= limit:
            return index, count
        last_low, last_high = key_low, key_high
        place = _place(key_low, key_high, size)
        count = _insert(
            memo_low, memo_high, memo_table_low, memo_table_high, count, key_low, key_high, place
        )
    return end, count


@njit(cache=True)
def install(learned: Any, steps: Steps, used: int) -> int:
    """Write learned steps (node, local id, event, successor or 0) into the tables.

    ``used`` is how much of ``steps.successors`` is taken, before and (returned) after. The block
    of a word moves to the end when it grows; what it leaves behind is reclaimed by ``compact``.
    """
    for entry in range(learned.shape[0]):
        node, local = learned[entry, 0], learned[entry, 1]
        event, successor = learned[entry, 2], learned[entry, 3]
        word_index = event >> 6
        bit = np.uint64(1) << np.uint64(event & 63)
        steps.rows[node, local, word_index, KNOWN] |= bit
        if successor == 0:
            continue
        live = steps.rows[node, local, word_index, LIVE]
        length = _count_bits(live)
        rank = _count_bits(live & (bit - np.uint64(1)))
        base = np.int64(steps.base[node, local, word_index])
        if length > 0 and base + length == used:
            for offset in range(length - 1, rank - 1, -1):
                steps.successors[base + offset + 1] = steps.successors[base + offset]
            steps.successors[base + rank] = successor
            used += 1
        else:
            for offset in range(rank):
                steps.successors[used + offset] = steps.successors[base + offset]
            steps.successors[used + rank] = successor
            for offset in range(rank, length):
                steps.successors[used + offset + 1] = steps.successors[base + offset]
            steps.base[node, local, word_index] = used
            used += length + 1
        steps.rows[node, local, word_index, LIVE] = live | bit
    return used


@njit(cache=True)
def compact(steps: Steps, local_counts: Any, successors: Any) -> int:
    """Copy all blocks of successors, without the gaps, into ``successors``; returns their size."""
    used = 0
    for node in range(local_counts.size):
        for local in range(local_counts[node]):
            for word_index in range(steps.rows.shape[2]):
                length = _count_bits(steps.rows[node, local, word_index, LIVE])
                base = steps.base[node, local, word_index]
                for offset in range(length):
                    successors[used + offset] = steps.successors[base + offset]
                steps.base[node, local, word_index] = used
                used += length
    return used
