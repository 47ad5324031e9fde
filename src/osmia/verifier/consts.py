"""Numbers that the verifier's modules share: register types, flags, stack slot types, limits.

The names are the kernel's (``include/linux/bpf.h``, ``include/linux/bpf_verifier.h``, Linux 6.18); the values are ours
except for the limits.  ``consts.pxd`` says the same to compiled modules; ``tests/verifier/test_consts.py`` keeps them equal.
"""

from __future__ import annotations

# -- register types: a base in the low byte, flags above it
NOT_INIT = 0
SCALAR_VALUE = 1
PTR_TO_CTX = 2
CONST_PTR_TO_MAP = 3
PTR_TO_MAP_VALUE = 4
PTR_TO_MAP_KEY = 5
PTR_TO_STACK = 6
PTR_TO_PACKET_META = 7
PTR_TO_PACKET = 8
PTR_TO_PACKET_END = 9
PTR_TO_FLOW_KEYS = 10
PTR_TO_SOCKET = 11
PTR_TO_SOCK_COMMON = 12
PTR_TO_TCP_SOCK = 13
PTR_TO_TP_BUFFER = 14
PTR_TO_XDP_SOCK = 15
PTR_TO_BTF_ID = 16
PTR_TO_MEM = 17
PTR_TO_ARENA = 18
PTR_TO_BUF = 19
PTR_TO_FUNC = 20
CONST_PTR_TO_DYNPTR = 21

BASE_TYPE_MASK = 0xFF

PTR_MAYBE_NULL = 1 << 8
MEM_RDONLY = 1 << 9
MEM_RINGBUF = 1 << 10
MEM_USER = 1 << 11
MEM_PERCPU = 1 << 12
OBJ_RELEASE = 1 << 13
PTR_UNTRUSTED = 1 << 14
MEM_UNINIT = 1 << 15
DYNPTR_TYPE_LOCAL = 1 << 16
DYNPTR_TYPE_RINGBUF = 1 << 17
MEM_FIXED_SIZE = 1 << 18
MEM_ALLOC = 1 << 19
PTR_TRUSTED = 1 << 20
MEM_RCU = 1 << 21
NON_OWN_REF = 1 << 22
DYNPTR_TYPE_SKB = 1 << 23
DYNPTR_TYPE_XDP = 1 << 24
MEM_ALIGNED = 1 << 25
MEM_WRITE = 1 << 26
DYNPTR_TYPE_SKB_META = 1 << 27

# -- one byte of the stack
STACK_INVALID = 0
STACK_SPILL = 1
STACK_MISC = 2
STACK_ZERO = 3
STACK_DYNPTR = 4
STACK_ITER = 5
STACK_IRQ_FLAG = 6

# -- kinds of references that a state holds
REF_TYPE_PTR = 2
REF_TYPE_IRQ = 4
REF_TYPE_LOCK = 8
REF_TYPE_RES_LOCK = 16
REF_TYPE_RES_LOCK_IRQ = 32

# -- what check_mem_access is asked for
BPF_READ = 1
BPF_WRITE = 2

# -- limits
MAX_CALL_FRAMES = 8
MAX_BPF_STACK = 512
MAX_BPF_REG = 11
BPF_MAX_VAR_OFF = 1 << 29
BPF_MAX_VAR_SIZ = 1 << 29
BPF_COMPLEXITY_LIMIT_INSNS = 1000000
BPF_COMPLEXITY_LIMIT_JMP_SEQ = 8192
BPF_COMPLEXITY_LIMIT_STATES = 64
BPF_MAX_SUBPROGS = 256
MAX_PACKET_OFF = 0xFFFF
BPF_ADD_CONST = 1 << 31

# -- what an instruction did to the stack (jump history flags): frame in bits 0-2, slot in bits 3-8
INSN_F_FRAMENO_MASK = 7
INSN_F_SPI_MASK = 63
INSN_F_SPI_SHIFT = 3
INSN_F_STACK_ACCESS = 1 << 9
INSN_F_DST_REG_STACK = 1 << 10
INSN_F_SRC_REG_STACK = 1 << 11

# -- full-width bounds
S64_MIN = -(1 << 63)
S64_MAX = (1 << 63) - 1
U64_MAX = (1 << 64) - 1
S32_MIN = -(1 << 31)
S32_MAX = (1 << 31) - 1
U32_MAX = (1 << 32) - 1

# -- log levels
BPF_LOG_LEVEL1 = 1
BPF_LOG_LEVEL2 = 2
BPF_LOG_STATS = 4
BPF_LOG_FIXED = 8

# -- what a helper or a global function takes (flags as of register types) and gives
ARG_DONTCARE = 0
ARG_CONST_MAP_PTR = 1
ARG_PTR_TO_MAP_KEY = 2
ARG_PTR_TO_MAP_VALUE = 3
ARG_PTR_TO_MEM = 4
ARG_PTR_TO_ARENA = 5
ARG_CONST_SIZE = 6
ARG_CONST_SIZE_OR_ZERO = 7
ARG_PTR_TO_CTX = 8
ARG_ANYTHING = 9
ARG_PTR_TO_SPIN_LOCK = 10
ARG_PTR_TO_SOCK_COMMON = 11
ARG_PTR_TO_SOCKET = 12
ARG_PTR_TO_BTF_ID = 13
ARG_PTR_TO_RINGBUF_MEM = 14
ARG_CONST_ALLOC_SIZE_OR_ZERO = 15
ARG_PTR_TO_BTF_ID_SOCK_COMMON = 16
ARG_PTR_TO_PERCPU_BTF_ID = 17
ARG_PTR_TO_FUNC = 18
ARG_PTR_TO_STACK = 19
ARG_PTR_TO_CONST_STR = 20
ARG_PTR_TO_TIMER = 21
ARG_KPTR_XCHG_DEST = 22
ARG_PTR_TO_DYNPTR = 23
RET_INTEGER = 0
RET_VOID = 1
RET_PTR_TO_MAP_VALUE = 2
RET_PTR_TO_SOCKET = 3
RET_PTR_TO_TCP_SOCK = 4
RET_PTR_TO_SOCK_COMMON = 5
RET_PTR_TO_MEM = 6
RET_PTR_TO_MEM_OR_BTF_ID = 7
RET_PTR_TO_BTF_ID = 8
