# C types of page.py.
cimport cython
from libc.stdint cimport uint64_t
from osmia.raw cimport copy, st8

cdef class Page:
    cdef public list parts
    cdef object _room
    cdef uint64_t start
    cdef uint64_t at
    cdef uint64_t end
    @cython.locals(used=uint64_t)
    cdef _grow(self, uint64_t size)
    @cython.locals(size=uint64_t, at=uint64_t, i=uint64_t)
    cpdef put(self, bytes text)
    @cython.locals(digits=int, at=uint64_t, i=int, digit=uint64_t)
    cpdef hexadecimal(self, uint64_t value)
    @cython.locals(width=int, rest=uint64_t, at=uint64_t, i=int)
    cpdef number(self, uint64_t value)
    @cython.locals(at=uint64_t, i=Py_ssize_t, byte=uint64_t, high=uint64_t, low=uint64_t)
    cpdef dump(self, bytes data, Py_ssize_t start, Py_ssize_t size)
