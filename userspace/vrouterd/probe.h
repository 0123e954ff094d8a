/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_PROBE_H
#define VRD_PROBE_H

/*
 * One question to one member, from the node's own network stack. Nothing here
 * blocks, and nothing here knows of time: who asks ends it when it lasts too long.
 */

#include <systemd/sd-event.h>

#include "model.h"

/* What probes share: the loop, one raw socket a family, one set of HTTP transfers. */
struct probers {
	sd_event	*loop;
	struct icmp	*icmp;		/* NULL until the first of its type */
	struct vr_http	*http;
};

enum probe_result {
	PROBE_GOOD, PROBE_BAD,
	PROBE_VOID,	/* this node could not ask: says nothing of the member */
};

struct probe {
	const struct monitor *spec;	/* borrowed, as long as it runs */
	struct vr_addr	addr;
	uint16_t	port;		/* of PING 0 */
	/* Once, from the event loop, never from probe_start(). The probe is over then. */
	void		(*done)(struct probe *p, enum probe_result result, const char *text);

	/* Of the kind of probe. */
	struct probers	*probers;
	bool		running;
	int		fd;
	sd_event_source	*io;
	struct http_probe *http;
	uint16_t	seq;
	struct probe	*next;		/* of PING: those that wait for a reply */
};

/* What comes before "of the kind of probe" is filled in. Negative errno: it did not begin. */
int probe_start(struct probers *ps, struct probe *p);
/* Ends one that may run, without done(). */
void probe_cancel(struct probe *p);
/* No probe runs any more. */
void probers_free(struct probers *ps);

/* What an errno (positive) of a connection says of the member. */
enum probe_result probe_verdict(int err);

/* Its length. */
socklen_t probe_sockaddr(const struct probe *p, struct sockaddr_storage *ss);

/* --- each kind, in its own file --------------------------------------------------- */

int tcp_start(struct probers *ps, struct probe *p);
void tcp_cancel(struct probe *p);

int icmp_start(struct probers *ps, struct probe *p);
void icmp_cancel(struct probe *p);
void icmp_free(struct icmp *icmp);

int http_start(struct probers *ps, struct probe *p);
void http_cancel(struct probe *p);

#endif
