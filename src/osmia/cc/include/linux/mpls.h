/* SPDX-License-Identifier: Apache-2.0 */
/* Macros under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <linux/types.h>
#ifndef MPLS_LS_LABEL_MASK
#define MPLS_LS_LABEL_MASK 0xFFFFF000
#endif
#ifndef MPLS_LS_LABEL_SHIFT
#define MPLS_LS_LABEL_SHIFT 12
#endif
#ifndef MPLS_LS_S_MASK
#define MPLS_LS_S_MASK 0x00000100
#endif
#ifndef MPLS_LS_TTL_MASK
#define MPLS_LS_TTL_MASK 0x000000FF
#endif
