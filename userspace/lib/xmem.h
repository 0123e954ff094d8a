/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that is there or the process is not: for daemons, whose state a restart brings back. */
#ifndef VR_XMEM_H
#define VR_XMEM_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *mem_check(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

static inline void *xzalloc(size_t size)
{
	return mem_check(calloc(1, size ? size : 1));
}

static inline void *xcalloc(size_t n, size_t size)
{
	return mem_check(calloc(n ? n : 1, size));
}

static inline char *xstrdup(const char *s)
{
	return s ? mem_check(strdup(s)) : NULL;
}

static inline char *xvasprintf(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	return mem_check(s);
}

__attribute__((format(printf, 1, 2)))
static inline char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

/* Room for one more element at the end of a zeroed-growth array; returns the element, zeroed. */
static inline void *array_push(void *array, size_t *n, size_t size)
{
	void **arr = array;
	char *at;

	/* The capacity is the next power of two: no field for it. */
	if (!(*n & (*n - 1)))
		*arr = mem_check(reallocarray(*arr, *n ? *n * 2 : 1, size));
	at = (char *)*arr + (*n)++ * size;
	memset(at, 0, size);
	return at;
}

static inline void free_charp(char **p)
{
	free(*p);
	*p = NULL;
}

#define cleanup_free __attribute__((cleanup(free_charp)))

/* What was secret does not stay in freed memory. */
static inline void xwipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

#endif
