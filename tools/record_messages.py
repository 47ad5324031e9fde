"""Programs that make the kernel say what random ones hardly reach: ``python tools/record_messages.py [WORD…]``.

Each program is a text in llvm's dialect (``tests/verifier/callkit.py``; semicolons end lines) with three words more:
``kfunc NAME`` calls a function of the kernel, ``rN = kvar NAME`` loads the address of a variable of the kernel, and
``raw HEX`` is an instruction by its eight bytes.  What the running kernel says is kept below
``tests/verifier/golden/messages`` if Osmia says the same; differences are printed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from message_programs import PROGRAMS, Wanted

from osmia.btf import Btf
from osmia.btf import types as t
from osmia.isa import decode
from osmia.isa import macros as m
from osmia.obj.model import Extern, FuncInfo, Program
from osmia.testing.answers import Kernel, ask_osmia
from osmia.testing.cases import Case, dump
from osmia.testing.messages import messages
from osmia.verifier.env import Powers

TESTS = Path(__file__).parent.parent / "tests" / "verifier"
sys.path.insert(0, str(TESTS))
KEPT = TESTS / "golden" / "messages"
OWN = re.compile(r"kfunc (?P<func>\w+)|r(?P<reg>\d+) = kvar (?P<var>\w+)|raw (?P<raw>[0-9a-f]{16})")
SIGNATURE = re.compile(r"(?P<static>static )?(?P<name>\w+)\((?P<params>.*)\)")
OTHERS = "*(u64 *)(r10 - 8) = 0"


@dataclass
class Types:
    """BTF in the making; a type is asked for by its C name."""

    btf: Btf = field(default_factory=Btf)
    ids: dict[str, int] = field(default_factory=dict)

    def of(self, name: str) -> int:
        """The id of ``int``, ``void``, ``struct name``, ``struct`` (without a name) or a pointer to one of them."""
        if name == "void":
            return 0
        if name not in self.ids:
            self.ids[name] = self.btf.add(self._made(name))
        return self.ids[name]

    def _made(self, name: str) -> t.Type:
        if name.endswith("*"):
            return t.Ptr(self.of(name[:-1].strip()))
        if name.startswith("struct"):
            return t.Struct(name.removeprefix("struct").strip(), 4, (t.Member("a", self.of("int"), 0),))
        return t.Float(name, 8) if name == "double" else t.Int(name, 8 if name == "long" else 4, t.SIGNED)

    def function(self, text: str) -> int:
        """``static name(int, struct s *:nonnull:ctx)``: the id of the function; a parameter's tags follow colons."""
        found = SIGNATURE.fullmatch(text)
        assert found, text
        params = [p.strip() for p in found["params"].split(",") if p.strip()]
        types = [self.of(p.split(":")[0].strip()) for p in params]
        proto = t.FuncProto(self.of("int"), tuple(t.Param(f"a{i}", type_id) for i, type_id in enumerate(types)))
        func = self.btf.add(t.Func(found["name"], self.btf.add(proto), t.STATIC if found["static"] else t.GLOBAL))
        for i, param in enumerate(params):
            for tag in param.split(":")[1:]:
                self.btf.add(t.DeclTag(f"arg:{tag}", func, i))
        return func


def built(wanted: Wanted) -> Program:
    """The program of a text."""
    import callkit

    lines = [line.strip() for line in re.split("[;\n]", wanted.text) if line.strip()]
    plain = [_standing_in(line) for line in lines]
    made = callkit.program(wanted.prog_type, "\n".join(plain), *wanted.maps)
    made.expected_attach_type, made.attach_target = wanted.attach, wanted.target
    made.license, made.flags = wanted.license, wanted.flags
    for slot, line in _own(lines, plain):
        _put(made, slot, line)
    if wanted.funcs:
        types, places = Types(), {"main": 0} | callkit.starts("\n".join(plain))
        names = [SIGNATURE.fullmatch(text)["name"] for text in wanted.funcs]  # type: ignore[index]
        made.func_info = [FuncInfo(places[n], types.function(f)) for n, f in zip(names, wanted.funcs, strict=True)]
        if wanted.tag:
            types.btf.add(t.DeclTag(wanted.tag, made.func_info[0].type_id))
        made.btf = types.btf
    return made


def _standing_in(line: str) -> str:
    own = OWN.fullmatch(line)
    return line if own is None else f"r{own['reg']} = 0 ll" if own["reg"] else OTHERS


def _own(lines: list[str], plain: list[str]) -> Iterator[tuple[int, str]]:
    """Our own lines with the slots that they stand at."""
    import callkit

    for i, line in enumerate(lines):
        if OWN.fullmatch(line):
            yield callkit.starts("\n".join([*plain[:i], "here:"]))["here"], line


def _put(made: Program, slot: int, line: str) -> None:
    own = OWN.fullmatch(line)
    assert own
    if own["func"]:
        made.insns[slot] = m.BPF_CALL_KFUNC(0, 0)
        made.externs.append(Extern(slot, own["func"]))
    elif own["var"]:
        made.insns[slot : slot + 2] = [*m.BPF_LD_BTF_ID(int(own["reg"]), 0)]
        made.externs.append(Extern(slot, own["var"], "var"))
    else:
        made.insns[slot] = decode(bytes.fromhex(own["raw"]))[0]


def record(kernel: Kernel, wanted: Wanted) -> None:
    """Ask both judges; keep the case if it shows what it is there for and both say the same."""
    program, powers = built(wanted), Powers(**dict.fromkeys(wanted.without, False))
    theirs, ours = kernel.ask(program, wanted.level, powers), ask_osmia(program, wanted.level, powers)
    said = [x for x in messages() if x.shown_by(theirs.log)]
    if wanted.shows not in theirs.log:
        print(f"NOT SHOWN {wanted.shows!r}: {theirs.errno} {theirs.message!r}; ours {ours.message!r}{ours.unsupported}")
    if (ours.errno, ours.log) != (theirs.errno, theirs.log):
        print(f"DIFFERS {wanted.shows!r}:\n  {theirs.errno} {theirs.message}\n  {ours.errno} {ours.message}")
        print(f"  {ours.unsupported}{ours.crash}")
    elif wanted.shows in theirs.log:
        case = Case(program, wanted.level, powers, theirs.errno, theirs.log, f"Shows: {wanted.shows}")
        slug = "-".join(re.findall(r"[a-z0-9]+", wanted.shows.lower()))[:60]
        (KEPT / f"{slug}.txt").write_text(dump(case), "utf-8")
        if not said:
            print(f"no message of ours has this text: {wanted.shows!r}")


def main(words: list[str]) -> None:
    """The command line: texts that the wanted messages hold, or nothing for all of them."""
    with Kernel() as kernel:
        for wanted in PROGRAMS:
            if not words or any(word in wanted.shows for word in words):
                try:
                    record(kernel, wanted)
                except Exception as error:
                    print(f"FAILED {wanted.shows!r}: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
