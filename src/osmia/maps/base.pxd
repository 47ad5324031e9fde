cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t
from osmia.raw cimport copy, fill

cpdef uint64_t round8(uint64_t size)

cdef class Map:
    # No __dict__ here: with one, every call from C would look for an override in it first.
    cdef object __weakref__
    cdef public object spec, name, type, id, _identity, _regions, _key_in, _key_out, _value_in
    cdef public uint32_t cpus
    cdef public uint64_t key_size, value_size, max_entries, flags, address
    cdef public bint frozen, has_special
    cdef public int64_t lock_offset
    cdef public tuple special

    cpdef uint64_t lookup(self, uint64_t key, uint32_t cpu)
    cpdef int64_t update(self, uint64_t key, uint64_t value, uint64_t flags, uint32_t cpu)
    cpdef int64_t delete(self, uint64_t key)
    cpdef int64_t next_key(self, uint64_t key, uint64_t out)
    cpdef int64_t push(self, uint64_t value, uint64_t flags)
    cpdef int64_t pop(self, uint64_t out)
    cpdef int64_t peek(self, uint64_t out)
    @cython.locals(start=uint64_t, offset=uint64_t, size=uint64_t)
    cpdef store(self, uint64_t target, uint64_t source)
    cpdef uint64_t lookup_quietly(self, uint64_t key, uint32_t cpu)
