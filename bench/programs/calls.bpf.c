// SPDX-License-Identifier: Apache-2.0
// Functions that call functions, five deep, over and over.
#include "bench.h"

#define TIMES 140

static __noinline __u64 fifth(__u64 x)
{
	return x + 5;
}

static __noinline __u64 fourth(__u64 x)
{
	return fifth(x ^ 4) * 3;
}

static __noinline __u64 third(__u64 x)
{
	return fourth(x + 3) ^ x;
}

static __noinline __u64 second(__u64 x)
{
	return third(x * 5) + 2;
}

static __noinline __u64 first(__u64 x)
{
	return second(x ^ 1) - x;
}

PROGRAM(calls)
{
	__u64 x = 0;

	NO_UNROLL
	for (__u32 i = 0; i < TIMES; i++)
		x = first(x + i);
	return x;
}
