"""The plain values that an object file becomes: Collection, Program, MapSpec.

Everything below this room (verifier, vm, live, command line) takes these and nothing else of the file.
Instruction positions count slots.  Map loads hold the map's number in ``maps`` as imm, not an fd.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any

from osmia.btf import Btf
from osmia.isa import Insn


@dataclass(slots=True, repr=False)
class MapSpec:
    """What BPF_MAP_CREATE would be told, and what libbpf would put into the map afterwards.

    ``type`` is a name of ``kernel.uapi.MAP_TYPES`` without prefix ("hash", "ringbuf").  ``data`` is the
    initial content of a global-data section (one array element).  ``inner`` is the template of a
    map-in-map; ``values`` maps slot numbers to names of maps or programs (``.values = {…}``).
    """

    name: str
    type: str
    key_size: int = 0
    value_size: int = 0
    max_entries: int = 0
    flags: int = 0
    map_extra: int = 0
    numa_node: int | None = None
    pinning: str | None = None
    inner: MapSpec | None = None
    values: dict[int, str] = field(default_factory=dict)
    data: bytes | None = None
    frozen: bool = False
    mmapable: bool = False
    section: str = ""
    btf: Btf | None = None
    btf_key_type_id: int = 0
    btf_value_type_id: int = 0
    btf_vmlinux_value_type: str = ""
    autocreate: bool = True

    def __repr__(self) -> str:
        said = [f"{f.name}={v!r}" for f in fields(self) if (v := _shown(self, f)) is not None]
        return f"MapSpec({self.name!r}, {self.type!r}{''.join(f', {part}' for part in said)})"

    @property
    def has_content(self) -> bool:
        """Is there initial content, and is it not all zero?"""
        return self.data is not None and self.data.count(0) != len(self.data)


def _shown(spec: MapSpec, which: Field[Any]) -> Any:
    """What a field has to say in ``repr``: nothing for name and type, which stand first, and for its default."""
    value = getattr(spec, which.name)
    if which.name in ("name", "type") or not value or value == which.default:
        return None
    return value if len(repr(value)) < 80 else Cut(value)


class Cut:
    """A long value in a ``repr``."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"<{len(self.value)} bytes>" if isinstance(self.value, bytes) else repr(self.value)[:77] + "…"


@dataclass(frozen=True, slots=True)
class FuncInfo:
    """One row of func_info: the function that starts at slot ``insn`` has BTF type ``type_id``."""

    insn: int
    type_id: int


@dataclass(frozen=True, slots=True)
class LineInfo:
    """One row of line_info, in the kernel's layout: string offsets into the program's BTF."""

    insn: int
    file_off: int
    line_off: int
    line_col: int

    @property
    def line(self) -> int:
        """Source line, from 1."""
        return self.line_col >> 10

    @property
    def column(self) -> int:
        """Source column, from 1; 0 where the compiler did not say."""
        return self.line_col & 0x3FF


@dataclass(frozen=True, slots=True)
class Subprog:
    """A function inside a program: slots ``start`` up to, not including, ``end``."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Extern:
    """A kernel symbol that only the target can resolve: its BTF id goes into the imm of slot ``insn``.

    ``kind``: "func" (kfunc), "var" (typed ksym), or "addr" (untyped ksym: the load holds its address, 0 if unknown).
    """

    insn: int
    name: str
    kind: str = "func"
    weak: bool = False


@dataclass(slots=True)
class Program:
    """One program as BPF_PROG_LOAD would get it.  Types are names without prefix ("xdp", "cgroup_skb").

    For struct_ops ``attach_target`` is "struct.member" and ``expected_attach_type`` the member's number in digits.
    ``attach_prog`` is the loaded program that fentry, fexit and EXT programs attach to instead of the kernel;
    ``attach_target`` is then the name of one of its functions.
    ``fd_array`` are the descriptors that loads by index and calls into modules name by their place: numbers of
    ``maps``, or None where the loader passes none; the first ``fd_array_cnt`` belong to the program, used or not.
    ``poisoned`` explains instructions that must not be reached, by slot: a field, map or kfunc that does not exist.
    """

    name: str
    prog_type: str
    insns: list[Insn]
    section: str = ""
    expected_attach_type: str = ""
    attach_target: str = ""  # "do_unlinkat" of kprobe/do_unlinkat, the hook of fentry/…, the tracepoint
    attach_prog: Program | None = None
    maps: list[MapSpec] = field(default_factory=list)
    license: str = ""
    flags: int = 0
    kern_version: int = 0
    btf: Btf | None = None
    func_info: list[FuncInfo] = field(default_factory=list)
    line_info: list[LineInfo] = field(default_factory=list)
    subprogs: list[Subprog] = field(default_factory=list)
    externs: list[Extern] = field(default_factory=list)
    fd_array: list[int] | None = None
    fd_array_cnt: int = 0
    poisoned: dict[int, str] = field(default_factory=dict)
    autoload: bool = True

    def source_of(self, insn: int) -> str:
        """File and line that the instruction in a slot comes from, "prog.bpf.c:12"; "" when line_info does not say."""
        row = max((r for r in self.line_info if r.insn <= insn), key=lambda r: r.insn, default=None)
        if row is None or self.btf is None:
            return ""
        return f"{self.btf.str_at(row.file_off).rpartition('/')[2]}:{row.line}"


@dataclass(slots=True)
class Collection:
    """Everything that one object file holds, linked."""

    path: str = ""
    programs: dict[str, Program] = field(default_factory=dict)
    maps: dict[str, MapSpec] = field(default_factory=dict)
    btf: Btf | None = None
    license: str = ""
    version: int = 0
    byteorder: str = "little"
