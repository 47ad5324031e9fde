"""Instructions that may end a function besides its exit: a tail call that succeeds, a packet load that fails.

Inside a called function both are walked twice: back in the caller at once, and behind the instruction later
(``check_helper_call`` and ``check_ld_abs``, kernel/bpf/verifier.c; Linux 6.18.44).
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.env import Env
    from osmia.verifier.func_call import prepare_func_exit
    from osmia.verifier.helper_call import clear_all_pkt_pointers
    from osmia.verifier.live_stack import update_live_stack
    from osmia.verifier.marks import mark_reg_known_zero, mark_reg_scratched, mark_reg_unknown
    from osmia.verifier.paths import push_stack


def tail_call_exit(env: Env) -> None:
    """The caller goes on with whatever the other program returned, and did to the packet.  Raises Rejected."""
    mark_reg_scratched(env, 0)
    push_stack(env, env.insn_idx + 1, env.insn_idx, False)
    clear_all_pkt_pointers(env)
    mark_reg_unknown(env, env.state.regs(), 0)
    return_early(env)
    clear_all_pkt_pointers(env)


def ld_abs_exit(env: Env) -> None:
    """The caller goes on with 0.  Raises Rejected."""
    mark_reg_scratched(env, 0)
    push_stack(env, env.insn_idx + 1, env.insn_idx, False)
    mark_reg_known_zero(env, env.state.regs(), 0)
    return_early(env)


def return_early(env: Env) -> None:
    """Out of the function; ``insn_idx`` is at the call, and whoever called us moves it on."""
    update_live_stack(env)
    prepare_func_exit(env)
    env.insn_idx -= 1
