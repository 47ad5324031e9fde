"""The state of one path: frames with registers and stack slots, references held, the way that led here.

``Slot`` and ``Reg`` objects in a state are never changed, only replaced; ``HistoryEntry`` objects too.  So a copy of a
state copies lists.  (``struct bpf_verifier_state``, ``bpf_func_state``, ``bpf_stack_state``; Linux 6.18.)
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.regs import Reg, frame_pointer, not_init


class Slot:
    """Eight bytes of stack.  Byte i of ``types`` (bits 8i…) is the kind of byte i; ``spilled`` what a spill left."""

    types: int
    spilled: Reg

    if not cython.compiled:
        __slots__ = ("spilled", "types")

    def __init__(self, types: int, spilled: Reg) -> None:
        self.types = types
        self.spilled = spilled

    def type_at(self, byte: int) -> int:
        """The kind of one byte, 0 the lowest address."""
        return (self.types >> (8 * byte)) & 0xFF

    def with_spilled(self, spilled: Reg) -> Slot:
        """The same byte kinds over another spill."""
        return Slot(self.types, spilled)

    def __repr__(self) -> str:
        return f"<Slot {self.types:016x} {self.spilled!r}>"


class Ref:
    """A reference, lock or interrupt flag that the path holds.  ``ptr`` is the object that a lock lies in."""

    def __init__(self, type: int, id: int, insn_idx: int, ptr: Any = None) -> None:
        self.type = type
        self.id = id
        self.insn_idx = insn_idx
        self.ptr = ptr


class HistoryEntry:
    """One step that going back must know: from ``prev_idx`` to ``idx``, what it did to the stack, linked registers."""

    if not cython.compiled:
        __slots__ = ("flags", "idx", "linked_regs", "prev_idx")

    def __init__(self, idx: int, prev_idx: int, flags: int, linked_regs: int) -> None:
        self.idx = idx
        self.prev_idx = prev_idx
        self.flags = flags
        self.linked_regs = linked_regs


class Frame:
    """One function's registers (``regs``, 11) and stack (``stack[0]`` is fp-8, ``stack[1]`` fp-16 …).

    ``marks`` belong to kernels that mark on states what is read (``live_marks``); None for others.  ``dead`` tells, for
    the log, which halves of slots were given up since nobody reads them: bit 2 * i for the upper one of slot i.
    """

    regs: list[Reg]
    stack: list[Slot]
    marks: Any
    dead: int

    def __init__(self, callsite: int, frameno: int, subprogno: int) -> None:
        self.callsite = callsite
        self.frameno = frameno
        self.subprogno = subprogno
        self.regs = [not_init() for _ in range(10)]
        self.regs.append(frame_pointer(frameno))
        self.stack = []
        self.async_entry_cnt = 0
        self.callback_ret_min = self.callback_ret_max = 0
        self.in_callback_fn = self.in_async_callback_fn = self.in_exception_callback_fn = False
        self.callback_depth = 0
        self.marks = None
        self.dead = 0

    def copy(self) -> Frame:
        """A frame of its own that shares registers and slots."""
        new = new_frame()
        new.callsite, new.frameno, new.subprogno = self.callsite, self.frameno, self.subprogno
        new.regs, new.stack = self.regs[:], self.stack[:]
        new.async_entry_cnt = self.async_entry_cnt
        new.callback_ret_min, new.callback_ret_max = self.callback_ret_min, self.callback_ret_max
        new.in_callback_fn, new.in_async_callback_fn = self.in_callback_fn, self.in_async_callback_fn
        new.in_exception_callback_fn, new.callback_depth = self.in_exception_callback_fn, self.callback_depth
        new.dead = self.dead
        new.marks = None if self.marks is None else self.marks.copy()
        return new

    def allocated_stack(self) -> int:
        """Bytes of stack that the path has touched, a multiple of 8."""
        return 8 * len(self.stack)


def new_frame() -> Frame:
    """A frame with nothing in it."""
    return Frame.__new__(Frame)


class State:
    """One path at one instruction.  ``branches`` counts the paths that go on from here and are not finished.

    ``refs`` is replaced, never changed in place.  ``history`` belongs to this state alone; its entries are shared.
    A remembered state also counts how often it matched and did not (``hit_cnt``, ``miss_cnt``), knows that it is
    compared no more (``in_free_list``) and which visit of a loop it stands in (``scc_visit``); copies know none of it.
    """

    frames: list[Frame]
    parent: State | None
    refs: list[Ref]
    history: list[HistoryEntry]
    equal_state: State | None
    active_lock_ptr: Any
    scc_visit: Any

    def __init__(self) -> None:
        self.frames = []
        self.parent = None
        self.refs = []
        self.branches = self.insn_idx = self.curframe = 0
        self.acquired_refs = self.active_locks = self.active_preempt_locks = 0
        self.active_irq_id = self.active_lock_id = 0
        self.active_lock_ptr = None
        self.active_rcu_lock = 0
        self.speculative = self.in_sleepable = self.cleaned = False
        self.first_insn_idx = self.last_insn_idx = 0
        self.equal_state = None
        self.history = []
        self.dfs_depth = self.callback_unroll_depth = self.may_goto_depth = 0
        self.hit_cnt = self.miss_cnt = 0
        self.in_free_list = False
        self.scc_visit = None

    def copy(self) -> State:
        """A state of its own; registers, slots, references and history entries are shared."""
        new = new_state()
        new.frames = frames = self.frames[:]
        for i in range(len(frames)):
            frame = frames[i]
            frames[i] = frame.copy()
        new.parent, new.refs, new.branches = self.parent, self.refs, self.branches
        new.insn_idx, new.curframe = self.insn_idx, self.curframe
        new.acquired_refs, new.active_locks = self.acquired_refs, self.active_locks
        new.active_preempt_locks, new.active_irq_id = self.active_preempt_locks, self.active_irq_id
        new.active_lock_id, new.active_lock_ptr = self.active_lock_id, self.active_lock_ptr
        new.active_rcu_lock, new.speculative = self.active_rcu_lock, self.speculative
        new.in_sleepable, new.cleaned = self.in_sleepable, self.cleaned
        new.first_insn_idx, new.last_insn_idx = self.first_insn_idx, self.last_insn_idx
        new.equal_state, new.history = self.equal_state, self.history[:]
        new.dfs_depth, new.callback_unroll_depth = self.dfs_depth, self.callback_unroll_depth
        new.may_goto_depth = self.may_goto_depth
        new.hit_cnt = new.miss_cnt = 0
        new.in_free_list = False
        new.scc_visit = None
        return new

    def frame(self) -> Frame:
        """The innermost frame."""
        found = self.frames[self.curframe]
        return found

    def regs(self) -> list[Reg]:
        """The registers of the innermost frame."""
        found = self.frames[self.curframe]
        return found.regs


def new_state() -> State:
    """A state with nothing in it."""
    return State.__new__(State)
