cimport cython
from libc.stdint cimport int32_t
from osmia.verifier.env cimport Env
from osmia.verifier.helper_proto cimport HelperRule

cpdef HelperRule get_helper_proto(Env env, int32_t func_id)
cdef HelperRule _find_helper(Env env, int32_t func_id)
