# The C side of native.py, inline in the modules that cimport it.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint64_t

cdef struct NativeRow:  # decode.ROW; operand points at a register or at imm
    uint16_t op
    uint8_t dst, src
    int32_t off
    uint64_t *operand
    uint64_t imm

cdef inline uint64_t *registers(uint64_t file, list plain) noexcept: return <uint64_t *> file
cdef inline NativeRow *row_at(list rows, int64_t pc) noexcept: return <NativeRow *> <uint64_t> pc
cdef inline uint64_t operand(NativeRow *row, uint64_t *regs) noexcept: return row.operand[0]
