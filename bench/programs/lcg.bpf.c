// SPDX-License-Identifier: Apache-2.0
// A linear congruential generator (Knuth's MMIX constants): one chain of multiplications and additions.
#include "bench.h"

#define INNER 20000
#define OUTER 50

__noinline __u64 advance(__u64 x)
{
	NO_UNROLL
	for (__u32 i = 0; i < INNER; i++)
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
	return x;
}

PROGRAM(lcg)
{
	__u64 x = 1;

	NO_UNROLL
	for (__u32 i = 0; i < OUTER; i++)
		x = advance(x);
	return x >> 32;
}
