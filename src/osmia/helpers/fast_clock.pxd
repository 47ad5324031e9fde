cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fallback cimport python_body
from osmia.raw cimport ld64
from osmia.vm.hostwords cimport HOST_TAI, jiffies_of, random_64, step_clock
from osmia.vm.runwords cimport R_CPU, R_HOST

cdef uint64_t M64, KTIME, BOOT, COARSE, TAI, JIFFIES, PRANDOM

@cython.locals(host=uint64_t)
cdef uint64_t ktime_get_ns(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(host=uint64_t)
cdef uint64_t ktime_get_boot_ns(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(host=uint64_t)
cdef uint64_t ktime_get_coarse_ns(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(host=uint64_t)
cdef uint64_t ktime_get_tai_ns(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(host=uint64_t)
cdef uint64_t jiffies64(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(host=uint64_t)
cdef uint64_t get_prandom_u32(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t get_smp_processor_id(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t get_numa_node_id(uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
