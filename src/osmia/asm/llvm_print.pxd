# C types of llvm_print.py.
cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.asm.page cimport Page

cdef uint64_t _M64
cdef int _LD_IMM64, _MEMO, _LAST_REG
cdef int _DST, _SRC, _PSEUDO, _IMM, _OFF, _JUMP, _FAR, _IMM64, _LOW, _TO, _FROM
cdef list _REGS
cdef bytes _UNKNOWN
cdef int _ANY, _BY_OFF, _BY_IMM, _BY_BYTE, _BY_NIBBLE, _NEVER

@cython.locals(magnitude=uint64_t)
cpdef str number(int64_t value)
@cython.locals(value=int64_t, magnitude=uint64_t, plus=bytes, minus=bytes)
cdef _put(Page page, int kind, int64_t off, int64_t imm, int64_t high)

cdef class Shape:
    cdef public int select
    cdef int64_t want
    cdef bytes kinds
    cdef list texts
    cdef bint jump
    cdef bint far
    cdef bint has_dst
    cdef bint has_src
    cdef bint fits(self, int dst, int src, int64_t off, int64_t imm)
    @cython.locals(kinds=bytes, texts=list, count=Py_ssize_t, i=Py_ssize_t, kind=int)
    cdef put(self, Page page, int dst, int src, int64_t off, int64_t imm, int64_t high)
    @cython.locals(page=Page)
    cpdef str text(self, object insn, int64_t high=*)

cdef class Names:
    cdef public list addresses
    cdef public list names
    @cython.locals(i=Py_ssize_t, start=uint64_t)
    cpdef put(self, Page page, uint64_t address)

cdef class Printer:
    cdef public bint big
    cdef public bint alu32
    cdef public bint raw
    cdef public bint zeroes
    cdef public Page page
    cdef dict _memo
    cdef list _shapes
    @cython.locals(i=Py_ssize_t)
    cpdef Py_ssize_t code(self, bytes data, Py_ssize_t start, Py_ssize_t limit, Py_ssize_t end, uint64_t base, Names names)
    @cython.locals(page=Page)
    cdef _begin(self, bytes data, Py_ssize_t i, Py_ssize_t size, uint64_t address)
    cdef _jump(self, uint64_t address, int64_t slots, Names names)
    @cython.locals(page=Page, address=uint64_t, low=int, high=int, dst=int, src=int, off=int64_t, imm=int64_t, slots=int64_t, shape=Shape)
    cdef Py_ssize_t _line(self, bytes data, Py_ssize_t i, Py_ssize_t end, uint64_t base, Names names)
    @cython.locals(address=uint64_t, left=Py_ssize_t, low=int, high=int, dst=int, src=int, off=int64_t, imm=int64_t, shape=Shape)
    cdef Py_ssize_t _odd(self, bytes data, Py_ssize_t i, Py_ssize_t end, uint64_t base)
    @cython.locals(run=Py_ssize_t)
    cdef Py_ssize_t _zeros(self, bytes data, Py_ssize_t i, Py_ssize_t end, uint64_t address)
    cdef Py_ssize_t _unknown(self, bytes data, Py_ssize_t i, Py_ssize_t size, uint64_t address)
    @cython.locals(value=int64_t)
    cdef int64_t _off(self, bytes data, Py_ssize_t i)
    @cython.locals(value=int64_t, first=Py_ssize_t, step=Py_ssize_t)
    cdef int64_t _imm(self, bytes data, Py_ssize_t at)
    @cython.locals(shapes=list, shape=Shape)
    cdef Shape _shape(self, int code, int dst, int src, int64_t off, int64_t imm)
    @cython.locals(shape=Shape)
    cdef Shape _wide(self, int dst, int src, int64_t off, int64_t imm)
    cdef list _candidates(self, int code)
