// SPDX-License-Identifier: GPL-2.0-only
/* Security groups. */

#include <linux/vrouter.h>

#include "mem.h"
#include "plan_priv.h"

bool plan_needs(const struct plan_env *env, enum need need, const char *key)
{
	return !env->needed || env->needed(env->arg, need, key);
}

static void plan_rule(struct unit *u, const struct rule *r, struct vr_sg_rule *k,
		      struct ids *ids)
{
	k->direction = r->direction;
	k->proto = r->proto;
	k->has_ports = r->port_min;
	k->port_min = r->port_min;
	k->port_max = r->port_max;
	if (r->peer == PEER_PREFIX) {
		k->family = r->prefix.addr.family;
		k->peer_prefix = r->prefix;
		k->n_except = r->n_except;
		k->except = mem_dup(r->except, r->n_except, sizeof(*r->except));
	} else if (r->peer == PEER_SG) {
		k->peer_sg = use_id(u, ids, ID_SG, r->peer_sg);
	}
	k->action = r->action;
	k->label = label_dup(r->name);
}

/*
 * Of one that none of this node's interfaces is in only the id, for rules and routes name it, and a restart finds
 * it again by its label. Until the feed was heard to the end it is not known whether one will be: then the
 * kernel keeps what it has.
 */
void plan_sg(struct unit *u, const struct res *r, const struct plan_env *env, struct ids *ids)
{
	struct vr_sg sg = {
		.enforce = r->sg.enforce, .tier = r->sg.tier, .priority = r->sg.priority,
	};
	bool needed = plan_needs(env, NEED_GROUP, r->key);
	unsigned int i;

	if (!needed && !(env->settled && plan_needs(env, NEED_MEMBERS, r->key)))
		return;
	sg.id = use_id(u, ids, ID_SG, r->key);
	sg.label = mem_strdup(r->key);
	sg.n_rules = needed ? r->sg.n_rules : 0;
	sg.rules = mem_zero(sg.n_rules, sizeof(*sg.rules));
	for (i = 0; i < sg.n_rules; i++)
		plan_rule(u, &r->sg.rules[i], &sg.rules[i], ids);
	add_planned(u, K_SG, &sg);
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

uint32_t *use_groups(struct unit *u, const struct vmi *v, const struct plan_env *env,
		     struct ids *ids, unsigned int *n)
{
	uint32_t *sgs = mem_zero(v->n_sgs, sizeof(*sgs));
	unsigned int i, all = 0;

	for (i = 0; i < v->n_sgs; i++)
		if (!env || plan_needs(env, NEED_MEMBERS, v->sgs[i]))
			sgs[all++] = use_id(u, ids, ID_SG, v->sgs[i]);
	qsort(sgs, all, sizeof(*sgs), compare_u32);
	for (i = 0, *n = 0; i < all; i++)
		if (!i || sgs[i] != sgs[i - 1])
			sgs[(*n)++] = sgs[i];
	return sgs;
}
