// SPDX-License-Identifier: Apache-2.0
// A chain of shifts, xors and an addition (Marsaglia's xorshift): integer work with nothing to do in parallel.
// The inner function is global, so that verifiers walk its loop once.
#include "bench.h"

#define INNER 10000
#define OUTER 78

__noinline __u64 spin(__u64 x)
{
	NO_UNROLL
	for (__u32 i = 0; i < INNER; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		x += i;
	}
	return x;
}

PROGRAM(integer_loop)
{
	__u64 x = 88172645463325252ULL;

	NO_UNROLL
	for (__u32 i = 0; i < OUTER; i++)
		x = spin(x);
	return x >> 32;
}
