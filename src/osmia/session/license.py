"""Helpers that a kernel keeps for programs under the GPL: the one refusal of beginners that needs no verifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.errors import UsageError

if TYPE_CHECKING:
    from osmia.obj.model import Program

COMPATIBLE = frozenset(
    ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")
)  # fmt: skip
"""What ``license_is_gpl_compatible`` of include/linux/license.h takes."""


def doubt(program: Program) -> str:
    """What a kernel would say to the program's license, "" when nothing."""
    if program.license in COMPATIBLE:
        return ""
    calls = (insn.imm for insn in program.insns if insn.code == 0x85 and insn.src_reg == 0)
    names = sorted({name for number in calls if (name := _gpl_only(number))})
    if not names:
        return ""
    license = f"license {program.license!r}" if program.license else "no license"
    return f'{program.name} has {license}: a kernel keeps {", ".join(names)} for char LICENSE[] SEC("license") = "GPL"'


def _gpl_only(number: int) -> str | None:
    from osmia.kernel.helpers import helper_by_id

    try:
        row = helper_by_id(number)
    except (UsageError, KeyError):
        return None
    return row.name if row.gpl_only else None
