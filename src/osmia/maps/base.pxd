from osmia.maps.core cimport Core

cdef class Map(Core):
    cdef public object id, guard, _regions, _key_in, _key_out, _value_in
    cdef public bint frozen
