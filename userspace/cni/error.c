// SPDX-License-Identifier: GPL-2.0-only
/* Errors: filled where the failure is seen. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cni.h"

int cni_fail(struct cni_error *e, int code, const char *fmt, ...)
{
	va_list args;

	e->code = code;
	e->details[0] = '\0';
	va_start(args, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, args);
	va_end(args);
	return -1;
}

int cni_fail_errno(struct cni_error *e, int code, int err, const char *fmt, ...)
{
	va_list args;

	e->code = code;
	snprintf(e->details, sizeof(e->details), "%s", strerror(err));
	va_start(args, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, args);
	va_end(args);
	return -1;
}
