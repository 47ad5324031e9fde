"""How a rule says no, and how a rule that is not built says so.

Neither is an ``OsmiaError``: both end inside this room, in a ``Verdict``.
"""

from __future__ import annotations

from typing import Any


class Rejected(Exception):
    """The kernel would refuse the program.  The text is in the log; these are the facts behind it.

    ``errno`` is positive (EACCES = 13); ``kind`` names the rule; ``insn`` is the slot, ``reg`` the register or -1.
    ``where`` is the step that refused: "load", or "btf", "map", "reloc" in front of it.
    """

    where = "load"

    def __init__(
        self, errno: int, kind: str, text: str, insn: int = -1, reg: int = -1, expected: Any = None, found: Any = None
    ) -> None:
        super().__init__(text)
        self.errno = errno
        self.kind = kind
        self.text = text
        self.insn = insn
        self.reg = reg
        self.expected = expected
        self.found = found


class Unsupported(Exception):
    """A feature of the kernel that this verifier can't judge yet."""

    def __init__(self, feature: str) -> None:
        super().__init__(feature)
        self.feature = feature
