"""Native bodies: loops, walks over maps, spin locks (kernel/bpf/bpf_iter.c, helpers.c).

Callbacks run through the function at ``run.call``; a fault in one ends the loop.
"""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.helpers import helper_by_name
from osmia.kernel.uapi import BPF_MAX_LOOPS
from osmia.maps.handle import CURSOR_SIZE

if not cython.compiled:
    from osmia.helpers.fallback import give_room, python_body, take_room
    from osmia.maps.handle import WORD
    from osmia.raw import call5, call7, cas32, ld32, ld64, store32
    from osmia.vm.run import may, refuse
    from osmia.vm.runwords import R_CALL, R_CHECKED, R_CPU, R_FAULT

    H_OBJECT, H_EACH = WORD["object"], WORD["each"]

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
INVALID, TOO_MANY = -errno.EINVAL & M64, (1 << 32) - errno.E2BIG
MAX_LOOPS, ROOM = BPF_MAX_LOOPS, CURSOR_SIZE
FOR_EACH, SPIN_LOCK, SPIN_UNLOCK = (
    helper_by_name(f"bpf_{name}").id for name in ("for_each_map_elem", "spin_lock", "spin_unlock")
)
TURNS = 200
"""How often a taken lock is tried before Python waits for it to be free, which lets other Python threads run."""


def loop(run: int, count: int, callback: int, ctx: int, flags: int, r5: int) -> int:
    """Call back ``count`` times or until it answers non-zero; how often it was called.

    Too many: -E2BIG in 32 bits, the upper half zero, for that is what the verifier writes in place of the call
    (inline_bpf_loop in kernel/bpf/verifier.c) whenever callback and flags are constants.
    """
    count &= M32
    if flags:
        return INVALID
    if count > MAX_LOOPS:
        return TOO_MANY
    call = ld64(run + R_CALL)
    done = 0
    while done < count:
        answer = call7(call, run, callback, done, ctx, 0, 0, 0)
        done += 1
        if ld64(run + R_FAULT):
            return 0
        if answer:
            return done
    return count


def for_each_map_elem(run: int, handle: int, callback: int, ctx: int, flags: int, r5: int) -> int:
    """Call back with map, key, value and ``ctx`` for every element until it answers non-zero; how many were seen.

    In checked runs Python does it, which lists the key's memory for the callback.
    """
    if ld64(run + R_CHECKED) or ld64(handle + H_EACH) == 0:
        return python_body(run, FOR_EACH, handle, callback, ctx, flags, r5)
    if flags:
        return INVALID
    cursor = take_room(ROOM)
    seen = walk(run, handle, callback, ctx, cursor)
    give_room(cursor)
    return seen


def walk(run: int, handle: int, callback: int, ctx: int, cursor: int) -> int:
    """``for_each_map_elem`` with room for the cursor."""
    each = ld64(handle + H_EACH)
    call = ld64(run + R_CALL)
    seen = 0
    while call5(each, ld64(handle + H_OBJECT), cursor, ld64(run + R_CPU), 0, 0):
        if ld64(cursor + 8):
            answer = call7(call, run, callback, handle, ld64(cursor), ld64(cursor + 8), ctx, 0)
            seen += 1
            if ld64(run + R_FAULT):
                return 0
            if answer:
                return seen
    return seen


def owner(run: int) -> int:
    """What a lock's word holds while this run has it."""
    return (run >> 4) & M32


def spin_lock(run: int, at: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Take the lock; wait while another thread has it."""
    if may(run, at, 4, 1) == 0:
        return refuse(run, at, 4, 1)
    turns = 0
    while ld64(run + R_FAULT) == 0:
        if ld32(at) == 0 and cas32(at, 0, owner(run)) == 0:
            return 0
        turns += 1
        if turns % TURNS == 0:
            python_body(run, SPIN_LOCK, at, r2, r3, r4, r5)
    return 0


def spin_unlock(run: int, at: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Let the lock go."""
    if may(run, at, 4, 1) == 0:
        return refuse(run, at, 4, 1)
    if ld32(at) != owner(run):
        return python_body(run, SPIN_UNLOCK, at, r2, r3, r4, r5)
    store32(at, 0)
    return 0
