"""BTF as a C header: declarations in an order that a compiler accepts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from osmia.btf import types as t
from osmia.btf.c_body import Bodies
from osmia.btf.c_names import VA_LIST, Names, all_ids, declare, is_builtin, standard_int
from osmia.btf.model import Btf
from osmia.btf.refs import references
from osmia.errors import BtfError

Need = tuple[int, bool]
"""A type id, and whether its definition is needed (else a declaration of the tag will do)."""

HEAD = """\
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif
"""
TAIL = """\
#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
"""
KFUNC_HEAD = """\
#ifndef BPF_NO_KFUNC_PROTOTYPES
#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

#ifndef __weak
#define __weak __attribute__((weak))
#endif
"""


def dump_c(btf: Btf, roots: Iterable[int] | None = None, *, header: bool = True) -> str:
    """C source with the types ``roots`` and all that they need; without roots, every type of the table.

    With ``header`` it is a file of its own as a CO-RE program includes it: include guard, the
    preserve_access_index pragma, and (for a whole table) the prototypes of kfuncs.
    Raises BtfError when the types contain one another without end.
    """
    writer = Dumper(btf)
    body = "\n".join(writer.all() if roots is None else writer.some(roots))
    kfuncs = "\n".join(_kfuncs(writer)) if roots is None and header else ""
    return "\n".join([HEAD, body, TAIL.replace("\n#endif /*", kfuncs + "\n#endif /*")]) if header else body


class Dumper:
    """Writes each type once, after what it needs."""

    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self.names = Names(btf)
        self.bodies = Bodies(self.names)
        self._done: set[Need] = set()

    def all(self) -> Iterator[str]:
        """Every type that has a name, and the constants of nameless enums that nothing refers to."""
        anonymous = set[int]()
        for type_id in all_ids(self.btf, t.Struct, t.Union, t.Enum, t.Enum64, t.Typedef, t.Fwd):
            found = self.btf.type(type_id)
            if found.name:
                yield from self.write((type_id, True))
            elif isinstance(found, t.AnyEnum):
                anonymous.add(type_id)
        if anonymous:
            used = set(_references(self.btf))
            yield from (self.bodies.definition(i) + ";\n" for i in sorted(anonymous - used))

    def some(self, roots: Iterable[int]) -> Iterator[str]:
        """The given types after what they need."""
        for root in roots:
            for need in self._needs_of(root, True):
                yield from self.write(need)
            found = self.btf.type(root)
            if isinstance(found, t.AnyEnum | t.Composite) and not found.name:
                yield self.bodies.definition(root) + ";\n"
            elif isinstance(found, t.Func | t.Var):
                yield declare(self.names, found.type_id, found.name, self.bodies.definition) + ";\n"

    def write(self, need: Need) -> Iterator[str]:
        """One type after its needs; nothing when it was written already.  An explicit stack: kernels nest deep."""
        if need in self._done:
            return
        todo, open_now = [(need, self._needs(need))], {need}
        while todo:
            need, needs = todo[-1]
            missing = next((n for n in needs if n not in self._done), None)
            if missing is None:
                todo.pop()
                open_now.discard(need)
                yield from self._emit(need)
            elif missing not in open_now:
                todo.append((missing, self._needs(missing)))
                open_now.add(missing)
            else:
                raise BtfError(f"type {missing[0]} ({self.btf.type(missing[0]).name}) contains itself")

    def _needs(self, need: Need) -> Iterator[Need]:
        type_id, full = need
        found = self.btf.type(type_id)
        if isinstance(found, t.Typedef):
            yield from self._needs_of(found.type_id, False)
        elif isinstance(found, t.Composite) and full:
            for m in found.members:
                yield from (n for n in self._needs_of(m.type_id, True) if n != (type_id, False))

    def _needs_of(self, type_id: int, full: bool) -> Iterator[Need]:
        """What must be written before a use of the type; ``full``: the use needs its size."""
        todo, seen = [(type_id, full)], set[Need]()
        while todo:
            need = todo.pop()
            if need not in seen:
                seen.add(need)
                yield from self._look(need, todo)

    def _look(self, need: Need, todo: list[Need]) -> Iterator[Need]:
        """One step of ``_needs_of``: types that have a name of their own are needs, the others lead on."""
        type_id, full = need
        found = self.btf.type(type_id)
        if isinstance(found, t.Typedef):
            yield type_id, True
            if full or found.name == VA_LIST:
                todo.append((found.type_id, True))
        elif isinstance(found, t.MODIFIERS):
            todo.append((found.type_id, full))
        elif isinstance(found, t.Composite) and found.name:
            yield type_id, full
        elif isinstance(found, t.AnyEnum | t.Fwd | t.Int | t.Float) and found.name:
            yield type_id, True
        else:
            whole = not isinstance(found, t.Ptr | t.FuncProto)
            todo += [(i, whole) for i in reversed(_parts(found))]

    def _emit(self, need: Need) -> Iterator[str]:
        self._done.add(need)
        type_id, full = need
        found = self.btf.type(type_id)
        if isinstance(found, t.Typedef):
            if found.name != VA_LIST:
                yield f"typedef {declare(self.names, found.type_id, self.names[type_id], self.bodies.definition)};\n"
        elif isinstance(found, t.Int | t.Float):
            if not is_builtin(found.name):
                yield f"typedef {standard_int(found)} {self.names[type_id]};\n"
        elif isinstance(found, t.Fwd) or not full:
            yield f"{self.names.spell(type_id)};\n"
        else:
            self._done.add((type_id, False))
            yield self.bodies.definition(type_id) + ";\n"


def _parts(found: t.Type) -> tuple[int, ...]:
    """The types that a nameless type is written with; an array's index type is not."""
    return (found.type_id,) if isinstance(found, t.Array) else references(found)


def _references(btf: Btf) -> Iterator[int]:
    """Every type id that some type of the table refers to."""
    users = [k for k in t.KINDS if k not in (t.Void, t.Int, t.Enum, t.Enum64, t.Fwd, t.Float, t.Func)]
    for type_id in all_ids(btf, *users):
        yield from references(btf.type(type_id))


def _kfuncs(writer: Dumper) -> Iterator[str]:
    """Prototypes of the functions that the kernel tagged as kfuncs."""
    btf = writer.btf
    tagged = {btf.type(i).type_id for i in btf.find_all("bpf_kfunc", t.DeclTag)}  # type: ignore[attr-defined]
    rows = sorted((btf.type(i).name, i) for i in tagged)
    if not rows:
        return
    yield KFUNC_HEAD
    for name, type_id in rows:
        for need in writer._needs_of(type_id, False):
            yield from writer.write(need)
        proto = btf.type(type_id)
        if isinstance(proto, t.Func):
            yield f"extern {declare(writer.names, proto.type_id, name, writer.bodies.definition)} __weak __ksym;"
    yield "#endif\n"
