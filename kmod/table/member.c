// SPDX-License-Identifier: GPL-2.0-only
/* Members of ecmp next hops: found again when their group is replaced. */

#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "table.h"

/* Counters are allocated for many members at once: a per-CPU allocation takes
 * longer than all else that a member needs. Lives as long as one of them.
 */
struct vr_member_block {
	struct vr_pcpu_counters __percpu *counters;
	refcount_t		ref;
};

#define BLOCK_MEMBERS	512	/* well within PCPU_MIN_UNIT_SIZE */

static void block_put(struct vr_member_block *b)
{
	if (!b || !refcount_dec_and_test(&b->ref))
		return;
	free_percpu(b->counters);
	kfree(b);
}

static struct vr_member_block *block_new(unsigned int n)
{
	struct vr_pcpu_counters *c;
	struct vr_member_block *b;
	unsigned int i;
	int cpu;

	b = kmalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		return NULL;
	refcount_set(&b->ref, 1);
	b->counters = __alloc_percpu_gfp(n * sizeof(*c), __alignof__(*c), GFP_KERNEL_ACCOUNT);
	if (!b->counters) {
		kfree(b);
		return NULL;
	}
	for_each_possible_cpu(cpu) {
		c = per_cpu_ptr(b->counters, cpu);
		for (i = 0; i < n; i++)
			u64_stats_init(&c[i].syncp);
	}
	return b;
}

static void member_free_rcu(struct rcu_head *rcu)
{
	struct vr_member *m = container_of(rcu, struct vr_member, rcu);
	struct vr_nexthop *nh = rcu_dereference_protected(m->nh, true);

	if (nh)
		vr_nexthop_put(nh);
	vr_label_free(m->label);
	block_put(m->block);
	kfree(m);
}

void vr_member_put(struct vr_member *m)
{
	if (refcount_dec_and_test(&m->ref))
		call_rcu(&m->rcu, member_free_rcu);
}

/* Its counters are number i of the block. */
static struct vr_member *member_new(const struct vr_member_cfg *cfg, struct vr_member_block *b,
				    unsigned int i)
{
	struct vr_member *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);

	if (!m)
		return NULL;
	m->addr = cfg->addr;
	m->family = cfg->family;
	m->port = cfg->port;
	m->block = b;
	m->counters = b->counters + i;
	refcount_inc(&b->ref);
	refcount_set(&m->ref, 1);
	return m;
}

/* --- order ---------------------------------------------------------------- */

static int cmp_key(u8 a_family, const union vr_addr *a, __be16 a_port, u32 a_nh,
		   const struct vr_member_cfg *b)
{
	int c;

	if (a_family != b->family)
		return a_family < b->family ? -1 : 1;
	if (!a_family)
		return a_nh < b->nexthop ? -1 : a_nh > b->nexthop;
	c = memcmp(a, &b->addr, sizeof(*a));
	return c ?: (int)ntohs(a_port) - ntohs(b->port);
}

int vr_member_cmp(const struct vr_member *m, const struct vr_member_cfg *cfg)
{
	return cmp_key(m->family, &m->addr, m->port, m->nh_id, cfg);
}

static int cmp_want(const void *a, const void *b)
{
	const struct vr_member_cfg *x = ((const struct vr_member_want *)a)->cfg;

	return cmp_key(x->family, &x->addr, x->port, x->nexthop,
		       ((const struct vr_member_want *)b)->cfg);
}

static int blame(const struct vr_member_cfg *cfg, struct netlink_ext_ack *extack, int err)
{
	if (cfg->attr)
		NL_SET_BAD_ATTR(extack, cfg->attr);
	return err;
}

static int refuse_twice(const struct vr_member_cfg *cfg, struct netlink_ext_ack *extack)
{
	if (cfg->family)
		vr_extack_addr(extack, cfg->family, &cfg->addr, "is listed twice, port",
			       ntohs(cfg->port));
	else
		NL_SET_ERR_MSG_FMT(extack, "Next hop %u is listed twice", cfg->nexthop);
	return blame(cfg, extack, -EINVAL);
}

/* Who sends the list sorted saves the sorting. */
static int sort_want(struct vr_member_want *want, unsigned int n, struct netlink_ext_ack *extack)
{
	unsigned int i;

	for (i = 1; i < n && cmp_want(&want[i - 1], &want[i]) < 0; i++)
		;
	if (i >= n)
		return 0;

	sort(want, n, sizeof(*want), cmp_want, NULL);
	for (i = 1; i < n; i++)
		if (!cmp_want(&want[i - 1], &want[i]))
			return refuse_twice(want[i].cfg, extack);
	return 0;
}

/* --- prepare -------------------------------------------------------------- */

static int find_nexthop(struct vr_net *vn, struct vr_member_want *w,
			struct netlink_ext_ack *extack)
{
	const struct vr_member_cfg *cfg = w->cfg;

	if (!cfg->nexthop && !cfg->family) {
		NL_SET_ERR_MSG(extack, "A member needs an address or a next hop");
		return blame(cfg, extack, -EINVAL);
	}
	if (!cfg->nexthop)
		return 0;

	w->nh = xa_load(&vn->nexthops, cfg->nexthop);
	if (!w->nh) {
		NL_SET_ERR_MSG_FMT(extack, "The member's next hop %u does not exist", cfg->nexthop);
		return blame(cfg, extack, -ENOENT);
	}
	if (w->nh->type == VROUTER_NEXTHOP_TYPE_ECMP) {
		NL_SET_ERR_MSG_FMT(extack, "A member's next hop cannot be ecmp, as %u is",
				   cfg->nexthop);
		return blame(cfg, extack, -EINVAL);
	}
	return 0;
}

/* Finds the old group's members again. Returns how many are new. */
static unsigned int find_kept(const struct vr_group *old, struct vr_member_want *want,
			      unsigned int n)
{
	unsigned int i, j = 0, fresh = 0;
	int c = -1;

	for (i = 0; i < n; i++) {
		while (old && j < old->n) {
			c = vr_member_cmp(old->members[j], want[i].cfg);
			if (c >= 0)
				break;
			j++;
		}
		if (!old || j == old->n || c) {
			fresh++;
			continue;
		}
		want[i].m = old->members[j++];
		want[i].kept = true;
		refcount_inc(&want[i].m->ref);
	}
	return fresh;
}

static int make_fresh(struct vr_member_want *want, unsigned int n, unsigned int fresh)
{
	struct vr_member_block *b = NULL;
	unsigned int i, used = 0;
	int err = 0;

	for (i = 0; i < n; i++) {
		if (want[i].kept)
			continue;
		if (!(used % BLOCK_MEMBERS)) {
			block_put(b);
			b = block_new(min_t(unsigned int, fresh - used, BLOCK_MEMBERS));
		}
		want[i].m = b ? member_new(want[i].cfg, b, used % BLOCK_MEMBERS) : NULL;
		if (!want[i].m) {
			err = -ENOMEM;
			break;
		}
		used++;
	}
	block_put(b);
	return err;
}

static int make_label(struct vr_member_want *w)
{
	const char *have = w->m->label, *want = w->cfg->label;

	w->same_label = have == want || (have && want && !strcmp(have, want));
	if (w->same_label)
		return 0;
	w->label = vr_label_dup(want);
	if (!IS_ERR(w->label))
		return 0;
	w->label = NULL;
	return -ENOMEM;
}

struct vr_member_want *vr_members_prepare(struct vr_net *vn, const struct vr_group *old,
					  const struct vr_member_cfg *cfg, unsigned int n,
					  struct netlink_ext_ack *extack)
{
	struct vr_member_want *want;
	unsigned int i;
	int err;

	if (!n)
		return NULL;
	want = kvcalloc(n, sizeof(*want), GFP_KERNEL_ACCOUNT);
	if (!want)
		return ERR_PTR(-ENOMEM);

	for (i = 0; i < n; i++)
		want[i].cfg = &cfg[i];
	err = sort_want(want, n, extack);
	for (i = 0; i < n && !err; i++)
		err = find_nexthop(vn, &want[i], extack);
	if (!err)
		err = make_fresh(want, n, find_kept(old, want, n));
	for (i = 0; i < n && !err; i++)
		err = make_label(&want[i]);
	if (err) {
		vr_members_undo(want, n);
		return ERR_PTR(err);
	}
	return want;
}

void vr_members_undo(struct vr_member_want *want, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		vr_label_free(want[i].label);
		if (want[i].m)
			vr_member_put(want[i].m);
	}
	kvfree(want);
}

/* --- and then ------------------------------------------------------------- */

static void set_nexthop(struct vr_member *m, struct vr_nexthop *nh)
{
	struct vr_nexthop *old = rcu_dereference_protected(m->nh, true);

	if (nh == old)
		return;
	if (nh) {
		nh->users++;
		nh->n_members++;
		refcount_inc(&nh->ref);
	}
	rcu_assign_pointer(m->nh, nh);
	m->nh_id = nh ? nh->id : 0;
	if (old) {
		old->users--;
		old->n_members--;
		vr_nexthop_put(old);
	}
}

void vr_members_apply(struct vr_member_want *want, unsigned int n)
{
	struct vr_member *m;
	unsigned int i;

	for (i = 0; i < n; i++) {
		m = want[i].m;
		WRITE_ONCE(m->state, want[i].cfg->state);
		WRITE_ONCE(m->weight, want[i].cfg->weight);
		set_nexthop(m, want[i].nh);
		if (want[i].same_label)
			continue;
		vr_label_swap(&m->label, want[i].label);
		want[i].label = NULL;
	}
}

/* Flows still have it; its next hop may be deleted, but stays in memory for them. */
static void retire(struct vr_member *m)
{
	struct vr_nexthop *nh = rcu_dereference_protected(m->nh, true);

	WRITE_ONCE(m->removed, true);
	if (nh) {
		nh->users--;
		nh->n_members--;
	}
}

void vr_members_finish(const struct vr_group *old, struct vr_member_want *want, unsigned int n)
{
	unsigned int i, j = 0;

	for (i = 0; old && i < old->n; i++) {
		while (j < n && !want[j].kept)
			j++;
		if (j < n && want[j].m == old->members[i])
			j++;
		else
			retire(old->members[i]);
	}
	vr_members_undo(want, n);	/* what was handed on is no longer in there */
}

void vr_members_remove(const struct vr_group *g)
{
	unsigned int i;

	for (i = 0; i < g->n; i++)
		retire(g->members[i]);
}
