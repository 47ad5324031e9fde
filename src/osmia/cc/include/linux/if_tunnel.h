/* SPDX-License-Identifier: Apache-2.0 */
/* Stable types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <osmia/uapi.h>
#include <linux/types.h>
#ifndef GRE_CSUM
#define GRE_CSUM 0x8000
#endif
#ifndef GRE_KEY
#define GRE_KEY 0x2000
#endif
#ifndef GRE_SEQ
#define GRE_SEQ 0x1000
#endif
