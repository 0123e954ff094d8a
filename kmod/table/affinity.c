// SPDX-License-Identifier: GPL-2.0-only
/*
 * Client affinity: which member of a service a client stays with. Entries are
 * made and read by packets, and collected with the flows.
 */

#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "flow.h"

/* Hashed and compared as octets: no holes. */
struct affinity_key {
	struct vr_vip_key	vip;
	union vr_addr		client;
};

struct affinity {
	struct rhash_head	node;
	struct affinity_key	key;
	struct vr_member __rcu	*member;	/* referenced; replaced by xchg() */
	u32			expires;	/* jiffies */
	struct vr_net		*vn;
	struct rcu_head		rcu;
};

static const struct rhashtable_params params = {
	.key_len		= sizeof(struct affinity_key),
	.key_offset		= offsetof(struct affinity, key),
	.head_offset		= offsetof(struct affinity, node),
	.automatic_shrinking	= true,
};

static bool is_over(const struct affinity *a)
{
	return (s32)((u32)jiffies - READ_ONCE(a->expires)) >= 0;
}

static struct affinity *find(struct vr_net *vn, const struct vr_vip *vip,
			     const union vr_addr *client)
{
	const struct affinity_key key = { .vip = vip->key, .client = *client };

	return rhashtable_lookup(&vn->affinities, &key, params);
}

struct vr_member *vr_affinity_get_rcu(struct vr_net *vn, const struct vr_vip *vip,
				      const union vr_addr *client)
{
	struct affinity *a = find(vn, vip, client);

	return a && !is_over(a) ? rcu_dereference(a->member) : NULL;
}

/* Nobody can find it any more, nor be about to change it. */
static void affinity_free(struct affinity *a)
{
	vr_member_put(rcu_dereference_protected(a->member, true));
	vr_give_of(a->vn, affinities, 1);
	kfree(a);
}

static void affinity_free_rcu(struct rcu_head *rcu)
{
	affinity_free(container_of(rcu, struct affinity, rcu));
}

static void affinity_add(struct vr_net *vn, const struct vr_vip *vip,
			 const union vr_addr *client, struct vr_member *m, u32 expires)
{
	struct affinity *a;

	if (vr_take_of(vn, affinities, 1, "affinities", NULL))
		return;
	a = kzalloc(sizeof(*a), GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT);
	if (!a || !vr_member_tryget(m)) {
		kfree(a);
		vr_give_of(vn, affinities, 1);
		return;
	}
	a->key.vip = vip->key;
	a->key.client = *client;
	a->expires = expires;
	a->vn = vn;
	RCU_INIT_POINTER(a->member, m);
	if (rhashtable_lookup_insert_fast(&vn->affinities, &a->node, params))
		affinity_free(a);	/* another CPU was first */
}

void vr_affinity_set(struct vr_net *vn, const struct vr_vip *vip, const union vr_addr *client,
		     struct vr_member *m)
{
	u32 expires = (u32)jiffies + READ_ONCE(vip->affinity_timeout) * HZ;
	struct affinity *a = find(vn, vip, client);
	struct vr_member *old;

	if (!a) {
		affinity_add(vn, vip, client, m, expires);
		return;
	}
	WRITE_ONCE(a->expires, expires);
	if (rcu_access_pointer(a->member) == m || !vr_member_tryget(m))
		return;
	old = unrcu_pointer(xchg(&a->member, RCU_INITIALIZER(m)));
	vr_member_put(old);
}

void vr_affinity_gc(struct vr_net *vn)
{
	struct rhashtable_iter iter;
	struct affinity *a;
	unsigned int seen = 0;

	if (!atomic_read(&vn->affinities.nelems))
		return;

	rhashtable_walk_enter(&vn->affinities, &iter);
	rhashtable_walk_start(&iter);
	while ((a = rhashtable_walk_next(&iter))) {
		if (!IS_ERR(a) &&
		    (is_over(a) || READ_ONCE(rcu_dereference(a->member)->removed)) &&
		    !rhashtable_remove_fast(&vn->affinities, &a->node, params))
			call_rcu(&a->rcu, affinity_free_rcu);
		if (++seen % 1024)
			continue;
		rhashtable_walk_stop(&iter);
		cond_resched();
		rhashtable_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

int vr_affinity_init(struct vr_net *vn)
{
	BUILD_BUG_ON(sizeof(struct affinity_key) != 40);
	return rhashtable_init(&vn->affinities, &params);
}

static void free_any(void *obj, void *arg)
{
	affinity_free(obj);
}

void vr_affinity_exit(struct vr_net *vn)
{
	rhashtable_free_and_destroy(&vn->affinities, free_any, NULL);
}
