/* SPDX-License-Identifier: Apache-2.0 */
/* Macros under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <linux/types.h>
#ifndef SEG6_LOCAL_ACTION_END
#define SEG6_LOCAL_ACTION_END 1
#endif
#ifndef SEG6_LOCAL_ACTION_END_X
#define SEG6_LOCAL_ACTION_END_X 2
#endif
#ifndef SEG6_LOCAL_ACTION_END_T
#define SEG6_LOCAL_ACTION_END_T 3
#endif
#ifndef SEG6_LOCAL_ACTION_END_DT6
#define SEG6_LOCAL_ACTION_END_DT6 7
#endif
#ifndef SEG6_LOCAL_ACTION_END_B6
#define SEG6_LOCAL_ACTION_END_B6 9
#endif
#ifndef SEG6_LOCAL_ACTION_END_B6_ENCAP
#define SEG6_LOCAL_ACTION_END_B6_ENCAP 10
#endif
