"""The face for other programs: open or compile, load, run.

>>> import osmia
>>> program = osmia.Program("r0 = 2\\nexit", "xdp")
>>> program.load().run(data=bytes(64)).action
'XDP_PASS'
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from osmia import inputs
from osmia.errors import UsageError
from osmia.obj import model
from osmia.obj.model import MapSpec
from osmia.sim import Executable, MapSet, Result, World
from osmia.sim.variables import Variables
from osmia.vm.machine import DEFAULT_BUDGET

if TYPE_CHECKING:
    from osmia.btf import Btf
    from osmia.isa import Insn
    from osmia.live.executable import LiveExecutable
    from osmia.verifier.matrix import Row
    from osmia.verifier.verdict import Verdict
    from osmia.vm.machine import Tracer

UNSEEN = 'compilers leave out what only local variables use; "const struct event *unused;" keeps struct event'

__all__ = ["Collection", "Executable", "MapSpec", "Program", "Result", "World", "compile", "open", "verify"]


class Program(model.Program):
    """One program: the instructions, their type and maps, and what an object file says of them.

    ``source`` is a list of ``Insn``, encoded bytes, or assembly text (the dialect is recognised, or given).
    Raises AsmError, DecodeError or UsageError.

    >>> from osmia.isa.macros import BPF_EXIT_INSN, BPF_MOV64_IMM
    >>> Program([BPF_MOV64_IMM(0, 7), BPF_EXIT_INSN()]).load().run().retval
    7
    """

    __slots__ = ("byteorder", "shared_maps")

    def __init__(
        self,
        source: str | bytes | Iterable[Insn],
        prog_type: str = "socket_filter",
        *,
        name: str = "prog",
        section: str = "",
        maps: Sequence[MapSpec] = (),
        license: str = "GPL",
        dialect: str | None = None,
    ) -> None:
        inputs.check_prog_type(prog_type)
        insns = _instructions(source, dialect)
        super().__init__(name, prog_type, insns, section=section, maps=list(maps), license=license)
        self.shared_maps: MapSet | None = None
        self.byteorder: str = sys.byteorder

    def __repr__(self) -> str:
        return f"<Program {self.name} ({self.prog_type}, {len(self.insns)} insns, {len(self.maps)} maps)>"

    @classmethod
    def of(cls, program: model.Program, maps: MapSet | None = None, byteorder: str = sys.byteorder) -> Program:
        """The same program with the methods of this class, on maps that others share."""
        made = cls.__new__(cls)
        for name in model.Program.__dataclass_fields__:
            setattr(made, name, getattr(program, name))
        made.shared_maps, made.byteorder = maps, byteorder
        return made

    def living_maps(self) -> list[Any]:
        """The maps as they live in its collection, in the order of ``maps``; what a tail call brings along."""
        if self.shared_maps is None:
            self.shared_maps = MapSet(self.maps)
        return [self.shared_maps.of(spec) for spec in self.maps]

    @overload
    def load(self, engine: Literal["live"]) -> LiveExecutable: ...

    @overload
    def load(
        self, engine: Literal["interp", "jit", "auto"] = "interp", *, checked: bool | Literal["auto"] = True,
        world: World | None = None, budget: int = DEFAULT_BUDGET, trace: Tracer | None = None,
    ) -> Executable: ...  # fmt: skip

    def load(
        self,
        engine: str = "interp",
        *,
        checked: bool | str = True,
        world: World | None = None,
        budget: int = DEFAULT_BUDGET,
        trace: Tracer | None = None,
    ) -> Executable | LiveExecutable:
        """Make it ready to run, in a world of its own or the one given; ``engine="live"``: in the running kernel.

        ``engine="jit"`` runs native code (``pip install "osmia[jit]"``), ``"auto"`` native code when it pays.

        ``checked`` looks at every access; switch it off only for programs that a verifier accepted, or say ``"auto"``:
        then Osmia's verifier is asked, and programs that it accepts run unchecked.  Programs of one collection share
        their maps.  ``budget`` bounds the instructions of a run; ``trace`` is called before each with its slot and the
        registers.  Raises UsageError, BadInsn, MapError or MissingBody.
        """
        if self.byteorder != sys.byteorder:
            raise UsageError(f"{self.name} is for {self.byteorder}-endian machines, and can't run on this one")
        if engine == "live":
            from osmia.live.executable import LiveExecutable

            return LiveExecutable(self)
        if not (isinstance(checked, bool) or checked == "auto"):
            raise UsageError(f'checked takes True, False or "auto", not {checked!r}')
        facts = accepted(self) if checked == "auto" else None
        ready = Executable(
            *(self, self.shared_maps, world),
            engine=engine, checked=facts is None if checked == "auto" else bool(checked), facts=facts,
            budget=budget, trace=trace,
        )  # fmt: skip
        ready.machine.vouch = accepted if facts is not None else None
        return ready


def accepted(program: model.Program) -> dict[int, dict[int, frozenset[str]]] | None:
    """What the verifier knows of the registers of a program that it accepts (slot → register → types), else None."""
    from osmia.verifier.judge import judge

    verdict = judge(program, log_level=0, facts=True)
    return verdict.facts.types() if verdict.ok and verdict.facts is not None else None


def _instructions(source: str | bytes | Iterable[Insn], dialect: str | None) -> list[Insn]:
    from osmia.isa import Insn, decode

    if isinstance(source, str):
        return inputs.instructions(inputs.Input(source.encode(), "<text>", "asm"), dialect)
    if isinstance(source, bytes | bytearray | memoryview):
        return decode(source)
    if not isinstance(source, Iterable):
        raise UsageError(f"a program is made of Insn, text or bytes, not {source!r}")
    insns = list(source)
    wrong = next((i for i in insns if not isinstance(i, Insn)), None)
    if wrong is not None:
        raise UsageError(f"a program is made of Insn, text or bytes, not {wrong!r}")
    return insns


class Collection(Mapping[str, Program]):
    """What one object file holds: programs by name, living maps, BTF.

    ``collection["name"]`` is a program; ``maps["counts"][0]`` reads and writes a map that all of them share;
    ``variables["limit"] = 3`` sets a global variable (a const one before a program is loaded).
    """

    def __init__(self, raw: model.Collection, *, cpus: int = 1) -> None:
        self.raw = raw
        self.maps = MapSet(raw.maps.values(), cpus=cpus)
        self.programs = {name: Program.of(p, self.maps, raw.byteorder) for name, p in raw.programs.items()}
        self.maps.programs = self.programs
        self.variables = Variables(self.maps)

    path = property(lambda self: self.raw.path, doc="The file's name.")
    license = property(lambda self: self.raw.license, doc="The license string.")

    @property
    def specs(self) -> dict[str, MapSpec]:
        """The maps' definitions."""
        return self.raw.maps

    @property
    def btf(self) -> Btf | None:
        """The types that the file describes."""
        return self.raw.btf

    def __getitem__(self, name: str) -> Program:
        if name not in self.programs:
            raise KeyError(f"no program {name!r} (there: {', '.join(self.programs) or 'none'})")
        return self.programs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.programs)

    def __len__(self) -> int:
        return len(self.programs)

    def __repr__(self) -> str:
        programs = ", ".join(f"{p.name} ({p.prog_type})" for p in self.programs.values())
        return f"<Collection {self.raw.path}: {programs or 'no programs'}; {len(self.raw.maps)} maps>"

    def load(self, name: str | None = None, **options: Any) -> Executable:
        """Load the program of that name, or the only one; options as in ``Program.load``."""
        if name is None and len(self.programs) != 1:
            raise UsageError(f"which program? there are {', '.join(self.programs) or 'none'}", file=self.raw.path)
        program = self[name] if name else next(iter(self.programs.values()))
        made: Executable = program.load(**options)
        return made

    def decode(self, type_name: str, data: bytes) -> Any:
        """Bytes as a value of a C type that the file describes: ``decode("struct event", record).pid``.

        Raises UsageError when there is no such type, or the bytes are too few for it.
        """
        from osmia.maps.values import read_value

        btf, kind, name = self.btf, *_kind_and_name(type_name)
        found = btf.find(name, *kind) if btf is not None else None
        if btf is None or found is None:
            raise UsageError(f"no type {type_name!r} in the file's BTF: {UNSEEN}", file=self.raw.path or None)
        if len(data) < btf.size_of(found):
            raise UsageError(f"{len(data)} bytes are too few for {type_name} ({btf.size_of(found)})")
        return read_value(btf, found, bytearray(data))

    def attach(self, world: World, **options: Any) -> list[Executable]:
        """Load every program into a world and attach it where its section says; returns them."""
        made = [p.load(world=world, **options) for p in self.programs.values() if p.autoload]
        for executable in made:
            world.attach(executable)
        return made


def _kind_and_name(type_name: str) -> tuple[tuple[type, ...], str]:
    """What C writes before a type's name, and the name."""
    from osmia import btf

    kinds = {"struct": (btf.Struct,), "union": (btf.Union,), "enum": (btf.Enum, btf.Enum64)}
    word, _, name = type_name.strip().partition(" ")
    any_kind = (btf.Struct, btf.Union, btf.Typedef, btf.Enum, btf.Enum64, btf.Int)
    return (kinds[word], name.strip()) if word in kinds and name else (any_kind, type_name.strip())


def open(
    path: str | Path, *, btf: str | Path | Btf | None = None, cpu: str = "v3", cpus: int = 1, **options: Any
) -> Collection:
    """Read an object, C, assembly or records file, or bare instructions; ``-`` is standard input.

    ``btf`` is the target of CO-RE relocations (a file or a Btf); give a world's: ``btf=world.btf``.  ``cpu`` is
    what C is compiled for, ``cpus`` sizes per-CPU maps.  More options: ``dialect`` and ``prog_type`` of assembly.
    Raises an InputError with the place, or Unavailable when there is no C compiler.
    """
    return Collection(inputs.load(path, btf=btf, cpu=cpu, **options), cpus=cpus)


def compile(source: str | Path, *, btf: str | Path | Btf | None = None, cpus: int = 1, **options: Any) -> Collection:
    """Compile C, given as text or as a Path; options as in ``osmia.cc.compile`` (cpu, includes, defines …).

    Raises CompileError with the compiler's own words.
    """
    from osmia import cc, obj

    data = cc.compile(source, **options)
    target = inputs.load_btf(btf) if btf is not None else None
    name = str(source) if isinstance(source, Path) else "<source>"
    return Collection(obj.load(data, path=name, target_btf=target), cpus=cpus)


def verify(
    program: model.Program | Collection | str | Path,
    kernel: str = "6.18",
    *,
    name: str | None = None,
    log_level: int = 1,
    privileged: bool = True,
    caps: Iterable[str] | None = None,
    btf: str | Path | Btf | None = None,
    log_size: int = 0,
    facts: bool = False,
    log_to: Callable[[bytes], object] | None = None,
    **options: Any,
) -> Verdict:
    """Would Linux load the program?  The kernel's verdict, errno, log and counts, without a kernel.

    ``program`` may be a file that ``open`` takes, with its ``options``; ``name`` chooses among several programs.
    ``log_level`` is as in bpf(2): 1 says why a program is refused, 2 everything, 4 adds statistics.  ``caps`` (bpf,
    perfmon, net_admin, sys_admin) are what the loader has, by default all, or with ``privileged=False`` none.
    ``btf`` are the kernel's types, by default those that are shipped with its profile.  ``log_size`` limits the log as
    a buffer of so many bytes would; ``log_to`` takes a level-2 log while it grows.  ``facts`` keeps what was known of
    the registers before each instruction.  Raises an InputError for a file that is none.

    >>> import osmia
    >>> osmia.verify(osmia.Program("r0 = *(u32 *)(r1 + 9999)\\nexit", "xdp")).error.text
    'invalid bpf_context access off=9999 size=4'
    """
    from osmia.verifier.judge import judge, kernel_btf, powers

    types = inputs.load_btf(btf) if btf is not None else kernel_btf(kernel)
    if isinstance(program, str | Path):
        program = open(program, btf=types, **options)
    if isinstance(program, Collection):
        program = _the_program(program, name)
    return judge(
        program, kernel, powers(privileged, caps),
        log_level=log_level, log_size=log_size, sink=log_to, btf=types, facts=facts,
    )  # fmt: skip


def check(
    path: str | Path,
    kernels: Iterable[str] = ("5.10", "6.1", "6.12", "6.18", "7.2"),
    *,
    name: str | None = None,
    privileged: bool = True,
    caps: Iterable[str] | None = None,
    btf: Mapping[str, str | Path | Btf] | None = None,
    **options: Any,
) -> list[Row]:
    """Which of the kernels would load the programs of a file?  A row per program, in it a cell per kernel.

    Each kernel gets the programs as libbpf would fit them to it: relocated to its types, with the BTF that it knows.
    ``btf`` gives types of kernels by name, ``name`` chooses a program; ``options`` are those of ``open``.  Raises an
    InputError for a file that is none.
    """
    from osmia.verifier.judge import powers
    from osmia.verifier.matrix import Matrix

    types = {kernel: inputs.load_btf(source) for kernel, source in (btf or {}).items()}
    return list(Matrix(list(kernels), powers(privileged, caps), btf=types, options=options).rows(path, name))


def _the_program(collection: Collection, name: str | None) -> Program:
    if name is None and len(collection) != 1:
        raise UsageError(f"which program? there are {', '.join(collection) or 'none'}", file=collection.path)
    if name is not None and name not in collection:
        raise UsageError(f"no program {name!r} (there: {', '.join(collection) or 'none'})", file=collection.path)
    return collection[name] if name else next(iter(collection.values()))
