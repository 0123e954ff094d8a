/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_MEM_H
#define VRD_MEM_H

/*
 * Memory that never is NULL. vrouterd without memory can do nothing better
 * than to end and be started again: the data path goes on meanwhile, and
 * nothing is held that the kernel, the state directory and the feed do not have.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *mem_check(void *p)
{
	if (!p) {
		fputs("vrouterd: out of memory\n", stderr);
		abort();
	}
	return p;
}

static inline void *mem_zero(size_t n, size_t size)
{
	return mem_check(calloc(n ? n : 1, size));
}

static inline char *mem_strdup(const char *s)
{
	return s ? mem_check(strdup(s)) : NULL;
}

static inline void *mem_dup(const void *p, size_t n, size_t size)
{
	return n ? memcpy(mem_zero(n, size), p, n * size) : NULL;
}

/* Room for one more at list[n]; doubles when n is a power of two. */
static inline void *mem_grow(void *list, size_t n, size_t size)
{
	if (n & (n - 1))
		return list;
	return mem_check(reallocarray(list, n ? n * 2 : 1, size));
}

#endif
