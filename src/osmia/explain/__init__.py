"""Why was a program refused?  The verdict in terms of the user's source: facts first, prose second.

>>> import osmia
>>> from osmia.explain import explain
>>> explain(osmia.Program("r0 = *(u8 *)(r2 + 0)\\nexit", "xdp")).headline
'R2 is read, but nothing was written to it on this path'
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from osmia.explain.model import Explanation

if TYPE_CHECKING:
    from osmia.btf import Btf
    from osmia.obj.model import Program
    from osmia.verifier.env import Powers

__all__ = ["Explanation", "explain"]


def explain(
    program: Program, kernel: str = "6.18", power: Powers | None = None, btf: Btf | None = None
) -> Explanation | None:
    """Why a kernel (a profile's name) refuses a program from a loader with some powers.

    ``btf`` are the kernel's types, by default the running kernel's.  None where it accepts the program, or where Osmia
    has no verdict.  The program is walked once, with notes of every step.  Raises UsageError for a kernel that there is
    no profile of, and UsageError or DecodeError for a program that no attribute of bpf(2) could hold.
    """
    from osmia.explain.build import explain_case
    from osmia.explain.case import Case
    from osmia.explain.trail import Trail
    from osmia.verifier.judge import watch

    gc.collect()  # what an earlier walk left in cycles: with this one's it may be much
    trail = Trail()
    verdict = watch(program, trail, kernel, power, btf)
    if verdict.ok or verdict.error is None or trail.env is None:
        return None
    return explain_case(Case(trail.env, trail, verdict, trail.env.profile.name))
