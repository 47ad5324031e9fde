cimport cython
from libc.stdint cimport int32_t, uint8_t, uint32_t
from osmia.verifier.alu cimport check_alu_op
from osmia.verifier.atomic cimport check_atomic, check_xadd
from osmia.verifier.backtrack cimport push_jmp_history
from osmia.verifier.branch cimport check_cond_jmp_op
from osmia.verifier.consts cimport BPF_COMPLEXITY_LIMIT_INSNS, BPF_WRITE, PTR_TO_CTX
from osmia.verifier.env cimport Env
from osmia.verifier.exit_code cimport check_return_code
from osmia.verifier.func_call cimport check_func_call, prepare_func_exit
from osmia.verifier.helper_call cimport check_helper_call
from osmia.verifier.hidden_exit cimport ld_abs_exit, tail_call_exit
from osmia.verifier.insn cimport VInsn
from osmia.verifier.kfunc_call cimport check_kfunc_call
from osmia.verifier.ld_abs cimport check_ld_abs
from osmia.verifier.ld_imm cimport check_ld_imm
from osmia.verifier.lines cimport verbose_linfo, verbose_numbered_insn
from osmia.verifier.live_stack cimport commit_stack_write_marks, reset_stack_write_marks, update_live_stack
from osmia.verifier.log cimport Log
from osmia.verifier.marks cimport check_reg_arg, mark_reg_scratched, mark_verifier_state_scratched
from osmia.verifier.memory cimport check_load_mem, check_mem_access, check_store_reg, save_aux_ptr_type
from osmia.verifier.paths cimport pop_stack
from osmia.verifier.printing cimport print_insn_state, print_verifier_state
from osmia.verifier.prune cimport is_state_visited, update_branch_counts
from osmia.verifier.refs cimport check_resource_leak
from osmia.verifier.regs cimport Reg
from osmia.verifier.state cimport State

cdef int GO_ON, PATH_ENDS, SHOW_STATE, LD, LDX, ST, STX, JMP, JMP32, MEM, ATOMIC, MEMSX, ABS, IND, JA, CALL, EXIT, SPIN_UNLOCK, TAIL_CALL

@cython.locals(show=bint, left=bint, keeps=bint, step=int)
cpdef int do_check(Env env) except -1
@cython.locals(state=State)
cpdef int show_whole_state(Env env, bint show) except -1
cpdef bint next_path(Env env) except -1
@cython.locals(idx=int32_t, insn=VInsn, state=State)
cpdef int walk_insn(Env env, bint show) except -1
@cython.locals(idx=int32_t, step=int)
cpdef int judge(Env env, VInsn insn) except -1
@cython.locals(step=int)
cpdef int judge_guess(Env env, VInsn insn) except -1
cpdef int say_safe(Env env, bint show) except -1
@cython.locals(state=State, log=Log)
cpdef int log_insn(Env env, VInsn insn, bint show) except -1
@cython.locals(kind=uint8_t)
cpdef int check_insn(Env env, VInsn insn) except -1
@cython.locals(mode=uint8_t)
cpdef int check_stx(Env env, VInsn insn) except -1
@cython.locals(reg=Reg, size=int32_t)
cpdef int check_st(Env env, VInsn insn) except -1
@cython.locals(field=uint8_t)
cpdef int32_t size_of(uint8_t code) noexcept
@cython.locals(mode=uint8_t, second=VInsn)
cpdef int check_ld(Env env, VInsn insn) except -1
@cython.locals(op=uint8_t)
cpdef int check_jump(Env env, VInsn insn) except -1
@cython.locals(far=bint)
cpdef int check_ja(Env env, VInsn insn) except -1
@cython.locals(src=uint8_t, bad_kind=bint)
cpdef int check_call(Env env, VInsn insn) except -1
@cython.locals(outermost=bint)
cpdef int process_bpf_exit(Env env, bint exception_exit) except -1
