cimport cython
from libc.stdint cimport uint64_t
from osmia.raw cimport ld64, st64

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
    cdef public uint64_t version
    cdef list _regions
    cdef object _starts
    cdef uint64_t _table
    cdef Py_ssize_t _count
    @cython.locals(low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t)
    cdef Py_ssize_t _index(self, uint64_t address) noexcept
    cpdef uint64_t stamp(self)
    @cython.locals(at=Py_ssize_t, before=Region, after=Region)
    cpdef Region add(self, Region region)
    @cython.locals(at=Py_ssize_t)
    cpdef remove(self, Region region)
    @cython.locals(at=Py_ssize_t, region=Region)
    cdef _rebuild(self, Py_ssize_t first)
    @cython.locals(at=Py_ssize_t, region=Region)
    cpdef Region find(self, uint64_t address)
    @cython.locals(region=Region)
    cpdef bint check(self, uint64_t address, uint64_t size, bint write)
