// SPDX-License-Identifier: GPL-2.0-only
/* A TCP connection: made and ended at once. */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mem.h"
#include "probe.h"

void tcp_cancel(struct probe *p)
{
	p->io = sd_event_source_disable_unref(p->io);
	close(p->fd);
	p->fd = -1;
}

static int on_connect(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct probe *p = arg;
	socklen_t len = sizeof(int);
	int err = 0;

	(void)s;
	(void)events;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = errno;
	probe_cancel(p);
	p->done(p, probe_verdict(err), err ? strerror(err) : "connected");
	return 0;
}

int tcp_start(struct probers *ps, struct probe *p)
{
	/* Ended with a reset: a thousand probes leave no TIME_WAIT behind. */
	const struct linger linger = { .l_onoff = 1 };
	struct sockaddr_storage ss;
	socklen_t len;
	int err = 0;

	p->fd = socket(p->addr.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		return -errno;
	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	len = probe_sockaddr(p, &ss);
	if (connect(p->fd, (struct sockaddr *)&ss, len) && errno != EINPROGRESS)
		err = -errno;
	if (!err)
		err = sd_event_add_io(ps->loop, &p->io, p->fd, EPOLLOUT, on_connect, p);
	if (err < 0) {
		close(p->fd);
		p->fd = -1;
	}
	return err;
}
