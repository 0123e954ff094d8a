/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_JSONLINES_H
#define VR_JSONLINES_H

/*
 * Lines from a descriptor, blocking or not, each of at most so many octets:
 *
 *	while ((n = vr_lines_read(&l, &e)) > 0)
 *		while ((n = vr_lines_next(&l, &line, &len, &e)) > 0)
 *			use(line, len);
 */

#include "err.h"

struct vr_lines {
	int	fd;		/* borrowed */
	size_t	max;		/* octets of a line, without its line feed */
	char	*buf;
	size_t	size, start, end, scanned;
	unsigned long number;	/* of the line that vr_lines_next() gave last, from 1 */
};

void vr_lines_init(struct vr_lines *l, int fd, size_t max);
void vr_lines_free(struct vr_lines *l);

/* Reads once. 1: something came; 0: end of file; -EAGAIN: not now (no error is
 * set); other negative errno. Take all complete lines before reading again.
 */
int vr_lines_read(struct vr_lines *l, struct vr_err *e);
/* 1: a line, without its line feed and terminated by NUL, until the next call
 * of either function; 0: no complete line; -E2BIG: one is too long, -EBADMSG:
 * one has a NUL in it. After an error the lines cannot be used any more.
 */
int vr_lines_next(struct vr_lines *l, char **line, size_t *len, struct vr_err *e);
/* After the end of file: what came after the last line feed, as vr_lines_next(). */
int vr_lines_rest(struct vr_lines *l, char **line, size_t *len, struct vr_err *e);

#endif
