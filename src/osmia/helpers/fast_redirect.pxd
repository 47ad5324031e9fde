cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fallback cimport is_map, no_map, python_body
from osmia.raw cimport call5, ld32, ld64, st64
from osmia.vm.hostwords cimport HOST_FLAGS, HOST_IFINDEX, HOST_REDIRECTED
from osmia.vm.packetstate cimport XDP
from osmia.vm.packetwords cimport P_KIND
from osmia.vm.run cimport may, refuse
from osmia.vm.runwords cimport R_CHECKED, R_CPU, R_FAULT, R_HOST, R_PACKET, R_SCRATCH3

cdef enum:  # maps/handle.py's WORD; a test compares them
    H_OBJECT = 0, H_LOOKUP = 8, H_KIND = 64

cdef uint64_t M32, REDIRECT, REDIRECT_MAP, DEVMAP, DEVMAP_HASH, CPUMAP, XSKMAP
cdef uint64_t XDP_ABORTED, XDP_REDIRECT, TC_ACT_SHOT, TC_ACT_REDIRECT, F_INGRESS, F_PEER, F_NEIGH, F_NEXTHOP
cdef uint64_t ACTIONS, F_BROADCAST, BROADCAST_FLAGS, NEIGH_SIZE, UNKNOWN

@cython.locals(host=uint64_t)
cdef uint64_t told(uint64_t run, uint64_t ifindex, uint64_t flags, uint64_t answer) noexcept nogil
cdef uint64_t redirect(uint64_t run, uint64_t ifindex, uint64_t flags, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t redirect_peer(uint64_t run, uint64_t ifindex, uint64_t flags, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t redirect_neigh(uint64_t run, uint64_t ifindex, uint64_t params, uint64_t size, uint64_t flags, uint64_t r5) noexcept nogil
cdef uint64_t flags_of(uint64_t kind) noexcept nogil
@cython.locals(find=uint64_t)
cdef uint64_t target_at(uint64_t run, uint64_t handle, uint64_t key) noexcept nogil
@cython.locals(allowed=uint64_t, target=uint64_t)
cdef uint64_t redirect_map(uint64_t run, uint64_t handle, uint64_t key, uint64_t flags, uint64_t r4, uint64_t r5) noexcept nogil
