cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.raw cimport copy, fill, ld8, ld16, ld32, ld64, st32, st64
from osmia.vm.packetwords cimport (
    P_AHEAD, P_CTX, P_END, P_GIVEN, P_HIGH, P_KIND, P_LOW, P_LOWEST, P_MAC, P_META, P_NETWORK, P_ROOM, P_SIZE, P_START,
    P_ENCAPSULATED, P_SUMS, P_TRANSPORT, P_VERSION,
)

cpdef enum:
    PLAIN = 0, XDP = 1, SKB = 2
    HEADROOM = 256, XDP_FRAME = 40, LINEAR = 3520, MAX_META = 252, ETH_HLEN = 14
    LL_OFF = -0x200000, NET_OFF = -0x100000
    AT_NETWORK = 1, GIVEN_PROTOCOL = 2, GIVEN_TYPE = 4, GIVEN_WIRE = 8
    P_WORDS = 144

cdef int64_t EINVAL, EACCES, ENOMEM
cdef bint LITTLE

@cython.locals(ahead=uint64_t, first=uint64_t, lowest=uint64_t)
cdef uint64_t reset(uint64_t state, uint64_t packet, uint64_t size) noexcept nogil
@cython.locals(first=uint64_t)
cdef void place(uint64_t state, uint64_t size) noexcept nogil
@cython.locals(ctx=uint64_t, given=uint64_t)
cdef void describe(uint64_t state, uint64_t frame, uint64_t size) noexcept nogil
@cython.locals(raw=bint)
cdef uint64_t protocol_at(uint64_t frame, uint64_t size) noexcept nogil
cdef uint64_t network16(uint64_t value) noexcept nogil
cdef uint64_t packet_type_at(uint64_t frame, uint64_t size) noexcept nogil
@cython.locals(ctx=uint64_t, start=uint64_t, end=uint64_t, meta=uint64_t)
cdef void moved(uint64_t state) noexcept nogil

@cython.locals(start=uint64_t, length=uint64_t)
cdef uint64_t at(uint64_t state, uint64_t offset, uint64_t size) noexcept nogil
@cython.locals(begin=uint64_t, end=uint64_t)
cdef uint64_t header_at(uint64_t state, uint64_t header, uint64_t offset, uint64_t size) noexcept nogil
@cython.locals(place=uint64_t)
cdef int64_t legacy_load(uint64_t state, int64_t offset, uint64_t size) noexcept nogil

cdef int64_t word(uint64_t at) noexcept nogil
@cython.locals(start=int64_t, size=int64_t)
cdef int64_t xdp_head(uint64_t state, int64_t delta) noexcept nogil
@cython.locals(before=int64_t, end=int64_t)
cdef int64_t xdp_tail(uint64_t state, int64_t delta) noexcept nogil
@cython.locals(start=int64_t, meta=int64_t)
cdef int64_t xdp_meta(uint64_t state, int64_t delta) noexcept nogil
@cython.locals(start=int64_t)
cdef int64_t skb_start(uint64_t state, int64_t delta) noexcept nogil
@cython.locals(before=int64_t, end=int64_t)
cdef int64_t skb_end(uint64_t state, int64_t delta) noexcept nogil
