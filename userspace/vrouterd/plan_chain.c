// SPDX-License-Identifier: GPL-2.0-only
/* A service chain's instances as next hops, one of several for each side. */

#include <linux/vrouter.h>

#include "mem.h"
#include "plan_priv.h"

const char *chain_label(const char *key, bool right, char buf[ID_NAME])
{
	snprintf(buf, VROUTER_LABEL_MAX + 1, "%s@%s", key, right ? "right" : "left");
	return buf;
}

/* The next hop to an instance on this node; 0: it is not attached. */
static uint32_t nexthop_here(struct unit *u, const struct instance *in, bool right,
			     const struct plan_env *env, struct ids *ids)
{
	if (env->attached && !env->attached(env->arg, in->vmis[right]))
		return 0;
	return use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_LOCAL, in->vmis[right]);
}

/* To its node, which chooses among those it has; 0: that is not known. */
static uint32_t nexthop_there(struct unit *u, const struct instance *in,
			      const struct plan_env *env, struct ids *ids)
{
	char label[ID_NAME];

	if (!env->tunnels || (env->known && !env->known(env->arg, in->node)))
		return 0;
	snprintf(label, sizeof(label), "Node/%s", in->node);
	return use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_TUNNEL, label);
}

/* Several behind one tunnel are one member, with the weight of those that are active. */
static void add_instance(struct vr_nexthop *nh, uint32_t nexthop, const struct instance *in,
			 const char *label)
{
	struct vr_member *m;
	unsigned int i;

	for (i = 0; i < nh->n_members && nh->members[i].nexthop != nexthop; i++)
		;
	m = &nh->members[i];
	if (i == nh->n_members) {
		nh->n_members++;
		m->nexthop = nexthop;
		m->weight = 1;
		m->state = in->draining ? VROUTER_MEMBER_STATE_DRAINING :
					  VROUTER_MEMBER_STATE_ACTIVE;
		m->label = label_dup(label);
	} else if (!in->draining && m->state == VROUTER_MEMBER_STATE_DRAINING) {
		m->state = VROUTER_MEMBER_STATE_ACTIVE;
	} else if (!in->draining) {
		m->weight++;
	}
}

static void plan_side(struct unit *u, const struct res *r, bool right, const struct plan_env *env,
		      struct ids *ids)
{
	const struct chain *c = &r->chain;
	const struct instance *in;
	char label[ID_NAME];
	struct vr_nexthop nh = {
		.id = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_ECMP,
				  chain_label(r->key, right, label)),
		.label = mem_strdup(label), .type = VROUTER_NEXTHOP_TYPE_ECMP,
		.members = mem_zero(c->n_instances, sizeof(*nh.members)),
	};
	uint32_t nexthop;
	bool here;

	for (in = c->instances; in < c->instances + c->n_instances; in++) {
		here = !strcmp(in->node, env->node);
		nexthop = here ? nexthop_here(u, in, right, env, ids) :
				 nexthop_there(u, in, env, ids);
		if (nexthop)
			add_instance(&nh, nexthop, in, here ? in->pod : in->node);
	}
	add_planned(u, K_NEXTHOP, &nh);
}

void plan_chain(struct unit *u, const struct res *r, const struct plan_env *env, struct ids *ids)
{
	plan_side(u, r, false, env, ids);
	plan_side(u, r, true, env, ids);
}
