/* Maps as they were written before BTF: struct bpf_map_def in a section "maps". */
#include "defs.h"

struct bpf_map_def { u32 type, key_size, value_size, max_entries, map_flags; };
struct bpf_map_def SEC("maps") packets = { .type = MAP_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 256 };
struct bpf_map_def SEC("maps") flows = { MAP_HASH, 16, 32, 1024, 1 };

SEC("socket") int count(void *ctx)
{
	u32 key = 6;
	u64 *value = map_lookup(&packets, &key);

	if (value)
		__sync_fetch_and_add(value, 1);
	return 0;
}
