"""From the bytes of an object file to a Collection: what libbpf would hand to the kernel.

The steps and their order are libbpf's (bpf_object_open and bpf_object_prepare); each is a module of this room.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from osmia.btf import Btf, DeclTag, Func
from osmia.btf.core import Matcher
from osmia.btf.core_patch import patch
from osmia.errors import CoreError, InputError, LinkError
from osmia.obj import externs, fixups, globals, kconfig, mapdefs, parts, sections, structops, values
from osmia.obj.externs import Wanted
from osmia.obj.info import InfoTable
from osmia.obj.kernel_symbols import Resolution
from osmia.obj.link import Linker
from osmia.obj.model import Collection, MapSpec, Program
from osmia.obj.parts import Function, Parts, Role
from osmia.obj.relocs import Symbols

MAX_SLOTS = 1 << 23
"""Instructions of all programs of an object together: subprograms are copied into every program that calls them."""
_EXCEPTION_CALLBACK = "exception_callback:"


@dataclass(frozen=True, slots=True)
class Options:
    """What a load may be told besides the file."""

    target_btf: Btf | None = None
    name: str | None = None
    config: Mapping[str, kconfig.Value] | None = None
    kallsyms: Mapping[str, int] | None = None
    cpus: int | None = None


def load(
    data: bytes,
    *,
    path: str = "",
    target_btf: Btf | None = None,
    name: str | None = None,
    kconfig: Mapping[str, kconfig.Value] | None = None,
    kallsyms: Mapping[str, int] | None = None,
    cpus: int | None = None,
) -> Collection:
    """Link an object file.

    ``target_btf``: the kernel to fit the programs to; without it CO-RE relocations stay as compiled and kernel
    symbols are left to ``Program.externs``.  ``name`` goes into the names of data maps (default: the file's name
    up to its first dot).  ``kconfig``: values of ``__kconfig`` externs.  ``kallsyms``: addresses of untyped ksyms.
    ``cpus``: size of perf_event_array maps that give none (default: this machine's).

    Raises ElfError, BtfError, LinkError, CoreError; each names file, section and offset as far as they are known.
    """
    try:
        return _Loader(parts.collect(data, path), Options(target_btf, name, kconfig, kallsyms, cpus)).load()
    except InputError as error:
        raise error.at(file=path or None) from None


@dataclass(slots=True)
class _Loader:
    """One load: the file's parts on the way to a collection."""

    parts: Parts
    options: Options
    externs: list[Wanted] = field(default_factory=list)
    maps: list[MapSpec] = field(default_factory=list)
    operations: list[structops.Operations] = field(default_factory=list)

    def load(self) -> Collection:
        btf = self.parts.btf
        self.externs = externs.collect(self.parts)
        if btf:
            externs.rewrite_btf(btf, self.externs)
            fixups.fix_datasecs(self.parts, btf)
        symbols = self.collect_maps()
        self.apply_core()
        made = Collection(self.parts.elf.path, btf=btf, license=self.parts.license, version=self.parts.version)
        made.byteorder = self.parts.elf.byteorder
        made.maps = _by_name(self.maps)
        made.programs = {p.name: p for p in self.programs(symbols)}
        if btf:
            fixups.make_hidden_static(self.parts, btf)
        return made

    # -- maps

    def collect_maps(self) -> Symbols:
        """All maps, in libbpf's order, and what symbols mean."""
        object_name = fixups.object_name(self.parts.elf.path, self.options.name)
        declared = {**mapdefs.legacy_maps(self.parts), **mapdefs.btf_maps(self.parts)}
        values.fill_values(self.parts, declared)
        data = globals.data_maps(self.parts, object_name)
        self.operations = structops.collect(self.parts)
        symbols = Symbols(self.parts, declared, {**data, **self.arena(declared)})
        symbols.externs = {x.symbol: x for x in self.externs}
        symbols.kconfig = self.kconfig_map(object_name)
        self.maps = [*declared.values(), *data.values(), *([symbols.kconfig] if symbols.kconfig else [])]
        self.maps += [ops.spec for ops in self.operations]
        self.size_perf_arrays()
        if self.parts.ext:
            symbols.infos = InfoTable(self.parts.ext.func_info), InfoTable(self.parts.ext.line_info)
        return symbols

    def arena(self, declared: dict[tuple[int, int], MapSpec]) -> dict[int, MapSpec]:
        """The arena holds the variables of its address space."""
        found = [spec for spec in declared.values() if spec.type == "arena"]
        if len(found) > 1:
            raise self.parts.fail(f"two arenas, {found[0].name!r} and {found[1].name!r}; one is allowed", ".maps")
        homes = self.parts.with_role(Role.ARENA)
        if homes and not found:
            raise self.parts.fail("global variables of an arena, and no arena map", homes[0])
        for section in homes:
            found[0].data = self.parts.elf.contents(section)
        return {section.number: found[0] for section in homes}

    def kconfig_map(self, object_name: str) -> MapSpec | None:
        mark = self.parts.order
        data = kconfig.contents(self.externs, self.options.config, mark)
        if not data:
            return None
        name = globals.map_name(object_name, externs.KCONFIG)
        spec = globals.internal_map(self.parts.btf, name, externs.KCONFIG, len(data), read_only=True)
        spec.data = data
        return spec

    def size_perf_arrays(self) -> None:
        cpus = self.options.cpus or os.cpu_count() or 1
        for spec in (s for m in self.maps for s in (m, m.inner) if s):
            if spec.type == "perf_event_array" and not spec.max_entries:
                spec.max_entries = cpus

    # -- code

    def apply_core(self) -> None:
        """CO-RE relocations, where there is a target."""
        target, local, ext = self.options.target_btf, self.parts.btf, self.parts.ext
        if target is None or local is None or ext is None:
            return
        matcher = Matcher(local, target)
        numbers = {s.name: s.number for s in reversed(self.parts.elf.sections)}
        for section, relos in ext.core_relos.items():
            for relo in relos:
                function = self.parts.function_at(numbers.get(section, -1), relo.insn_off // 8)
                if function is None:
                    continue  # of a weak function that lost
                slot = relo.insn_off // 8 - function.start
                try:
                    result = patch(function.insns, slot, matcher.resolve(relo))
                except CoreError as error:
                    raise error.at(section=section, offset=relo.insn_off) from None
                if result.poison:
                    function.poisoned[slot] = str(result)

    def programs(self, symbols: Symbols) -> Iterator[Program]:
        """Every program, linked."""
        kernel = Resolution(self.externs, self.parts.btf, self.options.target_btf, self.options.kallsyms)
        attachments = structops.attach(self.parts, self.operations, self.options.target_btf)
        callbacks, room = dict(self.exception_callbacks()), MAX_SLOTS
        for function in self.parts.functions:
            if self.parts.is_subprog(function):
                continue
            program = self.describe(function, attachments.get(function))
            also = [callbacks[function]] if function in callbacks else []
            try:
                Linker(symbols, self.maps, kernel, room).link(function, program, also)
            except LinkError:
                if program.autoload:
                    raise  # libbpf does not look at what it is not to load: it stays as it is in the file
            room -= len(program.insns)
            yield program

    def describe(self, function: Function, attachment: structops.Attachment | None) -> Program:
        """All that is known of a program without linking it."""
        section = function.section.name
        row = sections.find(section)
        if row is None and not section.startswith("?"):
            raise sections.unknown(section).at(file=self.parts.elf.path or None, offset=function.start * 8)
        program = Program(function.name, row.prog_type if row else "unspec", list(function.insns))
        program.section, program.autoload = section.removeprefix("?"), not section.startswith("?")
        program.license, program.kern_version, program.btf = self.parts.license, self.parts.version, self.parts.btf
        if row:
            program.expected_attach_type, program.flags = row.attach_type, row.flags
            program.attach_target = program.section[len(row.name) + 1 :]
        if program.prog_type == "struct_ops":
            self.describe_operation(function, program, attachment)
        return program

    def describe_operation(
        self, function: Function, program: Program, attachment: structops.Attachment | None
    ) -> None:
        users = [ops for ops in self.operations if function in ops.functions.values()]
        if users:
            program.autoload = attachment is not None and any(ops.spec.autocreate for ops in users)
        if attachment:
            program.attach_target, program.expected_attach_type = attachment.target, str(attachment.member)

    def exception_callbacks(self) -> Iterator[tuple[Function, Function]]:
        """Programs whose declaration tag ``exception_callback:name`` names a subprogram to append."""
        btf = self.parts.btf
        tags = [t for _, t in btf if isinstance(t, DeclTag) and t.name.startswith(_EXCEPTION_CALLBACK)] if btf else []
        visible = {f.name: f for f in self.parts.functions if f.is_global} if tags else {}
        for tag in tags:
            func = btf.type(tag.type_id) if btf else None
            main = visible.get(func.name) if isinstance(func, Func) else None
            callback = visible.get(tag.name.removeprefix(_EXCEPTION_CALLBACK))
            if callback and (callback.hidden or not self.parts.is_subprog(callback)):
                callback = None
            if main is None or callback is None:
                raise self.parts.fail(f"{tag.name!r} names no global, visible subprogram", ".BTF")
            yield main, callback


def _by_name(maps: list[MapSpec]) -> dict[str, MapSpec]:
    """By name; names of data maps are cut to 15 bytes, and where two are equal the section's name tells them apart."""
    found: dict[str, MapSpec] = {}
    for spec in maps:
        found[spec.name if spec.name not in found else f"{spec.name} ({spec.section})"] = spec
    return found
