"""Write src/osmia/kernel/data/kfuncs-6.18.txt: the kernel functions that programs of the running kernel may call.

    python tools/record_kfuncs.py [--output FILE] [--check]

Names and prototypes are the kernel's BTF's (declaration tag ``bpf_kfunc``).  Who may call a function is what bpf(2)
answers for every program type, attach type and target.  Of its flags the kernel tells which functions sleep and which
arguments must be trusted; the others follow from names (``bpf_iter_…_new``) and from ``RULES``, since they show only in
programs that bring fitting arguments.  Needs root.  ``--check`` writes nothing and exits with 1 when the file differs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from record_profile import SLEEPABLE, Answer, Shape, ask, ending, shapes

from osmia.btf import Btf, DeclTag, Func, FuncProto, Ptr, Struct
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa.macros import BPF_MOV64_IMM, BPF_MOV64_REG
from osmia.kernel.kfuncs import DATA
from osmia.kernel.uapi import ATTACH_TYPES
from osmia.live.prog import kernel_btf

HEAD = """\
# Kernel functions that programs may call.  Recorded from Linux {release} by tools/record_kfuncs.py: do not edit.
# name: flags: who may call it, as program type[/attach type[/target]]; "as NAME": the same as that one; "-": nobody.
# Rows of fentry, fexit, fmod_ret and LSM programs were not asked of the kernel: they are those of raw tracepoints.
"""
REFUSED = "is not allowed"
TRACED = "tracing/trace_raw_tp"
BELIEVED = ("lsm", "tracing/modify_return", "tracing/trace_fentry", "tracing/trace_fexit")
"""Programs that the recording machine's policy refuses; in the kernel they share a hook with raw tracepoints by BTF."""
LSM_ONLY = """
bpf_get_dentry_xattr bpf_get_file_xattr bpf_get_task_exe_file bpf_path_d_path bpf_put_file bpf_remove_dentry_xattr
bpf_set_dentry_xattr
""".split()
RULES = {
    "acquire": """
        bpf_cgroup_acquire bpf_cgroup_ancestor bpf_cgroup_from_id bpf_cpumask_acquire bpf_cpumask_create
        bpf_crypto_ctx_acquire bpf_crypto_ctx_create bpf_ct_insert_entry bpf_get_task_exe_file bpf_list_pop_back
        bpf_list_pop_front bpf_lookup_system_key bpf_lookup_user_key bpf_obj_new_impl bpf_percpu_obj_new_impl
        bpf_rbtree_remove bpf_refcount_acquire_impl bpf_skb_ct_alloc bpf_skb_ct_lookup bpf_task_acquire
        bpf_task_from_pid bpf_task_from_vpid bpf_task_get_cgroup1 bpf_xdp_ct_alloc bpf_xdp_ct_lookup
        bpf_xdp_get_xfrm_state""",
    "release": """
        bpf_cgroup_release bpf_cpumask_release bpf_crypto_ctx_release bpf_ct_insert_entry bpf_ct_release bpf_key_put
        bpf_kfunc_call_memb_release bpf_kfunc_call_test_release bpf_obj_drop_impl bpf_percpu_obj_drop_impl bpf_put_file
        bpf_task_release bpf_xdp_xfrm_state_release""",
    "ret_null": """
        bpf_arena_alloc_pages bpf_cgroup_acquire bpf_cgroup_ancestor bpf_cgroup_from_id bpf_cpumask_create
        bpf_crypto_ctx_acquire bpf_crypto_ctx_create bpf_ct_insert_entry bpf_dynptr_slice bpf_dynptr_slice_rdwr
        bpf_get_task_exe_file bpf_list_back bpf_list_front bpf_list_pop_back bpf_list_pop_front bpf_lookup_system_key
        bpf_lookup_user_key bpf_obj_new_impl bpf_percpu_obj_new_impl bpf_rbtree_first bpf_rbtree_left bpf_rbtree_remove
        bpf_rbtree_right bpf_rbtree_root bpf_refcount_acquire_impl bpf_res_spin_lock bpf_res_spin_lock_irqsave
        bpf_skb_ct_alloc bpf_skb_ct_lookup bpf_task_acquire bpf_task_from_pid bpf_task_from_vpid bpf_task_get_cgroup1
        bpf_xdp_ct_alloc bpf_xdp_ct_lookup bpf_xdp_flow_lookup bpf_xdp_get_xfrm_state""",
    "rcu_protected": "bpf_iter_css_new bpf_iter_task_new",
    "destructive": "crash_kexec",
    "trusted": """
        bpf_arena_alloc_pages bpf_arena_free_pages bpf_arena_reserve_pages bpf_copy_from_user_task_dynptr
        bpf_copy_from_user_task_str_dynptr bpf_get_dentry_xattr bpf_get_file_xattr bpf_get_task_exe_file
        bpf_path_d_path bpf_remove_dentry_xattr bpf_set_dentry_xattr bpf_sk_assign_tcp_reqsk bpf_stream_vprintk_impl
        bpf_task_work_schedule_resume_impl bpf_task_work_schedule_signal_impl""",
    "rcu": "bpf_crypto_ctx_acquire bpf_iter_task_vma_new bpf_refcount_acquire_impl",
    "sleepable": """
        bpf_crypto_ctx_create bpf_get_dentry_xattr bpf_get_file_xattr bpf_remove_dentry_xattr bpf_set_dentry_xattr
        bpf_verify_pkcs7_signature""",
}
"""Flags that a refused call does not show (the kernel's own lists of functions, BTF_ID_FLAGS)."""
ORDER = (
    *("acquire", "release", "ret_null", "trusted", "rcu", "rcu_protected", "sleepable", "destructive"),
    *("iter_new", "iter_next", "iter_destroy", "fastcall"),
)
TAGGED = {"bpf_kfunc", "bpf_fastcall"}
Words = frozenset[str]


def kfuncs(btf: Btf) -> dict[str, int]:
    """Every function with the tag, by name, with its BTF id."""
    tags = [btf.type(i) for i in btf.ids(DeclTag)]
    ids = [tag.type_id for tag in tags if isinstance(tag, DeclTag) and tag.name == "bpf_kfunc"]
    return {btf.type(i).name: i for i in sorted(ids)}


def loading() -> list[tuple[Shape, int]]:
    """Every shape that the kernel takes, with a value it may return."""
    found = []
    for shape in shapes():
        for flags in (0, SLEEPABLE):
            asked = replace(shape, flags=flags)
            value = next((v for v in (0, 1) if not ask(asked, ending(v)).errno), None)
            if value is not None:
                found.append((asked, value))
                break
    return found


def call(btf_id: int) -> Insn:
    """The call of a kernel function."""
    return Insn(c.BPF_JMP | c.BPF_CALL, 0, c.BPF_PSEUDO_KFUNC_CALL, 0, btf_id)


def place(shape: Shape) -> tuple[str, str, str]:
    """Type, attach type and target in words."""
    if shape.type == "struct_ops":
        return shape.type, str(shape.attach), shape.target
    return shape.type, ATTACH_TYPES[shape.attach], shape.target


def words(found: set[Shape], everything: list[Shape]) -> Words:
    """A set of shapes in as few words as say it: a word for a type when all its shapes are in."""
    said = set()
    for depth in (1, 2, 3):
        groups: dict[tuple[str, ...], list[Shape]] = {}
        for shape in everything:
            groups.setdefault(place(shape)[:depth], []).append(shape)
        for key, group in groups.items():
            known = any("/".join(key[:n]) in said for n in range(1, depth))
            if not known and found.issuperset(group):
                said.add("/".join(key))
    return frozenset(said)


def believed(name: str, said: Words) -> Words:
    """With the programs that could not be asked."""
    if name in LSM_ONLY:
        return said | {"lsm"}
    if "tracing" in said:
        return said | {"lsm"}
    return said | set(BELIEVED) if TRACED in said else said


def flags(name: str, btf_id: int, btf: Btf, callers: Iterable[tuple[Shape, int]]) -> Words:
    """What the kernel says and what the rules say."""
    said = {word for word, names in RULES.items() if name in names.split()}
    said |= {f"iter_{end}" for end in ("new", "next", "destroy") if name.startswith("bpf_iter_") and name.endswith(end)}
    said |= {"ret_null"} if "iter_next" in said else set()
    tags = (btf.type(i) for i in btf.ids(DeclTag))
    said |= {"fastcall" for t in tags if isinstance(t, DeclTag) and t.type_id == btf_id and t.name == "bpf_fastcall"}
    asked = list(callers)
    awake = next(((s, v) for s, v in asked if not s.flags), None)
    if awake and "program must be sleepable" in ask(awake[0], [call(btf_id), *ending(awake[1])], 1).log:
        said.add("sleepable")
    caller = awake if "sleepable" not in said else next(((s, v) for s, v in asked if s.flags), None)
    for shape, value in [caller] if caller else asked[:1]:
        said |= trust(btf, btf_id, shape, value)
        zeros = [*(BPF_MOV64_IMM(n, 0) for n in range(1, 6)), call(btf_id), *ending(value)]
        said |= {"trusted"} if "Possibly NULL pointer passed to trusted arg" in ask(shape, zeros, 1).log else set()
    return frozenset(said - {"trusted"} if said & {"release", "rcu"} else said)


def trust(btf: Btf, btf_id: int, shape: Shape, value: int) -> set[str]:
    """Must the first pointer to a struct be trusted, or safe under RCU?"""
    function = btf.type(btf_id)
    proto = btf.type(function.type_id) if isinstance(function, Func) else None
    for number, param in enumerate(proto.params if isinstance(proto, FuncProto) else ()):
        pointer = btf.type(btf.skip_modifiers(param.type_id))
        if isinstance(pointer, Ptr):
            target = btf.skip_modifiers(pointer.type_id)
            if not isinstance(btf.type(target), Struct):
                return set()
            log = untrusted(btf, shape, value, btf_id, number + 1, target).log
            if "must be referenced or trusted" in log:
                return {"trusted"}
            return {"rcu"} if "must be a rcu pointer" in log else set()
    return set()


def untrusted(btf: Btf, shape: Shape, value: int, btf_id: int, regno: int, target: int) -> Answer:
    """Call the function with a pointer of the right type that nothing vouches for; other arguments are 0."""
    cast = btf.find("bpf_rdonly_cast", Func) or 0
    insns = [BPF_MOV64_IMM(2, target), call(cast), BPF_MOV64_REG(6, 0)]
    insns += [BPF_MOV64_IMM(n, 0) for n in range(1, 6)]
    return ask(shape, [*insns, BPF_MOV64_REG(regno, 6), call(btf_id), *ending(value)], 1)


def record() -> str:
    """Ask everything and write it down."""
    btf = kernel_btf()
    ways = loading()
    everything = [shape for shape, _ in ways]
    lines = [HEAD.format(release=os.uname().release)]
    seen: dict[Words, str] = {}
    for name, btf_id in sorted(kfuncs(btf).items()):
        callers = [(s, v) for s, v in ways if may_call(s, v, btf_id)]
        said = believed(name, words({s for s, _ in callers}, everything))
        where = f"as {seen[said]}" if said in seen else " ".join(sorted(said)) or "-"
        seen.setdefault(said, name)
        marks = flags(name, btf_id, btf, callers)
        lines.append(f"{name}: {' '.join(x for x in ORDER if x in marks) or '-'}: {where}")
    return "\n".join([*lines, ""])


def may_call(shape: Shape, value: int, btf_id: int) -> bool:
    """Does the kernel look at the arguments at all?"""
    log = ask(shape, [call(btf_id), *ending(value)], 1).log
    return REFUSED not in log


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=DATA / "kfuncs-6.18.txt")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    text = record()
    if options.check:
        return int(options.output.read_text("utf-8") != text)
    options.output.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
