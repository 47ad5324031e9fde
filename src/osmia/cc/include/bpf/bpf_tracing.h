/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of traced functions: from registers (kprobes, uprobes) and from the array of 64-bit words that
 * tracepoints, fentry, fexit, LSM and struct_ops programs get.
 *
 * Which registers is decided by __TARGET_ARCH_x86 or __TARGET_ARCH_arm64 (`osmia cc` defines the host's).
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* ---- Registers by role ---- */

#if defined(__TARGET_ARCH_x86)

#define ___pt_regs_t struct pt_regs
#define ___pt_parm1 di
#define ___pt_parm2 si
#define ___pt_parm3 dx
#define ___pt_parm4 cx
#define ___pt_parm5 r8
#define ___pt_parm6 r9
#define ___pt_sys4 r10
#define ___pt_rc ax
#define ___pt_fp bp
#define ___pt_sp sp
#define ___pt_ip ip
/* The return address lies on the stack. */
#define BPF_KPROBE_READ_RET_IP(dst, ctx) bpf_probe_read_kernel(&(dst), sizeof(dst), (void *)PT_REGS_SP(ctx))
#define BPF_KRETPROBE_READ_RET_IP(dst, ctx) bpf_probe_read_kernel(&(dst), sizeof(dst), (void *)(PT_REGS_FP(ctx) + 8))
#define PT_REGS_RET(x) (0)
#define PT_REGS_RET_CORE(x) (0)
#define PT_REGS_PARM1_SYSCALL(x) PT_REGS_PARM1(x)
#define PT_REGS_PARM1_CORE_SYSCALL(x) PT_REGS_PARM1_CORE(x)

#elif defined(__TARGET_ARCH_arm64)

/* The part of the registers that user space may see, which comes first and is stable. */
#define ___pt_regs_t struct user_pt_regs
#define ___pt_parm1 regs[0]
#define ___pt_parm2 regs[1]
#define ___pt_parm3 regs[2]
#define ___pt_parm4 regs[3]
#define ___pt_parm5 regs[4]
#define ___pt_parm6 regs[5]
#define ___pt_parm7 regs[6]
#define ___pt_parm8 regs[7]
#define ___pt_sys4 regs[3]
#define ___pt_rc regs[0]
#define ___pt_fp regs[29]
#define ___pt_sp sp
#define ___pt_ip pc
#define PT_REGS_RET(x) (___pt_reg(x, regs[30]))
#define PT_REGS_RET_CORE(x) (___pt_reg_core(x, regs[30]))
#define BPF_KPROBE_READ_RET_IP(dst, ctx) ({ (dst) = PT_REGS_RET(ctx); })
#define BPF_KRETPROBE_READ_RET_IP(dst, ctx) BPF_KPROBE_READ_RET_IP(dst, ctx)
/* A system call overwrites the first register with its result; the kernel keeps the argument aside. */
struct pt_regs___syscall {
	unsigned long orig_x0;
} __attribute__((preserve_access_index));
#define PT_REGS_PARM1_SYSCALL(x) PT_REGS_PARM1_CORE_SYSCALL(x)
#define PT_REGS_PARM1_CORE_SYSCALL(x) BPF_CORE_READ((struct pt_regs___syscall *)(x), orig_x0)

#else

#define ___bpf_no_arch                                                                                                 \
	({                                                                                                             \
		_Static_assert(0, "PT_REGS_* need -D__TARGET_ARCH_x86 or -D__TARGET_ARCH_arm64");                      \
		0ul;                                                                                                   \
	})
#define PT_REGS_RET(x) ___bpf_no_arch
#define PT_REGS_RET_CORE(x) ___bpf_no_arch
#define PT_REGS_PARM1_SYSCALL(x) ___bpf_no_arch
#define PT_REGS_PARM1_CORE_SYSCALL(x) ___bpf_no_arch
#define BPF_KPROBE_READ_RET_IP(dst, ctx) ___bpf_no_arch
#define BPF_KRETPROBE_READ_RET_IP(dst, ctx) ___bpf_no_arch

#endif

#ifdef ___pt_regs_t
#define ___pt_reg(x, reg) (((const ___pt_regs_t *)(x))->reg)
#define ___pt_reg_core(x, reg) BPF_CORE_READ((___pt_regs_t *)(x), reg)
#else
#define ___pt_reg(x, reg) ___bpf_no_arch
#define ___pt_reg_core(x, reg) ___bpf_no_arch
#endif

#define PT_REGS_PARM1(x) ___pt_reg(x, ___pt_parm1)
#define PT_REGS_PARM1_CORE(x) ___pt_reg_core(x, ___pt_parm1)
#define PT_REGS_PARM2(x) ___pt_reg(x, ___pt_parm2)
#define PT_REGS_PARM2_CORE(x) ___pt_reg_core(x, ___pt_parm2)
#define PT_REGS_PARM3(x) ___pt_reg(x, ___pt_parm3)
#define PT_REGS_PARM3_CORE(x) ___pt_reg_core(x, ___pt_parm3)
#define PT_REGS_PARM4(x) ___pt_reg(x, ___pt_parm4)
#define PT_REGS_PARM4_CORE(x) ___pt_reg_core(x, ___pt_parm4)
#define PT_REGS_PARM5(x) ___pt_reg(x, ___pt_parm5)
#define PT_REGS_PARM5_CORE(x) ___pt_reg_core(x, ___pt_parm5)
#define PT_REGS_PARM6(x) ___pt_reg(x, ___pt_parm6)
#define PT_REGS_PARM6_CORE(x) ___pt_reg_core(x, ___pt_parm6)
#ifdef ___pt_parm8
#define PT_REGS_PARM7(x) ___pt_reg(x, ___pt_parm7)
#define PT_REGS_PARM7_CORE(x) ___pt_reg_core(x, ___pt_parm7)
#define PT_REGS_PARM8(x) ___pt_reg(x, ___pt_parm8)
#define PT_REGS_PARM8_CORE(x) ___pt_reg_core(x, ___pt_parm8)
#endif
#define PT_REGS_RC(x) ___pt_reg(x, ___pt_rc)
#define PT_REGS_RC_CORE(x) ___pt_reg_core(x, ___pt_rc)
#define PT_REGS_FP(x) ___pt_reg(x, ___pt_fp)
#define PT_REGS_FP_CORE(x) ___pt_reg_core(x, ___pt_fp)
#define PT_REGS_SP(x) ___pt_reg(x, ___pt_sp)
#define PT_REGS_SP_CORE(x) ___pt_reg_core(x, ___pt_sp)
#define PT_REGS_IP(x) ___pt_reg(x, ___pt_ip)
#define PT_REGS_IP_CORE(x) ___pt_reg_core(x, ___pt_ip)

/* System calls take their arguments in the same registers but for the first or the fourth. */
#define PT_REGS_PARM2_SYSCALL(x) PT_REGS_PARM2(x)
#define PT_REGS_PARM2_CORE_SYSCALL(x) PT_REGS_PARM2_CORE(x)
#define PT_REGS_PARM3_SYSCALL(x) PT_REGS_PARM3(x)
#define PT_REGS_PARM3_CORE_SYSCALL(x) PT_REGS_PARM3_CORE(x)
#define PT_REGS_PARM5_SYSCALL(x) PT_REGS_PARM5(x)
#define PT_REGS_PARM5_CORE_SYSCALL(x) PT_REGS_PARM5_CORE(x)
#define PT_REGS_PARM6_SYSCALL(x) PT_REGS_PARM6(x)
#define PT_REGS_PARM6_CORE_SYSCALL(x) PT_REGS_PARM6_CORE(x)
#define PT_REGS_PARM4_SYSCALL(x) ___pt_reg(x, ___pt_sys4)
#define PT_REGS_PARM4_CORE_SYSCALL(x) ___pt_reg_core(x, ___pt_sys4)

/* Kernels since 4.17 wrap system calls: the wrapper's only argument points to the caller's registers. */
#define PT_REGS_SYSCALL_REGS(ctx) ((struct pt_regs *)PT_REGS_PARM1(ctx))

/* ---- Typed arguments: BPF_PROG(name, struct task_struct *task, int flags) { ... } ---- */

/*
 * All the macros below declare the program itself, which gets a plain context, and an inlined function with the
 * declared parameters, whose body follows the macro. `values` are what the program passes to it.
 */
#define ___bpf_typed(name, ctx_type, values, args...)                                                                  \
	name(ctx_type *ctx);                                                                                           \
	static __always_inline typeof(name(0)) ____##name(ctx_type *ctx, ##args);                                      \
	typeof(name(0)) name(ctx_type *ctx)                                                                            \
	{                                                                                                              \
		_Pragma("clang diagnostic push")                                                                       \
		_Pragma("clang diagnostic ignored \"-Wint-conversion\"")                                               \
		return ____##name(values);                                                                             \
		_Pragma("clang diagnostic pop")                                                                        \
	}                                                                                                              \
	static __always_inline typeof(name(0)) ____##name(ctx_type *ctx, ##args)

#define ___bpf_word0() ctx
#define ___bpf_word1() ___bpf_word0(), (void *)ctx[0]
#define ___bpf_word2() ___bpf_word1(), (void *)ctx[1]
#define ___bpf_word3() ___bpf_word2(), (void *)ctx[2]
#define ___bpf_word4() ___bpf_word3(), (void *)ctx[3]
#define ___bpf_word5() ___bpf_word4(), (void *)ctx[4]
#define ___bpf_word6() ___bpf_word5(), (void *)ctx[5]
#define ___bpf_word7() ___bpf_word6(), (void *)ctx[6]
#define ___bpf_word8() ___bpf_word7(), (void *)ctx[7]
#define ___bpf_word9() ___bpf_word8(), (void *)ctx[8]
#define ___bpf_word10() ___bpf_word9(), (void *)ctx[9]
#define ___bpf_word11() ___bpf_word10(), (void *)ctx[10]
#define ___bpf_word12() ___bpf_word11(), (void *)ctx[11]
#define ___bpf_words(args...) ___bpf_apply(___bpf_word, ___bpf_narg(args))()

/* fentry, fexit, fmod_ret, tp_btf, raw_tp, LSM, struct_ops */
#define BPF_PROG(name, args...) ___bpf_typed(name, unsigned long long, ___bpf_words(args), ##args)

#define ___bpf_regs0() ctx
#define ___bpf_regs1() ___bpf_regs0(), (void *)PT_REGS_PARM1(ctx)
#define ___bpf_regs2() ___bpf_regs1(), (void *)PT_REGS_PARM2(ctx)
#define ___bpf_regs3() ___bpf_regs2(), (void *)PT_REGS_PARM3(ctx)
#define ___bpf_regs4() ___bpf_regs3(), (void *)PT_REGS_PARM4(ctx)
#define ___bpf_regs5() ___bpf_regs4(), (void *)PT_REGS_PARM5(ctx)
#define ___bpf_regs6() ___bpf_regs5(), (void *)PT_REGS_PARM6(ctx)
#define ___bpf_regs7() ___bpf_regs6(), (void *)PT_REGS_PARM7(ctx)
#define ___bpf_regs8() ___bpf_regs7(), (void *)PT_REGS_PARM8(ctx)
#define ___bpf_regs(args...) ___bpf_apply(___bpf_regs, ___bpf_narg(args))()

/* kprobe, uprobe */
#define BPF_KPROBE(name, args...) ___bpf_typed(name, struct pt_regs, ___bpf_regs(args), ##args)
#define BPF_UPROBE(name, args...) BPF_KPROBE(name, ##args)

#define ___bpf_ret0() ctx
#define ___bpf_ret1() ctx, (void *)PT_REGS_RC(ctx)

/* kretprobe, uretprobe: the return value, if it is wanted */
#define BPF_KRETPROBE(name, args...)                                                                                   \
	___bpf_typed(name, struct pt_regs, ___bpf_apply(___bpf_ret, ___bpf_narg(args))(), ##args)
#define BPF_URETPROBE(name, args...) BPF_KRETPROBE(name, ##args)

/* ---- System calls by kprobe or ksyscall: with or without the kernel's wrapper ---- */

#define ___bpf_sys0() ctx
#define ___bpf_sys1() ___bpf_sys0(), (void *)PT_REGS_PARM1_SYSCALL(regs)
#define ___bpf_sys2() ___bpf_sys1(), (void *)PT_REGS_PARM2_SYSCALL(regs)
#define ___bpf_sys3() ___bpf_sys2(), (void *)PT_REGS_PARM3_SYSCALL(regs)
#define ___bpf_sys4() ___bpf_sys3(), (void *)PT_REGS_PARM4_SYSCALL(regs)
#define ___bpf_sys5() ___bpf_sys4(), (void *)PT_REGS_PARM5_SYSCALL(regs)
#define ___bpf_sys6() ___bpf_sys5(), (void *)PT_REGS_PARM6_SYSCALL(regs)
#define ___bpf_sys_core0() ctx
#define ___bpf_sys_core1() ___bpf_sys_core0(), (void *)PT_REGS_PARM1_CORE_SYSCALL(regs)
#define ___bpf_sys_core2() ___bpf_sys_core1(), (void *)PT_REGS_PARM2_CORE_SYSCALL(regs)
#define ___bpf_sys_core3() ___bpf_sys_core2(), (void *)PT_REGS_PARM3_CORE_SYSCALL(regs)
#define ___bpf_sys_core4() ___bpf_sys_core3(), (void *)PT_REGS_PARM4_CORE_SYSCALL(regs)
#define ___bpf_sys_core5() ___bpf_sys_core4(), (void *)PT_REGS_PARM5_CORE_SYSCALL(regs)
#define ___bpf_sys_core6() ___bpf_sys_core5(), (void *)PT_REGS_PARM6_CORE_SYSCALL(regs)

#define BPF_KSYSCALL(name, args...)                                                                                    \
	name(struct pt_regs *ctx);                                                                                     \
	extern _Bool LINUX_HAS_SYSCALL_WRAPPER __kconfig;                                                              \
	static __always_inline typeof(name(0)) ____##name(struct pt_regs *ctx, ##args);                                \
	typeof(name(0)) name(struct pt_regs *ctx)                                                                      \
	{                                                                                                              \
		struct pt_regs *regs __attribute__((unused)) =                                                         \
			LINUX_HAS_SYSCALL_WRAPPER ? PT_REGS_SYSCALL_REGS(ctx) : ctx;                                   \
		_Pragma("clang diagnostic push")                                                                       \
		_Pragma("clang diagnostic ignored \"-Wint-conversion\"")                                               \
		if (LINUX_HAS_SYSCALL_WRAPPER)                                                                         \
			return ____##name(___bpf_apply(___bpf_sys_core, ___bpf_narg(args))());                         \
		return ____##name(___bpf_apply(___bpf_sys, ___bpf_narg(args))());                                      \
		_Pragma("clang diagnostic pop")                                                                        \
	}                                                                                                              \
	static __always_inline typeof(name(0)) ____##name(struct pt_regs *ctx, ##args)
#define BPF_KPROBE_SYSCALL BPF_KSYSCALL

/* ---- BPF_PROG2: parameters may be structs of up to 16 bytes, written as pairs: BPF_PROG2(f, struct s, a, int, b) ---- */

#define ___bpf_slots(type) ((sizeof(type) + 7) / 8)
/* A value from its one or two words; on big-endian machines a small number is in the word's last bytes. */
#define ___bpf_from_words(type, at)                                                                                    \
	({                                                                                                             \
		union {                                                                                                \
			type value;                                                                                    \
			unsigned char b1;                                                                              \
			unsigned short b2;                                                                             \
			unsigned int b4;                                                                               \
			unsigned long long b8[2];                                                                      \
		} __u;                                                                                                 \
		if (sizeof(type) == 1)                                                                                 \
			__u.b1 = ctx[at];                                                                              \
		else if (sizeof(type) == 2)                                                                            \
			__u.b2 = ctx[at];                                                                              \
		else if (sizeof(type) == 4)                                                                            \
			__u.b4 = ctx[at];                                                                              \
		else {                                                                                                 \
			__u.b8[0] = ctx[at];                                                                           \
			if (sizeof(type) > 8)                                                                          \
				__u.b8[1] = ctx[(at) + 1];                                                             \
		}                                                                                                      \
		__u.value;                                                                                             \
	})
#define ___bpf_pair_values0(at)
#define ___bpf_pair_types0()
#define ___bpf_pair_values2(at, type, name, more...) , ___bpf_from_words(type, at) ___bpf_pair_values0((at) + ___bpf_slots(type))
#define ___bpf_pair_types2(type, name, more...) , type name ___bpf_pair_types0()
#define ___bpf_pair_values4(at, type, name, more...) , ___bpf_from_words(type, at) ___bpf_pair_values2((at) + ___bpf_slots(type), ##more)
#define ___bpf_pair_types4(type, name, more...) , type name ___bpf_pair_types2(more)
#define ___bpf_pair_values6(at, type, name, more...) , ___bpf_from_words(type, at) ___bpf_pair_values4((at) + ___bpf_slots(type), ##more)
#define ___bpf_pair_types6(type, name, more...) , type name ___bpf_pair_types4(more)
#define ___bpf_pair_values8(at, type, name, more...) , ___bpf_from_words(type, at) ___bpf_pair_values6((at) + ___bpf_slots(type), ##more)
#define ___bpf_pair_types8(type, name, more...) , type name ___bpf_pair_types6(more)
#define ___bpf_pair_values10(at, type, name, more...) , ___bpf_from_words(type, at) ___bpf_pair_values8((at) + ___bpf_slots(type), ##more)
#define ___bpf_pair_types10(type, name, more...) , type name ___bpf_pair_types8(more)
#define ___bpf_pair_values12(at, type, name, more...) , ___bpf_from_words(type, at) ___bpf_pair_values10((at) + ___bpf_slots(type), ##more)
#define ___bpf_pair_types12(type, name, more...) , type name ___bpf_pair_types10(more)

#define BPF_PROG2(name, pairs...)                                                                                      \
	name(unsigned long long *ctx);                                                                                 \
	static __always_inline typeof(name(0)) ____##name(                                                             \
		unsigned long long *ctx ___bpf_apply(___bpf_pair_types, ___bpf_narg(pairs))(pairs));                   \
	typeof(name(0)) name(unsigned long long *ctx)                                                                  \
	{                                                                                                              \
		return ____##name(ctx ___bpf_apply(___bpf_pair_values, ___bpf_narg(pairs))(0, ##pairs));               \
	}                                                                                                              \
	static __always_inline typeof(name(0)) ____##name(                                                             \
		unsigned long long *ctx ___bpf_apply(___bpf_pair_types, ___bpf_narg(pairs))(pairs))
