from osmia.verifier.env cimport Env
from osmia.verifier.func_call cimport prepare_func_exit
from osmia.verifier.helper_call cimport clear_all_pkt_pointers
from osmia.verifier.live_stack cimport update_live_stack
from osmia.verifier.marks cimport mark_reg_known_zero, mark_reg_scratched, mark_reg_unknown
from osmia.verifier.paths cimport push_stack

cpdef tail_call_exit(Env env)
cpdef ld_abs_exit(Env env)
cpdef return_early(Env env)
