"""Two kernels side by side: what one has that the other has not, sorted by what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from osmia.kernel.helpers import HELPERS
from osmia.kernel.profile import Profile, Shape

ANY = "*"


@dataclass(slots=True)
class Group:
    """One subject: what came, what went, what changed, each as a sentence or a name."""

    title: str
    came: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.came) + len(self.gone) + len(self.changed)


def compare(a: Profile, b: Profile) -> list[Group]:
    """What leads from one kernel to the other, subjects without a difference left out."""
    groups = [
        _named("behaviours", a.features, b.features),
        _valued("limits", a.tables["limits"], b.tables["limits"]),
        _kinds(a, b),
        _valued("capabilities", _words(a.tables["caps"]), _words(b.tables["caps"])),
        _named("helpers", _offered(a), _offered(b)),
        *_by_type(a, b),
        _named("kernel functions", set(a.kfuncs), set(b.kfuncs)),
        _kfuncs(a, b),
        _valued("map types", _maps(a), _maps(b)),
    ]
    return [group for group in groups if len(group)]


def shapes(profile: Profile) -> dict[str, Shape]:
    """Every kind of program that the kernel takes, by its words: ``xdp``, ``tracing/trace_iter/task``."""
    found = {}
    for kind, attach, target in profile.tables["shapes"]:
        shape = profile.shape(kind, "" if attach == ANY else attach, "" if target == ANY else target)
        if not shape.errno:
            found["/".join(word for word in (kind, attach, target) if word != ANY)] = shape
    return found


def helpers(shape: Shape) -> set[str]:
    """The names of the helpers that a kind of program may call."""
    return {h.name.removeprefix("bpf_") for h in HELPERS if shape.helper(h.id) in ("offered", "sleepable")}


def fields(shape: Shape) -> dict[str, str]:
    """The context: what may be read or written, and what a load gives."""
    found = {}
    for (kind, size), runs in sorted(shape.profile.context(shape.ctx).items()):
        for run in runs:
            for off in range(run.first, min(run.last, run.first + 4096) + 1, run.step):
                what = run.field
                found[f"{kind}{8 * size} at {off}"] = " ".join(x for x in (what.type, what.btf, what.cap) if x)
    return found


def _named(title: str, old: set[str] | frozenset[str], new: set[str] | frozenset[str]) -> Group:
    return Group(title, sorted(new - old), sorted(old - new))


def _valued(title: str, old: dict[str, str], new: dict[str, str]) -> Group:
    group = _named(title, set(old), set(new))
    group.came = [f"{name} {new[name]}".strip() for name in group.came]
    group.changed = [f"{k}: {old[k]} → {new[k]}" for k in sorted(old) if k in new and old[k] != new[k]]
    return group


def _words(rows: dict[str, list[str]]) -> dict[str, str]:
    return {name: " ".join(words) for name, words in rows.items()}


def _maps(profile: Profile) -> dict[str, str]:
    return {name: words for name, _, words in (row.partition(" ") for row in profile.sections.get("maps", []))}


def _kinds(a: Profile, b: Profile) -> Group:
    old, new = shapes(a), shapes(b)
    group = _named("kinds of programs", set(old), set(new))
    for name in sorted(set(old) & set(new)):
        was, now = old[name], new[name]
        said = [("sleepable", was.sleepable, now.sleepable), ("returns", _range(was), _range(now))]
        group.changed += [f"{name}: {what} {x} → {y}" for what, x, y in said if x != y]
    return group


def _range(shape: Shape) -> str:
    if shape.returns_by_rule:
        return "what the target says"
    return "{}..{}".format(*shape.returns) if shape.returns else "anything"


def _offered(profile: Profile) -> set[str]:
    return set().union(*(helpers(shape) for shape in shapes(profile).values()))


def _by_type(a: Profile, b: Profile) -> Iterator[Group]:
    """Helpers that both kernels have and one offers to a kind of program; fields of contexts.  Equal ones together."""
    old, new = shapes(a), shapes(b)
    both = _offered(a) & _offered(b)
    offered: dict[str, dict[str, list[str]]] = {"came": {}, "gone": {}, "changed": {}}
    context: dict[str, dict[str, list[str]]] = {"came": {}, "gone": {}, "changed": {}}
    for name in sorted(set(old) & set(new)):
        was, now = helpers(old[name]) & both, helpers(new[name]) & both
        for what, words in (("came", now - was), ("gone", was - now)):
            offered[what].setdefault(" ".join(sorted(words)), []).append(name)
        if not (old[name].ctx_by_rule or new[name].ctx_by_rule):
            told = _valued(name, fields(old[name]), fields(new[name]))
            for what in context:
                context[what].setdefault(_few(getattr(told, what)), []).append(name)
    for title, found in (("helpers offered", offered), ("contexts", context)):
        rows = {
            what: [f"{_few(kinds)}: {text}" for text, kinds in each.items() if text] for what, each in found.items()
        }
        yield Group(title, **rows)


def _few(texts: list[str]) -> str:
    more = f" and {len(texts) - 4} more" if len(texts) > 5 else ""
    return ", ".join(texts[: 4 if more else 5]) + more


def _kfuncs(a: Profile, b: Profile) -> Group:
    group = Group("calls of kernel functions")
    for name in sorted(set(a.kfuncs) & set(b.kfuncs)):
        was, now = a.kfuncs[name], b.kfuncs[name]
        for what, x, y in (("flags", was.flags, now.flags), ("callers", was.callers, now.callers)):
            if x != y:
                words = [*(f"+{w}" for w in sorted(y - x)), *(f"-{w}" for w in sorted(x - y))]
                group.changed.append(f"{name}: {what} {' '.join(words)}")
    return group
