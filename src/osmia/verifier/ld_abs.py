"""Classic packet loads (``LD_ABS``, ``LD_IND``): a call in disguise that reads through the context in R6 into R0.

Source: ``check_ld_abs`` in kernel/bpf/verifier.c of Linux 6.18.
"""

from __future__ import annotations

from errno import EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.isa.consts import BPF_ABS, BPF_IND
    from osmia.verifier.consts import PTR_TO_CTX
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.marks import check_reg_arg, mark_reg_not_init, mark_reg_unknown
    from osmia.verifier.refs import check_resource_leak
    from osmia.verifier.regions import check_ptr_off_reg

SRC_OP, DST_OP_NO_MARK = 0, 2
CTX_REG = 6
_SKB_TYPES = ("socket_filter", "sched_cls", "sched_act")


def check_ld_abs(env: Env, insn: VInsn) -> None:
    """May this program load so, and is R6 its context?  Forgets R1 to R5.  Raises Rejected."""
    if env.prog_type not in _SKB_TYPES:
        text = "BPF_LD_[ABS|IND] instructions not allowed for this program type\n"
        raise env.reject(EINVAL, "ld-abs-type", text)
    mode = insn.code & 0xE0
    if insn.dst != 0 or insn.off != 0 or (insn.code & 0x18) == 0x18 or (mode == BPF_ABS and insn.src != 0):
        raise env.reject(EINVAL, "reserved-fields", "BPF_LD_[ABS|IND] uses reserved fields\n")
    check_reg_arg(env, CTX_REG, SRC_OP)
    check_resource_leak(env, False, True, "BPF_LD_[ABS|IND]")
    regs = env.state.regs()
    reg = regs[CTX_REG]
    if reg.type != PTR_TO_CTX:
        text = "at the time of BPF_LD_ABS|IND R6 != pointer to skb\n"
        raise env.reject(EINVAL, "ld-abs-ctx", text, reg=CTX_REG)
    if mode == BPF_IND:
        check_reg_arg(env, insn.src, SRC_OP)
    check_ptr_off_reg(env, reg, CTX_REG)
    for regno in range(6):
        mark_reg_not_init(env, regs, regno)
        check_reg_arg(env, regno, DST_OP_NO_MARK)
    mark_reg_unknown(env, regs, 0)
