/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that a program allocates, lists and trees of them, reference counts, and the sections that protect them.
 *
 * The names are those of the header that programs usually bring along; include vmlinux.h (or <linux/bpf.h>),
 * <bpf/bpf_helpers.h> and <bpf/bpf_core_read.h> first, or leave that to this file.  All of it is from Linux 6.12 or
 * older unless a line says otherwise; where a kernel lacks a function, loading a program that calls it fails.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* What a list or a tree holds: struct bpf_list_head runnable __contains(task, node); */
#define __contains(type, member) ___bpf_decl_tag("contains:" #type ":" #member)

/* A global that shares its map with the lock that protects it: private(A) struct bpf_spin_lock lock; */
#define private(name) SEC(".data." #name) __hidden __attribute__((aligned(8)))

/* ---- Objects ---- */

extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *kptr, void *meta) __ksym;
extern void *bpf_percpu_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_percpu_obj_drop_impl(void *kptr, void *meta) __ksym;
extern void *bpf_refcount_acquire_impl(void *kptr, void *meta) __ksym;

/* A zeroed object of a struct of the program's, or NULL: struct task *t = bpf_obj_new(typeof(*t)); */
#define bpf_obj_new(type) ((typeof(type) *)bpf_obj_new_impl(bpf_core_type_id_local(type), NULL))
#define bpf_obj_drop(kptr) bpf_obj_drop_impl(kptr, NULL)
/* One more reference; NULL only for who does not own one. */
#define bpf_refcount_acquire(kptr) ((typeof(kptr))bpf_refcount_acquire_impl(kptr, NULL))

/* One copy for each CPU; kept in a __percpu_kptr, reached by bpf_this_cpu_ptr and bpf_per_cpu_ptr. */
#define bpf_percpu_obj_new(type) ((typeof(type) __percpu_kptr *)bpf_percpu_obj_new_impl(bpf_core_type_id_local(type), NULL))
#define bpf_percpu_obj_drop(kptr) bpf_percpu_obj_drop_impl(kptr, NULL)

/* ---- Lists: the lock beside the head must be held ---- */

extern int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 off) __ksym;
extern int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 off) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_pop_back(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_front(struct bpf_list_head *head) __ksym; /* 6.16 */
extern struct bpf_list_node *bpf_list_back(struct bpf_list_head *head) __ksym;	 /* 6.16 */

#define bpf_list_push_front(head, node) bpf_list_push_front_impl(head, node, NULL, 0)
#define bpf_list_push_back(head, node) bpf_list_push_back_impl(head, node, NULL, 0)

/* ---- Red-black trees ---- */

extern int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
			       bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta, __u64 off) __ksym;
extern struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_root(struct bpf_rb_root *root) __ksym;				  /* 6.16 */
extern struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;	  /* 6.16 */
extern struct bpf_rb_node *bpf_rbtree_right(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym; /* 6.16 */

#define bpf_rbtree_add(root, node, less) bpf_rbtree_add_impl(root, node, less, NULL, 0)

/* ---- Locks and sections ---- */

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
extern void bpf_local_irq_save(unsigned long *flags) __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __ksym;

struct bpf_res_spin_lock; /* in vmlinux.h since 6.15 */
extern int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym;
extern void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym;
extern int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock, unsigned long *flags) __ksym;
extern void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock, unsigned long *flags) __ksym;

/* ---- Exceptions ---- */

extern void bpf_throw(__u64 cookie) __ksym;
#define __exception_cb(name) ___bpf_decl_tag("exception_callback:" #name)
