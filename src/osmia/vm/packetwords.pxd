# The numbers of packetwords.py for compiled modules, which cimport them.
cdef enum:
    P_KIND = 0
    P_LOW = 8
    P_HIGH = 16
    P_START = 24
    P_END = 32
    P_META = 40
    P_MAC = 48
    P_NETWORK = 56
    P_CTX = 64
    P_VERSION = 72
    P_SIZE = 80
    P_ROOM = 88
    P_LOWEST = 96
    P_GIVEN = 104
    P_AHEAD = 112
    P_SUMS = 120
    P_TRANSPORT = 128
    P_ENCAPSULATED = 136
