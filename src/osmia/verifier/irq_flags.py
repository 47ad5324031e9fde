"""Interrupts switched off: the flags that ``bpf_local_irq_save`` keeps on the stack, given back in reverse order.

(``process_irq_flag``, ``mark_stack_slot_irq_flag``, ``acquire_irq_state`` and neighbours in kernel/bpf/verifier.c;
Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL, ERANGE

from osmia.verifier.arg_names import arg_name
from osmia.verifier.consts import BPF_WRITE, PTR_TO_STACK, REF_TYPE_IRQ, STACK_IRQ_FLAG
from osmia.verifier.dynptr_slots import stack_slot_obj_get_spi
from osmia.verifier.env import Env
from osmia.verifier.kfunc_meta import KfuncMeta
from osmia.verifier.memory import check_mem_access
from osmia.verifier.regs import Reg, pointer
from osmia.verifier.stack_objects import (
    clear_slot,
    has_any,
    is_full_of,
    mark_object_read,
    put_slot,
)
from osmia.verifier.state import Ref, State

NATIVE, LOCK = 0, 1
CLASS_NAMES = {NATIVE: "native", LOCK: "lock"}
SAVES = {"bpf_local_irq_save": NATIVE, "bpf_res_spin_lock_irqsave": LOCK}
RESTORES = {"bpf_local_irq_restore": NATIVE, "bpf_res_spin_unlock_irqrestore": LOCK}
KIND = "irq_flag"


def process_irq_flag(env: Env, regno: int, meta: KfuncMeta) -> None:
    """The flags argument of a call that switches interrupts off or on again.  Raises Rejected."""
    name = meta.desc.name
    reg = env.state.regs()[regno]
    if name in SAVES:
        _save(env, regno, reg, SAVES[name])
    else:
        _restore(env, regno, reg, RESTORES[name])


def _save(env: Env, regno: int, reg: Reg, kind: int) -> None:
    spi = stack_slot_obj_get_spi(env, reg, KIND, 1)
    frame = env.state.frames[reg.frameno]
    if spi != -ERANGE and (spi < 0 or has_any(frame.stack[spi], STACK_IRQ_FLAG)):
        text = f"expected uninitialized irq flag as {arg_name(env, regno - 1)}\n"
        raise env.reject(EINVAL, "irq-flag-in-use", text, reg=regno)
    check_mem_access(env, env.insn_idx, regno, 0, 8, BPF_WRITE, -1, False, False)
    spi = stack_slot_obj_get_spi(env, reg, KIND, 1)
    if spi < 0:
        raise env.reject(-spi, "irq-flag-place", "", reg=regno)
    made = pointer(PTR_TO_STACK)
    made.ref_obj_id = acquire_irq_state(env, env.insn_idx)
    made.irq_class = kind
    put_slot(env, frame, spi, STACK_IRQ_FLAG, made)


def _restore(env: Env, regno: int, reg: Reg, kind: int) -> None:
    spi = stack_slot_obj_get_spi(env, reg, KIND, 1)
    frame = env.state.frames[reg.frameno]
    slot = frame.stack[spi] if spi >= 0 else None
    if slot is None or not slot.spilled.ref_obj_id or not is_full_of(slot, STACK_IRQ_FLAG):
        text = f"expected an initialized irq flag as {arg_name(env, regno - 1)}\n"
        raise env.reject(EINVAL, "irq-flag-uninit", text, reg=regno)
    mark_object_read(env, reg.frameno, spi, 1)
    flag = slot.spilled
    if flag.irq_class != kind:
        text = (
            f"irq flag acquired by {CLASS_NAMES[flag.irq_class]} kfuncs cannot be restored with "
            f"{CLASS_NAMES[kind]} kfuncs\n"
        )
        raise env.reject(EINVAL, "irq-flag-class", text, reg=regno)
    if not release_irq_state(env.state, flag.ref_obj_id):
        expected = env.state.active_irq_id
        since = next((ref.insn_idx for ref in env.state.refs if ref.id == expected), 0)
        text = f"cannot restore irq state out of order, expected id={expected} acquired at insn_idx={since}\n"
        raise env.reject(EACCES, "irq-flag-order", text, reg=regno)
    clear_slot(env, frame, spi)


def acquire_irq_state(env: Env, insn_idx: int) -> int:
    """Interrupts are off from here on; the id of the flags."""
    state = env.state
    env.id_gen += 1
    state.refs = [*state.refs, Ref(REF_TYPE_IRQ, env.id_gen, insn_idx)]
    state.acquired_refs += 1
    state.active_irq_id = env.id_gen
    return env.id_gen


def release_irq_state(state: State, id: int) -> bool:
    """Back to what was before; False unless the flags are those saved last."""
    if id != state.active_irq_id:
        return False
    before = 0
    for index, ref in enumerate(state.refs):
        if ref.type != REF_TYPE_IRQ:
            continue
        if ref.id == id:
            state.refs = state.refs[:index] + state.refs[index + 1 :]
            state.acquired_refs -= 1
            state.active_irq_id = before
            return True
        before = ref.id
    return False
