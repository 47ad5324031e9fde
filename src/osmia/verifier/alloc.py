"""Objects that a program allocates: made, counted, dropped; and per-CPU ones.

(The parts of ``check_special_kfunc`` and ``check_kfunc_args`` in kernel/bpf/verifier.c that are about ``bpf_obj_new``,
``bpf_percpu_obj_new``, ``bpf_refcount_acquire`` and ``bpf_obj_drop``; Linux 6.18.)
"""

from __future__ import annotations

from errno import EFAULT, EINVAL

from osmia.btf import Btf, Struct
from osmia.errors import InputError
from osmia.verifier import consts as c
from osmia.verifier.arg_names import arg_name
from osmia.verifier.env import Env
from osmia.verifier.fields import object_record, reg_btf_record
from osmia.verifier.graph import OBJECT, is_borrowed, is_object
from osmia.verifier.kfunc_meta import KfuncMeta
from osmia.verifier.kfunc_types import is_scalar_struct
from osmia.verifier.kptrs import UNREF
from osmia.verifier.regs import Reg, pointer

OBJ_NEW, PERCPU_OBJ_NEW = "bpf_obj_new_impl", "bpf_percpu_obj_new_impl"
REFCOUNT_ACQUIRE = "bpf_refcount_acquire_impl"
ALLOCATES = (OBJ_NEW, PERCPU_OBJ_NEW, REFCOUNT_ACQUIRE)
DROPS = {OBJECT: "bpf_obj_drop_impl", OBJECT | c.MEM_PERCPU: "bpf_percpu_obj_drop_impl"}
"""Which function drops what."""
INTERRUPTS = ("raw_tracepoint", "tracepoint", "perf_event", "kprobe", "raw_tracepoint_writable")
"""Program types that may run in a non-maskable interrupt, besides tracing ones."""
PLAIN_FIELDS = ("spin_lock", "res_spin_lock", "refcount")
PERCPU_MAX = 512
U32_MAX = 0xFFFFFFFF


def program_btf(env: Env) -> Btf | None:
    """The types that the program brought along: the kernel keeps them only where functions or lines go with them."""
    program = env.program
    return program.btf if program.func_info or program.line_info else None


def new_object(env: Env, meta: KfuncMeta) -> Reg:
    """What ``bpf_obj_new`` or ``bpf_percpu_obj_new`` returns, without what flags add.  Raises Rejected."""
    type_id = meta.constant or 0
    if type_id > U32_MAX:
        text = "local type ID argument must be in range [0, U32_MAX]\n"
        raise env.reject(EINVAL, "object-type-id", text)
    btf = program_btf(env)
    if btf is None:
        text = "bpf_obj_new/bpf_percpu_obj_new requires prog BTF\n"
        raise env.reject(EINVAL, "object-no-btf", text)
    made = _struct(btf, type_id)
    if made is None:
        text = "bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct\n"
        raise env.reject(EINVAL, "object-type-id", text)
    reg = pointer(OBJECT)
    reg.btf, reg.btf_id = btf, type_id
    if meta.desc.name == PERCPU_OBJ_NEW:
        _check_percpu(env, btf, type_id, made)
        reg.type |= c.MEM_PERCPU
    return reg


def _struct(btf: Btf, type_id: int) -> Struct | None:
    try:
        found = btf.type(type_id)
    except InputError:
        return None
    return found if isinstance(found, Struct) else None


def _check_percpu(env: Env, btf: Btf, type_id: int, made: Struct) -> None:
    """Per-CPU objects are small and hold numbers only."""
    if made.size > PERCPU_MAX:
        text = f"bpf_percpu_obj_new type size ({made.size}) is greater than {PERCPU_MAX}\n"
        raise env.reject(EINVAL, "percpu-object-size", text, expected=PERCPU_MAX, found=made.size)
    if not made.size:
        raise env.reject(EINVAL, "percpu-object-size", "")
    if not is_scalar_struct(env, btf, made, 0):
        text = "bpf_percpu_obj_new type ID argument must be of a struct of scalars\n"
        raise env.reject(EINVAL, "percpu-object-type", text)
    if object_record(env, btf, type_id) is not None:
        text = "bpf_percpu_obj_new type ID argument must not contain special fields\n"
        raise env.reject(EINVAL, "percpu-object-type", text)


def check_dropped(env: Env, meta: KfuncMeta, i: int, reg: Reg) -> None:
    """Argument ``i`` as the object to drop.  Raises Rejected."""
    wanted = DROPS.get(reg.type)
    if wanted is None:
        text = f"{arg_name(env, i)} expected pointer to allocated object\n"
        raise env.reject(EINVAL, "object-type", text, reg=i + 1)
    if meta.desc.name != wanted:
        raise env.reject(
            EINVAL, "object-type", f"{arg_name(env, i)} expected for {wanted}()\n", reg=i + 1, expected=wanted
        )
    if not reg.ref_obj_id:
        raise env.reject(EINVAL, "object-unreferenced", "allocated object must be referenced\n", reg=i + 1)
    meta.arg_btf, meta.arg_btf_id = reg.btf, reg.btf_id
    if env.rules.obj_drop_in_nmi and may_interrupt_all(env):
        _check_droppable(env, reg, wanted)


def may_interrupt_all(env: Env) -> bool:
    """May the program run in a non-maskable interrupt, in the middle of whatever it would undo?"""
    if env.prog_type == "tracing":
        return env.program.expected_attach_type != "trace_iter" and not env.sleepable
    return env.prog_type in INTERRUPTS


def _check_droppable(env: Env, reg: Reg, name: str) -> None:
    """Such programs drop nothing that owns something, or that something may own."""
    record = object_record(env, reg.btf, reg.btf_id)
    if record is None:
        return
    if any(field.kind not in PLAIN_FIELDS and field.tag != UNREF for field in record.fields):
        text = f"{name} cannot be used in tracing programs on types with NMI unsafe fields\n"
        raise env.reject(EINVAL, "object-in-nmi", text)


def check_refcounted(env: Env, meta: KfuncMeta, i: int, reg: Reg) -> None:
    """Argument ``i`` as an object that counts its owners.  Raises Rejected."""
    if not is_object(reg.type):
        text = f"{arg_name(env, i)} is neither owning or non-owning ref\n"
        raise env.reject(EINVAL, "object-type", text, reg=i + 1)
    meta.arg_owning_ref = not is_borrowed(reg.type)
    record = reg_btf_record(env, reg)
    if record is None:
        raise env.reject(EFAULT, "object-record", "verifier bug: Couldn't find btf_record\n", reg=i + 1)
    if not record.has("refcount"):
        text = f"{arg_name(env, i)} doesn't point to a type with bpf_refcount field\n"
        raise env.reject(EINVAL, "object-refcount", text, reg=i + 1)
    meta.arg_btf, meta.arg_btf_id = reg.btf, reg.btf_id


def one_more(meta: KfuncMeta) -> Reg:
    """What ``bpf_refcount_acquire`` returns: the object's start.  It can't be null for who owns the object."""
    reg = pointer(OBJECT)
    reg.btf, reg.btf_id = meta.arg_btf, meta.arg_btf_id
    return reg


def may_be_null(meta: KfuncMeta) -> bool:
    """May the function return NULL?"""
    return meta.desc.ret_null and not (meta.desc.name == REFCOUNT_ACQUIRE and meta.arg_owning_ref)
