"""Classic BPF into eBPF, as the kernel itself does when a filter is attached (net/core/filter.c).

Registers: A is r0, X is r7, the context r6; r8 keeps A while a header length is loaded; M[] is on the stack.
The program is one of type socket_filter (or sched_cls): packet loads become the eBPF packet loads, which end the
program with 0 outside the packet and understand SKF_NET_OFF and SKF_LL_OFF; the extensions become loads from
``__sk_buff`` and helper calls.  Comparisons use the 32-bit jumps of Linux 5.1.

Four extensions have no counterpart that a program can reach, and raise AsmError: ``hatype`` (the device's type is
not in ``__sk_buff``), ``poff`` (needs the flow dissector), ``nla`` and ``nlan`` (a search of netlink attributes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from osmia.asm import classic_insn as ci
from osmia.asm.classic_check import SECCOMP_DATA_SIZE, Flavour, check
from osmia.asm.classic_insn import ANCILLARY_BY_OFFSET, SockFilter
from osmia.errors import AsmError
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa import macros as m

A, X, CTX, TMP, SAVED = 0, 7, 6, 2, 8
SK_BUFF = {"len": 0, "pkt_type": 4, "mark": 8, "queue_mapping": 12, "protocol": 16, "vlan_present": 20, "vlan_tci": 24,
           "vlan_proto": 28, "ifindex": 40, "hash": 68}  # fmt: skip
"""Byte offsets of fields of ``struct __sk_buff`` (include/uapi/linux/bpf.h)."""
_IMPOSSIBLE = {
    "hatype": "__sk_buff does not hold the device's hardware type",
    "poff": "eBPF has no helper for the payload's offset",
    "nla": "eBPF has no helper that searches netlink attributes",
    "nlan": "eBPF has no helper that searches nested netlink attributes",
}
GET_PRANDOM_U32, GET_SMP_PROCESSOR_ID = 7, 8
_INVERSE = {c.BPF_JEQ: c.BPF_JNE, c.BPF_JGT: c.BPF_JLE, c.BPF_JGE: c.BPF_JLT}
_RETURN_0 = (m.BPF_MOV32_IMM(A, 0), m.BPF_EXIT_INSN())


def to_ebpf(filters: Sequence[SockFilter], flavour: Flavour = "socket") -> list[Insn]:
    """The eBPF program that does what the filter does; instructions that nothing reaches are left out.

    ``flavour="seccomp"``: the context is ``struct seccomp_data`` and loads read its words.
    Raises AsmError, with the number of the instruction, for a filter that the kernel would refuse or an extension
    that eBPF can't reach.
    """
    check(filters, flavour)
    live = reachable(filters)
    bodies = {at: _body(filters[at], at, flavour) for at in sorted(live)}
    starts, where = {}, 3
    for at, body in bodies.items():
        starts[at], where = where, where + len(body) + _jump_size(filters[at])
    program = [m.BPF_MOV64_REG(CTX, 1), m.BPF_MOV32_IMM(A, 0), m.BPF_MOV32_IMM(X, 0)]
    for at, body in bodies.items():
        program += body
        program += _jumps(filters[at], at, len(program), starts)
    return program


def reachable(filters: Sequence[SockFilter]) -> set[int]:
    """The instructions that some way from the first one reaches (all jumps lead forward)."""
    found = {0}
    for at, insn in enumerate(filters):
        if at not in found or insn.code & 7 == ci.BPF_RET:
            continue
        if insn.code == ci.JA:
            found.add(at + 1 + insn.k)
        elif insn.code & 7 == c.BPF_JMP:
            found |= {at + 1 + insn.jt, at + 1 + insn.jf}
        else:
            found.add(at + 1)
    return found


def _jump_size(insn: SockFilter) -> int:
    if insn.code & 7 != c.BPF_JMP:
        return 0
    both = insn.code != ci.JA and insn.jt and insn.jf and insn.jt != insn.jf
    jset = insn.code & 0xF0 == c.BPF_JSET and insn.jt == 0 and insn.jf
    return 2 if both or jset else 1


def _jumps(insn: SockFilter, at: int, slot: int, starts: dict[int, int]) -> Iterator[Insn]:
    """The jump or jumps that end this instruction, the first of them at ``slot``."""
    if insn.code & 7 != c.BPF_JMP:
        return
    if insn.code == ci.JA or insn.jt == insn.jf:
        distance = insn.k if insn.code == ci.JA else insn.jt
        yield m.BPF_JMP_A(starts[at + 1 + distance] - slot - 1)
        return
    true, false = starts[at + 1 + insn.jt], starts[at + 1 + insn.jf]
    op = insn.code & 0xF0
    if insn.jt == 0 and op in _INVERSE:
        yield _compare(insn, _INVERSE[op], false - slot - 1)
        return
    yield _compare(insn, op, true - slot - 1)
    if insn.jf:
        yield m.BPF_JMP_A(false - slot - 2)


def _compare(insn: SockFilter, op: int, off: int) -> Insn:
    if insn.code & c.BPF_X:
        return m.BPF_JMP32_REG(op, A, X, off)
    return m.BPF_JMP32_IMM(op, A, insn.k, off)


def _body(insn: SockFilter, at: int, flavour: Flavour) -> list[Insn]:
    """What comes before the jumps of an instruction: all of it, if it is no jump."""
    cls = insn.code & 7
    if cls == c.BPF_JMP:
        return []
    if cls == c.BPF_ALU:
        return _alu(insn)
    if cls == c.BPF_LD and ci.is_abs(insn.code):
        return _word(insn) if flavour == "seccomp" else _absolute(insn, at)
    return _PLAIN[insn.code](insn, SECCOMP_DATA_SIZE if flavour == "seccomp" else None)


def _alu(insn: SockFilter) -> list[Insn]:
    op = insn.code & 0xF0
    if op == c.BPF_NEG:
        return [m.BPF_ALU32_IMM(c.BPF_NEG, A, 0)]
    if not insn.code & c.BPF_X:
        return [m.BPF_ALU32_IMM(op, A, insn.k)]
    guard = [m.BPF_JMP32_IMM(c.BPF_JNE, X, 0, 2), *_RETURN_0] if op in (c.BPF_DIV, c.BPF_MOD) else []
    return [*guard, m.BPF_ALU32_REG(op, A, X)]


def _word(insn: SockFilter) -> list[Insn]:
    return [m.BPF_LDX_MEM(c.BPF_W, A, CTX, insn.k)]


def _absolute(insn: SockFilter, at: int) -> list[Insn]:
    name = ANCILLARY_BY_OFFSET.get(insn.k)
    if name is None:
        return [m.BPF_LD_ABS(insn.code & 0x18, insn.k)]
    if name in _IMPOSSIBLE:
        raise AsmError(f"#{name} can't be had in eBPF: {_IMPOSSIBLE[name]}", insn=at)
    return _ANCILLARY[name]


def _field(name: str) -> Insn:
    return m.BPF_LDX_MEM(c.BPF_W, A, CTX, SK_BUFF[name])


_ANCILLARY: dict[str, list[Insn]] = {
    "proto": [_field("protocol"), m.BPF_ENDIAN(c.BPF_TO_BE, A, 16)],
    "type": [_field("pkt_type")],
    # Without a device the kernel ends the filter there, with what A holds.
    "ifidx": [m.BPF_LDX_MEM(c.BPF_W, TMP, CTX, SK_BUFF["ifindex"]), m.BPF_JMP32_IMM(c.BPF_JNE, TMP, 0, 1),
              m.BPF_EXIT_INSN(), m.BPF_MOV32_REG(A, TMP)],
    "mark": [_field("mark")],
    "queue": [_field("queue_mapping")],
    "rxhash": [_field("hash")],
    "cpu": [m.BPF_EMIT_CALL(GET_SMP_PROCESSOR_ID)],
    "xor_x": [m.BPF_ALU32_REG(c.BPF_XOR, A, X)],
    "vlan_tci": [_field("vlan_tci")],
    "vlan_avail": [_field("vlan_present")],
    "rand": [m.BPF_EMIT_CALL(GET_PRANDOM_U32)],
    "vlan_tpid": [_field("vlan_proto"), m.BPF_ENDIAN(c.BPF_TO_BE, A, 16)],
}  # fmt: skip


def _length(register: int) -> Callable[[SockFilter, int | None], list[Insn]]:
    def load(_insn: SockFilter, constant: int | None) -> list[Insn]:
        if constant is not None:
            return [m.BPF_MOV32_IMM(register, constant)]
        return [m.BPF_LDX_MEM(c.BPF_W, register, CTX, SK_BUFF["len"])]

    return load


def _header_length(insn: SockFilter, _constant: int | None) -> list[Insn]:
    return [m.BPF_MOV32_REG(SAVED, A), m.BPF_LD_ABS(c.BPF_B, insn.k), m.BPF_ALU32_IMM(c.BPF_AND, A, 0xF),
            m.BPF_ALU32_IMM(c.BPF_LSH, A, 2), m.BPF_MOV32_REG(X, A), m.BPF_MOV32_REG(A, SAVED)]  # fmt: skip


def _scratch(k: int) -> int:
    return 4 * (k - ci.BPF_MEMWORDS)


def _indirect(insn: SockFilter, _constant: int | None) -> list[Insn]:
    return [m.BPF_LD_IND(insn.code & 0x18, X, insn.k)]


_PLAIN: dict[int, Callable[[SockFilter, int | None], list[Insn]]] = {
    ci.LD_IMM: lambda i, _: [m.BPF_MOV32_IMM(A, i.k)],
    ci.LDX_IMM: lambda i, _: [m.BPF_MOV32_IMM(X, i.k)],
    ci.LD_MEM: lambda i, _: [m.BPF_LDX_MEM(c.BPF_W, A, c.BPF_REG_FP, _scratch(i.k))],
    ci.LDX_MEM: lambda i, _: [m.BPF_LDX_MEM(c.BPF_W, X, c.BPF_REG_FP, _scratch(i.k))],
    c.BPF_ST: lambda i, _: [m.BPF_STX_MEM(c.BPF_W, c.BPF_REG_FP, A, _scratch(i.k))],
    c.BPF_STX: lambda i, _: [m.BPF_STX_MEM(c.BPF_W, c.BPF_REG_FP, X, _scratch(i.k))],
    ci.LD_LEN: _length(A), ci.LDX_LEN: _length(X), ci.LDX_MSH: _header_length,
    0x40: _indirect, 0x48: _indirect, 0x50: _indirect,
    ci.RET_K: lambda i, _: [m.BPF_MOV32_IMM(A, i.k), m.BPF_EXIT_INSN()],
    ci.RET_A: lambda _i, _: [m.BPF_EXIT_INSN()],
    ci.TAX: lambda _i, _: [m.BPF_MOV32_REG(X, A)],
    ci.TXA: lambda _i, _: [m.BPF_MOV32_REG(A, X)],
}  # fmt: skip
