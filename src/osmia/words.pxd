# The C side of words.py, inline in the modules that cimport it.
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "Python.h":
    uint64_t word "PyLong_AsUnsignedLongLongMask"(object x) except? 0xFFFFFFFFFFFFFFFF

cdef extern from *:
    """
    #define osmia_swap16(x) ((uint64_t)__builtin_bswap16((uint16_t)(x)))
    #define osmia_swap32(x) ((uint64_t)__builtin_bswap32((uint32_t)(x)))
    #define osmia_swap64(x) ((uint64_t)__builtin_bswap64((uint64_t)(x)))
    """
    uint64_t swap16 "osmia_swap16"(uint64_t x) noexcept nogil
    uint64_t swap32 "osmia_swap32"(uint64_t x) noexcept nogil
    uint64_t swap64 "osmia_swap64"(uint64_t x) noexcept nogil

cdef inline int64_t s64(uint64_t x) noexcept nogil: return <int64_t> x
cdef inline int64_t s32(uint64_t x) noexcept nogil: return <int32_t> x
cdef inline uint64_t sx8(uint64_t x) noexcept nogil: return <uint64_t> <int64_t> <int8_t> x
cdef inline uint64_t sx16(uint64_t x) noexcept nogil: return <uint64_t> <int64_t> <int16_t> x
cdef inline uint64_t sx32(uint64_t x) noexcept nogil: return <uint64_t> <int64_t> <int32_t> x
cdef inline uint64_t div(uint64_t a, uint64_t b) noexcept nogil: return a // b if b else 0
cdef inline uint64_t mod(uint64_t a, uint64_t b) noexcept nogil: return a % b if b else a

cdef inline uint64_t sdiv64(uint64_t a, uint64_t b) noexcept nogil:
    if b == 0:
        return 0
    if b + 1 == 0:
        return 0 - a
    return <uint64_t> (<int64_t> a // <int64_t> b)

cdef inline uint64_t smod64(uint64_t a, uint64_t b) noexcept nogil:
    if b == 0:
        return a
    if b + 1 == 0:
        return 0
    return <uint64_t> (<int64_t> a % <int64_t> b)

cdef inline uint64_t sdiv32(uint64_t a, uint64_t b) noexcept nogil: return <uint32_t> sdiv64(sx32(a), sx32(b))
cdef inline uint64_t smod32(uint64_t a, uint64_t b) noexcept nogil: return <uint32_t> smod64(sx32(a), sx32(b))
cdef inline uint64_t arsh64(uint64_t a, uint64_t n) noexcept nogil: return <uint64_t> (<int64_t> a >> (n & 63))
cdef inline uint64_t arsh32(uint64_t a, uint64_t n) noexcept nogil: return <uint32_t> (<int32_t> a >> (n & 31))
