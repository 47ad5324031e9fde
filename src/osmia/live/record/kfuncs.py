"""The kernel functions that programs may call: who may, and what each call asks for.

Names and prototypes are the kernel's BTF's (declaration tag ``bpf_kfunc``).  Older kernels tag nothing: they are asked
about the functions of that name in any profile, and those whose names sound like it.  Who may call a function is what
bpf(2) answers for every kind of program.  Of its flags the kernel tells which functions sleep and which arguments must
be trusted; the others follow from names (``bpf_iter_…_new``) and from ``RULES``, since they show only in programs that
bring fitting arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from osmia.btf import Btf, DeclTag, Func, FuncProto, Ptr, Struct
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa.macros import BPF_MOV64_IMM, BPF_MOV64_REG
from osmia.kernel import profile
from osmia.kernel.uapi import ATTACH_TYPE, ATTACH_TYPES
from osmia.live.record.asker import Asker, Progress, gather
from osmia.live.record.facts import Asking, Facts
from osmia.live.record.shapes import SLEEPABLE, Shape

REFUSED = (
    *("is not allowed", "cannot find address", "calling kernel function", "not supported", "Too many."),
    *("with variable args is unsupported", "is unsupported.\n"),
)
"""What the verifier says of functions that programs can't call, whatever their arguments."""
NO_CALLS = "uses reserved fields"
TRACED = "tracing/trace_raw_tp"
BELIEVED = ("lsm", "tracing/modify_return", "tracing/trace_fentry", "tracing/trace_fexit")
"""Programs that a machine's policy may refuse; in the kernel they share a hook with raw tracepoints by BTF."""
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
        bpf_xdp_get_xfrm_state bpf_obj_new bpf_percpu_obj_new bpf_refcount_acquire bpf_kfunc_call_test_acquire
        bpf_get_root_mem_cgroup bpf_get_mem_cgroup bpf_kptr_get bpf_cgroup_kptr_get bpf_task_kptr_get
        bpf_cpumask_kptr_get""",
    "release": """
        bpf_cgroup_release bpf_cpumask_release bpf_crypto_ctx_release bpf_ct_insert_entry bpf_ct_release bpf_key_put
        bpf_kfunc_call_memb_release bpf_kfunc_call_test_release bpf_obj_drop_impl bpf_percpu_obj_drop_impl bpf_put_file
        bpf_task_release bpf_xdp_xfrm_state_release bpf_obj_drop bpf_percpu_obj_drop bpf_kfunc_call_memb1_release
        bpf_kfunc_call_int_mem_release bpf_put_mem_cgroup""",
    "ret_null": """
        bpf_cgroup_acquire bpf_cgroup_ancestor bpf_cgroup_from_id bpf_cpumask_create
        bpf_crypto_ctx_acquire bpf_crypto_ctx_create bpf_ct_insert_entry bpf_dynptr_slice bpf_dynptr_slice_rdwr
        bpf_get_task_exe_file bpf_list_back bpf_list_front bpf_list_pop_back bpf_list_pop_front bpf_lookup_system_key
        bpf_lookup_user_key bpf_obj_new_impl bpf_percpu_obj_new_impl bpf_rbtree_first bpf_rbtree_left bpf_rbtree_remove
        bpf_rbtree_right bpf_rbtree_root bpf_refcount_acquire_impl bpf_res_spin_lock bpf_res_spin_lock_irqsave
        bpf_skb_ct_alloc bpf_skb_ct_lookup bpf_task_acquire bpf_task_from_pid bpf_task_from_vpid bpf_task_get_cgroup1
        bpf_xdp_ct_alloc bpf_xdp_ct_lookup bpf_xdp_flow_lookup bpf_xdp_get_xfrm_state bpf_obj_new bpf_percpu_obj_new
        bpf_refcount_acquire bpf_kfunc_call_test_acquire bpf_cgroup_kptr_get bpf_task_kptr_get bpf_cpumask_kptr_get
        bpf_get_mem_cgroup""",
    "rcu_protected": "bpf_iter_css_new bpf_iter_task_new",
    "destructive": "crash_kexec",
    "fastcall": "bpf_cast_to_kern_ctx bpf_rdonly_cast",
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
HARMFUL = {"bpf_wq_init": "bpf_wq_start"}
"""Functions whose call stops some kernels: never asked about, taken to be what another one is."""
SOUNDS = (
    "bpf_",
    "__bpf_",
    "scx_bpf_",
    "hid_bpf_",
    "cgroup_rstat_",
    "css_rstat_",
    "crash_",
    "tcp_",
    "cubictcp_",
    "dctcp_",
)
HOOKS = """
cgroup_skb kprobe lsm lwt_in netfilter sched_act sched_cls sk_skb socket_filter struct_ops syscall tracing xdp
""".split()
"""One program type of each set that the kernel keeps of its functions."""
Way = tuple[Shape, int]
Words = frozenset[str]


def tagged(btf: Btf, tag: str = "bpf_kfunc") -> dict[str, int]:
    """Every function with the tag, by name, with its BTF id."""
    found = [made for made in map(btf.type, btf.ids(DeclTag)) if isinstance(made, DeclTag) and made.name == tag]
    return {btf.type(i).name: i for i in sorted(made.type_id for made in found)}


def likely(btf: Btf) -> dict[str, int]:
    """Functions that some profile has as kernel functions for programs, or that are called like such."""
    known = set().union(*(profile.load(name).kfuncs for name in profile.names()))
    named = {btf.type(i).name: i for i in btf.ids(Func)}
    return {name: i for name, i in named.items() if name in known or name.startswith(SOUNDS)}


def call(btf_id: int) -> Insn:
    """The call of a kernel function."""
    return Insn(c.BPF_JMP | c.BPF_CALL, 0, c.BPF_PSEUDO_KFUNC_CALL, 0, btf_id)


def place(shape: Shape) -> tuple[str, ...]:
    """Type, attach type and target in words."""
    if shape.type == "struct_ops":
        return shape.type, str(shape.attach), shape.target
    return shape.type, ATTACH_TYPES[shape.attach], shape.target


def words(found: set[Shape], everything: list[Shape]) -> Words:
    """A set of shapes in as few words as say it: a word for a type when all its shapes are in."""
    said: set[str] = set()
    for depth in (1, 2, 3):
        groups: dict[tuple[str, ...], list[Shape]] = {}
        for shape in everything:
            groups.setdefault(place(shape)[:depth], []).append(shape)
        for key, group in groups.items():
            known = any("/".join(key[:n]) in said for n in range(1, depth))
            if not known and found.issuperset(group):
                said.add("/".join(key))
    return frozenset(word.removesuffix("/*") for word in said)


def believed(name: str, said: Words, everything: list[Shape]) -> Words:
    """With the programs that could not be asked."""
    if any(shape.type == "lsm" for shape in everything):
        return said
    if name in LSM_ONLY or "tracing" in said:
        return said | {"lsm"}
    return said | set(BELIEVED) if TRACED in said else said


def knows_calls(way: Way, btf: Btf) -> Asking:
    """Has the kernel calls of its functions at all?"""
    (answer,) = yield [way[0].asks(call(next(iter(btf.ids(Func)), 1)), value=way[1], level=1)]
    return NO_CALLS not in answer.log


def may_call(ways: list[Way], btf_id: int) -> Asking:
    """The ways of loading in which the kernel looks at the arguments at all."""
    answers = yield [s.asks(call(btf_id), value=v, level=1) for s, v in ways]
    return [way for way, a in zip(ways, answers, strict=True) if _looked_at(a.log, a.errno)]


def _looked_at(log: str, errno: int) -> bool:
    return not errno or (bool(log) and not any(x in log for x in REFUSED))


def flags(name: str, btf_id: int, btf: Btf, fast: bool, callers: list[Way]) -> Asking:
    """What the kernel says and what the rules say."""
    said = {word for word, names in RULES.items() if name in names.split()}
    said |= {f"iter_{end}" for end in ("new", "next", "destroy") if name.startswith("bpf_iter_") and name.endswith(end)}
    said |= {"ret_null"} if "iter_next" in said else set()
    said |= {"fastcall"} if fast else set()
    if not callers:
        return frozenset(said - {"trusted"} if said & {"release", "rcu"} else said)
    awake = next((way for way in callers if not way[0].flags), None)
    if awake:
        (answer,) = yield [awake[0].asks(call(btf_id), value=awake[1], level=1)]
        said |= {"sleepable"} if "program must be sleepable" in answer.log else set()
    asleep = next((way for way in callers if way[0].flags), None)
    shape, value = (asleep if "sleepable" in said and asleep else awake) or callers[0]
    zeros = [*(BPF_MOV64_IMM(n, 0) for n in range(1, 6)), call(btf_id)]
    (answer,) = yield [shape.asks(*zeros, value=value, level=1)]
    said |= {"trusted"} if "Possibly NULL pointer passed to trusted arg" in answer.log else set()
    said |= yield from trust(btf, btf_id, shape, value)
    return frozenset(said - {"trusted"} if said & {"release", "rcu"} else said)


def trust(btf: Btf, btf_id: int, shape: Shape, value: int) -> Asking:
    """Must the first pointer to a struct be trusted, or safe under RCU?"""
    function, cast = btf.type(btf_id), btf.find("bpf_rdonly_cast", Func)
    proto = btf.type(function.type_id) if isinstance(function, Func) else None
    for number, param in enumerate(proto.params if isinstance(proto, FuncProto) and cast else ()):
        pointer = btf.type(btf.skip_modifiers(param.type_id))
        if isinstance(pointer, Ptr):
            target = btf.skip_modifiers(pointer.type_id)
            if not isinstance(btf.type(target), Struct):
                return set()
            insns = [BPF_MOV64_IMM(2, target), call(cast or 0), BPF_MOV64_REG(6, 0)]
            insns += [BPF_MOV64_IMM(n, 0) for n in range(1, 6)]
            insns += [BPF_MOV64_REG(number + 1, 6), call(btf_id)]
            (answer,) = yield [shape.asks(*insns, value=value, level=1)]
            if "must be referenced or trusted" in answer.log:
                return {"trusted"}
            return {"rcu"} if "must be a rcu pointer" in answer.log else set()
    return set()


def ways_of(rows: Iterable[tuple[str, Shape, Facts]]) -> list[Way]:
    """Every kind of program that the kernel takes, with a value that it may return."""
    found = []
    for label, shape, facts in rows:
        if not facts.errno:
            flagged = replace(shape, flags=SLEEPABLE) if facts.sleepable == "must" else shape
            found.append((flagged, facts.value))
            if label.endswith(" * *"):  # some functions ask for an attach type that the program type does not
                found.append((replace(flagged, attach=ATTACH_TYPE["trace_iter"]), facts.value))
    return found


def record_kfuncs(asker: Asker, rows: list[tuple[str, Shape, Facts]], progress: Progress | None = None) -> list[str]:
    """One line a function: ``name: flags: who may call it``."""
    btf, ways = asker.btf, ways_of(rows)
    everything = [shape for shape, _ in ways]
    names = tagged(btf)
    (known,) = gather(asker, [knows_calls(ways[0], btf)])
    if not known:
        return []
    if not names:
        names = _offered(asker, likely(btf), ways, progress)
    asked = {name: number for name, number in names.items() if name not in HARMFUL}
    callers = gather(asker, (may_call(ways, number) for number in asked.values()), progress)
    asleep = [(replace(s, flags=SLEEPABLE), f.value) for _, s, f in rows if f.sleepable == "may"]
    fast = tagged(btf, "bpf_fastcall")
    who, probes = {}, []
    for (name, number), found in zip(asked.items(), callers, strict=True):
        who[name] = believed(name, words({shape for shape, _ in found}, everything), everything)
        awake = {shape for shape, _ in found}
        sleepers = [way for way in asleep if replace(way[0], flags=0) in awake]
        probes.append(flags(name, number, btf, name in fast, [*found, *sleepers]))
    marks = dict(zip(asked, gather(asker, probes, progress), strict=True))
    for name, like in HARMFUL.items():
        if like in who and btf.find(name, Func):
            who[name], marks[name] = who[like], frozenset()
    return written(who, marks)


def _offered(asker: Asker, names: dict[str, int], ways: list[Way], progress: Progress | None) -> dict[str, int]:
    """Of many functions those that some program may call: one program an attach type is asked first."""
    first = {
        (shape.type, shape.attach if shape.type != "struct_ops" else 0): (shape, value)
        for shape, value in reversed(ways)
        if shape.type in HOOKS
    }
    wanted = [name for name in names if name not in HARMFUL]
    answers = gather(asker, (may_call(list(first.values()), names[name]) for name in wanted), progress)
    return {name: names[name] for name, callers in zip(wanted, answers, strict=True) if callers}


def written(who: dict[str, Words], marks: dict[str, Words]) -> list[str]:
    """The lines; equal callers are named by the first function that has them."""
    seen: dict[Words, str] = {}
    lines = []
    for name in sorted(who):
        said = who[name]
        where = f"as {seen[said]}" if said in seen else " ".join(sorted(said)) or "-"
        if said:
            seen.setdefault(said, name)
        lines.append(f"{name}: {' '.join(x for x in ORDER if x in marks[name]) or '-'}: {where}")
    return lines
