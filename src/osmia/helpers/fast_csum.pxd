cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.helpers.fast_packet cimport packet_of
from osmia.raw cimport ld8, ld16, ld32, ld64, st16, st64
from osmia.vm.packetstate cimport PLAIN, at
from osmia.vm.packetwords cimport P_SUMS
from osmia.vm.run cimport may, refuse

cdef uint64_t M16, M32, M64, EINVAL, EFAULT, EACCES, ENOTSUPP
cdef uint64_t FIELD_MASK, MANGLED, ENFORCE, L4_FLAGS, LEVEL_QUERY, LEVEL_INC, LEVEL_DEC, LEVEL_RESET, MAX_SUMS
cdef int64_t BAD
cdef bint LITTLE

cdef uint64_t folded(uint64_t total) noexcept nogil
cdef uint64_t fold16(uint64_t value) noexcept nogil
@cython.locals(total=uint64_t)
cdef uint64_t partial(uint64_t address, uint64_t size, uint64_t seed) noexcept nogil
@cython.locals(M64=uint64_t, total=uint64_t, carries=uint64_t, end=uint64_t, one=uint64_t, two=uint64_t)
cdef uint64_t sum64(uint64_t address, uint64_t count) noexcept nogil
@cython.locals(value=uint64_t, number=uint64_t)
cdef uint64_t last_bytes(uint64_t address, uint64_t count) noexcept nogil
cdef uint64_t replaced(uint64_t checksum, uint64_t before, uint64_t after) noexcept nogil
cdef uint64_t replaced_by(uint64_t checksum, uint64_t difference) noexcept nogil
@cython.locals(total=uint64_t)
cdef uint64_t replaced16(uint64_t checksum, uint64_t before, uint64_t after) noexcept nogil
cdef int64_t renewed(uint64_t checksum, uint64_t before, uint64_t after, uint64_t size) noexcept nogil

cdef uint64_t csum_diff(uint64_t run, uint64_t old, uint64_t old_size, uint64_t new, uint64_t new_size, uint64_t seed) noexcept nogil
cdef uint64_t sum_at(uint64_t state, uint64_t offset) noexcept nogil
@cython.locals(state=uint64_t, place=uint64_t, made=int64_t)
cdef uint64_t l3_csum_replace(uint64_t run, uint64_t ctx, uint64_t offset, uint64_t before, uint64_t after, uint64_t flags) noexcept nogil
@cython.locals(state=uint64_t, place=uint64_t, made=int64_t)
cdef uint64_t l4_csum_replace(uint64_t run, uint64_t ctx, uint64_t offset, uint64_t before, uint64_t after, uint64_t flags) noexcept nogil
cdef uint64_t csum_update(uint64_t run, uint64_t ctx, uint64_t csum, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(state=uint64_t, sums=uint64_t)
cdef uint64_t csum_level(uint64_t run, uint64_t ctx, uint64_t level, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
