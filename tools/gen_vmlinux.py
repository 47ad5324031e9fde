"""Write our vmlinux.h and the same types as BTF, from a kernel's BTF and the list in tools/vmlinux_types.txt.

    python tools/gen_vmlinux.py [--btf /sys/kernel/btf/vmlinux]

Structs keep the size and the offsets of that kernel; members that the list leaves out become padding in C, and
simply are not there in the BTF.  Writes src/osmia/kernel/data/types.btf.xz, and under src/osmia/cc/include
``osmia/uapi.h`` and ``osmia/kernel.h`` (which ``vmlinux.h`` includes).
"""

from __future__ import annotations

import argparse
import lzma
import platform
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from osmia.btf import Btf
from osmia.btf import types as t
from osmia.btf.c_dump import Dumper
from osmia.btf.layout import align_of
from osmia.errors import BtfError

ROOT = Path(__file__).parent.parent
LIST = ROOT / "tools/vmlinux_types.txt"
DATA = ROOT / "src/osmia/kernel/data/types.btf.xz"
INCLUDE = ROOT / "src/osmia/cc/include/osmia"
NAMED = (t.Struct, t.Union, t.Enum, t.Enum64, t.Typedef)
Selection = dict[str, frozenset[str] | None]  # name: members, None for all of them


def read_list(text: str) -> dict[str, Selection]:
    """The list by layer ("uapi", "kernel"); an anonymous enum is "with NAME"."""
    layers: dict[str, Selection] = {}
    chosen: Selection = {}
    for line in (raw.partition("#")[0].strip() for raw in text.splitlines()):
        if line.startswith("["):
            chosen = layers[line.strip("[]")] = {}
        elif line.startswith("with "):
            chosen[line] = None
        elif ":" in line:
            name, _, members = line.partition(":")
            chosen[name] = frozenset(members.split())
        else:
            chosen.update(dict.fromkeys(line.split()))
    return layers


class Trimmer:
    """Copies the selected types of one BTF into another."""

    def __init__(self, source: Btf, wanted: Selection) -> None:
        self.source, self.wanted = source, wanted
        self.made = Btf()
        self.ids: dict[tuple[int, bool], int] = {(0, False): 0, (0, True): 0}
        self.missing: list[str] = []
        self.loose: set[int] = set()  # nameless enums, which nothing refers to

    def take(self, selection: Selection) -> None:
        """Copy each type of that selection, with what it embeds."""
        for name in selection:
            found = self._enum_with(name[5:]) if name.startswith("with ") else self._find(name)
            if not found:
                self.missing.append(name)
            copies = [self.copy(type_id) for type_id in found]
            if name.startswith("with "):
                self.loose.update(copies)

    def _find(self, name: str) -> list[int]:
        """The struct, union or enum of that name, and the typedef; the first where there are several."""
        tags = list(self.source.find_all(name, t.Struct, t.Union, t.Enum, t.Enum64))[:1]
        return tags + list(self.source.find_all(name, t.Typedef))[:1]

    def _enum_with(self, value: str) -> list[int]:
        for i, found in self.source:
            if isinstance(found, t.Enum | t.Enum64) and not found.name and any(v.name == value for v in found.values):
                return [i]
        return []

    def copy(self, type_id: int, behind_pointer: bool = False) -> int:
        """The id of the copy; behind a pointer, a struct that is not selected is only declared."""
        found = self.source.type(type_id)
        if found.name and isinstance(found, NAMED):
            type_id = self._first_like(type_id, found)
            found = self.source.type(type_id)
        shallow = behind_pointer and not self._whole(found)
        key = (type_id, shallow)
        if key not in self.ids:
            self.ids[key] = self._copied(type_id, found, shallow)
        return self.ids[key]

    def _first_like(self, type_id: int, found: t.Type) -> int:
        """A kernel has some types several times: the first of that name, kind and size."""
        size = _size(self.source, type_id)
        same = self.source.find_all(found.name, type(found))
        return next(i for i in same if _size(self.source, i) == size)

    def _whole(self, found: t.Type) -> bool:
        """Whether a type is copied as a whole even behind a pointer."""
        if isinstance(found, t.Struct | t.Union):
            return found.name in self.wanted
        return not isinstance(found, t.Const | t.Volatile | t.Restrict | t.TypeTag)

    def _copied(self, type_id: int, found: t.Type, shallow: bool) -> int:
        add = self.made.add
        if isinstance(found, t.Struct | t.Union):
            return self._composite(type_id, found, shallow)
        if isinstance(found, t.Array):
            return add(t.Array(self.copy(found.type_id), self.copy(found.index_type_id), found.nelems))
        if isinstance(found, t.Ptr):
            return add(t.Ptr(self.copy(found.type_id, behind_pointer=True)))
        if isinstance(found, t.TypeTag):  # __user, __rcu, __percpu: clang would need an attribute for them
            return self.copy(found.type_id, shallow)
        if isinstance(found, t.Typedef):
            made = self.ids[type_id, False] = add(replace(found, type_id=0))  # what it leads to may lead back
            self.made.replace(made, replace(found, type_id=self.copy(found.type_id)))
            return made
        if isinstance(found, t.Const | t.Volatile | t.Restrict):
            return add(replace(found, type_id=self.copy(found.type_id, shallow)))
        if isinstance(found, t.FuncProto):
            params = tuple(t.Param("", self.copy(p.type_id, behind_pointer=True)) for p in found.params)
            return add(t.FuncProto(self.copy(found.type_id, behind_pointer=True), params))
        return add(found)

    def _composite(self, type_id: int, found: t.Struct | t.Union, shallow: bool) -> int:
        if shallow and found.name:
            return self.made.add(t.Fwd(found.name, isinstance(found, t.Union)))
        if found.name and found.name not in self.wanted:
            return self.made.add(self._opaque(type_id, found))
        if not found.name and shallow:
            return self.made.add(self._opaque(type_id, found))
        return self._with_members(type_id, found, self.wanted.get(found.name) if found.name else None)

    def _opaque(self, type_id: int, found: t.Struct | t.Union) -> t.Type:
        """The same size and alignment with nothing to see."""
        align = align_of(self.source, type_id)
        word = {1: "unsigned char", 2: "unsigned short", 4: "unsigned int"}.get(align, "unsigned long long")
        unit = self.made.add(t.Int(word, min(align, 8)))
        count = found.size // min(align, 8)
        inside = self.made.add(t.Array(unit, self.made.add(t.Int("unsigned int", 4)), count))
        return replace(found, members=(t.Member("__opaque", inside, 0),) if count else (), kind_flag=False)

    def _with_members(self, type_id: int, found: t.Struct | t.Union, keep: frozenset[str] | None) -> int:
        made = self.made.add(replace(found, members=()))
        self.ids[type_id, False] = made  # pointers back to it find it
        members = [m for run in _runs(found.members) if (m := self._kept(run, keep))]
        flat = tuple(m for run in members for m in run)
        self.made.replace(made, replace(found, members=flat))
        return made

    def _kept(self, run: list[t.Member], keep: frozenset[str] | None) -> list[t.Member]:
        """The copies of a run of members (bitfields side by side stay together) that are wanted."""
        if keep is not None and not any(m.name in keep for m in run if m.name):
            return [m for old in run if not old.name for m in self._inside(old, keep)]
        kept = [m for m in run if not m.name.startswith("__cacheline_group")]
        return [m._replace(type_id=self.copy(m.type_id)) for m in kept]

    def _inside(self, member: t.Member, keep: frozenset[str]) -> list[t.Member]:
        """An anonymous member reduced to what is wanted of it, or nothing."""
        inner = self.source.type(self.source.resolve(member.type_id))
        if not isinstance(inner, t.Struct | t.Union):
            return []
        members = tuple(m for run in _runs(inner.members) for m in self._kept(run, keep))
        if not members:
            return []
        return [member._replace(type_id=self.made.add(replace(inner, members=members)))]


def _size(btf: Btf, type_id: int) -> int:
    try:
        return btf.size_of(type_id)
    except BtfError:  # void, functions
        return -1


def _runs(members: tuple[t.Member, ...]) -> Iterator[list[t.Member]]:
    """Members one by one, bitfields that touch as one run."""
    run: list[t.Member] = []
    for m in members:
        touches = run and m.bitfield_size and run[-1].bit_offset + run[-1].bitfield_size == m.bit_offset
        if run and not touches:
            yield run
            run = []
        run.append(m)
    if run:
        yield run


OPERATIONS = {"tcp_congestion_ops"}
"""Structs that programs fill in.  Loaders look each of their named members up in the kernel, so gaps stay nameless."""


def padded(btf: Btf) -> Btf:
    """A copy in which byte arrays fill the larger gaps, so that C shows one line for each."""
    made = btf.copy()
    byte, index = made.add(t.Int("unsigned char", 1)), made.add(t.Int("unsigned int", 4))
    for type_id, found in list(btf):
        if isinstance(found, t.Struct) and found.members:
            members = tuple(_filled(made, found, "" if found.name else f"{type_id}_", byte, index))
            made.replace(type_id, replace(found, members=members))
    return made


def _filled(btf: Btf, found: t.Struct, mark: str, byte: int, index: int) -> Iterator[t.Member]:
    at = 0
    for m in (*found.members, t.Member("", 0, found.size * 8)):
        start, gap = -(-at // 8), m.bit_offset // 8 - -(-at // 8)
        if gap >= 8 and found.name not in OPERATIONS:
            yield t.Member(f"__pad_{mark}{start}", btf.add(t.Array(byte, index, gap)), start * 8)
        if m.type_id:
            yield m
            at = m.bit_offset + (m.bitfield_size or 8 * btf.size_of(m.type_id))


UAPI_HEAD = """\
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface's own types and numbers: contexts, helper structs, packet headers.
 * Written by tools/gen_vmlinux.py from the BTF of Linux {release}: do not edit.
 */
#pragma once

/* A vmlinux.h made from a whole kernel has all of this. */
#ifdef OSMIA_VMLINUX
#include <vmlinux.h>
#endif
#ifndef __VMLINUX_H__

"""
ARM64 = """\
#ifdef __TARGET_ARCH_arm64
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};

struct pt_regs {
	union {
		struct user_pt_regs user_regs;
		struct {
			u64 regs[31];
			u64 sp;
			u64 pc;
			u64 pstate;
		};
	};
	u64 orig_x0;
	s32 syscallno;
};

typedef struct user_pt_regs bpf_user_pt_regs_t;
#else
"""
KERNEL_HEAD = """\
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common types of the kernel's inside, with the sizes and offsets of Linux {release} (x86-64); `__pad_N` stands for
 * what is left out at byte N.  Written by tools/gen_vmlinux.py: do not edit.
 */
#pragma once

#include <osmia/uapi.h>
#ifndef __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

"""
KERNEL_TAIL = """
#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif
#endif
"""


def generate(source: Btf, release: str) -> tuple[Btf, str, str, list[str]]:
    """The trimmed BTF, the two headers, and the names that this kernel does not have."""
    layers = read_list(LIST.read_text())
    trimmer = Trimmer(source, layers["uapi"] | layers["kernel"])
    trimmer.take(layers["uapi"])
    stable = len(trimmer.made)
    trimmer.take(layers["kernel"])
    writer = Dumper(padded(trimmer.made))
    parts = [_text(writer, ids, trimmer.loose) for ids in (range(1, stable), range(stable, len(trimmer.made)))]
    uapi = UAPI_HEAD.format(release=release) + _with_arm64(parts[0]) + "\n#endif\n"
    return trimmer.made, uapi, KERNEL_HEAD.format(release=release) + parts[1] + KERNEL_TAIL, trimmer.missing


def _with_arm64(text: str) -> str:
    """The registers are the one stable type that differs by machine: x86-64's are the BTF's, arm64's are above."""
    start = text.index("struct pt_regs;\n")
    end = text.index("\n};\n", text.index("struct pt_regs {")) + 4
    return text[:start] + ARM64 + text[start:end] + "#endif\n" + text[end:]


def _text(writer: Dumper, ids: range, loose: set[int]) -> str:
    """C of the types in that range that are not written yet, and the loose enums among them."""
    btf = writer.btf
    parts: list[str] = []
    for i in ids:
        found = btf.type(i)
        if i in loose:
            parts.append(writer.bodies.definition(i) + ";\n")
        elif isinstance(found, NAMED) and found.name:
            parts += writer.write((i, True))
    return "\n".join(parts)


def release_of(path: Path) -> str:
    """The kernel's version for the headers' remarks: the running one's where its own BTF is read."""
    return platform.release().partition("-")[0] if str(path).startswith("/sys/") else "an unnamed kernel"


def main() -> int:
    """Write or check the three files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--btf", type=Path, default=Path("/sys/kernel/btf/vmlinux"))
    parser.add_argument("--release", help="the kernel's version, for the remarks in the headers")
    options = parser.parse_args()
    source = Btf.parse(options.btf.read_bytes())
    release = options.release or release_of(options.btf)
    btf, uapi, kernel, missing = generate(source, release)
    print(*(f"not in this kernel: {m}" for m in missing), sep="\n", file=sys.stderr)
    INCLUDE.mkdir(parents=True, exist_ok=True)
    DATA.write_bytes(lzma.compress(btf.encode(), preset=9 | lzma.PRESET_EXTREME))
    (INCLUDE / "uapi.h").write_text(uapi)
    (INCLUDE / "kernel.h").write_text(kernel)
    return 0


if __name__ == "__main__":
    sys.exit(main())
