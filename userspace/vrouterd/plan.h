/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_PLAN_H
#define VRD_PLAN_H

/*
 * What the kernel is to have for one resource: a function of the resource, of
 * the device that its interface has here (if any) and of the ids. Resources
 * name each other, and names have ids whether or not they exist, so no
 * resource's plan depends on another resource; but what leads to another node does on
 * whether that is known, and a chain's on which instances are attached, as the kernel takes
 * no route or member that leads nowhere; and a pool's on its shards.
 *
 *   VirtualNetwork           one that this node is in: vrf; blackhole route for each service
 *                            subnet, so that an address that is no VIP goes nowhere; the vif where
 *                            tunnels end
 *   SecurityGroup            sg; of none of this node's interfaces, but asked for by rules: one
 *                            without rules; neither: nothing
 *   VirtualRouter            of this node: vif of the host's device, local nexthop, and of
 *                            another: tunnel nexthop; a host route for each address, and
 *                            routes to the other's blocks in networks that this node is in
 *   ServiceChain             two ecmp nexthops: its instances' left interfaces, and the right
 *                            ones; those of another node are that node's tunnel nexthop
 *   VirtualMachineInterface  with a device here: vif, local nexthop, a host route
 *                            for each address that carries the groups. On another node:
 *                            the routes, to that node's tunnel, in networks that this node is in, but
 *                            where the node's block leads there as well and no rule here asks for the groups.
 *                            One that is not attached yet has none. The same routes in networks that are chained with
 *                            its own, to the instances. For each host port and family an ecmp
 *                            nexthop with the pod as its member, and vips at the node's addresses
 *   LoadBalancerPool         ecmp nexthop, and one for clients from outside, with the members of its shards;
 *                            a shard: nothing
 *   LoadBalancer             vip for each address and listener; in the VRF of what is
 *                            outside, too, for external addresses and node ports; sg that
 *                            says whom the load balancer's addresses serve
 *
 * What is outside enters by a vif and a VRF of its own, from which only the members of
 * external services lead on, so that nobody out there reaches anything else.
 */

#include "ids.h"
#include "kobj.h"
#include "model.h"

struct unit {
	unsigned int	n_objs, n_ids;
	const struct kobj **objs;		/* holds a reference to each */
	struct { enum id_space space; uint32_t id; } *ids;	/* holds each */
};

struct host_port;

/* What the interface has on this node. */
struct device {
	uint32_t	ifindex;
	const char	*name;
	unsigned int	n_ports;
	const struct host_port *ports;	/* of the node, that lead to it */
};

/* What a node may have use for, or not. */
enum need {
	NEED_NETWORK,	/* a VirtualNetwork that the node, one of its pods or a service is in */
	NEED_GROUP,	/* a SecurityGroup that one of its interfaces is in */
	NEED_MEMBERS,	/* to know who is in a SecurityGroup: a rule of the former asks for it */
	NEEDS
};

/* What this node is, and how it reaches others. */
struct plan_env {
	const char	*node;
	char		*zone;		/* NULL = unknown */
	bool		tunnels;
	uint8_t		encap;		/* VROUTER_TUNNEL_ENCAP_* */
	uint8_t		family;		/* of the underlay, AF_*; 0 = as the two nodes of a tunnel agree */
	uint8_t		primary;	/* of this node's addresses; 0 = unknown */
	struct vr_addr	local[2];	/* this node's in the underlay, IPv4 and IPv6; family 0 = unknown */
	/* Has the interface a device here? Is the node one that a tunnel leads to? NULL: yes. */
	bool		(*attached)(void *arg, const char *vmi);
	bool		(*known)(void *arg, const char *node);
	/* Has this node use for the VirtualNetwork or SecurityGroup? NULL: yes. */
	bool		(*needed)(void *arg, enum need need, const char *key);
	/* Is the address reached by a block of the interface's own node? NULL: no. */
	bool		(*in_block)(void *arg, const struct vmi *v, const struct vr_addr *addr);
	/* See model_whole_pool(). NULL: pools have no shards. */
	void		(*whole_pool)(void *arg, const struct res *r, struct pool *whole);
	void		*arg;
	bool		settled;	/* the feed was heard to the end: what is not needed is not */
	bool		external;	/* services are reached from outside, and pods get there */
};

/* dev: NULL = none; of this node's VirtualRouter the host's device. */
void plan(struct unit *u, const struct res *r, const struct device *dev,
	  const struct plan_env *env, struct ids *ids);
void unit_clear(struct unit *u, struct ids *ids);

/* The name that an object of the kernel's goes by in ids; its space in *space.
 * NULL for objects without id, and for those of no kind that is planned.
 */
#define ID_NAME	384
const char *plan_id_name(const struct kobj *o, enum id_space *space, char buf[ID_NAME]);

#endif
