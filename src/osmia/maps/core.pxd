cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t
from osmia.raw cimport cas32, copy, fill, ld32, ld64, st32, st64, unlock

cdef int64_t UNSUPPORTED, BUSY
cdef uint64_t PATIENCE

cpdef uint64_t round8(uint64_t size)

# The functions in a map's handle; callers by address pass id(m) for m.
cdef uint64_t lookup_in(Core m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
cdef int64_t update_in(Core m, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
cdef int64_t delete_in(Core m, uint64_t key, uint64_t b, uint64_t c, uint64_t d) noexcept nogil
cdef int64_t push_in(Core m, uint64_t value, uint64_t flags, uint64_t c, uint64_t d) noexcept nogil
cdef int64_t pop_in(Core m, uint64_t out, uint64_t b, uint64_t c, uint64_t d) noexcept nogil
cdef int64_t peek_in(Core m, uint64_t out, uint64_t b, uint64_t c, uint64_t d) noexcept nogil
cdef uint64_t each_in(Core m, uint64_t cursor, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil

cdef class Core:
    # No __dict__ here: with one, every call from C would look for an override in it first.
    cdef object __weakref__
    cdef public object spec, name, type, _identity, _special
    cdef public uint32_t cpus
    cdef public uint64_t key_size, value_size, max_entries, flags, address, stored, special_rows, special_count
    cdef public bint has_special
    cdef public int64_t lock_offset
    cdef public tuple special

    cdef uint64_t find_elem(self, uint64_t key, uint64_t cpu) noexcept nogil
    cdef int64_t put_elem(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
    cdef int64_t drop_elem(self, uint64_t key) noexcept nogil
    cdef int64_t next_elem(self, uint64_t key, uint64_t out) noexcept nogil
    cdef int64_t push_elem(self, uint64_t value, uint64_t flags) noexcept nogil
    cdef int64_t pop_elem(self, uint64_t out) noexcept nogil
    cdef int64_t peek_elem(self, uint64_t out) noexcept nogil
    cdef uint64_t each_elem(self, uint64_t cursor, uint64_t cpu) noexcept nogil

    cdef void store(self, uint64_t target, uint64_t source) noexcept nogil
    @cython.locals(row=uint64_t, end=uint64_t, start=uint64_t)
    cdef void store_around(self, uint64_t target, uint64_t source) noexcept nogil
    @cython.locals(turns=uint64_t)
    cdef bint hold(self, uint64_t target) noexcept nogil
    cdef int64_t store_locked(self, uint64_t target, uint64_t source) noexcept nogil
    @cython.locals(held=bint, row=uint64_t, end=uint64_t)
    cdef void show(self, uint64_t out, uint64_t source, bint locked) noexcept nogil
