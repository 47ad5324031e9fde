cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fast_packet cimport packet_of
from osmia.raw cimport copy, ld16, ld32, ld64, st16, st32, st64
from osmia.vm.packetstate cimport ETH_HLEN, SKB, protocol_at, skb_start
from osmia.vm.packetwords cimport P_END, P_MAC, P_NETWORK, P_START
from osmia.words cimport swap16

cdef enum:  # offsets in struct __sk_buff
    PROTOCOL = 16, PRESENT = 20, TCI = 24, PROTO = 28

cdef enum:  # bytes of the two addresses, and of a tag
    MACS = 12, TAG = 4

cdef uint64_t M16, M64, EINVAL, ENOMEM, DOT1Q, DOT1AD
cdef bint LITTLE

cdef uint64_t is_vlan(uint64_t protocol) noexcept nogil
cdef uint64_t host16(uint64_t value) noexcept nogil
cdef void put_beside(uint64_t ctx, uint64_t proto, uint64_t tci) noexcept nogil
@cython.locals(start=uint64_t)
cdef uint64_t insert(uint64_t state, uint64_t ctx) noexcept nogil
@cython.locals(start=uint64_t, tci=uint64_t)
cdef uint64_t remove(uint64_t state, uint64_t ctx) noexcept nogil
@cython.locals(state=uint64_t, bad=uint64_t)
cdef uint64_t skb_vlan_push(uint64_t run, uint64_t ctx, uint64_t proto, uint64_t tci, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(state=uint64_t, proto=uint64_t, tci=uint64_t)
cdef uint64_t skb_vlan_pop(uint64_t run, uint64_t ctx, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
