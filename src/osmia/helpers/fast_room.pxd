cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.helpers.fast_packet cimport packet_of
from osmia.raw cimport copy, fill, ld32, ld64, st32, st64
from osmia.vm.packetstate cimport ETH_HLEN, SKB, skb_start
from osmia.vm.packetwords cimport P_ENCAPSULATED, P_END, P_HIGH, P_MAC, P_NETWORK, P_START, P_SUMS, P_TRANSPORT
from osmia.words cimport s32

cdef enum:  # offsets in struct __sk_buff
    PROTOCOL = 16, HASH = 68

cdef enum:
    IP_LEN = 20, IPV6_LEN = 40

cdef uint64_t M16, M32, M64, EINVAL, EFAULT, ENOMEM, EALREADY, ENOTSUPP, IPV4, IPV6, MAX_DIFFERENCE, MAX_LEN
cdef uint64_t AT_NETWORK, AT_MAC, ENCAP_IPV4, ENCAP_IPV6, ENCAP_GRE, ENCAP_UDP, ENCAP_ETH, INNER_MAC_SHIFT
cdef uint64_t DECAP_IPV4, DECAP_IPV6, FIXED_GSO, NO_CSUM_RESET, ENCAP_IP, ENCAP_L4, DECAP, SHRINK_FLAGS, ROOM_FLAGS

@cython.locals(start=uint64_t)
cdef uint64_t opened(uint64_t state, uint64_t behind, uint64_t room) noexcept nogil
@cython.locals(start=uint64_t, length=uint64_t)
cdef uint64_t closed(uint64_t state, uint64_t behind, uint64_t room) noexcept nogil
@cython.locals(same=bint)
cdef void shifted(uint64_t state, int64_t delta) noexcept nogil
cdef uint64_t header_length(uint64_t protocol) noexcept nogil

@cython.locals(state=uint64_t, before=uint64_t, wanted=uint64_t, behind=uint64_t, bad=uint64_t)
cdef uint64_t skb_change_proto(uint64_t run, uint64_t ctx, uint64_t proto, uint64_t flags, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(state=uint64_t, bytes_=uint64_t, base=uint64_t, behind=uint64_t, bad=uint64_t)
cdef uint64_t skb_adjust_room(uint64_t run, uint64_t ctx, uint64_t difference, uint64_t mode, uint64_t flags, uint64_t r5) noexcept nogil
@cython.locals(least=uint64_t, left=uint64_t, bad=uint64_t)
cdef uint64_t shrink(uint64_t state, uint64_t ctx, uint64_t behind, uint64_t room, uint64_t flags) noexcept nogil
@cython.locals(mac_length=uint64_t, bad=uint64_t, length=uint64_t)
cdef uint64_t grow(uint64_t state, uint64_t ctx, uint64_t behind, uint64_t room, uint64_t flags) noexcept nogil
@cython.locals(inner_mac=uint64_t)
cdef uint64_t misfit(uint64_t state, uint64_t room, uint64_t flags) noexcept nogil
