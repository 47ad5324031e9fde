cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.backtrack cimport mark_chain_precision_batch
from osmia.verifier.bt cimport Backtrack
from osmia.verifier.consts cimport PTR_TO_MAP_VALUE, PTR_TO_STACK, STACK_SPILL, STACK_ZERO
from osmia.verifier.env cimport Env
from osmia.verifier.maps cimport VMap
from osmia.verifier.regions cimport ACCESS_HELPER, check_map_access
from osmia.verifier.regs cimport Reg
from osmia.verifier.slots cimport is_spilled_scalar_reg
from osmia.verifier.state cimport Frame, Slot
from osmia.words cimport s64

@cython.locals(map=VMap)
cpdef check_reg_const_str(Env env, Reg reg, int32_t regno)
@cython.locals(frame=Frame, at=int64_t, spi=int64_t, slot=Slot, first=int32_t, reg=Reg, bt=Backtrack)
cpdef int64_t get_constant_map_key(Env env, Reg key, uint32_t key_size) except? -1
@cython.locals(count=int32_t)
cdef int32_t _run(Slot slot, int32_t first, uint32_t kind) noexcept
