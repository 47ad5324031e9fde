"""Write src/osmia/kernel/data/profiles: recorded kernels (``tools/record_guest.py``) as deltas, each of the one before.

    python tools/make_profiles.py DIR

DIR holds ``VERSION.recorded.txt``, whole; of a version that is not there the rows stay as they are.  The oldest becomes
the root.  What a profile said of its own features stays.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from osmia.kernel import profile as profiles
from osmia.kernel.profile_file import Sections, merged, read_sections
from osmia.live.record import text

HEAD = """\
# What Linux {name} offers each kind of program.  Recorded by asking it (osmia.live.record): do not edit.
# {more}
# shapes: type, attach type, target, then the tables that hold; * is any.  ctx: r(ead) or w(rite), size in bytes,
# first..last+step offsets, register type; "unsigned" may not extend the sign.  helpers: like another set, + more,
# - fewer, ! known and refused.  helper caps: without that capability unknown, but for the program types behind it.
# Rows marked "believed" follow from the kernel's rules; the recording machine refused to be asked.
"""
CHILD = "Only what differs from Linux {parent}: -row takes one of its rows away, new starts a table over."
ROOT = "The root: each later kernel says what differs from the one before."
RECORDED = re.compile(r"recorded from (\S+)\.$")


def whole(folder: Path, name: str) -> tuple[str, Sections]:
    """The release and the sections of a kernel, as recorded or as they stand."""
    path = folder / f"{name}.recorded.txt"
    if not path.exists():
        known = profiles.recorded(name)
        return profiles.load(name).release, {k: rows for k, rows in known.items() if k not in ("head", "features")}
    sections = read_sections(path)
    sections.pop("")
    sections.setdefault("kfuncs", [])
    found = RECORDED.search(path.read_text("utf-8").partition("\n")[0])
    return found[1] if found else "", sections


def main() -> int:
    """The command line."""
    folder = Path(sys.argv[1])
    found = {name: whole(folder, name) for name in profiles.names()}
    features = {name: read_sections(profiles.DATA / f"{name}.txt").get("features", []) for name in found}
    parent = ""
    known: Sections = {}
    for name, (release, sections) in found.items():
        said = text.delta(known, sections)
        rows = {"features": features[name]} if features[name] else {}
        head = HEAD.format(name=name, more=CHILD.format(parent=parent) if parent else ROOT)
        head += f"parent {parent}\n" if parent else ""
        head += f"release {release}\n" if release else ""
        (profiles.DATA / f"{name}.txt").write_text(text.written(head, rows | said), "utf-8")
        parent, known = name, merged(known, said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
