"""One instruction slot with everything the verifier notes about it (``struct bpf_insn``, ``bpf_insn_aux_data``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osmia.isa import Insn

if TYPE_CHECKING:
    from osmia.verifier.maps import VMap


class VInsn:
    """``insn`` is the slot as the user gave it; code, registers, off and imm are its fields (off and imm signed).

    Found before the walk: ``jmp_point``, ``prune_point``, ``force_checkpoint``, ``calls_callback``,
    ``is_iter_next``, ``scc``, ``live_regs_before``, ``fastcall_pattern``, ``fastcall_spills_num``; for a 64-bit load
    ``map``, ``map_off``, or ``btf_reg_type`` with ``btf``, ``btf_id``, ``mem_size``.  Noted on the way: ``seen``,
    ``nospec``, ``nospec_result``, ``ptr_type``, ``alu_state``, ``alu_limit``, ``map_key_state``,
    ``map_ptr`` of a helper call.
    """

    map: VMap | None

    def __init__(self, idx: int, insn: Insn) -> None:
        self.idx = idx
        self.insn = insn
        self.code, self.dst, self.src, self.off, self.imm = insn
        self.jmp_point = self.prune_point = self.force_checkpoint = self.calls_callback = self.is_iter_next = False
        self.scc = self.live_regs_before = 0
        self.fastcall_pattern = False
        self.fastcall_spills_num = 0
        self.map = None
        self.map_off = self.btf_reg_type = self.btf_id = self.mem_size = 0
        self.btf: Any = None
        self.seen = self.ptr_type = self.alu_state = self.alu_limit = self.map_key_state = 0
        self.nospec = self.nospec_result = False
        self.map_ptr: Any = None
        self.map_ptr_poison = self.map_ptr_unpriv = False
        self.notes: Any = None

    def __repr__(self) -> str:
        return f"<VInsn {self.idx}: {self.insn!r}>"
