/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_PLAN_H
#define VRD_PLAN_H

/*
 * What the kernel is to have for one resource: a function of the resource, of
 * the device that its interface has here (if any) and of the ids. Resources
 * name each other, and names have ids whether or not they exist, so no
 * resource's plan depends on another resource.
 *
 *   VirtualNetwork           vrf; blackhole route for each service subnet, so that
 *                            an address that is no VIP goes nowhere
 *   SecurityGroup            sg
 *   VirtualMachineInterface  with a device here: vif, local nexthop, a host route
 *                            for each address that carries the groups. One without
 *                            (on another node, or not attached yet) has none: its
 *                            addresses have no route
 *   LoadBalancerPool         ecmp nexthop
 *   LoadBalancer             vip for each address and listener
 */

#include "ids.h"
#include "kobj.h"
#include "model.h"

struct unit {
	unsigned int	n_objs, n_ids;
	const struct kobj **objs;		/* holds a reference to each */
	struct { enum id_space space; uint32_t id; } *ids;	/* holds each */
};

/* What the interface has on this node. */
struct device {
	uint32_t	ifindex;
	const char	*name;
};

/* dev: NULL = none. */
void plan(struct unit *u, const struct res *r, const struct device *dev, struct ids *ids);
void unit_clear(struct unit *u, struct ids *ids);

/* The name that an object of the kernel's goes by in ids; its space in *space.
 * NULL for objects without id, and for those of no kind that is planned.
 */
#define ID_NAME	384
const char *plan_id_name(const struct kobj *o, enum id_space *space, char buf[ID_NAME]);

#endif
