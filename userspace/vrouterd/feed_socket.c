// SPDX-License-Identifier: GPL-2.0-only
/* The connection to a manager on this machine. */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backoff.h"
#include "feed.h"
#include "jsonlines.h"
#include "dlog.h"
#include "mem.h"

struct feed_socket {
	struct feed		base;
	sd_event		*loop;
	sd_event_source		*io, *timer;
	struct sockaddr_un	addr;
	int			fd;
	bool			up;
	bool			told;	/* that it does not connect */
	struct backoff		backoff;
	struct vr_lines		lines;
	char			*out;	/* the line that is being sent, with its end */
	size_t			sent, len;
	char			*next;	/* and the one after it, without */
};

static void retry_later(struct feed_socket *f)
{
	uint64_t now, wait = backoff_next(&f->backoff);

	sd_event_now(f->loop, CLOCK_MONOTONIC, &now);
	sd_event_source_set_time(f->timer, now + wait);
	sd_event_source_set_enabled(f->timer, SD_EVENT_ONESHOT);
}

static void forget_out(struct feed_socket *f)
{
	free(f->out);
	free(f->next);
	f->out = f->next = NULL;
}

static void disconnect(struct feed_socket *f, const char *why)
{
	f->io = sd_event_source_disable_unref(f->io);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	vr_lines_free(&f->lines);
	forget_out(f);
	if (f->up) {
		log_warn("feed %s: %s; what is programmed stays, connecting again",
			 f->addr.sun_path, why);
		f->up = false;
		f->base.ops->down(f->base.arg);
	} else if (!f->told) {
		log_warn("feed %s: %s; trying again until it is there", f->addr.sun_path, why);
		f->told = true;
	}
	retry_later(f);
}

/* The lines that are complete. False with the reason to hang up. */
static bool take_lines(struct feed_socket *f, char *why, size_t size)
{
	struct vr_err e = {};
	size_t len;
	char *line;
	int n;

	while ((n = vr_lines_next(&f->lines, &line, &len, &e)) > 0)
		if (!feed_line(f->base.ops, f->base.arg, f->lines.number, line, len, why, size))
			return false;
	if (n < 0)
		snprintf(why, size, "after line %lu: %s", f->lines.number, e.text);
	return !n;
}

/* As much as goes now. False: the connection is gone. */
static bool flush(struct feed_socket *f)
{
	ssize_t n;

	while (f->out || f->next) {
		if (!f->out) {
			f->len = strlen(f->next);
			f->out = mem_check(realloc(f->next, f->len + 1));
			f->next = NULL;
			f->out[f->len++] = '\n';	/* in the place of the NUL */
			f->sent = 0;
		}
		n = send(f->fd, f->out + f->sent, f->len - f->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			disconnect(f, strerror(errno));
			return false;
		}
		f->sent += n;
		if (f->sent == f->len) {
			free(f->out);
			f->out = NULL;
		}
	}
	sd_event_source_set_io_events(f->io, EPOLLIN | (f->out ? EPOLLOUT : 0));
	return true;
}

static void tell(struct feed *feed, char *line)
{
	struct feed_socket *f = (struct feed_socket *)feed;

	free(f->next);
	f->next = line;
	if (f->up)
		flush(f);
	else
		forget_out(f);
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct vr_err e = {};
	struct feed_socket *f = arg;
	char why[1152];
	int n;

	(void)s;
	(void)fd;
	if ((events & EPOLLOUT) && !flush(f))
		return 0;
	if (!(events & ~EPOLLOUT))
		return 0;
	n = vr_lines_read(&f->lines, &e);
	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		disconnect(f, e.text);
	else if (!n)
		disconnect(f, "the manager closed the connection");
	else if (!take_lines(f, why, sizeof(why)))
		disconnect(f, why);
	return 0;
}

static int try_connect(struct feed_socket *f)
{
	int err;

	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->fd < 0 || connect(f->fd, (struct sockaddr *)&f->addr, sizeof(f->addr)))
		return -errno;
	vr_lines_init(&f->lines, f->fd, FEED_MAX_LINE);
	err = sd_event_add_io(f->loop, &f->io, f->fd, EPOLLIN, on_readable, f);
	if (err < 0)
		return err;
	/* Behind what keeps pods waiting. */
	return sd_event_source_set_priority(f->io, SD_EVENT_PRIORITY_IDLE);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct feed_socket *f = arg;
	int err;

	(void)s;
	(void)usec;
	err = try_connect(f);
	if (err < 0) {
		disconnect(f, strerror(-err));
		return 0;
	}
	log_info("feed %s: connected", f->addr.sun_path);
	f->up = true;
	f->told = false;
	f->base.ops->up(f->base.arg);
	return 0;
}

static void healthy(struct feed *feed)
{
	backoff_reset(&((struct feed_socket *)feed)->backoff);
}

static void end(struct feed *feed)
{
	struct feed_socket *f = (struct feed_socket *)feed;

	sd_event_source_disable_unref(f->io);
	sd_event_source_disable_unref(f->timer);
	if (f->fd >= 0)
		close(f->fd);
	vr_lines_free(&f->lines);
	forget_out(f);
	free(f);
}

int feed_socket_new(struct feed **feed, sd_event *loop, const char *path,
		    const struct feed_ops *ops, void *arg)
{
	static const struct feed_type type = { .healthy = healthy, .tell = tell, .end = end };
	struct feed_socket *f = mem_zero(1, sizeof(*f));
	int err;

	f->base = (struct feed){ &type, ops, arg };
	f->loop = loop;
	f->fd = -1;
	f->backoff = (struct backoff){ .min = 200000, .max = 30000000 };
	f->addr.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(f->addr.sun_path)) {
		free(f);
		return -ENAMETOOLONG;
	}
	strcpy(f->addr.sun_path, path);
	err = sd_event_add_time_relative(loop, &f->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, f);
	if (err < 0) {
		free(f);
		return err;
	}
	*feed = &f->base;
	return 0;
}
