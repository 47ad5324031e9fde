"""What one kernel offers: features, limits, program types, contexts, helpers.  A profile is its parent plus a delta.

The rows stand in ``data/profiles/NAME.txt``, recorded from a running kernel by ``tools/record_profile.py``; a file with
a ``parent`` line says only what differs from it, one with a ``version`` line is not named by its version.  Tables are
read when they are asked for.

The program's *shape* decides what it may do: its type, its expected attach type and its target.  ``Profile.shape``
finds the row; ``Shape.ctx_access``, ``Shape.helper`` and ``Shape.returns`` answer what the verifier asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from osmia.errors import InternalError, UsageError
from osmia.kernel.features import Version, changed, features_of, parse_version
from osmia.kernel.helpers import helper_by_id
from osmia.kernel.kfuncs import Kfunc, read_kfuncs
from osmia.kernel.uapi import ATTACH_TYPES

DATA = Path(__file__).parent / "data" / "profiles"
ANY = "*"

Helper = Literal["offered", "sleepable", "refused", "unknown"]
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class CtxField:
    """What one load or store of the context means.

    ``type`` is the register type after a load in the kernel's names (``"PTR_TO_SOCKET | PTR_MAYBE_NULL"``), with the
    struct in ``btf`` where it is ``PTR_TO_BTF_ID``.  ``signed`` loads may extend the sign.  ``cap`` names a capability
    without which the access is refused ("bpf"), or is empty.
    """

    type: str
    btf: str = ""
    signed: bool = True
    cap: str = ""


@dataclass(frozen=True, slots=True)
class _Run:
    first: int
    last: int
    step: int
    field: CtxField


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
    def release(self) -> str:
        """The ``uname -r`` of the recorded kernel, "" where no one kernel was."""
        head: dict[str, str] = self.tables["head"]
        return head.get("release", "")

    @property
    def types(self) -> str:
        """The name of the kernel whose BTF is shipped for this one (``kernel.types.types_of``)."""
        return self.name

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
                    return _parse_shape(self, key, row)
        return Shape(self, kind, attach, target, errno=22)

    def caps(self, prog_type: str) -> tuple[str, ...]:
        """The capabilities that loading the type takes beside none: of "bpf", "perfmon", "net_admin"."""
        words: dict[str, str] = self.tables["caps"]
        return tuple(words.get(prog_type, "").split())

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
            self.tables["kfuncs"] = read_kfuncs(f"{name} {rest}" for (name,), rest in self.tables["kfunc rows"].items())
        found: dict[str, Kfunc] = self.tables["kfuncs"]
        return found

    def context(self, name: str) -> dict[tuple[str, int], list[_Run]]:
        """The rows of a context table by kind ("r", "w") and size."""
        made: dict[str, dict[tuple[str, int], list[_Run]]] = self.tables["contexts"]
        if name not in made:
            made[name] = _parse_context(self.tables["text"].get(f"ctx {name}", []))
        return made[name]

    def helper_set(self, name: str) -> dict[int, Helper]:
        """What a named set says of each helper that it knows."""
        made: dict[str, dict[int, Helper]] = self.tables["helper_sets"]
        if name not in made:
            lines: list[str] | None = self.tables["text"].get(f"helpers {name}")
            made[name] = self._parse_helpers(lines) if lines is not None else {}
        return made[name]

    def _parse_helpers(self, lines: list[str]) -> dict[int, Helper]:
        found: dict[int, Helper] = {}
        for line in lines:
            sign, _, words = line.partition(" ")
            if sign == "like":
                found |= self.helper_set(words)
            for word in words.split() if sign in "+-!" else ():
                number = _helper_id(word)
                found.pop(number, None)
                if sign != "-":
                    found[number] = "refused" if sign == "!" else _offered(number)
        return found


def _offered(number: int) -> Helper:
    return "sleepable" if helper_by_id(number).might_sleep else "offered"


@cache
def _helper_ids() -> dict[str, int]:
    from osmia.kernel.helpers import HELPERS

    return {h.name.removeprefix("bpf_"): h.id for h in HELPERS}


def _helper_id(name: str) -> int:
    return _helper_ids()[name]


def _parse_shape(profile: Profile, key: Key, row: str) -> Shape:
    shape = Shape(profile, *key)
    row, _, shape.message = row.partition(" message=")
    for word in row.split():
        name, _, value = word.partition("=")
        if name in ("ctx", "helpers", "sleepable"):
            setattr(shape, name, value)
        elif name == "errno":
            shape.errno = int(value)
        elif name == "believed":
            shape.believed = True
        elif name == "returns" and value == "rule":
            shape.returns_by_rule = True
        elif name == "returns":
            low, _, high = value.partition("..")
            shape.returns = int(low), int(high)
        else:
            raise InternalError(f"profile {profile.name}: {row!r} has an unknown word {word!r}")
    return shape


def _parse_context(lines: list[str]) -> dict[tuple[str, int], list[_Run]]:
    """Lines such as ``r 4 0..68+4 SCALAR_VALUE``, ``r 8 184 PTR_TO_SOCKET|PTR_MAYBE_NULL``, ``w 4 8 cap=bpf``."""
    found: dict[tuple[str, int], list[_Run]] = {}
    for line in lines:
        kind, size, places, *words = line.split()
        cap = next((w.removeprefix("cap=") for w in words if w.startswith("cap=")), "")
        names = [w for w in words if w != "unsigned" and not w.startswith("cap=")] + ["", ""]
        made = CtxField(names[0].replace("|", " | "), names[1], "unsigned" not in words, cap)
        span, _, step = places.partition("+")
        first, _, last = span.partition("..")
        found.setdefault((kind, int(size)), []).append(_Run(int(first), int(last or first), int(step or 1), made))
    return found


@cache
def load(name: str) -> Profile:
    """The profile of that name; raises UsageError."""
    if not (DATA / f"{name}.txt").is_file():
        raise UsageError(f"no profile of a kernel {name!r}; known: {', '.join(names())}")
    return _build(name, _sections(name))


def names() -> list[str]:
    """The kernels that there are profiles of."""
    return sorted(path.stem for path in DATA.glob("*.txt"))


def _sections(name: str) -> dict[str, list[str]]:
    """The lines of each section, the parent's with the child's changes."""
    own = read_sections(DATA / f"{name}.txt")
    own["head"] = own.pop("")
    head = dict(line.split(" ", 1) for line in own["head"])
    if "parent" not in head:
        return own
    merged = _sections(head["parent"])
    merged.pop("features", None)
    for section, lines in own.items():
        merged[section] = lines if section == "head" else _changed(merged.get(section, []), lines, section)
    return merged


def _changed(parent: list[str], lines: list[str], section: str) -> list[str]:
    """A parent's section with a child's changes: ``new`` starts over, ``-line`` takes a line of a context away."""
    if lines[:1] == ["new"]:
        return lines[1:]
    if section.startswith("ctx "):
        gone = {line[1:] for line in lines if line.startswith("-")}
        return [line for line in parent if line not in gone] + [line for line in lines if not line.startswith("-")]
    return parent + lines


def read_sections(path: Path) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {"": []}
    lines = sections[""]
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            lines = sections[line[1:-1]] = []
        elif line and not line.startswith("#"):
            lines.append(line)
    return sections


def _keyed(lines: list[str], width: int) -> dict[tuple[str, ...], str]:
    """Rows by their first words; a row whose words are preceded by ``-`` takes one of the parent's away."""
    rows: dict[tuple[str, ...], str] = {}
    for line in lines:
        *key, rest = [*line.split(" ", width), *[""] * width][: width + 1]
        if key[0].startswith("-"):
            rows.pop((key[0][1:], *key[1:]), None)
        else:
            rows[tuple(key)] = rest
    return rows


def _build(name: str, text: dict[str, list[str]]) -> Profile:
    tables: dict[str, Any] = {"text": text, "made": {}, "contexts": {}, "helper_sets": {}}
    tables["shapes"] = _keyed(text.get("shapes", []), 3)
    tables["caps"] = {kind: rest for (kind,), rest in _keyed(text.get("caps", []), 1).items()}
    tables["limits"] = {key: int(rest) for (key,), rest in _keyed(text.get("limits", []), 1).items()}
    tables["kfunc rows"] = _keyed(text.get("kfuncs", []), 1)
    by_cap = _keyed(text.get("helper caps", []), 1)
    tables["helper_caps"] = {_helper_id(word): rest.split() for (word,), rest in by_cap.items()}
    head = tables["head"] = dict(line.split(" ", 1) for line in text["head"])
    version = parse_version(head.get("version", name))
    return Profile(name, version, changed(features_of(version), text.get("features", [])), tables)
