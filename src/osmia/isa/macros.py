"""Constructors under the names that kernel and samples use (include/linux/filter.h, samples/bpf/bpf_insn.h).

Arguments are the macros' arguments in the macros' order.  Each returns one ``Insn``, except the 64-bit
immediate loads, which return their two slots: splice them with ``*``.
"""

from __future__ import annotations

from osmia.isa import consts as c
from osmia.isa.insn import Insn, s32

Pair = tuple[Insn, Insn]


def BPF_ALU64_REG_OFF(op: int, dst: int, src: int, off: int) -> Insn:
    """``dst op= src`` with an off that selects the signed variant (1 for sdiv and smod)."""
    return Insn(c.BPF_ALU64 | op | c.BPF_X, dst, src, off)


def BPF_ALU64_REG(op: int, dst: int, src: int) -> Insn:
    """``dst op= src``, 64 bits."""
    return Insn(c.BPF_ALU64 | op | c.BPF_X, dst, src)


def BPF_ALU32_REG_OFF(op: int, dst: int, src: int, off: int) -> Insn:
    """``(u32)dst op= (u32)src`` with an off that selects the signed variant."""
    return Insn(c.BPF_ALU | op | c.BPF_X, dst, src, off)


def BPF_ALU32_REG(op: int, dst: int, src: int) -> Insn:
    """``(u32)dst op= (u32)src``; the upper half becomes zero."""
    return Insn(c.BPF_ALU | op | c.BPF_X, dst, src)


def BPF_ALU64_IMM_OFF(op: int, dst: int, imm: int, off: int) -> Insn:
    """``dst op= imm`` with an off that selects the signed variant."""
    return Insn(c.BPF_ALU64 | op | c.BPF_K, dst, 0, off, s32(imm))


def BPF_ALU64_IMM(op: int, dst: int, imm: int) -> Insn:
    """``dst op= imm``, the immediate sign extended."""
    return Insn(c.BPF_ALU64 | op | c.BPF_K, dst, 0, 0, s32(imm))


def BPF_ALU32_IMM_OFF(op: int, dst: int, imm: int, off: int) -> Insn:
    """``(u32)dst op= imm`` with an off that selects the signed variant."""
    return Insn(c.BPF_ALU | op | c.BPF_K, dst, 0, off, s32(imm))


def BPF_ALU32_IMM(op: int, dst: int, imm: int) -> Insn:
    """``(u32)dst op= imm``."""
    return Insn(c.BPF_ALU | op | c.BPF_K, dst, 0, 0, s32(imm))


def BPF_ENDIAN(type_: int, dst: int, len_: int) -> Insn:
    """Convert to little (BPF_TO_LE) or big (BPF_TO_BE) endian, 16, 32 or 64 bits."""
    return Insn(c.BPF_ALU | c.BPF_END | type_, dst, 0, 0, len_)


def BPF_BSWAP(dst: int, len_: int) -> Insn:
    """Swap bytes whatever the machine's order."""
    return Insn(c.BPF_ALU64 | c.BPF_END, dst, 0, 0, len_)


def BPF_NEG64(dst: int) -> Insn:
    """``dst = -dst``."""
    return Insn(c.BPF_ALU64 | c.BPF_NEG, dst)


def BPF_NEG32(dst: int) -> Insn:
    """``dst = (u32)-dst``."""
    return Insn(c.BPF_ALU | c.BPF_NEG, dst)


def BPF_MOV64_REG(dst: int, src: int) -> Insn:
    """``dst = src``."""
    return Insn(c.BPF_ALU64 | c.BPF_MOV | c.BPF_X, dst, src)


def BPF_MOV32_REG(dst: int, src: int) -> Insn:
    """``dst = (u32)src``."""
    return Insn(c.BPF_ALU | c.BPF_MOV | c.BPF_X, dst, src)


def BPF_MOV64_IMM(dst: int, imm: int) -> Insn:
    """``dst = imm``, sign extended."""
    return Insn(c.BPF_ALU64 | c.BPF_MOV | c.BPF_K, dst, 0, 0, s32(imm))


def BPF_MOV32_IMM(dst: int, imm: int) -> Insn:
    """``dst = (u32)imm``."""
    return Insn(c.BPF_ALU | c.BPF_MOV | c.BPF_K, dst, 0, 0, s32(imm))


def BPF_MOVSX64_REG(dst: int, src: int, off: int) -> Insn:
    """Sign extending move of the low 8, 16 or 32 bits (``off``)."""
    return Insn(c.BPF_ALU64 | c.BPF_MOV | c.BPF_X, dst, src, off)


def BPF_MOVSX32_REG(dst: int, src: int, off: int) -> Insn:
    """Sign extending move of the low 8 or 16 bits into 32."""
    return Insn(c.BPF_ALU | c.BPF_MOV | c.BPF_X, dst, src, off)


def BPF_ADDR_SPACE_CAST(dst: int, src: int, to: int, from_: int) -> Insn:
    """``dst = addr_space_cast(src, to, from)``: 0, 1 makes an arena pointer usable in the kernel."""
    return Insn(c.BPF_ALU64 | c.BPF_MOV | c.BPF_X, dst, src, c.BPF_ADDR_SPACE_CAST, s32(to << 16 | from_))


def BPF_ZEXT_REG(dst: int) -> Insn:
    """Zero the upper half: a 32-bit move onto itself (the kernel's own marks it with imm 1)."""
    return Insn(c.BPF_ALU | c.BPF_MOV | c.BPF_X, dst, dst)


def BPF_LD_IMM64_RAW(dst: int, src: int, imm: int) -> Pair:
    """Two slots: ``imm`` is 64 bits wide, ``src`` a BPF_PSEUDO_* source or 0."""
    return Insn(c.LD_IMM64, dst, src, 0, s32(imm)), Insn(0, 0, 0, 0, s32(imm >> 32))


def BPF_LD_IMM64(dst: int, imm: int) -> Pair:
    """``dst = imm``, 64 bits."""
    return BPF_LD_IMM64_RAW(dst, 0, imm)


def BPF_LD_IMM64_RAW_FULL(dst: int, src: int, off1: int, off2: int, imm1: int, imm2: int) -> Pair:
    """Both slots with all their fields."""
    return Insn(c.LD_IMM64, dst, src, off1, s32(imm1)), Insn(0, 0, 0, off2, s32(imm2))


def BPF_LD_MAP_FD(dst: int, map_fd: int) -> Pair:
    """The map itself."""
    return BPF_LD_IMM64_RAW(dst, c.BPF_PSEUDO_MAP_FD, map_fd & 0xFFFFFFFF)


def BPF_LD_MAP_VALUE(dst: int, map_fd: int, value_off: int) -> Pair:
    """An address inside the first value of a map."""
    return BPF_LD_IMM64_RAW_FULL(dst, c.BPF_PSEUDO_MAP_VALUE, 0, 0, map_fd, value_off)


def BPF_LD_BTF_ID(dst: int, btf_id: int) -> Pair:
    """The address of a kernel variable."""
    return BPF_LD_IMM64_RAW(dst, c.BPF_PSEUDO_BTF_ID, btf_id & 0xFFFFFFFF)


def BPF_LD_FUNC(dst: int, off: int) -> Pair:
    """The address of the subprogram ``off`` slots behind the next slot: a callback."""
    return BPF_LD_IMM64_RAW(dst, c.BPF_PSEUDO_FUNC, off & 0xFFFFFFFF)


def BPF_LD_MAP_IDX(dst: int, index: int) -> Pair:
    """The map at ``index`` of the fd array."""
    return BPF_LD_IMM64_RAW(dst, c.BPF_PSEUDO_MAP_IDX, index & 0xFFFFFFFF)


def BPF_LD_MAP_IDX_VALUE(dst: int, index: int, value_off: int) -> Pair:
    """An address inside the first value of the map at ``index`` of the fd array."""
    return BPF_LD_IMM64_RAW_FULL(dst, c.BPF_PSEUDO_MAP_IDX_VALUE, 0, 0, index, value_off)


def BPF_LD_ABS(size: int, imm: int) -> Insn:
    """Packet load at a constant offset into R0 (R6 holds the skb)."""
    return Insn(c.BPF_LD | size | c.BPF_ABS, 0, 0, 0, s32(imm))


def BPF_LD_IND(size: int, src: int, imm: int) -> Insn:
    """Packet load at ``src + imm`` into R0."""
    return Insn(c.BPF_LD | size | c.BPF_IND, 0, src, 0, s32(imm))


def BPF_LDX_MEM(size: int, dst: int, src: int, off: int) -> Insn:
    """``dst = *(size *)(src + off)``."""
    return Insn(c.BPF_LDX | size | c.BPF_MEM, dst, src, off)


def BPF_LDX_MEMSX(size: int, dst: int, src: int, off: int) -> Insn:
    """The same with sign extension."""
    return Insn(c.BPF_LDX | size | c.BPF_MEMSX, dst, src, off)


def BPF_STX_MEM(size: int, dst: int, src: int, off: int) -> Insn:
    """``*(size *)(dst + off) = src``."""
    return Insn(c.BPF_STX | size | c.BPF_MEM, dst, src, off)


def BPF_ST_MEM(size: int, dst: int, off: int, imm: int) -> Insn:
    """``*(size *)(dst + off) = imm``."""
    return Insn(c.BPF_ST | size | c.BPF_MEM, dst, 0, off, s32(imm))


def BPF_ATOMIC_OP(size: int, op: int, dst: int, src: int, off: int) -> Insn:
    """An atomic operation; ``op`` is the imm (BPF_ADD, BPF_ADD | BPF_FETCH, BPF_XCHG, BPF_CMPXCHG, BPF_LOAD_ACQ …)."""
    return Insn(c.BPF_STX | size | c.BPF_ATOMIC, dst, src, off, op)


def BPF_STX_XADD(size: int, dst: int, src: int, off: int) -> Insn:
    """The old name of an atomic add."""
    return BPF_ATOMIC_OP(size, c.BPF_ADD, dst, src, off)


def BPF_LOAD_ACQ(size: int, dst: int, src: int, off: int) -> Insn:
    """``dst = load_acquire(src + off)``."""
    return BPF_ATOMIC_OP(size, c.BPF_LOAD_ACQ, dst, src, off)


def BPF_STORE_REL(size: int, dst: int, src: int, off: int) -> Insn:
    """``store_release(dst + off, src)``."""
    return BPF_ATOMIC_OP(size, c.BPF_STORE_REL, dst, src, off)


def BPF_JMP_REG(op: int, dst: int, src: int, off: int) -> Insn:
    """``if (dst op src) pc += off``."""
    return Insn(c.BPF_JMP | op | c.BPF_X, dst, src, off)


def BPF_JMP_IMM(op: int, dst: int, imm: int, off: int) -> Insn:
    """``if (dst op imm) pc += off``."""
    return Insn(c.BPF_JMP | op | c.BPF_K, dst, 0, off, s32(imm))


def BPF_JMP32_REG(op: int, dst: int, src: int, off: int) -> Insn:
    """``if ((u32)dst op (u32)src) pc += off``."""
    return Insn(c.BPF_JMP32 | op | c.BPF_X, dst, src, off)


def BPF_JMP32_IMM(op: int, dst: int, imm: int, off: int) -> Insn:
    """``if ((u32)dst op imm) pc += off``."""
    return Insn(c.BPF_JMP32 | op | c.BPF_K, dst, 0, off, s32(imm))


def BPF_JMP_A(off: int) -> Insn:
    """``pc += off``."""
    return Insn(c.BPF_JMP | c.BPF_JA, 0, 0, off)


def BPF_JMP32_A(imm: int) -> Insn:
    """``pc += imm``: the long jump (gotol)."""
    return Insn(c.BPF_JMP32 | c.BPF_JA, 0, 0, 0, s32(imm))


def BPF_MAY_GOTO(off: int) -> Insn:
    """Leave a loop once the iteration budget is spent."""
    return Insn(c.BPF_JMP | c.BPF_JCOND, 0, c.BPF_MAY_GOTO, off)


def BPF_CALL_REL(target: int) -> Insn:
    """Call the subprogram ``target`` slots behind the next slot."""
    return Insn(c.BPF_JMP | c.BPF_CALL, 0, c.BPF_PSEUDO_CALL, 0, s32(target))


def BPF_EMIT_CALL(func: int) -> Insn:
    """Call a helper by its number."""
    return Insn(c.BPF_JMP | c.BPF_CALL, 0, 0, 0, s32(func))


def BPF_CALL_KFUNC(off: int, imm: int) -> Insn:
    """Call the kernel function of BTF id ``imm`` (``off`` 0: vmlinux)."""
    return Insn(c.BPF_JMP | c.BPF_CALL, 0, c.BPF_PSEUDO_KFUNC_CALL, off, s32(imm))


def BPF_CALLX(dst: int) -> Insn:
    """Call the function whose address is in ``dst``."""
    return Insn(c.BPF_JMP | c.BPF_CALL | c.BPF_X, dst)


def BPF_RAW_INSN(code: int, dst: int, src: int, off: int, imm: int) -> Insn:
    """Every field as given."""
    return Insn(code, dst, src, off, s32(imm))


def BPF_EXIT_INSN() -> Insn:
    """Return R0."""
    return Insn(c.BPF_JMP | c.BPF_EXIT)


__all__ = sorted(name for name in globals() if name.startswith("BPF_"))
