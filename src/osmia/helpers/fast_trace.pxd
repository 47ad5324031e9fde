cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fallback cimport give_room, python_body, take_room, text_length
from osmia.helpers.fast_format cimport (
    ERRORS, S_ARGS, S_COUNT, S_LIMIT, S_OUT, S_OWN, S_ROOM, S_RUN, SHEET, WANTS_NAMES, prepare, unpack
)
from osmia.raw cimport ld8, ld64, st8, st64
from osmia.vm.hostwords cimport HOST_TASK, HOST_TRACE
from osmia.vm.run cimport may, refuse
from osmia.vm.runwords cimport R_CPU, R_HOST
from osmia.vm.tracewords cimport add_line

cdef uint64_t M32, M64, INVALID, LINE_MAX, MOST, CONST_STR, TRACE_PRINTK, TRACE_VPRINTK, SNPRINTF

@cython.locals(at=uint64_t)
cdef uint64_t format_length(uint64_t fmt, uint64_t size) noexcept nogil
cdef void start(uint64_t sheet, uint64_t run, uint64_t args, uint64_t count, uint64_t out, uint64_t room) noexcept nogil
@cython.locals(host=uint64_t, trace=uint64_t, task=uint64_t, bad=uint64_t, length=uint64_t, kept=uint64_t)
cdef uint64_t line(uint64_t run, uint64_t sheet, uint64_t fmt, uint64_t size) noexcept nogil
cdef uint64_t admits_arguments(uint64_t run, uint64_t data, uint64_t size) noexcept nogil
cdef uint64_t fits(uint64_t data, uint64_t size) noexcept nogil
@cython.locals(size=uint64_t, sheet=uint64_t, done=uint64_t)
cdef uint64_t trace_printk(uint64_t run, uint64_t fmt, uint64_t fmt_size, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(size=uint64_t, sheet=uint64_t, done=uint64_t)
cdef uint64_t trace_vprintk(uint64_t run, uint64_t fmt, uint64_t fmt_size, uint64_t data, uint64_t data_len, uint64_t r5) noexcept nogil
@cython.locals(length=uint64_t, sheet=uint64_t, done=uint64_t)
cdef uint64_t snprintf(uint64_t run, uint64_t out, uint64_t size, uint64_t fmt, uint64_t data, uint64_t data_len) noexcept nogil
