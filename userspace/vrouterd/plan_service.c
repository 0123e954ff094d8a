// SPDX-License-Identifier: GPL-2.0-only
/* Services: pools as next hops, listeners as vips. */

#include <linux/vrouter.h>

#include "mem.h"
#include "plan_priv.h"

/* Which members a node's traffic may go to: its own, those meant for it or its zone, all. */
enum reach { REACH_LOCAL, REACH_NODE, REACH_ZONE, REACH_ALL };

static bool has_name(char *const *names, unsigned int n, const char *name)
{
	while (n--)
		if (!strcmp(names[n], name))
			return true;
	return false;
}

static bool is_meant(const struct pool_member *m, const struct plan_env *env, bool for_node)
{
	if (for_node)
		return has_name(m->nodes, m->n_nodes, env->node);
	return env->zone && has_name(m->zones, m->n_zones, env->zone);
}

/* As kube-proxy does: only when each member says whom it is meant for, and some that serves
 * is meant for this node (or its zone), the others are left out.
 */
static bool is_hinted(const struct pool *p, const struct plan_env *env, bool for_node)
{
	bool some = false;
	unsigned int i;

	for (i = 0; i < p->n_members; i++) {
		const struct pool_member *m = &p->members[i];

		if (m->failed || m->state != VROUTER_MEMBER_STATE_ACTIVE)
			continue;
		if (for_node ? !m->n_nodes : !m->n_zones)
			return false;
		some |= is_meant(m, env, for_node);
	}
	return some;
}

/* Does the member get this node's traffic? Those that drain keep their flows wherever they are. */
static bool is_for(const struct pool_member *m, enum reach reach, const struct plan_env *env)
{
	if (m->failed)
		return false;
	if (reach == REACH_LOCAL)
		return m->node && !strcmp(m->node, env->node);
	if (reach == REACH_ALL || m->state != VROUTER_MEMBER_STATE_ACTIVE)
		return true;
	return is_meant(m, env, reach == REACH_NODE);
}

static enum reach reach_of(const struct pool *p, bool local, const struct plan_env *env)
{
	if (local)
		return REACH_LOCAL;
	if (is_hinted(p, env, true))
		return REACH_NODE;
	return is_hinted(p, env, false) ? REACH_ZONE : REACH_ALL;
}

/* A weight of 0 is a member without share: it keeps the flows it has. */
static void plan_members(struct unit *u, const struct pool *p, const char *label, bool local,
			 uint32_t nexthop, const struct plan_env *env, struct ids *ids)
{
	struct vr_nexthop nh = {
		.id = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_ECMP, label),
		.label = mem_strdup(label), .type = VROUTER_NEXTHOP_TYPE_ECMP,
	};
	enum reach reach = reach_of(p, local, env);
	unsigned int i;

	nh.members = mem_zero(p->n_members, sizeof(*nh.members));
	for (i = 0; i < p->n_members; i++) {
		const struct pool_member *m = &p->members[i];

		if (!is_for(m, reach, env))
			continue;
		nh.members[nh.n_members++] = (struct vr_member){
			.addr = m->addr, .port = m->port, .nexthop = nexthop,
			.weight = m->weight ? m->weight : 1,
			.state = m->weight ? m->state : VROUTER_MEMBER_STATE_DRAINING,
			.label = label_dup(m->target),
		};
	}
	add_planned(u, K_NEXTHOP, &nh);
}

/* Of a pool's next hop for clients from outside. */
static const char *external_label(const char *key, char buf[ID_NAME])
{
	snprintf(buf, VROUTER_LABEL_MAX + 1, "%s@external", key);
	return buf;
}

static void plan_nexthops(struct unit *u, const struct pool *p, const char *key,
			  const struct plan_env *env, struct ids *ids)
{
	char label[ID_NAME];
	uint32_t inside;

	plan_members(u, p, key, p->internal_local, 0, env, ids);
	if (!p->external || !env->external)
		return;
	inside = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_VRF, p->network);
	plan_members(u, p, external_label(key, label), p->external_local, inside, env, ids);
}

/* Until the feed was heard to the end a shard may be missing, whose members the kernel has. */
void plan_pool(struct unit *u, const struct res *r, const struct plan_env *env, struct ids *ids)
{
	struct pool whole;

	if (r->pool.shard_of || !env->settled)
		return;
	if (!env->whole_pool) {
		plan_nexthops(u, &r->pool, r->key, env, ids);
		return;
	}
	env->whole_pool(env->arg, r, &whole);
	plan_nexthops(u, &whole, r->key, env, ids);
	free(whole.members);
}

/* "default/web:http"; a listener without name goes by its port. */
static char *vip_label(const struct res *r, const struct listener *l)
{
	char buf[2 * ID_NAME];

	if (l->name)
		snprintf(buf, sizeof(buf), "%s:%s", r->key, l->name);
	else
		snprintf(buf, sizeof(buf), "%s:%u", r->key, l->port);
	return label_dup(buf);
}

/* at has address, port and group. */
static void plan_vip(struct unit *u, const struct res *r, const struct vr_vip *at,
		     const struct listener *l, bool outside, struct ids *ids)
{
	const char *pool = at->addr.family == AF_INET ? l->pool4 : l->pool6;
	struct vr_vip vip = *at;
	char label[ID_NAME];

	if (!pool)
		return;
	vip.proto = l->proto;
	vip.affinity_timeout = r->lb.affinity;
	vip.vrf = use_id(u, ids, ID_VRF, outside ? EXTERNAL : r->lb.network);
	vip.nexthop = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_ECMP,
				  outside ? external_label(pool, label) : pool);
	vip.label = vip_label(r, l);
	add_planned(u, K_VIP, &vip);
}

/* From outside if that is served, and from inside in any case: there each member serves. */
static void plan_both(struct unit *u, const struct res *r, const struct vr_vip *at,
		      const struct listener *l, const struct plan_env *env, struct ids *ids)
{
	if (env->external)
		plan_vip(u, r, at, l, true, ids);
	plan_vip(u, r, at, l, false, ids);
}

/* Whom a load balancer serves, as a group of its vips; a rule goes by its range. */
static uint32_t plan_sources(struct unit *u, const struct res *r, struct ids *ids)
{
	const struct lb *lb = &r->lb;
	char label[ID_NAME], text[VR_PREFIX_TEXT];
	struct vr_sg sg = { .enforce = VROUTER_SG_FLAGS_INGRESS, .n_rules = lb->n_ranges };
	unsigned int i;
	uint32_t id;

	snprintf(label, VROUTER_LABEL_MAX + 1, "%s@sources", r->key);
	sg.id = id = use_id(u, ids, ID_SG, label);
	sg.label = mem_strdup(label);
	sg.rules = mem_zero(sg.n_rules, sizeof(*sg.rules));
	for (i = 0; i < sg.n_rules; i++) {
		struct vr_sg_rule *rule = &sg.rules[i];

		rule->direction = VROUTER_DIRECTION_INGRESS;
		rule->family = lb->ranges[i].addr.family;
		rule->peer_prefix = lb->ranges[i];
		rule->label = mem_strdup(vr_prefix_text(&lb->ranges[i], text));
	}
	add_planned(u, K_SG, &sg);
	return id;
}

static bool has_range(const struct lb *lb, uint8_t family)
{
	unsigned int i;

	for (i = 0; i < lb->n_ranges; i++)
		if (lb->ranges[i].addr.family == family)
			return true;
	return false;
}

/* The load balancer's addresses. As with kube-proxy the ranges are those of one family each. */
static void plan_balanced(struct unit *u, const struct res *r, const struct plan_env *env,
			  struct ids *ids)
{
	const struct lb *lb = &r->lb;
	const struct listener *l;
	unsigned int i;
	uint32_t sg;

	if (!lb->n_balanced)
		return;
	sg = lb->n_ranges ? plan_sources(u, r, ids) : 0;
	for (l = lb->listeners; l < lb->listeners + lb->n_listeners; l++)
		for (i = 0; i < lb->n_balanced; i++) {
			struct vr_vip at = { .addr = lb->balanced[i], .port = l->port };

			at.sg = has_range(lb, at.addr.family) ? sg : 0;
			plan_both(u, r, &at, l, env, ids);
		}
}

void plan_lb(struct unit *u, const struct res *r, const struct plan_env *env, struct ids *ids)
{
	static const struct vr_addr any[] = { { .family = AF_INET }, { .family = AF_INET6 } };
	const struct lb *lb = &r->lb;
	const struct listener *l;
	struct vr_vip at = {};
	unsigned int i;

	/* not before its pools */
	if (!env->settled)
		return;
	for (l = lb->listeners; l < lb->listeners + lb->n_listeners; l++) {
		at.port = l->port;
		for (i = 0; i < lb->n_vips; i++) {
			at.addr = lb->vips[i];
			plan_vip(u, r, &at, l, false, ids);
		}
		for (i = 0; i < lb->n_external; i++) {
			at.addr = lb->external[i];
			plan_both(u, r, &at, l, env, ids);
		}
		at.port = l->node_port;
		for (i = 0; l->node_port && i < VR_ARRAY_SIZE(any); i++) {
			at.addr = any[i];
			plan_both(u, r, &at, l, env, ids);
		}
	}
	plan_balanced(u, r, env, ids);
}
