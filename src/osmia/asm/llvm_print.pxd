# C types of llvm_print.py.
cimport cython
from libc.stdint cimport int64_t, uint64_t

cdef uint64_t _M64
cdef int _LD_IMM64, _MEMO
cdef int _NONE, _IMM, _OFF, _JUMP, _FAR, _IMM64, _LOW, _TO, _FROM
cdef int _ANY, _BY_OFF, _BY_IMM, _BY_BYTE, _BY_NIBBLE, _NEVER

@cython.locals(magnitude=uint64_t)
cpdef str number(int64_t value)
@cython.locals(value=int64_t, magnitude=uint64_t, plus=str, minus=str)
cdef void _put(list out, int kind, int64_t off, int64_t imm, int64_t high)

cdef class Shape:
    cdef int select
    cdef int64_t want
    cdef bint jump
    cdef int first
    cdef int second
    cdef str head
    cdef str middle
    cdef str tail
    cdef bint fits(self, int64_t off, int64_t imm)
    cdef void put(self, list out, int64_t off, int64_t imm, int64_t high)
    @cython.locals(out=list)
    cpdef str text(self, int64_t off, int64_t imm, int64_t high)

cdef class Names:
    cdef public list addresses
    cdef public list names
    @cython.locals(i=Py_ssize_t, start=uint64_t, beyond=uint64_t, name=str)
    cpdef str at(self, uint64_t address)

cdef class Printer:
    cdef public bint big
    cdef public bint alu32
    cdef public bint raw
    cdef public bint zeroes
    cdef public list out
    cdef dict _memo
    cdef list _shapes
    cdef dict _rows
    @cython.locals(i=Py_ssize_t, slot=uint64_t, key=bytes, memo=dict, out=list)
    cpdef Py_ssize_t code(self, bytes data, Py_ssize_t start, Py_ssize_t limit, Py_ssize_t end, uint64_t base, Names names)
    @cython.locals(slots=int64_t, slot=uint64_t, text=str)
    cdef _branch(self, tuple entry, uint64_t address, Names names)
    @cython.locals(slot=uint64_t)
    cdef _begin(self, uint64_t address, bytes raw)
    @cython.locals(out=list, mark=Py_ssize_t, off=int64_t, imm=int64_t, slots=int64_t, shape=Shape)
    cdef _new(self, bytes key, uint64_t address, Names names)
    @cython.locals(address=uint64_t, left=Py_ssize_t, size=Py_ssize_t, raw=bytes, off=int64_t, imm=int64_t, shape=Shape)
    cdef Py_ssize_t _odd(self, bytes data, Py_ssize_t i, Py_ssize_t end, uint64_t base)
    @cython.locals(run=Py_ssize_t)
    cdef Py_ssize_t _zeros(self, bytes data, Py_ssize_t i, Py_ssize_t end, uint64_t address)
    cdef _unknown(self, bytes raw, uint64_t address)
    @cython.locals(value=int64_t)
    cdef int64_t _off(self, bytes key)
    @cython.locals(value=int64_t, first=Py_ssize_t, step=Py_ssize_t)
    cdef int64_t _imm(self, bytes key, Py_ssize_t at)
    @cython.locals(shapes=list, shape=Shape)
    cdef Shape _shape(self, int code, int regs, int64_t off, int64_t imm)
    cdef list _fill(self, int code, int regs)
    cdef list _candidates(self, int code)
