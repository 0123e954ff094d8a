/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_ERR_H
#define VR_ERR_H

/*
 * Errors travel as an object: an errno value and a sentence, set where the
 * failure is seen, given context on the way up, printed once at the top.
 *
 * A function that takes a struct vr_err returns 0 (or more) or a negative
 * errno, and has set the object in the latter case. NULL may be given for it
 * by who wants the number only.
 */

#include <stddef.h>

#define VR_ERR_TEXT 1024

struct vr_err {
	int	code;			/* errno value, positive; 0 = no error */
	char	text[VR_ERR_TEXT];	/* a sentence without full stop and line feed */
};

/* Each returns -code. */
int vr_err_set(struct vr_err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The sentence ends with what the code means: "open /x: No such file or directory". */
int vr_err_errno(struct vr_err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "context: " before the sentence that is there. */
int vr_err_wrap(struct vr_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* -ENOMEM */
int vr_err_nomem(struct vr_err *e);

#endif
