/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every eBPF program in C starts with: sections, map definitions, helpers, printing, loops.
 *
 * Include vmlinux.h or <linux/bpf.h> first; without either, <linux/bpf.h> is taken from here.
 * Names and meanings are libbpf's, so that programs written for it compile unchanged.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/bpf.h>
#endif
#include <bpf/bpf_helper_defs.h>

/* ---- Sections and symbols ---- */

/* The section tells the loader what a function or variable is: SEC("xdp"), SEC("kprobe/do_unlinkat"), SEC(".maps"). */
#define SEC(name)                                                                                                      \
	_Pragma("clang diagnostic push")                                                                               \
	_Pragma("clang diagnostic ignored \"-Wignored-attributes\"")                                                   \
	__attribute__((section(name), used))                                                                           \
	_Pragma("clang diagnostic pop")

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif

/* A global function that is verified with its callers, as a static one is. */
#define __hidden __attribute__((visibility("hidden")))

/* Variables that the loader fills: kernel configuration values, kernel symbols. */
#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))

enum libbpf_tristate {
	TRI_NO = 0,
	TRI_YES = 1,
	TRI_MODULE = 2,
};

#define bpf_ksym_exists(sym)                                                                                           \
	({                                                                                                             \
		_Static_assert(!__builtin_constant_p(!!(sym)), #sym " must be declared __weak");                      \
		!!(sym);                                                                                               \
	})

/* ---- Map definitions: each member's type carries a value that the loader reads from BTF ---- */

#define __uint(name, val) int (*name)[val]
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]
#define __ulong(name, val) enum { ___bpf_concat(__osmia_value_, __COUNTER__) = val } name

enum libbpf_pin_type {
	LIBBPF_PIN_NONE,
	LIBBPF_PIN_BY_NAME, /* under /sys/fs/bpf, by the map's name */
};

/* The form of map definition from before BTF, in SEC("maps"). */
struct bpf_map_def {
	unsigned int type;
	unsigned int key_size;
	unsigned int value_size;
	unsigned int max_entries;
	unsigned int map_flags;
};

/* ---- Tags that the verifier reads from BTF ---- */

#if __has_attribute(btf_type_tag)
#define ___bpf_type_tag(tag) __attribute__((btf_type_tag(tag)))
#else
#define ___bpf_type_tag(tag)
#endif
#if __has_attribute(btf_decl_tag)
#define ___bpf_decl_tag(tag) __attribute__((btf_decl_tag(tag)))
#else
#define ___bpf_decl_tag(tag)
#endif

#define __kptr_untrusted ___bpf_type_tag("kptr_untrusted")
#define __kptr ___bpf_type_tag("kptr")
#define __percpu_kptr ___bpf_type_tag("percpu_kptr")
#define __uptr ___bpf_type_tag("uptr")

/* Parameters of global functions. */
#define __arg_ctx ___bpf_decl_tag("arg:ctx")
#define __arg_nonnull ___bpf_decl_tag("arg:nonnull")
#define __arg_nullable ___bpf_decl_tag("arg:nullable")
#define __arg_trusted ___bpf_decl_tag("arg:trusted")
#define __arg_untrusted ___bpf_decl_tag("arg:untrusted")
#define __arg_arena ___bpf_decl_tag("arg:arena")

/* ---- Small tools ---- */

#ifndef NULL
#define NULL ((void *)0)
#endif
#ifndef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
#ifndef container_of
#define container_of(ptr, type, member)                                                                                \
	({                                                                                                             \
		void *__inner = (void *)(ptr);                                                                         \
		(type *)(__inner - offsetof(type, member));                                                            \
	})
#endif
#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#endif
#ifndef unlikely
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

/* Nothing may be moved across; or: forget what is known about one variable (so that a check on it stays). */
#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif
#ifndef barrier_var
#define barrier_var(var) asm volatile("" : "+r"(var))
#endif

/* A branch that a correct program can't reach: a build that reaches it fails to load. */
#ifndef __bpf_unreachable
#define __bpf_unreachable() __builtin_trap()
#endif

#define ___bpf_concat(a, b) ___bpf_concat_(a, b)
#define ___bpf_concat_(a, b) a##b

/* How many arguments (0 to 12), and a macro chosen by that number. */
#define ___bpf_nth(_, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, n, ...) n
#define ___bpf_narg(...) ___bpf_nth(_, ##__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define ___bpf_apply(macro, n) ___bpf_concat(macro, n)

/* ---- Tail calls ---- */

/* With a constant slot the kernel can turn the call into a direct jump, which needs r3 to hold that constant. */
static __always_inline void bpf_tail_call_static(void *ctx, const void *map, const __u32 slot)
{
	if (!__builtin_constant_p(slot))
		__bpf_unreachable();
	asm volatile("r1 = %[ctx]\n\t"
		     "r2 = %[map]\n\t"
		     "r3 = %[slot]\n\t"
		     "call 12"
		     :
		     : [ctx] "r"(ctx), [map] "r"(map), [slot] "i"(slot)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}

/* ---- Printing ---- */

/* An array of 64-bit words from any arguments, as the *printf helpers take it. */
#define ___bpf_fill0(words, n)
#define ___bpf_fill1(words, n, x) words[n] = (unsigned long long)(x)
#define ___bpf_fill2(words, n, x, ...) words[n] = (unsigned long long)(x); ___bpf_fill1(words, n + 1, __VA_ARGS__)
#define ___bpf_fill3(words, n, x, ...) words[n] = (unsigned long long)(x); ___bpf_fill2(words, n + 1, __VA_ARGS__)
#define ___bpf_fill4(words, n, x, ...) words[n] = (unsigned long long)(x); ___bpf_fill3(words, n + 1, __VA_ARGS__)
#define ___bpf_fill5(words, n, x, ...) words[n] = (unsigned long long)(x); ___bpf_fill4(words, n + 1, __VA_ARGS__)
#define ___bpf_fill6(words, n, x, ...) words[n] = (unsigned long long)(x); ___bpf_fill5(words, n + 1, __VA_ARGS__)
#define ___bpf_fill7(words, n, x, ...) words[n] = (unsigned long long)(x); ___bpf_fill6(words, n + 1, __VA_ARGS__)
#define ___bpf_fill8(words, n, x, ...) words[n] = (unsigned long long)(x); ___bpf_fill7(words, n + 1, __VA_ARGS__)
#define ___bpf_fill9(words, n, x, ...) words[n] = (unsigned long long)(x); ___bpf_fill8(words, n + 1, __VA_ARGS__)
#define ___bpf_fill10(words, n, x, ...) words[n] = (unsigned long long)(x); ___bpf_fill9(words, n + 1, __VA_ARGS__)
#define ___bpf_fill11(words, n, x, ...) words[n] = (unsigned long long)(x); ___bpf_fill10(words, n + 1, __VA_ARGS__)
#define ___bpf_fill12(words, n, x, ...) words[n] = (unsigned long long)(x); ___bpf_fill11(words, n + 1, __VA_ARGS__)

/* Hands (words, size in bytes) of the arguments to a helper that takes them so; the format stays in .rodata. */
#define ___bpf_with_words(call, fmt, args...)                                                                          \
	({                                                                                                             \
		static const char __osmia_fmt[] = fmt;                                                                 \
		unsigned long long __osmia_words[___bpf_narg(args) ? ___bpf_narg(args) : 1];                           \
		_Pragma("clang diagnostic push")                                                                       \
		_Pragma("clang diagnostic ignored \"-Wint-conversion\"")                                               \
		___bpf_apply(___bpf_fill, ___bpf_narg(args))(__osmia_words, 0, ##args);                                \
		_Pragma("clang diagnostic pop")                                                                        \
		call(__osmia_fmt, sizeof(__osmia_fmt), __osmia_words, ___bpf_narg(args) * 8);                          \
	})

/* One line to the trace pipe. Up to three arguments work on every kernel, more need 5.16. */
#ifdef BPF_NO_GLOBAL_DATA
#define ___bpf_fmt_storage
#else
#define ___bpf_fmt_storage static const
#endif
#define __bpf_printk(fmt, args...)                                                                                     \
	({                                                                                                             \
		___bpf_fmt_storage char __osmia_fmt[] = fmt;                                                           \
		bpf_trace_printk(__osmia_fmt, sizeof(__osmia_fmt), ##args);                                            \
	})
#define __bpf_vprintk(fmt, args...) ___bpf_with_words(bpf_trace_vprintk, fmt, ##args)
#define ___bpf_printk0 __bpf_printk
#define ___bpf_printk1 __bpf_printk
#define ___bpf_printk2 __bpf_printk
#define ___bpf_printk3 __bpf_printk
#define ___bpf_printk4 __bpf_vprintk
#define ___bpf_printk5 __bpf_vprintk
#define ___bpf_printk6 __bpf_vprintk
#define ___bpf_printk7 __bpf_vprintk
#define ___bpf_printk8 __bpf_vprintk
#define ___bpf_printk9 __bpf_vprintk
#define ___bpf_printk10 __bpf_vprintk
#define ___bpf_printk11 __bpf_vprintk
#define ___bpf_printk12 __bpf_vprintk
#define bpf_printk(fmt, args...) ___bpf_apply(___bpf_printk, ___bpf_narg(args))(fmt, ##args)

/* Into a buffer, or into the sequence file of an iterator. */
#define BPF_SNPRINTF(out, out_size, fmt, args...)                                                                      \
	({                                                                                                             \
		static const char __osmia_fmt[] = fmt;                                                                 \
		unsigned long long __osmia_words[___bpf_narg(args) ? ___bpf_narg(args) : 1];                           \
		_Pragma("clang diagnostic push")                                                                       \
		_Pragma("clang diagnostic ignored \"-Wint-conversion\"")                                               \
		___bpf_apply(___bpf_fill, ___bpf_narg(args))(__osmia_words, 0, ##args);                                \
		_Pragma("clang diagnostic pop")                                                                        \
		bpf_snprintf(out, out_size, __osmia_fmt, __osmia_words, ___bpf_narg(args) * 8);                        \
	})
#define ___bpf_seq_call(fmt, fmt_size, words, words_size) bpf_seq_printf(__osmia_seq, fmt, fmt_size, words, words_size)
#define BPF_SEQ_PRINTF(seq, fmt, args...)                                                                              \
	({                                                                                                             \
		struct seq_file *__osmia_seq = (seq);                                                                  \
		___bpf_with_words(___bpf_seq_call, fmt, ##args);                                                       \
	})

/* ---- Loops that the verifier need not unroll ---- */

struct bpf_iter_num;
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __weak __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __weak __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __weak __ksym;

/* Ends the iterator on every way out of the loop's scope; the trap-free pointer keeps clang from dropping it. */
#define ___bpf_iter(type, args...)                                                                                     \
	struct bpf_iter_##type __it __attribute__((aligned(8), cleanup(bpf_iter_##type##_destroy))),                   \
		*__started __attribute__((unused)) = (bpf_iter_##type##_new(&__it, ##args),                            \
						      (void)bpf_iter_##type##_destroy, (void *)0)

/* for every value that the iterator `bpf_iter_TYPE` gives (6.4) */
#define bpf_for_each(type, cur, args...)                                                                               \
	for (___bpf_iter(type, ##args); ((cur) = bpf_iter_##type##_next(&__it));)

/* for i from start up to, not including, end (6.4) */
#define bpf_for(i, start, end)                                                                                         \
	for (___bpf_iter(num, (start), (end)); ({                                                                      \
		     int *__value = bpf_iter_num_next(&__it);                                                          \
		     /* the bounds are the verifier's, so that i can be an index */                                    \
		     (__value && ((i) = *__value, (i) >= (start) && (i) < (end)));                                     \
	     });)

/* n times (6.4) */
#define bpf_repeat(n) for (___bpf_iter(num, 0, (n)); bpf_iter_num_next(&__it);)

/* while (i < n && can_loop): the kernel ends it after some 8 million rounds (6.9) */
#ifdef __BPF_FEATURE_MAY_GOTO
#define ___bpf_may_goto "may_goto %l[__out]"
#elif __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ /* by bytes; LLVM 19 gets a .short with labels wrong, not a .long */
#define ___bpf_may_goto "1: .byte 0xe5, 0; .long ((%l[__out] - 1b - 8) / 8) & 0xffff; .short 0"
#else
#define ___bpf_may_goto "1: .byte 0xe5, 0; .long ((%l[__out] - 1b - 8) / 8) << 16; .short 0"
#endif
#define can_loop                                                                                                       \
	({                                                                                                             \
		__label__ __out, __go;                                                                                 \
		_Bool __more = 1;                                                                                      \
		asm volatile goto(___bpf_may_goto :::: __out);                                                         \
		goto __go;                                                                                             \
	__out:                                                                                                         \
		__more = 0;                                                                                            \
	__go:;                                                                                                         \
		__more;                                                                                                \
	})
#define cond_break                                                                                                     \
	({                                                                                                             \
		if (!can_loop)                                                                                         \
			break;                                                                                         \
	})
