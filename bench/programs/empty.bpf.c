// SPDX-License-Identifier: Apache-2.0
// Nothing: what is left of a figure is the loop around the program.
#include "bench.h"

PROGRAM(empty)
{
	return XDP_PASS;
}
