"""What one kernel offers: features, limits, program types, contexts, helpers.  A profile is its parent plus a delta.

The rows stand in ``data/profiles/NAME.txt``, recorded by asking the kernel (``osmia.live.record``); a file with a
``parent`` line says only what differs from it.  A version in between is made of its neighbours (``interpolate``), and a
kernel's name may be the path of a file that ``osmia profile record`` wrote.  Tables are read when they are asked for.

The program's *shape* decides what it may do: its type, its expected attach type and its target.  ``Profile.shape``
finds the row; ``Shape.ctx_access``, ``Shape.helper`` and ``Shape.returns`` answer what the verifier asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from osmia.errors import RecordError, UsageError
from osmia.kernel.features import Version, parse_version
from osmia.kernel.kfuncs import Kfunc, read_kfuncs
from osmia.kernel.profile_file import Sections, merged, read_head, read_sections, refuse
from osmia.kernel.profile_rows import (
    VERSION,
    Context,
    CtxField,
    Helper,
    MapFacts,
    helper_number,
    read_context,
    read_features,
    read_helpers,
    read_maps,
    read_numbers,
    read_version,
    read_words,
    shape_facts,
)
from osmia.kernel.types import path_of
from osmia.kernel.uapi import ATTACH_TYPES

DATA = Path(__file__).parent / "data" / "profiles"
ANY = "*"

Key = tuple[str, str, str]


@dataclass(slots=True)
class Shape:
    """One kind of program.  ``errno`` is not 0 where the kernel refuses it, with ``message`` in its log.

    ``sleepable``: "no", "may" or "must".  ``returns`` are the smallest and largest constant that R0 may hold at the
    program's end (signed), None where any will do; ``returns_by_rule`` where the target's BTF decides.
    ``btf_ctx``: the context is an array of 64-bit arguments typed by BTF; ``ctx_access`` then knows only what was
    recorded for this target (iterators, struct_ops), and nothing at all where ``ctx_by_rule`` says so.
    ``believed`` rows were not asked of the kernel but follow from its rules.
    """

    profile: Profile = field(repr=False)
    prog_type: str
    attach_type: str
    target: str
    errno: int = 0
    message: str = ""
    sleepable: str = "no"
    returns: tuple[int, int] | None = None
    returns_by_rule: bool = False
    ctx: str = ""
    helpers: str = ""
    believed: bool = False
    _seen: dict[tuple[int, int, bool], CtxField | None] = field(default_factory=dict, repr=False)

    @property
    def ctx_by_rule(self) -> bool:
        """Does only BTF know what the context holds?"""
        return self.ctx == "btf"

    @property
    def btf_ctx(self) -> bool:
        """Is the context an array of 64-bit arguments whose types come from BTF?"""
        return self.prog_type in ("tracing", "lsm", "struct_ops", "ext")

    def ctx_access(self, off: int, size: int, write: bool, signed: bool = False) -> CtxField | None:
        """The field that an access of ``size`` bytes at ``off`` reaches; None: ``invalid bpf_context access``."""
        key = off, size, write
        if key not in self._seen:
            runs = self.profile.context(self.ctx).get(("w" if write else "r", size), ())
            hit = (r.field for r in runs if r.first <= off <= r.last and (off - r.first) % r.step == 0)
            self._seen[key] = next(hit, None)
        found = self._seen[key]
        return None if found and signed and not found.signed else found

    def helper(self, number: int) -> Helper:
        """May it call the helper?

        "offered": yes; "sleepable": yes, in a sleepable program; "refused": the kernel knows it and does not allow it
        here ("helper call is not allowed in probe", may depend on the target); "unknown": ``program of this type cannot
        use helper``.  Licence and capabilities are apart: ``HelperProto.gpl_only``, ``Profile.helper_cap``.
        """
        return self.profile.helper_set(self.helpers).get(number, "unknown")


@dataclass(frozen=True, slots=True)
class Profile:
    """One kernel, by name ("6.18").  ``features`` are names of behaviours that kernels differ in (``features.txt``)."""

    name: str
    version: Version = ()
    features: frozenset[str] = frozenset()
    tables: dict[str, Any] = field(default_factory=dict)

    @property
    def head(self) -> dict[str, str]:
        """The lines before the first section: "release" is the ``uname -r`` of the kernel that was recorded."""
        found: dict[str, str] = self.tables["head"]
        return found

    @property
    def release(self) -> str:
        """The ``uname -r`` of the recorded kernel, "" where no one kernel was."""
        return self.head.get("release", "")

    @property
    def types(self) -> str:
        """The name of the kernel whose BTF goes with it (``kernel.types.types_of``)."""
        return self.interpolated or (self.name if path_of(self.name).exists() else self.head.get("parent", self.name))

    @property
    def interpolated(self) -> str:
        """The recorded kernel that this one was made of, "" where this one was recorded itself."""
        return self.head.get("interpolated", "")

    def shape(self, prog_type: str, attach_type: str = "", target: str = "") -> Shape:
        """The row of a program: names as in ``kernel.uapi``, "" for attach type 0; the member's number for struct_ops.

        ``target`` is the attach target where BTF names one: "task" of iter/task, "tcp_congestion_ops.init" (what is
        behind the point does not matter).  A shape
        that no row speaks of is refused with EINVAL and no words, as an attach type that does not fit is.
        """
        key = prog_type, attach_type or ("0" if prog_type == "struct_ops" else ATTACH_TYPES[0]), target
        made: dict[Key, Shape] = self.tables["made"]
        if key not in made:
            made[key] = self._shape(key)
        return made[key]

    def _shape(self, key: Key) -> Shape:
        kind, attach, target = key
        rows: dict[Key, str] = self.tables["shapes"]
        for attach_key in (attach, ANY):
            for target_key in (target, target.partition(".")[0], ANY):
                row = rows.get((kind, attach_key, target_key))
                if row is not None:
                    return Shape(self, *key, **shape_facts(row))
        return Shape(self, kind, attach, target, errno=22)

    def caps(self, prog_type: str) -> tuple[str, ...]:
        """The capabilities that loading the type takes beside none: of "bpf", "perfmon", "net_admin"."""
        words: dict[str, list[str]] = self.tables["caps"]
        return tuple(words.get(prog_type, ()))

    def limit(self, name: str) -> int:
        """A number of the kernel's by name; raises KeyError."""
        limits: dict[str, int] = self.tables["limits"]
        return limits[name]

    def helper_cap(self, number: int, prog_type: str) -> str:
        """The capability ("", "bpf" or "perfmon") without which a helper is unknown to programs of a type."""
        found: dict[int, list[str]] = self.tables["helper_caps"]
        cap, *free = found.get(number, [""])
        return "" if prog_type in free else cap

    @property
    def kfuncs(self) -> dict[str, Kfunc]:
        """The kernel functions that programs may call, by name."""
        if "kfuncs" not in self.tables:
            self.tables["kfuncs"] = read_kfuncs(self.sections.get("kfuncs", []))
        found: dict[str, Kfunc] = self.tables["kfuncs"]
        return found

    @property
    def maps(self) -> dict[str, MapFacts]:
        """The map types that the kernel has, by name."""
        found: dict[str, MapFacts] = self.tables["maps"]
        return found

    @property
    def sections(self) -> Sections:
        """The rows as they stand in the files, the parents' changes made."""
        found: Sections = self.tables["text"]
        return found

    def context(self, name: str) -> Context:
        """The rows of a context table by kind ("r", "w") and size."""
        made: dict[str, Context] = self.tables["contexts"]
        if name not in made:
            made[name] = read_context(self.sections.get(f"ctx {name}", []))
        return made[name]

    def helper_set(self, name: str) -> dict[int, Helper]:
        """What a named set says of each helper that it knows."""
        made: dict[str, dict[int, Helper]] = self.tables["helper_sets"]
        if name not in made:
            rows = self.sections.get(f"helpers {name}", [])
            waiting: list[str] = self.tables["waiting"]
            waiting.append(name)
            made[name] = read_helpers(rows, self._like)
            waiting.pop()
        return made[name]

    def _like(self, name: str, row: str) -> dict[int, Helper]:
        waiting: list[str] = self.tables["waiting"]
        if f"helpers {name}" not in self.sections or name in waiting:
            waiting.clear()
            refuse(row, f"like {name!r}: there is no such set of helpers, or it is built on this one")
        return self.helper_set(name)


def names() -> list[str]:
    """The kernels that there are profiles of, by version."""
    return sorted((path.stem for path in DATA.glob("*.txt")), key=parse_version)


@cache
def load(name: str) -> Profile:
    """The profile of a kernel: a recorded version, one in between, or the file of a recording.

    Raises UsageError for a kernel that nothing is known of, RecordError for a damaged file.
    """
    if (DATA / f"{name}.txt").is_file():
        return _build(name, _sections(name))
    if VERSION.fullmatch(name):
        from osmia.kernel.interpolate import sections_of

        return _build(name, sections_of(name))
    if not ("/" in name or name.endswith(".txt")):
        raise UsageError(f"no profile of a kernel {name!r}; known: {', '.join(names())}, versions between, and files")
    return checked(_build(name, _file_sections(Path(name))))


def made_of(name: str, version: str, sections: Sections) -> Profile:
    """A profile of whole sections, under the name of one of Osmia's own, whose types it shares.  Raises RecordError."""
    return _build(name, {**sections, "head": [f"version {version}"]})


def recorded(name: str) -> Sections:
    """The sections of a profile that Osmia brings along, whole."""
    return _sections(name)


def _sections(name: str) -> Sections:
    """The rows of each section, the parent's with the child's changes."""
    own = read_sections(DATA / f"{name}.txt")
    own["head"] = [*own.pop(""), *([] if name not in names() else [f"version {name}"])]
    parent = read_head(own["head"]).get("parent")
    return merged(_sections(parent) | {"head": []}, own) if parent else merged({}, own)


def _file_sections(path: Path) -> Sections:
    """The rows of a recorded file; it names one of Osmia's own profiles as its parent, or none."""
    own = read_sections(path)
    own["head"] = own.pop("")
    parent = read_head(own["head"]).get("parent")
    row = next((row for row in own["head"] if row.startswith("parent ")), "")
    if parent and parent not in names():
        refuse(row, f"its parent {parent!r} is no profile; known: {', '.join(names())}")
    if not parent and "shapes" not in own:
        raise RecordError("not a profile: it has neither a parent nor shapes of its own", file=str(path))
    made = merged(_sections(parent) | {"head": []}, own) if parent else merged({}, own)
    if "version" not in read_head(own["head"]):
        made["head"] = [*made["head"], f"version {parent or names()[-1]}"]
    if parent and read_head(made["head"])["version"] == parent:  # with what that stable tree carries
        made["features"] = [*_sections(parent).get("features", []), *own.get("features", [])]
    return made


def _build(name: str, text: Sections) -> Profile:
    tables: dict[str, Any] = {"text": text, "made": {}, "contexts": {}, "helper_sets": {}, "waiting": []}
    head = tables["head"] = read_head(text["head"])
    tables["shapes"] = {_shape_key(row): row for row in text.get("shapes", [])}
    tables["caps"] = read_words(text.get("caps", []))
    tables["maps"] = read_maps(text.get("maps", []))
    tables["limits"] = read_numbers(text.get("limits", []))
    by_cap = read_words(text.get("helper caps", []))
    tables["helper_caps"] = {helper_number(word, word): rest for word, rest in by_cap.items()}
    row = next(row for row in reversed(text["head"]) if row.startswith("version "))
    version = read_version(head["version"], row)
    return Profile(name, version, read_features(text.get("features", []), version), tables)


def _shape_key(row: str) -> Key:
    words = row.split(" ")
    if len(words) < 4:
        refuse(row, f"{row!s:.60} is no kind of program (type, attach type, target, facts)")
    return words[0], words[1], words[2]


def checked(profile: Profile) -> Profile:
    """The profile, after all of its rows have been read once.  Raises RecordError."""
    rows: dict[Key, str] = profile.tables["shapes"]
    for row in rows.values():
        facts = shape_facts(row)
        for kind in ("ctx", "helpers"):
            if kind in facts and facts[kind] != "btf" and f"{kind} {facts[kind]}" not in profile.sections:
                refuse(row, f"there is no section [{kind} {facts[kind]}]")
    for section in profile.sections:
        kind, _, name = section.partition(" ")
        if kind == "ctx":
            profile.context(name)
        elif kind == "helpers":
            profile.helper_set(name)
    for limit in ("max_insns", "max_insns_unprivileged", "max_cpus"):
        if limit not in profile.tables["limits"]:
            raise RecordError(f"it has no limit {limit}", file=profile.name)
    assert profile.kfuncs is not None
    return profile
