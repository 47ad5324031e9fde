"""Kernels between the recorded ones: the nearest older profile, plus what came up to their version.

What the next newer recorded kernel has and the older one has not is taken over where a table says that it is not newer
than the version asked for: helpers (``helpers.txt``), program types, attach types, map types and kernel functions
(``since.txt``).  Behaviours go by version anyway (``features.txt``).  Of everything else (fields of contexts, flags of
a function, capabilities) the older kernel's answer stands.
"""

from __future__ import annotations

from osmia.errors import UsageError
from osmia.kernel.features import Version, parse_version
from osmia.kernel.profile_file import KEYED, Sections, key
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
    made |= _tables(made, base, after, version)
    made["head"] = [f"version {name}", f"interpolated {older[-1]}"]
    return made


def _rows(section: str, base: list[str], after: list[str], version: Version) -> list[str]:
    """The older kernel's rows, with those of the newer one that are of something new and not too new."""
    width = KEYED[section]
    known = {key(row, width) for row in base}
    return base + [row for row in after if key(row, width) not in known and _came(section, row, version)]


def _came(section: str, row: str, version: Version) -> bool:
    words = row.split(" ")
    first = words[0].rstrip(":")
    if section == "shapes":
        versions = [since("prog", first), since("attach", words[1])]
        return any(versions) and all(v is None or v <= version for v in versions)
    kind = {"kfuncs": "kfunc", "caps": "prog", "helper caps": "helper", "maps": "map"}[section]
    found = since(kind, first)
    return found is not None and found <= version


def _tables(made: Sections, base: Sections, after: Sections, version: Version) -> Sections:
    """Contexts and helper sets of the newer kernel; helpers that came up to the version join the older one's sets."""
    tables: Sections = {}
    known = {word for name, rows in base.items() if name.startswith("helpers ") for word in _words(rows)}
    for section, rows in after.items():
        if section.startswith("ctx ") and section not in base:
            tables[section] = rows
        if section.startswith("helpers "):
            name = section.removeprefix("helpers ")
            joined = [word for word in sorted(set_of(after, name) - known) if _in_time(word, version)]
            tables[section] = [*base.get(section, []), *([f"+ {' '.join(joined)}"] if joined else [])]
    return tables


def set_of(sections: Sections, name: str) -> set[str]:
    """The names in a set of helpers, refused ones too."""
    found: set[str] = set()
    for row in sections.get(f"helpers {name}", []):
        if row.startswith("like "):
            found |= set_of(sections, row[5:])
        elif row.startswith("-"):
            found -= set(_words([row]))
        else:
            found |= set(_words([row]))
    return found


def _words(rows: list[str]) -> list[str]:
    return [word for row in rows if not row.startswith("like ") for word in row.split()[1:]]


def _in_time(word: str, version: Version) -> bool:
    found = since("helper", word)
    return found is not None and found <= version
