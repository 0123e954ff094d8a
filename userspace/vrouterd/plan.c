// SPDX-License-Identifier: GPL-2.0-only
/* From resources to objects of the kernel module. */

#include <linux/vrouter.h>

#include "mem.h"
#include "plan_priv.h"

uint32_t use_id(struct unit *u, struct ids *ids, enum id_space space, const char *name)
{
	uint32_t id = ids_get(ids, space, name);

	u->ids = mem_grow(u->ids, u->n_ids, sizeof(*u->ids));
	u->ids[u->n_ids].space = space;
	u->ids[u->n_ids++].id = id;
	return id;
}

/* Next hops have one space of ids, but a pod and a pool may have the same label. */
static const char *nexthop_name(uint8_t type, const char *label, char buf[ID_NAME])
{
	const char *word = type == VROUTER_NEXTHOP_TYPE_LOCAL ? "local" :
			   type == VROUTER_NEXTHOP_TYPE_TUNNEL ? "tunnel" :
			   type == VROUTER_NEXTHOP_TYPE_VRF ? "vrf" :
			   type == VROUTER_NEXTHOP_TYPE_SNAT ? "snat" :
			   type == VROUTER_NEXTHOP_TYPE_ECMP ? "ecmp" :
			   type == VROUTER_NEXTHOP_TYPE_BLACKHOLE ? "blackhole" : NULL;

	if (!word)
		return NULL;
	snprintf(buf, ID_NAME, "%s %s", word, label);
	return buf;
}

/* A pod's goes by the label alone. */
static const char *vif_name(uint8_t type, const char *label, char buf[ID_NAME])
{
	const char *word = type == VROUTER_VIF_TYPE_TUNNEL ? "tunnel " :
			   type == VROUTER_VIF_TYPE_HOST ? "host " :
			   type == VROUTER_VIF_TYPE_EXTERNAL ? "external " : "";

	snprintf(buf, ID_NAME, "%s%s", word, label);
	return buf;
}

uint32_t use_vif(struct unit *u, struct ids *ids, uint8_t type, const char *label)
{
	char name[ID_NAME];

	return use_id(u, ids, ID_VIF, vif_name(type, label, name));
}

uint32_t use_nexthop(struct unit *u, struct ids *ids, uint8_t type, const char *label)
{
	char name[ID_NAME];

	return use_id(u, ids, ID_NEXTHOP, nexthop_name(type, label, name));
}

/* Takes over what obj owns. */
void add_planned(struct unit *u, enum kobj_kind kind, void *obj)
{
	u->objs = mem_grow(u->objs, u->n_objs, sizeof(*u->objs));
	u->objs[u->n_objs++] = kobj_new(kind, obj);
}

char *label_dup(const char *text)
{
	char *label = mem_strdup(text);

	if (label && strlen(label) > VROUTER_LABEL_MAX)
		label[VROUTER_LABEL_MAX] = '\0';
	return label;
}

/* Where packets of the network come in from other nodes. */
static void plan_tunnel_end(struct unit *u, const struct res *r, uint32_t vrf, struct ids *ids)
{
	struct vr_vif vif = {
		.id = use_vif(u, ids, VROUTER_VIF_TYPE_TUNNEL, r->key),
		.label = mem_strdup(r->key), .type = VROUTER_VIF_TYPE_TUNNEL,
		.vrf = vrf, .vni = r->network.vni,
	};

	add_planned(u, K_VIF, &vif);
}

static void plan_network(struct unit *u, const struct res *r, const struct plan_env *env,
			 struct ids *ids)
{
	uint32_t vrf = use_id(u, ids, ID_VRF, r->key), blackhole;
	const struct network *n = &r->network;
	struct vr_vrf v = { .id = vrf, .label = mem_strdup(r->key) };
	struct vr_nexthop nh = { .label = mem_strdup(r->key) };
	unsigned int i;

	v.gateways = mem_zero(n->n_subnets, sizeof(*v.gateways));
	for (i = 0; i < n->n_subnets; i++)
		v.gateways[v.n_gateways++] = n->subnets[i].gateway;
	add_planned(u, K_VRF, &v);

	blackhole = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_BLACKHOLE, r->key);
	nh.id = blackhole;
	nh.type = VROUTER_NEXTHOP_TYPE_BLACKHOLE;
	add_planned(u, K_NEXTHOP, &nh);
	for (i = 0; i < n->n_services; i++) {
		struct vr_route rt = {
			.vrf = vrf, .prefix = n->services[i], .nexthop = blackhole,
			.label = mem_strdup(r->key),
		};

		add_planned(u, K_ROUTE, &rt);
	}
	if (env->tunnels && n->vni)
		plan_tunnel_end(u, r, vrf, ids);
	plan_join(u, r, vrf, ids);
	if (env->external)
		plan_egress(u, r, env, ids);
}

/* --- nodes -------------------------------------------------------------------- */

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

static void plan_router(struct unit *u, const struct res *r, const struct device *dev,
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

/* --- interfaces ---------------------------------------------------------------- */

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

static void plan_vmi(struct unit *u, const struct res *r, const struct device *dev,
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
static void plan_remote_vmi(struct unit *u, const struct res *r, const struct plan_env *env,
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

static void plan_pool(struct unit *u, const struct res *r, const struct plan_env *env,
		      struct ids *ids)
{
	const struct pool *p = &r->pool;
	char label[ID_NAME];
	uint32_t inside;

	plan_members(u, p, r->key, p->internal_local, 0, env, ids);
	if (!p->external || !env->external)
		return;
	inside = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_VRF, p->network);
	plan_members(u, p, external_label(r->key, label), p->external_local, inside, env, ids);
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

static void plan_lb(struct unit *u, const struct res *r, const struct plan_env *env,
		    struct ids *ids)
{
	static const struct vr_addr any[] = { { .family = AF_INET }, { .family = AF_INET6 } };
	const struct lb *lb = &r->lb;
	const struct listener *l;
	struct vr_vip at = {};
	unsigned int i;

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

static bool is_elsewhere(const struct vmi *v, const struct plan_env *env)
{
	return v->node && strcmp(v->node, env->node);
}

void plan(struct unit *u, const struct res *r, const struct device *dev,
	  const struct plan_env *env, struct ids *ids)
{
	memset(u, 0, sizeof(*u));
	switch (r->kind) {
	case RES_NETWORK:
		if (plan_needs(env, RES_NETWORK, r->key))
			plan_network(u, r, env, ids);
		break;
	case RES_SG:
		plan_sg(u, r, env, ids);
		break;
	case RES_ROUTER:
		plan_router(u, r, dev, env, ids);
		break;
	case RES_CHAIN:
		plan_chain(u, r, env, ids);
		break;
	case RES_VMI:
		if (dev)
			plan_vmi(u, r, dev, env, ids);
		else if (env->tunnels && is_elsewhere(&r->vmi, env))
			plan_remote_vmi(u, r, env, ids);
		break;
	case RES_POOL:
		plan_pool(u, r, env, ids);
		break;
	case RES_LINK_LOCAL:
		plan_link_local(u, r, env, ids);
		break;
	case RES_LB:
		plan_lb(u, r, env, ids);
		break;
	default:
		break;
	}
}

void unit_clear(struct unit *u, struct ids *ids)
{
	unsigned int i;

	for (i = 0; i < u->n_objs; i++)
		kobj_put(u->objs[i]);
	for (i = 0; i < u->n_ids; i++)
		ids_put(ids, u->ids[i].space, u->ids[i].id);
	free(u->objs);
	free(u->ids);
	memset(u, 0, sizeof(*u));
}

const char *plan_id_name(const struct kobj *o, enum id_space *space, char buf[ID_NAME])
{
	static const enum id_space spaces[K_KINDS] = {
		[K_SG] = ID_SG, [K_VRF] = ID_VRF, [K_VIF] = ID_VIF, [K_NEXTHOP] = ID_NEXTHOP,
	};

	if (o->key.kind >= K_ROUTE)
		return NULL;
	*space = spaces[o->key.kind];
	if (!kobj_label(o))
		return NULL;
	if (o->key.kind == K_NEXTHOP)
		return nexthop_name(o->nexthop.type, o->nexthop.label, buf);
	if (o->key.kind == K_VIF)
		return vif_name(o->vif.type, o->vif.label, buf);
	snprintf(buf, ID_NAME, "%s", kobj_label(o));
	return buf;
}
