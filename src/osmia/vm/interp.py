"""The interpreter: one loop over decoded rows, plain Python here and a C jump table where it is compiled.

All registers are unsigned 64-bit words.  Frames lie ``FRAME_STRIDE`` bytes apart and hold ``FRAME_SIZE``
bytes each, so that the gap between two of them is no memory.  In checked mode an access passes when it lies in
the frames in use, or in the window that the last look-up opened; else ``memory`` is asked.  Unchecked, the
window is the whole address space.  Nothing is counted or traced inside the loop but ``fuel``: when
it is spent, ``_refill`` does both.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from osmia.errors import BadInsn, OsmiaError, VmError
from osmia.memory import Memory, Region
from osmia.raw import Buffer
from osmia.vm.env import FastBody, poll
from osmia.vm.faults import access_fault, budget_error, depth_error, error_of
from osmia.vm.jit.gate import address_of_call, begin, end
from osmia.vm.packetwords import PACKET
from osmia.vm.run import Run

if not cython.compiled:
    from osmia.raw import (  # isort: skip
        add32, add64, and32, and64, call6, cas32, cas64, fill, ld8, ld16, ld32, ld64, or32, or64,
        st8, st16, st32, st64, xchg32, xchg64, xor32, xor64,
    )
    from osmia.vm.native import operand, registers, row_at
    from osmia.vm.ops import (  # isort: skip
        # 64-bit arithmetic
        MOV64, ADD64, SUB64, MUL64, DIV64, SDIV64, MOD64, SMOD64, OR64, AND64, XOR64, LSH64, RSH64, ARSH64, NEG64,
        # 32-bit arithmetic
        MOV32, ADD32, SUB32, MUL32, DIV32, SDIV32, MOD32, SMOD32, OR32, AND32, XOR32, LSH32, RSH32, ARSH32, NEG32,
        # moves that sign extend, cuts and swaps
        SX8_64, SX16_64, SX32_64, SX8_32, SX16_32, CUT16, CUT32, SWAP16, SWAP32, SWAP64,
        # 64-bit jumps
        JEQ64, JNE64, JGT64, JGE64, JLT64, JLE64, JSGT64, JSGE64, JSLT64, JSLE64, JSET64,
        # 32-bit jumps
        JEQ32, JNE32, JGT32, JGE32, JLT32, JLE32, JSGT32, JSGE32, JSLT32, JSLE32, JSET32,
        # memory
        LDX8, LDX16, LDX32, LDX64, LDSX8, LDSX16, LDSX32, ST8, ST16, ST32, ST64, ATOMIC32, ATOMIC64,
        # the rest
        WIDE, LDABS, LDIND, JA, MAY_GOTO, HELPER, LOCAL, CALLX, TAIL, EXIT, FAST,
        MOV_ADD, MOV_MOV, ADD_MOV, ADD_ADD, ADD_JNE, ADD_JLT, ADD_JGT, AND_JEQ, LSH_RSH, LDX8_JNE, LDX16_JNE, LDX32_JNE,
        ALL_FRAMES, FRAMES, FRAME_SIZE, FRAME_STRIDE, MAY_GOTO_LOOPS, RECORD, SLICE, STEP, TAIL_CALLS,
    )
    from osmia.vm.packetstate import legacy_load
    from osmia.vm.packetwords import P_END, P_META, P_START, P_VERSION
    from osmia.vm.runwords import (  # isort: skip
        F_STOPPED, R_CALL, R_CPU, R_CTX, R_FAULT, R_FUEL, R_HOST, R_PACKET, R_PYTHON, R_ROOM, R_STOP,
    )
    from osmia.words import (  # isort: skip
        arsh32, arsh64, div, mod, s32, s64, sdiv32, sdiv64, smod32, smod64,
        swap16, swap32, swap64, sx8, sx16, sx32, word,
    )

if TYPE_CHECKING:
    from osmia.vm.decode import Code
    from osmia.vm.env import Env, HelperBody

class StackRegion(Region):
    """The frames in use; the address of the highest byte of a frame is R10 minus one."""

    def describe(self, address: int) -> str:
        """ "stack frame 0, r10 - 16" """
        frame, offset = divmod(address - self.address, self.stride)
        offset -= self.span
        return f"stack frame {frame}, r10 {'-' if offset < 0 else '+'} {abs(offset)}"


class Interp:
    """Runs decoded programs.  One run at a time; callbacks nest."""

    def __init__(self, memory: Memory, checked: bool) -> None:
        self.memory = memory
        self.checked = checked
        self.block = Run(memory, checked)
        self._run = self.block.address
        self.stack = self.block.frames
        size = self.stack.size
        self.frames = StackRegion(
            "stack", self.stack.address, size, kind="stack", stride=FRAME_STRIDE, span=FRAME_SIZE, owner=self.stack
        )
        self.base = self.stack.address
        self.memory.add(self.frames)
        self.frames.size = 0  # from now on that of the frames in use
        self.codes: list[Code] = []
        self.kept: BaseException | None = None
        """What a Python body raised while native code was running it."""
        self._still = Buffer(8 * len(PACKET))
        self._state = self._still.address  # the packet's state, or zeros
        self._version = 0
        self._handed: dict[int, Any] = {}  # Python bodies of helpers with native ones
        self._tables: list[Any] = []
        self._bodies: list[list[HelperBody]] = []
        self._plain = [0] * 16
        self._registers = Buffer(16 * 8)
        self.file = self._registers.address
        self._records = Buffer(ALL_FRAMES * RECORD)
        self._saved = self._records.address
        self.env: Any = None
        self.tracer: Any = None
        self.budget = 0
        self.spent = 0
        self.registers: tuple[int, ...] = ()
        self.current = 0
        self._granted = 0
        self._tail_calls = 0
        self._next = 0
        self._floor = 0  # the frame in which the program that runs was entered: a tail call moves it
        self._room = self._used = 0
        self._low = self._low2 = self._span = self._span2 = 0
        self._writable = self._writable2 = False
        self._forget()

    def add(self, code: Code) -> int:
        """Take in a decoded program; returns its number, which tail calls go to."""
        self.codes.append(code)
        self._tables.append(code.rows)
        self._bodies.append(code.bodies)
        self._handed |= {body.number: body.python for body in code.bodies if isinstance(body, FastBody)}
        return len(self.codes) - 1

    def start(
        self, env: Env, arguments: Sequence[int], budget: int, tracer: Any, callback: int = 0, times: int = 1
    ) -> int:
        """Run the first code from its first slot, or a callback, and return R0; ``arguments`` go into R1 and on.

        ``times``: so often, one run after the other, to measure what a run takes; R0 is the last one's.
        """
        self.env, self.budget, self.tracer = env, budget, tracer
        self._rewind()
        self.registers = ()
        self._prepare(env)
        index, slot = self._locate(callback) if callback else (0, 0)
        r1, r2, r3, r4, r5 = (*arguments, 0, 0, 0, 0, 0)[:5]
        kept = begin(self._run, self)
        try:
            return self._runs(times, index, slot, word(r1), word(r2), word(r3), word(r4), word(r5))
        finally:
            end(self._run, kept)
            self._next = 0
            self._room = self.frames.size = 0
            self._forget()

    def _runs(self, times: int, index: int, slot: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        while True:
            r0 = self.run(index, slot, 0, r1, r2, r3, r4, r5)
            times -= 1
            if times <= 0:
                return r0
            self._rewind()

    def _rewind(self) -> None:
        """Nothing has been spent, and nothing of the last run is on the stack."""
        self.spent = self._granted = self._tail_calls = self._next = self._floor = 0
        fill(self.base, 0, self._used)
        self._used = 0

    def _prepare(self, env: Env) -> None:
        """Let the run's words say what the program sees."""
        env.run = self._run
        self.kept = None
        words = getattr(env.host, "words", None)
        state: int = env.ctx.packet_words
        for at, value in (
            (R_FAULT, 0), (R_STOP, 0), (R_CPU, env.host.cpu), (R_CTX, env.ctx.address), (R_PACKET, state),
            (R_HOST, words.address if words is not None else 0),
            (R_CALL, address_of_call("elsewhere")), (R_PYTHON, address_of_call("helper")),
        ):  # fmt: skip
            st64(self._run + at, value)
        self.block.close_windows()
        self._state = state if state else self._still.address
        self._version = ld64(self._state + P_VERSION)

    def call(self, pointer: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        """Run a callback in a frame above those in use; the registers are as before afterwards."""
        index, slot = self._locate(pointer)
        kept, floor = self._kept(), self._floor
        try:
            return self.run(index, slot, self._next, word(r1), word(r2), word(r3), word(r4), word(r5))
        finally:
            self._restore(kept)
            self._floor = floor

    def _locate(self, pointer: int) -> tuple[int, int]:
        """Code and slot behind a callback pointer."""
        pointer &= 0xFFFFFFFFFFFFFFFF
        for index, code in enumerate(self.codes):
            slot = code.slot_of(pointer)
            if slot >= 0:
                return index, slot
        raise VmError(f"{pointer:#x} ({self.memory.describe(pointer)}) is no callback")

    def run(self, index: int, slot: int, depth: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        """Run code ``index`` from a slot in frame ``depth`` until that frame ends; returns R0."""
        M32 = 0xFFFFFFFF
        M64 = 0xFFFFFFFFFFFFFFFF
        regs = registers(self.file, self._plain)
        for number in range(16):
            regs[number] = 0
        regs[1], regs[2], regs[3], regs[4], regs[5] = r1, r2, r3, r4, r5
        bottom = depth
        loops = MAY_GOTO_LOOPS
        fuel = 0
        code = self._tables[index]
        pc = self._begin(index) + STEP * slot
        try:
            regs[10] = self._open(depth)
            while True:
                fuel -= 1
                if fuel < 0:
                    fuel = self._refill(index, pc, regs) - 1
                row = row_at(code, pc)
                pc += STEP
                op = row.op
                dst = row.dst
                a = regs[dst]
                b = operand(row, regs)
                if op == MOV64:
                    regs[dst] = b
                elif op == ADD64:
                    regs[dst] = (a + b) & M64
                elif op == LDX64:
                    at = (b + row.off) & M64
                    if not self._ok(at, 8, False):
                        self._admit(at, 8, False)
                    regs[dst] = ld64(at)
                elif op == LDX32:
                    at = (b + row.off) & M64
                    if not self._ok(at, 4, False):
                        self._admit(at, 4, False)
                    regs[dst] = ld32(at)
                elif op == JEQ64:
                    if a == b:
                        pc += row.off
                elif op == JNE64:
                    if a != b:
                        pc += row.off
                elif op == MOV32:
                    regs[dst] = b & M32
                elif op == ST64:
                    at = (a + row.off) & M64
                    if not self._ok(at, 8, True):
                        self._admit(at, 8, True)
                    st64(at, b)
                elif op == JA:
                    pc += row.off
                elif op == MOV_ADD:
                    regs[dst] = b
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        regs[row.dst] = (regs[row.dst] + operand(row, regs)) & M64
                elif op == ADD_JNE:
                    regs[dst] = (a + b) & M64
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        if regs[row.dst] != operand(row, regs):
                            pc += row.off
                elif op == MOV_MOV:
                    regs[dst] = b
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        regs[row.dst] = operand(row, regs)
                elif op == ADD_MOV:
                    regs[dst] = (a + b) & M64
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        regs[row.dst] = operand(row, regs)
                elif op == ADD_ADD:
                    regs[dst] = (a + b) & M64
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        regs[row.dst] = (regs[row.dst] + operand(row, regs)) & M64
                elif op == ADD_JLT:
                    regs[dst] = (a + b) & M64
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        if regs[row.dst] < operand(row, regs):
                            pc += row.off
                elif op == ADD_JGT:
                    regs[dst] = (a + b) & M64
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        if regs[row.dst] > operand(row, regs):
                            pc += row.off
                elif op == AND_JEQ:
                    regs[dst] = a & b
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        if regs[row.dst] == operand(row, regs):
                            pc += row.off
                elif op == LSH_RSH:
                    regs[dst] = (a << (b & 63)) & M64
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        regs[row.dst] = regs[row.dst] >> (operand(row, regs) & 63)
                elif op == LDX8_JNE:
                    at = (b + row.off) & M64
                    if not self._ok(at, 1, False):
                        self._admit(at, 1, False)
                    regs[dst] = ld8(at)
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        if regs[row.dst] != operand(row, regs):
                            pc += row.off
                elif op == LDX16_JNE:
                    at = (b + row.off) & M64
                    if not self._ok(at, 2, False):
                        self._admit(at, 2, False)
                    regs[dst] = ld16(at)
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        if regs[row.dst] != operand(row, regs):
                            pc += row.off
                elif op == LDX32_JNE:
                    at = (b + row.off) & M64
                    if not self._ok(at, 4, False):
                        self._admit(at, 4, False)
                    regs[dst] = ld32(at)
                    if fuel > 0:
                        fuel -= 1
                        row = row_at(code, pc)
                        pc += STEP
                        if regs[row.dst] != operand(row, regs):
                            pc += row.off
                elif op == SUB64:
                    regs[dst] = (a - b) & M64
                elif op == MUL64:
                    regs[dst] = (a * b) & M64
                elif op == DIV64:
                    regs[dst] = div(a, b)
                elif op == SDIV64:
                    regs[dst] = sdiv64(a, b)
                elif op == MOD64:
                    regs[dst] = mod(a, b)
                elif op == SMOD64:
                    regs[dst] = smod64(a, b)
                elif op == OR64:
                    regs[dst] = a | b
                elif op == AND64:
                    regs[dst] = a & b
                elif op == XOR64:
                    regs[dst] = a ^ b
                elif op == LSH64:
                    regs[dst] = (a << (b & 63)) & M64
                elif op == RSH64:
                    regs[dst] = a >> (b & 63)
                elif op == ARSH64:
                    regs[dst] = arsh64(a, b)
                elif op == NEG64:
                    regs[dst] = (0 - a) & M64
                elif op == JGT64:
                    if a > b:
                        pc += row.off
                elif op == JGE64:
                    if a >= b:
                        pc += row.off
                elif op == JLT64:
                    if a < b:
                        pc += row.off
                elif op == JLE64:
                    if a <= b:
                        pc += row.off
                elif op == JSGT64:
                    if s64(a) > s64(b):
                        pc += row.off
                elif op == JSGE64:
                    if s64(a) >= s64(b):
                        pc += row.off
                elif op == JSLT64:
                    if s64(a) < s64(b):
                        pc += row.off
                elif op == JSLE64:
                    if s64(a) <= s64(b):
                        pc += row.off
                elif op == JSET64:
                    if a & b:
                        pc += row.off
                elif op == LDX16:
                    at = (b + row.off) & M64
                    if not self._ok(at, 2, False):
                        self._admit(at, 2, False)
                    regs[dst] = ld16(at)
                elif op == LDX8:
                    at = (b + row.off) & M64
                    if not self._ok(at, 1, False):
                        self._admit(at, 1, False)
                    regs[dst] = ld8(at)
                elif op == LDSX8:
                    at = (b + row.off) & M64
                    if not self._ok(at, 1, False):
                        self._admit(at, 1, False)
                    regs[dst] = sx8(ld8(at))
                elif op == LDSX16:
                    at = (b + row.off) & M64
                    if not self._ok(at, 2, False):
                        self._admit(at, 2, False)
                    regs[dst] = sx16(ld16(at))
                elif op == LDSX32:
                    at = (b + row.off) & M64
                    if not self._ok(at, 4, False):
                        self._admit(at, 4, False)
                    regs[dst] = sx32(ld32(at))
                elif op == ST32:
                    at = (a + row.off) & M64
                    if not self._ok(at, 4, True):
                        self._admit(at, 4, True)
                    st32(at, b)
                elif op == ST16:
                    at = (a + row.off) & M64
                    if not self._ok(at, 2, True):
                        self._admit(at, 2, True)
                    st16(at, b)
                elif op == ST8:
                    at = (a + row.off) & M64
                    if not self._ok(at, 1, True):
                        self._admit(at, 1, True)
                    st8(at, b)
                elif op == ADD32:
                    regs[dst] = (a + b) & M32
                elif op == SUB32:
                    regs[dst] = (a - b) & M32
                elif op == MUL32:
                    regs[dst] = (a * b) & M32
                elif op == DIV32:
                    regs[dst] = div(a & M32, b & M32)
                elif op == SDIV32:
                    regs[dst] = sdiv32(a, b)
                elif op == MOD32:
                    regs[dst] = mod(a & M32, b & M32)
                elif op == SMOD32:
                    regs[dst] = smod32(a, b)
                elif op == OR32:
                    regs[dst] = (a | b) & M32
                elif op == AND32:
                    regs[dst] = a & b & M32
                elif op == XOR32:
                    regs[dst] = (a ^ b) & M32
                elif op == LSH32:
                    regs[dst] = (a << (b & 31)) & M32
                elif op == RSH32:
                    regs[dst] = (a & M32) >> (b & 31)
                elif op == ARSH32:
                    regs[dst] = arsh32(a, b)
                elif op == NEG32:
                    regs[dst] = (0 - a) & M32
                elif op == JEQ32:
                    if (a & M32) == (b & M32):
                        pc += row.off
                elif op == JNE32:
                    if (a & M32) != (b & M32):
                        pc += row.off
                elif op == JGT32:
                    if (a & M32) > (b & M32):
                        pc += row.off
                elif op == JGE32:
                    if (a & M32) >= (b & M32):
                        pc += row.off
                elif op == JLT32:
                    if (a & M32) < (b & M32):
                        pc += row.off
                elif op == JLE32:
                    if (a & M32) <= (b & M32):
                        pc += row.off
                elif op == JSGT32:
                    if s32(a) > s32(b):
                        pc += row.off
                elif op == JSGE32:
                    if s32(a) >= s32(b):
                        pc += row.off
                elif op == JSLT32:
                    if s32(a) < s32(b):
                        pc += row.off
                elif op == JSLE32:
                    if s32(a) <= s32(b):
                        pc += row.off
                elif op == JSET32:
                    if a & b & M32:
                        pc += row.off
                elif op == SX8_64:
                    regs[dst] = sx8(b)
                elif op == SX16_64:
                    regs[dst] = sx16(b)
                elif op == SX32_64:
                    regs[dst] = sx32(b)
                elif op == SX8_32:
                    regs[dst] = sx8(b) & M32
                elif op == SX16_32:
                    regs[dst] = sx16(b) & M32
                elif op == CUT16:
                    regs[dst] = a & 0xFFFF
                elif op == CUT32:
                    regs[dst] = a & M32
                elif op == SWAP16:
                    regs[dst] = swap16(a)
                elif op == SWAP32:
                    regs[dst] = swap32(a)
                elif op == SWAP64:
                    regs[dst] = swap64(a)
                elif op == ATOMIC32:
                    at = (a + row.off) & M64
                    if not self._ok(at, 4, True):
                        self._admit(at, 4, True)
                    a = fetch32(at, row.imm, b & M32, regs[0] & M32)
                    if row.imm == 0xF1:  # compare and exchange
                        regs[0] = a
                    elif row.imm & 1:  # fetch
                        regs[row.src] = a
                elif op == ATOMIC64:
                    at = (a + row.off) & M64
                    if not self._ok(at, 8, True):
                        self._admit(at, 8, True)
                    a = fetch64(at, row.imm, b, regs[0])
                    if row.imm == 0xF1:  # compare and exchange
                        regs[0] = a
                    elif row.imm & 1:  # fetch
                        regs[row.src] = a
                elif op == WIDE:
                    regs[dst] = row.imm
                    pc += STEP
                elif op == HELPER:
                    self._suspend(depth, fuel)
                    fuel = 0
                    regs[0] = self._helper(index, row.imm, regs[1], regs[2], regs[3], regs[4], regs[5])
                elif op == FAST:
                    self._next = depth + 1
                    st64(self._run + R_ROOM, self._room)
                    st64(self._run + R_FUEL, fuel)
                    a = call6(b, self._run, regs[1], regs[2], regs[3], regs[4], regs[5])
                    if self._granted == 0:  # Python ran, and counted
                        fuel = 0
                    if ld64(self._run + R_FAULT):
                        self._suspend(depth, fuel)
                        fuel = 0
                        self._after()
                    elif ld64(self._state + P_VERSION) != self._version:
                        self._follow()
                    regs[0] = a
                elif op == LOCAL:
                    depth = self._enter(depth, index, pc, loops, regs)
                    loops = MAY_GOTO_LOOPS
                    pc += row.off
                elif op == EXIT:
                    if depth == bottom:
                        self._suspend(depth - 1, fuel)
                        return regs[0]
                    depth -= 1
                    at = self._saved + RECORD * depth
                    pc = ld64(at)
                    loops = ld64(at + 8)
                    regs[6], regs[7] = ld64(at + 16), ld64(at + 24)
                    regs[8], regs[9] = ld64(at + 32), ld64(at + 40)
                    regs[10] -= FRAME_STRIDE
                    self._room -= FRAME_STRIDE
                    jump = ld64(at + 48)
                    self._floor = ld64(at + 56)
                    if jump != index:
                        index = jump
                        code = self._tables[index]
                elif op == MAY_GOTO:
                    if loops == 0:
                        pc += row.off
                    else:
                        loops -= 1
                elif op == TAIL:
                    self._suspend(depth, fuel)
                    fuel = 0
                    jump = self._tail(regs[2], regs[3], depth)
                    if jump >= 0:
                        index = jump
                        code = self._tables[index]
                        pc = self._begin(index)
                        loops = MAY_GOTO_LOOPS
                elif op in (LDABS, LDIND):
                    jump = self._packet(b if op == LDABS else b + row.imm, row.off)
                    if jump < 0:  # outside: R0 is 0, and the last row leaves the function
                        jump = 0
                        pc = self._begin(index) + STEP * (self.codes[index].count + 1)
                    regs[0] = jump
                elif op == CALLX:
                    jump = self._slot_in(index, a)
                    depth = self._enter(depth, index, pc, loops, regs)
                    loops = MAY_GOTO_LOOPS
                    pc = self._begin(index) + STEP * jump
                else:  # BEYOND
                    raise BadInsn("runs out of the program")
        except OsmiaError as error:
            self._failed(error, self._slot(index, pc - STEP), regs)
            raise

    def _begin(self, index: int) -> int:
        """The pc of a code's first row: its address compiled, its position in the list otherwise."""
        return self.codes[index].address if cython.compiled else 0

    def _slot(self, index: int, pc: int) -> int:
        """The slot that a pc stands for."""
        return (pc - self._begin(index)) // STEP

    def _kept(self) -> tuple[int, ...]:
        return listed(registers(self.file, self._plain))

    def _restore(self, kept: tuple[int, ...]) -> None:
        regs = registers(self.file, self._plain)
        for number in range(11):
            regs[number] = kept[number]

    # -- frames ------------------------------------------------------------------------------------------------

    def _open(self, depth: int) -> int:
        """Make frame ``depth`` accessible; returns the address behind it, its R10."""
        if depth >= self._floor + FRAMES:
            raise depth_error(depth - self._floor + 1)
        self._room = FRAME_STRIDE * (depth + 1)
        if self._room > self._used:
            self._used = self._room
        return self.base + FRAME_STRIDE * depth + FRAME_SIZE

    def _enter(self, depth: int, index: int, pc: int, loops: int, regs: list[int]) -> int:
        """Save what the caller in frame ``depth`` gets back, and open the next frame; returns its number."""
        record = self._saved + RECORD * depth
        regs[10] = self._open(depth + 1)
        st64(record, pc)
        st64(record + 8, loops)
        for i in range(4):
            st64(record + 16 + 8 * i, regs[6 + i])
        st64(record + 48, index)
        st64(record + 56, self._floor)
        return depth + 1

    # -- memory ------------------------------------------------------------------------------------------------

    def _ok(self, address: int, size: int, write: bool) -> bool:
        """Inside the frames in use, or inside the window?"""
        M64 = 0xFFFFFFFFFFFFFFFF
        at = (address - self.base) & M64
        if at < self._room and (at & (FRAME_STRIDE - 1)) + size <= FRAME_SIZE:
            return True
        at = (address - self._low) & M64
        return at < self._span and at + size <= self._span and (self._writable or not write)

    def _admit(self, address: int, size: int, write: bool) -> None:
        """Move the window to where the address is, or raise Fault.  The window before is kept as the second."""
        M64 = 0xFFFFFFFFFFFFFFFF
        at = (address - self._low2) & M64
        low, span, writable = self._low2, self._span2, self._writable2
        if not (at < span and at + size <= span and (writable or not write)):
            low, span, writable = ld64(self._state + P_META), 0, True
            if low <= address and address < ld64(self._state + P_END):
                end = ld64(self._state + P_START)
                if address >= end:
                    low, end = end, ld64(self._state + P_END)
                span = end - low
            else:
                self.frames.size = self._room
                region = self.memory.find(address)
                if region is not None and region.admits(address, size, write):
                    low = region.low(address)
                    span, writable = region.window(low), region.writable
            at = (address - low) & M64
            if at >= span or size > span - at:
                raise access_fault(self.memory, address, size, write)
        self._low2, self._span2, self._writable2 = self._low, self._span, self._writable
        self._low, self._span, self._writable = low, span, writable

    def _forget(self) -> None:
        """Close the windows; unchecked, they are always all of the address space."""
        self.block.close_windows()
        self._low = self._span = self._low2 = self._span2 = 0
        self._writable = self._writable2 = False
        if not self.checked:
            self._span, self._writable = 0xFFFFFFFFFFFFFFFF, True

    # -- calls to the outside ----------------------------------------------------------------------------------

    def _suspend(self, depth: int, fuel: int) -> None:
        """Before Python code runs: count, and say which frames are in use."""
        self.spent += self._granted - fuel
        self._granted = 0
        self._next = depth + 1
        self._room = FRAME_STRIDE * (depth + 1)
        self.frames.size = self._room
        st64(self._run + R_ROOM, self._room)

    def _resume(self, depth: int, stamp: int) -> None:
        """After it: callbacks opened and closed frames, and memory may have come or gone."""
        st64(self._run + R_FUEL, 0)  # a callback's native calls left theirs there, and it is counted
        self._next = depth
        self._room = self.frames.size = FRAME_STRIDE * depth
        if self.memory.stamp() != stamp or ld64(self._state + P_VERSION) != self._version:
            self._version = ld64(self._state + P_VERSION)
            self._forget()

    def _helper(self, index: int, number: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        """Call a body; whatever int it answers becomes a u64."""
        depth, stamp = self._next, self.memory.stamp()
        body = self._bodies[index][number]
        st64(self._run + R_FUEL, 0)
        result = word(body(self.env, r1, r2, r3, r4, r5))
        self._resume(depth, stamp)
        if isinstance(body, FastBody):
            self._after()
        return result

    def helper(self, number: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        """The Python body of a helper, which its native body hands a call to."""
        self._suspend(self._next - 1, ld64(self._run + R_FUEL))
        st64(self._run + R_FUEL, 0)
        depth, stamp = self._next, self.memory.stamp()
        result = word(self._handed[number](self.env, r1, r2, r3, r4, r5))
        self._resume(depth, stamp)
        return result

    def elsewhere(self, pointer: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        """A callback that a native body runs."""
        self._suspend(self._next - 1, ld64(self._run + R_FUEL))
        st64(self._run + R_FUEL, 0)
        depth, stamp = self._next, self.memory.stamp()
        result = self.call(pointer, r1, r2, r3, r4, r5)
        self._resume(depth, stamp)
        return result

    def _after(self) -> None:
        """A native body left a fault, or moved the packet.  Raises the error."""
        if self.kept is not None:
            raise self.kept
        if ld64(self._run + R_FAULT):
            raise error_of(self.block, self.memory, self.budget)
        if ld64(self._state + P_VERSION) != self._version:
            self._follow()

    def _follow(self) -> None:
        """The packet moved: what was known of its window counts no more."""
        self._version = ld64(self._state + P_VERSION)
        self._forget()

    def _tail(self, table: int, slot: int, depth: int) -> int:
        """The code that a tail call in frame ``depth`` goes on with, or -1."""
        if self._tail_calls >= TAIL_CALLS:
            return -1
        target: int = self.env.machine.tail_target(table, slot & 0xFFFFFFFF)
        if target >= 0:
            self._tail_calls += 1
            self._floor = depth
        return target

    def _packet(self, offset: int, size: int) -> int:
        """A legacy packet load; -1 when it is outside of the packet."""
        return legacy_load(self._state, s32(offset), size)

    def _slot_in(self, index: int, pointer: int) -> int:
        slot = self.codes[index].slot_of(pointer)
        if slot < 0:
            raise BadInsn(f"calls {pointer:#x} ({self.memory.describe(pointer)}), which is no function of the program")
        return slot

    # -- the slow path of the loop -----------------------------------------------------------------------------

    def _refill(self, index: int, pc: int, regs: list[int]) -> int:
        """Count what was run, stop at the budget, trace the next step; returns the fuel for what follows."""
        if self._granted == SLICE:
            poll()
        if ld64(self._run + R_STOP):
            st64(self._run + R_FAULT, F_STOPPED)
            raise error_of(self.block, self.memory, self.budget)
        self.spent += self._granted
        self._granted = 0
        if self.spent >= self.budget:
            raise budget_error(self.budget, self._slot(index, pc))
        self._granted = min(self.budget - self.spent, SLICE)
        if self.tracer is not None:
            self._granted = 1
            self._trace(index, pc, regs)
        return self._granted

    def _trace(self, index: int, pc: int, regs: list[int]) -> None:
        self.current = index
        slot = self._slot(index, pc)
        if slot < self.codes[index].count:
            self.tracer(slot, listed(regs))

    def _failed(self, error: OsmiaError, slot: int, regs: list[int]) -> None:
        """Keep the registers of the innermost failure, and tell a VmError its slot."""
        if not self.registers:
            self.registers = listed(regs)
        if isinstance(error, VmError) and error.pc < 0:
            error.pc = slot
            error.args = (f"insn {slot}: {error.reason}",)


def fetch64(address: int, kind: int, value: int, expected: int) -> int:
    """The atomic operation of that imm on eight bytes; returns what was there."""
    op = kind & 0xF0
    if op == 0x00:
        return add64(address, value)
    if op == 0x40:
        return or64(address, value)
    if op == 0x50:
        return and64(address, value)
    if op == 0xA0:
        return xor64(address, value)
    return xchg64(address, value) if op == 0xE0 else cas64(address, expected, value)


def fetch32(address: int, kind: int, value: int, expected: int) -> int:
    """The same on four bytes."""
    op = kind & 0xF0
    if op == 0x00:
        return add32(address, value)
    if op == 0x40:
        return or32(address, value)
    if op == 0x50:
        return and32(address, value)
    if op == 0xA0:
        return xor32(address, value)
    return xchg32(address, value) if op == 0xE0 else cas32(address, expected, value)


def listed(regs: list[int]) -> tuple[int, ...]:
    """R0 to R10."""
    return (regs[0], regs[1], regs[2], regs[3], regs[4], regs[5], regs[6], regs[7], regs[8], regs[9], regs[10])
