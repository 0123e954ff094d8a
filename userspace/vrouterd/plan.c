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

void plan(struct unit *u, const struct res *r, const struct device *dev,
	  const struct plan_env *env, struct ids *ids)
{
	memset(u, 0, sizeof(*u));
	switch (r->kind) {
	case RES_NETWORK:
		if (plan_needs(env, NEED_NETWORK, r->key))
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
		plan_interface(u, r, dev, env, ids);
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
