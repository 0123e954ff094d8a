/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_HEALTHPORT_H
#define VRD_HEALTHPORT_H

/*
 * What load balancers out there ask this node, over HTTP:
 *
 *   a service's healthCheckNodePort   has the node ready members of its own? 200 or 503
 *   --healthz                         does the node serve services at all, and will it go on to?
 *   /livez there                      the same of a node that is about to leave
 *   /metrics there                    for Prometheus
 *
 * Members are counted when somebody asks, from what the feed said last.
 */

#include <netinet/in.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "model.h"

/* How the daemon is; read with each request. */
struct healthport_state {
	bool	synced;		/* the feed was heard to the end once */
	bool	programmed;	/* the kernel has what is planned */
	bool	leaving;	/* the node or its resource was deleted, or is about to be */
	time_t	updated;	/* when programmed was last seen true; 0 = never */
};

struct healthport;

/* Answers given, by whether they were 200. */
struct healthport_counts {
	unsigned long long healthz[2], livez[2];
};

/* All metrics, to be freed by the caller. */
typedef char *(*healthport_metrics_fn)(void *arg, const struct healthport_counts *counts);

/* model, node and state are borrowed. Negative errno. */
int healthport_new(struct healthport **h, sd_event *loop, const struct model *model, const char *node,
	       const struct healthport_state *state);
void healthport_free(struct healthport *h);

/* The service answers on this port, of all the node's addresses; 0: on none. */
void healthport_service(struct healthport *h, const char *service, uint16_t port);
/* The node's own health on this address. */
void healthport_node(struct healthport *h, const struct sockaddr_in6 *addr,
		     healthport_metrics_fn metrics, void *arg);
/* Members of the service that are on this node and take new flows. */
unsigned int healthport_members(const struct model *model, const char *node, const char *service);

#endif
