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

cdef extern from *:
    """
    #include <stdint.h>
    #include <sched.h>
    #define OSMIA_SEQ __ATOMIC_SEQ_CST
    static inline uint64_t osmia_load64(uint64_t a) { return __atomic_load_n((uint64_t *) a, __ATOMIC_ACQUIRE); }
    static inline uint64_t osmia_load32(uint64_t a) { return __atomic_load_n((uint32_t *) a, __ATOMIC_ACQUIRE); }
    static inline void osmia_store64(uint64_t a, uint64_t v) { __atomic_store_n((uint64_t *) a, v, __ATOMIC_RELEASE); }
    static inline void osmia_store32(uint64_t a, uint64_t v) { __atomic_store_n((uint32_t *) a, (uint32_t) v, __ATOMIC_RELEASE); }
    #define OSMIA_FETCH(op) \
        static inline uint64_t osmia_##op##64(uint64_t a, uint64_t v) { return __atomic_fetch_##op((uint64_t *) a, v, OSMIA_SEQ); } \
        static inline uint64_t osmia_##op##32(uint64_t a, uint64_t v) { return __atomic_fetch_##op((uint32_t *) a, (uint32_t) v, OSMIA_SEQ); }
    OSMIA_FETCH(add) OSMIA_FETCH(or) OSMIA_FETCH(and) OSMIA_FETCH(xor)
    static inline uint64_t osmia_xchg64(uint64_t a, uint64_t v) { return __atomic_exchange_n((uint64_t *) a, v, OSMIA_SEQ); }
    static inline uint64_t osmia_xchg32(uint64_t a, uint64_t v) { return __atomic_exchange_n((uint32_t *) a, (uint32_t) v, OSMIA_SEQ); }
    static inline uint64_t osmia_cas64(uint64_t a, uint64_t e, uint64_t v) {
        __atomic_compare_exchange_n((uint64_t *) a, &e, v, 0, OSMIA_SEQ, OSMIA_SEQ); return e; }
    static inline uint64_t osmia_cas32(uint64_t a, uint64_t e, uint64_t v) {
        uint32_t old = (uint32_t) e;
        __atomic_compare_exchange_n((uint32_t *) a, &old, (uint32_t) v, 0, OSMIA_SEQ, OSMIA_SEQ); return old; }
    static inline void osmia_lock(uint64_t a) {
        int turns = 0;
        while (__atomic_exchange_n((uint32_t *) a, 1, __ATOMIC_ACQUIRE))
            while (__atomic_load_n((uint32_t *) a, __ATOMIC_RELAXED))
                if (++turns > 100) { turns = 0; sched_yield(); }
    }
    static inline void osmia_fence(void) { __atomic_thread_fence(__ATOMIC_ACQ_REL); }
    static inline void osmia_unlock(uint64_t a) { __atomic_store_n((uint32_t *) a, 0, __ATOMIC_RELEASE); }
    #define U uint64_t
    static inline U osmia_call2(U f, U a, U b) { return ((U (*)(U, U)) f)(a, b); }
    static inline U osmia_call3(U f, U a, U b, U c) { return ((U (*)(U, U, U)) f)(a, b, c); }
    static inline U osmia_call4(U f, U a, U b, U c, U d) { return ((U (*)(U, U, U, U)) f)(a, b, c, d); }
    static inline U osmia_call5(U f, U a, U b, U c, U d, U e) { return ((U (*)(U, U, U, U, U)) f)(a, b, c, d, e); }
    static inline U osmia_call6(U f, U a, U b, U c, U d, U e, U g) { return ((U (*)(U, U, U, U, U, U)) f)(a, b, c, d, e, g); }
    static inline U osmia_call7(U f, U a, U b, U c, U d, U e, U g, U h) { return ((U (*)(U, U, U, U, U, U, U)) f)(a, b, c, d, e, g, h); }
    #undef U
    """
    uint64_t load64 "osmia_load64"(uint64_t a) noexcept nogil
    uint64_t load32 "osmia_load32"(uint64_t a) noexcept nogil
    void store64 "osmia_store64"(uint64_t a, uint64_t v) noexcept nogil
    void store32 "osmia_store32"(uint64_t a, uint64_t v) noexcept nogil
    uint64_t add64 "osmia_add64"(uint64_t a, uint64_t v) noexcept nogil
    uint64_t or64 "osmia_or64"(uint64_t a, uint64_t v) noexcept nogil
    uint64_t and64 "osmia_and64"(uint64_t a, uint64_t v) noexcept nogil
    uint64_t xor64 "osmia_xor64"(uint64_t a, uint64_t v) noexcept nogil
    uint64_t xchg64 "osmia_xchg64"(uint64_t a, uint64_t v) noexcept nogil
    uint64_t add32 "osmia_add32"(uint64_t a, uint64_t v) noexcept nogil
    uint64_t or32 "osmia_or32"(uint64_t a, uint64_t v) noexcept nogil
    uint64_t and32 "osmia_and32"(uint64_t a, uint64_t v) noexcept nogil
    uint64_t xor32 "osmia_xor32"(uint64_t a, uint64_t v) noexcept nogil
    uint64_t xchg32 "osmia_xchg32"(uint64_t a, uint64_t v) noexcept nogil
    uint64_t cas64 "osmia_cas64"(uint64_t a, uint64_t expected, uint64_t v) noexcept nogil
    uint64_t cas32 "osmia_cas32"(uint64_t a, uint64_t expected, uint64_t v) noexcept nogil
    void lock "osmia_lock"(uint64_t a) noexcept nogil
    void unlock "osmia_unlock"(uint64_t a) noexcept nogil
    void fence "osmia_fence"() noexcept nogil
    uint64_t call2 "osmia_call2"(uint64_t f, uint64_t a, uint64_t b) noexcept nogil
    uint64_t call3 "osmia_call3"(uint64_t f, uint64_t a, uint64_t b, uint64_t c) noexcept nogil
    uint64_t call4 "osmia_call4"(uint64_t f, uint64_t a, uint64_t b, uint64_t c, uint64_t d) noexcept nogil
    uint64_t call5 "osmia_call5"(uint64_t f, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e) noexcept nogil
    uint64_t call6 "osmia_call6"(uint64_t f, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t g) noexcept nogil
    uint64_t call7 "osmia_call7"(uint64_t f, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t g, uint64_t h) noexcept nogil
