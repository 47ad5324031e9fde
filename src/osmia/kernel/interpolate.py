"""Kernels between the recorded ones: the nearest older profile, plus what came up to their version.

What the next newer recorded kernel has and the older one has not is taken over where a table says that it is not newer
than the version asked for: helpers (``helpers.txt``), program types, attach types, map types and kernel functions
(``since.txt``).  Behaviours go by version anyway (``features.txt``).  Of everything else (fields of contexts, flags of
a function, capabilities) the older kernel's answer stands.
"""

from __future__ import annotations

from osmia.errors import UsageError
from osmia.kernel.features import Version, parse_version
from osmia.kernel.profile_file import KEYED, Sections, helper_set, key
from osmia.kernel.since import since

ALWAYS = ("shapes", "kfuncs", "caps", "helper caps", "maps")


def sections_of(name: str) -> Sections:
    """The rows of mainline at a version ("6.6").  Raises UsageError beyond the recorded kernels."""
    from osmia.kernel.profile import names, recorded

    version = parse_version(name)[:2]
    older = [known for known in names() if parse_version(known) <= version]
    newer = [known for known in names() if parse_version(known) > version]
    if not older or not newer:
        raise UsageError(f"no profile of a kernel {name!r}: known: {', '.join(names())} and versions between")
    base, after = recorded(older[-1]), recorded(newer[0])
    made = {section: rows for section, rows in base.items() if section != "features"}
    for section in ALWAYS:
        made[section] = _rows(section, base.get(section, []), after.get(section, []), version)
    made |= _tables(base, after, version)
    made["head"] = [f"version {name}", f"interpolated {older[-1]}"]
    return made


def _rows(section: str, base: list[str], after: list[str], version: Version) -> list[str]:
    """The older kernel's rows, with those of the newer one that are of something new and not too new."""
    width = KEYED[section]
    known = {key(row, width) for row in base}
    rows = _spelled_out(after) if section == "kfuncs" else after
    return base + [row for row in rows if key(row, width) not in known and _came(section, row, version)]


def _spelled_out(rows: list[str]) -> list[str]:
    """Rows of kernel functions, with the callers instead of the function that has the same ones."""
    callers = {key(row, 1).rstrip(":"): row.rpartition(": ")[2] for row in rows}
    heads = ((row.rpartition(": ")[0], row.rpartition(": ")[2]) for row in rows)
    return [f"{head}: {callers.get(words.removeprefix('as '), words)}" for head, words in heads]


def _came(section: str, row: str, version: Version) -> bool:
    words = row.split(" ")
    first = words[0].rstrip(":")
    if section == "shapes":
        versions = [since("prog", first), since("attach", words[1])]
        return any(versions) and all(v is None or v <= version for v in versions)
    kind = {"kfuncs": "kfunc", "caps": "prog", "helper caps": "helper", "maps": "map"}[section]
    found = since(kind, first)
    return found is not None and found <= version


def _tables(base: Sections, after: Sections, version: Version) -> Sections:
    """The newer kernel's contexts and sets of helpers, but for helpers that came later; the older one's come first."""
    tables: Sections = {}
    known = {word.lstrip("!") for name in base if name.startswith("helpers ") for word in helper_set(base, name[8:])}
    for section, rows in after.items():
        if section.startswith("ctx ") and section not in base:
            tables[section] = rows
        if section.startswith("helpers "):
            new = section not in base
            there = helper_set(after, section.removeprefix("helpers "))
            joined = sorted(word for word in there if _fits(word.lstrip("!"), known, version, new))
            plain = " ".join(word for word in joined if not word.startswith("!"))
            refused = " ".join(word[1:] for word in joined if word.startswith("!"))
            tables[section] = [*base.get(section, []), *([f"+ {plain}"] if plain else [])]
            tables[section] += [f"! {refused}"] if refused else []
    return tables


def _fits(word: str, known: set[str], version: Version, new: bool) -> bool:
    """Does a helper of the newer kernel's set belong into it: one that came in time, and an older one in a new set?"""
    if word in known:
        return new
    found = since("helper", word)
    return found is not None and found <= version
