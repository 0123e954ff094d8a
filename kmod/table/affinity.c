// SPDX-License-Identifier: GPL-2.0-only
/*
 * Client affinity: a client address of a vip stays with its member for a time. The table
 * is a cache: what does not fit is only spread anew.
 */

#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "table.h"

struct affinity_key {
	struct vr_vip_key	vip;
	union vr_addr		client;
};

struct affinity {
	struct rhash_head	node;
	struct affinity_key	key;
	struct vr_member __rcu	*member;	/* referenced */
	u32			last_used;	/* jiffies */
	u32			timeout;	/* seconds, of the vip when last used */
	struct rcu_head		rcu;
};

static const struct rhashtable_params params = {
	.key_len = sizeof(struct affinity_key),
	.key_offset = offsetof(struct affinity, key),
	.head_offset = offsetof(struct affinity, node),
	.automatic_shrinking = true,
};

int vr_affinity_init(struct vr_net *vn)
{
	BUILD_BUG_ON(sizeof(struct affinity_key) % sizeof(u32));
	return rhashtable_init(&vn->affinities, &params);
}

static void affinity_free_rcu(struct rcu_head *rcu)
{
	struct affinity *a = container_of(rcu, struct affinity, rcu);

	vr_member_put(rcu_dereference_protected(a->member, 1));
	kfree(a);
}

static void end(struct vr_net *vn, struct affinity *a)
{
	if (rhashtable_remove_fast(&vn->affinities, &a->node, params))
		return;		/* somebody else did */
	vr_give_of(vn, affinities, 1);
	call_rcu(&a->rcu, affinity_free_rcu);
}

static void free_now(void *ptr, void *arg)
{
	struct affinity *a = ptr;
	struct vr_net *vn = arg;

	vr_give_of(vn, affinities, 1);
	affinity_free_rcu(&a->rcu);
}

void vr_affinity_exit(struct vr_net *vn)
{
	rhashtable_free_and_destroy(&vn->affinities, free_now, vn);
}

static bool is_over(const struct affinity *a)
{
	u32 age = (u32)jiffies - READ_ONCE(a->last_used);

	return age / HZ >= READ_ONCE(a->timeout) ||
	       READ_ONCE(rcu_dereference(a->member)->removed);
}

static struct affinity *find(struct vr_net *vn, const struct vr_vip *vip,
			     const union vr_addr *client, struct affinity_key *key)
{
	*key = (struct affinity_key){ .vip = vip->key, .client = *client };
	return rhashtable_lookup(&vn->affinities, key, params);
}

/* A member that drains keeps its flows, but takes no new ones. */
static bool takes_new(const struct vr_vip *vip, const struct vr_member *m)
{
	const struct vr_nexthop *nh = rcu_dereference(vip->nh);
	const struct vr_group *g = nh ? rcu_dereference(nh->group) : NULL;

	return READ_ONCE(m->state) == VROUTER_MEMBER_STATE_ACTIVE && g &&
	       vr_group_find(g, m->family, &m->addr, m->port) == m;
}

struct vr_member *vr_affinity_get_rcu(struct vr_net *vn, const struct vr_vip *vip,
				      const union vr_addr *client)
{
	struct affinity_key key;
	struct affinity *a = find(vn, vip, client, &key);
	struct vr_member *m;

	if (!a || is_over(a))
		return NULL;
	m = rcu_dereference(a->member);
	return takes_new(vip, m) ? m : NULL;
}

static void renew(struct affinity *a, const struct vr_vip *vip, struct vr_member *m)
{
	struct vr_member *old;

	WRITE_ONCE(a->timeout, READ_ONCE(vip->affinity_timeout));
	WRITE_ONCE(a->last_used, (u32)jiffies);
	if (rcu_access_pointer(a->member) == m || !vr_member_tryget(m))
		return;
	old = unrcu_pointer(xchg(&a->member, RCU_INITIALIZER(m)));
	vr_member_put(old);
}

void vr_affinity_set(struct vr_net *vn, const struct vr_vip *vip, const union vr_addr *client,
		     struct vr_member *m)
{
	struct affinity_key key;
	struct affinity *a = find(vn, vip, client, &key);

	if (a) {
		renew(a, vip, m);
		return;
	}
	if (vr_take_of(vn, affinities, 1, "affinities", NULL))
		return;
	a = kzalloc(sizeof(*a), GFP_ATOMIC);
	if (!a || !vr_member_tryget(m))
		goto err;
	a->key = key;
	a->timeout = READ_ONCE(vip->affinity_timeout);
	a->last_used = (u32)jiffies;
	RCU_INIT_POINTER(a->member, m);
	if (!rhashtable_lookup_insert_fast(&vn->affinities, &a->node, params))
		return;
	vr_member_put(m);
err:
	kfree(a);
	vr_give_of(vn, affinities, 1);
}

void vr_affinity_gc(struct vr_net *vn)
{
	struct rhashtable_iter it;
	struct affinity *a;

	rhashtable_walk_enter(&vn->affinities, &it);
	rhashtable_walk_start(&it);
	while ((a = rhashtable_walk_next(&it))) {
		if (!IS_ERR(a) && is_over(a))
			end(vn, a);
	}
	rhashtable_walk_stop(&it);
	rhashtable_walk_exit(&it);
}
