"""Native code for files: assembly, LLVM IR, an object, a shared library, and the C header that says how to call it.

The code is what the engine would run, with three differences: it is position independent; every helper is a function
by its name, which whoever links the code provides; and names are C's.  Nothing of Osmia is needed to run it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from osmia.errors import OsmiaError, Unavailable
from osmia.kernel.helpers import helper_by_id
from osmia.vm.decode import Code
from osmia.vm.jit import llvm
from osmia.vm.jit.unit import CALL, CALL_SIGNATURES, ENTRY, Options, Symbol, Unit, shape_of
from osmia.vm.ops import FRAME_SIZE, FRAME_STRIDE, STACK_SIZE
from osmia.vm.runwords import FAULTS, RUN

FORMS = ("asm", "ir", "obj", "so", "h")


class Ahead:
    """One program, to be compiled into files.  ``target`` and ``level`` as in ``llvm``."""

    def __init__(
        self, code: Code, maps: Sequence[Any], *, checked: bool, level: int = llvm.FULL, target: str = "native"
    ) -> None:
        from osmia.vm.jit.emit import emit

        self.code, self.maps, self.checked, self.level = code, maps, checked, level
        self.target = target
        helpers = _helpers(code)
        shapes = [shape_of(m) for m in maps]
        self.unit: Unit = emit(code, Options(checked, shapes, helpers, frozenset(helpers.values())))
        self.names = _names(self.unit, identifier(code.program.name))

    def form(self, form: str) -> bytes:
        """One of ``FORMS``.  Raises Unavailable."""
        if form == "h":
            return self.header().encode()
        target = llvm.target_of(self.target)
        with llvm.Module(self.unit.ir, self.level, target, shared=True) as module:
            module.rename(self.names, weak=self.names.get("elsewhere", ""))
            if form == "ir":
                return module.ir().encode()
            if form == "asm":
                return module.assembly().encode()
            data = module.object()
        return link(data, target.triple) if form == "so" else data

    def header(self) -> str:
        """What a C program includes to call the code."""
        entry, call = self.names[ENTRY], self.names[CALL]
        wants = [_wanted(self.names[name], symbol, self.maps) for name, symbol in self.unit.symbols.items()]
        return HEADER.format(
            program=self.code.program.name, guard=f"OSMIA_{entry.upper()}_H", entry=entry, call=call,
            words="\n".join(f"\tuint64_t {word};" for word in RUN), stack=STACK_SIZE, stride=FRAME_STRIDE,
            frame=FRAME_SIZE, faults=_wrapped(", ".join(f"{n} {name}" for n, name in enumerate(FAULTS))),
            mode=_wrapped(CHECKED if self.checked else TRUSTED), wants="\n".join(wants) or "/* nothing */",
        )  # fmt: skip


def _helpers(code: Code) -> dict[int, str]:
    """Number → name of every helper that the program calls, kernel functions apart."""
    found = {}
    for insn in code.program.insns:
        if insn.code == 0x85 and insn.src_reg == 0:
            try:
                found[insn.imm] = helper_by_id(insn.imm).name
            except (OsmiaError, LookupError):
                continue  # called by its row: whoever runs the code decides
    return found


def identifier(text: str) -> str:
    """A C identifier that looks like the text."""
    return re.sub(r"\W", "_", text, flags=re.ASCII) if re.match(r"[A-Za-z_]", text) else identifier("_" + text)


def _wrapped(text: str) -> str:
    """Lines of a comment."""
    return "\n".join(textwrap.wrap(text, 100, initial_indent=" * ", subsequent_indent=" * "))


def _names(unit: Unit, program: str) -> dict[str, str]:
    """The names in files: the program's own, and ``osmia_…`` for what it wants."""
    wanted = {name: "osmia_" + identifier(name.removeprefix("fast.")) for name in unit.symbols}
    return {ENTRY: f"{program}_entry", CALL: f"{program}_call", **wanted}


def _wanted(name: str, symbol: Symbol, maps: Sequence[Any]) -> str:
    """A declaration, with a comment that says what it is."""
    if symbol.kind == "fast":
        return f"uint64_t {name}(struct osmia_run *, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5);"
    if symbol.kind in CALL_SIGNATURES:
        rest = ", uint64_t" * (CALL_SIGNATURES[symbol.kind] - 1)
        return f"/* {CALLS[symbol.kind]} */\nuint64_t {name}(struct osmia_run *{rest});"
    if symbol.number >= 0:
        m = maps[symbol.number]
        about = f"{m.type} {m.name}: keys of {m.key_size} bytes, values of {m.value_size}, {m.max_entries} entries"
        where = "" if symbol.kind == "map" else f", its {symbol.kind}{f' + {symbol.offset}' if symbol.offset else ''}"
        return f"extern char {name}[]; /* {about}{where} */"
    return f"extern char {name}[]; /* {OTHERS.get(symbol.kind, symbol.kind)} {symbol.name} */".replace("  ", " ")


CALLS: Mapping[str, str] = {
    "python": "row of a call, R1 … R5: a kernel function, or a helper without a number",
    "packet": "row, offset: a legacy packet load; -1 outside of the packet",
    "tail": "row, table, slot: the function to go on in, or 0",
    "elsewhere": "pointer, R1 … R5: a callback that is no function of this program; weak, may be left out",
    "refill": "0 with new fuel in the run, or 1 and the run ends",
    "may": "address, size, write: may the program touch these bytes? 1 or 0",
    "probe": "address, size: what stands there, or 0",
    "relax": "a lock is held by another thread",
}
OTHERS = {"code": "24 bytes per instruction that are never read: callback pointers point here", "ksym": "a variable"}

CHECKED = (
    'Every access is checked and every instruction counted: "may" is asked about what is neither on the stack nor in '
    'the packet, "refill" when the fuel is spent.'
)
TRUSTED = "Nothing is checked and nothing counted: only for programs that a verifier accepted."

HEADER = """/* {program}, compiled by osmia compile.
 *
{mode}
 *
 * To run it: a struct osmia_run of zeros with "stack" at {stack} bytes (frames of {frame} bytes, {stride} apart),
 * "ctx" at the context, "packet" at sixteen words (zeros where there is no packet), "fuel" at the instructions
 * that it may take, "checked" as it was compiled; then {entry}(&run, context, 0, 0, 0, 0).
 * It returns R0.  When "fault" is not 0 afterwards the run ended early at instruction "pc":
{faults}.
 */
#ifndef {guard}
#define {guard}
#include <stdint.h>

#ifndef OSMIA_RUN
#define OSMIA_RUN
struct osmia_run {{
{words}
}};
#endif

/* What it defines: the program, and the function behind a callback pointer. */
uint64_t {entry}(struct osmia_run *, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5);
uint64_t {call}(struct osmia_run *, uint64_t pointer, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5);

/* What it wants: */
{wants}
#endif
"""


# -- shared libraries ------------------------------------------------------------------------------------------------


def linkers(triple: str) -> list[str]:
    """Commands that may link for a target, by preference; ``CC`` comes first for this machine."""
    arch = triple.partition("-")[0]
    crossed = [f"{arch}-linux-gnu-gcc", f"{arch}-linux-gnu-ld", "ld.lld"]
    here = [os.environ.get("CC", ""), "cc", "gcc", "clang", "ld"] if arch == os.uname().machine else []
    return [command for command in (*here, *crossed) if command]


def link(data: bytes, triple: str) -> bytes:
    """An object as a shared library.  Raises Unavailable when there is no linker, or with its words."""
    known = linkers(triple)
    found = next((path for command in known if (path := shutil.which(command))), None)
    if found is None:
        raise Unavailable(f"no linker for {triple} here (tried {', '.join(known)}); --emit obj needs none")
    with tempfile.TemporaryDirectory(prefix="osmia-") as room:
        source, made = Path(room, "program.o"), Path(room, "program.so")
        source.write_bytes(data)
        command = [found, "-shared", "-o", str(made), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode or not made.exists():
            raise Unavailable(f"{found} failed: {done.stderr.strip() or f'exit status {done.returncode}'}")
        return made.read_bytes()
