/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading kernel structs whose layout is only known when the program is loaded (CO-RE).
 *
 * clang leaves a record for every access to a struct with the attribute preserve_access_index; the loader looks
 * the field up by name in the kernel's BTF and patches its offset into the instruction.
 */
#pragma once

#include <bpf/bpf_helpers.h>

/* What clang's builtins are asked for: numbers of its interface. */
enum bpf_field_info_kind {
	BPF_FIELD_BYTE_OFFSET = 0,
	BPF_FIELD_BYTE_SIZE = 1,
	BPF_FIELD_EXISTS = 2,
	BPF_FIELD_SIGNED = 3,
	BPF_FIELD_LSHIFT_U64 = 4,
	BPF_FIELD_RSHIFT_U64 = 5,
};
enum bpf_type_id_kind {
	BPF_TYPE_ID_LOCAL = 0,
	BPF_TYPE_ID_TARGET = 1,
};
enum bpf_type_info_kind {
	BPF_TYPE_EXISTS = 0,
	BPF_TYPE_SIZE = 1,
	BPF_TYPE_MATCHES = 2,
};
enum bpf_enum_value_kind {
	BPF_ENUMVAL_EXISTS = 0,
	BPF_ENUMVAL_VALUE = 1,
};

/* ---- Questions about the target kernel ---- */

/* A field is written as an expression (ptr->a.b) or as (type, a.b). */
#define ___bpf_field1(field) (field)
#define ___bpf_field2(type, field) (((typeof(type) *)0)->field)
#define ___bpf_field(args...) ___bpf_apply(___bpf_field, ___bpf_narg(args))(args)

#define bpf_core_field_exists(field...) __builtin_preserve_field_info(___bpf_field(field), BPF_FIELD_EXISTS)
#define bpf_core_field_size(field...) __builtin_preserve_field_info(___bpf_field(field), BPF_FIELD_BYTE_SIZE)
#define bpf_core_field_offset(field...) __builtin_preserve_field_info(___bpf_field(field), BPF_FIELD_BYTE_OFFSET)

#define bpf_core_type_id_local(type) __builtin_btf_type_id(*(typeof(type) *)0, BPF_TYPE_ID_LOCAL)
#define bpf_core_type_id_kernel(type) __builtin_btf_type_id(*(typeof(type) *)0, BPF_TYPE_ID_TARGET)
#define bpf_core_type_exists(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_EXISTS)
#define bpf_core_type_matches(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_MATCHES)
#define bpf_core_type_size(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_SIZE)

#define bpf_core_enum_value_exists(type, value)                                                                        \
	__builtin_preserve_enum_value(*(typeof(type) *)value, BPF_ENUMVAL_EXISTS)
#define bpf_core_enum_value(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, BPF_ENUMVAL_VALUE)

/* ---- Plain reads ---- */

#define ___bpf_core_address(src) ((const void *)__builtin_preserve_access_index(src))

#define bpf_core_read(dst, size, src) bpf_probe_read_kernel(dst, size, ___bpf_core_address(src))
#define bpf_core_read_user(dst, size, src) bpf_probe_read_user(dst, size, ___bpf_core_address(src))
#define bpf_core_read_str(dst, size, src) bpf_probe_read_kernel_str(dst, size, ___bpf_core_address(src))
#define bpf_core_read_user_str(dst, size, src) bpf_probe_read_user_str(dst, size, ___bpf_core_address(src))

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;
#define bpf_core_cast(ptr, type) ((typeof(type) *)bpf_rdonly_cast((ptr), bpf_core_type_id_kernel(type)))

/* ---- Chains: BPF_CORE_READ(task, mm, exe_file, f_path.dentry) is task->mm->exe_file->f_path.dentry ---- */

/* `so_far` is the expression read up to here: only its type is used, its value is in __at. */
#define ___bpf_step(so_far, f) (&((typeof(&(so_far)[0]))__at)->f)
#define ___bpf_hop(read, so_far, f) read((void *)&__at, sizeof(__at), ___bpf_step(so_far, f))
#define ___bpf_chase1(read, last, dst, so_far, f) last((void *)(dst), sizeof(*(dst)), ___bpf_step(so_far, f))
#define ___bpf_chase2(read, last, dst, so_far, f, more...)                                                             \
	___bpf_hop(read, so_far, f); ___bpf_chase1(read, last, dst, (so_far)->f, more)
#define ___bpf_chase3(read, last, dst, so_far, f, more...)                                                             \
	___bpf_hop(read, so_far, f); ___bpf_chase2(read, last, dst, (so_far)->f, more)
#define ___bpf_chase4(read, last, dst, so_far, f, more...)                                                             \
	___bpf_hop(read, so_far, f); ___bpf_chase3(read, last, dst, (so_far)->f, more)
#define ___bpf_chase5(read, last, dst, so_far, f, more...)                                                             \
	___bpf_hop(read, so_far, f); ___bpf_chase4(read, last, dst, (so_far)->f, more)
#define ___bpf_chase6(read, last, dst, so_far, f, more...)                                                             \
	___bpf_hop(read, so_far, f); ___bpf_chase5(read, last, dst, (so_far)->f, more)
#define ___bpf_chase7(read, last, dst, so_far, f, more...)                                                             \
	___bpf_hop(read, so_far, f); ___bpf_chase6(read, last, dst, (so_far)->f, more)
#define ___bpf_chase8(read, last, dst, so_far, f, more...)                                                             \
	___bpf_hop(read, so_far, f); ___bpf_chase7(read, last, dst, (so_far)->f, more)
#define ___bpf_chase9(read, last, dst, so_far, f, more...)                                                             \
	___bpf_hop(read, so_far, f); ___bpf_chase8(read, last, dst, (so_far)->f, more)

/* The whole path as one expression, for its type. */
#define ___bpf_path1(so_far, f) (so_far)->f
#define ___bpf_path2(so_far, f, more...) ___bpf_path1((so_far)->f, more)
#define ___bpf_path3(so_far, f, more...) ___bpf_path2((so_far)->f, more)
#define ___bpf_path4(so_far, f, more...) ___bpf_path3((so_far)->f, more)
#define ___bpf_path5(so_far, f, more...) ___bpf_path4((so_far)->f, more)
#define ___bpf_path6(so_far, f, more...) ___bpf_path5((so_far)->f, more)
#define ___bpf_path7(so_far, f, more...) ___bpf_path6((so_far)->f, more)
#define ___bpf_path8(so_far, f, more...) ___bpf_path7((so_far)->f, more)
#define ___bpf_path9(so_far, f, more...) ___bpf_path8((so_far)->f, more)

#define ___bpf_read_into(read, last, dst, src, path...)                                                                \
	({                                                                                                             \
		const void *__at = (const void *)(src);                                                                \
		___bpf_apply(___bpf_chase, ___bpf_narg(path))(read, last, dst, src, path);                             \
	})
/* A const field makes no const variable (which could not be filled). */
#if __clang_major__ >= 20
#define ___bpf_unqual(x) __typeof_unqual__(x)
#else
#define ___bpf_unqual(x) typeof(x)
#endif
#define ___bpf_read_value(into, src, path...)                                                                          \
	({                                                                                                             \
		___bpf_unqual(___bpf_apply(___bpf_path, ___bpf_narg(path))(src, path)) __value;                        \
		into(&__value, src, path);                                                                             \
		__value;                                                                                               \
	})

/*
 * Kernel memory with CO-RE, user memory with CO-RE (kernel types seen from user space), and both without CO-RE.
 * The _INTO forms take a pointer to the destination and give the last read's result.
 */
#define BPF_CORE_READ_INTO(dst, src, path...) ___bpf_read_into(bpf_core_read, bpf_core_read, dst, src, path)
#define BPF_CORE_READ_USER_INTO(dst, src, path...)                                                                     \
	___bpf_read_into(bpf_core_read_user, bpf_core_read_user, dst, src, path)
#define BPF_PROBE_READ_INTO(dst, src, path...)                                                                         \
	___bpf_read_into(bpf_probe_read_kernel, bpf_probe_read_kernel, dst, src, path)
#define BPF_PROBE_READ_USER_INTO(dst, src, path...)                                                                    \
	___bpf_read_into(bpf_probe_read_user, bpf_probe_read_user, dst, src, path)

#define BPF_CORE_READ_STR_INTO(dst, src, path...) ___bpf_read_into(bpf_core_read, bpf_core_read_str, dst, src, path)
#define BPF_CORE_READ_USER_STR_INTO(dst, src, path...)                                                                 \
	___bpf_read_into(bpf_core_read_user, bpf_core_read_user_str, dst, src, path)
#define BPF_PROBE_READ_STR_INTO(dst, src, path...)                                                                     \
	___bpf_read_into(bpf_probe_read_kernel, bpf_probe_read_kernel_str, dst, src, path)
#define BPF_PROBE_READ_USER_STR_INTO(dst, src, path...)                                                                \
	___bpf_read_into(bpf_probe_read_user, bpf_probe_read_user_str, dst, src, path)

#define BPF_CORE_READ(src, path...) ___bpf_read_value(BPF_CORE_READ_INTO, src, path)
#define BPF_CORE_READ_USER(src, path...) ___bpf_read_value(BPF_CORE_READ_USER_INTO, src, path)
#define BPF_PROBE_READ(src, path...) ___bpf_read_value(BPF_PROBE_READ_INTO, src, path)
#define BPF_PROBE_READ_USER(src, path...) ___bpf_read_value(BPF_PROBE_READ_USER_INTO, src, path)

/* ---- Bit fields: the containing bytes are read, then the loader's two shifts cut the field out ---- */

#define ___bpf_info(s, field, kind) __builtin_preserve_field_info((s)->field, BPF_FIELD_##kind)
#define ___bpf_cut(word, s, field)                                                                                     \
	({                                                                                                             \
		unsigned long long __left = (word) << ___bpf_info(s, field, LSHIFT_U64);                               \
		___bpf_info(s, field, SIGNED) ? ((long long)__left) >> ___bpf_info(s, field, RSHIFT_U64)               \
					      : __left >> ___bpf_info(s, field, RSHIFT_U64);                           \
	})

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ___bpf_low_bytes(word, size) ((void *)&(word))
#else
#define ___bpf_low_bytes(word, size) ((void *)&(word) + (8 - (size)))
#endif

#define BPF_CORE_READ_BITFIELD_PROBED(s, field)                                                                        \
	({                                                                                                             \
		unsigned long long __word = 0;                                                                         \
		bpf_probe_read_kernel(___bpf_low_bytes(__word, ___bpf_info(s, field, BYTE_SIZE)),                      \
				      ___bpf_info(s, field, BYTE_SIZE),                                                \
				      (const void *)(s) + ___bpf_info(s, field, BYTE_OFFSET));                         \
		___bpf_cut(__word, s, field);                                                                          \
	})

/* The empty asm keeps clang from folding the patched offset into the switch. */
#define ___bpf_field_start(s, field)                                                                                   \
	({                                                                                                             \
		void *__start = (void *)(s) + ___bpf_info(s, field, BYTE_OFFSET);                                      \
		barrier_var(__start);                                                                                  \
		__start;                                                                                               \
	})

/* Where the program may load from the struct directly (BTF pointers). */
#define BPF_CORE_READ_BITFIELD(s, field)                                                                               \
	({                                                                                                             \
		const void *__p = ___bpf_field_start(s, field);                                                        \
		unsigned long long __word = 0;                                                                         \
		switch (___bpf_info(s, field, BYTE_SIZE)) {                                                            \
		case 1: __word = *(const unsigned char *)__p; break;                                                   \
		case 2: __word = *(const unsigned short *)__p; break;                                                  \
		case 4: __word = *(const unsigned int *)__p; break;                                                    \
		case 8: __word = *(const unsigned long long *)__p; break;                                              \
		}                                                                                                      \
		___bpf_cut(__word, s, field);                                                                          \
	})

#define BPF_CORE_WRITE_BITFIELD(s, field, new_value)                                                                   \
	({                                                                                                             \
		void *__p = ___bpf_field_start(s, field);                                                              \
		unsigned int __size = ___bpf_info(s, field, BYTE_SIZE);                                                \
		unsigned int __left = ___bpf_info(s, field, LSHIFT_U64), __right = ___bpf_info(s, field, RSHIFT_U64);  \
		unsigned long long __mask = (~0ULL << __right) >> __left, __word = 0;                                  \
		unsigned long long __bits = ((unsigned long long)(new_value) << __right) >> __left;                    \
		switch (__size) {                                                                                      \
		case 1: __word = *(unsigned char *)__p; break;                                                         \
		case 2: __word = *(unsigned short *)__p; break;                                                        \
		case 4: __word = *(unsigned int *)__p; break;                                                          \
		case 8: __word = *(unsigned long long *)__p; break;                                                    \
		}                                                                                                      \
		__word = (__word & ~__mask) | (__bits & __mask);                                                       \
		switch (__size) {                                                                                      \
		case 1: *(unsigned char *)__p = __word; break;                                                         \
		case 2: *(unsigned short *)__p = __word; break;                                                        \
		case 4: *(unsigned int *)__p = __word; break;                                                          \
		case 8: *(unsigned long long *)__p = __word; break;                                                    \
		}                                                                                                      \
	})
