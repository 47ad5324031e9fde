"""Programs as JSON records, one a line (programs.jsonl): what BPF_PROG_LOAD would get, kernel symbols by name.

The record holds no descriptors: a map load's imm is the map's number in ``maps``, and inner templates are maps of
their own in front of the map that has them.  Bytes are hexadecimal; fields with their default value are left out
(a license that is not there is "GPL").  The fields stand in ``record_fields``.

Lost on the way: initial contents other than an array's first element (``values=``), pinning, weak externs, untyped
ksyms, and the reasons for poisoned instructions.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from osmia.btf import Btf, Func
from osmia.errors import InputError, RecordError
from osmia.isa import Insn, decode, encode
from osmia.isa.consts import BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE
from osmia.isa.insn import ByteOrder
from osmia.kernel.uapi import ATTACH_TYPES, MAP_FLAGS, PROG_FLAGS
from osmia.obj import record_fields as f
from osmia.obj import sections
from osmia.obj.model import Collection, Extern, FuncInfo, LineInfo, MapSpec, Program, Subprog

_PREFIXES: Final = {
    "trace_raw_tp": ("btf_trace_", "typedef"),
    "lsm_mac": ("bpf_lsm_", "func"),
    "lsm_cgroup": ("bpf_lsm_", "func"),
    "trace_iter": ("bpf_iter_", "func"),
}
"""Where the kernel's BTF has the target of an attach type: prefix of the name, kind of the type."""
_BY_BTF: Final = ("tracing", "lsm", "ext")
NAME_ROOM: Final = 15
KEPT_BTFS: Final = 64
_LOADS: Final = (BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE)
_DATA: Final = (".rodata", ".data", ".bss", ".kconfig")


# -- writing


def records(collection: Collection) -> list[dict[str, Any]]:
    """One record for each program that is loaded by default."""
    order: ByteOrder = "big" if collection.byteorder == "big" else "little"
    return [record(p, order) for p in collection.programs.values() if p.autoload]


def record(program: Program, order: ByteOrder = "little") -> dict[str, Any]:
    """The record of one program.  ``order`` is the byte order of its instructions and BTF."""
    maps, numbers = _all_maps(program.maps)
    kind = program.expected_attach_type
    values = {
        "name": program.name,
        "prog_type": program.prog_type,
        "insns_hex": encode(_renumbered(program.insns, dict(enumerate(numbers))), order),
        "expected_attach_type": (int(kind) or "") if kind.isdigit() else kind,
        **attach_btf(program),
        "attach_prog": record(program.attach_prog, order) if program.attach_prog is not None else None,
        "maps": maps,
        "license": program.license,
        "flags": program.flags,
        "section": program.section,
        "prog_name": program.name[:NAME_ROOM],
        "btf_hex": program.btf.encode(order) if program.btf else b"",
        "func_info": [(x.insn, x.type_id) for x in program.func_info],
        "line_info": [(x.insn, x.file_off, x.line_off, x.line_col) for x in program.line_info],
        "relocs": [f.to_json(_reloc(x), f.RELOC) for x in program.externs if x.kind != "addr"],
        "fd_array": _descriptors(program.fd_array, dict(enumerate(numbers))),
        "fd_array_cnt": program.fd_array_cnt,
    }
    return f.to_json(values, f.PROGRAM)


def _descriptors(array: list[int] | None, numbers: dict[int, int]) -> list[int] | None:
    """The maps' numbers changed; one that names no map stays what it is."""
    return None if array is None else [numbers.get(number, number) for number in array]


def _reloc(extern: Extern) -> dict[str, Any]:
    return {"insn": extern.insn, "name": extern.name, "kind": extern.kind}


def attach_btf(program: Program) -> dict[str, str]:
    """The name and kind of the type in the kernel's BTF that the program attaches to; empty for most programs.

    Where it attaches to a program, the type is one of that program's.
    """
    if program.attach_prog is not None:
        return {"attach_btf": program.attach_target} if program.attach_target else {}
    if program.prog_type == "struct_ops" and "." in program.attach_target:
        return {"attach_btf": program.attach_target.split(".")[0], "attach_btf_kind": "struct"}
    row = sections.find(program.section)
    by_btf = row.attaches_by_btf if row else program.prog_type in _BY_BTF
    if not by_btf or not program.attach_target:
        return {}
    prefix, kind = _PREFIXES.get(program.expected_attach_type, ("", "func"))
    name = prefix + program.attach_target.rsplit(":", 1)[-1]
    return {"attach_btf": name, **({"attach_btf_kind": kind} if kind != "func" else {})}


def _all_maps(specs: list[MapSpec]) -> tuple[list[dict[str, Any]], list[int]]:
    """The maps with their inner templates in front of them, and the new number of each of ``specs``."""
    out: list[dict[str, Any]] = []
    numbers = []
    for spec in specs:
        if spec.inner is not None:
            out.append(_map(spec.inner))
        inner = {} if spec.inner is None else {"inner": len(out) - 1}
        numbers.append(len(out))
        out.append(_map(spec, **inner))
    return out, numbers


def _map(spec: MapSpec, **inner: int) -> dict[str, Any]:
    values = {
        "type": spec.type, "key": spec.key_size, "value": spec.value_size, "entries": spec.max_entries,
        "flags": spec.flags,
        "btf_key": spec.btf_key_type_id,
        "btf_value": spec.btf_value_type_id,
        "init_hex": spec.data if spec.data and spec.type == "array" and spec.has_content else b"",
        "freeze": spec.frozen,
        "extra": spec.map_extra,
        "name": spec.name[:NAME_ROOM],
        "vmlinux_value": spec.btf_vmlinux_value_type,
        **inner,
    }  # fmt: skip
    return f.to_json(values, f.MAP)


def _renumbered(insns: list[Insn], numbers: dict[int, int]) -> list[Insn]:
    """The map loads' numbers changed; one that names no map stays what it is."""
    return [i._replace(imm=numbers[i.imm]) if _loads_map(i) and i.imm in numbers else i for i in insns]


def _loads_map(insn: Insn) -> bool:
    return insn.is_wide and insn.src_reg in _LOADS


# -- reading


def load(data: bytes, path: str = "") -> Collection:
    """The programs of a programs.jsonl, in the order of its lines; empty lines are passed over.

    Programs whose names collide get a number behind theirs in ``programs``.  Maps of one name and one description
    are one map, as in the object that they came from.  Raises RecordError with the line, and the field where one
    is to blame.
    """
    reader, number = _Reader(path), 0
    try:
        for number, line in enumerate(data.split(b"\n"), 1):
            if line.strip():
                reader.add(f.parse(line, f.PROGRAM), number)
    except RecordError as e:
        raise e.at(file=path or None, line=number) from None
    if not reader.found.programs:
        raise RecordError("no record in it", file=path or None)
    return reader.finish()


class Lines:
    """Records one by one, each a program of its own; a map without a name keeps none."""

    def __init__(self) -> None:
        self.reader = _Reader("", invent=False)

    def read(self, line: bytes, number: int) -> tuple[Program, dict[str, Any]]:
        """The program in line ``number``, and how it wants to be loaded: ``name`` and ``record_fields.LOADING``.

        Raises RecordError with the line.
        """
        try:
            row = f.parse(line, f.PROGRAM + f.LOADING)
            wanted = {field.name: row[field.name] for field in f.LOADING}
            return self._program(row, number), wanted | {"name": row["name"]}
        except RecordError as e:
            raise e.at(line=number) from None

    def _program(self, row: dict[str, Any], number: int) -> Program:
        reader = self.reader
        reader.order, reader.maps = None, {}
        reader.found = Collection()
        if len(reader.btfs) > KEPT_BTFS:
            reader.btfs = {}
        reader.add(row, number)
        return next(iter(reader.found.programs.values()))


class _Reader:
    """A collection on its way; what records have in common is made once.  ``invent`` names for maps without one."""

    def __init__(self, path: str, invent: bool = True) -> None:
        self.found = Collection(path)
        self.invent = invent
        self.btfs: dict[bytes, Btf] = {}
        self.maps: dict[str, MapSpec] = {}
        self.order: ByteOrder | None = None
        self.seen: set[int] = set()
        self.uses: Counter[str] = Counter()

    def finish(self) -> Collection:
        """The whole: what all programs share is the collection's."""
        made, programs = self.found, list(self.found.programs.values())
        made.btf = programs[0].btf if all(p.btf is programs[0].btf for p in programs) else None
        made.license = programs[0].license if len({p.license for p in programs}) == 1 else ""
        made.byteorder = self.order or "little"
        return made

    def add(self, row: dict[str, Any], number: int) -> None:
        """One record."""
        btf = self._btf(row["btf_hex"]) if row["btf_hex"] else None
        specs, numbers = self._maps(row, btf)
        insns = _renumbered(_insns(row["insns_hex"], self.order or "little"), numbers)
        program = Program(row["name"] or f"line{number}", row["prog_type"], insns, maps=specs, btf=btf)
        program.license, program.flags = row["license"], row["flags"]
        program.func_info = [FuncInfo(*x) for x in row["func_info"]]
        program.line_info = [LineInfo(*x) for x in row["line_info"]]
        program.externs = _externs(row["relocs"], len(insns))
        program.fd_array, program.fd_array_cnt = _descriptors(row["fd_array"], numbers), row["fd_array_cnt"]
        program.subprogs = _subprogs(program)
        _attachment(program, row, self._target(row["attach_prog"]))
        self.found.programs[self._unused(program.name, self.found.programs)] = program

    def _target(self, row: dict[str, Any] | None) -> Program | None:
        """The program that a program attaches to, which is in nobody's list."""
        if row is None:
            return None
        reader = _Reader("", invent=False)
        reader.btfs, reader.order = self.btfs, self.order
        reader.add(row, 0)
        return next(iter(reader.found.programs.values()))

    def _btf(self, data: bytes) -> Btf:
        """The types; they also say which byte order the programs have."""
        if data not in self.btfs:
            try:
                self.btfs[data] = Btf.parse(data)
            except InputError as e:
                raise RecordError(f"btf_hex: {e}") from None
        made = self.btfs[data]
        if self.order not in (None, made.byteorder):
            raise RecordError("btf_hex: a program for machines of the other byte order than those before it")
        self.order = "big" if made.byteorder == "big" else "little"
        return made

    def _maps(self, row: dict[str, Any], btf: Btf | None) -> tuple[list[MapSpec], dict[int, int]]:
        """The maps without templates that are nothing else, and the number that each map of the record has now."""
        made: list[MapSpec] = []
        for at, values in enumerate(row["maps"]):
            if values["inner"] is not None and values["inner"] >= at:
                raise RecordError(f"maps[{at}].inner: {values['inner']} is no map in front of it")
            made.append(self._map(values, made, row["btf_hex"], btf))
        loaded = {i.imm for i in _insns(row["insns_hex"], self.order or "little") if _loads_map(i)}
        templates = {values["inner"] for values in row["maps"]} - loaded
        kept = [at for at in range(len(made)) if at not in templates]
        return [self._named(made[at]) for at in kept], {at: number for number, at in enumerate(kept)}

    def _map(self, values: dict[str, Any], before: list[MapSpec], types: bytes, btf: Btf | None) -> MapSpec:
        """One map: the one that an earlier record described in the same words, if there is one."""
        inner = None if values["inner"] is None else before[values["inner"]]
        made = _spec(values, inner, btf)
        if not made.name:
            return made
        words = repr((values, inner and _map(inner), hash(types)))
        return self.maps.setdefault(words, made)

    def _named(self, spec: MapSpec) -> MapSpec:
        """Put a map among the collection's; one without a name gets one."""
        if not self.invent:
            return spec
        if id(spec) not in self.seen:
            self.seen.add(id(spec))
            spec.name = spec.name or self._unused("map", self.found.maps)
            self.found.maps[self._unused(spec.name, self.found.maps)] = spec
        return spec

    def _unused(self, name: str, taken: dict[str, Any]) -> str:
        """The name, or the name and the first number that nobody has."""
        made = name
        while made in taken:
            self.uses[name] += 1
            made = f"{name}.{self.uses[name]}"
        return made


def _insns(data: bytes, order: ByteOrder) -> list[Insn]:
    try:
        return decode(data, order)
    except InputError as e:
        raise RecordError(f"insns_hex: {e.reason}") from None


def _spec(values: dict[str, Any], inner: MapSpec | None, btf: Btf | None) -> MapSpec:
    """A map's description.  libbpf's data sections are known by the end of their names."""
    sizes = (values["key"], values["value"], values["entries"], values["flags"], values["extra"])
    made = MapSpec(values["name"], values["type"], *sizes, inner=inner, data=values["init_hex"] or None)
    made.frozen, made.mmapable = values["freeze"], bool(made.flags & MAP_FLAGS["mmapable"])
    made.btf_key_type_id, made.btf_value_type_id = values["btf_key"], values["btf_value"]
    made.btf_vmlinux_value_type = values["vmlinux_value"]
    made.btf = btf if made.btf_key_type_id or made.btf_value_type_id else None
    if made.type == "array" and made.max_entries == 1:
        made.section = next((name for name in _DATA if made.name.endswith(name)), "")
    return made


def _externs(rows: list[dict[str, Any]], slots: int) -> list[Extern]:
    wrong = next((n for n, row in enumerate(rows) if row["insn"] >= slots), None)
    if wrong is not None:
        raise RecordError(f"relocs[{wrong}].insn: the program has {slots} slots")
    return [Extern(row["insn"], row["name"], row["kind"]) for row in rows]


def _subprogs(program: Program) -> list[Subprog]:
    """Functions by func_info; none where that makes no sense, for the verifier to say so."""
    starts = [x.insn for x in program.func_info]
    ends = [*starts[1:], len(program.insns)]
    if program.btf is None or starts[:1] != [0] or any(a >= b for a, b in zip(starts, ends, strict=True)):
        return []
    names = [_name_of(program.btf, x.type_id) for x in program.func_info]
    return [Subprog(*row) for row in zip(names, starts, ends, strict=True)]


def _name_of(btf: Btf, type_id: int) -> str:
    try:
        found = btf.type(type_id)
    except InputError:
        return ""
    return found.name if isinstance(found, Func) else ""


def _attachment(program: Program, row: dict[str, Any], target_prog: Program | None) -> None:
    """What the program attaches to: by its section, else by the name in the kernel's BTF or the target's."""
    program.attach_prog = target_prog
    program.expected_attach_type = _attach_type(row)
    program.section, target = row["section"], row["attach_btf"]
    if program.prog_type == "struct_ops":
        program.attach_target = f"{target}.{program.expected_attach_type}" if target else ""
        return
    found = sections.find(program.section)
    if found is not None and found.takes_extras:
        program.attach_target = program.section.removeprefix("?")[len(found.name) + 1 :]
    if target and attach_btf(program).get("attach_btf") != target:
        _attach_by_btf(program, target)


def _attach_type(row: dict[str, Any]) -> str:
    """The name; numbers are members of a struct_ops, else attach types (0 is what a program without one has)."""
    value: str = row["expected_attach_type"]
    if row["prog_type"] == "struct_ops":
        return str(ATTACH_TYPES.index(value)) if value in ATTACH_TYPES else value or "0"
    if not value.isdigit() or int(value) >= len(ATTACH_TYPES):
        return value
    return ATTACH_TYPES[int(value)] if int(value) else ""


def _attach_by_btf(program: Program, target: str) -> None:
    """Name the target, and make up the section that means it."""
    kernel = program.attach_prog is None
    prefix = _PREFIXES.get(program.expected_attach_type, ("", ""))[0] if kernel else ""
    if not target.startswith(prefix):
        kind = program.expected_attach_type
        raise RecordError(f"attach_btf: the targets of {kind} are called {prefix}…, not {target!a}")
    program.attach_target = target.removeprefix(prefix)
    sleepable = bool(program.flags & PROG_FLAGS["sleepable"])
    wanted = (program.prog_type, program.expected_attach_type, sleepable)
    rows = (r for r in sections.TABLE if r.attaches_by_btf and (r.prog_type, r.attach_type, r.sleepable) == wanted)
    row = next(rows, None)
    program.section = f"{row.name}/{program.attach_target}" if row else ""
