// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ports of this node that lead to a pod of it. Unlike a service's node ports they are this
 * node's alone, so vips inside are at its own addresses, and not at every node's.
 */

#include <linux/vrouter.h>

#include "hostport.h"
#include "mem.h"
#include "plan_priv.h"

/* The pod by an address of the family, as the one member; nexthop 0: by the VRF's routes. */
static uint32_t plan_member(struct unit *u, const struct res *r, const struct host_port *p,
			    const struct vr_addr *pod, uint32_t nexthop, struct ids *ids)
{
	char label[ID_NAME];
	struct vr_nexthop nh = {
		.type = VROUTER_NEXTHOP_TYPE_ECMP, .members = mem_zero(1, sizeof(*nh.members)),
		.n_members = 1,
	};
	uint32_t id;

	/* two ports of a pod with names of the longest differ in what is behind them */
	snprintf(label, sizeof(label), "%.280s@hostport:%u/%s%s%s", r->key, p->port,
		 host_port_proto(p->proto), pod->family == AF_INET6 ? ".ipv6" : "", nexthop ? ".external" : "");
	nh.id = id = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_ECMP, label);
	nh.label = mem_strdup(label);
	nh.members[0] = (struct vr_member){
		.addr = *pod, .port = p->target, .nexthop = nexthop, .weight = 1,
		.state = VROUTER_MEMBER_STATE_ACTIVE, .label = label_dup(r->key),
	};
	add_planned(u, K_NEXTHOP, &nh);
	return id;
}

static void plan_vip(struct unit *u, const struct res *r, const struct host_port *p,
		     const struct vr_addr *addr, uint32_t vrf, uint32_t nexthop)
{
	char label[ID_NAME];
	struct vr_vip vip = {
		.vrf = vrf, .addr = *addr, .proto = p->proto, .port = p->port, .nexthop = nexthop,
	};

	snprintf(label, sizeof(label), "%.280s@hostport:%u", r->key, p->port);
	vip.label = label_dup(label);
	add_planned(u, K_VIP, &vip);
}

static void plan_port(struct unit *u, const struct res *r, const struct host_port *p,
		      const struct vr_addr *pod, const struct plan_env *env, struct ids *ids)
{
	const struct vr_addr any = { .family = pod->family };
	const struct vr_addr *node = &env->local[pod->family == AF_INET6];
	const struct vr_addr *at = host_port_serves(p, &any) ? NULL : &p->addr;
	uint32_t vrf = use_id(u, ids, ID_VRF, r->vmi.network), inside;

	if (at || node->family)
		plan_vip(u, r, p, at ?: node, vrf, plan_member(u, r, p, pod, 0, ids));
	if (!env->external)
		return;
	inside = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_VRF, r->vmi.network);
	plan_vip(u, r, p, at ?: &any, use_id(u, ids, ID_VRF, EXTERNAL),
		 plan_member(u, r, p, pod, inside, ids));
}

void plan_host_ports(struct unit *u, const struct res *r, const struct device *dev,
		     const struct plan_env *env, struct ids *ids)
{
	const struct host_port *p;
	bool seen[2] = {};
	unsigned int i;

	for (i = 0; i < r->vmi.n_addrs; i++) {
		const struct vr_addr *pod = &r->vmi.addrs[i];
		bool v6 = pod->family == AF_INET6;

		for (p = dev->ports; !seen[v6] && p < dev->ports + dev->n_ports; p++)
			if (!p->addr.family || p->addr.family == pod->family)
				plan_port(u, r, p, pod, env, ids);
		seen[v6] = true;
	}
}
