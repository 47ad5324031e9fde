cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from osmia.verifier.maps cimport VMap

@cython.final
cdef class VInsn:
    cdef public uint32_t idx
    cdef public object insn
    cdef public uint8_t code, dst, src
    cdef public int32_t off
    cdef public int64_t imm
    cdef public bint jmp_point, prune_point, force_checkpoint, calls_callback, is_iter_next
    cdef public uint32_t scc, live_regs_before
    cdef public bint fastcall_pattern
    cdef public uint32_t fastcall_spills_num
    cdef public VMap map
    cdef public int64_t map_off
    cdef public uint32_t btf_reg_type, btf_id, mem_size
    cdef public object btf
    cdef public uint32_t seen, ptr_type, alu_state, alu_limit
    cdef public uint64_t map_key_state
    cdef public bint nospec, nospec_result
    cdef public object map_ptr, notes
    cdef public bint map_ptr_poison, map_ptr_unpriv
