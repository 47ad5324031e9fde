import contextlib
import os
import random
import shutil
import socket
import subprocess
import time

import pytest
from asm import bpfcall, cbpf_reference, classic_cases
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.asm import classic
from osmia.asm.classic import SockFilter
from osmia.asm.classic_insn import ANCILLARY, BY_CODE, OPS
from osmia.errors import AsmError, DecodeError
from osmia.isa import encode
from osmia.isa import macros as m

words = st.one_of(st.integers(0, 70), st.integers(0, (1 << 32) - 1), st.sampled_from(classic_cases.EDGES))
short = st.one_of(st.just(0), st.integers(0, 4), st.integers(0, 255))
codes = st.one_of(st.sampled_from(sorted(BY_CODE)), st.integers(0, 0xFFFF))
filters = st.lists(st.builds(SockFilter, codes, short, short, words), max_size=8)


def asked(function):
    """A test that asks the running kernel."""
    reason = bpfcall.unavailable()
    return pytest.mark.live(pytest.mark.skipif(bool(reason), reason=reason or "bpf(2) answers")(function))


@given(filters)
@settings(max_examples=300)
def test_every_form_survives_the_round_trip(program):
    assert classic.parse(classic.format(program)) == program
    assert classic.decode(classic.encode(program)) == program
    assert classic.decode(classic.encode(program, "big"), "big") == program
    if program:
        assert classic.parse(classic.format_numbers(program)) == program
        assert classic.parse(classic.format_c(program)) == program
        assert classic.parse(classic.format_one_line(program)) == program


@pytest.mark.parametrize(("name", "listing", "numbers"), classic_cases.tcpdump())
def test_tcpdump_forms_agree(name, listing, numbers):
    program = classic.parse(numbers)
    unused = ("", "a", "x", "len", "if_x")  # libpcap leaves numbers in tax and its like, which -d does not show
    shown = [insn._replace(k=0) if BY_CODE[insn.code].mode in unused else insn for insn in program]
    assert classic.parse(listing) == shown
    assert classic.parse(classic.format(program)) == program
    classic.check(program)


SAMPLES = [
    ("ldh [12]", (0x28, 0, 0, 12)),
    ("ld [x + 14]", (0x40, 0, 0, 14)),
    ("ldb [%x + 0x10]", (0x50, 0, 0, 16)),
    ("ld [-1048576]", (0x20, 0, 0, 0xFFF00000)),
    ("ld M[3]", (0x60, 0, 0, 3)),
    ("ldx M[017]", (0x61, 0, 0, 15)),
    ("LDI #5", (0, 0, 0, 5)),
    ("ldi 5", (0, 0, 0, 5)),
    ("ld #0b101", (0, 0, 0, 5)),
    ("ldxi 7", (1, 0, 0, 7)),
    ("ldx #7", (1, 0, 0, 7)),
    ("ldxb 4*([14]&0xf)", (0xB1, 0, 0, 14)),
    ("ldx 4 * ( [14] & 15 )", (0xB1, 0, 0, 14)),
    ("ld #len", (0x80, 0, 0, 0)),
    ("ld len", (0x80, 0, 0, 0)),
    ("ldx #len", (0x81, 0, 0, 0)),
    ("ld #proto", (0x20, 0, 0, 0xFFFFF000)),
    ("ldh type", (0x28, 0, 0, 0xFFFFF004)),
    ("ld #ifidx", (0x20, 0, 0, 0xFFFFF008)),
    ("ld #nla", (0x20, 0, 0, 0xFFFFF00C)),
    ("ld #cpu", (0x20, 0, 0, 0xFFFFF024)),
    ("ld vlan_tci", (0x20, 0, 0, 0xFFFFF02C)),
    ("ldb #vlan_pr", (0x30, 0, 0, 0xFFFFF030)),
    ("ld #rand", (0x20, 0, 0, 0xFFFFF038)),
    ("st M[1]", (2, 0, 0, 1)),
    ("stx M[1]", (3, 0, 0, 1)),
    ("add #1", (4, 0, 0, 1)),
    ("sub %x", (0x1C, 0, 0, 0)),
    ("mod x", (0x9C, 0, 0, 0)),
    ("neg", (0x84, 0, 0, 0)),
    ("ret #-1", (6, 0, 0, 0xFFFFFFFF)),
    ("ret a", (0x16, 0, 0, 0)),
    ("ret %a", (0x16, 0, 0, 0)),
    ("ret x", (0x0E, 0, 0, 0)),
    ("tax", (7, 0, 0, 0)),
    ("txa", (0x87, 0, 0, 0)),
    ("jmp L L:", (5, 0, 0, 0)),
    (".slot 1, 2, 3, 4", (1, 2, 3, 4)),
]


@pytest.mark.parametrize(("text", "insn"), SAMPLES)
def test_spelling(text, insn):
    assert classic.parse(text) == [insn]


def test_capitals_in_words_but_not_in_labels():
    text = "LDH [X + 2]\nJEQ %X, Drop, drop\nDrop: RET A\ndrop: LD #LEN\nST m[1]"
    assert classic.parse(text) == [(0x48, 0, 0, 2), (0x1D, 0, 1, 0), (0x16, 0, 0, 0), (0x80, 0, 0, 0), (2, 0, 0, 1)]


def test_conditional_jumps_comments_and_labels():
    text = """# comment on a line of its own
        ldh [12]             ; the type
        jeq #0x800, ip, other
    ip: jneq x, drop         /* no jump if
                                equal */
        jlt #5, drop  jle %x, drop  // two on a line
        jset #1, other
    drop: ret #0
    other: ret #0x40000
    """
    program = classic.parse(text)
    assert program == [(0x28, 0, 0, 12), (0x15, 0, 5, 0x800), (0x1D, 0, 3, 0), (0x35, 0, 2, 5), (0x2D, 0, 1, 0),
                       (0x45, 1, 0, 1), (6, 0, 0, 0), (6, 0, 0, 0x40000)]  # fmt: skip
    assert classic.format(program) == """\
      ldh [12]
      jne #0x800, L7
      jne x, L6
      jlt #5, L6
      jle x, L6
      jset #1, L7
L6:   ret #0
L7:   ret #0x40000
"""


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ("ldh [12]\n  ldq [3]", 2, 3, "ldq"),
        ("ldh 12", 1, 5, "#12"),
        ("ldh #5", 1, 1, "takes no operand like this"),
        ("ldxb 3*([14]&0xf)", 1, 6, "4"),
        ("ldxb 4*([14]&7)", 1, 14, "4"),
        ("ld #colour", 1, 5, "extensions are"),
        ("jmp nowhere", 1, 5, "not defined"),
        ("a: ret #0\njeq #1, a", 2, 9, "reach 0 to 255"),
        ("a: ret #0 a: ret #1", 1, 11, "already"),
        ("ret #0x1ffffffff", 1, 6, "32 bits"),
        ("ret #09", 1, 6, "octal"),
        ("ret #0 ?", 1, 8, "unexpected"),
        ("(000) ldh [12]\n(002) ret #0", 2, 1, "001"),
        ("(000) ldh [12] jt 1 jf 2", 1, 15, "nothing more"),
        ("(000) jeq #5", 1, 13, "jt and jf"),
        ("2\n6 0 0 0", 2, 8, "announced"),
        ("1\n6 0 256 0", 2, 5, "fit"),
        ("{ 6, 0, 0 }", 1, 11, "','"),
    ],
)
def test_errors_name_the_place(text, line, column, word):
    with pytest.raises(AsmError, match=word) as caught:
        classic.parse(text, file="f.bpf")
    place = caught.value.place
    assert (place.file, place.line, place.column) == ("f.bpf", line, column)


PIECES = [*sorted({op.mnemonic for op in OPS}), *"x#%[]4*(&)a,\nM-{}:", "0xf", "99999999999999999999", "(000)", "jt",
          "jf", "; with k=0x5", "1\n", ".slot"]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map(" ".join)))
@settings(max_examples=500)
def test_bad_text_is_one_typed_error(text):
    try:
        classic.parse(text)
    except AsmError as error:
        assert error.place.line and error.place.column


LONG = ["\n", " ", "(000) ldh [12] x", "/*", "/**", "jt ", "ld ", "#", "(000) ", "; with k=", "4*("]


@pytest.mark.parametrize("text", LONG)
def test_long_texts_take_no_long_time(text):
    with contextlib.suppress(AsmError):
        classic.parse(text * 20000)


def test_half_an_instruction_in_bytes():
    with pytest.raises(DecodeError):
        classic.decode(b"\0" * 9)


@pytest.mark.parametrize(
    ("program", "insn", "word"),
    [
        ([], 0, "1 to 4096"),
        ([(6, 0, 0, 0)] * 4097, 0, "1 to 4096"),
        ([(0x0E, 0, 0, 0), (6, 0, 0, 0)], 0, "0x000e"),
        ([(0x34, 0, 0, 0), (6, 0, 0, 0)], 0, "division"),
        ([(0x64, 0, 0, 32), (6, 0, 0, 0)], 0, "shift"),
        ([(2, 0, 0, 16), (6, 0, 0, 0)], 0, r"M\[16\]"),
        ([(6, 0, 0, 0), (5, 0, 0, 1), (6, 0, 0, 0)], 1, "jump"),
        ([(0x15, 0, 1, 0), (6, 0, 0, 0)], 0, "jump"),
        ([(6, 0, 0, 0), (7, 0, 0, 0)], 1, "ret"),
        ([(0x15, 0, 1, 0), (2, 0, 0, 3), (0x60, 0, 0, 3), (6, 0, 0, 0)], 2, "before it is written"),
        ([(0x20, 0, 0, 0xFFFFF001), (6, 0, 0, 0)], 0, "extension"),
    ],
)
def test_the_check_names_the_instruction(program, insn, word):
    with pytest.raises(AsmError, match=word) as caught:
        classic.check([SockFilter(*fields) for fields in program])
    assert caught.value.place.insn == insn


@pytest.mark.parametrize("text", ["ldh [12]\nret a", "ld [64]\nret a", "ld [2]\nret a", "mod #2\nret a"])
def test_the_check_for_seccomp(text):
    with pytest.raises(AsmError):
        classic.check(classic.parse(text), "seccomp")


def test_conversion_by_example():
    program = classic.to_ebpf(classic.parse("ldh [12]  jne #0x800, no  ret #-1  no: ret #0  ret #7"))
    assert program == [
        m.BPF_MOV64_REG(6, 1), m.BPF_MOV32_IMM(0, 0), m.BPF_MOV32_IMM(7, 0), m.BPF_LD_ABS(0x08, 12),
        m.BPF_JMP32_IMM(0x50, 0, 0x800, 2), m.BPF_MOV32_IMM(0, -1), m.BPF_EXIT_INSN(), m.BPF_MOV32_IMM(0, 0),
        m.BPF_EXIT_INSN(),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["hatype", "poff", "nla", "nlan"])
def test_extensions_that_ebpf_does_not_have(name):
    with pytest.raises(AsmError, match=name) as caught:
        classic.to_ebpf(classic.parse(f"tax\nld #{name}\nret a"))
    assert caught.value.place.insn == 1


@asked
def test_the_kernel_judges_check_and_conversion():
    rng = classic_cases.new_rng()
    for _ in range(600):
        program = classic_cases.random_filter(rng)
        with classic_cases.pair() as old, classic_cases.pair() as new:
            try:
                classic_cases.attach_classic(old[1], program)
                taken = True
            except OSError:
                taken = False
            try:
                converted = classic.to_ebpf(program)
                accepted = True
            except AsmError as error:
                accepted, converted = "can't be had" in str(error), None
            assert taken == accepted, classic.format(program)
            if converted:
                compare(rng, program, converted, old, new)


def compare(rng, program, converted, old, new):
    """Both filters on their sockets, and the interpreter where it knows the packet's surroundings."""
    fd, log = bpfcall.load(converted, log_level=1)
    assert fd is not None, classic.format(program) + log
    new[1].setsockopt(socket.SOL_SOCKET, classic_cases.SO_ATTACH_BPF, fd)
    os.close(fd)
    loads = [i for i in program if i.code in (0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0xB1)]
    inside = all(i.code not in (0x40, 0x48, 0x50) and i.k < 1 << 31 for i in loads)
    chance = any(i.k in (0xFFFFF000 + ANCILLARY[name] for name in ("cpu", "rand")) for i in loads)
    for _ in range(4):
        data = classic_cases.packet(rng)
        got = classic_cases.through(old, data)
        assert chance or classic_cases.through(new, data) == got, classic.format(program)
        if inside:
            assert min(cbpf_reference.run(program, data), len(data)) == got, classic.format(program)


@asked
@pytest.mark.parametrize("name", sorted({*ANCILLARY} - {"hatype", "poff", "nla", "nlan", "xor_x", "rand"}))
def test_extensions_on_a_loopback_packet(name):
    program = classic.parse(f"ld #{name}\ntax\nrsh #8\nadd x\nand #0x1ff\nadd #20\nret a")  # beyond the header
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        with classic_cases.pair(socket.AF_INET) as sockets:
            sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 0x1234)
            classic_cases.attach_classic(sockets[1], program)
            expected = classic_cases.through(sockets, bytes(600))
            fd, log = bpfcall.load(classic.to_ebpf(program), log_level=1)
            assert fd is not None, log
            sockets[1].setsockopt(socket.SOL_SOCKET, classic_cases.SO_ATTACH_BPF, fd)
            os.close(fd)
            assert classic_cases.through(sockets, bytes(600)) == expected > 0
    finally:
        os.sched_setaffinity(0, before)


@asked
def test_tcpdump_expressions_on_frames():
    rng, accepted = random.Random(80), 0
    for name, _, numbers in classic_cases.tcpdump():
        program = classic.parse(numbers)
        fd, log = bpfcall.load(classic.to_ebpf(program), prog_type=bpfcall.SCHED_CLS, log_level=1)
        assert fd is not None, f"{name}: {log}"
        outside = any(insn.k > 0xFFFFF000 for insn in program)
        for _ in range(60):
            data = classic_cases.frame(rng)
            got = bpfcall.test_run(fd, data)
            accepted += got != 0
            assert outside or got == cbpf_reference.run(program, data), f"{name}: {data.hex()}"
        os.close(fd)
    assert accepted > 100


@asked
@pytest.mark.skipif(not shutil.which("tcpdump"), reason="tcpdump is not installed")
@pytest.mark.parametrize("expression", ["tcp port 22 and host 10.1.2.3", "vlan and ip6", "ip[0] & 0xf != 5 or udp"])
def test_tcpdump_of_this_machine(expression):
    def dump(option):
        command = ["tcpdump", "-y", "EN10MB", option, expression]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    program = classic.parse(dump("-ddd"))
    assert classic.parse(dump("-dd")) == classic.parse(dump("-d")) == program
    assert classic.format_numbers(program) == dump("-ddd") and classic.format_c(program) == dump("-dd")
    fd, log = bpfcall.load(classic.to_ebpf(program), log_level=1)
    assert fd is not None, log
    os.close(fd)


@pytest.mark.parametrize("form", [classic.format, classic.format_numbers, classic.format_c])
def test_the_commands_take_every_form(form, tmp_path):
    from click.testing import CliRunner

    from osmia.cli.asm import command as asm
    from osmia.cli.disasm import command as disasm

    program = classic.parse(classic_cases.tcpdump()[0][2])
    path = tmp_path / "filter"
    path.write_text(form(program))
    shown = CliRunner().invoke(disasm, ["--dialect", "classic", str(path)])
    assert shown.output == classic.format(program)
    made = CliRunner().invoke(asm, ["--format", "hex", str(path)])
    assert bytes.fromhex(made.output) == encode(classic.to_ebpf(program))


def test_no_way_back_from_ebpf():
    with pytest.raises(AsmError, match="eBPF"):
        classic.format([m.BPF_EXIT_INSN()])


SECCOMP = """
    ld [4]                   ; the architecture
    jne #0xc000003e, kill
    ld [0]                   ; the system call
    jgt #400, kill
    jeq #59, deny
    st M[0]
    ld [16]                  ; low word of the first argument
    ldx M[0]
    and x
    jset #1, deny
    ld #len
    jeq #64, allow
kill: ret #0x80000000
deny: ret #0x50001
allow: ret #0x7fff0000
"""


@asked
def test_seccomp_on_its_context():
    program, rng = classic.parse(SECCOMP), random.Random(59)
    converted = classic.to_ebpf(program, "seccomp")
    fd, log = bpfcall.load_syscall(converted)
    assert fd is not None, log
    results = set()
    for _ in range(200):
        head = [rng.choice((0, 1, 59, 300, 401)), rng.choice((0xC000003E, 0xC000003E, 3))]
        words = head + [rng.getrandbits(32) for _ in range(14)]
        got = bpfcall.run_context(fd, words)
        assert got == cbpf_reference.run(program, b"", words)
        results.add(got)
    os.close(fd)
    assert results == {0x80000000, 0x50001, 0x7FFF0000}


def test_a_row_of_signs_takes_no_time():
    start = time.monotonic()
    with pytest.raises(AsmError, match="expected a number"):
        classic.parse("ret " + "#" * 100_000)
    assert time.monotonic() - start < 4
