/* SPDX-License-Identifier: Apache-2.0 */
/* Stable types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <osmia/uapi.h>
#include <linux/types.h>
#ifndef TC_H_MAJ_MASK
#define TC_H_MAJ_MASK 0xFFFF0000U
#endif
#ifndef TC_H_MIN_MASK
#define TC_H_MIN_MASK 0x0000FFFFU
#endif
#ifndef TC_H_MAJ
#define TC_H_MAJ(h) ((h) & TC_H_MAJ_MASK)
#endif
#ifndef TC_H_MIN
#define TC_H_MIN(h) ((h) & TC_H_MIN_MASK)
#endif
#ifndef TC_H_MAKE
#define TC_H_MAKE(maj, min) (((maj) & TC_H_MAJ_MASK) | ((min) & TC_H_MIN_MASK))
#endif
#ifndef TC_H_INGRESS
#define TC_H_INGRESS 0xFFFFFFF1U
#endif
#ifndef TC_H_CLSACT
#define TC_H_CLSACT TC_H_INGRESS
#endif
