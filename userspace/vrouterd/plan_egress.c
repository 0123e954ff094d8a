// SPDX-License-Identifier: GPL-2.0-only
/* How a network's pods get outside, and are reached from there. */

#include <linux/vrouter.h>

#include "mem.h"
#include "plan_priv.h"

/* Takes nothing over. */
static void add_route(struct unit *u, uint32_t vrf, const struct vr_prefix *p, uint32_t nexthop,
		      const char *label)
{
	struct vr_route rt = {
		.vrf = vrf, .prefix = *p, .nexthop = nexthop, .label = mem_strdup(label),
	};

	add_planned(u, K_ROUTE, &rt);
}

static bool is_mine(const struct network *n, const char *node)
{
	unsigned int i;

	for (i = 0; i < n->n_nodes; i++)
		if (!strcmp(n->nodes[i], node))
			return true;
	return !n->n_nodes;
}

static bool has_family(const struct network *n, uint8_t family)
{
	unsigned int i;

	for (i = 0; i < n->n_addrs; i++)
		if (n->addrs[i].family == family)
			return true;
	return false;
}

/* The network's own addresses, where this node has them. */
static uint32_t plan_addresses(struct unit *u, const struct res *r, struct ids *ids)
{
	const struct network *n = &r->network;
	struct vr_nexthop nh = {
		.id = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_SNAT, r->key),
		.label = mem_strdup(r->key), .type = VROUTER_NEXTHOP_TYPE_SNAT,
		.vif = use_vif(u, ids, VROUTER_VIF_TYPE_EXTERNAL, EXTERNAL),
		.snat_addrs = mem_dup(n->addrs, n->n_addrs, sizeof(*n->addrs)),
		.n_snat_addrs = n->n_addrs,
	};
	uint32_t id = nh.id;

	add_planned(u, K_NEXTHOP, &nh);
	return id;
}

/*
 * What is not routed otherwise goes out; but not to the network's own addresses, which are no pod's
 * then, and not to link-local ones: behind them are the node's own services, such as a cloud's metadata.
 */
static void plan_out(struct unit *u, const struct res *r, uint32_t vrf, const struct plan_env *env,
		     struct ids *ids)
{
	static const struct vr_prefix all[] = {
		{ .addr.family = AF_INET }, { .addr.family = AF_INET6 },
	};
	static const struct vr_prefix link_local[] = {
		{ .addr = { .family = AF_INET, .b = { 169, 254 } }, .len = 16 },
		{ .addr = { .family = AF_INET6, .b = { 0xfe, 0x80 } }, .len = 10 },
	};
	const struct network *n = &r->network;
	bool mine = n->n_addrs && is_mine(n, env->node);
	uint32_t own = mine ? plan_addresses(u, r, ids) : 0, nexthop;
	uint32_t node = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_SNAT, EXTERNAL);
	uint32_t nowhere = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_BLACKHOLE, r->key);
	unsigned int i;

	for (i = 0; i < VR_ARRAY_SIZE(all); i++) {
		nexthop = mine && has_family(n, all[i].addr.family) ? own :
			  env->local[i].family ? node : 0;
		if (!nexthop)
			continue;
		add_route(u, vrf, &all[i], nexthop, EXTERNAL);
		add_route(u, vrf, &link_local[i], nowhere, r->key);
	}
	for (i = 0; i < n->n_subnets; i++)
		add_route(u, vrf, &n->subnets[i].prefix, nowhere, r->key);
}

static bool is_subnet(const struct network *n, const struct vr_prefix *p)
{
	unsigned int i;

	for (i = 0; i < n->n_subnets; i++)
		if (vr_prefix_equal(&n->subnets[i].prefix, p))
			return true;
	return false;
}

void plan_egress(struct unit *u, const struct res *r, const struct plan_env *env, struct ids *ids)
{
	const struct network *n = &r->network;
	uint32_t vrf = use_id(u, ids, ID_VRF, r->key), in, plain, outside;
	unsigned int i;

	if (!n->egress || !env->primary)
		return;
	plan_out(u, r, vrf, env, ids);
	plain = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_LOCAL, EXTERNAL);
	for (i = 0; i < n->n_plain; i++)
		if (!is_subnet(n, &n->plain[i]))
			add_route(u, vrf, &n->plain[i], plain, EXTERNAL);
	outside = use_id(u, ids, ID_VRF, EXTERNAL);
	in = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_VRF, r->key);
	for (i = 0; n->reachable && i < n->n_subnets; i++)
		add_route(u, outside, &n->subnets[i].prefix, in, r->key);
}

/* A service whose one member is this node, by its address in the network. */
void plan_link_local(struct unit *u, const struct res *r, const struct plan_env *env,
		     struct ids *ids)
{
	const struct link_local *ll = &r->link_local;
	const struct vr_addr *node = &env->local[ll->addr.family == AF_INET6];
	struct vr_nexthop nh = {
		.id = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_ECMP, r->key),
		.label = mem_strdup(r->key), .type = VROUTER_NEXTHOP_TYPE_ECMP,
		.members = mem_zero(1, sizeof(*nh.members)),
	};
	struct vr_vip vip = {
		.vrf = use_id(u, ids, ID_VRF, ll->network), .addr = ll->addr, .proto = ll->proto,
		.port = ll->port, .nexthop = nh.id, .label = mem_strdup(r->key),
	};

	if (node->family)
		nh.members[nh.n_members++] = (struct vr_member){
			.addr = *node, .port = ll->node_port, .weight = 1,
			.state = VROUTER_MEMBER_STATE_ACTIVE, .label = mem_strdup(env->node),
		};
	add_planned(u, K_NEXTHOP, &nh);
	add_planned(u, K_VIP, &vip);
}
