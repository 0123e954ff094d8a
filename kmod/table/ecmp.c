// SPDX-License-Identifier: GPL-2.0-only
/*
 * The choice of a member: a table of slots, each with a member's index.
 *
 * A new table is made from the old one. First each member's number of slots is
 * planned, by arithmetic alone; then a member keeps its slots up to that number
 * and the rest goes to those that lack some. So no slot moves but those of
 * members that go, and those that others must give up for their share.
 *
 * A share is not exact: rounded down or up, which of the two is left as it was.
 * With 32 slots for the smallest share this is off by 3 % at most. A table that
 * would need more than 65536 slots is coarser, but each member has a slot.
 */

#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/slab.h>

#include "table.h"

#define MIN_SHARE	32
#define MAX_SLOTS	65536
#define NONE		U16_MAX		/* VR_GROUP_MAX_MEMBERS is less */

struct plan {
	u32	weight;		/* that counts: 0 = takes no new flow */
	u32	was;		/* slots in the old table, after doubling it */
	u32	want;		/* slots in the new one */
	u32	low;		/* exact share, rounded down */
	u32	keep, lack;	/* while the new one is filled */
};

/* --- how many ------------------------------------------------------------- */

/* Sum and smallest of the weights that count. */
static u32 weigh(const struct vr_member_want *want, struct plan *p, unsigned int n, u32 *least)
{
	bool active = false;
	unsigned int i;
	u32 sum = 0;

	for (i = 0; i < n; i++)
		active |= want[i].cfg->state == VROUTER_MEMBER_STATE_ACTIVE;

	*least = U32_MAX;
	for (i = 0; i < n; i++) {
		if (active && want[i].cfg->state != VROUTER_MEMBER_STATE_ACTIVE)
			continue;
		p[i].weight = max(want[i].cfg->weight, 1u);
		*least = min(*least, p[i].weight);
		sum += p[i].weight;
	}
	return sum;
}

/* A table never shrinks while it is in use: half the flows' slots would change. */
static u32 count_slots(const struct vr_group *old, u32 sum, u32 least, bool *coarse)
{
	u64 need = (u64)DIV_ROUND_UP(sum, least) * MIN_SHARE;

	*coarse = need > MAX_SLOTS;
	need = *coarse ? MAX_SLOTS : roundup_pow_of_two((unsigned long)need);
	return old ? max_t(u32, need, old->n_slots) : need;
}

/* What a member must have: one that is at most 4 % short need not be helped at
 * the cost of others.
 */
static u32 must(const struct plan *p)
{
	if (p->was * 25 >= (p->low + 1) * 24)
		return min(p->was, p->low);
	return p->low;
}

static void plan_shares(struct plan *p, unsigned int n, u32 slots, u32 sum, bool coarse)
{
	unsigned int i, eligible = 0;
	u32 base;

	for (i = 0; i < n; i++)
		eligible += !!p[i].weight;
	base = coarse ? eligible : 0;
	for (i = 0; i < n; i++)
		if (p[i].weight)
			p[i].low = coarse + div_u64((u64)(slots - base) * p[i].weight, sum);
}

/* The sum of "low" is at most the number of slots, that of "low + 1" is more;
 * so there is always somebody to take from, or to give to.
 */
static void plan_slots(struct plan *p, unsigned int n, u32 slots)
{
	u32 free = slots, need = 0, give;
	unsigned int i;

	/* Keeps what it has, unless that is too much */
	for (i = 0; i < n; i++) {
		p[i].want = p[i].was > p[i].low + !!p[i].weight ? p[i].low : p[i].was;
		free -= p[i].want;
		need += must(&p[i]) - min(p[i].want, must(&p[i]));
	}
	/* Who is rounded up helps where nothing free is left */
	for (i = 0; i < n && need > free; i++) {
		if (p[i].want > p[i].low) {
			p[i].want--;
			free++;
		}
	}
	for (i = 0; i < n; i++) {
		give = must(&p[i]) - min(p[i].want, must(&p[i]));
		p[i].want += give;
		free -= give;
	}
	for (i = 0; i < n; i++) {
		give = min(free, p[i].low - min(p[i].want, p[i].low));
		p[i].want += give;
		free -= give;
	}
	for (i = 0; i < n && free; i++) {
		if (p[i].weight && p[i].want == p[i].low) {
			p[i].want++;
			free--;
		}
	}
}

/* --- which ---------------------------------------------------------------- */

/* Both lists are in the same order. to[]: old index to new. */
static void map_members(const struct vr_group *old, const struct vr_member_want *want,
			unsigned int n, u16 *to)
{
	unsigned int i, j = 0;

	for (i = 0; i < old->n; i++) {
		while (j < n && !want[j].kept)
			j++;
		to[i] = j < n && want[j].m == old->members[i] ? j++ : NONE;
	}
}

/* In one walk over the table: a member's first slots are kept, up to what it may
 * keep, and what is free goes to the next that lacks some.
 */
static void deal_slots(struct vr_group *g, struct plan *p, const struct vr_group *old,
		       const u16 *to)
{
	u32 s, i, mask = old && old->n_slots ? old->n_slots - 1 : 0, next = 0;

	for (i = 0; i < g->n; i++) {
		p[i].keep = min(p[i].was, p[i].want);
		p[i].lack = p[i].want - p[i].keep;
	}
	for (s = 0; s < g->n_slots; s++) {
		i = mask ? to[old->slots[s & mask]] : NONE;
		if (i != NONE && p[i].keep) {
			p[i].keep--;
		} else {
			while (next + 1 < g->n && !p[next].lack)
				next++;
			p[next].lack--;
			i = next;
		}
		g->slots[s] = i;
	}
}

/* --- the group ------------------------------------------------------------ */

static struct vr_group *group_alloc(unsigned int n, unsigned int n_slots)
{
	struct vr_group *g;

	g = kvzalloc(sizeof(*g) + n * (sizeof(*g->members) + sizeof(*g->held)) +
		     n_slots * sizeof(*g->slots), GFP_KERNEL_ACCOUNT);
	if (!g)
		return NULL;
	g->n = n;
	g->n_slots = n_slots;
	g->members = (void *)(g + 1);
	g->held = (void *)(g->members + n);
	g->slots = (void *)(g->held + n);
	return g;
}

static void take_members(struct vr_group *g, const struct vr_member_want *want,
			 const struct plan *p)
{
	unsigned int i;

	for (i = 0; i < g->n; i++) {
		refcount_inc(&want[i].m->ref);
		g->members[i] = want[i].m;
		g->held[i] = p[i].want;
	}
}

struct vr_group *vr_group_build(const struct vr_group *old, const struct vr_member_want *want,
				unsigned int n)
{
	unsigned int i, old_n = old ? old->n : 0;
	u32 sum, least, slots;
	struct vr_group *g;
	struct plan *p;
	bool coarse;
	u16 *to;

	if (!n)
		return group_alloc(0, 0) ?: ERR_PTR(-ENOMEM);
	p = kvzalloc(n * sizeof(*p) + old_n * sizeof(*to), GFP_KERNEL);
	if (!p)
		return ERR_PTR(-ENOMEM);
	to = (void *)(p + n);

	sum = weigh(want, p, n, &least);
	slots = count_slots(old, sum, least, &coarse);
	g = group_alloc(n, slots);
	if (!g) {
		kvfree(p);
		return ERR_PTR(-ENOMEM);
	}
	if (old_n) {
		map_members(old, want, n, to);
		for (i = 0; i < old_n; i++)
			if (to[i] != NONE)
				p[to[i]].was = old->held[i] * (slots / old->n_slots);
	}
	plan_shares(p, n, slots, sum, coarse);
	plan_slots(p, n, slots);
	deal_slots(g, p, old, to);
	take_members(g, want, p);
	kvfree(p);
	return g;
}

struct vr_member *vr_group_find(const struct vr_group *g, u8 family,
				const union vr_addr *addr, __be16 port)
{
	const struct vr_member_cfg key = { .family = family, .addr = *addr, .port = port };
	unsigned int lo = 0, hi = g->n, mid;
	int c;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		c = vr_member_cmp(g->members[mid], &key);
		if (!c)
			return g->members[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

void vr_group_free(struct vr_group *g)
{
	unsigned int i;

	for (i = 0; i < g->n; i++)
		vr_member_put(g->members[i]);
	kvfree(g);
}

static void group_free_rcu(struct rcu_head *rcu)
{
	vr_group_free(container_of(rcu, struct vr_group, rcu));
}

void vr_group_free_later(struct vr_group *g)
{
	call_rcu(&g->rcu, group_free_rcu);
}
