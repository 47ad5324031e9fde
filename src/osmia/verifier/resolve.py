"""What the 64-bit loads of a program mean: maps, values of maps, functions, variables of the kernel.

Also the first look at every opcode.  (``resolve_pseudo_ldimm64`` in kernel/bpf/verifier.c, Linux 6.18.)  In a
``Program`` a map load's imm is the map's number; one that is no number is what bpf(2) would take for a descriptor.
"""

from __future__ import annotations

from errno import E2BIG, EBADF, EFAULT, EINVAL, ENOENT, EPROTO, ERANGE

from osmia.btf import Btf, Datasec, Func, Struct, Type, Union, Var
from osmia.errors import BtfError
from osmia.isa import consts as c
from osmia.isa.classify import BY_CODE
from osmia.kernel.symbols import without_address
from osmia.kernel.uapi import MAP_TYPE
from osmia.verifier.btf_info import known_type
from osmia.verifier.consts import MEM_PERCPU, MEM_RDONLY, PTR_TO_BTF_ID, PTR_TO_FUNC, PTR_TO_MEM
from osmia.verifier.env import Env
from osmia.verifier.insn import VInsn
from osmia.verifier.insn_fields import check_insn_fields, check_registers
from osmia.verifier.map_prog import check_map_prog_compatibility
from osmia.verifier.maps import VMap

ENOTSUPP = 524
MAX_USED_MAPS = 64
BPF_MAX_VAR_OFF = 1 << 29
M32 = 0xFFFFFFFF
LD_IMM64 = c.BPF_LD | c.BPF_IMM | c.BPF_DW
CALLX = c.BPF_JMP | c.BPF_CALL | c.BPF_X
GOTOL = c.BPF_JMP32 | c.BPF_JA
LDX_MODES = (c.BPF_MEM, c.BPF_MEMSX)
BSWAP = c.BPF_ALU64 | c.BPF_END
MAY_GOTO = c.BPF_JMP | c.BPF_JCOND
NARROW_ATOMICS = (c.BPF_STX | c.BPF_ATOMIC | c.BPF_B, c.BPF_STX | c.BPF_ATOMIC | c.BPF_H)
STX_MODES = (c.BPF_MEM, c.BPF_ATOMIC)
OPEN_FDS = 3
"""Standard input, output and error: descriptors that exist and are no maps."""
_BY_INDEX = (c.BPF_PSEUDO_MAP_IDX, c.BPF_PSEUDO_MAP_IDX_VALUE)
_MAPS = (c.BPF_PSEUDO_MAP_FD, c.BPF_PSEUDO_MAP_IDX)
_VALUES = (c.BPF_PSEUDO_MAP_VALUE, c.BPF_PSEUDO_MAP_IDX_VALUE)
_ARRAY, _ARENA = MAP_TYPE["array"], MAP_TYPE["arena"]


def resolve_pseudo_ldimm64(env: Env) -> None:
    """Look at every instruction; note what loads load in ``map``, ``map_off`` or the BTF fields.  Raises Rejected."""
    slot = 0
    only_adds = not env.rules.atomic_ops
    fields_first = env.rules.fields_first
    modes = LDX_MODES if env.rules.cpu_v4 else LDX_MODES[:1]
    while slot < env.n_insns:
        insn = env.insns[slot]
        if fields_first:
            check_registers(env, insn)
        elif insn.code & 7 == c.BPF_LDX and (insn.code & 0xE0 not in modes or insn.imm):
            raise env.reject(EINVAL, "ldx-reserved", "BPF_LDX uses reserved fields\n")
        if only_adds and insn.code & 7 == c.BPF_STX and (insn.code & 0xE0 not in STX_MODES or insn.imm):
            raise env.reject(EINVAL, "stx-reserved", "BPF_STX uses reserved fields\n")
        if insn.code == LD_IMM64:
            resolve_load(env, insn)
            slot += 1
        elif not in_insntable(env, insn.code):
            raise env.reject(EINVAL, "opcode", f"unknown opcode {insn.code:02x}\n")
        elif fields_first:
            check_insn_fields(env, insn)
        slot += 1


def in_insntable(env: Env, code: int) -> bool:
    """Is the opcode one that the kernel's verifier knows, whatever the other fields say?"""
    rules = env.rules
    if (code == BSWAP and not rules.cpu_v4) or (code == MAY_GOTO and not rules.may_goto):
        return False
    if (code == GOTOL and not rules.gotol) or (code in NARROW_ATOMICS and not rules.atomic_load_store):
        return False
    return bool(BY_CODE[code]) and code != CALLX


def resolve_load(env: Env, insn: VInsn) -> None:
    """One 64-bit load."""
    second = env.insns[insn.idx + 1] if insn.idx + 1 < env.n_insns else None
    if second is None or second.code or second.dst or second.src or second.off:
        raise env.reject(EINVAL, "ld-imm64", "invalid bpf_ld_imm64 insn\n")
    if insn.off and env.rules.fields_first:
        raise env.reject(EINVAL, "reserved-fields", "BPF_LD_IMM64 uses reserved fields\n")
    if insn.src == 0:
        return
    if insn.src == c.BPF_PSEUDO_BTF_ID:
        check_pseudo_btf_id(env, insn, second.imm)
    elif insn.src == c.BPF_PSEUDO_FUNC and env.rules.pseudo_func:
        insn.ptr_type = PTR_TO_FUNC
    elif insn.src in _BY_INDEX and not env.rules.fd_array:
        raise env.reject(EINVAL, "ld-imm64-kind", "unrecognized bpf_ld_imm64 insn\n")
    elif insn.src in _VALUES or (insn.src in _MAPS and second.imm == 0):
        resolve_map(env, insn, second.imm & M32)
    else:
        raise env.reject(EINVAL, "ld-imm64-kind", "unrecognized bpf_ld_imm64 insn\n")


def resolve_map(env: Env, insn: VInsn, off: int) -> None:
    """A load of a map, or of an address in its value."""
    found = add_used_map(env, descriptor_at(env, insn.imm) if insn.src in _BY_INDEX else insn.imm)
    if insn.src in _VALUES:
        check_value_offset(env, found, off)
        insn.map_off = off
    insn.map = found


def descriptor_at(env: Env, index: int) -> int:
    """What stands at a place of the loader's fd_array.  Raises Rejected."""
    array = env.program.fd_array
    if array is None:
        raise env.reject(EPROTO, "fd-array", "fd_idx without fd_array is invalid\n")
    if not 0 <= index < len(array):
        raise env.reject(EFAULT, "fd-array", "")  # beyond what the loader has there
    return array[index]


def process_fd_array(env: Env) -> None:
    """The maps that the loader counts among the program's, used or not.  Raises Rejected."""
    program = env.program
    for number in (program.fd_array or ())[: program.fd_array_cnt]:
        if not 0 <= number < len(env.maps):
            errno = EINVAL if 0 <= number < OPEN_FDS else EBADF
            raise env.reject(errno, "fd-array", f"fd {number} is not pointing to valid bpf_map or btf\n")
        add_used_map(env, number)


def add_used_map(env: Env, number: int) -> VMap:
    """The map of that number; the first time it is used, may this program use it?"""
    if not 0 <= number < len(env.maps):
        errno = EINVAL if 0 <= number < OPEN_FDS else EBADF
        raise env.reject(errno, "map-fd", f"fd {number} is not pointing to valid bpf_map\n")
    found = env.maps[number]
    if any(used is found for used in env.used_maps):
        return found
    if len(env.used_maps) >= MAX_USED_MAPS:
        raise env.reject(
            E2BIG, "too-many-maps", f"The total number of maps per program has reached the limit of {MAX_USED_MAPS}\n"
        )  # fmt: skip
    check_map_prog_compatibility(env, found)
    env.used_maps.append(found)
    return found


def check_value_offset(env: Env, found: VMap, off: int) -> None:
    """May a program hold the address at ``off`` bytes in the value of this map?"""
    if off >= BPF_MAX_VAR_OFF:
        raise env.reject(EINVAL, "map-value-offset", f"direct value offset of {off} is not allowed\n")
    if found.type not in (_ARRAY, _ARENA):
        raise env.reject(EINVAL, "map-value-type", "no direct value access support for this map type\n")
    errno = value_addr_errno(found, off)
    if errno:
        raise env.reject(
            errno, "map-value-access",
            f"invalid access to map value pointer, value_size={found.value_size} off={off}\n",
        )  # fmt: skip


def value_addr_errno(found: VMap, off: int) -> int:
    """What ``map_direct_value_addr`` answers."""
    if found.type == _ARENA:
        return ERANGE if off > found.max_entries * 4096 else 0
    if found.max_entries != 1:
        return ENOTSUPP
    return EINVAL if off >= found.value_size else 0


# -- variables and functions of the kernel


def check_pseudo_btf_id(env: Env, insn: VInsn, btf_fd: int) -> None:
    """The kernel symbol that a load names by the id of its type.

    Kernels without CONFIG_KALLSYMS_ALL have no address of any variable: the profile's feature "data-symbols".
    """
    if btf_fd:
        raise env.reject(EINVAL, "module-btf-fd", "invalid module BTF object FD specified.\n")
    btf = env.vmlinux
    if btf is None:
        raise env.reject(
            EINVAL, "no-vmlinux-btf",
            "kernel is missing BTF, make sure CONFIG_DEBUG_INFO_BTF=y is specified in Kconfig.\n",
        )  # fmt: skip
    found = known_type(btf, insn.imm & M32)
    if found is None:
        raise env.reject(ENOENT, "btf-id", f"ldimm64 insn specifies invalid btf_id {insn.imm}.\n")
    if not isinstance(found, Var) and not (isinstance(found, Func) and env.rules.function_addresses):
        kinds = "KIND_VAR or KIND_FUNC\n" if env.rules.function_addresses else "KIND_VAR.\n"
        raise env.reject(
            EINVAL, "btf-id-kind", f"pseudo btf_id {insn.imm} in ldimm64 isn't {kinds}"
        )  # fmt: skip
    if not has_address(env, found):
        text = f"ldimm64 failed to find the address for kernel symbol '{found.name}'.\n"
        raise env.reject(ENOENT, "ksym-address", text)
    if isinstance(found, Var):
        resolve_var(env, insn, btf, found)
    else:
        insn.btf_reg_type, insn.mem_size = PTR_TO_MEM | MEM_RDONLY, 0


def has_address(env: Env, found: Func | Var) -> bool:
    """Is the symbol in the kernel's table?"""
    if isinstance(found, Var):
        return env.rules.data_symbols
    return found.name not in without_address(env.profile.name)


def resolve_var(env: Env, insn: VInsn, btf: Btf, var: Var) -> None:
    """A variable: of every CPU, a struct, or plain memory of a size."""
    kind = btf.type(btf.resolve(var.type_id))
    if is_percpu(btf, insn.imm):
        insn.btf_reg_type, insn.btf, insn.btf_id = PTR_TO_BTF_ID | MEM_PERCPU, btf, var.type_id
    elif isinstance(kind, Struct | Union):
        insn.btf_reg_type, insn.btf, insn.btf_id = PTR_TO_BTF_ID, btf, var.type_id
    else:
        insn.btf_reg_type, insn.mem_size = PTR_TO_MEM | MEM_RDONLY, size_of_var(env, btf, var, kind)


def is_percpu(btf: Btf, type_id: int) -> bool:
    """Does a variable stand in the section of per-CPU data?"""
    found = btf.find(".data..percpu", Datasec)
    section = btf.type(found) if found else None
    return isinstance(section, Datasec) and any(row.type_id == type_id for row in section.vars)


def size_of_var(env: Env, btf: Btf, var: Var, kind: Type) -> int:
    """Bytes of a variable that is no struct."""
    try:
        return btf.size_of(var.type_id)
    except BtfError:
        text = f"ldimm64 unable to resolve the size of type '{kind.name}': {-EINVAL}\n"
        raise env.reject(EINVAL, "var-size", text) from None
