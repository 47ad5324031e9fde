cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.consts cimport (
    BPF_MAX_VAR_OFF, BPF_READ, BPF_WRITE, MEM_RDONLY, PTR_TO_ARENA, PTR_TO_CTX, PTR_TO_FLOW_KEYS, PTR_TO_MAP_KEY,
    PTR_TO_MAP_VALUE, PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META, PTR_TO_SOCK_COMMON, PTR_TO_SOCKET,
    PTR_TO_STACK, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK, S64_MIN
)
from osmia.verifier.env cimport Env
from osmia.verifier.maps cimport VMap
from osmia.verifier.printing cimport print_verifier_state
from osmia.verifier.regs cimport Reg
from osmia.words cimport s32, s64

cdef uint64_t M64
cdef uint32_t BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG
cdef int32_t ACCESS_DIRECT, ACCESS_HELPER, NET_IP_ALIGN, FLOW_KEYS_SIZE

@cython.locals(regs=list, reg=Reg)
cdef object _outside(Env env, int32_t regno, int64_t off, int64_t size, int64_t mem_size)
@cython.locals(regs=list, reg=Reg, low=int64_t, high=int64_t, sized=bint)
cpdef int check_mem_region_access(
    Env env, int32_t regno, int64_t off, int64_t size, int64_t mem_size, bint zero_size_allowed
) except -1
cdef object _negative(Env env, int32_t regno)
@cython.locals(regs=list, reg=Reg, found=VMap)
cpdef int check_map_access_type(Env env, int32_t regno, int64_t off, int64_t size, int32_t type) except -1
@cython.locals(regs=list, reg=Reg, found=VMap)
cpdef int check_map_access(Env env, int32_t regno, int64_t off, int64_t size, bint zero_size_allowed, int32_t src) except -1
@cython.locals(found=VMap)
cdef int _check_fields(Env env, Reg reg, int64_t off, int64_t size, int32_t src) except -1
cdef int _check_kptr(Env env, Reg reg, str name, int64_t at, int64_t off, int64_t size, int32_t src) except -1
cpdef bint may_access_direct_pkt_data(Env env, object meta, int32_t t) except? -1
@cython.locals(regs=list, reg=Reg)
cpdef int check_packet_access(Env env, int32_t regno, int64_t off, int64_t size, bint zero_size_allowed) except -1
cpdef int check_flow_keys_access(Env env, int64_t off, int64_t size) except -1
cpdef int check_tp_buffer_access(Env env, Reg reg, int32_t regno, int64_t off, int64_t size) except -1
cpdef int check_buffer_access(Env env, Reg reg, int32_t regno, int64_t off, int64_t size) except -1
cdef int _check_buffer(Env env, str info, Reg reg, int32_t regno, int64_t off, int64_t size) except -1
cpdef int check_ptr_off_reg(Env env, Reg reg, int32_t regno) except -1
cpdef int check_ptr_off_reg_fixed(Env env, Reg reg, int32_t regno, bint fixed_off_ok) except -1
cdef int _check_whole_offset(Env env, Reg reg, int32_t regno, bint fixed_off_ok) except -1
@cython.locals(packet=bint, start=uint64_t, carried=uint64_t)
cpdef check_ptr_alignment(Env env, Reg reg, int64_t off, int64_t size, bint strict_alignment_once)
