/* Every way to say what a map is. */
#include "defs.h"

struct key { u32 a; u16 b; };
struct value { u64 hits; char name[16]; };
typedef struct key key_t;

struct { __uint(type, MAP_HASH); __type(key, key_t); __type(value, struct value); __uint(max_entries, 100);
	 __uint(map_flags, 1); } typed SEC(".maps");
struct { __uint(type, MAP_ARRAY); __uint(key_size, 4); __uint(value_size, 24); __uint(max_entries, 3); } sized SEC(".maps");
struct { __uint(type, MAP_RINGBUF); __uint(max_entries, 5000); } ring SEC(".maps");
struct { __uint(type, MAP_PERF); __uint(key_size, 4); __uint(value_size, 4); } perf SEC(".maps");
struct { __uint(type, MAP_BLOOM); __type(value, u64); __uint(max_entries, 8); __uint(map_extra, 3); } bloom SEC(".maps");
struct { __uint(type, MAP_HASH); __type(key, u32); __type(value, u32); __uint(max_entries, 1); __uint(map_flags, 4);
	 __uint(numa_node, 0); __uint(pinning, 1); } pinned SEC(".maps");
struct { __uint(type, MAP_QUEUE); __type(value, u32); __uint(max_entries, 4); } queue SEC(".maps");
struct { __uint(type, MAP_DEVMAP); __type(key, u32); __type(value, u32); __uint(max_entries, 2); } ports SEC(".maps");

struct inner { __uint(type, MAP_ARRAY); __type(key, u32); __type(value, u64); __uint(max_entries, 2); };
struct inner one SEC(".maps"), two SEC(".maps");
struct { __uint(type, MAP_ARRAY_OF_MAPS); __type(key, u32); __uint(max_entries, 4); __array(values, struct inner);
} outer SEC(".maps") = { .values = { &two, 0, &one } };
struct { __uint(type, MAP_HASH_OF_MAPS); __type(key, u32); __uint(max_entries, 4); __array(values, struct inner);
} outer_hash SEC(".maps") = { .values = { [2] = &one } };

int first(void *ctx), second(void *ctx);
struct { __uint(type, MAP_PROG_ARRAY); __uint(key_size, 4); __uint(max_entries, 3); __array(values, int(void *));
} jumps SEC(".maps") = { .values = { [1] = (void *)&second } };

SEC("socket") int first(void *ctx)
{
	struct key k = { 1, 2 };
	struct value *v = map_lookup(&typed, &k);
	u32 zero = 0, *p;

	if (v)
		v->hits++;
	p = map_lookup(&sized, &zero);
	if (!p)
		return 0;
	tail_call(ctx, &jumps, 1);
	return *p;
}

SEC("socket") int second(void *ctx)
{
	u32 zero = 0;
	void *map = map_lookup(&outer, &zero);
	u64 *p = map ? map_lookup(map, &zero) : 0;

	return p ? (int)*p : 0;
}
