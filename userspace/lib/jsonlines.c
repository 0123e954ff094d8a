// SPDX-License-Identifier: GPL-2.0-only
/* Bounded lines from a descriptor. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jsonlines.h"

#define CHUNK	65536UL		/* octets read at once */

void vr_lines_init(struct vr_lines *l, int fd, size_t max)
{
	memset(l, 0, sizeof(*l));
	l->fd = fd;
	l->max = max;
}

void vr_lines_free(struct vr_lines *l)
{
	free(l->buf);
	memset(l, 0, sizeof(*l));
	l->fd = -1;
}

/* At least CHUNK octets after l->end, and one more for a NUL. What waits is
 * less than a line and its line feed, or the caller did not take the lines.
 */
static int make_room(struct vr_lines *l, struct vr_err *e)
{
	size_t need, size = l->size ? l->size : 2 * CHUNK;
	char *buf;

	if (l->start) {
		memmove(l->buf, l->buf + l->start, l->end - l->start);
		l->end -= l->start;
		l->scanned -= l->start;
		l->start = 0;
	}
	need = l->end + CHUNK + 1;
	if (l->size >= need)
		return 0;
	while (size < need)
		size *= 2;
	buf = realloc(l->buf, size);
	if (!buf)
		return vr_err_nomem(e);
	l->buf = buf;
	l->size = size;
	return 0;
}

static int too_long(const struct vr_lines *l, struct vr_err *e)
{
	return vr_err_set(e, E2BIG, "line %lu is longer than %zu octets", l->number + 1, l->max);
}

int vr_lines_read(struct vr_lines *l, struct vr_err *e)
{
	ssize_t n;
	int err;

	if (l->end - l->start > l->max)
		return too_long(l, e);
	err = make_room(l, e);
	if (err)
		return err;

	do
		n = read(l->fd, l->buf + l->end, CHUNK);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return -EAGAIN;
	if (n < 0)
		return vr_err_errno(e, errno, "read");
	l->end += n;
	return n > 0;
}

static int take(struct vr_lines *l, size_t n, char **line, size_t *len, struct vr_err *e)
{
	char *text = l->buf + l->start;

	if (n > l->max)
		return too_long(l, e);
	l->number++;
	if (memchr(text, '\0', n))
		return vr_err_set(e, EBADMSG, "line %lu has a NUL character", l->number);
	text[n] = '\0';		/* over the line feed, or in the room for it */
	*line = text;
	*len = n;
	return 1;
}

int vr_lines_next(struct vr_lines *l, char **line, size_t *len, struct vr_err *e)
{
	char *feed = NULL;
	int err;

	if (l->scanned < l->end)
		feed = memchr(l->buf + l->scanned, '\n', l->end - l->scanned);
	if (!feed) {
		l->scanned = l->end;
		return l->end - l->start > l->max ? too_long(l, e) : 0;
	}
	err = take(l, feed - (l->buf + l->start), line, len, e);
	l->start = l->scanned = feed + 1 - l->buf;
	return err;
}

int vr_lines_rest(struct vr_lines *l, char **line, size_t *len, struct vr_err *e)
{
	int err;

	if (l->start == l->end)
		return 0;
	err = take(l, l->end - l->start, line, len, e);
	l->start = l->scanned = l->end;
	return err;
}
