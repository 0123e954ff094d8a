// SPDX-License-Identifier: GPL-2.0-only
/* The CNI plugin's socket: connections, time limits, replies. */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl.h"
#include "dlog.h"
#include "jsonlines.h"
#include "mem.h"

#define MAX_REQUEST	(64 << 10)	/* octets */
#define MAX_CLIENTS	256
#define REQUEST_TIME	10000000	/* microseconds until a request must be there */

struct client {
	struct client	*next;
	struct ctl	*ctl;
	int		fd;
	sd_event_source	*io, *timer;
	struct vr_lines	lines;
	bool		waiting;	/* the request is there, the reply is not */
	struct pod_request rq;
	char		*out;		/* the reply, as far as it is not sent */
	size_t		sent, len;
};

struct ctl {
	sd_event		*loop;
	sd_event_source		*io;
	int			fd;
	char			*path;
	const struct ctl_ops	*ops;
	void			*arg;
	struct client		*clients;
	unsigned int		n_clients;
};

/* It is in the list no more. */
static void client_end(struct client *c)
{
	c->ctl->n_clients--;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->timer);
	close(c->fd);
	if (c->rq.json)
		pod_request_clear(&c->rq);
	free(c->out);
	vr_lines_free(&c->lines);
	free(c);
}

static void client_free(struct client *c)
{
	struct client **p = &c->ctl->clients;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	client_end(c);
}

/* False while more is to go; a client that is gone gets nothing. */
static bool send_out(struct client *c)
{
	ssize_t n;

	while (c->sent < c->len) {
		n = send(c->fd, c->out + c->sent, c->len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0) {
			log_warn("CNI: a reply was not taken: %s", strerror(errno));
			return true;
		}
		c->sent += n;
	}
	return true;
}

/* What does not fit the socket's buffer goes as it is read, for as long as a request may take. */
static void reply(struct client *c, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	if (text) {
		c->len = strlen(text) + 1;
		c->out = mem_check(realloc(text, c->len + 1));
		strcpy(c->out + c->len - 1, "\n");
	}
	c->waiting = false;
	if (send_out(c)) {
		client_free(c);
		return;
	}
	sd_event_source_set_io_events(c->io, EPOLLOUT);
	sd_event_source_set_time_relative(c->timer, REQUEST_TIME);
	sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

static void serve(struct client *c, bool last)
{
	json_t *o = c->ctl->ops->serve(c->ctl->arg, &c->rq, last);

	if (o)
		reply(c, o);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct client *c = arg;

	(void)s;
	(void)usec;
	if (c->out)
		client_free(c);
	else if (c->waiting)
		serve(c, true);
	else
		reply(c, pod_error(POD_ERR_IO, "no request within 10 seconds", NULL));
	return 0;
}

static void begin(struct client *c, const char *line, size_t len)
{
	uint64_t now;
	char why[512];

	if (!pod_request_parse(&c->rq, line, len, why, sizeof(why))) {
		log_warn("CNI: request refused: %s", why);
		reply(c, pod_error(POD_ERR_DECODE, why, NULL));
		return;
	}
	c->waiting = true;
	sd_event_now(c->ctl->loop, CLOCK_MONOTONIC, &now);
	sd_event_source_set_time(c->timer, now + c->rq.timeout * 1000000ULL);
	sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
	serve(c, false);
}

/* The request has been read: only the end of the connection can come. */
static int on_more(struct client *c)
{
	char rest;
	ssize_t n;

	n = recv(c->fd, &rest, 1, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	c->ctl->ops->abandoned(c->ctl->arg, &c->rq);
	client_free(c);
	return 0;
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct client *c = arg;
	struct vr_err e = {};
	size_t len;
	char *line;
	int n;

	(void)s;
	(void)fd;
	(void)events;
	if (c->out) {
		if (send_out(c))
			client_free(c);
		return 0;
	}
	if (c->waiting)
		return on_more(c);
	n = vr_lines_read(&c->lines, &e);
	if (n == -EAGAIN)
		return 0;
	if (n <= 0) {
		client_free(c);
		return 0;
	}
	n = vr_lines_next(&c->lines, &line, &len, &e);
	if (n > 0)
		begin(c, line, len);
	else if (n < 0)
		reply(c, pod_error(POD_ERR_DECODE, e.text, NULL));
	return 0;
}

/* Root, or who vrouterd runs as: the socket's mode says so, this makes sure. */
static bool allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	if (!peer.uid || peer.uid == geteuid())
		return true;
	log_warn("CNI: process %d of uid %u refused", peer.pid, peer.uid);
	return false;
}

static int on_connection(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct ctl *ctl = arg;
	struct client *c;
	int peer;

	(void)s;
	(void)events;
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (peer < 0)
		return 0;
	if (!allowed(peer) || ctl->n_clients == MAX_CLIENTS) {
		close(peer);
		return 0;
	}
	c = mem_zero(1, sizeof(*c));
	c->ctl = ctl;
	c->fd = peer;
	vr_lines_init(&c->lines, peer, MAX_REQUEST);
	c->next = ctl->clients;
	ctl->clients = c;
	ctl->n_clients++;
	if (sd_event_add_io(ctl->loop, &c->io, peer, EPOLLIN, on_readable, c) < 0 ||
	    sd_event_add_time_relative(ctl->loop, &c->timer, CLOCK_MONOTONIC, REQUEST_TIME, 1000,
				       on_timer, c) < 0)
		client_free(c);
	return 0;
}

void ctl_poll(struct ctl *ctl)
{
	struct client *c, *next;

	for (c = ctl->clients; c; c = next) {
		next = c->next;
		if (c->waiting)
			serve(c, false);
	}
}

static int listen_at(struct ctl *ctl)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask;
	int err;

	if (strlen(ctl->path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, ctl->path);
	ctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ctl->fd < 0)
		return -errno;
	if (unlink(ctl->path) && errno != ENOENT)
		return -errno;
	mask = umask(0177);
	err = bind(ctl->fd, (struct sockaddr *)&sun, sizeof(sun)) ? -errno : 0;
	umask(mask);
	if (!err && listen(ctl->fd, SOMAXCONN))
		err = -errno;
	return err ? err : sd_event_add_io(ctl->loop, &ctl->io, ctl->fd, EPOLLIN, on_connection,
					   ctl);
}

int ctl_new(struct ctl **out, sd_event *loop, const char *path, const struct ctl_ops *ops,
	    void *arg)
{
	struct ctl *ctl = mem_zero(1, sizeof(*ctl));
	int err;

	ctl->loop = loop;
	ctl->fd = -1;
	ctl->path = mem_strdup(path);
	ctl->ops = ops;
	ctl->arg = arg;
	err = listen_at(ctl);
	if (err < 0) {
		if (ctl->fd >= 0)
			close(ctl->fd);
		free(ctl->path);
		free(ctl);
		return err;
	}
	*out = ctl;
	return 0;
}

void ctl_free(struct ctl *ctl)
{
	struct client *c, *next;

	if (!ctl)
		return;
	for (c = ctl->clients; c; c = next) {
		next = c->next;
		client_end(c);
	}
	sd_event_source_disable_unref(ctl->io);
	close(ctl->fd);
	unlink(ctl->path);
	free(ctl->path);
	free(ctl);
}
