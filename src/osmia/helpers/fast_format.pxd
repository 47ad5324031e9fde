cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fallback cimport all_readable, text_length
from osmia.raw cimport copy, ld8, ld32, ld64, st8, st32, st64

cdef enum:  # the words of a sheet
    S_RUN = 0, S_ARGS = 8, S_COUNT = 16, S_NEXT = 24, S_OUT = 32, S_ROOM = 40, S_LENGTH = 48, S_LIMIT = 56, S_USED = 64
    S_AT = 72, S_KIND = 80, S_FLAGS = 88, S_WIDTH = 96, S_SIZE = 104, S_NAMES = 112, S_DIGITS = 120, S_OWN = 152
    S_PACKED = 176, SHEET = 704, BIN_ARGS = 512, NAME = 256

cdef enum:  # kinds of conversions, and flags
    TEXT = 0, POINTER = 256, HASHED_K = 257, PLAIN_X = 258, SYMBOL = 259, SYMBOL_AND_OFFSET = 260, BACKTRACE = 261
    KERNEL_TEXT = 262, USER_TEXT = 263, IP4 = 264, DOTTED_IP4 = 265, IP6 = 266, COLON_IP6 = 267
    ZEROS = 1, PLUS = 2, LEFT = 4, SPACES = 8

cdef uint64_t M32, M64, INVALID, NO_SPACE, WANTS_NAMES, ERRORS, WIDTH_MAX, NO_WIDTH, GOLDEN

cdef uint64_t letter(uint64_t fmt, uint64_t at, uint64_t end) noexcept nogil
cdef uint64_t is_text(uint64_t c) noexcept nogil
@cython.locals(low=uint64_t)
cdef uint64_t is_letter(uint64_t c) noexcept nogil
@cython.locals(c=uint64_t)
cdef uint64_t ends(uint64_t fmt, uint64_t at, uint64_t end) noexcept nogil
cdef uint64_t flag_of(uint64_t c) noexcept nogil
@cython.locals(c=uint64_t)
cdef uint64_t step(uint64_t sheet, uint64_t fmt, uint64_t at, uint64_t end) noexcept nogil
@cython.locals(flags=uint64_t, width=uint64_t, c=uint64_t)
cdef uint64_t conversion(uint64_t sheet, uint64_t fmt, uint64_t at, uint64_t end) noexcept nogil
@cython.locals(longs=uint64_t, c=uint64_t)
cdef uint64_t number(uint64_t sheet, uint64_t fmt, uint64_t at, uint64_t end) noexcept nogil
@cython.locals(first=uint64_t, second=uint64_t, kind=uint64_t)
cdef uint64_t pointer(uint64_t sheet, uint64_t fmt, uint64_t at, uint64_t end) noexcept nogil
cdef uint64_t pointer_kind(uint64_t first, uint64_t second) noexcept nogil
@cython.locals(bad=uint64_t, at=uint64_t, taken=uint64_t)
cdef uint64_t prepare(uint64_t sheet, uint64_t fmt, uint64_t end) noexcept nogil
@cython.locals(kind=uint64_t, used=uint64_t, size=uint64_t)
cdef uint64_t pack(uint64_t sheet, uint64_t index, uint64_t value) noexcept nogil
@cython.locals(size=uint64_t)
cdef uint64_t pack_text(uint64_t sheet, uint64_t kind, uint64_t index, uint64_t value, uint64_t out, uint64_t room) noexcept nogil
@cython.locals(name=uint64_t, size=uint64_t)
cdef uint64_t pack_name(uint64_t sheet, uint64_t index, uint64_t out, uint64_t room) noexcept nogil
@cython.locals(count=uint64_t, known=uint64_t, length=uint64_t, i=uint64_t, byte=uint64_t)
cdef uint64_t pack_ip(uint64_t run, uint64_t kind, uint64_t address, uint64_t out, uint64_t room) noexcept nogil
cdef uint64_t put_at(uint64_t out, uint64_t length, uint64_t room, uint64_t c) noexcept nogil
cdef uint64_t hex_digit(uint64_t value, uint64_t low) noexcept nogil
@cython.locals(at=uint64_t, after=uint64_t)
cdef uint64_t unpack(uint64_t sheet, uint64_t fmt, uint64_t end) noexcept nogil
@cython.locals(kind=uint64_t, at=uint64_t, size=uint64_t, value=uint64_t)
cdef void unpack_one(uint64_t sheet) noexcept nogil
@cython.locals(length=uint64_t)
cdef void put(uint64_t sheet, uint64_t c) noexcept nogil
cdef void pad(uint64_t sheet, uint64_t count, uint64_t c) noexcept nogil
@cython.locals(size=uint64_t)
cdef uint64_t put_packed(uint64_t sheet, uint64_t text, uint64_t room) noexcept nogil
@cython.locals(width=uint64_t, missing=uint64_t, left=uint64_t, i=uint64_t)
cdef void put_padded(uint64_t sheet, uint64_t text, uint64_t size) noexcept nogil
@cython.locals(flags=uint64_t, sign=uint64_t, size=uint64_t, width=uint64_t, shown=uint64_t, missing=uint64_t)
cdef void put_number(uint64_t sheet, uint64_t kind, uint64_t value, uint64_t bits) noexcept nogil
@cython.locals(base=uint64_t, size=uint64_t)
cdef uint64_t digits(uint64_t end, uint64_t value, uint64_t kind) noexcept nogil
@cython.locals(name=uint64_t)
cdef void put_pointer(uint64_t sheet, uint64_t kind, uint64_t value) noexcept nogil
