"""Write src/osmia/kernel/data/profiles: recorded kernels (``tools/record_guest.py``) as deltas, each of the one before.

    python tools/make_profiles.py DIR

DIR holds ``VERSION.recorded.txt``, whole.  The oldest becomes the root; what a profile said of its own features stays.
"""

from __future__ import annotations

import sys
from pathlib import Path

from osmia.kernel import profile as profiles
from osmia.live.record import text

ORDER = ("5.10", "6.1", "6.12", "6.18", "7.2")
HEAD = """\
# What Linux {name} offers each kind of program.  {recorded}
{more}
# shapes: type, attach type, target, then the tables that hold; * is any.  ctx: r(ead) or w(rite), size in bytes,
# first..last+step offsets, register type; "unsigned" may not extend the sign.  helpers: like another set, + more,
# - fewer, ! known and refused.  helper caps: without that capability unknown, but for the program types behind it.
# Rows marked "believed" follow from the kernel's rules; the recording machine refused to be asked.
"""
CHILD = "# Only what differs from Linux {parent}: -row takes one of its rows away, new starts a table over."


def main() -> int:
    """The command line."""
    folder = Path(sys.argv[1])
    parent, known = "", {}
    for name in ORDER:
        path = folder / f"{name}.recorded.txt"
        recorded = path.read_text("utf-8").partition("\n")[0].removeprefix("# ")
        sections = profiles.read_sections(path)
        sections.pop("")
        said = text.delta(known, sections) if parent else sections
        kept = profiles.read_sections(profiles.DATA / f"{name}.txt").get("features", [])
        said = ({"features": kept} if kept else {}) | said
        head = HEAD.format(name=name, recorded=recorded, more=CHILD.format(parent=parent) if parent else "#")
        head += f"parent {parent}\n" if parent else ""
        (profiles.DATA / f"{name}.txt").write_text(text.written(head, said), "utf-8")
        parent, known = name, sections
    return 0


if __name__ == "__main__":
    sys.exit(main())
