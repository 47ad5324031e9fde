"""Profiles for eyes and scripts: ``osmia profile list``, ``show``, ``diff``, and what ``record`` wrote."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from osmia.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from osmia.kernel.compare import Group
    from osmia.kernel.profile import Profile, Shape

PHASES = 9
"""How many things ``osmia.live.record`` asks about, one after another."""
WIDE = 100
SIGNS = (("came", "+", "green"), ("gone", "-", "red"), ("changed", "~", "yellow"))


def _console() -> Console:
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)


def origin(profile: Profile) -> str:
    """Where the profile is from, in words."""
    if profile.interpolated:
        return f"interpolated: {profile.interpolated} as recorded, and what came up to {profile.name}"
    return f"recorded from {profile.release}" if profile.release else "recorded"


def summary(profile: Profile) -> dict[str, Any]:
    """The profile in numbers."""
    from osmia.kernel.compare import helpers, shapes

    kinds = shapes(profile)
    offered = set().union(*(helpers(shape) for shape in kinds.values()))
    return {
        "name": profile.name,
        "version": ".".join(map(str, profile.version)),
        "release": profile.release,
        "interpolated": profile.interpolated or None,
        "behaviours": len(profile.features),
        "program_types": len({name.split("/")[0] for name in kinds}),
        "kinds_of_programs": len(kinds),
        "helpers": len(offered),
        "kernel_functions": len(profile.kfuncs),
        "map_types": len(profile.tables["maps"]),
    }


# -- list


def show_list(profiles: Sequence[Profile]) -> None:
    """One line a kernel."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("kernel", "behaviours", "program types", "helpers", "kernel functions", "from"):
        table.add_column(name, no_wrap=True, justify="left" if name in ("kernel", "from") else "right")
    for one in profiles:
        n = summary(one)
        counts = (n["behaviours"], n["program_types"], n["helpers"], n["kernel_functions"])
        table.add_row(f"[bold]{one.name}[/]", *map(str, counts), origin(one))
    _console().print(table)
    _console().print("Versions between them are made of their neighbours: osmia profile show 6.6")


# -- show


def document(profile: Profile, prog_type: str | None) -> dict[str, Any]:
    """Everything, or one type's part of it."""
    from osmia.kernel.compare import shapes

    kinds = {name: _facts(shape) for name, shape in shapes(profile).items() if _is_of(name, prog_type)}
    _known(kinds, prog_type, profile)
    made = {**summary(profile), "kinds": kinds}
    if prog_type is None:
        made |= {
            "features": sorted(profile.features),
            "limits": profile.tables["limits"],
            "caps": profile.tables["caps"],
            "kfuncs": {
                k.name: {"flags": sorted(k.flags), "callers": sorted(k.callers)} for k in profile.kfuncs.values()
            },
            "maps": profile.sections.get("maps", []),
        }
    return made


def _is_of(name: str, prog_type: str | None) -> bool:
    return prog_type is None or name.split("/")[0] == prog_type


def _known(kinds: dict[str, Any], prog_type: str | None, profile: Profile) -> None:
    if prog_type is not None and not kinds:
        from osmia.kernel.compare import shapes

        known = ", ".join(dict.fromkeys(name.split("/")[0] for name in shapes(profile)))
        raise UsageError(f"{profile.name} takes no programs of type {prog_type!r}; it takes {known}")


def _facts(shape: Shape) -> dict[str, Any]:
    from osmia.kernel.compare import fields, helpers

    return {
        "sleepable": shape.sleepable,
        "returns": "rule" if shape.returns_by_rule else shape.returns,
        "helpers": sorted(helpers(shape)),
        "context": "btf" if shape.ctx_by_rule else fields(shape),
        "believed": shape.believed,
    }


def show(profile: Profile) -> None:
    """The whole kernel, counted."""
    from osmia.kernel.compare import helpers, shapes

    console = _console()
    console.print(f"[bold]Linux {profile.name}[/]  {origin(profile)}")
    limits = profile.tables["limits"]
    _block(console, "limits", [f"{name} {number:,}" for name, number in limits.items()])
    _block(console, "behaviours", sorted(profile.features))
    kinds = shapes(profile)
    console.print(f"\n[bold]programs ({len(kinds)} kinds)[/]")
    for name, shape in _by_type(kinds).items():
        attach = [x for x in kinds if x.split("/")[0] == name and "/" in x]
        words = [f"{len(helpers(shape))} helpers", *([f"{len(attach)} attach points"] if attach else [])]
        words += [f"needs {' '.join(profile.caps(name))}"] if profile.caps(name) else []
        words += {"no": [], "may": ["may sleep"], "must": ["sleeps"]}[shape.sleepable]
        words += ["believed, not asked"] if shape.believed else []
        console.print(f"  {name:<24} {', '.join(words)}")
    _block(console, "kernel functions", sorted(profile.kfuncs))
    _block(console, "map types", list(profile.tables["maps"]))


def _by_type(kinds: dict[str, Shape]) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for name, shape in kinds.items():
        found.setdefault(name.split("/")[0], shape)
    return found


def _block(console: Console, title: str, words: Sequence[str]) -> None:
    """A heading with the count, then the words, filled into lines."""
    import textwrap

    if words:
        console.print(f"\n[bold]{title} ({len(words)})[/]")
        width = min(console.width, WIDE) - 2
        for line in textwrap.wrap("  ".join(words), width, break_on_hyphens=False, break_long_words=False):
            console.print(f"  {line}", markup=False)


def show_type(profile: Profile, prog_type: str) -> None:
    """One type: where it attaches, its helpers, its context."""
    from osmia.kernel.compare import helpers, shapes

    kinds = {name: shape for name, shape in shapes(profile).items() if _is_of(name, prog_type)}
    _known(kinds, prog_type, profile)
    console = _console()
    console.print(f"[bold]{prog_type} on Linux {profile.name}[/]  {origin(profile)}")
    _block(console, "kinds", list(kinds))
    first = next(iter(kinds.values()))
    _block(console, "helpers", sorted(helpers(first)))
    if not first.ctx_by_rule:
        rows = profile.sections.get(f"ctx {first.ctx}", [])
        console.print(f"\n[bold]context ({len(rows)} rows: read or write, bytes, offsets, type)[/]")
        for row in rows:
            console.print(f"  {row}", markup=False)
    mine = [k.name for k in profile.kfuncs.values() if any(c.split("/")[0] == prog_type for c in k.callers)]
    _block(console, "kernel functions", sorted(mine))


# -- diff and record


def group(one: Group) -> dict[str, Any]:
    """A group of ``osmia profile diff`` as JSON."""
    return {"title": one.title, "came": one.came, "gone": one.gone, "changed": one.changed}


def show_diff(old: str, new: str, groups: Iterable[Group]) -> None:
    """The groups with their counts; + is what B has and A has not."""
    console = _console()
    there = list(groups)
    if not there:
        console.print(f"{old} and {new} offer the same.")
    for one in there:
        counts = [f"{sign}{len(getattr(one, name))}" for name, sign, _ in SIGNS if getattr(one, name)]
        console.print(f"[bold]{one.title}[/]  {' '.join(counts)}")
        for name, sign, colour in SIGNS:
            for text in getattr(one, name):
                console.print(f"  [{colour}]{sign}[/] ", end="")
                console.print(text, markup=False)


def written(release: str, files: Sequence[str], questions: int) -> None:
    """What ``osmia profile record`` did."""
    console = _console()
    console.print(f"Linux {release}: {questions:,} programs asked; wrote {' and '.join(files)}", markup=False)
