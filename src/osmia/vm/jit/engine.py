"""The engine that runs native code, with the interface of ``interp.Interp``.

Native code works on the words of a run (``vm.runwords``).  It returns when the program ends, or with the word
``fault`` set; then the error that is raised here is the interpreter's for the same fault, at the same slot.
Before Python code runs within a run (a helper's body, the target of a tail call) the frames in use and the packet
are listed in ``memory`` as they are, and afterwards native code forgets its windows if memory came or went.

Instructions are counted in checked runs; a trusted run reports none, and only its end ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from osmia.errors import OsmiaError, VmError
from osmia.maps.handle import WORD
from osmia.maps.targets import target_of
from osmia.memory import Memory, Region
from osmia.raw import Buffer, ld64, st64
from osmia.vm.decode import ROW, Code
from osmia.vm.env import FastBody, HelperBody, poll
from osmia.vm.faults import budget_error, error_of
from osmia.vm.jit.gate import TARGETS_SIZE, address_of_call, begin, end, enter, enter_at, prepare
from osmia.vm.ops import SLICE, TAIL_CALLS
from osmia.vm.run import Run
from osmia.vm.runwords import F_CALLBACK, F_PYTHON, F_STOPPED

if TYPE_CHECKING:
    from osmia.vm.env import Env
    from osmia.vm.jit.build import Native

M64 = 0xFFFFFFFFFFFFFFFF


class Jit:
    """Runs native code on the block ``run``, whose frames are listed as ``frames``.  One run at a time; callbacks nest.

    ``native`` answers the code of a number, compiling it if need be, and ``codes`` the decoded programs; both may be
    shared by several engines, one a thread.
    """

    def __init__(
        self,
        memory: Memory,
        codes: Sequence[Code],
        native: Callable[[int], Native],
        run: Run,
        frames: Region,
        bodies: Mapping[int, HelperBody],
    ) -> None:
        self.memory, self.codes, self.native = memory, codes, native
        self.run, self.frames, self.bodies = run, frames, bodies
        self._address = run.address
        self._checked = bool(run.get("checked"))
        self.env: Any = None
        self.kept: BaseException | None = None
        """What a Python body raised while native code was running it."""
        self.budget = 0
        self.spent = 0
        self.registers: tuple[int, ...] = ()
        """Always empty: native code keeps registers where it likes."""
        self._helper = address_of_call("helper")
        self._targets = Buffer(TARGETS_SIZE)
        self._granted = 0

    @property
    def current(self) -> int:
        """The number of the code that runs: another one after a tail call."""
        return int(ld64(self._targets.address + 8))

    # -- runs ----------------------------------------------------------------------------------------------------------

    def start(self, env: Env, arguments: Sequence[int], budget: int, tracer: Any = None, callback: int = 0) -> int:
        """Run the first code from its first slot, or a callback, and return R0; ``arguments`` go into R1 and on."""
        index = self._index(callback) if callback else 0
        native = self.native(index)
        self._prepare(env, native, budget)
        address = self._address
        r1, r2, r3, r4, r5 = [a & M64 for a in (*arguments, 0, 0, 0, 0, 0)[:5]]
        kept = begin(address, self)
        try:
            if callback:
                r0 = enter_at(native.call, address, callback & M64, r1, r2, r3, r4, r5)
            else:
                r0 = enter(native.entry, address, r1, r2, r3, r4, r5)
            self._count()
            self._raise_fault()
            if self._checked and self.spent > budget:
                raise budget_error(budget)
            return r0
        finally:
            end(address, kept)
            self.frames.size = 0
            self.run.put("room", 0)

    def _prepare(self, env: Env, native: Native, budget: int) -> None:
        """Let the run's words say what the program sees."""
        self.env, self.budget = env, budget
        self.kept, self.spent = None, 0
        env.run = self._address
        words = getattr(env.host, "words", None)
        self._granted = min(budget, SLICE) if self._checked else 0
        outside = (env.ctx.address, env.ctx.packet_words, words.address if words else 0)
        prepare(self._address, self._granted, env.host.cpu, *outside, native.call, self._helper, self._targets.address)

    def _put(self, **words: int) -> None:
        for name, value in words.items():
            self.run.put(name, value)

    def call(self, pointer: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        """Run a callback in a frame above those in use.  Raises VmError."""
        run = self.run
        room, floor = run.get("room"), run.get("floor")
        native = self.native(self._index(pointer))
        try:
            r0 = enter_at(native.call, run.address, pointer & M64, r1 & M64, r2 & M64, r3 & M64, r4 & M64, r5 & M64)
            self._raise_fault()
            return r0
        finally:
            self._put(room=room, floor=floor)
            self.frames.size = room

    def stop(self) -> None:
        """Called in another thread: end the run in progress, if it is checked, with a VmError."""
        self.run.put("stop", 1)

    def _index(self, pointer: int) -> int:
        """The number of the code that a callback pointer belongs to.  Raises VmError."""
        index = self._find(pointer)
        if index < 0:
            raise VmError(f"{pointer & M64:#x} ({self.memory.describe(pointer & M64)}) is no callback")
        return index

    def _find(self, pointer: int) -> int:
        return next((i for i, code in enumerate(self.codes) if code.slot_of(pointer & M64) >= 0), -1)

    # -- faults --------------------------------------------------------------------------------------------------------

    def _raise_fault(self) -> None:
        """Raise what the run's words say, if anything; a body that called back may go on after it."""
        fault = self.run.get("fault")
        if fault:
            self.run.put("fault", 0)
            raise self._error(fault)

    def _error(self, fault: int) -> BaseException:
        self.frames.size = self.run.get("room")
        kept, self.kept = self.kept, None
        if fault == F_PYTHON and kept is not None:
            error = kept
        else:
            self.run.put("fault", fault)
            error = error_of(self.run, self.memory, self.budget)
            self.run.put("fault", 0)
        slot = self.run.get("pc")
        if isinstance(error, VmError) and error.pc < 0 and slot < M64:
            error.pc = slot
            error.args = (f"insn {slot}: {error.reason}",)
        return error

    # -- what native code calls (through ``gate``) ---------------------------------------------------------------------

    def python(self, row: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        """The Python body behind the decoder row of a call."""
        code, slot = self._at(row)
        return self._outside(code.bodies[code.rows[slot].imm], r1, r2, r3, r4, r5)

    def helper(self, number: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        """The Python body of a helper, which its native body hands a call to."""
        body = self.bodies[number]
        if isinstance(body, FastBody):
            if body.python is None:
                raise OsmiaError(f"{body.name} has no Python body")
            body = body.python
        return self._outside(body, r1, r2, r3, r4, r5)

    def tail(self, row: int, table: int, slot: int) -> int:
        """The entry of the program that a tail call goes on with, or 0."""
        done = self.run.get("tail_calls")
        if done >= TAIL_CALLS:
            return 0
        self._sync()
        slot &= 0xFFFFFFFF
        target: int = self.env.machine.tail_target(table, slot)
        if target < 0:
            return 0
        native = self.native(target)
        self.run.put("tail_calls", done + 1)
        self._remember(table, slot, native.entry, target)
        return native.entry

    def _remember(self, table: int, slot: int, entry: int, target: int) -> None:
        """Let native code find the target by itself from now on; both codes stay as long as the machine."""
        known, number = self._targets.address, ld64(ld64(table + WORD["values"]) + 8 * slot)
        st64(known, table)
        st64(known + 8, target)
        found = target_of(number)  # the slot may be another program's by now
        holder = getattr(found, "machine", found)
        if found is not None and getattr(holder, "program", found) is self.codes[target].program:
            row = known + 16 + 24 * (number & 63)
            for at, value in ((row, number), (row + 8, entry), (row + 16, target)):
                st64(at, value)

    def elsewhere(self, pointer: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        """Run a callback of another program; a fault stays in the words."""
        index = self._find(pointer)
        if index < 0:
            self._put(fault=F_CALLBACK, address=pointer)
            return 0
        return enter_at(self.native(index).call, self.run.address, pointer, r1, r2, r3, r4, r5)

    def refill(self) -> int:
        """The fuel is spent: 0 and there is more, or 1 and the run ends."""
        self._count()
        poll()
        if self.run.get("stop"):
            self.run.put("fault", F_STOPPED)
            return 1
        if self.spent >= self.budget:
            raise budget_error(self.budget, self.run.get("pc"))
        self._granted = min(self.budget - self.spent, SLICE)
        self.run.put("fuel", self._granted)
        return 0

    def relax(self) -> int:
        """Let another thread run, which holds a lock; ends the run when it is told to stop."""
        import time

        time.sleep(0)
        if self.run.get("stop"):
            self.run.put("fault", F_STOPPED)
        return 0

    # -- around Python code --------------------------------------------------------------------------------------------

    def _outside(self, body: HelperBody, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        stamp = self.memory.stamp()
        self._sync()
        result = body(self.env, r1, r2, r3, r4, r5)
        if self.memory.stamp() != stamp:
            self.run.close_windows()
        return int(result)

    def _sync(self) -> None:
        """List the frames in use as they are now."""
        self.frames.size = self.run.get("room")

    def _count(self) -> None:
        """What was used of the fuel is spent."""
        if self._granted:
            fuel = self.run.get("fuel")
            self.spent += self._granted - (fuel - (1 << 64) if fuel >> 63 else fuel)
            self._granted = 0

    def _at(self, row: int) -> tuple[Code, int]:
        """The code and the slot of a decoder row."""
        for code in self.codes:
            slot, rest = divmod(row - code.address, ROW.size)
            if rest == 0 and 0 <= slot < code.count:
                self.run.put("pc", slot)
                return code, slot
        raise VmError(f"{row:#x} is no row of a program")
