// SPDX-License-Identifier: Apache-2.0
// The sieve of Eratosthenes over the packet's first bytes; answers the number of primes below SIZE.
// A few times over, each time from a clean slate.
#include "bench.h"

#define SIZE 3072
#define ROOT 56
#define ROUNDS 4

struct area {
	__u8 composite[SIZE];
};

__noinline int strike(struct area *area, __u32 step)
{
	__u64 stride = step;

	if (!area || stride < 2)
		return 0;
	KEEP_APART(stride); // or the compiler makes one comparison of both, and verifiers know no bounds
	if (stride >= ROOT)
		return 0;
	NO_UNROLL
	for (__u64 i = stride * stride; i < SIZE; i += stride)
		area->composite[i] = 1;
	return 0;
}

__noinline int count(struct area *area)
{
	int found = 0;

	if (!area)
		return 0;
	NO_UNROLL
	for (__u32 i = 2; i < SIZE; i++)
		found += !area->composite[i];
	return found;
}

__noinline int clear(struct area *area)
{
	if (!area)
		return 0;
	NO_UNROLL
	for (__u32 i = 0; i < SIZE; i += sizeof(__u64))
		*(volatile __u64 *)(area->composite + i) = 0; // plain, it would become a memset
	return 0;
}

PROGRAM(sieve)
{
	struct area *area = DATA;
	int found = 0;

	if ((void *)(area + 1) > END)
		return -1;
	NO_UNROLL
	for (__u32 round = 0; round < ROUNDS; round++) {
		clear(area);
		NO_UNROLL
		for (__u32 step = 2; step < ROOT; step++)
			if (!area->composite[step])
				strike(area, step);
		found += count(area);
	}
	return found;
}
