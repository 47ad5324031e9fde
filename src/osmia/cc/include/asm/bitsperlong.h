/* SPDX-License-Identifier: Apache-2.0 */
/* Macros under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#ifndef __BITS_PER_LONG
#define __BITS_PER_LONG 64
#endif
