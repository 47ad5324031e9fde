"""Native code for another processor, run in an emulator: every program of a list in one binary.

The binary reads what each program starts with and writes what it leaves.  It takes a C compiler for that processor
and ``qemu-user``; who has neither learns why nothing is tested.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import osmia
from osmia.isa import consts as c
from osmia.raw import read
from osmia.sim import MapSet, World
from osmia.testing.trials import Trial
from osmia.vm.jit import llvm
from osmia.vm.jit.build import options_of
from osmia.vm.jit.emit import emit
from osmia.vm.ops import STACK_SIZE
from osmia.vm.runwords import OFFSETS, RUN

HARNESS = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef uint64_t word;
typedef word entry(word *run, word, word, word, word, word);
struct block { char *at; unsigned size; };
struct program { entry *start; unsigned maps; struct block map[8]; };

#include "programs.h"

#define PACKET ((char *)0x10000000) /* contexts hold addresses of 32 bits */
static word run[WORDS];
static char stack[STACK] __attribute__((aligned(16)));

word refill(word *r) { r[FUEL] = 1 << 20; return 0; }
word may(word *r, word address, word size, word write) { return 1; }

static void get(void *at, unsigned size) { if (fread(at, 1, size, stdin) != size) exit(3); }
static void put(void *at, unsigned size) { if (fwrite(at, 1, size, stdout) != size) exit(4); }

int main(void)
{
	char *room = mmap(PACKET, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (room != PACKET)
		return 2;
	for (unsigned n = 0; n < sizeof programs / sizeof *programs; n++) {
		const struct program *p = &programs[n];
		uint32_t length, ctx[6] = { 0 };
		for (unsigned m = 0; m < p->maps; m++)
			get(p->map[m].at, p->map[m].size);
		get(&length, 4);
		get(PACKET + 256, length);
		ctx[0] = ctx[2] = (uint32_t)(word)PACKET + 256;
		ctx[1] = ctx[0] + length;
		ctx[3] = 1;
		memset(run, 0, sizeof run);
		memset(stack, 0, sizeof stack);
		run[STACK_WORD] = (word)stack;
		run[FUEL] = 1 << 20;
		run[CHECKED] = 1;
		run[CTX] = (word)ctx;
		word r0 = p->start(run, (word)ctx, 0, 0, 0, 0);
		put(run, 8);
		put(&r0, 8);
		for (unsigned m = 0; m < p->maps; m++)
			put(p->map[m].at, p->map[m].size);
		put(PACKET + 256, length);
	}
	return 0;
}
"""


OFFERED = ("refill", "may", "memset", "memcpy", "memmove")
"""Functions that native code may call: the harness's own, and those into which LLVM turns loops."""


@dataclass(frozen=True)
class Machine:
    """A processor: LLVM's name of it, the prefix of its tools, and what runs its programs."""

    target: str
    tools: str
    emulator: str

    def missing(self) -> str:
        """What this computer lacks, or ""."""
        wanted = (f"{self.tools}gcc", f"{self.tools}objcopy", self.emulator)
        return ", ".join(name for name in wanted if shutil.which(name) is None)


AARCH64 = Machine("aarch64", "aarch64-linux-gnu-", "qemu-aarch64")


@dataclass(frozen=True)
class Left:
    """What a program left: the word ``fault``, R0, the arrays' memory, the packet."""

    fault: int
    r0: int
    maps: tuple[bytes, ...]
    packet: bytes


class Prepared:
    """A trial with living maps; all of its maps are arrays, and it is an XDP program."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.maps = MapSet(trial.specs, cpus=1)
        self.ready = osmia.Program.of(trial.program, self.maps).load(world=World(), budget=trial.budget)
        self.living = [self.maps.of(spec) for spec in trial.program.maps]
        self.start = self.memory()

    def memory(self) -> tuple[bytes, ...]:
        """What the arrays hold now, all of it."""
        return tuple(read(m.direct_value(0), m.value_size) for m in self.living)

    def object(self, machine: Machine, level: int, checked: bool) -> bytes:
        """Native code for the machine."""
        code = self.ready.machine.code
        unit = emit(code, options_of(code, self.living, checked, None))
        with llvm.Module(unit.ir, level, llvm.target_of(machine.target), shared=True) as module:
            return module.object()

    def here(self) -> Left:
        """What the interpreter makes of it."""
        result = self.ready.run(data=self.trial.data)
        return Left(0, result.r0, self.memory(), result.data or b"")


def suitable(trial: Trial) -> bool:
    """Nothing but instructions: no helpers, no maps but arrays of one element, a packet."""
    calls = any(i.code == c.BPF_JMP | c.BPF_CALL and i.src_reg != c.BPF_PSEUDO_CALL for i in trial.program.insns)
    plain = all(spec.type == "array" and spec.max_entries == 1 for spec in trial.program.maps)
    return plain and not calls and trial.program.prog_type == "xdp" and len(trial.program.maps) <= 8


def run(machine: Machine, trials: Sequence[Prepared], folder: Path, level: int, checked: bool) -> list[Left]:
    """All of them on the machine."""
    objects = [_object(machine, folder, n, trial.object(machine, level, checked)) for n, trial in enumerate(trials)]
    (folder / "programs.h").write_text(_table(trials))
    (folder / "harness.c").write_text(HARNESS)
    binary = folder / "harness"
    words = {"WORDS": len(RUN), "STACK": STACK_SIZE, "STACK_WORD": OFFSETS["stack"] // 8}
    words |= {name: OFFSETS[name.lower()] // 8 for name in ("FUEL", "CHECKED", "CTX")}
    defines = [f"-D{name}={value}" for name, value in words.items()]
    subprocess.run([f"{machine.tools}gcc", "-O1", "-static", *defines, "harness.c", *objects, "-o", binary],
                   cwd=folder, check=True, capture_output=True, timeout=100)  # fmt: skip
    given = b"".join(b"".join((*t.start, struct.pack("=I", len(t.trial.data)), t.trial.data)) for t in trials)
    got = subprocess.run([machine.emulator, binary], input=given, capture_output=True, timeout=100, check=True)
    return list(_answers(trials, got.stdout))


def _object(machine: Machine, folder: Path, number: int, data: bytes) -> str:
    """The object with a prefix before its names; what the harness offers keeps its own.

    Callbacks of other programs (``elsewhere``) are called by nobody here, and may be missing.
    """
    path = folder / f"{number}.o"
    path.write_bytes(data)
    prefix = f"p{number}."
    weak = [f"--weaken-symbol={name}" for name in ("elsewhere", "code")]
    back = [f"--redefine-sym={prefix}{name}={name}" for name in OFFERED]
    subprocess.run([f"{machine.tools}objcopy", *weak, path], check=True)
    subprocess.run([f"{machine.tools}objcopy", f"--prefix-symbols={prefix}", path], check=True)
    subprocess.run([f"{machine.tools}objcopy", *back, path], check=True)
    return path.name


def _table(trials: Sequence[Prepared]) -> str:
    lines = []
    for n, trial in enumerate(trials):
        lines.append(f'entry e{n} __asm__("p{n}.entry");')
        for k, memory in enumerate(trial.start):
            size = (len(memory) + 7) & ~7
            lines.append(f'char m{n}_{k}[{size}] __asm__("p{n}.map{k}.values") __attribute__((aligned(64)));')
    lines.append("static const struct program programs[] = {")
    for n, trial in enumerate(trials):
        blocks = ", ".join(f"{{ m{n}_{k}, {len(memory)} }}" for k, memory in enumerate(trial.start))
        lines.append(f"\t{{ e{n}, {len(trial.start)}, {{ {blocks} }} }},")
    return "\n".join([*lines, "};"])


def _answers(trials: Sequence[Prepared], data: bytes) -> list[Left]:
    found, at = [], 0

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    for trial in trials:
        fault, r0 = struct.unpack("=QQ", take(16))
        maps = tuple(take(len(memory)) for memory in trial.start)
        found.append(Left(fault, r0, maps, take(len(trial.trial.data))))
    assert at == len(data)
    return found
