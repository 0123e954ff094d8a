/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_XMEM_H
#define VR_XMEM_H

/* Memory that is there or the process is not: for daemons, whose state a restart brings back. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *vr_xcheck(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

static inline void *vr_xzalloc(size_t size)
{
	return vr_xcheck(calloc(1, size));
}

static inline char *vr_xstrdup(const char *s)
{
	return s ? vr_xcheck(strdup(s)) : NULL;
}

__attribute__((format(printf, 1, 2)))
static inline char *vr_xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return vr_xcheck(n < 0 ? NULL : s);
}

/* What was secret does not stay in freed memory. */
static inline void vr_xwipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

#endif
