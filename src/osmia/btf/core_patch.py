"""CO-RE results into instructions: immediates, offsets, access sizes, and poison."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from osmia.btf.core import CoreResult, Matcher
from osmia.btf.ext import CoreRelo
from osmia.btf.model import Btf
from osmia.errors import CoreError
from osmia.isa import Insn
from osmia.isa.insn import imm64, s32

POISON = Insn(0x85, 0, 0, 0, 0xBAD2310)
"""What stands for an instruction whose field does not exist: a call of helper 195896080, as libbpf writes it."""

_SIZE_BITS = {8: 0x18, 4: 0x00, 2: 0x08, 1: 0x10}
_BYTES = {bits: size for size, bits in _SIZE_BITS.items()}
_M64 = 0xFFFFFFFFFFFFFFFF


def apply(
    insns: Iterable[Insn], relos: Iterable[CoreRelo], local: Btf, target: Btf, start: int = 0
) -> tuple[list[Insn], list[CoreResult]]:
    """All relocations of a run of instructions; ``start`` is the byte offset of its first slot in the section.

    Answers the new instructions and every result (those with ``poison`` say why).  Raises CoreError with the slot.
    """
    out, results, matcher = list(insns), list[CoreResult](), Matcher(local, target)
    for relo in relos:
        slot = (relo.insn_off - start) // 8
        try:
            results.append(patch(out, slot, matcher.resolve(relo)))
        except CoreError as error:
            raise error.at(insn=slot) from None
    return out, results


def patch(insns: list[Insn], slot: int, result: CoreResult) -> CoreResult:
    """Write one result into its instruction; the answer has ``poison`` set where the instruction had to be spoiled.

    Raises CoreError when the instruction is not of a kind or content that the relocation fits.
    """
    if not 0 <= slot < len(insns) or result.relo.insn_off % 8:
        raise CoreError(f"a CO-RE relocation at byte {result.relo.insn_off} lies outside the instructions")
    insn = insns[slot]
    memory = insn.code & 7 in (1, 2, 3)
    if memory and not result.poison and not result.resize:
        result = replace(result, poison=True, reason=_resize_reason(result))
    if result.poison:
        _poison(insns, slot)
    elif insn.code & 7 in (4, 7):
        insns[slot] = _patch_alu(insn, result)
    elif memory:
        insns[slot] = _patch_mem(insn, result)
    elif insn.is_wide:
        _patch_imm64(insns, slot, result)
    else:
        raise CoreError(f"opcode {insn.code:#04x} can't be relocated")
    return result


def _resize_reason(result: CoreResult) -> str:
    return (
        f"the field has {result.old_size} bytes in the program and {result.new_size} in the target;"
        " only pointers and unsigned integers can be read with another size"
    )


def _poison(insns: list[Insn], slot: int) -> None:
    if insns[slot].is_wide and slot + 1 < len(insns):
        insns[slot + 1] = POISON
    insns[slot] = POISON


def _expect(what: str, found: int, result: CoreResult) -> None:
    if result.validate and found & _M64 != result.old & _M64:
        raise CoreError(f"{result.local}: the {what} is {found}, where the relocation expects {result.old}")


def _patch_alu(insn: Insn, result: CoreResult) -> Insn:
    if insn.code & 8:
        raise CoreError(f"opcode {insn.code:#04x} has no immediate to relocate")
    _expect("immediate", insn.imm, result)
    return insn._replace(imm=s32(result.new))


def _patch_mem(insn: Insn, result: CoreResult) -> Insn:
    _expect("offset", insn.off, result)
    if result.new > 0x7FFF:
        raise CoreError(f"{result.local}: offset {result.new} does not fit in an instruction")
    code = insn.code
    if result.old_size != result.new_size:
        now = _BYTES[code & 0x18]
        if now != result.old_size or result.new_size not in _SIZE_BITS:
            raise CoreError(f"{result.local}: can't change a {now}-byte access to {result.new_size} bytes")
        code = code & ~0x18 | _SIZE_BITS[result.new_size]
    return insn._replace(code=code, off=result.new)


def _patch_imm64(insns: list[Insn], slot: int, result: CoreResult) -> None:
    low = insns[slot]
    high = insns[slot + 1] if slot + 1 < len(insns) else Insn(-1)
    if low.src_reg or low.off or high.code or high.dst_reg or high.src_reg or high.off:
        raise CoreError("a 64-bit load with a pseudo source or half of one can't be relocated")
    _expect("immediate", imm64(low, high), result)
    insns[slot] = low._replace(imm=s32(result.new))
    insns[slot + 1] = high._replace(imm=s32(result.new >> 32))
