cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fallback cimport python_body
from osmia.raw cimport copy, fill, ld64, st8
from osmia.vm.hostwords cimport (
    COMM_LEN, HOST_TASK, TASK_COMM, TASK_GID, TASK_PID, TASK_STRUCT, TASK_TGID, TASK_UID
)
from osmia.vm.run cimport may, refuse
from osmia.vm.runwords cimport R_HOST

cdef uint64_t M32, PID_TGID, UID_GID, COMM, TASK_NUMBER, TASK_POINTER

@cython.locals(host=uint64_t)
cdef uint64_t current(uint64_t run) noexcept nogil
@cython.locals(task=uint64_t, address=uint64_t)
cdef uint64_t task_struct(uint64_t run, uint64_t helper) noexcept nogil

@cython.locals(task=uint64_t)
cdef uint64_t get_current_pid_tgid(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(task=uint64_t)
cdef uint64_t get_current_uid_gid(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(task=uint64_t, size=uint64_t, length=uint64_t)
cdef uint64_t get_current_comm(uint64_t run, uint64_t buf, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t get_current_task(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t get_current_task_btf(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
