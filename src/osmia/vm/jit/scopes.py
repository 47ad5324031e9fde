"""What LLVM may know about memory: which kinds of it never overlap.

The run's words, and its packet's state, are apart from everything a program can touch.  Programs that a verifier
accepted also keep stack, context, packet and map values apart; in programs that nobody verified a pointer may wander
from one into another, so there only the first holds.
"""

from __future__ import annotations

CLASSES = ("run", "state", "stack", "ctx", "packet", "value")
"""``state`` is what stands behind the run's word ``packet``: outside of calls nothing changes it."""
_OF = {"stack": "stack", "ctx": "ctx", "packet": "packet", "meta": "packet", "value": "value"}
_SCOPES = 3
_FIRST = _SCOPES + len(CLASSES)  # the lists stand behind weights, domain and scopes


def _suffix(name: str) -> str:
    own = _FIRST + 2 * CLASSES.index(name)
    return f", !alias.scope !{own}, !noalias !{own + 1}"


UNLIKELY, LIKELY = ", !prof !0", ", !prof !1"
"""Of a branch: its first target."""
RUN_ACCESS = _suffix("run")
STATE_ACCESS = _suffix("state")
WORDS_ONLY = f", !noalias !{_FIRST + 2 * CLASSES.index('state')}"
"""Of a call that changes no more than the run's words."""
PROGRAM_ACCESS = f", !noalias !{_FIRST + 2 * len(CLASSES)}"
"""An access of the program that may be anywhere but in the run and its packet's state."""
_ACCESS = {kind: _suffix(name) for kind, name in _OF.items()}


def access(kind: str, checked: bool) -> str:
    """The metadata of a program's access through a pointer of that kind."""
    return PROGRAM_ACCESS if checked else _ACCESS.get(kind, PROGRAM_ACCESS)


def metadata() -> str:
    """The nodes that the suffixes name."""
    scopes = {name: f"!{_SCOPES + index}" for index, name in enumerate(CLASSES)}
    weights = "!0 = !{{!{0}, i32 1, i32 2000}}\n!1 = !{{!{0}, i32 2000, i32 1}}".format('"branch_weights"')
    lines = [weights, "!2 = distinct !{!2}"]
    lines += (f"{scope} = distinct !{{{scope}, !2}}" for scope in scopes.values())
    for index, name in enumerate(CLASSES):
        others = ", ".join(scope for other, scope in scopes.items() if other != name)
        lines += (f"!{_FIRST + 2 * index} = !{{{scopes[name]}}}", f"!{_FIRST + 2 * index + 1} = !{{{others}}}")
    lines.append(f"!{_FIRST + 2 * len(CLASSES)} = !{{{scopes['run']}, {scopes['state']}}}")
    return "\n".join(lines)
