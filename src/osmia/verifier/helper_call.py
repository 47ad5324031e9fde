"""The call of a helper: may this program call it with these registers, and what does it leave behind?

(``check_helper_call`` in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.uapi import PROG_TYPE
from osmia.verifier.btf_access import GPL
from osmia.verifier.callbacks import call_back, resume_callback
from osmia.verifier.const_arg import check_bpf_snprintf_call
from osmia.verifier.dynptr import check_dynptr_data_source, known_dynptr, unmark_stack_slots_dynptr
from osmia.verifier.helper_proto import helper_text
from osmia.verifier.helper_where import is_allowed_here
from osmia.verifier.kptrs import release_into_map
from osmia.verifier.live_marks import mark_regs_written
from osmia.verifier.map_compat import check_map_func_compatibility

if not cython.compiled:
    from osmia.verifier.backtrack import mark_chain_precision
    from osmia.verifier.call_meta import CallMeta
    from osmia.verifier.consts import (
        ARG_PTR_TO_DYNPTR,
        BASE_TYPE_MASK,
        BPF_WRITE,
        DYNPTR_TYPE_SKB,
        DYNPTR_TYPE_SKB_META,
        DYNPTR_TYPE_XDP,
        PTR_TO_MEM,
        PTR_TO_PACKET,
        PTR_TO_PACKET_END,
        PTR_TO_PACKET_META,
        SCALAR_VALUE,
        STACK_SPILL,
    )
    from osmia.verifier.env import Env
    from osmia.verifier.helper_args import check_func_arg, register_is_null
    from osmia.verifier.helper_offer import get_helper_proto
    from osmia.verifier.helper_proto import HelperRule
    from osmia.verifier.helper_return import set_return
    from osmia.verifier.insn import VInsn
    from osmia.verifier.marks import UNREADABLE
    from osmia.verifier.memory import check_mem_access
    from osmia.verifier.refs import check_resource_leak, invalid_reg, release_reference
    from osmia.verifier.regs import Reg
    from osmia.verifier.state import Slot

ENOTSUPP = 524
TAIL_CALL, GET_LOCAL_STORAGE, SNPRINTF, GET_FUNC_IP, SET_RETVAL = 12, 81, 165, 173, 187
PER_CPU_PTR, THIS_CPU_PTR = 153, 154
KPTR_XCHG, DYNPTR_FROM_MEM, DYNPTR_WRITE, DYNPTR_DATA = 194, 197, 202, 203
SKB_DYNPTR, SKB_META_DYNPTR = 3, 5  # kinds of dynptrs into a packet that moves when it is written
PROG_ARRAY = 3
KEY_SEEN = 1 << 63
KEY_POISON = 1 << 62
TRAMPOLINES = ("trace_fentry", "trace_fexit", "modify_return")


def check_helper_call(env: Env, insn: VInsn) -> None:
    """Apply a helper call to the current state.  Raises Rejected."""
    func_id = insn.imm
    rule = get_helper_proto(env, func_id)
    if rule is None:
        name = helper_text(env, func_id)
        if not 0 <= func_id <= env.profile.limit("helpers"):
            raise env.reject(EINVAL, "unknown-helper", f"invalid func {name}#{func_id}\n", found=func_id)
        if not env.rules.helper_offer_told:
            raise env.reject(EINVAL, "helper-not-offered", f"unknown func {name}#{func_id}\n", found=name)
        text = f"program of this type cannot use helper {name}#{func_id}\n"
        raise env.reject(EINVAL, "helper-not-offered", text, found=name)
    _check_allowed(env, rule)
    meta = CallMeta(rule.id)
    meta.pkt_access = rule.pkt_access
    for arg in range(rule.n_args):
        check_func_arg(env, arg, meta, rule, env.insn_idx)
    if rule.records_map:
        record_func_map(env, insn, meta, rule)
    for i in range(meta.access_size):
        check_mem_access(env, env.insn_idx, meta.regno, i, 1, BPF_WRITE, -1, False, False)
    if meta.release_regno:
        _release(env, meta, rule)
    if rule.special:
        _check_special(env, insn, meta, rule)
    frame = env.state.frame()
    clear_caller_saved_regs(env, frame.regs)
    set_return(env, meta, rule)
    check_map_func_compatibility(env, meta.map, func_id)
    if rule.special:
        resume_callback(env)
    if rule.id == GET_FUNC_IP:
        _check_get_func_ip(env)
    if rule.changes_pkt_data or meta.changes_data:
        clear_all_pkt_pointers(env)


def _check_allowed(env: Env, rule: HelperRule) -> None:
    """Licence, attach target, sleeping."""
    if rule.gpl_only and env.program.license not in GPL:
        text = "cannot call GPL-restricted function from non-GPL compatible program\n"
        raise env.reject(EINVAL, "helper-gpl", text, found=rule.name)
    if not is_allowed_here(env, rule.name, rule.id):
        raise env.reject(EINVAL, "helper-refused", "helper call is not allowed in probe\n", found=rule.name)
    if not rule.might_sleep:
        return
    state = env.state
    if not state.in_sleepable:
        text = "helper call might sleep in a non-sleepable prog\n"
        raise env.reject(EINVAL, "helper-sleeps", text, found=rule.name)
    name = f"sleepable helper {rule.name}#{rule.id}"
    if state.active_rcu_lock:
        raise env.reject(EINVAL, "helper-sleeps", f"{name} in rcu_read_lock region\n", found=rule.name)
    if state.active_preempt_locks:
        raise env.reject(EINVAL, "helper-sleeps", f"{name} in non-preemptible region\n", found=rule.name)
    if state.active_irq_id:
        raise env.reject(EINVAL, "helper-sleeps", f"{name} in IRQ-disabled region\n", found=rule.name)


def record_func_map(env: Env, insn: VInsn, meta: CallMeta, rule: HelperRule) -> None:
    """Note which map the call has, whether it is always the same, and a tail call's index.  Raises Rejected."""
    map = meta.map
    assert map is not None  # ARG_CONST_MAP_PTR took a register of type CONST_PTR_TO_MAP only
    if rule.writes_map and map.flags & 0x80:
        raise env.reject(EACCES, "map-read-only", "write into map forbidden\n")
    if insn.map_ptr is not None and insn.map_ptr is not map:
        insn.map_ptr_poison = True
    insn.map_ptr = map
    insn.map_ptr_unpriv = insn.map_ptr_unpriv or not env.bypass_spec_v1
    if rule.id == TAIL_CALL:
        _record_func_key(env, insn, meta)


def _record_func_key(env: Env, insn: VInsn, meta: CallMeta) -> None:
    """A tail call by a constant index relies on it."""
    map = meta.map
    if map is None or map.type != PROG_ARRAY:
        raise env.reject(EINVAL, "tail-call-map", "expected prog array map for tail call")
    reg = env.state.regs()[3]
    if reg.type != SCALAR_VALUE or reg.mask or reg.value >= map.max_entries:
        insn.map_key_state = KEY_SEEN | KEY_POISON
        return
    mark_chain_precision(env, 3)
    seen = insn.map_key_state
    if not seen & KEY_SEEN:
        insn.map_key_state = KEY_SEEN | reg.value
    elif seen != KEY_SEEN | reg.value:
        insn.map_key_state = KEY_SEEN | KEY_POISON


def _release(env: Env, meta: CallMeta, rule: HelperRule) -> None:
    """The reference that was passed is gone, and every register that came from it."""
    reg = env.state.regs()[meta.release_regno]
    spec = rule.args[meta.release_regno - 1]
    if spec.base == ARG_PTR_TO_DYNPTR:
        released = unmark_stack_slots_dynptr(env, reg)
    elif rule.id == KPTR_XCHG and meta.ref_obj_id:
        released = release_into_map(env, meta.ref_obj_id)
    elif meta.ref_obj_id:
        released = release_reference(env, meta.ref_obj_id)
    else:
        released = register_is_null(reg) and bool(env.rules.release_args)
    if not released:
        text = f"func {rule.name}#{rule.id} reference has not been acquired before\n"
        raise env.reject(EINVAL, "release-not-held", text)


def _check_special(env: Env, insn: VInsn, meta: CallMeta, rule: HelperRule) -> None:
    """Rules of single helpers."""
    regs = env.state.regs()
    if rule.id == TAIL_CALL:
        check_resource_leak(env, False, True, "tail_call")
    elif rule.id == GET_LOCAL_STORAGE:
        if not register_is_null(regs[2]):
            text = "get_local_storage() doesn't support non-zero flags\n"
            raise env.reject(EINVAL, "local-storage-flags", text, reg=2)
    elif rule.id == SNPRINTF:
        check_bpf_snprintf_call(env, regs[3], regs[5])
    elif rule.id == SET_RETVAL:
        if env.prog_type == "lsm" and env.program.expected_attach_type == "lsm_cgroup":
            _check_void_hook(env)
    elif rule.id == DYNPTR_FROM_MEM:
        check_dynptr_data_source(env)
    elif rule.id == DYNPTR_DATA or rule.id == DYNPTR_WRITE:
        _note_dynptr(env, meta, regs[1])
    elif rule.id != GET_FUNC_IP and rule.id != PER_CPU_PTR and rule.id != THIS_CPU_PTR:
        call_back(env, insn, meta)


def _check_void_hook(env: Env) -> None:
    """What a void hook returns can't be changed.  Raises Rejected."""
    proto = env.room.get("attach_proto")
    if proto is not None and not proto.type_id:
        text = "BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!\n"
        raise env.reject(EINVAL, "set-retval-void", text, reg=1)


def _note_dynptr(env: Env, meta: CallMeta, reg: Reg) -> None:
    """Memory found through a dynptr lives as long as that; a write through one may move the packet."""
    known = known_dynptr(env, reg)
    assert known is not None  # the argument was judged to be a dynptr
    if meta.func_id == DYNPTR_DATA:
        meta.dynptr_id, meta.ref_obj_id = known.id, known.ref_obj_id
    else:
        meta.changes_data = known.dynptr_type == SKB_DYNPTR or known.dynptr_type == SKB_META_DYNPTR


def _check_get_func_ip(env: Env) -> None:
    """Only where there is a function to speak of."""
    name = f"func bpf_get_func_ip#{GET_FUNC_IP}"
    if env.prog_type == "tracing":
        if env.program.expected_attach_type not in TRAMPOLINES:
            text = f"{name} supported only for fentry/fexit/fmod_ret programs\n"
            raise env.reject(ENOTSUPP, "get-func-ip", text)
    elif env.prog_type != "kprobe":
        text = f"{name} not supported for program type {PROG_TYPE[env.prog_type]}\n"
        raise env.reject(ENOTSUPP, "get-func-ip", text)


def clear_caller_saved_regs(env: Env, regs: list[Reg]) -> None:
    """A call forgets R0 to R5."""
    for i in range(6):
        regs[i] = UNREADABLE
    env.scratched_regs |= 0x3F
    if env.live_stack is None:
        mark_regs_written(env, regs, 6)


def clear_all_pkt_pointers(env: Env) -> None:
    """Packet data may have moved: no pointer into it holds, in any frame."""
    state = env.state
    for frame in state.frames:
        _clear_regs(env, frame.regs)
        _clear_slots(env, frame.stack)


def _is_pkt_pointer(reg: Reg) -> bool:
    """Into the packet itself, or a part of it that a dynptr gave."""
    if (reg.type & BASE_TYPE_MASK) == PTR_TO_MEM:
        return (reg.type & (DYNPTR_TYPE_SKB | DYNPTR_TYPE_XDP | DYNPTR_TYPE_SKB_META)) != 0
    return reg.type == PTR_TO_PACKET or reg.type == PTR_TO_PACKET_META or reg.type == PTR_TO_PACKET_END


def _clear_regs(env: Env, regs: list[Reg]) -> None:
    for i in range(len(regs)):
        reg = regs[i]
        if _is_pkt_pointer(reg):
            regs[i] = invalid_reg(env)


def _clear_slots(env: Env, stack: list[Slot]) -> None:
    for i in range(len(stack)):
        slot = stack[i]
        if slot.type_at(7) == STACK_SPILL:
            reg = slot.spilled
            if _is_pkt_pointer(reg):
                stack[i] = slot.with_spilled(invalid_reg(env))
