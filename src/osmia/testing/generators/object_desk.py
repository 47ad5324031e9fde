"""The desk at which programs with allocated objects are made: instructions, what lies where, which lock is held."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from osmia.isa import Insn
from osmia.testing.generators.object_types import Types

HOMES = (6, 7, 8, 9, -8, -16, -24, -32)
"""Where pointers are kept: registers that calls leave alone, and slots of the stack."""
LOOKUP, SPIN_LOCK, SPIN_UNLOCK, KPTR_XCHG, PER_CPU_PTR, THIS_CPU_PTR = 1, 93, 94, 194, 153, 154
NOISE, KEY = -48, -40
"""Where on the stack a number lies that nobody knows, and the key of a look-up."""
SIZES = {1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18}
MAIN_BUDGET = 14
SLIP = 0.015


@dataclass(slots=True)
class Thing:
    """What a home holds: a pointer to ``struct``, ``off`` bytes into it.

    ``kind``: "owned", "borrowed" (an object of a list or tree), "value" (of a map), "rcu", or "percpu".
    ``root``: the lock's holder that a borrowed object belongs to.
    """

    kind: str
    struct: str
    off: int = 0
    maybe_null: bool = False
    root: int = 0


@dataclass(slots=True)
class Desk:
    """One function in the making: instructions, what is where, which lock is held."""

    rng: Random
    types: Types
    insns: list[Insn] = field(default_factory=list)
    externs: list[tuple[int, str]] = field(default_factory=list)
    calls: list[tuple[int, str]] = field(default_factory=list)
    homes: dict[int, Thing] = field(default_factory=dict)
    maps: list[str] = field(default_factory=list)
    locked: int = 0
    rcu: bool = False

    # -- chance

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability

    def slip(self) -> bool:
        """A mistake, now and then."""
        return self.rng.random() < SLIP

    # -- instructions

    def emit(self, code: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> int:
        """One more instruction: its slot."""
        self.insns.append(Insn(code, dst, src, off, imm))
        return len(self.insns) - 1

    def kfunc(self, name: str) -> None:
        """A call of a kernel function."""
        self.externs.append((self.emit(0x85, 0, 2), name))

    def helper(self, number: int) -> None:
        """A call of a helper."""
        self.emit(0x85, 0, 0, 0, number)

    def to_reg(self, reg: int, home: int, add: int = 0) -> None:
        """What a home holds into an argument register."""
        if home < 0:
            self.emit(0x79, reg, 10, home)
        else:
            self.emit(0xBF, reg, home)
        off = add - self.homes[home].off if home in self.homes else add
        if off:
            self.emit(0x07, reg, 0, 0, off)

    def keep(self, thing: Thing, reg: int = 0) -> int:
        """What a register holds into a home, perhaps over something else."""
        free = [home for home in HOMES if home not in self.homes]
        if not free:
            free = [
                home
                for home, other in self.homes.items()
                if other.kind not in ("owned", "percpu") and home != self.locked
            ]
        home = self.rng.choice(free) if free and not self.slip() else self.rng.choice(HOMES)
        if home < 0:
            self.emit(0x7B, 10, reg, home)
        else:
            self.emit(0xBF, home, reg)
        self.homes[home] = thing
        return home

    def forget(self, thing: Thing) -> None:
        """Homes that hold it hold nothing any more, unless that is forgotten."""
        self.homes = {home: other for home, other in self.homes.items() if other is not thing or self.slip()}

    def pick(self, *kinds: str) -> int:
        """A home that holds one of some kinds, and is not null; 0 for none."""
        found = [home for home, thing in self.homes.items()
                 if thing.kind in kinds and (not thing.maybe_null or self.slip())]  # fmt: skip
        return self.rng.choice(found) if found else 0

    def having(self, struct: str, *kinds: str) -> int:
        """The same for pointers to one struct; mistakes take any."""
        if self.slip():
            return self.pick(*kinds)
        found = [home for home, thing in self.homes.items() if thing.struct == struct and thing.kind in kinds]
        found = [home for home in found if not self.homes[home].maybe_null or self.slip()]
        return self.rng.choice(found) if found else 0

    def unknown_branch(self) -> int:
        """A jump on a number that nobody knows: its slot."""
        self.emit(0x79, 0, 10, NOISE)
        return self.emit(self.rng.choice((0x25, 0x35, 0x45, 0x65)), 0, 0, 0, int(self.rng.random() * 100))

    # -- the end

    def leave(self) -> None:
        """Undo everything and exit, on a path of its own: what is known here stays as it is."""
        if self.locked and not self.slip():
            self.unlock_it()
        if self.rcu and not self.slip():
            self.kfunc("bpf_rcu_read_unlock")
        done: list[Thing] = []
        for home, thing in list(self.homes.items()):
            if thing.kind in ("owned", "percpu") and not any(thing is x for x in done) and not self.slip():
                done.append(thing)
                self.drop_home(home, thing)
        self.emit(0xB7, 0)
        self.emit(0x95)

    def drop_home(self, home: int, thing: Thing) -> None:
        """Drop an object, if it is one."""
        self.to_reg(1, home)
        skip = self.emit(0x15, 1) if thing.maybe_null else -1
        self.emit(0xB7, 2)
        self.kfunc("bpf_percpu_obj_drop_impl" if thing.kind == "percpu" else "bpf_obj_drop_impl")
        if skip >= 0:
            self.insns[skip] = self.insns[skip]._replace(off=len(self.insns) - skip - 1)

    def unlock_it(self) -> None:
        """Give the lock back."""
        thing = self.homes.get(self.locked)
        lock = self.types.of(thing.struct, "spin_lock", "res_spin_lock") if thing else []
        if lock:
            self.to_reg(1, self.locked, lock[0].offset)
            self.kfunc("bpf_res_spin_unlock") if lock[0].kind == "res_spin_lock" else self.helper(SPIN_UNLOCK)
