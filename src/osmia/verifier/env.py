"""One verification: the program, the powers of who loads it, the path being walked, what was found, the log.

``Rejected`` is how every rule says no: the text is in the log already, the facts are in the exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from osmia.btf import Btf
from osmia.kernel.profile import Profile
from osmia.obj.model import Program
from osmia.verifier.bt import Backtrack
from osmia.verifier.errors import Rejected, Unsupported
from osmia.verifier.idmap import IdMap
from osmia.verifier.insn import VInsn
from osmia.verifier.log import Log
from osmia.verifier.maps import VMap
from osmia.verifier.rules import rules_of
from osmia.verifier.state import HistoryEntry, State
from osmia.verifier.text import tnum_strn, type_name

BPF_F_STRICT_ALIGNMENT, BPF_F_ANY_ALIGNMENT, BPF_F_TEST_STATE_FREQ = 1 << 0, 1 << 1, 1 << 3
BPF_F_SLEEPABLE, BPF_F_TEST_REG_INVARIANTS = 1 << 4, 1 << 7


@dataclass(frozen=True, slots=True)
class Powers:
    """What the loader may do (``bpf_allow_ptr_leaks`` and friends, include/linux/bpf.h)."""

    bpf: bool = True
    perfmon: bool = True
    net_admin: bool = True
    sys_admin: bool = True


class Subprog:
    """One function of the program, from slot ``start`` to the next one's start (``struct bpf_subprog_info``)."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.linfo_idx = 0
        self.postorder_start = 0
        self.stack_depth = 0
        self.stack_extra = 0
        self.fastcall_stack_off = 0
        self.has_tail_call = self.tail_call_reachable = self.has_ld_abs = False
        self.is_cb = self.is_async_cb = self.is_exception_cb = False
        self.args_cached = False
        self.keep_fastcall_stack = False
        self.changes_pkt_data = self.might_sleep = False
        self.priv_stack_mode = 0
        self.arg_cnt = 0
        self.args: list[Any] = []
        self.name = ""
        self.linkage = 0
        self.func_type_id = 0
        self.called = self.verified = self.unreliable = False


class Env:
    """The verifier's desk (``struct bpf_verifier_env``).

    ``insns`` holds every slot, or none of a program that is too long; ``subprogs`` the functions in order, without the
    kernel's closing entry: see ``subprog_end``.  ``scratched_regs`` and ``scratched_stack_slots`` mark what the next
    state line shows.
    """

    def __init__(self, program: Program, profile: Profile, powers: Powers, log: Log, btf: Btf | None = None) -> None:
        self.program = program
        self.profile = profile
        self.rules = rules_of(profile.features)
        self.powers = powers
        self.log = log
        self.vmlinux = btf
        self.n_insns = len(program.insns)
        judged = program.insns if self.n_insns <= profile.limit("max_insns") else ()
        self.insns: list[VInsn] = [VInsn(i, insn) for i, insn in enumerate(judged)]
        self.maps: list[VMap] = [VMap(spec) for spec in program.maps]
        self.used_maps: list[VMap] = []
        self.subprogs: list[Subprog] = []
        self.prog_type = program.prog_type
        self.allow_ptr_leaks = powers.perfmon
        self.allow_uninit_stack = powers.perfmon
        self.bypass_spec_v1 = powers.perfmon
        self.bypass_spec_v4 = powers.perfmon
        self.bpf_capable = powers.bpf
        self.sleepable = bool(program.flags & BPF_F_SLEEPABLE)
        self.strict_alignment = bool(program.flags & BPF_F_STRICT_ALIGNMENT) and not program.flags & BPF_F_ANY_ALIGNMENT
        self.test_state_freq = powers.bpf and bool(program.flags & BPF_F_TEST_STATE_FREQ)
        self.test_reg_invariants = bool(program.flags & BPF_F_TEST_REG_INVARIANTS)
        self.explore_alu_limits = self.seen_direct_write = self.seen_exception = False
        self.exception_callback_subprog = 0
        self.insn_idx = self.prev_insn_idx = 0
        self.state: State = State()
        self.stack: list[Any] = []
        self.explored: list[list[State] | None] = [None] * len(self.insns)
        self.idmap = IdMap()
        self.cur_hist_ent: HistoryEntry | None = None
        self.bt = Backtrack()
        self.id_gen = 0
        self.pass_cnt = 0
        self.prev_insn_processed = self.insn_processed = 0
        self.prev_jmps_processed = self.jmps_processed = 0
        self.max_states_per_insn = self.total_states = self.peak_states = 0
        self.free_list_size = self.explored_states_size = self.num_backedges = 0
        self.longest_mark_read_walk = 0
        self.scratched_regs = 0
        self.scratched_stack_slots = 0
        self.prev_log_pos = self.prev_insn_print_pos = 0
        self.prev_linfo: Any = None
        self.insn_postorder: list[int] = []
        self.scc_cnt = 0
        self.scc_info: dict[tuple[int, tuple[int, ...]], Any] = {}
        self.live_stack: Any = None
        self.facts: Any = None
        self.room: dict[str, Any] = {}

    def say(self, text: str) -> None:
        """Into the log, at any level (the kernel's ``verbose()``)."""
        if self.log.level:
            self.log.write(text)

    def reject(
        self, errno: int, kind: str, text: str, reg: int = -1, expected: Any = None, found: Any = None
    ) -> Rejected:
        """Say why and make the exception: ``raise env.reject(EACCES, "uninit-reg", f"R{n} !read_ok\\n", reg=n)``.

        ``kind`` is a short lasting name of the rule; ``text`` is the kernel's, with its newline.
        """
        self.say(text)
        return Rejected(errno, kind, text.strip(), self.insn_idx, reg, expected, found)

    def type_str(self, type: int) -> str:
        """How this kernel's log names a register type."""
        return type_name(self.rules, type)

    def tnum_str(self, value: int, mask: int) -> str:
        """How this kernel's log writes a tnum."""
        return tnum_strn(value, mask) if self.rules.short_numbers else f"({value:#x}; {mask:#x})"

    def unsupported(self, feature: str) -> Unsupported:
        """The rule is not built yet: no verdict is better than a guess."""
        return Unsupported(feature)

    def subprog_end(self, number: int) -> int:
        """The slot behind a function's last one."""
        following = number + 1
        return self.subprogs[following].start if following < len(self.subprogs) else self.n_insns

    def find_subprog(self, slot: int) -> int:
        """The number of the function that starts at a slot; -1 if none does."""
        for number, subprog in enumerate(self.subprogs):
            if subprog.start == slot:
                return number
        return -1
