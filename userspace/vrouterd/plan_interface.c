// SPDX-License-Identifier: GPL-2.0-only
/* Interfaces: those with a device here, and the ways to those of other nodes. */

#include <linux/vrouter.h>

#include "mem.h"
#include "plan_priv.h"

static void plan_addr_routes(struct unit *u, const struct res *r, const char *network,
			     uint32_t nexthop, const struct plan_env *env, struct ids *ids)
{
	const struct vmi *v = &r->vmi;
	unsigned int i;
	uint32_t vrf;

	if (!plan_needs(env, RES_NETWORK, network))
		return;
	vrf = use_id(u, ids, ID_VRF, network);
	for (i = 0; i < v->n_addrs; i++) {
		struct vr_route rt = {
			.vrf = vrf, .nexthop = nexthop, .label = mem_strdup(r->key),
			.prefix.addr = v->addrs[i],
			.prefix.len = v->addrs[i].family == AF_INET ? 32 : 128,
		};

		rt.sgs = use_groups(u, v, ids, &rt.n_sgs);
		add_planned(u, K_ROUTE, &rt);
	}
}

/* In its network, in the one that this is joined with, and in those that are chained with it: there
 * by the instances.
 */
static void plan_vmi_routes(struct unit *u, const struct res *r, uint32_t nexthop,
			    const struct plan_env *env, struct ids *ids)
{
	const struct vmi *v = &r->vmi;
	const struct through *th;
	char label[ID_NAME];

	plan_addr_routes(u, r, v->network, nexthop, env, ids);
	if (v->joined)
		plan_addr_routes(u, r, v->joined, nexthop, env, ids);
	for (th = v->through; th < v->through + v->n_through; th++) {
		nexthop = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_ECMP,
				      chain_label(th->chain, th->right, label));
		plan_addr_routes(u, r, th->network, nexthop, env, ids);
	}
}

static void plan_own(struct unit *u, const struct res *r, const struct device *dev,
		     const struct plan_env *env, struct ids *ids)
{
	uint32_t nexthop = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_LOCAL, r->key);
	const struct vmi *v = &r->vmi;
	struct vr_vif vif = {
		.id = use_vif(u, ids, VROUTER_VIF_TYPE_VETH, r->key), .label = mem_strdup(r->key),
		.ifindex = dev->ifindex, .vrf = use_id(u, ids, ID_VRF, v->network),
		.addrs = mem_dup(v->addrs, v->n_addrs, sizeof(*v->addrs)),
		.n_addrs = v->n_addrs,
	};
	struct vr_nexthop nh = {
		.id = nexthop, .label = mem_strdup(r->key),
		.type = VROUTER_NEXTHOP_TYPE_LOCAL, .vif = vif.id,
	};

	snprintf(vif.ifname, sizeof(vif.ifname), "%s", dev->name);
	memcpy(vif.mac, v->mac, sizeof(vif.mac));
	vif.sgs = use_groups(u, v, ids, &vif.n_sgs);
	add_planned(u, K_VIF, &vif);
	add_planned(u, K_NEXTHOP, &nh);
	plan_vmi_routes(u, r, nexthop, env, ids);
	plan_host_ports(u, r, dev, env, ids);
}

/* The tunnel goes by the name of the pod's node. */
static void plan_remote(struct unit *u, const struct res *r, const struct plan_env *env,
			    struct ids *ids)
{
	char label[ID_NAME];
	uint32_t nexthop;

	if (env->known && !env->known(env->arg, r->vmi.node))
		return;
	snprintf(label, sizeof(label), "Node/%s", r->vmi.node);
	nexthop = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_TUNNEL, label);
	plan_vmi_routes(u, r, nexthop, env, ids);
}

static bool is_elsewhere(const struct vmi *v, const struct plan_env *env)
{
	return v->node && strcmp(v->node, env->node);
}

void plan_interface(struct unit *u, const struct res *r, const struct device *dev,
		    const struct plan_env *env, struct ids *ids)
{
	if (dev)
		plan_own(u, r, dev, env, ids);
	else if (env->tunnels && is_elsewhere(&r->vmi, env))
		plan_remote(u, r, env, ids);
}
