"""How many bytes of the packet may be touched: learned by comparing a packet pointer with the packet's end.

(``find_good_pkt_pointers``, ``mark_pkt_end``, ``try_match_pkt_pointers`` in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.consts import MAX_PACKET_OFF, PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META
    from osmia.verifier.insn import VInsn
    from osmia.verifier.refine import AT_PKT_END, BEYOND_PKT_END, JGE, JGT, JLE, JLT, flip_opcode
    from osmia.verifier.regs import Reg
    from osmia.verifier.slots import is_spilled_reg, make_slot
    from osmia.verifier.state import Frame, State


def find_good_pkt_pointers(state: State, pkt: Reg, type: int, range_right_open: bool, whole: bool) -> None:
    """``pkt`` lies before the packet's end, or at most at it (unless ``range_right_open``): its fellows may go so far.

    Fellows are the pointers of the same ``type`` and id: they share the variable part, and with it the range.
    With ``whole`` the pointer's whole distance counts, not only the fixed part.
    """
    fixed = pkt.off
    if whole:
        if pkt.umax > MAX_PACKET_OFF:
            return
        fixed = pkt.umax
    if pkt.off < 0 or (fixed == 0 and range_right_open):
        return
    if pkt.umax > MAX_PACKET_OFF or pkt.umax + pkt.off > MAX_PACKET_OFF:
        return
    reach = fixed + 1 if range_right_open else fixed
    level = 0
    while level <= state.curframe:
        _extend_frame(state.frames[level], type, pkt.id, reach)
        level += 1


def _extend_frame(frame: Frame, type: int, id: int, reach: int) -> None:
    regs = frame.regs
    for i in range(10):
        reg = regs[i]
        if reg.type == type and reg.id == id and reg.range < reach:
            regs[i] = _with_range(reg, reach)
    stack = frame.stack
    for i in range(len(stack)):
        slot = stack[i]
        reg = slot.spilled
        if reg.type == type and reg.id == id and reg.range < reach and is_spilled_reg(slot):
            stack[i] = make_slot(slot.types, _with_range(reg, reach))


def _with_range(reg: Reg, reach: int) -> Reg:
    new = reg.copy()
    new.range = reach
    return new


def mark_pkt_end(state: State, regno: int, range_open: bool) -> None:
    """Register ``regno`` of the innermost frame lies at the packet's end or beyond; surely beyond if ``range_open``."""
    frame = state.frames[state.curframe]
    reg = frame.regs[regno]
    if reg.type == PTR_TO_PACKET:
        frame.regs[regno] = _with_range(reg, BEYOND_PKT_END if range_open else AT_PKT_END)


def try_match_pkt_pointers(
    insn: VInsn, dst: Reg, src: Reg, this_branch: State, other_branch: State, whole: bool
) -> bool:  # fmt: skip
    """A packet pointer against the packet's end, or one into the metadata against its start: both branches learn.

    False when the comparison is another one.
    """
    if insn.code & 0x0F != 0x0D:
        return False
    opcode = insn.code & 0xF0
    if _is_pkt_before_end(dst, src):
        pkt, regno = dst, insn.dst
    elif _is_pkt_before_end(src, dst):
        pkt, regno = src, insn.src
        opcode = flip_opcode(opcode)
    else:
        return False
    if opcode != JGT and opcode != JLT and opcode != JGE and opcode != JLE:
        return False
    inside, outside = this_branch, other_branch
    if opcode == JLT or opcode == JLE:
        inside, outside = other_branch, this_branch
    right_open = opcode == JLT or opcode == JGE
    find_good_pkt_pointers(inside, pkt, pkt.type, right_open, whole)
    mark_pkt_end(outside, regno, not right_open)
    return True


def _is_pkt_before_end(pkt: Reg, end: Reg) -> bool:
    if pkt.type == PTR_TO_PACKET:
        return end.type == PTR_TO_PACKET_END
    start = end.type == PTR_TO_PACKET and end.id == 0 and end.off == 0 and end.value == 0 and end.mask == 0
    return pkt.type == PTR_TO_PACKET_META and start
