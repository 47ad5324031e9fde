cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fallback cimport USER, WRITABLE, all_readable, flags_there, readable, text_behind
from osmia.raw cimport copy, fill, st8
from osmia.vm.run cimport may, refuse

cdef enum:
    EITHER_SPACE = 0, KERNEL_SPACE = 1, USER_SPACE = 2
cdef uint64_t M32, M64, TASK_SIZE, KERNEL_START, BAD_ADDRESS, BAD_RANGE, INVALID

@cython.locals(step=uint64_t, user=uint64_t)
cdef uint64_t in_space(uint64_t run, uint64_t address, uint64_t space) noexcept nogil
cdef uint64_t refusal(uint64_t address, uint64_t space) noexcept nogil
@cython.locals(step=uint64_t)
cdef uint64_t probe_bytes(uint64_t run, uint64_t dst, uint64_t size, uint64_t source, uint64_t space) noexcept nogil
@cython.locals(step=uint64_t, length=uint64_t)
cdef uint64_t probe_text(uint64_t run, uint64_t dst, uint64_t size, uint64_t source, uint64_t space) noexcept nogil

cdef uint64_t probe_read(uint64_t run, uint64_t dst, uint64_t size, uint64_t source, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t probe_read_kernel(uint64_t run, uint64_t dst, uint64_t size, uint64_t source, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t probe_read_user(uint64_t run, uint64_t dst, uint64_t size, uint64_t source, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t probe_read_str(uint64_t run, uint64_t dst, uint64_t size, uint64_t source, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t probe_read_kernel_str(uint64_t run, uint64_t dst, uint64_t size, uint64_t source, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t probe_read_user_str(uint64_t run, uint64_t dst, uint64_t size, uint64_t source, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t copy_from_user(uint64_t run, uint64_t dst, uint64_t size, uint64_t source, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t copy_from_user_task(uint64_t run, uint64_t dst, uint64_t size, uint64_t source, uint64_t task, uint64_t flags) noexcept nogil
cdef uint64_t probe_write_user(uint64_t run, uint64_t dst, uint64_t source, uint64_t size, uint64_t r4, uint64_t r5) noexcept nogil
