cimport cython
from libc.stdint cimport uint64_t
from osmia.raw cimport call4, call6, copy, fill, ld32, ld64, st32, st64
from osmia.vm.packetstate cimport reset
from osmia.vm.packetwords cimport P_END, P_META
from osmia.vm.runwords cimport (
    F_BUDGET, R_BUDGET, R_CHECKED, R_DEPTH, R_FAULT, R_FUEL, R_ROOM, R_SPAN, R_SPAN2, R_STACK, R_TAIL_CALLS, R_USED,
)
from osmia.words cimport swap32

cpdef enum:
    J_ENTRY = 0, J_RUN = 8, J_STATE = 16, J_CTX = 24, J_TABLE = 32, J_RESULTS = 40, J_NEXT = 48, J_END = 56
    J_BUDGET = 64, J_INSNS = 72, J_OUT = 80, J_OUT_END = 88, J_OUT_SIZES = 96, J_SIZE = 104
    DONE = 0, FAULT = 1, TOO_LARGE = 2, FULL = 3

cdef enum:
    GRANT = 1048576, GAP = 512  # ops.SLICE; what lies between two frames
    PCAP_HEADER = 24, PCAP_RECORD = 16, MAX_FRAME = 262144

@cython.locals(at=uint64_t, count=uint64_t, length=uint64_t, damaged=uint64_t)
cpdef uint64_t records(uint64_t place, uint64_t size, bint swapped, uint64_t table)

@cython.locals(run=uint64_t, state=uint64_t, at=uint64_t, why=uint64_t, row=uint64_t, r0=uint64_t)
cdef uint64_t replay(uint64_t job) noexcept nogil
@cython.locals(run=uint64_t, entry=uint64_t, ctx=uint64_t, budget=uint64_t, done=uint64_t, checked=uint64_t)
cdef uint64_t again(uint64_t job, uint64_t times) noexcept nogil
@cython.locals(left=uint64_t, grant=uint64_t)
cdef void prepare(uint64_t run, uint64_t budget) noexcept nogil
@cython.locals(M64=uint64_t, insns=uint64_t)
cdef uint64_t used(uint64_t run, uint64_t budget) noexcept nogil
@cython.locals(out=uint64_t, meta=uint64_t, size=uint64_t)
cdef uint64_t keep(uint64_t job, uint64_t state, uint64_t at) noexcept nogil
cdef uint64_t enter_native(uint64_t entry, uint64_t run, uint64_t ctx) noexcept nogil
@cython.locals(why=uint64_t)
cpdef uint64_t go(uint64_t job)
@cython.locals(done=uint64_t)
cpdef uint64_t go_again(uint64_t job, uint64_t times)
@cython.locals(result=uint64_t)
cpdef uint64_t call_often(uint64_t function, uint64_t times, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t out)
