// SPDX-License-Identifier: GPL-2.0-only
/* Interfaces: those with a device here, and the ways to those of other nodes. */

#include <linux/vrouter.h>

#include "mem.h"
#include "plan_priv.h"

/* Where an interface of this node sends, its groups are its vif's: to be asked for by rules, those of other
 * nodes' only have the routes.
 */
static void plan_addr_routes(struct unit *u, const struct vmi *v, const char *label,
			     const char *network, uint32_t nexthop, bool own,
			     const struct plan_env *env, struct ids *ids)
{
	unsigned int i, n_sgs;
	uint32_t vrf, *sgs;

	if (!plan_needs(env, NEED_NETWORK, network))
		return;
	vrf = use_id(u, ids, ID_VRF, network);
	sgs = use_groups(u, v, own ? NULL : env, ids, &n_sgs);
	for (i = 0; i < v->n_addrs; i++) {
		struct vr_route rt = {
			.vrf = vrf, .nexthop = nexthop, .label = mem_strdup(label),
			.prefix.addr = v->addrs[i],
			.prefix.len = v->addrs[i].family == AF_INET ? 32 : 128,
			.sgs = mem_dup(sgs, n_sgs, sizeof(*sgs)), .n_sgs = n_sgs,
		};

		add_planned(u, K_ROUTE, &rt);
	}
	free(sgs);
}

/* In its network, in the one that this is joined with, and in those that are chained with it: there
 * by the instances.
 */
static void plan_routes(struct unit *u, const struct res *r, uint32_t nexthop, bool own,
			const struct plan_env *env, struct ids *ids)
{
	const struct vmi *v = &r->vmi;
	const struct through *th;
	char label[ID_NAME];

	plan_addr_routes(u, v, r->key, v->network, nexthop, own, env, ids);
	if (v->joined)
		plan_addr_routes(u, v, r->key, v->joined, nexthop, own, env, ids);
	for (th = v->through; th < v->through + v->n_through; th++) {
		nexthop = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_ECMP,
				      chain_label(th->chain, th->right, label));
		plan_addr_routes(u, v, r->key, th->network, nexthop, own, env, ids);
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
	vif.sgs = use_groups(u, v, NULL, ids, &vif.n_sgs);
	add_planned(u, K_VIF, &vif);
	add_planned(u, K_NEXTHOP, &nh);
	plan_routes(u, r, nexthop, true, env, ids);
	plan_host_ports(u, r, dev, env, ids);
}

/* Would a route of its own say nothing that the one to its node's block does not? */
static bool is_in_blocks(const struct vmi *v, const struct plan_env *env)
{
	unsigned int i;

	if (v->joined || v->n_through)
		return false;
	if (!plan_needs(env, NEED_NETWORK, v->network))
		return true;
	for (i = 0; i < v->n_sgs; i++)
		if (plan_needs(env, NEED_MEMBERS, v->sgs[i]))
			return false;
	for (i = 0; i < v->n_addrs; i++)
		if (!env->in_block || !env->in_block(env->arg, v, &v->addrs[i]))
			return false;
	return true;
}

/*
 * The tunnel goes by the name of the pod's node. Which groups rules here ask for is known when the feed was heard to
 * the end: until then the kernel keeps what it has.
 */
static void plan_remote(struct unit *u, const struct res *r, const struct plan_env *env,
			struct ids *ids)
{
	char label[ID_NAME];
	uint32_t nexthop;

	if (!env->settled || is_in_blocks(&r->vmi, env) ||
	    (env->known && !env->known(env->arg, r->vmi.node)))
		return;
	snprintf(label, sizeof(label), "Node/%s", r->vmi.node);
	nexthop = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_TUNNEL, label);
	plan_routes(u, r, nexthop, false, env, ids);
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
