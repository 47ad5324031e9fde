"""The module around a program's functions: names, declarations, the functions that others call, and small tools."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from osmia.vm.decode import ROW
from osmia.vm.jit import blocks as b
from osmia.vm.jit.scopes import metadata
from osmia.vm.jit.stack import Pass, frames_of
from osmia.vm.jit.types import Types
from osmia.vm.jit.unit import CALL, CALL_SIGNATURES, ENTRY, Symbol, Unit
from osmia.vm.ops import FRAME_STRIDE, FRAMES
from osmia.vm.runwords import F_CALLX, F_DEPTH, F_READ, F_WRITE, OFFSETS

if TYPE_CHECKING:
    from osmia.vm.jit.blocks import Function
    from osmia.vm.jit.source import Source
    from osmia.vm.jit.writer import Writer

_SIMPLE_NAME = re.compile(r"[-a-zA-Z$._][-a-zA-Z$._0-9]*")
_ATTRIBUTES = "attributes #0 = { nounwind }\nattributes #1 = { nounwind cold noinline }"


class Module:
    """One program on its way to IR.  ``frames``: where each function keeps its stack; ``fails``: may it set a fault?"""

    def __init__(self, source: Source, found: dict[int, Function]) -> None:
        self.source, self.found = source, found
        self.checked = source.options.checked
        self.types = Types(source, found)
        passes = {entry: Pass(self, function) for entry, function in found.items()}
        self.frames = frames_of(self, passes)
        self.fails = failing(self, passes)
        self.symbols: dict[str, Symbol] = {}
        self._declared: dict[str, str] = {}
        self._tools: dict[str, str] = {}

    # -- names -------------------------------------------------------------------------------------------------

    def symbol(self, name: str, symbol: Symbol) -> str:
        """The name of something outside, as a ptr."""
        self.symbols[name] = symbol
        linkage = "extern_weak" if symbol.kind == "ksym" else "external"
        self._declared[name] = f"{quoted(name)} = {linkage} global i8"
        return quoted(name)

    def code(self) -> str:
        """The address of the decoder's rows."""
        return self.symbol("code", Symbol("code"))

    def function(self, name: str, symbol: Symbol, words: int) -> str:
        """The name of a function outside that takes the run (or an object) and more words."""
        self.symbols[name] = symbol
        self._declared[name] = f"declare i64 {quoted(name)}(ptr{', i64' * (words - 1)}) #0"
        return quoted(name)

    def call(self, w: Writer, name: str, arguments: list[str], notes: str = "") -> str:
        """Write a call of one of the engine's functions, with metadata; returns the answer's name."""
        function = self.function(name, Symbol(name), CALL_SIGNATURES[name])
        return w.let(f"call i64 {function}(ptr %run{''.join(f', i64 {a}' for a in arguments)}){notes}")

    def tool(self, name: str) -> None:
        """Have one of the module's own functions in it."""
        if name not in self._tools:
            self._tools[name] = ""  # one tool may want another, or itself
            self._tools[name] = _TOOLS[name](self)

    # -- the whole ---------------------------------------------------------------------------------------------

    def unit(self, bodies: list[str]) -> Unit:
        """The program's functions with what they need around them."""
        ends = [_entry(self), dispatcher(self, CALL)]
        parts = [*bodies, *ends, *self._tools.values()]
        intrinsics = [line for name, line in _INTRINSICS.items() if any(f"@{name}(" in part for part in parts)]
        declared = [self._declared[name] for name in sorted(self._declared)]
        text = "\n\n".join(["\n".join([*declared, *intrinsics]), *parts, _ATTRIBUTES, metadata()])
        return Unit(self.source.code.program.name, text + "\n", dict(sorted(self.symbols.items())))

    def parameters(self, entry: int) -> list[tuple[int, str]]:
        """The registers that a function takes, each with its type."""
        function, state = self.found[entry], self.types.at[entry][entry]
        kinds = ((number, state[number]) for number in function.wanted)
        return [(number, "ptr" if kind is not None and kind.is_pointer else "i64") for number, kind in kinds]


def quoted(name: str) -> str:
    """A global's name in IR."""
    return "@" + (name if _SIMPLE_NAME.fullmatch(name) else '"' + _escaped(name) + '"')


def _escaped(name: str) -> str:
    plain = (chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\{byte:02X}" for byte in name.encode())
    return "".join(plain)


# -- what functions do ------------------------------------------------------------------------------------------------


def failing(module: Module, passes: Mapping[int, Pass]) -> dict[int, bool]:
    """Which functions may come back with a fault."""
    rows, found = module.source.code.rows, module.found
    if module.checked:
        return dict.fromkeys(found, True)
    fails = {entry: one.fails for entry, one in passes.items()}
    changed = True
    while changed:
        changed = False
        for entry, function in found.items():
            if not fails[entry] and any(fails[target] for target in function.callees(rows, module.source.code)):
                fails[entry] = changed = True
    return fails


# -- functions that others call ---------------------------------------------------------------------------------------

_WORDS = [f"i64 %r{n}" for n in range(1, 6)]


def _arguments(module: Module, entry: int) -> tuple[list[str], str]:
    """The casts and the arguments of a call of a function from five words; other registers are 0."""
    lines, arguments = [], ["ptr %run"]
    for number, type in module.parameters(entry):
        value = f"%r{number}" if 1 <= number <= 5 else "0"
        if type == "ptr":
            lines.append(f"  %p{entry}.{number} = inttoptr i64 {value} to ptr")
            value = f"%p{entry}.{number}"
        arguments.append(f"{type} {value}")
    return lines, ", ".join(arguments)


def _entry(module: Module) -> str:
    casts, arguments = _arguments(module, 0)
    lines = [*casts, f"  %r0 = call i64 @f0({arguments})", "  ret i64 %r0"]
    return f"define i64 @{ENTRY}(ptr %run, {', '.join(_WORDS)}) #0 {{\n" + "\n".join(lines) + "\n}"


def dispatcher(module: Module, name: str) -> str:
    """``call``: the function behind a callback pointer.  Unknown ones go to ``elsewhere``, from ``callx`` to a trap."""
    entries = b.callbacks(module.source.code)
    linkage = "" if name == CALL else "internal "
    extra = "" if name == CALL else ", i64 %slot"
    head = f"define {linkage}i64 @{name}(ptr %run, i64 %pointer, {', '.join(_WORDS)}{extra}) #0 {{"
    lines = []
    if module.checked:
        lines += _depth_test(module, "%slot" if extra else "%caller")
    if entries:
        lines.append(f"  %row = sub i64 %pointer, ptrtoint (ptr {module.code()} to i64)")
        cases = " ".join(f"i64 {ROW.size * entry}, label %f{entry}" for entry in entries)
        lines.append(f"  switch i64 %row, label %other [ {cases} ]")
    else:
        lines.append("  br label %other")
    for entry in entries:
        casts, arguments = _arguments(module, entry)
        lines += [f"f{entry}:", *casts, f"  %r.{entry} = call i64 @f{entry}({arguments})", f"  ret i64 %r.{entry}"]
    lines += ["other:", *(_unknown(module, name == CALL))]
    return "\n".join([head, *lines, "}"])


def _unknown(module: Module, outside: bool) -> list[str]:
    if not outside:
        module.tool("trap")
        return [f"  call void @trap(ptr %run, i64 {F_CALLX}, i64 %slot, i64 %pointer, i64 0)", "  ret i64 0"]
    elsewhere = module.function("elsewhere", Symbol("elsewhere"), CALL_SIGNATURES["elsewhere"])
    return [f"  %far = call i64 {elsewhere}(ptr %run, i64 %pointer, {', '.join(_WORDS)})", "  ret i64 %far"]


def _depth_test(module: Module, slot: str) -> list[str]:
    """One more frame than there may be is a fault: of a callback, at the call of the helper that wants it."""
    module.tool("trap")
    caller = [
        f"  %pc.at = getelementptr i8, ptr %run, i64 {OFFSETS['pc']}",
        "  %caller = load i64, ptr %pc.at, align 8",
    ]
    return [
        *(caller if slot == "%caller" else []),
        *(f"  %{name}.at = getelementptr i8, ptr %run, i64 {OFFSETS[name]}" for name in ("room", "floor")),
        *(f"  %{name} = load i64, ptr %{name}.at, align 8" for name in ("room", "floor")),
        "  %used = sub i64 %room, %floor",
        f"  %deep = icmp uge i64 %used, {FRAMES * FRAME_STRIDE}",
        "  br i1 %deep, label %refused, label %fine",
        "refused:",
        f"  call void @trap(ptr %run, i64 {F_DEPTH}, i64 {slot}, i64 %pointer, i64 {FRAMES + 1})",
        "  ret i64 0",
        "fine:",
    ]


# -- tools -----------------------------------------------------------------------------------------------------------


def _store(name: str, value: str) -> list[str]:
    offset = OFFSETS[name]
    return [
        f"  %{name}.at = getelementptr i8, ptr %run, i64 {offset}",
        f"  store i64 {value}, ptr %{name}.at, align 8",
    ]


def _trap(module: Module) -> str:
    """Note a fault that is no access."""
    head = "define internal void @trap(ptr %run, i64 %fault, i64 %pc, i64 %address, i64 %size) #1 {"
    names = ("fault", "pc", "address", "size")
    return "\n".join([head, *(line for name in names for line in _store(name, f"%{name}")), "  ret void", "}"])


def _admit(module: Module) -> str:
    """Ask ``may``, and note the fault where it says no.

    Hidden, not internal: LLVM rewrites the calls of internal functions, and what is noted at them gets lost.
    """
    may = module.function("may", Symbol("may"), CALL_SIGNATURES["may"])
    return "\n".join(
        [
            "define hidden i1 @admit(ptr %run, i64 %address, i64 %size, i64 %write, i64 %pc) #1 {",
            f"  %answer = call i64 {may}(ptr %run, i64 %address, i64 %size, i64 %write)",
            "  %fine = icmp ne i64 %answer, 0",
            "  br i1 %fine, label %yes, label %no",
            "yes:",
            "  ret i1 true",
            "no:",
            "  %wrote = icmp ne i64 %write, 0",
            f"  %fault = select i1 %wrote, i64 {F_WRITE}, i64 {F_READ}",
            *(line for name in ("fault", "pc", "address", "size") for line in _store(name, f"%{name}")),
            "  ret i1 false",
            "}",
        ]
    )


def _nowhere(module: Module) -> str:
    """The state of a packet where there is none."""
    return "@nowhere = internal unnamed_addr constant [16 x i64] zeroinitializer, align 8"


_TOOLS: dict[str, Callable[[Module], str]] = {
    "trap": _trap,
    "admit": _admit,
    "nowhere": _nowhere,
    "callx": lambda module: dispatcher(module, "callx"),
}
_INTRINSICS = {
    **{f"llvm.bswap.i{n}": f"declare i{n} @llvm.bswap.i{n}(i{n})" for n in (16, 32, 64)},
    "llvm.usub.sat.i64": "declare i64 @llvm.usub.sat.i64(i64, i64)",
    "llvm.umax.i64": "declare i64 @llvm.umax.i64(i64, i64)",
    "llvm.memset.p0.i64": "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
}
