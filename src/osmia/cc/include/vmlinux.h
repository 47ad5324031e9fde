/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common kernel types for programs, as CO-RE wants them: what is missing here is in a vmlinux.h made from a whole
 * kernel (`osmia cc --vmlinux FILE.btf`, or your own file before this one on the include path).
 */
#ifndef __VMLINUX_H__
#include <osmia/kernel.h>
#define __VMLINUX_H__
#endif
