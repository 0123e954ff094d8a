// SPDX-License-Identifier: GPL-2.0-only
/* Probes of every kind. */

#include <errno.h>

#include "mem.h"
#include "httploop.h"
#include "probe.h"

static const struct {
	int	(*start)(struct probers *ps, struct probe *p);
	void	(*cancel)(struct probe *p);
} kinds[] = {
	[MONITOR_PING] = { icmp_start, icmp_cancel },
	[MONITOR_TCP] = { tcp_start, tcp_cancel },
	[MONITOR_HTTP] = { http_start, http_cancel },
};

int probe_start(struct probers *ps, struct probe *p)
{
	int err;

	p->probers = ps;
	err = kinds[p->spec->type].start(ps, p);
	p->running = err >= 0;
	return err;
}

void probe_cancel(struct probe *p)
{
	if (!p->running)
		return;
	p->running = false;
	kinds[p->spec->type].cancel(p);
}

enum probe_result probe_verdict(int err)
{
	/* Want of memory, descriptors, ports, rights, or of a way there at all. */
	static const int ours[] = { ENOMEM, ENOBUFS, EMFILE, ENFILE, EAGAIN, EADDRNOTAVAIL, EPERM,
				    EACCES, ENETUNREACH, ENETDOWN, EAFNOSUPPORT };
	size_t i;

	for (i = 0; i < VR_ARRAY_SIZE(ours); i++)
		if (err == ours[i])
			return PROBE_VOID;
	return err ? PROBE_BAD : PROBE_GOOD;
}

void probers_free(struct probers *ps)
{
	icmp_free(ps->icmp);
	vr_http_free(ps->http);
	ps->icmp = NULL;
	ps->http = NULL;
}

socklen_t probe_sockaddr(const struct probe *p, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = p->addr.family;
	if (p->addr.family == AF_INET) {
		sin->sin_port = htons(p->port);
		memcpy(&sin->sin_addr, p->addr.b, sizeof(sin->sin_addr));
		return sizeof(*sin);
	}
	sin6->sin6_port = htons(p->port);
	memcpy(&sin6->sin6_addr, p->addr.b, sizeof(sin6->sin6_addr));
	return sizeof(*sin6);
}
