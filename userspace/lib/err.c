// SPDX-License-Identifier: GPL-2.0-only
/* Errors as objects. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

int vr_err_set(struct vr_err *e, int code, const char *fmt, ...)
{
	va_list args;

	if (!e)
		return -code;
	e->code = code;
	va_start(args, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	return -code;
}

int vr_err_errno(struct vr_err *e, int code, const char *fmt, ...)
{
	va_list args;
	size_t len;

	if (!e)
		return -code;
	e->code = code;
	va_start(args, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	len = strlen(e->text);
	snprintf(e->text + len, sizeof(e->text) - len, ": %s", strerror(code));
	return -code;
}

int vr_err_wrap(struct vr_err *e, const char *fmt, ...)
{
	char context[VR_ERR_TEXT / 2], text[VR_ERR_TEXT];
	va_list args;

	if (!e)
		return 0;
	va_start(args, fmt);
	vsnprintf(context, sizeof(context), fmt, args);
	va_end(args);
	snprintf(text, sizeof(text), "%s", e->text);
	/* What does not fit is cut off at the end. */
	snprintf(e->text, sizeof(e->text), "%s: %.*s", context,
		 (int)(sizeof(text) - strlen(context) - 3), text);
	return -e->code;
}

int vr_err_nomem(struct vr_err *e)
{
	return vr_err_set(e, ENOMEM, "out of memory");
}
