"""States as the log shows them: texts that Linux 6.18 printed."""

import pytest

from osmia.isa.macros import BPF_EXIT_INSN, BPF_MOV64_IMM
from osmia.kernel import profile
from osmia.obj.model import MapSpec, Program
from osmia.verifier import consts as c
from osmia.verifier.env import Env, Powers, Subprog
from osmia.verifier.lines import insn_text, print_verification_stats, verbose_linfo
from osmia.verifier.log import Log
from osmia.verifier.maps import VMap
from osmia.verifier.printing import alignment, byte_kinds, print_insn_state, print_verifier_state, reg_text
from osmia.verifier.regs import frame_pointer, known_value, pointer, unknown_value
from osmia.verifier.state import Frame, Ref, Slot, State

U64, U32 = (1 << 64) - 1, (1 << 32) - 1
MAP = VMap(MapSpec("", "hash", 4, 48, 1))
NAMED = VMap(MapSpec("global", "array", 4, 8, 1))


def env(level=2, **fields):
    program = Program("p", "xdp", [BPF_MOV64_IMM(0, 7), BPF_EXIT_INSN()], **fields)
    return Env(program, profile.load("6.18"), Powers(), Log(level))


def state(frame=None):
    made = State()
    made.frames = [frame or Frame(-1, 0, 0)]
    return made


def changed(reg, **fields):
    for name, value in fields.items():
        setattr(reg, name, value)
    return reg


def scalar(value=0, mask=U64, **fields):
    return changed(unknown_value(False), value=value, mask=mask, **fields)


def pointed(type, **fields):
    return changed(pointer(type), **fields)


NARROW = {"smin": 0, "smax": 62, "umax": 62, "s32_min": 0, "s32_max": 62, "u32_max": 62}


@pytest.mark.parametrize(
    ("reg", "text"),
    [
        (known_value(0xFFFF), "0xffff"),
        (known_value(U64), "-1"),
        (changed(known_value(8), precise=True), "P8"),
        (scalar(), "scalar()"),
        (scalar(precise=True, id=1), "Pscalar(id=1)"),
        (scalar(id=1 | c.BPF_ADD_CONST, off=1649), "scalar(id=1+1649)"),
        (scalar(id=1 | c.BPF_ADD_CONST, off=-1000), "scalar(id=1-1000)"),
        (scalar(mask=62, **NARROW), "scalar(smin=smin32=0,smax=umax=smax32=umax32=62,var_off=(0x0; 0x3e))"),
        (scalar(mask=U32, smin=0, smax=U32, umax=U32), "scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))"),
        (
            scalar(smin=-64677, smax=858, s32_min=-64677, s32_max=858),
            "scalar(smin=0xffffffffffff035b,smax=smax32=858,smin32=0xffff035b)",
        ),
        (
            scalar(0xFFFFFFFE, 1, smin=0xFFFFFFFE, umin=0xFFFFFFFE, u32_min=0xFFFFFFFE, smax=U32, umax=U32,
                   s32_min=-2, s32_max=-1),
            "scalar(smin=umin=umin32=0xfffffffe,smax=umax=0xffffffff,smin32=-2,smax32=-1,var_off=(0xfffffffe; 0x1))",
        ),
        (scalar(smax=-9, umin=1 << 63, umax=U64 - 8, value=1 << 63, mask=U64 >> 1),
         "scalar(smax=-9,umin=0x8000000000000000,umax=0xfffffffffffffff7,"
         "var_off=(0x8000000000000000; 0x7fffffffffffffff))"),
        (frame_pointer(0), "fp0"),
        (frame_pointer(1), "fp[1]0"),
        (changed(frame_pointer(0), off=-64), "fp-64"),
        (changed(frame_pointer(0), off=-32, mask=7, **{**NARROW, "smax": 7, "umax": 7, "s32_max": 7, "u32_max": 7}),
         "fp(off=-32,smin=smin32=0,smax=umax=smax32=umax32=7,var_off=(0x0; 0x7))"),
        (pointed(c.PTR_TO_CTX), "ctx()"),
        (pointed(c.PTR_TO_CTX, off=8), "ctx(off=8)"),
        (pointed(c.CONST_PTR_TO_MAP, map=MAP), "map_ptr(ks=4,vs=48)"),
        (pointed(c.PTR_TO_MAP_VALUE, map=NAMED, off=4), "map_value(map=global,ks=4,vs=8,off=4)"),
        (pointed(c.PTR_TO_MAP_VALUE | c.PTR_MAYBE_NULL, map=MAP, id=1), "map_value_or_null(id=1,ks=4,vs=48)"),
        (pointed(c.PTR_TO_PACKET, off=54), "pkt(off=54,r=0)"),
        (pointed(c.PTR_TO_PACKET, range=-1), "pkt(r=0xffffffffffffffff)"),
        (pointed(c.PTR_TO_PACKET_END), "pkt_end()"),
        (pointed(c.PTR_TO_MEM | c.MEM_RINGBUF, ref_obj_id=4, mem_size=8), "ringbuf_mem(ref_obj_id=4,sz=8)"),
        (pointed(c.PTR_TO_SOCKET, ref_obj_id=2), "sock(ref_obj_id=2)"),
        (pointed(c.PTR_TO_FUNC), "func()"),
        (pointed(c.PTR_TO_ARENA), "arena"),
        (pointed(c.PTR_TO_CTX, value=1 << 40), "ctx(imm=0x10000000000)"),
    ],
)  # fmt: skip
def test_registers(reg, text):
    assert reg_text(env(), reg, 0) == text


def slot(kinds, spilled=None):
    """A slot from the kinds of its bytes as the log writes them."""
    numbers = ["?rm0dif".index(kind) for kind in kinds]
    return Slot(int.from_bytes(bytes(numbers), "big"), spilled or known_value(0))


@pytest.mark.parametrize(
    ("stack", "text"),
    [
        ([slot("mmmm0000")], " fp-8=mmmm0000"),
        ([slot("????????"), slot("????mmmm")], " fp-16=????mmmm"),
        ([slot("rrrrrrrr", known_value(2))], " fp-8=2"),
        ([slot("mmmmrrrr", known_value(2))], " fp-8=mmmm2"),
        ([slot("rrrrrrrr", pointer(c.PTR_TO_CTX))], " fp-8=ctx()"),
        (
            [slot("dddddddd"), slot("dddddddd", pointed(0, dynptr_type=2, id=2, ref_obj_id=3, dynptr_id=1))],
            " fp-16=dynptr_ringbuf(id=2,ref_id=3,dynptr_id=1)",
        ),
        ([slot("iiiiiiii")], ""),
        (
            [slot("iiiiiiii", pointed(2, ref_obj_id=6, iter_state=1))],
            " fp-8=iter_<invalid>(ref_id=6,state=active,depth=0)",
        ),
        ([slot("ffffffff")], " fp-8=ffffffff"),
    ],
)
def test_slots(stack, text):
    frame, desk = Frame(-1, 0, 0), env()
    frame.stack = stack
    print_verifier_state(desk, state(frame), 0, True)
    assert str(desk.log) == f" R10=fp0{text}\n"


def test_only_what_was_scratched_is_shown_and_then_it_is_clean():
    frame, desk = Frame(-1, 0, 0), env()
    frame.regs[1] = pointer(c.PTR_TO_CTX)
    frame.stack = [slot("mmmmmmmm"), slot("00000000")]
    desk.scratched_regs, desk.scratched_stack_slots = 0b10, 0b10
    print_verifier_state(desk, state(frame), 0, False)
    assert str(desk.log) == " R1=ctx() fp-16=00000000\n"
    assert (desk.scratched_regs, desk.scratched_stack_slots) == (0, 0)


def test_frames_references_and_modes():
    frame, desk = Frame(3, 1, 1), env()
    frame.in_callback_fn = frame.in_async_callback_fn = True
    made = state(frame)
    made.refs = [Ref(c.REF_TYPE_PTR, 3, 0), Ref(c.REF_TYPE_LOCK, 0, 0), Ref(c.REF_TYPE_PTR, 5, 0)]
    print_verifier_state(desk, made, 0, True)
    assert str(desk.log) == " frame1: R10=fp0 refs=3,5 cb async_cb\n"


def test_the_state_stands_behind_the_instruction_that_was_said_last():
    frame, desk = Frame(-1, 0, 0), env()
    frame.regs[0] = known_value(7)
    desk.log.write("0: (b7) r0 = 7\n")
    desk.prev_insn_print_pos = desk.prev_log_pos = desk.log.end_pos
    desk.scratched_regs = 1
    print_insn_state(desk, state(frame), 0)
    assert str(desk.log) == "0: (b7) r0 = 7                        ; R0=7\n"
    desk.insn_idx, desk.scratched_regs = 1, 1
    print_insn_state(desk, state(frame), 0)
    assert str(desk.log).endswith("\n1: R0=7\n")


@pytest.mark.parametrize(("length", "column"), [(15, 39), (35, 39), (36, 39), (37, 47), (44, 47), (45, 55)])
def test_columns(length, column):
    assert length + alignment(length) == column


def test_kinds_of_bytes():
    assert byte_kinds(0x0302010405060000) == "0mrdif??"


def test_instructions_have_the_text_that_they_have_when_first_asked():
    desk = env()
    assert [insn_text(desk, insn) for insn in desk.insns] == ["(b7) r0 = 7\n", "(95) exit\n"]
    assert insn_text(desk, desk.insns[0]) is insn_text(desk, desk.insns[0])


def test_source_lines_are_not_said_twice():
    from osmia.btf import Btf
    from osmia.obj.model import LineInfo

    btf = Btf()
    file, code = btf.add_str("/src/prog.bpf.c"), btf.add_str("\t return 7;")
    rows = [LineInfo(0, file, code, 12 << 10 | 3), LineInfo(1, file, code, 12 << 10 | 9)]
    desk = env(btf=btf, line_info=rows)
    verbose_linfo(desk, 0, "; ")
    verbose_linfo(desk, 1, "; ")
    assert str(desk.log) == "; return 7; @ prog.bpf.c:12\n"
    desk.prev_linfo = None
    verbose_linfo(desk, 1, "")
    assert str(desk.log).endswith("\nreturn 7; @ prog.bpf.c:12\n")


def test_statistics():
    desk = env(4)
    desk.insn_processed, desk.total_states, desk.peak_states = 38, 2, 1
    desk.subprogs = [Subprog(0), Subprog(1)]
    desk.subprogs[1].stack_depth = 8
    print_verification_stats(desk)
    assert str(desk.log) == (
        "verification time 0 usec\nstack depth 0+8\n"
        "processed 38 insns (limit 1000000) max_states_per_insn 0 total_states 2 peak_states 1 mark_read 0\n"
    )


def test_level_0_says_nothing():
    desk = env(0)
    print_verifier_state(desk, state(), 0, True)
    verbose_linfo(desk, 0, "; ")
    print_verification_stats(desk)
    assert str(desk.log) == ""
