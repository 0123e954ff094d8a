// SPDX-License-Identifier: GPL-2.0-only
/* From resources to objects of the kernel module. */

#include <linux/vrouter.h>

#include "mem.h"
#include "plan.h"

static uint32_t use_id(struct unit *u, struct ids *ids, enum id_space space, const char *name)
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
			   type == VROUTER_NEXTHOP_TYPE_ECMP ? "ecmp" :
			   type == VROUTER_NEXTHOP_TYPE_BLACKHOLE ? "blackhole" : NULL;

	if (!word)
		return NULL;
	snprintf(buf, ID_NAME, "%s %s", word, label);
	return buf;
}

static uint32_t use_nexthop(struct unit *u, struct ids *ids, uint8_t type, const char *label)
{
	char name[ID_NAME];

	return use_id(u, ids, ID_NEXTHOP, nexthop_name(type, label, name));
}

static void add(struct unit *u, struct kobj *o)
{
	kobj_canonical(o);
	u->objs = mem_grow(u->objs, u->n_objs, sizeof(*u->objs));
	u->objs[u->n_objs++] = o;
}

static void plan_network(struct unit *u, const struct res *r, struct ids *ids)
{
	const struct network *n = &r->network;
	uint32_t vrf = use_id(u, ids, ID_VRF, r->key), blackhole;
	struct kobj *o = kobj_new(K_VRF, vrf, r->key);
	unsigned int i;

	o->addrs = mem_zero(n->n_subnets, sizeof(*o->addrs));
	for (i = 0; i < n->n_subnets; i++)
		o->addrs[o->n_addrs++] = n->subnets[i].gateway;
	add(u, o);
	if (!n->n_services)
		return;

	blackhole = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_BLACKHOLE, r->key);
	o = kobj_new(K_NEXTHOP, blackhole, r->key);
	o->type = VROUTER_NEXTHOP_TYPE_BLACKHOLE;
	add(u, o);
	for (i = 0; i < n->n_services; i++) {
		o = kobj_new(K_ROUTE, vrf, r->key);
		o->key.prefix = n->services[i];
		o->nexthop = blackhole;
		add(u, o);
	}
}

static void plan_rule(struct unit *u, const struct rule *r, struct krule *k, struct ids *ids)
{
	k->direction = r->direction;
	k->proto = r->proto;
	k->port_min = r->port_min;
	k->port_max = r->port_max;
	k->peer = r->peer;
	k->prefix = r->prefix;
	k->n_except = r->n_except;
	k->except = mem_dup(r->except, r->n_except, sizeof(*r->except));
	if (r->peer == PEER_SG)
		k->peer_sg = use_id(u, ids, ID_SG, r->peer_sg);
	if (r->name) {
		k->label = mem_strdup(r->name);
		if (strlen(k->label) > VROUTER_LABEL_MAX)
			k->label[VROUTER_LABEL_MAX] = '\0';
	}
}

static void plan_sg(struct unit *u, const struct res *r, struct ids *ids)
{
	struct kobj *o = kobj_new(K_SG, use_id(u, ids, ID_SG, r->key), r->key);
	unsigned int i;

	o->enforce = r->sg.enforce;
	o->rules = mem_zero(r->sg.n_rules, sizeof(*o->rules));
	o->n_rules = r->sg.n_rules;
	for (i = 0; i < o->n_rules; i++)
		plan_rule(u, &r->sg.rules[i], &o->rules[i], ids);
	add(u, o);
}

static void set_groups(struct unit *u, struct kobj *o, const struct vmi *v, struct ids *ids)
{
	unsigned int i;

	o->sgs = mem_zero(v->n_sgs, sizeof(*o->sgs));
	o->n_sgs = v->n_sgs;
	for (i = 0; i < v->n_sgs; i++)
		o->sgs[i] = use_id(u, ids, ID_SG, v->sgs[i]);
}

static void plan_vmi(struct unit *u, const struct res *r, uint32_t ifindex, struct ids *ids)
{
	uint32_t vrf = use_id(u, ids, ID_VRF, r->vmi.network);
	uint32_t vif = use_id(u, ids, ID_VIF, r->key);
	uint32_t nexthop = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_LOCAL, r->key);
	const struct vmi *v = &r->vmi;
	struct kobj *o;
	unsigned int i;

	o = kobj_new(K_VIF, vif, r->key);
	o->vrf = vrf;
	o->ifindex = ifindex;
	memcpy(o->mac, v->mac, sizeof(o->mac));
	o->addrs = mem_dup(v->addrs, v->n_addrs, sizeof(*v->addrs));
	o->n_addrs = v->n_addrs;
	set_groups(u, o, v, ids);
	add(u, o);

	o = kobj_new(K_NEXTHOP, nexthop, r->key);
	o->type = VROUTER_NEXTHOP_TYPE_LOCAL;
	o->vif = vif;
	add(u, o);

	for (i = 0; i < v->n_addrs; i++) {
		o = kobj_new(K_ROUTE, vrf, r->key);
		o->key.prefix.ip = v->addrs[i];
		o->key.prefix.len = v->addrs[i].family == AF_INET ? 32 : 128;
		o->nexthop = nexthop;
		set_groups(u, o, v, ids);
		add(u, o);
	}
}

static void plan_pool(struct unit *u, const struct res *r, struct ids *ids)
{
	uint32_t id = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_ECMP, r->key);
	struct kobj *o = kobj_new(K_NEXTHOP, id, r->key);
	const struct pool *p = &r->pool;
	unsigned int i;

	o->type = VROUTER_NEXTHOP_TYPE_ECMP;
	o->members = mem_zero(p->n_members, sizeof(*o->members));
	o->n_members = p->n_members;
	for (i = 0; i < p->n_members; i++) {
		struct kmember *m = &o->members[i];

		m->addr = p->members[i].addr;
		m->port = p->members[i].port;
		m->weight = p->members[i].weight;
		m->state = p->members[i].state;
		m->label = mem_strdup(p->members[i].target);
	}
	add(u, o);
}

/* "default/web:http"; a listener without name goes by its port. */
static const char *vip_label(const struct res *r, const struct listener *l, char buf[ID_NAME])
{
	if (l->name)
		snprintf(buf, ID_NAME, "%s:%s", r->key, l->name);
	else
		snprintf(buf, ID_NAME, "%s:%u", r->key, l->port);
	if (strlen(buf) > VROUTER_LABEL_MAX)
		buf[VROUTER_LABEL_MAX] = '\0';
	return buf;
}

static void plan_vip(struct unit *u, const struct res *r, const struct ip *vip,
		     const struct listener *l, uint32_t vrf, struct ids *ids)
{
	const char *pool = vip->family == AF_INET ? l->pool4 : l->pool6;
	char label[ID_NAME];
	struct kobj *o;

	if (!pool)
		return;
	o = kobj_new(K_VIP, vrf, vip_label(r, l, label));
	o->key.prefix.ip = *vip;
	o->key.proto = l->proto;
	o->key.port = l->port;
	o->nexthop = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_ECMP, pool);
	o->affinity = r->lb.affinity;
	add(u, o);
}

static void plan_lb(struct unit *u, const struct res *r, struct ids *ids)
{
	uint32_t vrf = use_id(u, ids, ID_VRF, r->lb.network);
	unsigned int i, j;

	for (i = 0; i < r->lb.n_vips; i++)
		for (j = 0; j < r->lb.n_listeners; j++)
			plan_vip(u, r, &r->lb.vips[i], &r->lb.listeners[j], vrf, ids);
}

void plan(struct unit *u, const struct res *r, uint32_t ifindex, struct ids *ids)
{
	memset(u, 0, sizeof(*u));
	switch (r->kind) {
	case RES_NETWORK:
		plan_network(u, r, ids);
		break;
	case RES_SG:
		plan_sg(u, r, ids);
		break;
	case RES_VMI:
		if (ifindex)
			plan_vmi(u, r, ifindex, ids);
		break;
	case RES_POOL:
		plan_pool(u, r, ids);
		break;
	case RES_LB:
		plan_lb(u, r, ids);
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
	if (!o->label)
		return NULL;
	if (o->key.kind == K_NEXTHOP)
		return nexthop_name(o->type, o->label, buf);
	snprintf(buf, ID_NAME, "%s", o->label);
	return buf;
}
