# The numbers of runwords.py for compiled modules, which cimport them.
cdef enum:
    R_FAULT = 0
    R_PC = 8
    R_ADDRESS = 16
    R_SIZE = 24
    R_FUEL = 32
    R_BUDGET = 40
    R_STOP = 48
    R_CHECKED = 56
    R_CPU = 64
    R_CTX = 72
    R_PACKET = 80
    R_HOST = 88
    R_MEMORY = 96
    R_STACK = 104
    R_ROOM = 112
    R_LOW = 120
    R_SPAN = 128
    R_WRITABLE = 136
    R_LOW2 = 144
    R_SPAN2 = 152
    R_WRITABLE2 = 160
    R_TAIL_CALLS = 168
    R_CALL = 176
    R_MACHINE = 184
    R_DEPTH = 192
    R_USED = 200
    R_SCRATCH0 = 208
    R_SCRATCH1 = 216
    R_SCRATCH2 = 224
    R_SCRATCH3 = 232
    R_PYTHON = 240

cdef enum:
    F_NONE = 0
    F_READ = 1
    F_WRITE = 2
    F_BUDGET = 3
    F_DEPTH = 4
    F_CALLX = 5
    F_BEYOND = 6
    F_PYTHON = 7
    F_STOPPED = 8
    F_MAP = 9
    F_READONLY_MAP = 10
    F_CONTEXT = 11
    F_CALLBACK = 12
