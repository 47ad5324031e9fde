cimport cython
from libc.stdint cimport int32_t, uint32_t
from osmia.verifier.consts cimport BPF_ADD_CONST32

@cython.final
cdef class IdMap:
    cdef uint32_t old_ids[600]
    cdef uint32_t cur_ids[600]
    cdef public int32_t count, size
    cdef public uint32_t tmp_id_gen
    cpdef void reset(self, uint32_t id_gen) noexcept
    @cython.locals(i=int32_t)
    cpdef bint check_ids(self, uint32_t old_id, uint32_t cur_id) noexcept
    cpdef bint check_scalar_ids(self, uint32_t old_id, uint32_t cur_id) noexcept
