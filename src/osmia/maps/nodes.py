"""Lists of the nodes of an LRU map in native memory, and the kernel's rotation (kernel/bpf/bpf_lru_list.c).

Nodes are numbers; each has 16 bytes: previous u32, next u32, state u8, looked-up u8, CPU u16, hash u32 of the key that
it was taken for.  Rings are doubly linked and have a node as head; a list of free nodes is the number of its first
plus one.  Only the looked-up byte is written without a lock.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython
if not cython.compiled:
    from osmia.raw import ld8, ld32, ld64, st8, st16, st32, st64

    ACTIVE, INACTIVE, FREE, PENDING = 1, 2, 3, 4
    NODE, NEXT, STATE, USED, CPU, KEY_HASH = 16, 4, 8, 9, 10, 12
    # words of a pair of lists: the heads and sizes stand at their state's number
    LOCK, HEADS, SIZES, SPARE, FRESH, LIMIT, SCANS, ROTATION, BASE, LISTS_SIZE = 0, 0, 16, 40, 48, 56, 64, 72, 80, 128


def after(base: int, node: int) -> int:
    """The next node."""
    return ld32(base + NODE * node + NEXT)


def before(base: int, node: int) -> int:
    """The previous node."""
    return ld32(base + NODE * node)


def join(base: int, a: int, b: int) -> None:
    """``b`` follows ``a``."""
    st32(base + NODE * a + NEXT, b)
    st32(base + NODE * b, a)


def drop(base: int, node: int) -> None:
    """Out of its ring."""
    join(base, before(base, node), after(base, node))


def add(base: int, head: int, node: int) -> None:
    """Directly behind the head."""
    first = after(base, head)
    join(base, head, node)
    join(base, node, first)


def looked_up(base: int, node: int) -> bool:
    """Whether the node was used since it came to its list."""
    return ld8(base + NODE * node + USED) != 0


def touch(base: int, node: int) -> None:
    """The node was used.  Written once only, so that threads don't take the memory from each other."""
    if not ld8(base + NODE * node + USED):
        st8(base + NODE * node + USED, 1)


def set_state(base: int, node: int, state: int) -> None:
    """The new state, not looked up since."""
    st8(base + NODE * node + STATE, state)
    st8(base + NODE * node + USED, 0)


def put_spare(base: int, place: int, node: int) -> None:
    """To the list of free nodes at ``place``."""
    set_state(base, node, FREE)
    st32(base + NODE * node + NEXT, ld64(place))
    st64(place, node + 1)


def get_spare(base: int, place: int) -> int:
    """The free node that came last, plus one; 0 when there is none."""
    found = ld64(place)
    if found:
        st64(place, after(base, found - 1))
    return found


# A pair of lists, active and inactive, with free nodes: those given back, and from FRESH to LIMIT those never used.


def has_free(lists: int) -> bool:
    """Whether a node is to be had without evicting."""
    return ld64(lists + SPARE) != 0 or ld64(lists + FRESH) < ld64(lists + LIMIT)


def get_free(lists: int) -> int:
    """One of the free nodes, which must exist."""
    found = get_spare(ld64(lists + BASE), lists + SPARE)
    if found:
        return found - 1
    fresh = ld64(lists + FRESH)
    st64(lists + FRESH, fresh + 1)
    return fresh


def enter(lists: int, node: int, state: int) -> None:
    """A node that is on no ring joins the active or inactive ring."""
    base = ld64(lists + BASE)
    set_state(base, node, state)
    add(base, ld64(lists + HEADS + 8 * state), node)
    st64(lists + SIZES + 8 * state, ld64(lists + SIZES + 8 * state) + 1)


def leave(lists: int, node: int) -> None:
    """The node is on no ring any more."""
    base = ld64(lists + BASE)
    if ld64(lists + ROTATION) == node:
        st64(lists + ROTATION, before(base, node))
    size = lists + SIZES + 8 * ld8(base + NODE * node + STATE)
    st64(size, ld64(size) - 1)
    drop(base, node)


def move(lists: int, node: int, state: int) -> None:
    """From one ring to the head of another, or of the same."""
    leave(lists, node)
    enter(lists, node, state)


def rotate(lists: int) -> None:
    """Sort looked-up nodes to the active list and, when that grows too long, others off it."""
    if ld64(lists + SIZES + 8 * INACTIVE) < ld64(lists + SIZES + 8 * ACTIVE):
        rotate_active(lists)
    if ld64(lists + SIZES + 8 * INACTIVE):
        rotate_inactive(lists)


def rotate_active(lists: int) -> None:
    """The oldest of the active list: to its head when they were looked up, else to the inactive list."""
    base = ld64(lists + BASE)
    head = ld64(lists + HEADS + 8 * ACTIVE)
    first = after(base, head)
    node = before(base, head)
    seen = 0
    while node != head and seen < ld64(lists + SCANS):
        up = before(base, node)
        move(lists, node, ACTIVE if looked_up(base, node) else INACTIVE)
        if node == first:
            return
        node = up
        seen += 1


def rotate_inactive(lists: int) -> None:
    """From where it ended last time, once around at most: nodes that were looked up become active."""
    base = ld64(lists + BASE)
    head = ld64(lists + HEADS + 8 * INACTIVE)
    node = ld64(lists + ROTATION)
    last = after(base, node)
    if last == head:
        last = after(base, last)
    up = node
    seen = 0
    while seen < ld64(lists + SCANS):
        if node == head:
            node = before(base, node)
            continue
        up = before(base, node)
        if looked_up(base, node):
            move(lists, node, ACTIVE)
        if node == last:
            break
        node = up
        seen += 1
    st64(lists + ROTATION, up)


def set_taken(base: int, node: int, cpu: int, hashed: int) -> None:
    """Note for which CPU and key a node was taken."""
    st16(base + NODE * node + CPU, cpu)
    st32(base + NODE * node + KEY_HASH, hashed)
