/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_HOSTDEV_H
#define VRD_HOSTDEV_H

/*
 * The node's own interface in the virtual network: a link of kind "vrouter", with a route to
 * the network's subnets and services, and the tunnels' share of the underlay's MTU.
 */

#include <net/if.h>

#include "plan.h"

/* Who made a route (ip route: "proto 155"): no number of rtnetlink.h or of a routing daemon. */
#define PROTO_VROUTER	155

struct hostdev {
	char		name[IF_NAMESIZE];	/* "" = none wanted, or none to be had */
	struct device	dev;			/* ifindex 0: there is none */
	bool		stale;			/* hostdev_update() is to be called */
	struct vr_addr	addr;			/* that it was given; family 0 = none */
	unsigned int	mtu;			/* largest IP packet between nodes, octets; 0 = unknown */
};

/* Makes the link if it is not there. A kernel module without it: told, and gone without. */
void hostdev_open(struct hostdev *h, const char *name);
void hostdev_close(struct hostdev *h);		/* leaves link and routes */
/* MTU, and when h->stale addresses and routes, by what is known now; what fails is told and
 * tried again with the next call.
 */
void hostdev_update(struct hostdev *h, const struct router *node, const struct network *net,
		    const struct plan_env *env);

#endif
