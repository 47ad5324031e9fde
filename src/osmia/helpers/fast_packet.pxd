cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.raw cimport copy, fill, ld8, ld16, ld32, ld64, st32, st64
from osmia.vm.packetstate cimport PLAIN, SKB, at, header_at, skb_end, skb_start, word
from osmia.vm.packetwords cimport P_CTX, P_ENCAPSULATED, P_END, P_KIND, P_MAC, P_NETWORK, P_START, P_TRANSPORT
from osmia.vm.run cimport may, refuse
from osmia.vm.runwords cimport F_CONTEXT, R_ADDRESS, R_CHECKED, R_CTX, R_FAULT, R_PACKET, R_SIZE
from osmia.words cimport s32

cdef enum:  # offsets in struct __sk_buff
    PKT_TYPE = 4, PROTOCOL = 16, HASH = 68

cdef uint64_t M32, M64, EINVAL, EFAULT, ENOMEM, ENOTSUPP, INT_MAX, F_INVALIDATE_HASH, STORE_FLAGS, MAX_LEN, OTHERHOST, MIX

@cython.locals(state=uint64_t, right=bint)
cdef uint64_t packet_of(uint64_t run, uint64_t ctx, uint64_t kind) noexcept nogil
cdef uint64_t give(uint64_t run, uint64_t to, uint64_t size, uint64_t source) noexcept nogil

@cython.locals(state=uint64_t)
cdef uint64_t skb_load_bytes(uint64_t run, uint64_t ctx, uint64_t offset, uint64_t to, uint64_t size, uint64_t r5) noexcept nogil
@cython.locals(state=uint64_t)
cdef uint64_t skb_load_bytes_relative(uint64_t run, uint64_t ctx, uint64_t offset, uint64_t to, uint64_t size, uint64_t header) noexcept nogil
@cython.locals(state=uint64_t, to=uint64_t)
cdef uint64_t skb_store_bytes(uint64_t run, uint64_t ctx, uint64_t offset, uint64_t source, uint64_t size, uint64_t flags) noexcept nogil

@cython.locals(state=uint64_t)
cdef uint64_t skb_pull_data(uint64_t run, uint64_t ctx, uint64_t size, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(state=uint64_t, wanted=int64_t)
cdef uint64_t skb_change_tail(uint64_t run, uint64_t ctx, uint64_t size, uint64_t flags, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(transport=int64_t)
cdef int64_t least_end(uint64_t state) noexcept nogil
@cython.locals(state=uint64_t)
cdef uint64_t skb_change_head(uint64_t run, uint64_t ctx, uint64_t room, uint64_t flags, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t skb_change_type(uint64_t run, uint64_t ctx, uint64_t kind, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil

@cython.locals(state=uint64_t)
cdef uint64_t get_hash_recalc(uint64_t run, uint64_t ctx, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t set_hash(uint64_t run, uint64_t ctx, uint64_t value, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t set_hash_invalid(uint64_t run, uint64_t ctx, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(addresses=uint64_t, ports=uint64_t, count=uint64_t, mixed=uint64_t, offset=uint64_t)
cdef uint64_t flow_hash(uint64_t network, uint64_t end, uint64_t protocol) noexcept nogil
cdef uint64_t ports_at(uint64_t header, uint64_t end, uint64_t protocol) noexcept nogil
cdef uint64_t mix(uint64_t state, uint64_t value) noexcept nogil
cdef uint64_t mix_pair(uint64_t state, uint64_t a, uint64_t b) noexcept nogil
