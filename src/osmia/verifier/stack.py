"""Loads from and stores to the stack at known and unknown offsets: spills, fills, bytes of data and of zero.

Source: ``check_stack_read``, ``check_stack_write`` and what they call, kernel/bpf/verifier.c of Linux 6.18.  A store of
a scalar to the start of a slot keeps the whole register; a load of the same size gives it back.
"""

from __future__ import annotations

from errno import EACCES, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.dynptr_slots import destroy_if_dynptr_stack_slot
from osmia.verifier.lines import verbose_linfo

if not cython.compiled:
    from osmia.verifier.backtrack import mark_chain_precision, push_jmp_history
    from osmia.verifier.consts import (
        BASE_TYPE_MASK,
        BPF_READ,
        CONST_PTR_TO_DYNPTR,
        INSN_F_SPI_SHIFT,
        INSN_F_STACK_ACCESS,
        PTR_TO_STACK,
        PTR_TO_TP_BUFFER,
        SCALAR_VALUE,
        STACK_DYNPTR,
        STACK_INVALID,
        STACK_MISC,
        STACK_SPILL,
        STACK_ZERO,
    )  # fmt: skip
    from osmia.verifier.env import Env
    from osmia.verifier.fastcall import check_fastcall_stack_contract
    from osmia.verifier.insn import VInsn
    from osmia.verifier.linked import assign_scalar_id_before_mov
    from osmia.verifier.live_stack import mark_stack_read, mark_stack_write
    from osmia.verifier.loaded import any_scalar, zero_scalar
    from osmia.verifier.marks import mark_stack_slot_scratched
    from osmia.verifier.regs import Reg, known_value
    from osmia.verifier.slots import (
        blurred,
        byte_mask,
        is_spilled_scalar_reg,
        make_slot,
        nothing_spilled,
        scrubbed,
        slot_bit,
    )
    from osmia.verifier.stack_range import check_stack_range_initialized
    from osmia.verifier.state import Frame, Slot
    from osmia.words import s32

_SPILL8 = 0x0101010101010101
_MISC8 = 0x0202020202020202
_ZERO8 = 0x0303030303030303
_LOW_BYTE = 0xFF
M64 = 0xFFFFFFFFFFFFFFFF


def is_spillable_regtype(type: int) -> bool:
    """May a register of this type be kept on the stack as what it is?"""
    base = type & BASE_TYPE_MASK
    return base > SCALAR_VALUE and base != PTR_TO_TP_BUFFER and base != CONST_PTR_TO_DYNPTR


def stores_immediate(insn: VInsn) -> bool:
    """Is it ``*(size *)(dst + off) = imm``?"""
    return (insn.code & 0xE7) == 0x62


def check_stack_write(env: Env, ptr_regno: int, off: int, size: int, value_regno: int, insn_idx: int) -> None:
    """Store ``size`` bytes at R``ptr_regno`` + ``off`` (its fixed offset included); -1 stores an unknown value.

    The caller has seen to bounds and alignment.  Raises Rejected.
    """
    regs = env.state.regs()
    reg = regs[ptr_regno]
    frame = env.state.frames[reg.frameno]
    if reg.mask == 0:
        check_stack_write_fixed_off(env, frame, s32((off + reg.value) & M64), size, value_regno, insn_idx)
        return
    check_stack_write_var_off(env, frame, ptr_regno, off, size, value_regno, insn_idx)


def check_stack_write_fixed_off(env: Env, frame: Frame, off: int, size: int, value_regno: int, insn_idx: int) -> None:
    """A store inside one slot of ``frame``."""
    spi = (-off - 1) >> 3
    slot = frame.stack[spi]
    cur = env.state.frame()
    insn = env.insns[insn_idx]
    reg = None
    if value_regno >= 0:
        reg = cur.regs[value_regno]
    _check_overwrite(env, slot, reg, off & 7, size, insn)
    if (slot.types >> 56) == STACK_DYNPTR:
        destroy_if_dynptr_stack_slot(env, frame, spi)
    at_start = (off & 7) == 0
    if at_start and size == 8:
        mark_stack_write(env, frame.frameno, slot_bit(spi))
    check_fastcall_stack_contract(env, frame, insn_idx, off)
    mark_stack_slot_scratched(env, spi)
    if reg is not None:
        if at_start and reg.type == SCALAR_VALUE and env.bpf_capable and _is_kept(env, reg):
            _spill_scalar(env, frame, cur, spi, size, value_regno)
            return
        if is_spillable_regtype(reg.type):
            _spill_pointer(env, frame, cur, spi, size, reg, insn_idx)
            return
    elif at_start and env.bpf_capable and stores_immediate(insn) and (insn.imm or env.rules.spill_zero_and_unknown):
        _keep(env, frame, spi, size, known_value(insn.imm & M64))
        push_jmp_history(env, env.state, INSN_F_STACK_ACCESS | spi << INSN_F_SPI_SHIFT | frame.frameno, 0)
        return
    _write_data(env, frame, spi, off & 7, size, value_regno, insn)


def _check_overwrite(env: Env, slot: Slot, reg: Reg | None, start: int, size: int, insn: VInsn) -> None:
    """May what the slot holds be overwritten, and must the processor not speculate past it (Spectre v4)?"""
    types = slot.types
    spilled = slot.spilled
    if (
        not env.allow_ptr_leaks and size != 8 and (types & 0xFF) == STACK_SPILL
        and (spilled.type != SCALAR_VALUE or not env.rules.scalar_spills_overwritten)
    ):  # fmt: skip
        raise env.reject(EACCES, "stack-corrupt-spill", "attempt to corrupt spilled pointer on stack\n")
    if not env.bypass_spec_v4:
        sanitize = reg is not None and is_spillable_regtype(reg.type)
        for i in range(size):
            kind = types >> (8 * (start + i)) & 0xFF
            if kind != STACK_MISC and kind != STACK_ZERO:
                sanitize = True
        if sanitize:
            insn.nospec_result = True


def _is_kept(env: Env, reg: Reg) -> bool:
    """Does a spill of this scalar keep its register?"""
    if env.rules.spill_zero_and_unknown:
        return True
    zero = reg.mask == 0 and reg.value == 0
    return not zero and not (reg.mask == M64 and reg.same_bounds(any_scalar(env)))


def _keep(env: Env, frame: Frame, spi: int, size: int, reg: Reg) -> None:
    """Leave a register in a slot; what its ``size`` bytes don't cover is data from now on."""
    types = _SPILL8
    if size != 8:
        slot = frame.stack[spi]
        covered = byte_mask(size)
        rest = blurred(slot.types) if env.rules.spill_zero_and_unknown else scrubbed(slot.types)
        types = (rest & (M64 ^ covered)) | (_SPILL8 & covered)
    frame.stack[spi] = make_slot(types, reg)


def _spill_scalar(env: Env, frame: Frame, cur: Frame, spi: int, size: int, value_regno: int) -> None:
    reg = cur.regs[value_regno]
    insn = env.insns[env.insn_idx]
    if not env.rules.history_of_stack and insn.dst != 10:
        mark_chain_precision(env, value_regno)  # going back knows no other way to the stack
        reg = cur.regs[value_regno]
    if size == 8 or reg.umax >> (8 * size) == 0:
        if env.rules.spill_zero_and_unknown:
            reg = assign_scalar_id_before_mov(env, reg)
            cur.regs[value_regno] = reg
    elif reg.id:
        reg = reg.copy()
        reg.off, reg.id = 0, 0
    _keep(env, frame, spi, size, reg)
    push_jmp_history(env, env.state, INSN_F_STACK_ACCESS | spi << INSN_F_SPI_SHIFT | frame.frameno, 0)


def _spill_pointer(env: Env, frame: Frame, cur: Frame, spi: int, size: int, reg: Reg, insn_idx: int) -> None:
    if size != 8:
        verbose_linfo(env, insn_idx, "; ")
        raise env.reject(EACCES, "stack-spill-size", "invalid size of register spill\n")
    if frame is not cur and reg.type == PTR_TO_STACK:
        text = "cannot spill pointers to stack into stack frame of the caller\n"
        raise env.reject(EINVAL, "stack-spill-to-caller", text)
    frame.stack[spi] = make_slot(_SPILL8, reg)
    push_jmp_history(env, env.state, INSN_F_STACK_ACCESS | spi << INSN_F_SPI_SHIFT | frame.frameno, 0)


def _write_data(env: Env, frame: Frame, spi: int, start: int, size: int, value_regno: int, insn: VInsn) -> None:
    """Bytes that keep nothing but, perhaps, that they are zero.  A zero of a register must stay zero: precise."""
    slot = frame.stack[spi]
    types = slot.types
    lowest = types & 0xFF
    if lowest != STACK_INVALID and lowest != STACK_MISC and lowest != STACK_ZERO:
        types = scrubbed(types)
    covered = byte_mask(size) << (8 * start)
    kinds = _MISC8
    if _writes_zero(env, value_regno, insn):
        if value_regno >= 0:
            mark_chain_precision(env, value_regno)
        kinds = _ZERO8
    frame.stack[spi] = make_slot((types & (M64 ^ covered)) | (kinds & covered), nothing_spilled())


def _writes_zero(env: Env, value_regno: int, insn: VInsn) -> bool:
    if value_regno < 0:
        return insn.imm == 0 and stores_immediate(insn)
    regs = env.state.regs()
    reg = regs[value_regno]
    return reg.type == SCALAR_VALUE and reg.mask == 0 and reg.value == 0


def check_stack_write_var_off(
    env: Env, frame: Frame, ptr_regno: int, off: int, size: int, value_regno: int, insn_idx: int
) -> None:
    """A store somewhere in a range: every byte of the range may have changed, none has for certain."""
    regs = env.state.regs()
    ptr = regs[ptr_regno]
    min_off = s32((ptr.smin + off) & M64)
    max_off = s32((ptr.smax + off + size) & M64)
    insn = env.insns[insn_idx]
    zero = (value_regno >= 0 or env.rules.constant_zeros_somewhere) and _writes_zero(env, value_regno, insn)
    for i in range(min_off, max_off):
        slot = frame.stack[(-i - 1) >> 3]
        if (slot.types >> 56) == STACK_DYNPTR:
            destroy_if_dynptr_stack_slot(env, frame, (-i - 1) >> 3)
    check_fastcall_stack_contract(env, frame, insn_idx, min_off)
    zero_used = False
    for i in range(min_off, max_off):
        if _maybe_write_byte(env, frame, i, zero, insn_idx):
            zero_used = True
    if zero_used and value_regno >= 0:
        mark_chain_precision(env, value_regno)


def _maybe_write_byte(env: Env, frame: Frame, off: int, zero: bool, insn_idx: int) -> bool:
    """One byte of a range that a store may hit.  True when it stays a known zero because a zero is written."""
    spi = (-off - 1) >> 3
    slot = frame.stack[spi]
    shift = 8 * (off & 7)
    kind = slot.types >> shift & 0xFF
    mark_stack_slot_scratched(env, spi)
    if not env.allow_ptr_leaks and kind != STACK_MISC and kind != STACK_ZERO:
        text = f"spilled ptr in range of var-offset stack write; insn {insn_idx}, ptr off: {off}"
        raise env.reject(EINVAL, "stack-var-write-spill", text)
    spilled = slot.spilled
    kept = zero and env.rules.spill_zero_and_unknown
    if kept and kind == STACK_SPILL and is_spilled_scalar_reg(slot) and spilled.mask == 0 and spilled.value == 0:
        return True
    types = slot.types
    lowest = types & 0xFF
    if lowest != STACK_INVALID and lowest != STACK_MISC and lowest != STACK_ZERO and env.rules.var_store_scrubs:
        types = scrubbed(types)
        kind = types >> shift & 0xFF
    stays_zero = zero and kind == STACK_ZERO
    if kind == STACK_INVALID and not env.allow_uninit_stack:
        text = f"uninit stack in range of var-offset write prohibited for !root; insn {insn_idx}, off: {off}"
        raise env.reject(EINVAL, "stack-var-write-uninit", text)
    byte = _LOW_BYTE << shift
    types = (types & (M64 ^ byte)) | ((_ZERO8 if stays_zero else _MISC8) & byte)
    frame.stack[spi] = make_slot(types, nothing_spilled())
    return stays_zero


def check_stack_read(env: Env, ptr_regno: int, off: int, size: int, dst_regno: int) -> None:
    """Load ``size`` bytes from R``ptr_regno`` + ``off`` into a register, or (-1) only see that they may be read."""
    regs = env.state.regs()
    reg = regs[ptr_regno]
    frame = env.state.frames[reg.frameno]
    if reg.mask == 0:
        check_stack_read_fixed_off(env, frame, s32((off + reg.value) & M64), size, dst_regno)
        return
    if dst_regno < 0:
        text = (
            "variable offset stack pointer cannot be passed into helper function; "
            f"var_off={env.tnum_str(reg.value, reg.mask)} off={off} size={size}\n"
        )
        raise env.reject(EACCES, "stack-var-off-helper", text, reg=ptr_regno)
    check_stack_range_initialized(env, ptr_regno, off, size, False, BPF_READ, None)
    min_off = s32((reg.smin + off) & M64)
    max_off = s32((reg.smax + off) & M64)
    _mark_reg_stack_read(env, frame, min_off, max_off + size, dst_regno)
    check_fastcall_stack_contract(env, frame, env.insn_idx, min_off)


def check_stack_read_fixed_off(env: Env, frame: Frame, off: int, size: int, dst_regno: int) -> None:
    """A load from inside one slot: the spilled register when it fits, else bytes."""
    spi = (-off - 1) >> 3
    slot = frame.stack[spi]
    types = slot.types
    if env.rules.stack_reads_shown:
        mark_stack_slot_scratched(env, spi)
    check_fastcall_stack_contract(env, env.state.frame(), env.insn_idx, off)
    mark_stack_read(env, frame.frameno, env.insn_idx, slot_bit(spi))
    if (types & 0xFF) != STACK_SPILL:
        _check_readable(env, types, off, size)
        if dst_regno >= 0:
            _mark_reg_stack_read(env, frame, off, off + size, dst_regno)
        return
    if size != 8 or types != _SPILL8:
        if size == 4 and dst_regno >= 0 and (off & 7) == 0 and _spill_size(types) == 4 and not slot.spilled.umax >> 32:
            _linked_fill(env, frame, spi)
        if not _fill_part(env, frame.stack[spi], off, size, dst_regno):
            return
    elif dst_regno >= 0:
        regs = env.state.regs()
        regs[dst_regno] = _linked_fill(env, frame, spi)
    else:
        spilled = slot.spilled
        if not env.allow_ptr_leaks and spilled.type != SCALAR_VALUE:
            raise env.reject(EACCES, "stack-leak", f"leaking pointer from stack off {off}\n")
    push_jmp_history(env, env.state, INSN_F_STACK_ACCESS | spi << INSN_F_SPI_SHIFT | frame.frameno, 0)


def _linked_fill(env: Env, frame: Frame, spi: int) -> Reg:
    """The register spilled in a slot, for one that it is copied to; a scalar with an id that both share, since 7.0."""
    slot = frame.stack[spi]
    reg = slot.spilled
    if env.rules.singular_ids_dropped and env.bpf_capable:
        reg = assign_scalar_id_before_mov(env, reg)
        if reg is not slot.spilled:
            frame.stack[spi] = make_slot(slot.types, reg)
    return reg


def _reads_unwritten(env: Env) -> bool:
    """May stack be read that was never written?"""
    return env.allow_uninit_stack and bool(env.rules.uninit_stack_reads)


def _check_readable(env: Env, types: int, off: int, size: int) -> None:
    """Bytes of a slot without a register: written ones may be read, untouched ones with CAP_PERFMON."""
    start = off & 7
    for i in range(size):
        kind = types >> (8 * (start + i)) & 0xFF
        if kind == STACK_MISC or kind == STACK_ZERO or (kind == STACK_INVALID and _reads_unwritten(env)):
            continue
        raise env.reject(EACCES, "stack-read", f"invalid read from stack off {off}+{i} size {size}\n")


def _spill_size(types: int) -> int:
    """How many bytes of the spilled register lie in the slot, from its start."""
    size = 1
    while size < 8 and (types >> (8 * size) & 0xFF) == STACK_SPILL:
        size += 1
    return size


def _fill_part(env: Env, slot: Slot, off: int, size: int, dst_regno: int) -> bool:
    """A load that is narrower than the spill, or beside its start.  True when the register itself came back."""
    reg = slot.spilled
    if reg.type != SCALAR_VALUE:
        verbose_linfo(env, env.insn_idx, "; ")
        raise env.reject(EACCES, "stack-fill-size", "invalid size of register fill\n")
    if dst_regno < 0:
        return False
    regs = env.state.regs()
    fits = size <= _spill_size(slot.types) if env.rules.narrow_fill else size == _spill_size(slot.types)
    if (off & 7) == 0 and fits:
        if size != 8 and reg.umax >> (8 * size) != 0 and reg.id and env.rules.narrow_fill:
            reg = reg.copy()
            reg.off, reg.id = 0, 0
        regs[dst_regno] = reg
        return True
    return _fill_bytes(env, slot, off, size, dst_regno)


def _fill_bytes(env: Env, slot: Slot, off: int, size: int, dst_regno: int) -> bool:
    regs = env.state.regs()
    spills = zeros = 0
    start = off & 7
    for i in range(size):
        kind = slot.types >> (8 * (start + i)) & 0xFF
        if kind == STACK_SPILL:
            spills += 1
        elif kind == STACK_ZERO:
            zeros += 1
        elif kind != STACK_MISC and (kind != STACK_INVALID or not _reads_unwritten(env)):
            raise env.reject(EACCES, "stack-read", f"invalid read from stack off {off}+{i} size {size}\n")
    reg = slot.spilled
    if not env.rules.spill_zero_and_unknown:
        regs[dst_regno] = any_scalar(env)
        return False
    if spills == size and reg.mask == 0 and reg.value == 0:
        regs[dst_regno] = zero_scalar(env)
        return True
    regs[dst_regno] = zero_scalar(env) if zeros == size else any_scalar(env)
    return False


def _mark_reg_stack_read(env: Env, frame: Frame, min_off: int, max_off: int, dst_regno: int) -> None:
    """What a load of some bytes in [min_off, max_off) gives: zero when all are known zeros, else anything."""
    regs = env.state.regs()
    for i in range(min_off, max_off):
        spi = (-i - 1) >> 3
        slot = frame.stack[spi]
        if env.rules.stack_reads_shown:
            mark_stack_slot_scratched(env, spi)
        if (slot.types >> (8 * (i & 7)) & 0xFF) != STACK_ZERO:
            regs[dst_regno] = any_scalar(env)
            return
    regs[dst_regno] = zero_scalar(env)
    if env.rules.precise_zero_bytes:
        reg = regs[dst_regno].copy()
        reg.precise = True
        regs[dst_regno] = reg
