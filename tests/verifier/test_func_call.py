"""Calls of the program's own functions: static and global ones, callbacks, what comes back, what a program returns."""

import pytest
from verifier.callkit import ARRAY, LOOK_UP, answer, live_kernel, program, said, same_as_kernel, starts

from osmia.btf import Btf, DeclTag, Func, FuncProto, Fwd, Int, Param, Ptr, Struct, Typedef
from osmia.kernel import profile
from osmia.obj.model import FuncInfo, MapSpec
from osmia.verifier.env import Env, Powers
from osmia.verifier.global_func import SubprogArg, btf_prepare_func_args
from osmia.verifier.log import Log

PROFILE = profile.load("6.18")

GLOBAL, STATIC = 1, 0


def typed(prog_type, text, functions, *maps, tags=(), **others):
    """A program with BTF: ``functions`` are (first slot, linkage, argument types); types are made by ``_types``."""
    btf = Btf()
    known = _types(btf)
    info = []
    for number, (slot, linkage, args, *ret) in enumerate(functions):
        params = tuple(Param(f"a{i}", known[name]) for i, name in enumerate(args))
        proto = btf.add(FuncProto(known[ret[0] if ret else "int"], params))
        info.append(FuncInfo(slot, btf.add(Func(f"f{number}", proto, linkage))))
        for i, tag in tags if number else ():
            btf.add(DeclTag(f"arg:{tag}", info[-1].type_id, i))
    return program(prog_type, text, *maps, btf=btf, func_info=info, **others)


def _types(btf):
    known = {"int": btf.add(Int("int", 4, encoding=1)), "void": 0}
    known["number"] = btf.add(Typedef("number", known["int"]))
    known["pair"] = btf.add(Struct("pair", 8, ()))
    known["xdp_md"] = btf.add(Struct("xdp_md", 4, ()))
    known["nothing"] = btf.add(Fwd("nothing"))
    for name in ("int", "void", "pair", "xdp_md", "nothing"):
        known[f"{name} *"] = btf.add(Ptr(known[name]))
    return known


MAIN = (0, GLOBAL, ["xdp_md *"])
BODIES = {
    "static": ("r1 = 7\ncall f\nexit\nf:\nr0 = r1\nexit", [], 0, ""),
    "nine frames": (
        "".join(f"call f{i}\nexit\nf{i}:\n" for i in range(8)) + "r0 = 0\nexit", [], 7,
        "the call stack of 9 frames is too deep"),
    "stack pointer back": ("call f\nexit\nf:\nr0 = r10\nexit", [], 22, "cannot return stack pointer to the caller"),
    "callee reads R6": ("r6 = 1\ncall f\nexit\nf:\nr0 = r6\nexit", [], 13, "R6 !read_ok"),
    "caller reads R1": ("r1 = 1\ncall f\nr0 = r1\nexit\nf:\nr0 = 0\nexit", [], 13, "R1 !read_ok"),
    "pointer out of a program": ("r0 = r10\nexit", [], 0, ""),
    "nothing returned": ("exit", [], 13, "R0 !read_ok"),
    "loop": (
        "*(u64 *)(r10 - 8) = 0\nr1 = 100\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall 181\nr0 = 0\nexit\nf:\n"
        "r1 = *(u64 *)(r2 + 0)\nr1 += 1\n*(u64 *)(r2 + 0) = r1\nr0 = 0\nexit", [], 0, ""),
    "loop's end": (
        "r1 = 2\nr2 = func f\nr3 = 0\nr4 = 0\ncall 181\nr0 = 0\nexit\nf:\nr0 = r1\nexit", [], 22,
        "At callback return the register R0 has unknown scalar value should have been in [0, 1]"),
    "loop without a number": (
        "r1 = 2\nr2 = func f\nr3 = 0\nr4 = 0\ncall 181\nr0 = 0\nexit\nf:\nr0 = r10\nexit", [], 22,
        "cannot return stack pointer to the caller"),
    "each element": (
        "r1 = map 0\nr2 = func f\nr3 = 0\nr4 = 0\ncall 164\nr0 = 0\nexit\nf:\n"
        "r0 = *(u32 *)(r2 + 0)\n*(u64 *)(r3 + 8) = 1\nr0 = 0\nexit", [ARRAY], 0, ""),
    "keys are read-only": (
        "r1 = map 0\nr2 = func f\nr3 = 0\nr4 = 0\ncall 164\nr0 = 0\nexit\nf:\n*(u32 *)(r2 + 0) = 1\nr0 = 0\nexit",
        [ARRAY], 13, "write to change key R2 not allowed"),
    "no callbacks there": (
        "r1 = map 0\nr2 = func f\nr3 = 0\nr4 = 0\ncall 164\nr0 = 0\nexit\nf:\nr0 = 0\nexit",
        [MapSpec("trie", "lpm_trie", 8, 8, 4, 1)], 524, "callback function not allowed for map"),
}  # fmt: skip


def _static(name):
    text, maps, *_ = BODIES[name]
    if "func" in text:  # callbacks must have BTF
        return typed("xdp", text, [MAIN, (starts(text)["f"], STATIC, [])], *maps)
    return program("xdp", text, *maps)


@pytest.mark.parametrize("name", list(BODIES))
def test_static_functions(name):
    *_, errno, message = BODIES[name]
    found = said(_static(name))
    assert found[0] == errno
    assert not message or found[1] == message


@live_kernel
@pytest.mark.live
@pytest.mark.parametrize("name", list(BODIES))
def test_static_functions_as_the_kernel_does(name):
    same_as_kernel(_static(name))


def test_what_is_said_at_a_call():
    log = answer(program("xdp", "r1 = 7\ncall f\nexit\nf:\nr0 = r1\nexit")).log
    first, callee, back, to = (
        log.index(x) for x in ("caller:\n", "callee:\n", "returning from callee:\n", "to caller at 2:\n")
    )
    assert first < callee < back < to
    assert "callee:\n frame1: R1=7 R10=fp0\n" in log


CALL = "r6 = r1\n{args}\ncall f\nr0 = 0\nexit\nf:\n{body}\nexit"
GLOBALS = {
    "number": ("r1 = 1", "r0 = r1", [["int"]], (), 0, "Func#1 ('f1') is global and assumed valid."),
    "typedef": ("r1 = 1", "r0 = r1", [["number"]], (), 0, "Func#1 ('f1') is global and assumed valid."),
    "pointer for a number": ("r1 = r10", "r0 = 0", [["int"]], (), 22, "R1 is not a scalar"),
    "context": ("r1 = r6", "r0 = *(u32 *)(r1 + 16)", [["xdp_md *"]], (), 0, "safe for any args"),
    "number for the context": ("r1 = 0", "r0 = 0", [["xdp_md *"]], (), 22, "arg#0 expects pointer to ctx"),
    "moved context": ("r1 = r6\nr1 += 4", "r0 = 0", [["xdp_md *"]], (), 13, "dereference of modified ctx ptr R1 off=4"),
    "memory": ("r1 = r10\nr1 += -8\n*(u64 *)(r10 - 8) = 0", "r0 = *(u64 *)(r1 + 0)", [["pair *"]], (), 13,
               "R1 invalid mem access 'mem_or_null'"),
    "memory that is there": ("r1 = r10\nr1 += -8\n*(u64 *)(r10 - 8) = 0", "r0 = *(u64 *)(r1 + 0)", [["pair *"]],
                             [(0, "nonnull")], 0, "safe for any args"),
    "too little memory": ("r1 = r10\nr1 += -4\n*(u32 *)(r10 - 4) = 0", "r0 = 0", [["pair *"]], (), 22,
                          "invalid read from stack R1 off=-4 size=8"),
    "null where none may be": ("r1 = 0", "r0 = 0", [["pair *"]], [(0, "nonnull")], 0, "Func#1"),
    "size unknown": ("r1 = 0", "r0 = 0", [["nothing *"]], (), 22,
                     "arg#0 reference type('FWD nothing') size cannot be determined: -22"),
    "void": ("r1 = 0", "r0 = 0", [["void *"]], (), 22,
             "arg#0 reference type('UNKNOWN ') size cannot be determined: -22"),
    "context by its tag": ("r1 = r6", "r0 = 0", [["void *"]], [(0, "ctx")], 0, "safe for any args"),
    "another struct with the tag": ("r1 = r6", "r0 = 0", [["pair *"]], [(0, "ctx")], 22,
                                    "arg#0 should be `struct xdp_md *`"),
    "tag on a number": ("r1 = 0", "r0 = 0", [["int"]], [(0, "nonnull")], 22,
                        "arg#0 has pointer tag, but is not a pointer type"),
    "tags that do not go together": ("r1 = 0", "r0 = 0", [["pair *"]], [(0, "nullable")], 22,
                                     "arg#0 has invalid combination of tags"),
    "tag that there is not": ("r1 = 0", "r0 = 0", [["pair *"]], [(0, "big")], 95, "arg#0 has unsupported set of tags"),
    "struct by value": ("r1 = 0", "r0 = 0", [["pair"]], (), 22, "Arg#0 type STRUCT in f1() is not supported yet."),
    "six arguments": ("r1 = 0", "r0 = 0", [["int"] * 6], (), 22,
                      "Global function f1() with 6 > 5 args. Buggy compiler."),
    "no number back": ("r1 = 0", "r0 = 0", [["int"], "void"], (), 22,
                       "Global function f1() doesn't return scalar. Only those are supported."),
    "pointer back": ("r1 = 0", "r0 = r10", [["int"]], (), 22,
                     "At subprogram exit the register R0 is not a scalar value (fp)"),
    "caller keeps nothing": ("r1 = 0\nr2 = 0", "r0 = r2", [["int"]], (), 13, "R2 !read_ok"),
}  # fmt: skip


def _global(name):
    args, body, function, tags, *_ = GLOBALS[name]
    text = CALL.format(args=args, body=body)
    return typed("xdp", text, [MAIN, (starts(text)["f"], GLOBAL, *function)], tags=tags)


@pytest.mark.parametrize("name", list(GLOBALS))
def test_global_functions(name):
    *_, errno, words = GLOBALS[name]
    found = answer(_global(name))
    assert found.errno == errno
    assert words in found.log


@live_kernel
@pytest.mark.live
@pytest.mark.parametrize("name", list(GLOBALS))
def test_global_functions_as_the_kernel_does(name):
    same_as_kernel(_global(name))
    same_as_kernel(_global(name), 1)


def test_a_global_call_says_what_is_wrong():
    log = answer(_global("pointer for a number"), 1).log
    assert "R1 is not a scalar\nCaller passes invalid args into func#1 ('f1')\n" in log


def test_static_functions_may_be_called_with_anything():
    made = typed("xdp", "r1 = r10\ncall f\nexit\nf:\nr0 = 0\nexit", [MAIN, (3, STATIC, ["int"])])
    assert said(made)[0] == 0


def test_arguments_of_a_function():
    made = typed("xdp", "r0 = 0\nexit", [(0, GLOBAL, ["xdp_md *", "pair *", "number"])])
    env = Env(made, PROFILE, Powers(), Log(0))
    from osmia.verifier.env import Subprog

    sub = Subprog(0)
    sub.func_type_id, sub.linkage = made.func_info[0].type_id, GLOBAL
    env.subprogs = [sub]
    btf_prepare_func_args(env, 0)
    assert [a.base for a in sub.args] == ["PTR_TO_CTX", "PTR_TO_MEM", "ANYTHING"]
    assert sub.args[1].mem_size == 8 and sub.args[0] == SubprogArg("PTR_TO_CTX")


def test_the_address_of_a_removed_function():
    text = "r2 = func f\ncall g\nr0 = 0\nexit\ng:\nr0 = 0\nexit\nf:\nr0 = 0\nexit"
    at = starts(text)
    made = typed("xdp", text, [MAIN, (at["g"], STATIC, []), (at["f"], STATIC, [])])
    assert said(made) == (14, "verifier bug: No program to jit at insn 7 (subprog < 0)")
    alone = "r2 = func f\nr0 = 0\nexit\nf:\nr0 = 0\nexit"  # the kernel compiles a single function without looking
    assert said(typed("xdp", alone, [MAIN, (starts(alone)["f"], STATIC, [])]))[0] == 0


@pytest.mark.parametrize(
    ("prog_type", "attach", "value", "errno"),
    [
        ("sock_ops", "cgroup_sock_ops", 1, 0), ("sock_ops", "cgroup_sock_ops", 2, 22), ("xdp", "", 99, 0),
        ("cgroup_skb", "cgroup_inet_egress", 3, 0), ("cgroup_skb", "cgroup_inet_ingress", 2, 22),
        ("cgroup_sock_addr", "cgroup_udp4_recvmsg", 0, 22), ("sk_lookup", "sk_lookup", 1, 0),
        ("kprobe", "trace_kprobe_session", 2, 22), ("netfilter", "netfilter", 2, 22),
    ],
)  # fmt: skip
def test_what_programs_may_return(prog_type, attach, value, errno):
    found = said(program(prog_type, f"r0 = {value}\nexit", expected_attach_type=attach))
    assert found[0] == errno
    if errno:
        assert found[1].startswith(
            f"At program exit the register R0 has smin={value} smax={value} should have been in ["
        )


def test_unknown_and_pointer_results():
    unknown = program("sock_ops", "call 7\nexit", expected_attach_type="cgroup_sock_ops")
    text = "At program exit the register R0 has unknown scalar value should have been in [0, 1]"
    assert said(unknown) == (22, text)
    pointed = program("sock_ops", LOOK_UP + "exit", ARRAY, expected_attach_type="cgroup_sock_ops")
    text = "At program exit the register R0 is not a known value (map_value_or_null)"
    assert said(pointed) == (22, text)
    weak = Powers(perfmon=False, sys_admin=False)
    assert said(program("xdp", "r0 = r10\nexit"), weak) == (13, "R0 leaks addr as return value")
