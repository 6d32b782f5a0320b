"""The hot loops: functions of arrays and ints, compiled by Numba. They know nothing of Paxos.

A global state is one local id per node, packed into one 64-bit word, or two (see ``table``).
``low`` and ``high`` hold the states in the order of discovery. Local ids start at 1, and node 0
lies in the low word, so a low word is never 0.

A step is a bit: each event that some node may ever see has a number at that node. Whether it is
possible is an OR of what the nodes' local states say was sent, less what is known to change
nothing, less what a budget of the whole cluster forbids.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from indelible.checkers.explorer.table import (
    Layout,
    home_place,
    insert,
    insert_all,
    mixed_hash,
    prefetch,
)

BATCH = 64
"""Successors gathered before the first is looked up, so that their cache lines are on the way."""

RECENT_BITS = 14
"""A state is mostly found again from near where it was found first, since independent events
commute. So many bits number a cache of recent states, small enough to stay near the processor."""

SENT, COUNTS, FIRST_WORD, PER_WORD = 0, 1, 2, 3
KNOWN, LIVE, BASE = 0, 1, 2
"""Columns of a row: the id of what was sent, packed budget counts, then three for each word."""


class Steps(NamedTuple):
    """The learned local steps.

    ``rows[node, local]`` has the columns ``SENT`` (the id of what this local state has sent),
    ``COUNTS`` (its uses of the cluster's budgets, packed into one word), and for each word ``w`` of
    events, at ``FIRST_WORD + w * PER_WORD``: ``KNOWN`` (the events that were asked), ``LIVE``
    (those of them that change something) and ``BASE`` (where the successors of the live ones
    begin). A successor is a local id, or minus the place in ``branches`` of (whole step or 0,
    number of cuts, cut step or 0, …).
    """

    rows: Any  # uint64[nodes, locals, columns]
    asked: Any  # uint64[nodes, locals, words]: the events noted, and not learned yet or known
    successors: Any  # int32[...]
    branches: Any  # int32[...]
    sent_bits: Any  # uint64[nodes, sent ids, nodes, words]: what it lets each node receive
    always_bits: Any  # uint64[nodes, words]: events that need no sender


class Guards(NamedTuple):
    """Budgets of the whole cluster: fields of the packed counts, and what each forbids."""

    shift: Any  # uint64[guards]
    mask: Any  # uint64[guards]
    most: Any  # uint64[guards]
    bits: Any  # uint64[guards, words]: the events, the same at every node
    restarts: int  # the guard that limits crashes in the middle of a step, or -1


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
    recent_low: Any,
    recent_high: Any,
    fan_out: int,
    notes: Any,
    postponed: Any,
    counters: Any,
) -> None:
    """Add the successors of the states at the indices ``todo``, from ``counters[POSITION]`` on.

    Stops before a state whose successors might not fit: more than ``limit`` states in all, or
    more notes or postponed states than there is room for. A state with a step that is not known
    is left alone: the step is noted once (node, local id, event), and the state's index is
    postponed, to be expanded whole when Python has learned the step.
    ``fan_out`` is at least the number of successors of any one state. ``recent_low`` and
    ``recent_high`` (2 ** ``RECENT_BITS`` words each) hold states known to be there already.
    """
    # Flat views, taken out of their tuples once: this is where the time goes.
    word_of, shifts, masks = layout.word, layout.shift, layout.mask
    nodes, words = word_of.size, steps.always_bits.shape[1]
    rows, row_size = steps.rows.reshape(-1), steps.rows.shape[2]
    rows_per_node = steps.rows.shape[1] * row_size
    sent_bits, sent_size = steps.sent_bits.reshape(-1), nodes * words
    sent_per_node = steps.sent_bits.shape[1] * sent_size
    always_bits, asked = steps.always_bits.reshape(-1), steps.asked
    successors, branches = steps.successors, steps.branches
    guard_shifts, guard_masks, guard_mosts = guards.shift, guards.mask, guards.most
    guard_bits, guard_count = guards.bits, guards.shift.size
    locals_ = np.empty(nodes, np.int64)
    row_at = np.empty(nodes, np.int64)
    sent_at = np.empty(nodes, np.int64)
    allowed = np.empty(words, np.uint64)
    last_total = ~np.uint64(0)
    may_crash = True
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
            if high is not None and word_of[node] == 1:
                word = state_high
            local = np.int64((word >> shifts[node]) & masks[node])
            row = node * rows_per_node + local * row_size
            locals_[node] = local
            row_at[node] = row + FIRST_WORD
            sent_at[node] = node * sent_per_node + np.int64(rows[row + SENT]) * sent_size
            total += rows[row + COUNTS]
        if total != last_total:
            last_total = total
            may_crash = True
            allowed[:] = ~np.uint64(0)
            for guard in range(guard_count):
                if (total >> guard_shifts[guard]) & guard_masks[guard] >= guard_mosts[guard]:
                    may_crash = may_crash and guard != guards.restarts
                    for word_index in range(words):
                        allowed[word_index] &= ~guard_bits[guard, word_index]
        start, found = filled, 0
        complete = True
        for node in range(nodes):
            local = locals_[node]
            shift = shifts[node]
            for word_index in range(words):
                column = node * words + word_index
                possible = always_bits[column]
                for sender in range(nodes):
                    possible |= sent_bits[sent_at[sender] + column]
                row = row_at[node] + word_index * PER_WORD
                known, live = rows[row + KNOWN], rows[row + LIVE]
                possible &= (live | ~known) & allowed[word_index]
                if possible == 0:
                    continue
                unknown = possible & ~known
                if unknown != 0:
                    complete = False
                    unknown &= ~asked[node, local, word_index]
                    asked[node, local, word_index] |= unknown
                    while unknown != 0:
                        notes[note_count, 0] = node
                        notes[note_count, 1] = local
                        notes[note_count, 2] = word_index * 64 + _lowest_bit(unknown)
                        unknown &= unknown - np.uint64(1)
                        note_count += 1
                if not complete:
                    continue
                base = np.int64(rows[row + BASE])
                while possible != 0:
                    lower = (possible & (~possible + np.uint64(1))) - np.uint64(1)
                    possible &= possible - np.uint64(1)
                    successor = np.int64(successors[base + _count_bits(live & lower)])
                    cut, cut_end = np.int64(0), np.int64(0)
                    if successor < 0:
                        cut = -successor
                        successor = np.int64(branches[cut])
                        if may_crash:
                            cut_end = cut + 2 + branches[cut + 1]
                        cut += 2
                    while True:
                        if successor > 0:
                            difference = np.uint64(successor - local) << shift
                            new_low, new_high = state_low, state_high
                            if high is None or word_of[node] == 0:
                                new_low += difference
                            else:
                                new_high += difference
                            found += 1
                            mixed = mixed_hash(new_low, new_high)
                            spot = np.int64(mixed >> np.uint64(64 - RECENT_BITS))
                            if recent_low[spot] != new_low or (
                                high is not None and recent_high[spot] != new_high
                            ):
                                recent_low[spot] = new_low
                                place = home_place(mixed, size)
                                prefetch(table_low, place)
                                buffer_low[filled] = new_low
                                if high is not None:
                                    recent_high[spot] = new_high
                                    buffer_high[filled] = new_high
                                places[filled] = place
                                filled += 1
                        if cut >= cut_end:
                            break
                        successor = np.int64(branches[cut])
                        cut += 1
        if not complete:
            for entry in range(start, filled):  # They were not added, so they are not recent.
                new_high = np.uint64(0) if high is None else buffer_high[entry]
                mixed = mixed_hash(buffer_low[entry], new_high)
                recent_low[np.int64(mixed >> np.uint64(64 - RECENT_BITS))] = 0
            filled = start
            postponed[postponed_count] = index
            postponed_count += 1
            continue
        transitions += found
        if filled >= BATCH:
            count = insert_all(
                low, high, table_low, table_high, count, buffer_low, buffer_high, places, filled
            )
            filled = 0
    count = insert_all(
        low, high, table_low, table_high, count, buffer_low, buffer_high, places, filled
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
        place = home_place(mixed_hash(key_low, key_high), size)
        count = insert(
            memo_low, memo_high, memo_table_low, memo_table_high, count, key_low, key_high, place
        )
    return end, count


@njit(cache=True)
def install(learned: Any, steps: Steps, used: int) -> int:
    """Write learned steps (node, local id, event, successor or 0) into the tables.

    ``used`` is how much of ``steps.successors`` is taken, before and (returned) after. The block
    of a word moves to the end when it grows; what it leaves behind is reclaimed by ``compact``.
    """
    rows = steps.rows
    successors = steps.successors
    for entry in range(learned.shape[0]):
        node, local = learned[entry, 0], learned[entry, 1]
        event, successor = learned[entry, 2], learned[entry, 3]
        column = FIRST_WORD + (event >> 6) * PER_WORD
        bit = np.uint64(1) << np.uint64(event & 63)
        rows[node, local, column + KNOWN] |= bit
        if successor == 0:
            continue
        live = rows[node, local, column + LIVE]
        length = _count_bits(live)
        rank = _count_bits(live & (bit - np.uint64(1)))
        base = np.int64(rows[node, local, column + BASE])
        if length > 0 and base + length == used:
            for offset in range(length - 1, rank - 1, -1):
                successors[base + offset + 1] = successors[base + offset]
            successors[base + rank] = successor
            used += 1
        else:
            for offset in range(rank):
                successors[used + offset] = successors[base + offset]
            successors[used + rank] = successor
            for offset in range(rank, length):
                successors[used + offset + 1] = successors[base + offset]
            rows[node, local, column + BASE] = used
            used += length + 1
        rows[node, local, column + LIVE] = live | bit
    return used


@njit(cache=True)
def compact(steps: Steps, local_counts: Any, successors: Any, used: int) -> int:
    """Copy all blocks of successors, without the gaps, into ``successors`` from ``used`` on."""
    rows = steps.rows
    for node in range(local_counts.size):
        for local in range(local_counts[node]):
            for column in range(FIRST_WORD, rows.shape[2], PER_WORD):
                base = np.int64(rows[node, local, column + BASE])
                length = _count_bits(rows[node, local, column + LIVE])
                for offset in range(length):
                    successors[used + offset] = steps.successors[base + offset]
                rows[node, local, column + BASE] = used
                used += length
    return used
