/* SPDX-License-Identifier: Apache-2.0 */
/* Macros under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#ifndef __VMLINUX_H__
typedef __builtin_va_list va_list;
#endif
