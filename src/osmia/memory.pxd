cimport cython
from libc.stdint cimport uint64_t
from osmia.raw cimport add64, ld64, load64, st64, store64

cdef uint64_t ROW

cdef class Region:
    cdef public str name, kind
    cdef public uint64_t address, size, stride, span, base
    cdef public bint writable
    cdef public object owner
    cpdef uint64_t low(self, uint64_t address)
    cpdef uint64_t room(self)
    @cython.locals(rest=uint64_t)
    cpdef uint64_t window(self, uint64_t low)
    @cython.locals(low=uint64_t, room=uint64_t)
    cpdef bint admits(self, uint64_t address, uint64_t size, bint write)

cdef class Memory:
    cdef public Memory parent
    cdef public uint64_t native
    cdef list _regions, _outgrown
    cdef object _header, _rows
    cdef uint64_t _table
    cdef Py_ssize_t _count
    cdef Py_ssize_t _index(self, uint64_t address) noexcept
    cpdef uint64_t stamp(self)
    @cython.locals(at=Py_ssize_t, before=Region, after=Region)
    cpdef Region add(self, Region region)
    @cython.locals(at=Py_ssize_t)
    cpdef remove(self, Region region)
    @cython.locals(at=Py_ssize_t, region=Region)
    cdef _rebuild(self, Py_ssize_t first)
    cdef int _write(self, uint64_t row, Region region) except -1
    @cython.locals(at=Py_ssize_t, region=Region)
    cpdef Region find(self, uint64_t address)
    @cython.locals(region=Region)
    cpdef bint check(self, uint64_t address, uint64_t size, bint write)

@cython.locals(low=uint64_t, high=uint64_t, middle=uint64_t)
cdef uint64_t rows_before(uint64_t table, uint64_t count, uint64_t address) noexcept nogil
@cython.locals(table=uint64_t, at=uint64_t, row=uint64_t)
cdef uint64_t row_of(uint64_t native, uint64_t address) noexcept nogil
@cython.locals(version=uint64_t, row=uint64_t)
cdef uint64_t window(uint64_t native, uint64_t address, uint64_t out) noexcept nogil
@cython.locals(start=uint64_t, size=uint64_t, stride=uint64_t, low=uint64_t)
cdef void _write_window(uint64_t row, uint64_t address, uint64_t out) noexcept nogil
