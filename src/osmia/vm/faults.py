"""From the words of a fault to the typed error: the same words whichever engine ran the program."""

from __future__ import annotations

from osmia.errors import BadInsn, BudgetExceeded, Fault, VmError
from osmia.memory import Memory
from osmia.vm.run import Run
from osmia.vm.runwords import (
    F_BEYOND,
    F_BUDGET,
    F_CALLBACK,
    F_CALLX,
    F_CONTEXT,
    F_DEPTH,
    F_MAP,
    F_READ,
    F_READONLY_MAP,
    F_STOPPED,
    F_WRITE,
)


def access_fault(memory: Memory, address: int, size: int, write: bool) -> Fault:
    """An access that may not be: what it wanted, and what is there instead."""
    access = "write" if write else "read"
    where = memory.describe(address)
    region = memory.find(address)
    if region is not None and write and not region.writable:
        where += ", which is read-only"
    plural = "" if size == 1 else "s"
    return Fault(f"{access} of {size} byte{plural} at {address:#x}: {where}", -1, address, size, access)


def map_fault(memory: Memory, address: int) -> Fault:
    """A map was expected at the address."""
    return Fault(f"{memory.describe(address)} is no map", address=address)


def depth_error(frames: int) -> VmError:
    """One frame too many, it would have been."""
    return VmError(f"the call stack of {frames} frames is too deep")


def budget_error(budget: int, slot: int = -1) -> BudgetExceeded:
    """The instructions are used up."""
    return BudgetExceeded(f"the budget of {budget} instructions is spent", slot)


def error_of(run: Run, memory: Memory, budget: int) -> VmError:
    """The error for the fault in a run's words (any but ``F_PYTHON``); its slot is left to the engine."""
    code, address = run.get("fault"), run.get("address")
    if code in (F_READ, F_WRITE):
        return access_fault(memory, address, run.get("size"), code == F_WRITE)
    if code == F_BUDGET:
        return budget_error(budget)
    if code == F_MAP:
        return map_fault(memory, address)
    where = memory.describe(address)
    words = {
        F_DEPTH: f"the call stack of {run.get('size')} frames is too deep",
        F_STOPPED: "stopped from outside",
        F_CALLBACK: f"{address:#x} ({where}) is no callback",
    }
    if code in words:
        return VmError(words[code])
    if code == F_CALLX:
        return BadInsn(f"calls {address:#x} ({where}), which is no function of the program")
    if code == F_BEYOND:
        return BadInsn("runs out of the program")
    if code == F_READONLY_MAP:
        region = memory.find(address)
        return Fault(f"map {getattr(region and region.owner, 'name', '?')} is read-only for programs")
    if code == F_CONTEXT:
        wanted = ("", "XDP frame", "socket buffer")[run.get("size")]
        return Fault(f"the context is no {wanted}" if wanted else f"{where} is not the context", address=address)
    return VmError(f"fault {code} at {address:#x}")
