"""Who has to go: the kernel's approximation of LRU (kernel/bpf/bpf_lru_list.c), step for step.

New nodes wait on a pending list of their CPU.  When a CPU runs out of free nodes, its pending nodes join the shared
inactive list (the active list, when they were looked up meanwhile), the lists are rotated, and a batch of free nodes
is fetched, made by evicting from the inactive list's tail what was not looked up.  With BPF_F_NO_COMMON_LRU each CPU
has lists and nodes of its own and none are pending.

Locks are taken in this order: a CPU's own lists, the shared lists, a bucket of the table.  A node that was taken and
whose element is not in the table yet can't be evicted: its bucket does not have it.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.maps.table import Table

if not cython.compiled:
    from osmia.maps import buckets
    from osmia.maps.lists import CPUS, LISTS, LOCAL_SIZE, LOCALS, NODES, PERCPU_TARGET, STEAL, TARGET, WAITING
    from osmia.maps.nodes import (
        ACTIVE,
        BASE,
        CPU,
        HEADS,
        INACTIVE,
        KEY_HASH,
        LISTS_SIZE,
        LOCK,
        NODE,
        PENDING,
        SCANS,
        SPARE,
        STATE,
        add,
        before,
        drop,
        enter,
        get_free,
        get_spare,
        has_free,
        leave,
        looked_up,
        move,
        put_spare,
        rotate,
        set_state,
        set_taken,
    )
    from osmia.maps.pool import element_at, release
    from osmia.raw import ld8, ld16, ld32, ld64, lock, st64, unlock


def pop(t: Table, lru: int, cpu: int, hashed: int) -> int:
    """A node for a new element with that hash, or -1."""
    if cpu >= ld64(lru + CPUS):
        cpu = ld64(lru + CPUS) - 1
    if ld64(lru + LOCALS):
        return pop_common(t, lru, cpu, hashed)
    return pop_own(t, ld64(lru + LISTS) + cpu * LISTS_SIZE, cpu, hashed)


def push(lru: int, node: int) -> None:
    """The node is free again."""
    base = ld64(lru + NODES)
    cpu = ld16(base + NODE * node + CPU)
    lists = ld64(lru + LISTS)
    if not ld64(lru + LOCALS):
        lists = lists + cpu * LISTS_SIZE
    elif push_waiting(base, ld64(lru + LOCALS) + cpu * LOCAL_SIZE, node):
        return
    lock(lists + LOCK)
    leave(lists, node)
    put_spare(base, lists + SPARE, node)
    unlock(lists + LOCK)


def push_waiting(base: int, local: int, node: int) -> bool:
    """``push`` of a node on its CPU's pending list; False when it is not there any more."""
    if ld8(base + NODE * node + STATE) != PENDING:
        return False
    lock(local + LOCK)
    waiting = ld8(base + NODE * node + STATE) == PENDING
    if waiting:
        drop(base, node)
        put_spare(base, local + SPARE, node)
    unlock(local + LOCK)
    return waiting


def gone(t: Table, base: int, node: int) -> bool:
    """Take the node's element out of the table; False when it is not in there (yet, or any more)."""
    bucket = t.bucket_of(ld32(base + NODE * node + KEY_HASH))
    lock(bucket + buckets.LOCK)
    done = t.unlink(bucket, element_at(t.pool, node))
    unlock(bucket + buckets.LOCK)
    if done:
        release(t.pool)
    return done


def evict(t: Table, lists: int, wanted: int, place: int) -> None:
    """Up to ``wanted`` nodes from the inactive tail that were not looked up; in need, one that was."""
    base = ld64(lists + BASE)
    head = ld64(lists + HEADS + 8 * INACTIVE)
    node = before(base, head)
    seen = 0
    found = 0
    while node != head and found < wanted and seen < ld64(lists + SCANS):
        up = before(base, node)
        if looked_up(base, node):
            move(lists, node, ACTIVE)
        elif gone(t, base, node):
            leave(lists, node)
            put_spare(base, place, node)
            found += 1
        node = up
        seen += 1
    if not found and not force(t, lists, INACTIVE, place):
        # the kernel looks here when the other list is empty; ours may hold what other threads have taken just now
        force(t, lists, ACTIVE, place)


def force(t: Table, lists: int, state: int, place: int) -> bool:
    """The first from a list's tail that can go, looked up or not; False when there is none."""
    base = ld64(lists + BASE)
    head = ld64(lists + HEADS + 8 * state)
    node = before(base, head)
    while node != head:
        if gone(t, base, node):
            leave(lists, node)
            put_spare(base, place, node)
            return True
        node = before(base, node)
    return False


# -- one pair of lists for all CPUs, with free and pending nodes by CPU ------------------------------------------


def pop_common(t: Table, lru: int, cpu: int, hashed: int) -> int:
    """``pop`` from a CPU's free nodes, from the shared lists or, when these have none, from other CPUs."""
    base = ld64(lru + NODES)
    local = ld64(lru + LOCALS) + cpu * LOCAL_SIZE
    lock(local + LOCK)
    found = get_spare(base, local + SPARE)
    if not found:
        fetch(t, lru, local)
        found = get_spare(base, local + SPARE)
    if found:
        wait(base, local, found - 1, cpu, hashed)
    unlock(local + LOCK)
    if found:
        return found - 1
    found = steal(t, lru, local)
    if not found:
        return -1
    lock(local + LOCK)
    wait(base, local, found - 1, cpu, hashed)
    unlock(local + LOCK)
    return found - 1


def wait(base: int, local: int, node: int, cpu: int, hashed: int) -> None:
    """To the CPU's pending list, which is locked."""
    set_taken(base, node, cpu, hashed)
    set_state(base, node, PENDING)
    add(base, ld64(local + WAITING), node)


def fetch(t: Table, lru: int, local: int) -> None:
    """Hand the pending nodes to the shared lists and get free ones from there."""
    base = ld64(lru + NODES)
    lists = ld64(lru + LISTS)
    lock(lists + LOCK)
    flush(base, lists, ld64(local + WAITING))
    rotate(lists)
    count = 0
    while count < ld64(lru + TARGET) and has_free(lists):
        put_spare(base, local + SPARE, get_free(lists))
        count += 1
    if count < ld64(lru + TARGET):
        evict(t, lists, ld64(lru + TARGET) - count, local + SPARE)
    unlock(lists + LOCK)


def flush(base: int, lists: int, head: int) -> None:
    """Pending nodes, the oldest first, to the inactive list; to the active one when they were looked up."""
    node = before(base, head)
    while node != head:
        drop(base, node)
        enter(lists, node, ACTIVE if looked_up(base, node) else INACTIVE)
        node = before(base, head)


def steal(t: Table, lru: int, local: int) -> int:
    """A node of another CPU, free or pending, plus one; or 0."""
    first = ld64(local + STEAL)
    other = first
    found = 0
    while not found:
        found = steal_from(t, ld64(lru + NODES), ld64(lru + LOCALS) + other * LOCAL_SIZE)
        other = (other + 1) % ld64(lru + CPUS)
        if other == first:
            break
    st64(local + STEAL, other)
    return found


def steal_from(t: Table, base: int, local: int) -> int:
    """A node of that CPU, plus one; or 0."""
    lock(local + LOCK)
    found = get_spare(base, local + SPARE)
    if not found:
        found = from_waiting(t, base, ld64(local + WAITING), False)
    if not found:
        found = from_waiting(t, base, ld64(local + WAITING), True)
    unlock(local + LOCK)
    return found


def from_waiting(t: Table, base: int, head: int, any: bool) -> int:
    """The oldest pending node that can go (and was not looked up, unless ``any`` will do), plus one; or 0."""
    node = before(base, head)
    while node != head:
        if (any or not looked_up(base, node)) and gone(t, base, node):
            drop(base, node)
            return node + 1
        node = before(base, node)
    return 0


# -- lists and nodes of each CPU's own ---------------------------------------------------------------------------


def pop_own(t: Table, lists: int, cpu: int, hashed: int) -> int:
    """``pop`` from the CPU's own nodes."""
    node = -1
    lock(lists + LOCK)
    rotate(lists)
    if not has_free(lists):
        evict(t, lists, PERCPU_TARGET, lists + SPARE)
    if has_free(lists):
        node = get_free(lists)
        set_taken(ld64(lists + BASE), node, cpu, hashed)
        enter(lists, node, INACTIVE)
    unlock(lists + LOCK)
    return node
