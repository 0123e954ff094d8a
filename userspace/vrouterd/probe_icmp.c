// SPDX-License-Identifier: GPL-2.0-only
/* ICMP echo (RFC 792, RFC 4443 section 4): one raw socket a family for all probes. */

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "mem.h"
#include "probe.h"

#define BURST	64		/* replies taken in one turn */

struct echo {
	uint8_t		type, code;
	uint16_t	sum, id, seq;	/* network byte order */
	uint8_t		cookie[8];
};

struct icmp {
	sd_event	*loop;
	struct side {
		struct icmp	*icmp;
		int		family, fd;	/* -1: not opened */
		sd_event_source	*io;
	} v4, v6;
	uint16_t	id, seq;
	uint8_t		cookie[8];	/* replies to others' echoes do not have it */
	struct probe	*waiting;
};

/* RFC 1071 */
static uint16_t checksum(const void *data, size_t len)
{
	const uint16_t *w = data;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *w++;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void unlink_probe(struct icmp *icmp, struct probe *p)
{
	struct probe **at = &icmp->waiting;

	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
	p->next = NULL;
}

void icmp_cancel(struct probe *p)
{
	unlink_probe(p->probers->icmp, p);
}

/* The probe that a reply answers, or NULL. */
static struct probe *find_probe(const struct icmp *icmp, const struct echo *e,
				const struct vr_addr *from)
{
	struct probe *p;

	if (e->id != icmp->id || memcmp(e->cookie, icmp->cookie, sizeof(e->cookie)))
		return NULL;
	for (p = icmp->waiting; p; p = p->next)
		if (p->seq == ntohs(e->seq) && !vr_addr_compare(&p->addr, from))
			return p;
	return NULL;
}

static void take_reply(struct side *side, const uint8_t *data, size_t len,
		       const struct sockaddr_storage *ss)
{
	struct vr_addr from = { .family = ss->ss_family };
	struct probe *p;
	struct echo e;
	size_t skip = 0;

	if (side->family == AF_INET) {
		memcpy(from.b, &((const struct sockaddr_in *)ss)->sin_addr, 4);
		/* An IPv4 raw socket gives the IP header, too. */
		skip = len ? (data[0] & 0xf) * 4 : 0;
	} else {
		memcpy(from.b, &((const struct sockaddr_in6 *)ss)->sin6_addr, 16);
	}
	if (len < skip + sizeof(e))
		return;
	memcpy(&e, data + skip, sizeof(e));
	if (e.type != (side->family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY))
		return;
	p = find_probe(side->icmp, &e, &from);
	if (!p)
		return;
	probe_cancel(p);
	p->done(p, PROBE_GOOD, "answered");
}

static int on_reply(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct sockaddr_storage ss;
	struct side *side = arg;
	uint8_t buf[256];
	socklen_t len;
	unsigned int i;
	ssize_t n;

	(void)s;
	(void)events;
	for (i = 0; i < BURST; i++) {
		len = sizeof(ss);
		n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&ss, &len);
		if (n < 0)
			break;
		take_reply(side, buf, n, &ss);
	}
	return 0;
}

/* Only replies are to wake us, not all that the node gets. */
static int filter(const struct side *side)
{
	struct icmp6_filter filter6;
	struct icmp_filter filter4 = { .data = ~(1u << ICMP_ECHOREPLY) };

	if (side->family == AF_INET)
		return setsockopt(side->fd, SOL_RAW, ICMP_FILTER, &filter4, sizeof(filter4));
	ICMP6_FILTER_SETBLOCKALL(&filter6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter6);
	return setsockopt(side->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter6, sizeof(filter6));
}

static int open_side(struct side *side)
{
	int proto = side->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6, err;

	if (side->fd >= 0)
		return 0;
	side->fd = socket(side->family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);
	if (side->fd < 0)
		return -errno;
	err = filter(side) ? -errno : sd_event_add_io(side->icmp->loop, &side->io, side->fd,
						      EPOLLIN, on_reply, side);
	if (err < 0) {
		close(side->fd);
		side->fd = -1;
	}
	return err;
}

static struct icmp *icmp_new(sd_event *loop)
{
	struct icmp *icmp = mem_zero(1, sizeof(*icmp));

	icmp->loop = loop;
	icmp->v4 = (struct side){ .icmp = icmp, .family = AF_INET, .fd = -1 };
	icmp->v6 = (struct side){ .icmp = icmp, .family = AF_INET6, .fd = -1 };
	/* Nothing secret: it only tells our echoes from those of a ping(8). */
	if (getrandom(icmp->cookie, sizeof(icmp->cookie), GRND_NONBLOCK) < 0)
		memcpy(icmp->cookie, &icmp, sizeof(icmp));
	memcpy(&icmp->id, icmp->cookie, sizeof(icmp->id));
	return icmp;
}

int icmp_start(struct probers *ps, struct probe *p)
{
	struct sockaddr_storage ss;
	struct echo e = {};
	struct side *side;
	socklen_t len;
	int err;

	if (!ps->icmp)
		ps->icmp = icmp_new(ps->loop);
	side = p->addr.family == AF_INET ? &ps->icmp->v4 : &ps->icmp->v6;
	err = open_side(side);
	if (err < 0)
		return err;
	p->seq = ++ps->icmp->seq;
	e.type = side->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	e.id = ps->icmp->id;
	e.seq = htons(p->seq);
	memcpy(e.cookie, ps->icmp->cookie, sizeof(e.cookie));
	if (side->family == AF_INET)
		e.sum = checksum(&e, sizeof(e));
	len = probe_sockaddr(p, &ss);
	if (sendto(side->fd, &e, sizeof(e), MSG_DONTWAIT, (struct sockaddr *)&ss, len) < 0)
		return -errno;
	p->next = ps->icmp->waiting;
	ps->icmp->waiting = p;
	return 0;
}

static void close_side(struct side *side)
{
	sd_event_source_disable_unref(side->io);
	if (side->fd >= 0)
		close(side->fd);
}

void icmp_free(struct icmp *icmp)
{
	if (!icmp)
		return;
	close_side(&icmp->v4);
	close_side(&icmp->v6);
	free(icmp);
}
