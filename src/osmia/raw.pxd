# The C side of raw.py: include with `from osmia.raw cimport ld64, ...`.  raw.py itself stays plain Python.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memmove, memset

cdef inline uint64_t ld8(uint64_t a) noexcept nogil: return (<uint8_t *> a)[0]
cdef inline uint64_t ld16(uint64_t a) noexcept nogil: return (<uint16_t *> a)[0]
cdef inline uint64_t ld32(uint64_t a) noexcept nogil: return (<uint32_t *> a)[0]
cdef inline uint64_t ld64(uint64_t a) noexcept nogil: return (<uint64_t *> a)[0]
cdef inline void st8(uint64_t a, uint64_t v) noexcept nogil: (<uint8_t *> a)[0] = <uint8_t> v
cdef inline void st16(uint64_t a, uint64_t v) noexcept nogil: (<uint16_t *> a)[0] = <uint16_t> v
cdef inline void st32(uint64_t a, uint64_t v) noexcept nogil: (<uint32_t *> a)[0] = <uint32_t> v
cdef inline void st64(uint64_t a, uint64_t v) noexcept nogil: (<uint64_t *> a)[0] = v
cdef inline void copy(uint64_t d, uint64_t s, uint64_t n) noexcept nogil: memmove(<void *> d, <void *> s, n)
cdef inline void fill(uint64_t d, int b, uint64_t n) noexcept nogil: memset(<void *> d, b, n)
