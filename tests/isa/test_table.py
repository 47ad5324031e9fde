"""The table against itself: unique rows, every opcode told apart, every constructor a valid row."""

import inspect

import pytest

from osmia.errors import UsageError
from osmia.isa import OPS, Insn, Kind, Known, Reserved, Unknown, classify, find, macros
from osmia.isa import consts as c
from osmia.isa.table import GROUPS

EXAMPLES = {
    "BPF_ALU64_REG_OFF": ((c.BPF_DIV, 1, 2, 1), "sdiv64_reg"),
    "BPF_ALU64_REG": ((c.BPF_ADD, 1, 2), "add64_reg"),
    "BPF_ALU32_REG_OFF": ((c.BPF_MOD, 1, 2, 1), "smod32_reg"),
    "BPF_ALU32_REG": ((c.BPF_XOR, 1, 2), "xor32_reg"),
    "BPF_ALU64_IMM_OFF": ((c.BPF_MOD, 1, 7, 1), "smod64_imm"),
    "BPF_ALU64_IMM": ((c.BPF_LSH, 1, 7), "lsh64_imm"),
    "BPF_ALU32_IMM_OFF": ((c.BPF_DIV, 1, 7, 1), "sdiv32_imm"),
    "BPF_ALU32_IMM": ((c.BPF_ARSH, 1, 7), "arsh32_imm"),
    "BPF_ENDIAN": ((c.BPF_TO_BE, 1, 16), "be16"),
    "BPF_BSWAP": ((1, 32), "bswap32"),
    "BPF_NEG64": ((1,), "neg64"),
    "BPF_NEG32": ((1,), "neg32"),
    "BPF_MOV64_REG": ((1, 2), "mov64_reg"),
    "BPF_MOV32_REG": ((1, 2), "mov32_reg"),
    "BPF_MOV64_IMM": ((1, -1), "mov64_imm"),
    "BPF_MOV32_IMM": ((1, 0xFFFFFFFF), "mov32_imm"),
    "BPF_MOVSX64_REG": ((1, 2, 32), "movsx64_s32"),
    "BPF_MOVSX32_REG": ((1, 2, 16), "movsx32_s16"),
    "BPF_ADDR_SPACE_CAST": ((1, 2, 0, 1), "addr_space_cast"),
    "BPF_ZEXT_REG": ((1,), "mov32_reg"),
    "BPF_LD_IMM64_RAW": ((1, 0, 1 << 63), "ld_imm64"),
    "BPF_LD_IMM64": ((1, 1 << 63), "ld_imm64"),
    "BPF_LD_IMM64_RAW_FULL": ((1, 6, 0, 0, 1, 2), "ld_map_idx_value"),
    "BPF_LD_MAP_FD": ((1, 3), "ld_map_fd"),
    "BPF_LD_MAP_VALUE": ((1, 3, 8), "ld_map_value"),
    "BPF_LD_BTF_ID": ((1, 3), "ld_btf_id"),
    "BPF_LD_FUNC": ((1, -3), "ld_func"),
    "BPF_LD_MAP_IDX": ((1, 3), "ld_map_idx"),
    "BPF_LD_MAP_IDX_VALUE": ((1, 3, 8), "ld_map_idx_value"),
    "BPF_LD_ABS": ((c.BPF_H, 12), "ldabs_h"),
    "BPF_LD_IND": ((c.BPF_B, 2, 12), "ldind_b"),
    "BPF_LDX_MEM": ((c.BPF_DW, 1, 2, -8), "ldx_dw"),
    "BPF_LDX_MEMSX": ((c.BPF_B, 1, 2, -8), "ldxsx_b"),
    "BPF_STX_MEM": ((c.BPF_W, 1, 2, -8), "stx_w"),
    "BPF_ST_MEM": ((c.BPF_H, 1, -8, 5), "st_h"),
    "BPF_ATOMIC_OP": ((c.BPF_DW, c.BPF_CMPXCHG, 1, 2, -8), "cmpxchg64"),
    "BPF_STX_XADD": ((c.BPF_W, 1, 2, -8), "atomic_add32"),
    "BPF_LOAD_ACQ": ((c.BPF_B, 1, 2, -8), "load_acquire_b"),
    "BPF_STORE_REL": ((c.BPF_DW, 1, 2, -8), "store_release_dw"),
    "BPF_JMP_REG": ((c.BPF_JSGT, 1, 2, -3), "jsgt_reg"),
    "BPF_JMP_IMM": ((c.BPF_JEQ, 1, 2, 3), "jeq_imm"),
    "BPF_JMP32_REG": ((c.BPF_JSET, 1, 2, 3), "jset32_reg"),
    "BPF_JMP32_IMM": ((c.BPF_JSLE, 1, 2, 3), "jsle32_imm"),
    "BPF_JMP_A": ((3,), "ja"),
    "BPF_JMP32_A": ((1 << 20,), "gotol"),
    "BPF_MAY_GOTO": ((3,), "may_goto"),
    "BPF_CALL_REL": ((-3,), "call_local"),
    "BPF_EMIT_CALL": ((1,), "call"),
    "BPF_CALL_KFUNC": ((0, 77), "call_kfunc"),
    "BPF_CALLX": ((3,), "callx"),
    "BPF_RAW_INSN": ((0x95, 0, 0, 0, 0), "exit"),
    "BPF_EXIT_INSN": ((), "exit"),
}


def test_rows_are_unique():
    assert len({op.name for op in OPS}) == len(OPS)
    assert len({(op.code, op.src, op.off, op.imm) for op in OPS}) == len(OPS)


def test_every_row_names_a_group():
    assert {op.group for op in OPS} == set(GROUPS)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_row_recognises_itself_and_its_reserved_fields(op):
    plain = [f if isinstance(f, int) else 1 for f in (op.dst, op.src, op.off, op.imm)]
    assert classify(Insn(op.code, *plain)) == Known(op)
    for i, (name, field) in enumerate(zip(Insn._fields[1:], (op.dst, op.src, op.off, op.imm), strict=True)):
        if field is Kind.REG:
            found = classify(Insn(op.code, *[*plain[:i], 11, *plain[i + 1 :]]))
            assert isinstance(found, Reserved) and found.fields == (name,)
        elif isinstance(field, int):
            found = classify(Insn(op.code, *[*plain[:i], 13, *plain[i + 1 :]]))
            assert isinstance(found, Reserved) and name in found.fields, (name, found)


def test_every_macro_has_an_example():
    made = {name for name, f in inspect.getmembers(macros, inspect.isfunction) if name.startswith("BPF_")}
    assert made == set(EXAMPLES) == set(macros.__all__)


@pytest.mark.parametrize("name", EXAMPLES)
def test_macro_builds_its_row(name):
    args, row = EXAMPLES[name]
    built = getattr(macros, name)(*args)
    first = built if isinstance(built, Insn) else built[0]
    assert classify(first) == Known(find(row))


def test_macros_reach_every_row():
    """No row lacks a constructor: the examples' macros, over all operands, build all of the table."""
    conds = [op for op in OPS if op.cls in (c.BPF_JMP, c.BPF_JMP32) and op.name.startswith("j") and op.name != "ja"]
    for op in conds:
        reg = op.name.endswith("_reg")
        macro = getattr(macros, f"BPF_JMP{'32' if op.cls == c.BPF_JMP32 else ''}_{'REG' if reg else 'IMM'}")
        assert classify(macro(op.code & 0xF0, 1, 2, 3)) == Known(op)


def test_wide_halves():
    low, high = macros.BPF_LD_IMM64(3, 0x1122334455667788)
    assert (low.imm, high.imm) == (0x55667788, 0x11223344)
    low, high = macros.BPF_LD_IMM64(3, -1 & (1 << 64) - 1)
    assert (low.imm, high.imm) == (-1, -1)


def test_unknown():
    assert classify(Insn(0x00)) == Unknown(0)
    assert classify(Insn(0xFF)) == Unknown(0xFF)
    with pytest.raises(UsageError, match="no instruction is called 'nop'"):
        find("nop")
