/* The few definitions that the programs here need, so that they compile with any clang and no headers. */
#pragma once
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;
typedef _Bool bool;

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int (*name)[value]
#define __type(name, type) typeof(type) *name
#define __array(name, type) typeof(type) *name[]
#define __ulong(name, value) enum { __unique_##name = value } name
#define __noinline __attribute__((noinline))
#define __weak __attribute__((weak))
#define __hidden __attribute__((visibility("hidden")))
#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))
#define __core __attribute__((preserve_access_index))

enum libbpf_tristate { TRI_NO = 0, TRI_YES = 1, TRI_MODULE = 2 };

enum { MAP_HASH = 1, MAP_ARRAY = 2, MAP_PROG_ARRAY = 3, MAP_PERF = 4, MAP_ARRAY_OF_MAPS = 12, MAP_HASH_OF_MAPS = 13,
       MAP_DEVMAP = 14, MAP_QUEUE = 22, MAP_RINGBUF = 27, MAP_TASK_STORAGE = 29, MAP_BLOOM = 30 };

static void *(*map_lookup)(void *map, const void *key) = (void *)1;
static long (*map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static u64 (*ktime)(void) = (void *)5;
static long (*tail_call)(void *ctx, void *map, u32 index) = (void *)12;
static long (*for_each)(void *map, void *callback, void *ctx, u64 flags) = (void *)164;

char LICENSE[] SEC("license") = "GPL";
