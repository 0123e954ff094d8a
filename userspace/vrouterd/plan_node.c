// SPDX-License-Identifier: GPL-2.0-only
/* Nodes: this one and its ways out, the tunnels to the others. */

#include <linux/vrouter.h>

#include "mem.h"
#include "plan_priv.h"

/* By which another node is reached; NULL = it is not. */
static const struct vr_addr *underlay_addr(const struct router *router, uint8_t family)
{
	unsigned int i;

	for (i = 0; i < router->n_addrs; i++)
		if (!family || router->addrs[i].family == family)
			return &router->addrs[i];
	return NULL;
}

/* The family of two nodes' tunnel has to be the same on both: the primary one of the node whose
 * name comes first, if both have it. 0 = any of the other's.
 */
static uint8_t underlay_family(const struct res *r, const struct plan_env *env)
{
	const struct vr_addr *theirs = underlay_addr(&r->router, 0);
	bool first = strcmp(env->node, r->key + strlen("Node/")) < 0;
	uint8_t family;

	if (env->family || !env->primary || !theirs)
		return env->family;
	family = first ? env->primary : theirs->family;
	if (underlay_addr(&r->router, family) && env->local[family == AF_INET6].family)
		return family;
	return family == AF_INET ? AF_INET6 : AF_INET;
}

static void plan_addrs(struct unit *u, const struct res *r, uint32_t vrf, uint32_t nexthop)
{
	unsigned int i;

	for (i = 0; i < r->router.n_addrs; i++) {
		struct vr_route rt = {
			.vrf = vrf, .nexthop = nexthop, .label = mem_strdup(r->key),
			.prefix.addr = r->router.addrs[i],
			.prefix.len = r->router.addrs[i].family == AF_INET ? 32 : 128,
			.node = true,
		};

		add_planned(u, K_ROUTE, &rt);
	}
}

static void plan_this_node(struct unit *u, const struct res *r, const struct device *dev,
			   struct ids *ids)
{
	struct vr_vif vif = {
		.id = use_vif(u, ids, VROUTER_VIF_TYPE_HOST, r->key),
		.label = mem_strdup(r->key), .type = VROUTER_VIF_TYPE_HOST,
		.ifindex = dev->ifindex, .vrf = use_id(u, ids, ID_VRF, r->router.network),
	};
	struct vr_nexthop nh = {
		.id = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_LOCAL, r->key),
		.label = mem_strdup(r->key), .type = VROUTER_NEXTHOP_TYPE_LOCAL, .vif = vif.id,
	};
	uint32_t vrf = vif.vrf, nexthop = nh.id;

	snprintf(vif.ifname, sizeof(vif.ifname), "%s", dev->name);
	add_planned(u, K_VIF, &vif);
	add_planned(u, K_NEXTHOP, &nh);
	plan_addrs(u, r, vrf, nexthop);
}

/* Where its pods are, all of a block at once. Those that rules here ask for have routes of their own, which
 * say who they are; so not before it is known which these are.
 */
static void plan_blocks(struct unit *u, const struct res *r, uint32_t nexthop,
			const struct plan_env *env, struct ids *ids)
{
	const struct block *b;

	if (!env->settled)
		return;
	for (b = r->router.blocks; b < r->router.blocks + r->router.n_blocks; b++) {
		struct vr_route rt = { .nexthop = nexthop, .prefix = b->prefix };

		if (!plan_needs(env, NEED_NETWORK, b->network))
			continue;
		rt.vrf = use_id(u, ids, ID_VRF, b->network);
		rt.label = mem_strdup(r->key);
		add_planned(u, K_ROUTE, &rt);
	}
}

static void plan_other_node(struct unit *u, const struct res *r, const struct plan_env *env,
			    struct ids *ids)
{
	const struct vr_addr *remote = underlay_addr(&r->router, underlay_family(r, env));
	struct vr_nexthop nh = {
		.type = VROUTER_NEXTHOP_TYPE_TUNNEL, .has_encap = true, .encap = env->encap,
	};
	uint32_t nexthop;

	if (!remote)
		return;
	nexthop = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_TUNNEL, r->key);
	nh.id = nexthop;
	nh.label = mem_strdup(r->key);
	nh.remote = *remote;
	/* others know this node by it */
	nh.local = env->local[remote->family == AF_INET6];
	add_planned(u, K_NEXTHOP, &nh);
	plan_addrs(u, r, use_id(u, ids, ID_VRF, r->router.network), nexthop);
	plan_blocks(u, r, nexthop, env, ids);
}

/* Where packets to the outside go: from the node's addresses, or as they are. Networks have
 * routes there, see plan_egress.c.
 */
static void plan_ways_out(struct unit *u, const struct router *router, uint32_t vif,
			  struct ids *ids)
{
	struct vr_nexthop snat = {
		.id = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_SNAT, EXTERNAL),
		.label = mem_strdup(EXTERNAL), .type = VROUTER_NEXTHOP_TYPE_SNAT, .vif = vif,
		.snat_addrs = mem_dup(router->addrs, router->n_addrs, sizeof(*router->addrs)),
		.n_snat_addrs = router->n_addrs,
	};
	struct vr_nexthop plain = {
		.id = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_LOCAL, EXTERNAL),
		.label = mem_strdup(EXTERNAL), .type = VROUTER_NEXTHOP_TYPE_LOCAL, .vif = vif,
	};

	if (router->n_addrs)
		add_planned(u, K_NEXTHOP, &snat);
	else
		vr_obj_free(&vr_type_nexthop, &snat);
	add_planned(u, K_NEXTHOP, &plain);
}

static void plan_outside(struct unit *u, const struct res *r, struct ids *ids)
{
	const struct router *router = &r->router;
	struct vr_vrf v = {
		.id = use_id(u, ids, ID_VRF, EXTERNAL), .label = mem_strdup(EXTERNAL),
	};
	struct vr_vif vif = {
		.id = use_vif(u, ids, VROUTER_VIF_TYPE_EXTERNAL, EXTERNAL),
		.label = mem_strdup(EXTERNAL), .type = VROUTER_VIF_TYPE_EXTERNAL, .vrf = v.id,
		.addrs = mem_dup(router->addrs, router->n_addrs, sizeof(*router->addrs)),
		.n_addrs = router->n_addrs,
	};
	uint32_t id = vif.id;

	add_planned(u, K_VRF, &v);
	add_planned(u, K_VIF, &vif);
	plan_ways_out(u, router, id, ids);
}

void plan_router(struct unit *u, const struct res *r, const struct device *dev,
		 const struct plan_env *env, struct ids *ids)
{
	if (strcmp(r->key + strlen("Node/"), env->node)) {
		if (env->tunnels)
			plan_other_node(u, r, env, ids);
		return;
	}
	if (dev)
		plan_this_node(u, r, dev, ids);
	if (env->external)
		plan_outside(u, r, ids);
}
