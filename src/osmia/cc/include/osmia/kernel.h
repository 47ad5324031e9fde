/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common types of the kernel's inside, with the sizes and offsets of Linux 6.18.44 (x86-64); `__pad_N` stands for
 * what is left out at byte N.  Written by tools/gen_vmlinux.py: do not edit.
 */
#pragma once

#include <osmia/uapi.h>
#ifndef __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

struct hlist_node;

struct hlist_head {
	struct hlist_node *first;
};

struct hlist_node {
	struct hlist_node *next;
	struct hlist_node **pprev;
};

struct hlist_nulls_node {
	struct hlist_nulls_node *next;
	struct hlist_nulls_node **pprev;
};

struct hlist_nulls_head {
	struct hlist_nulls_node *first;
};

struct rb_node {
	long unsigned int __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
	struct rb_node *rb_leftmost;
};

struct callback_head {
	struct callback_head *next;
	void (*func)(struct callback_head *);
};

struct llist_node {
	struct llist_node *next;
};

struct refcount_struct;

typedef struct refcount_struct refcount_t;

typedef struct {
	int counter;
} atomic_t;

struct refcount_struct {
	atomic_t refs;
};

typedef struct {
	s64 counter;
} atomic64_t;

typedef atomic64_t atomic_long_t;

typedef struct {
	uid_t val;
} kuid_t;

typedef struct {
	gid_t val;
} kgid_t;

struct kref {
	refcount_t refcount;
};

struct spinlock;

typedef struct spinlock spinlock_t;

struct spinlock {
	unsigned int __opaque[1];
};

typedef struct {
	u64 val;
} kernel_cap_t;

typedef s64 ktime_t;

struct qstr {
	union {
		struct {
			u32 hash;
			u32 len;
		};
		u64 hash_len;
	};
	const unsigned char *name;
};

struct lockref {
	union {
		__u64 lock_count;
		struct {
			spinlock_t lock;
			int count;
		};
	};
};

struct net;

typedef struct {
	struct net *net;
} possible_net_t;

struct user_namespace;

struct dentry;

struct proc_ns_operations;

struct ns_common {
	u32 ns_type;
	struct dentry *stashed;
	const struct proc_ns_operations *ops;
	unsigned int inum;
	refcount_t __ns_ref;
	union {
		struct {
			u64 ns_id;
			struct rb_node ns_tree_node;
			struct list_head ns_list_node;
		};
		struct callback_head ns_rcu;
	};
};

struct proc_dir_entry;

struct net_device;

struct net {
	refcount_t passive;
	long long: 32;
	unsigned int dev_base_seq;
	u32 ifindex;
	unsigned char __pad_16[96];
	struct user_namespace *user_ns;
	unsigned char __pad_120[32];
	struct ns_common ns;
	unsigned char __pad_232[16];
	struct proc_dir_entry *proc_net;
	unsigned char __pad_256[176];
	u32 hash_mix;
	struct net_device *loopback_dev;
	unsigned char __pad_448[3712];
	u64 net_cookie;
	unsigned char __pad_4168[120];
};

struct user_namespace {
	unsigned char __pad_0[192];
	struct user_namespace *parent;
	int level;
	kuid_t owner;
	kgid_t group;
	struct ns_common ns;
	long unsigned int flags;
	unsigned char __pad_304[368];
};

struct seqcount_spinlock;

typedef struct seqcount_spinlock seqcount_spinlock_t;

struct seqcount_spinlock {
	unsigned int __opaque[1];
};

struct hlist_bl_node {
	unsigned long long __opaque[2];
};

struct inode;

union shortname_store {
	unsigned long long __opaque[5];
};

struct dentry_operations;

struct super_block;

struct wait_queue_head;

typedef struct wait_queue_head wait_queue_head_t;

struct dentry {
	unsigned int d_flags;
	seqcount_spinlock_t d_seq;
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	union {
		struct qstr __d_name;
		const struct qstr d_name;
	};
	struct inode *d_inode;
	union shortname_store d_shortname;
	const struct dentry_operations *d_op;
	struct super_block *d_sb;
	long unsigned int d_time;
	void *d_fsdata;
	struct lockref d_lockref;
	union {
		struct list_head d_lru;
		wait_queue_head_t *d_wait;
	};
	struct hlist_node d_sib;
	struct hlist_head d_children;
	union {
		struct hlist_node d_alias;
		struct hlist_bl_node d_in_lookup_hash;
		struct callback_head d_rcu;
	} d_u;
};

struct inode_operations;

struct address_space;

typedef u64 blkcnt_t;

enum inode_state_flags_t {
	I_NEW = 1,
	I_SYNC = 2,
	I_LRU_ISOLATING = 4,
	I_DIRTY_SYNC = 16,
	I_DIRTY_DATASYNC = 32,
	I_DIRTY_PAGES = 64,
	I_WILL_FREE = 128,
	I_FREEING = 256,
	I_CLEAR = 512,
	I_REFERENCED = 1024,
	I_LINKABLE = 2048,
	I_DIRTY_TIME = 4096,
	I_WB_SWITCH = 8192,
	I_OVL_INUSE = 16384,
	I_CREATING = 32768,
	I_DONTCACHE = 65536,
	I_SYNC_QUEUED = 131072,
	I_PINNING_NETFS_WB = 262144,
};

struct file_operations;

struct pipe_inode_info;

struct cdev;

struct inode {
	umode_t i_mode;
	short unsigned int i_opflags;
	kuid_t i_uid;
	kgid_t i_gid;
	unsigned int i_flags;
	unsigned char __pad_16[16];
	const struct inode_operations *i_op;
	struct super_block *i_sb;
	struct address_space *i_mapping;
	void *i_security;
	long unsigned int i_ino;
	union {
		const unsigned int i_nlink;
	};
	dev_t i_rdev;
	loff_t i_size;
	time64_t i_atime_sec;
	time64_t i_mtime_sec;
	time64_t i_ctime_sec;
	u32 i_atime_nsec;
	u32 i_mtime_nsec;
	u32 i_ctime_nsec;
	u32 i_generation;
	long long: 32;
	short unsigned int i_bytes;
	u8 i_blkbits;
	blkcnt_t i_blocks;
	enum inode_state_flags_t i_state;
	unsigned char __pad_148[196];
	atomic_t i_count;
	long long: 32;
	atomic_t i_writecount;
	union {
		const struct file_operations *i_fop;
	};
	unsigned char __pad_368[216];
	union {
		struct pipe_inode_info *i_pipe;
		struct cdev *i_cdev;
		char *i_link;
	};
	unsigned char __pad_592[16];
	void *i_private;
};

struct file_system_type;

struct super_operations;

struct block_device;

typedef struct {
	__u8 b[16];
} uuid_t;

struct super_block {
	struct list_head s_list;
	dev_t s_dev;
	unsigned char s_blocksize_bits;
	long unsigned int s_blocksize;
	loff_t s_maxbytes;
	struct file_system_type *s_type;
	const struct super_operations *s_op;
	unsigned char __pad_56[24];
	long unsigned int s_flags;
	long unsigned int s_iflags;
	long unsigned int s_magic;
	struct dentry *s_root;
	unsigned char __pad_112[40];
	int s_count;
	atomic_t s_active;
	void *s_security;
	unsigned char __pad_168[40];
	struct block_device *s_bdev;
	unsigned char __pad_216[672];
	void *s_fs_info;
	unsigned char __pad_896[40];
	char s_id[32];
	uuid_t s_uuid;
	unsigned char __pad_984[136];
	struct user_namespace *s_user_ns;
	unsigned char __pad_1128[344];
};

struct file_system_type {
	const char *name;
	int fs_flags;
	unsigned char __pad_12[60];
};

struct gendisk;

struct request_queue;

struct block_device {
	sector_t bd_start_sect;
	sector_t bd_nr_sectors;
	struct gendisk *bd_disk;
	struct request_queue *bd_queue;
	unsigned char __pad_32[20];
	dev_t bd_dev;
	unsigned char __pad_56[24];
	void *bd_holder;
	unsigned char __pad_88[816];
};

struct block_device_operations;

struct gendisk {
	int major;
	int first_minor;
	int minors;
	char disk_name[32];
	unsigned char __pad_44[20];
	struct block_device *part0;
	const struct block_device_operations *fops;
	struct request_queue *queue;
	void *private_data;
	unsigned char __pad_96[248];
	int flags;
	long unsigned int state;
	unsigned char __pad_360[152];
	u64 diskseq;
	unsigned char __pad_520[48];
};

struct elevator_queue;

struct request_queue {
	void *queuedata;
	struct elevator_queue *elevator;
	unsigned char __pad_16[16];
	long unsigned int queue_flags;
	unsigned char __pad_40[12];
	unsigned int nr_hw_queues;
	unsigned char __pad_56[48];
	struct gendisk *disk;
	unsigned char __pad_112[264];
	int id;
	long unsigned int nr_requests;
	unsigned char __pad_392[592];
};

struct elevator_type;

struct elevator_queue {
	struct elevator_type *type;
	unsigned char __pad_8[632];
};

struct elevator_type {
	unsigned char __pad_0[224];
	const char *elevator_name;
	unsigned char __pad_232[72];
};

struct address_space {
	struct inode *host;
	unsigned char __pad_8[80];
	long unsigned int nrpages;
	unsigned char __pad_96[16];
	long unsigned int flags;
	unsigned char __pad_120[72];
};

typedef unsigned int pipe_index_t;

struct pipe_inode_info {
	unsigned char __pad_0[80];
	union {
		struct {
			pipe_index_t head;
			pipe_index_t tail;
		};
	};
	unsigned int max_usage;
	unsigned int ring_size;
	int: 32;
	unsigned int readers;
	unsigned int writers;
	unsigned int files;
	unsigned char __pad_112[64];
};

struct wait_queue_head {
	spinlock_t lock;
	struct list_head head;
};

struct net_device_ops;

struct header_ops;

struct netdev_queue;

typedef u64 netdev_features_t;

struct inet6_dev;

struct bpf_prog;

struct netdev_rx_queue;

struct dev_ifalias;

struct net_device_stats {
	union {
		long unsigned int rx_packets;
		atomic_long_t __rx_packets;
	};
	union {
		long unsigned int tx_packets;
		atomic_long_t __tx_packets;
	};
	union {
		long unsigned int rx_bytes;
		atomic_long_t __rx_bytes;
	};
	union {
		long unsigned int tx_bytes;
		atomic_long_t __tx_bytes;
	};
	union {
		long unsigned int rx_errors;
		atomic_long_t __rx_errors;
	};
	union {
		long unsigned int tx_errors;
		atomic_long_t __tx_errors;
	};
	union {
		long unsigned int rx_dropped;
		atomic_long_t __rx_dropped;
	};
	union {
		long unsigned int tx_dropped;
		atomic_long_t __tx_dropped;
	};
	union {
		long unsigned int multicast;
		atomic_long_t __multicast;
	};
	union {
		long unsigned int collisions;
		atomic_long_t __collisions;
	};
	union {
		long unsigned int rx_length_errors;
		atomic_long_t __rx_length_errors;
	};
	union {
		long unsigned int rx_over_errors;
		atomic_long_t __rx_over_errors;
	};
	union {
		long unsigned int rx_crc_errors;
		atomic_long_t __rx_crc_errors;
	};
	union {
		long unsigned int rx_frame_errors;
		atomic_long_t __rx_frame_errors;
	};
	union {
		long unsigned int rx_fifo_errors;
		atomic_long_t __rx_fifo_errors;
	};
	union {
		long unsigned int rx_missed_errors;
		atomic_long_t __rx_missed_errors;
	};
	union {
		long unsigned int tx_aborted_errors;
		atomic_long_t __tx_aborted_errors;
	};
	union {
		long unsigned int tx_carrier_errors;
		atomic_long_t __tx_carrier_errors;
	};
	union {
		long unsigned int tx_fifo_errors;
		atomic_long_t __tx_fifo_errors;
	};
	union {
		long unsigned int tx_heartbeat_errors;
		atomic_long_t __tx_heartbeat_errors;
	};
	union {
		long unsigned int tx_window_errors;
		atomic_long_t __tx_window_errors;
	};
	union {
		long unsigned int rx_compressed;
		atomic_long_t __rx_compressed;
	};
	union {
		long unsigned int tx_compressed;
		atomic_long_t __tx_compressed;
	};
};

struct ethtool_ops;

struct in_device;

struct Qdisc;

struct device {
	unsigned long long __opaque[87];
};

struct net_device {
	union {
		struct {
			long unsigned int priv_flags: 32;
			long unsigned int lltx: 1;
			long unsigned int netmem_tx: 1;
		};
	};
	const struct net_device_ops *netdev_ops;
	const struct header_ops *header_ops;
	struct netdev_queue *_tx;
	unsigned char __pad_32[8];
	unsigned int real_num_tx_queues;
	unsigned char __pad_44[12];
	unsigned int mtu;
	short unsigned int needed_headroom;
	unsigned char __pad_62[106];
	long unsigned int state;
	unsigned int flags;
	short unsigned int hard_header_len;
	netdev_features_t features;
	struct inet6_dev *ip6_ptr;
	struct bpf_prog *xdp_prog;
	unsigned char __pad_208[16];
	int ifindex;
	unsigned int real_num_rx_queues;
	struct netdev_rx_queue *_rx;
	unsigned char __pad_240[24];
	possible_net_t nd_net;
	unsigned char __pad_272[8];
	char name[16];
	unsigned char __pad_296[8];
	struct dev_ifalias *ifalias;
	unsigned char __pad_312[24];
	struct list_head dev_list;
	unsigned char __pad_352[176];
	unsigned int min_mtu;
	unsigned int max_mtu;
	short unsigned int type;
	int group;
	struct net_device_stats stats;
	unsigned char __pad_728[16];
	const struct ethtool_ops *ethtool_ops;
	unsigned char __pad_752[16];
	unsigned int operstate;
	unsigned char link_mode;
	unsigned char if_port;
	long long: 8;
	unsigned char perm_addr[32];
	unsigned char addr_assign_type;
	unsigned char addr_len;
	unsigned char upper_level;
	unsigned char lower_level;
	long long: 24;
	short unsigned int dev_id;
	short unsigned int dev_port;
	int irq;
	unsigned char __pad_824[112];
	unsigned int promiscuity;
	unsigned int allmulti;
	unsigned char __pad_944[8];
	struct in_device *ip_ptr;
	unsigned char __pad_960[8];
	const unsigned char *dev_addr;
	unsigned char __pad_976[24];
	unsigned char broadcast[32];
	unsigned char __pad_1032[24];
	unsigned int num_tx_queues;
	struct Qdisc *qdisc;
	unsigned int tx_queue_len;
	unsigned char __pad_1076[180];
	int watchdog_timeo;
	unsigned char __pad_1260[52];
	u8 reg_state;
	long long: 24;
	bool needs_free_netdev;
	unsigned char __pad_1317[27];
	struct device dev;
	unsigned char __pad_2040[456];
};

struct netdev_queue {
	struct net_device *dev;
	struct Qdisc *qdisc;
	unsigned char __pad_16[248];
	long unsigned int trans_start;
	long unsigned int state;
	unsigned char __pad_280[40];
};

struct Qdisc_ops;

struct qdisc_skb_head {
	unsigned long long __opaque[3];
};

struct gnet_stats_basic_sync {
	unsigned long long __opaque[2];
};

struct gnet_stats_queue {
	unsigned int __opaque[5];
};

struct Qdisc {
	unsigned char __pad_0[16];
	unsigned int flags;
	u32 limit;
	const struct Qdisc_ops *ops;
	unsigned char __pad_32[24];
	u32 handle;
	u32 parent;
	struct netdev_queue *dev_queue;
	unsigned char __pad_72[80];
	struct qdisc_skb_head q;
	struct gnet_stats_basic_sync bstats;
	struct gnet_stats_queue qstats;
	unsigned char __pad_212[172];
};

struct bpf_prog_aux;

struct bpf_prog {
	u16 pages;
	enum bpf_prog_type type;
	enum bpf_attach_type expected_attach_type;
	u32 len;
	u32 jited_len;
	union {
		u8 tag[8];
		struct { char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; char: 8; };
	};
	unsigned char __pad_52[28];
	struct bpf_prog_aux *aux;
	unsigned char __pad_88[8];
};

struct bpf_prog_aux {
	atomic64_t refcnt;
	u32 used_map_cnt;
	unsigned char __pad_12[20];
	u32 id;
	u32 func_cnt;
	unsigned char __pad_40[976];
	char name[16];
	unsigned char __pad_1032[272];
};

struct work_struct;

typedef void (*work_func_t)(struct work_struct *);

struct work_struct {
	atomic_long_t data;
	struct list_head entry;
	work_func_t func;
};

struct timer_list {
	struct hlist_node entry;
	long unsigned int expires;
	void (*function)(struct timer_list *);
	u32 flags;
};

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct task_struct;

struct pid_namespace {
	unsigned char __pad_0[40];
	unsigned int pid_allocated;
	struct task_struct *child_reaper;
	unsigned char __pad_56[8];
	unsigned int level;
	struct pid_namespace *parent;
	unsigned char __pad_80[8];
	struct user_namespace *user_ns;
	unsigned char __pad_96[16];
	struct ns_common ns;
	unsigned char __pad_192[152];
};

struct thread_info {
	long unsigned int flags;
	long unsigned int syscall_work;
	u32 status;
	u32 cpu;
};

struct load_weight {
	unsigned long long __opaque[2];
};

struct cfs_rq;

struct sched_entity {
	struct load_weight load;
	unsigned char __pad_16[72];
	unsigned char on_rq;
	u64 exec_start;
	u64 sum_exec_runtime;
	u64 prev_sum_exec_runtime;
	u64 vruntime;
	unsigned char __pad_128[16];
	u64 nr_migrations;
	unsigned char __pad_152[16];
	struct cfs_rq *cfs_rq;
	unsigned char __pad_176[80];
};

struct mm_struct;

struct pid;

struct cred;

struct fs_struct;

struct files_struct;

struct io_uring_task;

struct nsproxy;

struct signal_struct;

struct sighand_struct;

typedef struct {
	long unsigned int sig[1];
} sigset_t;

struct seccomp {
	unsigned long long __opaque[2];
};

struct kernel_siginfo;

typedef struct kernel_siginfo kernel_siginfo_t;

struct css_set;

struct robust_list_head;

struct perf_event_context;

struct task_delay_info;

struct vm_struct;

struct bpf_local_storage;

struct bpf_run_ctx;

struct thread_struct {
	unsigned char __pad_0[24];
	long unsigned int sp;
	unsigned char __pad_32[8];
	long unsigned int fsbase;
	long unsigned int gsbase;
	unsigned char __pad_56[96];
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	unsigned int saved_state;
	void *stack;
	refcount_t usage;
	unsigned int flags;
	unsigned int ptrace;
	int on_cpu;
	unsigned char __pad_56[44];
	int wake_cpu;
	int on_rq;
	int prio;
	int static_prio;
	int normal_prio;
	unsigned int rt_priority;
	struct sched_entity se;
	unsigned char __pad_384[396];
	unsigned int policy;
	unsigned char __pad_784[8];
	int nr_cpus_allowed;
	unsigned char __pad_796[260];
	struct list_head tasks;
	unsigned char __pad_1072[64];
	struct mm_struct *mm;
	struct mm_struct *active_mm;
	unsigned char __pad_1152[8];
	int exit_state;
	int exit_code;
	int exit_signal;
	int pdeath_signal;
	long unsigned int jobctl;
	unsigned int personality;
	long long: 32;
	unsigned int sched_remote_wakeup: 1;
	unsigned int sched_rt_mutex: 1;
	unsigned int user_dumpable: 1;
	unsigned int in_execve: 1;
	unsigned int init_private_fork_class: 4;
	unsigned int in_iowait: 1;
	unsigned int restore_sigmask: 1;
	unsigned int in_user_fault: 1;
	unsigned int no_cgroup_migration: 1;
	unsigned int frozen: 1;
	unsigned int use_memdelay: 1;
	unsigned int in_memstall: 1;
	unsigned int in_eventfd: 1;
	unsigned int reported_split_lock: 1;
	unsigned int in_thrashing: 1;
	unsigned int in_nf_duplicate: 1;
	long unsigned int atomic_flags;
	unsigned char __pad_1208[56];
	pid_t pid;
	pid_t tgid;
	long unsigned int stack_canary;
	struct task_struct *real_parent;
	struct task_struct *parent;
	struct list_head children;
	struct list_head sibling;
	struct task_struct *group_leader;
	struct list_head ptraced;
	unsigned char __pad_1352[16];
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	struct list_head thread_node;
	unsigned char __pad_1456[32];
	u64 utime;
	u64 stime;
	u64 gtime;
	unsigned char __pad_1512[24];
	long unsigned int nvcsw;
	long unsigned int nivcsw;
	u64 start_time;
	u64 start_boottime;
	long unsigned int min_flt;
	long unsigned int maj_flt;
	unsigned char __pad_1584[144];
	const struct cred *real_cred;
	const struct cred *cred;
	unsigned char __pad_1744[8];
	char comm[16];
	unsigned char __pad_1768[48];
	struct fs_struct *fs;
	struct files_struct *files;
	struct io_uring_task *io_uring;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
	sigset_t real_blocked;
	unsigned char __pad_1880[72];
	kuid_t loginuid;
	unsigned int sessionid;
	struct seccomp seccomp;
	unsigned char __pad_1976[32];
	u64 parent_exec_id;
	u64 self_exec_id;
	unsigned char __pad_2024[120];
	kernel_siginfo_t *last_siginfo;
	unsigned char __pad_2152[224];
	struct css_set *cgroups;
	struct list_head cg_list;
	struct robust_list_head *robust_list;
	unsigned char __pad_2408[72];
	struct perf_event_context *perf_event_ctxp;
	unsigned char __pad_2488[296];
	struct pipe_inode_info *splice_pipe;
	unsigned char __pad_2792[16];
	struct task_delay_info *delays;
	unsigned char __pad_2816[24];
	u64 default_timer_slack_ns;
	unsigned char __pad_2848[128];
	struct vm_struct *stack_vm_area;
	refcount_t stack_refcount;
	unsigned char __pad_2988[12];
	struct bpf_local_storage *bpf_storage;
	struct bpf_run_ctx *bpf_ctx;
	unsigned char __pad_3016[72];
	struct thread_struct thread;
	unsigned char __pad_3240[24];
};

struct cfs_rq {
	unsigned char __pad_0[16];
	unsigned int nr_queued;
	unsigned int h_nr_queued;
	unsigned int h_nr_runnable;
	unsigned int h_nr_idle;
	unsigned char __pad_32[480];
};

struct maple_tree {
	unsigned long long __opaque[2];
};

typedef long unsigned int pgdval_t;

typedef struct {
	pgdval_t pgd;
} pgd_t;

typedef long unsigned int vm_flags_t;

struct raw_spinlock;

typedef struct raw_spinlock raw_spinlock_t;

struct raw_spinlock {
	unsigned int __opaque[1];
};

struct percpu_counter {
	raw_spinlock_t lock;
	s64 count;
	struct list_head list;
	s32 *counters;
};

struct file;

struct mm_struct {
	struct {
		struct {
			atomic_t mm_count;
			unsigned char __pad_541_4[60];
		};
		struct maple_tree mm_mt;
		long unsigned int mmap_base;
		unsigned char __pad_600_88[24];
		long unsigned int task_size;
		pgd_t *pgd;
		long long: 32;
		atomic_t mm_users;
		unsigned char __pad_600_136[40];
		int map_count;
		unsigned char __pad_600_180[164];
		long unsigned int hiwater_rss;
		long unsigned int hiwater_vm;
		long unsigned int total_vm;
		long unsigned int locked_vm;
		atomic64_t pinned_vm;
		long unsigned int data_vm;
		long unsigned int exec_vm;
		long unsigned int stack_vm;
		vm_flags_t def_flags;
		unsigned char __pad_600_416[8];
		long unsigned int start_code;
		long unsigned int end_code;
		long unsigned int start_data;
		long unsigned int end_data;
		long unsigned int start_brk;
		long unsigned int brk;
		long unsigned int start_stack;
		long unsigned int arg_start;
		long unsigned int arg_end;
		long unsigned int env_start;
		long unsigned int env_end;
		unsigned char __pad_600_512[448];
		struct percpu_counter rss_stat[4];
		unsigned char __pad_600_1120[176];
		struct task_struct *owner;
		struct user_namespace *user_ns;
		struct file *exe_file;
		unsigned char __pad_600_1320[152];
	};
};

struct fown_struct;

struct vfsmount;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct mutex {
	unsigned long long __opaque[4];
};

typedef u32 errseq_t;

struct file_ra_state {
	unsigned long long __opaque[4];
};

typedef struct {
	long unsigned int v;
} freeptr_t;

typedef struct {
	atomic64_t refcnt;
} file_ref_t;

struct file {
	spinlock_t f_lock;
	fmode_t f_mode;
	const struct file_operations *f_op;
	struct address_space *f_mapping;
	void *private_data;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_iocb_flags;
	const struct cred *f_cred;
	struct fown_struct *f_owner;
	union {
		const struct path f_path;
		struct path __f_path;
	};
	union {
		struct mutex f_pos_lock;
		u64 f_pipe;
	};
	loff_t f_pos;
	void *f_security;
	errseq_t f_wb_err;
	errseq_t f_sb_err;
	struct hlist_head *f_ep;
	union {
		struct callback_head f_task_work;
		struct llist_node f_llist;
		struct file_ra_state f_ra;
		freeptr_t f_freeptr;
	};
	file_ref_t f_ref;
};

struct key;

struct user_struct;

struct ucounts;

struct group_info;

struct cred {
	atomic_long_t usage;
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kuid_t fsuid;
	kgid_t fsgid;
	unsigned int securebits;
	kernel_cap_t cap_inheritable;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
	kernel_cap_t cap_bset;
	kernel_cap_t cap_ambient;
	unsigned char jit_keyring;
	struct key *session_keyring;
	struct key *process_keyring;
	struct key *thread_keyring;
	struct key *request_key_auth;
	void *security;
	struct user_struct *user;
	struct user_namespace *user_ns;
	struct ucounts *ucounts;
	struct group_info *group_info;
	union {
		int non_rcu;
		struct callback_head rcu;
	};
};

struct user_struct {
	refcount_t __count;
	unsigned char __pad_4[76];
	kuid_t uid;
	unsigned char __pad_84[44];
};

struct group_info {
	refcount_t usage;
	int ngroups;
	kgid_t gid[0];
};

struct mnt_idmap;

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
	struct mnt_idmap *mnt_idmap;
};

struct pid {
	refcount_t count;
	unsigned int level;
	unsigned char __pad_8[8];
	struct {
		u64 ino;
		unsigned char __pad_603_8[40];
	};
	struct hlist_head tasks[4];
	unsigned char __pad_96[48];
	struct upid numbers[0];
};

struct fs_struct {
	int users;
	unsigned char __pad_4[8];
	int umask;
	unsigned char __pad_16[8];
	struct path root;
	struct path pwd;
};

struct fdtable;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	long unsigned int *close_on_exec;
	long unsigned int *open_fds;
	long unsigned int *full_fds_bits;
	struct callback_head rcu;
};

struct files_struct {
	atomic_t count;
	unsigned char __pad_4[28];
	struct fdtable *fdt;
	struct fdtable fdtab;
	unsigned char __pad_96[36];
	unsigned int next_fd;
	unsigned char __pad_136[24];
	struct file *fd_array[64];
	unsigned char __pad_672[32];
};

struct uts_namespace;

struct ipc_namespace;

struct mnt_namespace;

struct time_namespace;

struct cgroup_namespace;

struct nsproxy {
	refcount_t count;
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
	struct time_namespace *time_ns;
	struct time_namespace *time_ns_for_children;
	struct cgroup_namespace *cgroup_ns;
};

struct new_utsname {
	char sysname[65];
	char nodename[65];
	char release[65];
	char version[65];
	char machine[65];
	char domainname[65];
};

struct uts_namespace {
	struct new_utsname name;
	struct user_namespace *user_ns;
	struct ucounts *ucounts;
	struct ns_common ns;
};

struct ipc_namespace {
	unsigned char __pad_0[1096];
	struct user_namespace *user_ns;
	unsigned char __pad_1104[16];
	struct ns_common ns;
};

struct mount;

struct mnt_namespace {
	struct ns_common ns;
	struct mount *root;
	unsigned char __pad_88[24];
	struct user_namespace *user_ns;
	unsigned char __pad_120[64];
	unsigned int nr_mounts;
	unsigned char __pad_188[12];
};

struct mount {
	unsigned char __pad_0[16];
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	unsigned char __pad_64[32];
	struct list_head mnt_mounts;
	struct list_head mnt_child;
	unsigned char __pad_128[16];
	const char *mnt_devname;
	struct list_head mnt_list;
	unsigned char __pad_168[64];
	struct mnt_namespace *mnt_ns;
	unsigned char __pad_240[68];
	int mnt_id;
	unsigned char __pad_312[8];
	int mnt_group_id;
	unsigned char __pad_324[28];
};

struct time_namespace {
	struct user_namespace *user_ns;
	unsigned char __pad_8[8];
	struct ns_common ns;
	unsigned char __pad_96[48];
};

struct cgroup_namespace {
	struct ns_common ns;
	struct user_namespace *user_ns;
	unsigned char __pad_88[8];
	struct css_set *root_cset;
};

struct cgroup_subsys_state;

struct cgroup;

struct css_set {
	struct cgroup_subsys_state *subsys[12];
	refcount_t refcount;
	unsigned char __pad_100[12];
	struct cgroup *dfl_cgrp;
	int nr_tasks;
	unsigned char __pad_124[420];
};

struct cgroup_subsys;

struct percpu_ref {
	unsigned long long __opaque[2];
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys *ss;
	struct percpu_ref refcnt;
	unsigned char __pad_32[8];
	struct list_head sibling;
	struct list_head children;
	int id;
	unsigned int flags;
	u64 serial_nr;
	unsigned char __pad_88[96];
	struct cgroup_subsys_state *parent;
	unsigned char __pad_192[16];
};

struct kernfs_node;

struct cgroup_root;

struct cgroup_bpf {
	unsigned long long __opaque[128];
};

struct cgroup {
	struct cgroup_subsys_state self;
	long unsigned int flags;
	int level;
	int max_depth;
	int nr_descendants;
	unsigned char __pad_228[28];
	struct kernfs_node *kn;
	unsigned char __pad_264[288];
	struct cgroup_subsys_state *subsys[12];
	unsigned char __pad_648[48];
	struct cgroup_root *root;
	unsigned char __pad_704[208];
	struct cgroup *dom_cgrp;
	unsigned char __pad_920[240];
	struct cgroup_bpf bpf;
	unsigned char __pad_2184[40];
	struct cgroup *ancestors[0];
	unsigned char __pad_2224[16];
};

struct kernfs_elem_dir {
	unsigned long long __opaque[4];
};

struct kernfs_elem_symlink {
	unsigned long long __opaque[1];
};

struct kernfs_elem_attr {
	unsigned long long __opaque[4];
};

struct kernfs_iattrs;

struct kernfs_node {
	atomic_t count;
	atomic_t active;
	struct kernfs_node *__parent;
	const char *name;
	struct rb_node rb;
	const void *ns;
	unsigned int hash;
	short unsigned int flags;
	umode_t mode;
	union {
		struct kernfs_elem_dir dir;
		struct kernfs_elem_symlink symlink;
		struct kernfs_elem_attr attr;
	};
	u64 id;
	void *priv;
	struct kernfs_iattrs *iattr;
	struct callback_head rcu;
};

struct cgroup_root {
	unsigned char __pad_0[12];
	int hierarchy_id;
	unsigned char __pad_16[48];
	struct cgroup cgrp;
	unsigned char __pad_2304[8];
	atomic_t nr_cgrps;
	unsigned char __pad_2316[4100];
	char name[64];
	unsigned char __pad_6480[48];
};

struct tty_struct;

struct task_io_accounting {
	u64 rchar;
	u64 wchar;
	u64 syscr;
	u64 syscw;
	u64 read_bytes;
	u64 write_bytes;
	u64 cancelled_write_bytes;
};

struct rlimit {
	__kernel_ulong_t rlim_cur;
	__kernel_ulong_t rlim_max;
};

struct signal_struct {
	refcount_t sigcnt;
	atomic_t live;
	int nr_threads;
	struct list_head thread_head;
	unsigned char __pad_32[64];
	int group_exit_code;
	unsigned char __pad_100[16];
	unsigned int flags;
	unsigned char __pad_120[240];
	struct pid *pids[4];
	unsigned char __pad_392[8];
	int leader;
	struct tty_struct *tty;
	unsigned char __pad_416[16];
	u64 utime;
	u64 stime;
	u64 cutime;
	u64 cstime;
	unsigned char __pad_464[40];
	long unsigned int nvcsw;
	long unsigned int nivcsw;
	unsigned char __pad_520[16];
	long unsigned int min_flt;
	long unsigned int maj_flt;
	unsigned char __pad_552[16];
	long unsigned int inblock;
	long unsigned int oublock;
	unsigned char __pad_584[16];
	long unsigned int maxrss;
	unsigned char __pad_608[8];
	struct task_io_accounting ioac;
	unsigned char __pad_672[8];
	struct rlimit rlim[16];
	unsigned char __pad_936[122];
	short int oom_score_adj;
	short int oom_score_adj_min;
	unsigned char __pad_1062[10];
	struct mutex cred_guard_mutex;
	unsigned char __pad_1104[40];
};

struct sighand_struct {
	int: 32;
	refcount_t count;
	unsigned char __pad_8[2072];
};

struct kernel_siginfo {
	unsigned long long __opaque[6];
};

enum pid_type {
	PIDTYPE_PID = 0,
	PIDTYPE_TGID = 1,
	PIDTYPE_PGID = 2,
	PIDTYPE_SID = 3,
	PIDTYPE_MAX = 4,
};

struct pgprot;

typedef struct pgprot pgprot_t;

struct pgprot {
	unsigned long long __opaque[1];
};

struct vm_area_struct {
	union {
		struct {
			long unsigned int vm_start;
			long unsigned int vm_end;
		};
	};
	struct mm_struct *vm_mm;
	pgprot_t vm_page_prot;
	union {
		const vm_flags_t vm_flags;
	};
	unsigned char __pad_40[40];
	long unsigned int vm_pgoff;
	struct file *vm_file;
	void *vm_private_data;
	unsigned char __pad_104[88];
};

typedef struct {
	long unsigned int f;
} memdesc_flags_t;

struct page {
	memdesc_flags_t flags;
	union {
		struct {
			union {
				struct list_head lru;
			};
			struct address_space *mapping;
			unsigned char __pad_735_24[16];
		};
	};
	long long: 32;
	atomic_t _refcount;
	unsigned char __pad_56[8];
};

struct audit_names;

struct filename {
	const char *name;
	const char *uptr;
	atomic_t refcnt;
	struct audit_names *aname;
	const char iname[0];
};

struct linux_binprm {
	struct vm_area_struct *vma;
	long unsigned int vma_pages;
	long unsigned int argmin;
	struct mm_struct *mm;
	long unsigned int p;
	unsigned int have_execfd: 1;
	unsigned int execfd_creds: 1;
	unsigned int secureexec: 1;
	unsigned int point_of_no_return: 1;
	unsigned int comm_from_dentry: 1;
	unsigned int is_check: 1;
	struct file *executable;
	struct file *interpreter;
	struct file *file;
	struct cred *cred;
	int unsafe;
	unsigned int per_clear;
	int argc;
	int envc;
	const char *filename;
	const char *interp;
	const char *fdpath;
	unsigned int interp_flags;
	int execfd;
	long unsigned int exec;
	struct rlimit rlim_stack;
	char buf[256];
};

struct kiocb {
	struct file *ki_filp;
	loff_t ki_pos;
	unsigned char __pad_16[16];
	int ki_flags;
	unsigned char __pad_36[12];
};

struct iovec {
	void *iov_base;
	__kernel_size_t iov_len;
};

struct kvec;

struct bio_vec;

struct folio_queue;

struct xarray;

struct iov_iter {
	u8 iter_type;
	bool nofault;
	bool data_source;
	size_t iov_offset;
	union {
		struct iovec __ubuf_iovec;
		struct {
			union {
				const struct iovec *__iov;
				const struct kvec *kvec;
				const struct bio_vec *bvec;
				const struct folio_queue *folioq;
				struct xarray *xarray;
				void *ubuf;
			};
			size_t count;
		};
	};
	union {
		long unsigned int nr_segs;
		u8 folioq_slot;
		loff_t xarray_start;
	};
};

struct kvec {
	void *iov_base;
	size_t iov_len;
};

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

typedef struct {
	uid_t val;
} vfsuid_t;

typedef struct {
	gid_t val;
} vfsgid_t;

struct iattr {
	unsigned int ia_valid;
	umode_t ia_mode;
	union {
		kuid_t ia_uid;
		vfsuid_t ia_vfsuid;
	};
	union {
		kgid_t ia_gid;
		vfsgid_t ia_vfsgid;
	};
	loff_t ia_size;
	struct timespec64 ia_atime;
	struct timespec64 ia_mtime;
	struct timespec64 ia_ctime;
	struct file *ia_file;
};

struct renamedata {
	struct mnt_idmap *mnt_idmap;
	struct dentry *old_parent;
	struct dentry *old_dentry;
	struct dentry *new_parent;
	struct dentry *new_dentry;
	struct inode **delegated_inode;
	unsigned int flags;
};

enum irqreturn {
	IRQ_NONE = 0,
	IRQ_HANDLED = 1,
	IRQ_WAKE_THREAD = 2,
};

typedef enum irqreturn irqreturn_t;

typedef irqreturn_t (*irq_handler_t)(int, void *);

struct irqaction {
	irq_handler_t handler;
	void *dev_id;
	unsigned char __pad_16[40];
	unsigned int irq;
	unsigned char __pad_60[20];
	const char *name;
	unsigned char __pad_88[40];
};

struct zonelist;

typedef struct {
	long unsigned int bits[16];
} nodemask_t;

struct mem_cgroup;

enum oom_constraint {
	CONSTRAINT_NONE = 0,
	CONSTRAINT_CPUSET = 1,
	CONSTRAINT_MEMORY_POLICY = 2,
	CONSTRAINT_MEMCG = 3,
};

struct oom_control {
	struct zonelist *zonelist;
	nodemask_t *nodemask;
	struct mem_cgroup *memcg;
	const gfp_t gfp_mask;
	const int order;
	long unsigned int totalpages;
	struct task_struct *chosen;
	long int chosen_points;
	enum oom_constraint constraint;
};

struct mem_cgroup_id {
	unsigned int __opaque[2];
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct mem_cgroup_id id;
	unsigned char __pad_216[1960];
};

struct kmem_cache {
	unsigned char __pad_0[32];
	unsigned int size;
	unsigned int object_size;
	unsigned char __pad_40[64];
	const char *name;
	unsigned char __pad_112[8304];
};

struct bpf_ringbuf {
	unsigned char __pad_0[56];
	u64 mask;
	unsigned char __pad_64[4032];
	long unsigned int consumer_pos;
	unsigned char __pad_4104[4088];
	long unsigned int producer_pos;
	unsigned char __pad_8200[4088];
};

struct seq_file {
	char *buf;
	size_t size;
	size_t from;
	size_t count;
	size_t pad_until;
	loff_t index;
	loff_t read_pos;
	unsigned char __pad_56[48];
	const struct file *file;
	void *private;
};

struct kernfs_root {
	struct kernfs_node *kn;
	unsigned char __pad_8[240];
};

struct sock;

typedef unsigned int sk_buff_data_t;

struct skb_ext;

struct sk_buff {
	union {
		struct {
			struct sk_buff *next;
			struct sk_buff *prev;
			union {
				struct net_device *dev;
				long unsigned int dev_scratch;
			};
		};
		struct rb_node rbnode;
		struct list_head list;
		struct llist_node ll_node;
	};
	struct sock *sk;
	union {
		ktime_t tstamp;
		u64 skb_mstamp_ns;
	};
	char cb[48];
	union {
		struct {
			long unsigned int _skb_refdst;
			void (*destructor)(struct sk_buff *);
		};
		struct list_head tcp_tsorted_anchor;
		long unsigned int _sk_redir;
	};
	long unsigned int _nfct;
	unsigned int len;
	unsigned int data_len;
	__u16 mac_len;
	__u16 hdr_len;
	__u16 queue_mapping;
	__u8 __cloned_offset[0];
	__u8 cloned: 1;
	__u8 nohdr: 1;
	__u8 fclone: 2;
	__u8 peeked: 1;
	__u8 head_frag: 1;
	__u8 pfmemalloc: 1;
	__u8 pp_recycle: 1;
	__u8 active_extensions;
	union {
		struct {
			__u8 __pkt_type_offset[0];
			__u8 pkt_type: 3;
			__u8 ignore_df: 1;
			__u8 dst_pending_confirm: 1;
			__u8 ip_summed: 2;
			__u8 ooo_okay: 1;
			__u8 __mono_tc_offset[0];
			__u8 tstamp_type: 2;
			__u8 tc_at_ingress: 1;
			__u8 tc_skip_classify: 1;
			__u8 remcsum_offload: 1;
			__u8 csum_complete_sw: 1;
			__u8 csum_level: 2;
			__u8 inner_protocol_type: 1;
			__u8 l4_hash: 1;
			__u8 sw_hash: 1;
			__u8 no_fcs: 1;
			__u8 encapsulation: 1;
			__u8 encap_hdr_csum: 1;
			__u8 csum_valid: 1;
			__u8 nf_trace: 1;
			__u8 redirected: 1;
			__u8 from_ingress: 1;
			__u8 nf_skip_egress: 1;
			__u8 slow_gro: 1;
			__u8 unreadable: 1;
			__u16 tc_index;
			u16 alloc_cpu;
			union {
				__wsum csum;
				struct {
					__u16 csum_start;
					__u16 csum_offset;
				};
			};
			__u32 priority;
			int skb_iif;
			__u32 hash;
			union {
				u32 vlan_all;
				struct {
					__be16 vlan_proto;
					__u16 vlan_tci;
				};
			};
			union {
				unsigned int napi_id;
				unsigned int sender_cpu;
			};
			__u32 secmark;
			union {
				__u32 mark;
				__u32 reserved_tailroom;
			};
			union {
				__be16 inner_protocol;
				__u8 inner_ipproto;
			};
			__u16 inner_transport_header;
			__u16 inner_network_header;
			__u16 inner_mac_header;
			__be16 protocol;
			__u16 transport_header;
			__u16 network_header;
			__u16 mac_header;
		};
		struct {
			__u8 __pkt_type_offset[0];
			__u8 pkt_type: 3;
			__u8 ignore_df: 1;
			__u8 dst_pending_confirm: 1;
			__u8 ip_summed: 2;
			__u8 ooo_okay: 1;
			__u8 __mono_tc_offset[0];
			__u8 tstamp_type: 2;
			__u8 tc_at_ingress: 1;
			__u8 tc_skip_classify: 1;
			__u8 remcsum_offload: 1;
			__u8 csum_complete_sw: 1;
			__u8 csum_level: 2;
			__u8 inner_protocol_type: 1;
			__u8 l4_hash: 1;
			__u8 sw_hash: 1;
			__u8 no_fcs: 1;
			__u8 encapsulation: 1;
			__u8 encap_hdr_csum: 1;
			__u8 csum_valid: 1;
			__u8 nf_trace: 1;
			__u8 redirected: 1;
			__u8 from_ingress: 1;
			__u8 nf_skip_egress: 1;
			__u8 slow_gro: 1;
			__u8 unreadable: 1;
			__u16 tc_index;
			u16 alloc_cpu;
			union {
				__wsum csum;
				struct {
					__u16 csum_start;
					__u16 csum_offset;
				};
			};
			__u32 priority;
			int skb_iif;
			__u32 hash;
			union {
				u32 vlan_all;
				struct {
					__be16 vlan_proto;
					__u16 vlan_tci;
				};
			};
			union {
				unsigned int napi_id;
				unsigned int sender_cpu;
			};
			__u32 secmark;
			union {
				__u32 mark;
				__u32 reserved_tailroom;
			};
			union {
				__be16 inner_protocol;
				__u8 inner_ipproto;
			};
			__u16 inner_transport_header;
			__u16 inner_network_header;
			__u16 inner_mac_header;
			__be16 protocol;
			__u16 transport_header;
			__u16 network_header;
			__u16 mac_header;
		} headers;
	};
	sk_buff_data_t tail;
	sk_buff_data_t end;
	unsigned char *head;
	unsigned char *data;
	unsigned int truesize;
	refcount_t users;
	struct skb_ext *extensions;
};

typedef __u64 __addrpair;

typedef __u32 __portpair;

struct proto;

struct inet_timewait_death_row;

struct sock_common {
	union {
		__addrpair skc_addrpair;
		struct {
			__be32 skc_daddr;
			__be32 skc_rcv_saddr;
		};
	};
	union {
		unsigned int skc_hash;
		__u16 skc_u16hashes[2];
	};
	union {
		__portpair skc_portpair;
		struct {
			__be16 skc_dport;
			__u16 skc_num;
		};
	};
	short unsigned int skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_reuse: 4;
	unsigned char skc_reuseport: 1;
	unsigned char skc_ipv6only: 1;
	unsigned char skc_net_refcnt: 1;
	int skc_bound_dev_if;
	union {
		struct hlist_node skc_bind_node;
		struct hlist_node skc_portaddr_node;
	};
	struct proto *skc_prot;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	union {
		long unsigned int skc_flags;
		struct sock *skc_listener;
		struct inet_timewait_death_row *skc_tw_dr;
	};
	int skc_dontcopy_begin[0];
	union {
		struct hlist_node skc_node;
		struct hlist_nulls_node skc_nulls_node;
	};
	short unsigned int skc_tx_queue_mapping;
	short unsigned int skc_rx_queue_mapping;
	union {
		int skc_incoming_cpu;
		u32 skc_rcv_wnd;
		u32 skc_tw_rcv_nxt;
	};
	refcount_t skc_refcnt;
	int skc_dontcopy_end[0];
	union {
		u32 skc_rxhash;
		u32 skc_window_clamp;
		u32 skc_tw_snd_nxt;
	};
};

struct sk_buff_list {
	unsigned long long __opaque[2];
};

struct sk_buff_head {
	union {
		struct {
			struct sk_buff *next;
			struct sk_buff *prev;
		};
		struct sk_buff_list list;
	};
	__u32 qlen;
	spinlock_t lock;
};

struct sk_filter;

struct socket;

typedef struct {
	spinlock_t slock;
	int owned;
	wait_queue_head_t wq;
} socket_lock_t;

struct sock_cgroup_data {
	struct cgroup *cgroup;
	u32 classid;
	u16 prioidx;
};

struct sock_reuseport;

struct sock {
	struct sock_common __sk_common;
	atomic_t sk_drops;
	__s32 sk_peek_off;
	struct sk_buff_head sk_error_queue;
	struct sk_buff_head sk_receive_queue;
	struct {
		atomic_t rmem_alloc;
		int len;
		struct sk_buff *head;
		struct sk_buff *tail;
	} sk_backlog;
	unsigned char __pad_216[20];
	unsigned int sk_napi_id;
	long long: 32;
	int sk_rcvbuf;
	struct sk_filter *sk_filter;
	unsigned char __pad_256[8];
	void (*sk_data_ready)(struct sock *);
	long int sk_rcvtimeo;
	int sk_rcvlowat;
	int sk_err;
	struct socket *sk_socket;
	struct mem_cgroup *sk_memcg;
	unsigned char __pad_304[16];
	socket_lock_t sk_lock;
	long long: 32;
	int sk_forward_alloc;
	u32 sk_tsflags;
	int sk_write_pending;
	atomic_t sk_omem_alloc;
	int sk_err_soft;
	int sk_wmem_queued;
	refcount_t sk_wmem_alloc;
	unsigned char __pad_384[16];
	struct sk_buff_head sk_write_queue;
	long long: 32;
	u32 sk_pacing_status;
	unsigned char __pad_432[56];
	long unsigned int sk_pacing_rate;
	unsigned char __pad_496[8];
	long unsigned int sk_max_pacing_rate;
	long int sk_sndtimeo;
	u32 sk_priority;
	u32 sk_mark;
	kuid_t sk_uid;
	u16 sk_protocol;
	u16 sk_type;
	unsigned char __pad_536[16];
	u16 sk_gso_type;
	unsigned char __pad_554[10];
	u32 sk_txhash;
	int sk_sndbuf;
	long long: 24;
	u8 sk_shutdown;
	long unsigned int sk_lingertime;
	unsigned char __pad_584[16];
	u32 sk_ack_backlog;
	u32 sk_max_ack_backlog;
	unsigned char __pad_608[16];
	struct pid *sk_peer_pid;
	const struct cred *sk_peer_cred;
	unsigned char __pad_640[32];
	struct sock_cgroup_data sk_cgrp_data;
	void (*sk_state_change)(struct sock *);
	unsigned char __pad_696[32];
	struct sock_reuseport *sk_reuseport_cb;
	struct bpf_local_storage *sk_bpf_storage;
	unsigned char __pad_744[40];
};

typedef enum {
	SS_FREE = 0,
	SS_UNCONNECTED = 1,
	SS_CONNECTING = 2,
	SS_CONNECTED = 3,
	SS_DISCONNECTING = 4,
} socket_state;

struct proto_ops;

struct socket {
	socket_state state;
	short int type;
	long unsigned int flags;
	struct file *file;
	struct sock *sk;
	const struct proto_ops *ops;
	unsigned char __pad_40[88];
};

struct skb_shared_hwtstamps {
	unsigned long long __opaque[1];
};

struct xsk_tx_metadata_compl {
	unsigned long long __opaque[1];
};

struct skb_frag;

typedef struct skb_frag skb_frag_t;

struct skb_frag {
	unsigned long long __opaque[2];
};

struct skb_shared_info {
	__u8 flags;
	__u8 meta_len;
	__u8 nr_frags;
	__u8 tx_flags;
	short unsigned int gso_size;
	short unsigned int gso_segs;
	struct sk_buff *frag_list;
	union {
		struct skb_shared_hwtstamps hwtstamps;
		struct xsk_tx_metadata_compl xsk_meta;
	};
	unsigned int gso_type;
	u32 tskey;
	atomic_t dataref;
	union {
		struct {
			u32 xdp_frags_size;
			u32 xdp_frags_truesize;
		};
		void *destructor_arg;
	};
	skb_frag_t frags[17];
};

struct ipv6_pinfo;

struct ip_options_rcu;

struct inet_sock {
	struct sock sk;
	struct ipv6_pinfo *pinet6;
	unsigned char __pad_792[8];
	long unsigned int inet_flags;
	__be32 inet_saddr;
	__s16 uc_ttl;
	__be16 inet_sport;
	struct ip_options_rcu *inet_opt;
	atomic_t inet_id;
	__u8 tos;
	__u8 min_ttl;
	__u8 mc_ttl;
	__u8 pmtudisc;
	__u8 rcv_tos;
	long long: 56;
	int mc_index;
	__be32 mc_addr;
	unsigned char __pad_848[168];
};

struct ipv6_pinfo {
	struct in6_addr saddr;
	unsigned char __pad_16[16];
	s16 hop_limit;
	int: 8;
	u8 tclass;
	int: 16;
	u8 mcast_hops;
	unsigned char __pad_39[89];
};

struct request_sock;

struct fastopen_queue {
	unsigned long long __opaque[5];
};

struct request_sock_queue {
	spinlock_t rskq_lock;
	u8 rskq_defer_accept;
	u8 synflood_warned;
	atomic_t qlen;
	atomic_t young;
	struct request_sock *rskq_accept_head;
	struct request_sock *rskq_accept_tail;
	struct fastopen_queue fastopenq;
};

struct inet_bind_bucket;

struct tcp_congestion_ops;

struct inet_connection_sock_af_ops;

struct tcp_ulp_ops;

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct request_sock_queue icsk_accept_queue;
	struct inet_bind_bucket *icsk_bind_hash;
	unsigned char __pad_1096[88];
	__u32 icsk_rto;
	__u32 icsk_rto_min;
	long long: 32;
	__u32 icsk_delack_max;
	__u32 icsk_pmtu_cookie;
	const struct tcp_congestion_ops *icsk_ca_ops;
	const struct inet_connection_sock_af_ops *icsk_af_ops;
	const struct tcp_ulp_ops *icsk_ulp_ops;
	unsigned char __pad_1232[8];
	unsigned int (*icsk_sync_mss)(struct sock *, u32);
	__u8 icsk_ca_state: 5;
	__u8 icsk_ca_initialized: 1;
	__u8 icsk_ca_setsockopt: 1;
	__u8 icsk_ca_dst_locked: 1;
	__u8 icsk_retransmits;
	__u8 icsk_pending;
	__u8 icsk_backoff;
	__u8 icsk_syn_retries;
	__u8 icsk_probes_out;
	__u16 icsk_ext_hdr_len;
	struct {
		__u8 pending;
		__u8 quick;
		__u8 pingpong;
		__u8 retry;
		__u32 ato: 8;
		__u32 lrcv_flowlabel: 20;
		__u32 dst_quick_ack: 1;
		__u32 unused: 3;
		__u32 lrcvtime;
		__u16 last_seg_size;
		__u16 rcv_mss;
	} icsk_ack;
	struct {
		int search_high;
		int search_low;
		u32 probe_size: 31;
		u32 enabled: 1;
		u32 probe_timestamp;
	} icsk_mtup;
	long long: 32;
	u32 icsk_user_timeout;
	u64 icsk_ca_priv[13];
};

struct request_sock {
	struct sock_common __req_common;
	struct request_sock *dl_next;
	u16 mss;
	u8 num_retrans;
	u8 syncookie: 1;
	u8 num_timeout: 7;
	unsigned char __pad_148[52];
	struct sock *sk;
	unsigned char __pad_208[24];
};

struct inet_bind_bucket {
	unsigned char __pad_0[12];
	short unsigned int port;
	unsigned char __pad_14[74];
};

enum tcp_ca_event {
	CA_EVENT_TX_START = 0,
	CA_EVENT_CWND_RESTART = 1,
	CA_EVENT_COMPLETE_CWR = 2,
	CA_EVENT_LOSS = 3,
	CA_EVENT_ECN_NO_CE = 4,
	CA_EVENT_ECN_IS_CE = 5,
};

struct ack_sample;

struct rate_sample;

union tcp_cc_info;

struct module;

struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *);
	void (*cong_avoid)(struct sock *, u32, u32);
	void (*set_state)(struct sock *, u8);
	void (*cwnd_event)(struct sock *, enum tcp_ca_event);
	void (*in_ack_event)(struct sock *, u32);
	void (*pkts_acked)(struct sock *, const struct ack_sample *);
	u32 (*min_tso_segs)(struct sock *);
	void (*cong_control)(struct sock *, u32, int, const struct rate_sample *);
	u32 (*undo_cwnd)(struct sock *);
	u32 (*sndbuf_expand)(struct sock *);
	size_t (*get_info)(struct sock *, u32, int *, union tcp_cc_info *);
	char name[16];
	struct module *owner;
	struct list_head list;
	u32 key;
	u32 flags;
	void (*init)(struct sock *);
	void (*release)(struct sock *);
	long long: 64;
	long long: 64;
	long long: 64;
	long long: 64;
	long long: 64;
};

struct minmax_sample {
	u32 t;
	u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_options_received {
	int ts_recent_stamp;
	u32 ts_recent;
	u32 rcv_tsval;
	u32 rcv_tsecr;
	u16 saw_tstamp: 1;
	u16 tstamp_ok: 1;
	u16 dsack: 1;
	u16 wscale_ok: 1;
	u16 sack_ok: 3;
	u16 smc_ok: 1;
	u16 snd_wscale: 4;
	u16 rcv_wscale: 4;
	u8 accecn: 6;
	u8 saw_unknown: 1;
	u8 unused: 1;
	u8 num_sacks;
	u16 user_mss;
	u16 mss_clamp;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 max_window;
	u32 rcv_ssthresh;
	u32 reordering;
	long long: 32;
	u16 gso_segs;
	unsigned char __pad_1418[14];
	u32 tsoffset;
	u32 snd_wnd;
	u32 mss_cache;
	u32 snd_cwnd;
	u32 prr_out;
	u32 lost_out;
	u32 sacked_out;
	u16 tcp_header_len;
	long long: 8;
	u8 repair: 1;
	u8 tcp_usec_ts: 1;
	u8 is_sack_reneg: 1;
	u8 is_cwnd_limited: 1;
	u8 recvmsg_inq: 1;
	u32 copied_seq;
	u32 snd_wl1;
	long long: 32;
	u32 rttvar_us;
	u32 retrans_out;
	u16 advmss;
	u16 urg_data;
	u32 lost;
	u32 snd_ssthresh;
	struct minmax rtt_min;
	struct rb_root out_of_order_queue;
	unsigned char __pad_1528[8];
	u32 segs_out;
	u32 data_segs_out;
	u64 bytes_sent;
	unsigned char __pad_1552[24];
	u32 write_seq;
	u32 pushed_seq;
	u32 lsndtime;
	u32 mdev_us;
	u32 rtt_seq;
	unsigned char __pad_1596[44];
	u8 ecn_flags;
	__be32 pred_flags;
	unsigned char __pad_1648[8];
	u64 tcp_mstamp;
	u32 rcv_nxt;
	u32 snd_nxt;
	u32 snd_una;
	u32 window_clamp;
	u32 srtt_us;
	u32 packets_out;
	long long: 32;
	u32 delivered;
	u32 delivered_ce;
	unsigned char __pad_1700[20];
	u32 rcv_wnd;
	u32 rcv_tstamp;
	struct tcp_options_received rx_opt;
	u64 bytes_received;
	u32 segs_in;
	u32 data_segs_in;
	u32 rcv_wup;
	unsigned char __pad_1772[52];
	u64 bytes_acked;
	struct {
		u32 rtt_us;
		u32 seq;
		u64 time;
	} rcv_rtt_est;
	struct {
		int space;
		u32 seq;
		u64 time;
	} rcvq_space;
	u32 dsack_dups;
	unsigned char __pad_1868[64];
	u32 snd_cwnd_cnt;
	u32 snd_cwnd_clamp;
	unsigned char __pad_1940[228];
	u32 prior_ssthresh;
	u32 high_seq;
	unsigned char __pad_2176[8];
	int undo_retrans;
	u64 bytes_retrans;
	u32 total_retrans;
	unsigned char __pad_2204[16];
	unsigned int keepalive_time;
	long long: 32;
	int linger2;
	unsigned char __pad_2232[72];
};

struct tcp6_sock {
	struct tcp_sock tcp;
	unsigned char __pad_2304[128];
};

struct tcp_skb_cb {
	__u32 seq;
	__u32 end_seq;
	int: 32;
	__u16 tcp_flags;
	__u8 sacked;
	int: 8;
	int: 32;
	__u32 ack_seq;
	unsigned char __pad_24[24];
};

struct inet_request_sock {
	struct request_sock req;
	u16 snd_wscale: 4;
	u16 rcv_wscale: 4;
	u16 tstamp_ok: 1;
	u16 sack_ok: 1;
	u16 wscale_ok: 1;
	u16 ecn_ok: 1;
	u16 acked: 1;
	u16 no_srccheck: 1;
	u16 smc_ok: 1;
	u32 ir_mark;
	unsigned char __pad_240[16];
};

struct tcp_request_sock {
	struct inet_request_sock req;
	unsigned char __pad_256[24];
	u32 rcv_isn;
	u32 snt_isn;
	u32 ts_off;
	unsigned char __pad_292[8];
	u32 last_oow_ack_time;
	u32 rcv_nxt;
};

struct inet_timewait_sock {
	struct sock_common __tw_common;
	__u32 tw_mark;
	unsigned char tw_substate;
	__be16 tw_sport;
	unsigned char __pad_144[72];
};

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
	u32 tw_rcv_wnd;
	u32 tw_ts_offset;
	unsigned char __pad_224[24];
};

struct udp_sock {
	struct inet_sock inet;
	long unsigned int udp_flags;
	int pending;
	unsigned char __pad_1028[20];
	__u16 len;
	__u16 gso_size;
	unsigned char __pad_1052[292];
};

struct udp6_sock {
	struct udp_sock udp;
	unsigned char __pad_1344[128];
};

struct unix_address;

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct path path;
	unsigned char __pad_808[64];
	struct sock *peer;
	unsigned char __pad_880[16];
	spinlock_t lock;
	unsigned char __pad_900[252];
};

struct unix_address {
	refcount_t refcnt;
	int len;
	struct sockaddr_un name[0];
};

struct raw_sock {
	struct inet_sock inet;
	unsigned char __pad_1016[136];
};

struct dst_ops;

typedef struct {
	atomic_t refcnt;
} rcuref_t;

struct lwtunnel_state;

struct dst_entry {
	union {
		struct net_device *dev;
	};
	struct dst_ops *ops;
	long unsigned int _metrics;
	long unsigned int expires;
	unsigned char __pad_32[24];
	short unsigned int flags;
	short int obsolete;
	long long: 32;
	rcuref_t __rcuref;
	unsigned char __pad_68[60];
	struct lwtunnel_state *lwtstate;
};

struct rtable {
	struct dst_entry dst;
	long long: 32;
	unsigned int rt_flags;
	__u16 rt_type;
	int rt_iif;
	unsigned char __pad_152[24];
};

struct ubuf_info;

struct msghdr {
	void *msg_name;
	int msg_namelen;
	int msg_inq;
	struct iov_iter msg_iter;
	union {
		void *msg_control;
		void *msg_control_user;
	};
	bool msg_control_is_user: 1;
	bool msg_get_inq: 1;
	unsigned int msg_flags;
	__kernel_size_t msg_controllen;
	struct kiocb *msg_iocb;
	struct ubuf_info *msg_ubuf;
	int (*sg_from_iter)(struct sk_buff *, struct iov_iter *, size_t);
};

struct nf_hook_state;

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};

struct nf_hook_state {
	u8 hook;
	u8 pf;
	struct net_device *in;
	struct net_device *out;
	struct sock *sk;
	struct net *net;
	int (*okfn)(struct net *, struct sock *, struct sk_buff *);
};

struct xdp_rxq_info;

struct xdp_txq_info;

struct xdp_buff {
	void *data;
	void *data_end;
	void *data_meta;
	void *data_hard_start;
	struct xdp_rxq_info *rxq;
	struct xdp_txq_info *txq;
	union {
		struct {
			u32 frame_sz;
			u32 flags;
		};
		u64 frame_sz_flags_init;
	};
};

struct xdp_mem_info {
	u32 type;
	u32 id;
};

struct xdp_rxq_info {
	struct net_device *dev;
	u32 queue_index;
	u32 reg_state;
	struct xdp_mem_info mem;
	u32 frag_size;
	unsigned char __pad_28[36];
};

enum xdp_mem_type {
	MEM_TYPE_PAGE_SHARED = 0,
	MEM_TYPE_PAGE_ORDER0 = 1,
	MEM_TYPE_PAGE_POOL = 2,
	MEM_TYPE_XSK_BUFF_POOL = 3,
	MEM_TYPE_MAX = 4,
};

struct xdp_frame {
	void *data;
	u32 len;
	u32 headroom;
	u32 metasize;
	enum xdp_mem_type mem_type: 32;
	struct net_device *dev_rx;
	u32 frame_sz;
	u32 flags;
};

typedef __u32 blk_opf_t;

typedef u8 blk_status_t;

struct bvec_iter {
	sector_t bi_sector;
	unsigned int bi_size;
	unsigned int bi_idx;
	unsigned int bi_bvec_done;
} __attribute__((packed));

struct bio;

typedef void bio_end_io_t(struct bio *);

struct bio {
	struct bio *bi_next;
	struct block_device *bi_bdev;
	blk_opf_t bi_opf;
	short unsigned int bi_flags;
	short unsigned int bi_ioprio;
	long long: 16;
	blk_status_t bi_status;
	long long: 40;
	struct bvec_iter bi_iter;
	bio_end_io_t *bi_end_io;
	void *bi_private;
	unsigned char __pad_72[24];
	short unsigned int bi_vcnt;
	short unsigned int bi_max_vecs;
	struct bio_vec *bi_io_vec;
	unsigned char __pad_112[8];
};

typedef __u32 req_flags_t;

enum mq_rq_state {
	MQ_RQ_IDLE = 0,
	MQ_RQ_IN_FLIGHT = 1,
	MQ_RQ_COMPLETE = 2,
};

struct request {
	struct request_queue *q;
	unsigned char __pad_8[16];
	blk_opf_t cmd_flags;
	req_flags_t rq_flags;
	int tag;
	int internal_tag;
	unsigned int timeout;
	unsigned int __data_len;
	sector_t __sector;
	struct bio *bio;
	struct bio *biotail;
	unsigned char __pad_72[16];
	struct block_device *part;
	unsigned char __pad_96[8];
	u64 start_time_ns;
	u64 io_start_time_ns;
	long long: 32;
	short unsigned int nr_phys_segments;
	enum mq_rq_state state;
	unsigned char __pad_132[108];
	void *end_io_data;
};

struct trace_entry {
	short unsigned int type;
	unsigned char flags;
	unsigned char preempt_count;
	int pid;
};

struct trace_event_raw_sys_enter {
	struct trace_entry ent;
	long int id;
	long unsigned int args[6];
	char __data[0];
};

struct trace_event_raw_sys_exit {
	struct trace_entry ent;
	long int id;
	long int ret;
	char __data[0];
};

struct trace_event_raw_sched_switch {
	struct trace_entry ent;
	char prev_comm[16];
	pid_t prev_pid;
	int prev_prio;
	long int prev_state;
	char next_comm[16];
	pid_t next_pid;
	int next_prio;
	char __data[0];
};

struct trace_event_raw_sched_wakeup_template {
	struct trace_entry ent;
	char comm[16];
	pid_t pid;
	int prio;
	int target_cpu;
	char __data[0];
};

struct trace_event_raw_sched_process_template {
	struct trace_entry ent;
	u32 __data_loc_comm;
	pid_t pid;
	int prio;
	char __data[0];
};

struct trace_event_raw_sched_process_exec {
	struct trace_entry ent;
	u32 __data_loc_filename;
	pid_t pid;
	pid_t old_pid;
	char __data[0];
};

struct trace_event_raw_sched_process_fork {
	struct trace_entry ent;
	u32 __data_loc_parent_comm;
	pid_t parent_pid;
	u32 __data_loc_child_comm;
	pid_t child_pid;
	char __data[0];
};

struct trace_event_raw_sched_process_exit {
	struct trace_entry ent;
	char comm[16];
	pid_t pid;
	int prio;
	bool group_dead;
	char __data[0];
};

struct trace_event_raw_sched_migrate_task {
	struct trace_entry ent;
	u32 __data_loc_comm;
	pid_t pid;
	int prio;
	int orig_cpu;
	int dest_cpu;
	char __data[0];
};

struct trace_event_raw_inet_sock_set_state {
	struct trace_entry ent;
	const void *skaddr;
	int oldstate;
	int newstate;
	__u16 sport;
	__u16 dport;
	__u16 family;
	__u16 protocol;
	__u8 saddr[4];
	__u8 daddr[4];
	__u8 saddr_v6[16];
	__u8 daddr_v6[16];
	char __data[0];
};

struct trace_event_raw_net_dev_template {
	struct trace_entry ent;
	void *skbaddr;
	unsigned int len;
	u32 __data_loc_name;
	char __data[0];
};

struct trace_event_raw_net_dev_xmit {
	struct trace_entry ent;
	void *skbaddr;
	unsigned int len;
	int rc;
	u32 __data_loc_name;
	char __data[0];
};

enum skb_drop_reason {
	SKB_NOT_DROPPED_YET = 0,
	SKB_CONSUMED = 1,
	SKB_DROP_REASON_NOT_SPECIFIED = 2,
	SKB_DROP_REASON_NO_SOCKET = 3,
	SKB_DROP_REASON_SOCKET_CLOSE = 4,
	SKB_DROP_REASON_SOCKET_FILTER = 5,
	SKB_DROP_REASON_SOCKET_RCVBUFF = 6,
	SKB_DROP_REASON_UNIX_DISCONNECT = 7,
	SKB_DROP_REASON_UNIX_SKIP_OOB = 8,
	SKB_DROP_REASON_PKT_TOO_SMALL = 9,
	SKB_DROP_REASON_TCP_CSUM = 10,
	SKB_DROP_REASON_UDP_CSUM = 11,
	SKB_DROP_REASON_NETFILTER_DROP = 12,
	SKB_DROP_REASON_OTHERHOST = 13,
	SKB_DROP_REASON_IP_CSUM = 14,
	SKB_DROP_REASON_IP_INHDR = 15,
	SKB_DROP_REASON_IP_RPFILTER = 16,
	SKB_DROP_REASON_UNICAST_IN_L2_MULTICAST = 17,
	SKB_DROP_REASON_XFRM_POLICY = 18,
	SKB_DROP_REASON_IP_NOPROTO = 19,
	SKB_DROP_REASON_PROTO_MEM = 20,
	SKB_DROP_REASON_TCP_AUTH_HDR = 21,
	SKB_DROP_REASON_TCP_MD5NOTFOUND = 22,
	SKB_DROP_REASON_TCP_MD5UNEXPECTED = 23,
	SKB_DROP_REASON_TCP_MD5FAILURE = 24,
	SKB_DROP_REASON_TCP_AONOTFOUND = 25,
	SKB_DROP_REASON_TCP_AOUNEXPECTED = 26,
	SKB_DROP_REASON_TCP_AOKEYNOTFOUND = 27,
	SKB_DROP_REASON_TCP_AOFAILURE = 28,
	SKB_DROP_REASON_SOCKET_BACKLOG = 29,
	SKB_DROP_REASON_TCP_FLAGS = 30,
	SKB_DROP_REASON_TCP_ABORT_ON_DATA = 31,
	SKB_DROP_REASON_TCP_ZEROWINDOW = 32,
	SKB_DROP_REASON_TCP_OLD_DATA = 33,
	SKB_DROP_REASON_TCP_OVERWINDOW = 34,
	SKB_DROP_REASON_TCP_OFOMERGE = 35,
	SKB_DROP_REASON_TCP_RFC7323_PAWS = 36,
	SKB_DROP_REASON_TCP_RFC7323_PAWS_ACK = 37,
	SKB_DROP_REASON_TCP_RFC7323_TW_PAWS = 38,
	SKB_DROP_REASON_TCP_RFC7323_TSECR = 39,
	SKB_DROP_REASON_TCP_LISTEN_OVERFLOW = 40,
	SKB_DROP_REASON_TCP_OLD_SEQUENCE = 41,
	SKB_DROP_REASON_TCP_INVALID_SEQUENCE = 42,
	SKB_DROP_REASON_TCP_INVALID_END_SEQUENCE = 43,
	SKB_DROP_REASON_TCP_INVALID_ACK_SEQUENCE = 44,
	SKB_DROP_REASON_TCP_RESET = 45,
	SKB_DROP_REASON_TCP_INVALID_SYN = 46,
	SKB_DROP_REASON_TCP_CLOSE = 47,
	SKB_DROP_REASON_TCP_FASTOPEN = 48,
	SKB_DROP_REASON_TCP_OLD_ACK = 49,
	SKB_DROP_REASON_TCP_TOO_OLD_ACK = 50,
	SKB_DROP_REASON_TCP_ACK_UNSENT_DATA = 51,
	SKB_DROP_REASON_TCP_OFO_QUEUE_PRUNE = 52,
	SKB_DROP_REASON_TCP_OFO_DROP = 53,
	SKB_DROP_REASON_IP_OUTNOROUTES = 54,
	SKB_DROP_REASON_BPF_CGROUP_EGRESS = 55,
	SKB_DROP_REASON_IPV6DISABLED = 56,
	SKB_DROP_REASON_NEIGH_CREATEFAIL = 57,
	SKB_DROP_REASON_NEIGH_FAILED = 58,
	SKB_DROP_REASON_NEIGH_QUEUEFULL = 59,
	SKB_DROP_REASON_NEIGH_DEAD = 60,
	SKB_DROP_REASON_NEIGH_HH_FILLFAIL = 61,
	SKB_DROP_REASON_TC_EGRESS = 62,
	SKB_DROP_REASON_SECURITY_HOOK = 63,
	SKB_DROP_REASON_QDISC_DROP = 64,
	SKB_DROP_REASON_QDISC_OVERLIMIT = 65,
	SKB_DROP_REASON_QDISC_CONGESTED = 66,
	SKB_DROP_REASON_CAKE_FLOOD = 67,
	SKB_DROP_REASON_FQ_BAND_LIMIT = 68,
	SKB_DROP_REASON_FQ_HORIZON_LIMIT = 69,
	SKB_DROP_REASON_FQ_FLOW_LIMIT = 70,
	SKB_DROP_REASON_CPU_BACKLOG = 71,
	SKB_DROP_REASON_XDP = 72,
	SKB_DROP_REASON_TC_INGRESS = 73,
	SKB_DROP_REASON_UNHANDLED_PROTO = 74,
	SKB_DROP_REASON_SKB_CSUM = 75,
	SKB_DROP_REASON_SKB_GSO_SEG = 76,
	SKB_DROP_REASON_SKB_UCOPY_FAULT = 77,
	SKB_DROP_REASON_DEV_HDR = 78,
	SKB_DROP_REASON_DEV_READY = 79,
	SKB_DROP_REASON_FULL_RING = 80,
	SKB_DROP_REASON_NOMEM = 81,
	SKB_DROP_REASON_HDR_TRUNC = 82,
	SKB_DROP_REASON_TAP_FILTER = 83,
	SKB_DROP_REASON_TAP_TXFILTER = 84,
	SKB_DROP_REASON_ICMP_CSUM = 85,
	SKB_DROP_REASON_INVALID_PROTO = 86,
	SKB_DROP_REASON_IP_INADDRERRORS = 87,
	SKB_DROP_REASON_IP_INNOROUTES = 88,
	SKB_DROP_REASON_IP_LOCAL_SOURCE = 89,
	SKB_DROP_REASON_IP_INVALID_SOURCE = 90,
	SKB_DROP_REASON_IP_LOCALNET = 91,
	SKB_DROP_REASON_IP_INVALID_DEST = 92,
	SKB_DROP_REASON_PKT_TOO_BIG = 93,
	SKB_DROP_REASON_DUP_FRAG = 94,
	SKB_DROP_REASON_FRAG_REASM_TIMEOUT = 95,
	SKB_DROP_REASON_FRAG_TOO_FAR = 96,
	SKB_DROP_REASON_TCP_MINTTL = 97,
	SKB_DROP_REASON_IPV6_BAD_EXTHDR = 98,
	SKB_DROP_REASON_IPV6_NDISC_FRAG = 99,
	SKB_DROP_REASON_IPV6_NDISC_HOP_LIMIT = 100,
	SKB_DROP_REASON_IPV6_NDISC_BAD_CODE = 101,
	SKB_DROP_REASON_IPV6_NDISC_BAD_OPTIONS = 102,
	SKB_DROP_REASON_IPV6_NDISC_NS_OTHERHOST = 103,
	SKB_DROP_REASON_QUEUE_PURGE = 104,
	SKB_DROP_REASON_TC_COOKIE_ERROR = 105,
	SKB_DROP_REASON_PACKET_SOCK_ERROR = 106,
	SKB_DROP_REASON_TC_CHAIN_NOTFOUND = 107,
	SKB_DROP_REASON_TC_RECLASSIFY_LOOP = 108,
	SKB_DROP_REASON_VXLAN_INVALID_HDR = 109,
	SKB_DROP_REASON_VXLAN_VNI_NOT_FOUND = 110,
	SKB_DROP_REASON_MAC_INVALID_SOURCE = 111,
	SKB_DROP_REASON_VXLAN_ENTRY_EXISTS = 112,
	SKB_DROP_REASON_NO_TX_TARGET = 113,
	SKB_DROP_REASON_IP_TUNNEL_ECN = 114,
	SKB_DROP_REASON_TUNNEL_TXINFO = 115,
	SKB_DROP_REASON_LOCAL_MAC = 116,
	SKB_DROP_REASON_ARP_PVLAN_DISABLE = 117,
	SKB_DROP_REASON_MAC_IEEE_MAC_CONTROL = 118,
	SKB_DROP_REASON_BRIDGE_INGRESS_STP_STATE = 119,
	SKB_DROP_REASON_CAN_RX_INVALID_FRAME = 120,
	SKB_DROP_REASON_CANFD_RX_INVALID_FRAME = 121,
	SKB_DROP_REASON_CANXL_RX_INVALID_FRAME = 122,
	SKB_DROP_REASON_PFMEMALLOC = 123,
	SKB_DROP_REASON_DUALPI2_STEP_DROP = 124,
	SKB_DROP_REASON_PSP_INPUT = 125,
	SKB_DROP_REASON_PSP_OUTPUT = 126,
	SKB_DROP_REASON_RECURSION_LIMIT = 127,
	SKB_DROP_REASON_MAX = 128,
	SKB_DROP_REASON_SUBSYS_MASK = 4294901760,
};

struct trace_event_raw_kfree_skb {
	struct trace_entry ent;
	void *skbaddr;
	void *location;
	void *rx_sk;
	short unsigned int protocol;
	enum skb_drop_reason reason;
	char __data[0];
};

struct trace_event_raw_block_rq {
	struct trace_entry ent;
	dev_t dev;
	sector_t sector;
	unsigned int nr_sector;
	unsigned int bytes;
	short unsigned int ioprio;
	char rwbs[10];
	char comm[16];
	u32 __data_loc_cmd;
	char __data[0];
};

struct trace_event_raw_block_rq_completion {
	struct trace_entry ent;
	dev_t dev;
	sector_t sector;
	unsigned int nr_sector;
	int error;
	short unsigned int ioprio;
	char rwbs[10];
	u32 __data_loc_cmd;
	char __data[0];
};

struct trace_event_raw_signal_generate {
	struct trace_entry ent;
	int sig;
	int errno;
	int code;
	char comm[16];
	pid_t pid;
	int group;
	int result;
	char __data[0];
};

struct trace_event_raw_tcp_event_sk {
	struct trace_entry ent;
	const void *skaddr;
	__u16 sport;
	__u16 dport;
	__u16 family;
	__u8 saddr[4];
	__u8 daddr[4];
	__u8 saddr_v6[16];
	__u8 daddr_v6[16];
	__u64 sock_cookie;
	char __data[0];
};

struct trace_event_raw_irq_handler_entry {
	struct trace_entry ent;
	int irq;
	u32 __data_loc_name;
	char __data[0];
};

struct trace_event_raw_softirq {
	struct trace_entry ent;
	unsigned int vec;
	char __data[0];
};

struct bpf_iter_meta {
	union {
		struct seq_file *seq;
	};
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct task_struct *task;
	};
};

struct bpf_iter__task_file {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct task_struct *task;
	};
	u32 fd;
	union {
		struct file *file;
	};
};

struct bpf_iter__task_vma {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct task_struct *task;
	};
	union {
		struct vm_area_struct *vma;
	};
};

struct bpf_map;

struct bpf_iter__bpf_map {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct bpf_map *map;
	};
};

struct bpf_map {
	unsigned char __pad_0[64];
	enum bpf_map_type map_type;
	u32 key_size;
	u32 value_size;
	u32 max_entries;
	u64 map_extra;
	u32 map_flags;
	u32 id;
	unsigned char __pad_96[40];
	char name[16];
	unsigned char __pad_152[144];
};

struct bpf_iter__bpf_map_elem {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct bpf_map *map;
	};
	union {
		void *key;
	};
	union {
		void *value;
	};
};

struct bpf_iter__bpf_prog {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct bpf_prog *prog;
	};
};

struct bpf_iter__tcp {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct sock_common *sk_common;
	};
	uid_t uid;
};

struct bpf_iter__udp {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct udp_sock *udp_sk;
	};
	uid_t uid;
	long long: 32;
	int bucket;
};

struct bpf_iter__cgroup {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct cgroup *cgroup;
	};
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif
#endif
