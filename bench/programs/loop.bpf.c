// SPDX-License-Identifier: Apache-2.0
// bpf_loop with a callback that works on what it is given, 1000 times.
#include "bench.h"

#define TIMES 1000

struct state {
	__u64 sum, last;
};

static long step(__u32 index, void *given)
{
	struct state *state = given;

	state->last = state->last * 31 + index;
	state->sum += state->last >> 7;
	return 0;
}

PROGRAM(loop)
{
	struct state state = {};

	bpf_loop(TIMES, step, &state, 0);
	return state.sum;
}
