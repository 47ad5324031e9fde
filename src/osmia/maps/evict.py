"""Who has to go: the kernel's approximation of LRU (kernel/bpf/bpf_lru_list.c), step for step.

New nodes wait on a pending list of their CPU.  When a CPU runs out of free nodes, its pending nodes join the shared
inactive list (the active list, when they were looked up meanwhile), the lists are rotated, and a batch of free nodes
is fetched, made by evicting from the inactive list's tail what was not looked up.  With BPF_F_NO_COMMON_LRU each CPU
has lists and nodes of its own and none are pending.
"""

from __future__ import annotations

from collections.abc import Callable

from osmia.maps.slab import Slab

try:
    import cython
except ImportError:
    from osmia._cy import cython
if not cython.compiled:
    from osmia.raw import ld8, ld32, st8, st32

ACTIVE, INACTIVE, FREE, PENDING = 1, 2, 3, 4
LOCAL_TARGET = 128
"""Nodes that a CPU fetches at a time, and nodes that a rotation looks at (common lists)."""
PERCPU_TARGET = 4
"""The same for lists of one CPU's own."""
NODE = 12  # previous u32, next u32, state u8, looked-up u8, cpu u16 (as two u8)


class Nodes:
    """Doubly linked rings over numbered nodes; node numbers from ``count`` on are the rings' heads."""

    def __init__(self, count: int, rings: int) -> None:
        self._slab = Slab(NODE * (count + rings))
        self.base = self._slab.address
        for head in range(count, count + rings):
            self.join(head, head)

    def join(self, a: int, b: int) -> None:
        """``b`` follows ``a``."""
        st32(self.base + NODE * a + 4, b)
        st32(self.base + NODE * b, a)

    def after(self, node: int) -> int:
        """The next node."""
        return ld32(self.base + NODE * node + 4)

    def before(self, node: int) -> int:
        """The previous node."""
        return ld32(self.base + NODE * node)

    def drop(self, node: int) -> None:
        """Out of its ring."""
        self.join(self.before(node), self.after(node))

    def add(self, head: int, node: int) -> None:
        """Directly behind the head."""
        first = self.after(head)
        self.join(head, node)
        self.join(node, first)

    def state(self, node: int) -> int:
        """ACTIVE, INACTIVE, FREE or PENDING."""
        return ld8(self.base + NODE * node + 8)

    def set_state(self, node: int, state: int) -> None:
        """The new state, not looked up since."""
        st8(self.base + NODE * node + 8, state)
        st8(self.base + NODE * node + 9, 0)

    def looked_up(self, node: int) -> bool:
        """Whether the node was used since it came to its list."""
        return ld8(self.base + NODE * node + 9) != 0

    def touch(self, node: int) -> None:
        """The node was used."""
        st8(self.base + NODE * node + 9, 1)

    def cpu(self, node: int) -> int:
        """The CPU on whose pending list the node is, or whose own it is."""
        return ld8(self.base + NODE * node + 10) | ld8(self.base + NODE * node + 11) << 8

    def set_cpu(self, node: int, cpu: int) -> None:
        """Note the CPU."""
        st8(self.base + NODE * node + 10, cpu & 0xFF)
        st8(self.base + NODE * node + 11, cpu >> 8)


class Lists:
    """Active, inactive and free nodes.  ``fresh`` up to ``limit`` are free nodes never used so far."""

    def __init__(self, nodes: Nodes, active: int, inactive: int, fresh: int, limit: int, scans: int) -> None:
        self.nodes = nodes
        self.heads = {ACTIVE: active, INACTIVE: inactive}
        self.sizes = {ACTIVE: 0, INACTIVE: 0}
        self.free: list[int] = []
        self.fresh, self.limit = fresh, limit
        self.scans = scans
        self.rotation = inactive

    def has_free(self) -> bool:
        """Whether a node is to be had without evicting."""
        return bool(self.free) or self.fresh < self.limit

    def pop_free(self) -> int:
        """One of the free nodes."""
        if self.free:
            return self.free.pop()
        self.fresh += 1
        return self.fresh - 1

    def enter(self, node: int, state: int) -> None:
        """A node that is on no ring joins the active or inactive ring."""
        self.nodes.set_state(node, state)
        self.nodes.add(self.heads[state], node)
        self.sizes[state] += 1

    def leave(self, node: int) -> None:
        """The node is on no ring any more."""
        if self.rotation == node:
            self.rotation = self.nodes.before(node)
        self.sizes[self.nodes.state(node)] -= 1
        self.nodes.drop(node)

    def move(self, node: int, state: int) -> None:
        """From one ring to the head of another, or of the same."""
        self.leave(node)
        self.enter(node, state)

    def rotate(self) -> None:
        """Sort looked-up nodes to the active list and, when that grows too long, others off it."""
        if self.sizes[INACTIVE] < self.sizes[ACTIVE]:
            self._rotate_active()
        if self.sizes[INACTIVE]:
            self._rotate_inactive()

    def _rotate_active(self) -> None:
        head = self.heads[ACTIVE]
        first, node = self.nodes.after(head), self.nodes.before(head)
        for _ in range(self.scans):
            if node == head:
                return
            up = self.nodes.before(node)
            self.move(node, ACTIVE if self.nodes.looked_up(node) else INACTIVE)
            if node == first:
                return
            node = up

    def _rotate_inactive(self) -> None:
        head = self.heads[INACTIVE]
        last = self.nodes.after(self.rotation)
        last = self.nodes.after(last) if last == head else last
        node, up, seen = self.rotation, self.rotation, 0
        while seen < self.scans:
            if node == head:
                node = self.nodes.before(node)
                continue
            up = self.nodes.before(node)
            if self.nodes.looked_up(node):
                self.move(node, ACTIVE)
            if node == last:
                break
            node, seen = up, seen + 1
        self.rotation = up

    def evict(self, wanted: int, gone: Callable[[int], bool]) -> list[int]:
        """Up to ``wanted`` nodes from the inactive tail that were not looked up; in need, one that was."""
        head = self.heads[INACTIVE]
        out: list[int] = []
        node = self.nodes.before(head)
        for _ in range(self.scans):
            if node == head or len(out) >= wanted:
                break
            up = self.nodes.before(node)
            if self.nodes.looked_up(node):
                self.move(node, ACTIVE)
            elif gone(node):
                self.leave(node)
                out.append(node)
            node = up
        return out or self._force(gone)

    def _force(self, gone: Callable[[int], bool]) -> list[int]:
        head = self.heads[INACTIVE if self.sizes[INACTIVE] else ACTIVE]
        node = self.nodes.before(head)
        while node != head:
            if gone(node):
                self.leave(node)
                return [node]
            node = self.nodes.before(node)
        return []


class CommonLru:
    """One pair of lists for all CPUs, with free and pending nodes by CPU."""

    def __init__(self, count: int, cpus: int, gone: Callable[[int], bool]) -> None:
        self.nodes = Nodes(count, 2 + cpus)
        self.cpus, self.gone = cpus, gone
        self.lists = Lists(self.nodes, count, count + 1, 0, count, LOCAL_TARGET)
        self.target = min(max(count // cpus // 2, 1), LOCAL_TARGET)
        self.free: list[list[int]] = [[] for _ in range(cpus)]
        self.pending = [count + 2 + cpu for cpu in range(cpus)]
        self.steal = list(range(cpus))

    def pop(self, cpu: int) -> int:
        """A node for a new element, or -1."""
        if not self.free[cpu]:
            self._fetch(cpu)
        node = self.free[cpu].pop() if self.free[cpu] else self._steal(cpu)
        if node >= 0:
            self.nodes.set_state(node, PENDING)
            self.nodes.set_cpu(node, cpu)
            self.nodes.add(self.pending[cpu], node)
        return node

    def _fetch(self, cpu: int) -> None:
        self._flush(cpu)
        self.lists.rotate()
        mine = self.free[cpu]
        while len(mine) < self.target and self.lists.has_free():
            mine.append(self.lists.pop_free())
        if len(mine) < self.target:
            mine += self.lists.evict(self.target - len(mine), self.gone)

    def _flush(self, cpu: int) -> None:
        head = self.pending[cpu]
        while (node := self.nodes.before(head)) != head:
            state = ACTIVE if self.nodes.looked_up(node) else INACTIVE
            self.nodes.drop(node)
            self.lists.enter(node, state)

    def _steal(self, cpu: int) -> int:
        first = self.steal[cpu]
        for step in range(self.cpus):
            other = (first + step) % self.cpus
            node = self.free[other].pop() if self.free[other] else self._from_pending(other)
            self.steal[cpu] = (other + 1) % self.cpus
            if node >= 0:
                return node
        return -1

    def _from_pending(self, cpu: int) -> int:
        head = self.pending[cpu]
        for force in (False, True):
            node = self.nodes.before(head)
            while node != head:
                if (force or not self.nodes.looked_up(node)) and self.gone(node):
                    self.nodes.drop(node)
                    return node
                node = self.nodes.before(node)
        return -1

    def push(self, node: int) -> None:
        """The node is free again."""
        if self.nodes.state(node) == PENDING:
            self.nodes.drop(node)
            self.free[self.nodes.cpu(node)].append(node)
        else:
            self.lists.leave(node)
            self.lists.free.append(node)
        self.nodes.set_state(node, FREE)


class PercpuLru:
    """Lists and nodes of each CPU's own (BPF_F_NO_COMMON_LRU)."""

    def __init__(self, count: int, cpus: int, gone: Callable[[int], bool]) -> None:
        self.nodes = Nodes(count, 2 * cpus)
        self.gone = gone
        share = count // cpus
        self.lists = [
            Lists(self.nodes, count + 2 * c, count + 2 * c + 1, share * c, share * (c + 1), PERCPU_TARGET)
            for c in range(cpus)
        ]

    def pop(self, cpu: int) -> int:
        """A node for a new element, or -1."""
        mine = self.lists[cpu]
        mine.rotate()
        if not mine.has_free():
            mine.free += mine.evict(PERCPU_TARGET, self.gone)
        if not mine.has_free():
            return -1
        node = mine.pop_free()
        self.nodes.set_cpu(node, cpu)
        mine.enter(node, INACTIVE)
        return node

    def push(self, node: int) -> None:
        """The node is free again."""
        mine = self.lists[self.nodes.cpu(node)]
        mine.leave(node)
        mine.free.append(node)
        self.nodes.set_state(node, FREE)
