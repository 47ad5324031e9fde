"""Native loops around native code: one packet after the other, or one packet over and over.

``replay`` is the loop of one thread: it puts each packet in place, runs the program, keeps R0, and stops only at a
fault or at what it can't do; Python then notes what it was and sends it on.  ``repeat`` measures: its runs share
context and packet, as in BPF_PROG_TEST_RUN.  Both count instructions in checked runs, and each packet has its own
budget.

``Worker`` is what a thread needs to run a machine's program beside other threads: a block, frames and memory of its
own; code and maps are shared.  Uncompiled, the same loops are Python functions.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from time import thread_time_ns
from typing import TYPE_CHECKING, Any

from osmia.memory import Memory
from osmia.raw import Buffer
from osmia.vm.env import Env, poll
from osmia.vm.faults import budget_error
from osmia.vm.interp import StackRegion
from osmia.vm.jit.engine import Jit
from osmia.vm.jit.gate import begin, end
from osmia.vm.ops import FRAME_SIZE as FRAME
from osmia.vm.ops import FRAME_STRIDE as STRIDE
from osmia.vm.ops import SLICE
from osmia.vm.run import Run
from osmia.vm.runwords import F_STOPPED

if not cython.compiled:
    from osmia.raw import call4, call6, copy, fill, ld32, ld64, st32, st64
    from osmia.vm.packetstate import reset
    from osmia.vm.packetwords import P_END, P_META
    from osmia.vm.runwords import (  # isort: skip
        F_BUDGET, R_BUDGET, R_CHECKED, R_DEPTH, R_FAULT, R_FUEL, R_ROOM, R_SPAN, R_SPAN2, R_STACK, R_TAIL_CALLS, R_USED,
    )  # fmt: skip
    from osmia.words import swap32

    J_ENTRY, J_RUN, J_STATE, J_CTX, J_TABLE, J_RESULTS, J_NEXT, J_END = range(0, 64, 8)
    J_BUDGET, J_INSNS, J_OUT, J_OUT_END, J_OUT_SIZES, J_SIZE = range(64, 112, 8)

    DONE, FAULT, TOO_LARGE, FULL = range(4)
    GRANT, GAP = SLICE, STRIDE - FRAME
    PCAP_HEADER, PCAP_RECORD, MAX_FRAME = 24, 16, 1 << 18

if TYPE_CHECKING:
    from osmia.vm.context import Context
    from osmia.vm.jit.build import Native
    from osmia.vm.machine import Machine

DAMAGED = 0xFFFFFFFFFFFFFFFF
"""What ``records`` answers for a capture that is cut off or none."""
NOGIL = cython.compiled
"""Whether the loops let go of the GIL, so that threads run at once."""

# A job's words: the program's entry and the run; the packet's state and the context; a table of (address, size) of the
# packets; where 32-bit results go; the next packet and the one to stop before; each packet's budget; instructions so
# far; where packets go afterwards (0: nowhere), where that ends, and a table of their sizes.


def replay(job: int) -> int:
    """Run the packets from ``next`` to ``end``.  Answers why it stopped; ``next`` says where.

    DONE; FAULT: the run's words tell about packet ``next``; TOO_LARGE: its buffer has no room for that packet; FULL:
    the packet ran, and there is no room for it where it should go.
    """
    run = ld64(job + J_RUN)
    state = ld64(job + J_STATE)
    at = ld64(job + J_NEXT)
    why = DONE
    while at < ld64(job + J_END):
        row = ld64(job + J_TABLE) + 16 * at
        if reset(state, ld64(row), ld64(row + 8)) == 0:
            why = TOO_LARGE
            break
        prepare(run, ld64(job + J_BUDGET))
        r0 = enter_native(ld64(job + J_ENTRY), run, ld64(job + J_CTX))
        st64(job + J_INSNS, ld64(job + J_INSNS) + used(run, ld64(job + J_BUDGET)))
        if ld64(run + R_FAULT):
            why = FAULT
            break
        st32(ld64(job + J_RESULTS) + 4 * at, r0)
        if ld64(job + J_OUT) and keep(job, state, at) == 0:
            why = FULL
            break
        at += 1
    st64(job + J_NEXT, at)
    return why


def again(job: int, times: int) -> int:
    """Run on the context as it is, so often or until a fault; answers how often it went well."""
    run = ld64(job + J_RUN)
    entry = ld64(job + J_ENTRY)
    ctx = ld64(job + J_CTX)
    budget = ld64(job + J_BUDGET)
    checked = ld64(run + R_CHECKED)
    done = 0
    prepare(run, budget)
    while done < times:
        if checked:
            prepare(run, budget)
        enter_native(entry, run, ctx)
        if checked:
            used(run, budget)
        if ld64(run + R_FAULT):
            break
        st64(run + R_TAIL_CALLS, 0)  # all other words are as they were, when nothing went wrong
        done += 1
    return done


def prepare(run: int, budget: int) -> None:
    """The run's words as they are before a program starts."""
    left = ld64(run + R_USED)
    if left > GAP:
        fill(ld64(run + R_STACK), 0, left - GAP)  # what the last packet left on the stack
        st64(run + R_USED, 0)
    st64(run + R_FAULT, 0)
    st64(run + R_TAIL_CALLS, 0)
    st64(run + R_ROOM, 0)
    st64(run + R_DEPTH, 0)
    if ld64(run + R_CHECKED):
        st64(run + R_SPAN, 0)
        st64(run + R_SPAN2, 0)
        grant = GRANT if budget > GRANT else budget
        st64(run + R_FUEL, grant)
        st64(run + R_BUDGET, budget - grant)


def used(run: int, budget: int) -> int:
    """How many instructions a checked run took: what is left of its budget lies in two words.  Too many are a fault."""
    M64 = 0xFFFFFFFFFFFFFFFF
    if ld64(run + R_CHECKED) == 0:
        return 0
    insns: int = (budget - ld64(run + R_BUDGET) - ld64(run + R_FUEL)) & M64
    if insns > budget and ld64(run + R_FAULT) == 0:
        st64(run + R_FAULT, F_BUDGET)
    return insns


def keep(job: int, state: int, at: int) -> int:
    """Copy the packet with its metadata to where packets go; 1, or 0 where there is no room."""
    out = ld64(job + J_OUT)
    meta = ld64(state + P_META)
    size = ld64(state + P_END) - meta
    if size > ld64(job + J_OUT_END) - out:
        return 0
    copy(out, meta, size)
    st64(job + J_OUT, out + size)
    st64(ld64(job + J_OUT_SIZES) + 8 * at, size)
    return 1


def records(place: int, size: int, swapped: bool, table: int) -> int:
    """Find the records of a classic pcap of ``size`` bytes; answers how many, or DAMAGED.

    With ``table`` their data's addresses and sizes go there, two words each.  ``swapped``: in the other byte order.
    """
    damaged = 0xFFFFFFFFFFFFFFFF
    at = PCAP_HEADER
    count = 0
    while at < size:
        if size - at < PCAP_RECORD:
            return damaged
        length = ld32(place + at + 8)
        if swapped:
            length = swap32(length)
        at += PCAP_RECORD
        if length > MAX_FRAME or length > size - at:
            return damaged
        if table:
            st64(table + 16 * count, place + at)
            st64(table + 16 * count + 8, length)
        at += length
        count += 1
    return damaged if size < PCAP_HEADER else count


def enter_native(entry: int, run: int, ctx: int) -> int:
    """Call the program."""
    return call6(entry, run, ctx, 0, 0, 0, 0)


def call_often(function: int, times: int, a: int, b: int, c: int, d: int, out: int) -> int:
    """Call a C function of up to four words so often, without the GIL; returns what it answered last.

    With ``out`` the answer is stored there as well.  This is how other machines' code is measured beside ours.
    """
    result = 0
    if not cython.compiled:
        for _ in range(times):
            result = call4(function, a, b, c, d)
    else:
        with cython.nogil:
            while times:
                result = call4(function, a, b, c, d)
                times -= 1
    if out:
        st64(out, result)
    return result


def go(job: int) -> int:
    """``replay`` without the GIL."""
    if not cython.compiled:
        return replay(job)
    with cython.nogil:
        why = replay(job)
    return why


def go_again(job: int, times: int) -> int:
    """``again`` without the GIL."""
    if not cython.compiled:
        return again(job, times)
    with cython.nogil:
        done = again(job, times)
    return done


class BatchJit(Jit):
    """An engine whose runs are started by native loops: what a run may use up is in its words."""

    def enter(self, env: Env, native: Native, budget: int) -> Any:
        """A loop begins; returns what ``calls.end`` needs."""
        self._prepare(env, native, budget)
        return begin(self.run.address, self)

    def refill(self) -> int:
        """As in ``Jit``, by the words alone."""
        poll()
        left = self.run.get("budget")
        if self.run.get("stop"):
            self.run.put("fault", F_STOPPED)
            return 1
        fuel = self.run.get("fuel")
        over = (1 << 64) - fuel if fuel >> 63 else 0
        if over > left:
            raise budget_error(self.budget)
        grant = min(left - over, SLICE)
        self._put(budget=left - over - grant, fuel=grant)
        return 0

    def fault(self) -> BaseException:
        """The error that the run's words tell of."""
        fault = self.run.get("fault")
        self.run.put("fault", 0)
        return self._error(fault)


class Worker:
    """One thread's side of a machine: its own run, frames and memory.  ``context`` is the thread's, too.

    Raises Unavailable where there is no native code of the program.
    """

    def __init__(self, machine: Machine, context: Context, cpu: int = 0) -> None:
        self.machine, self.context = machine, context
        self.memory = Memory(machine.memory)
        self.run = Run(self.memory, machine.checked)
        stack = self.run.frames
        self.frames = StackRegion(
            "stack", stack.address, stack.size, kind="stack", stride=STRIDE, span=FRAME, owner=stack
        )
        self.memory.add(self.frames)
        self.frames.size = 0
        self.engine = machine.another(BatchJit, self.memory, self.run, self.frames)
        self.native = self.engine.native(0)
        self.env = Env(self.memory, machine.maps, machine.host, self, machine.program, context)
        self.cpu = cpu
        self._job = Buffer(J_SIZE)
        self.job = self._job.address
        for word, value in (
            (J_ENTRY, self.native.entry), (J_RUN, self.run.address), (J_STATE, context.packet_words),
            (J_CTX, context.address), (J_BUDGET, machine.budget),
        ):  # fmt: skip
            st64(self.job + word, value)

    def __enter__(self) -> Worker:
        self.context.attach(self.memory)
        self._kept = self.engine.enter(self.env, self.native, self.machine.budget)
        self.run.put("cpu", self.cpu)
        return self

    def __exit__(self, *exc: object) -> None:
        end(self.run.address, self._kept)
        self.context.detach(self.memory)

    # -- what helpers and the engine ask a machine (``env.Caller``) ----------------------------------------------------

    def call(self, callback: int, r1: int = 0, r2: int = 0, r3: int = 0, r4: int = 0, r5: int = 0) -> int:
        """Run a callback within the run that is on."""
        return self.engine.call(callback, r1, r2, r3, r4, r5)

    def describe(self, address: int) -> str:
        """What stands at an address, for this thread."""
        if self.memory.find(address) is not None:
            return self.memory.describe(address)
        return self.machine.describe(address)

    def tail_target(self, table: int, slot: int) -> int:
        """See ``Machine.tail_target``."""
        return self.machine.tail_target(table, slot)

    # -- loops ---------------------------------------------------------------------------------------------------------

    def set(self, **words: int) -> None:
        """Words of the job by their names: table, results, next, end, out, out_end, out_sizes."""
        for name, value in words.items():
            st64(self.job + JOB[name], value)

    def get(self, name: str) -> int:
        """A word of the job."""
        return int(ld64(self.job + JOB[name]))

    def replay(self) -> int:
        """See ``replay``."""
        return int(go(self.job))

    def again(self, times: int) -> None:
        """Run so often on the context as it is.  Raises what a run raises."""
        if go_again(self.job, times) < times:
            raise self.engine.fault()


JOB = {
    "table": J_TABLE, "results": J_RESULTS, "next": J_NEXT, "end": J_END, "insns": J_INSNS,
    "out": J_OUT, "out_end": J_OUT_END, "out_sizes": J_OUT_SIZES,
}  # fmt: skip


def repeat(machine: Machine, context: Context, times: int) -> int:
    """See ``Machine.repeat``: the program is native."""
    with Worker(machine, context, machine.host.cpu) as worker:
        begun = thread_time_ns()
        worker.again(times)
        return thread_time_ns() - begun
