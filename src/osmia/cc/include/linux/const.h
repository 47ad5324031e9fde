/* SPDX-License-Identifier: Apache-2.0 */
/* Macros under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#ifndef _AC
#define _AC(x, y) x##y
#endif
#ifndef _UL
#define _UL(x) (x##UL)
#endif
#ifndef _ULL
#define _ULL(x) (x##ULL)
#endif
#ifndef _BITUL
#define _BITUL(x) (1UL << (x))
#endif
#ifndef _BITULL
#define _BITULL(x) (1ULL << (x))
#endif
