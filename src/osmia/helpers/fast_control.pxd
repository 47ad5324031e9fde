cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fallback cimport give_room, python_body, take_room
from osmia.raw cimport call5, call7, cas32, ld32, ld64, store32
from osmia.vm.run cimport may, refuse
from osmia.vm.runwords cimport R_CALL, R_CHECKED, R_CPU, R_FAULT

cdef enum:  # maps/handle.py's WORD
    H_OBJECT = 0, H_EACH = 56

cdef uint64_t M32, M64, INVALID, TOO_MANY, MAX_LOOPS, ROOM, FOR_EACH, SPIN_LOCK, SPIN_UNLOCK, TURNS

@cython.locals(each=uint64_t, call=uint64_t, seen=uint64_t, answer=uint64_t)
cdef uint64_t walk(uint64_t run, uint64_t handle, uint64_t callback, uint64_t ctx, uint64_t cursor) noexcept nogil
cdef uint64_t owner(uint64_t run) noexcept nogil

@cython.locals(call=uint64_t, done=uint64_t, answer=uint64_t)
cdef uint64_t loop(uint64_t run, uint64_t count, uint64_t callback, uint64_t ctx, uint64_t flags, uint64_t r5) noexcept nogil
@cython.locals(cursor=uint64_t, seen=uint64_t)
cdef uint64_t for_each_map_elem(uint64_t run, uint64_t handle, uint64_t callback, uint64_t ctx, uint64_t flags, uint64_t r5) noexcept nogil
@cython.locals(turns=uint64_t)
cdef uint64_t spin_lock(uint64_t run, uint64_t at, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t spin_unlock(uint64_t run, uint64_t at, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
