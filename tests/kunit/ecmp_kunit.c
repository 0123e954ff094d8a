// SPDX-License-Identifier: GPL-2.0-only
/*
 * Choice of a member: shares follow weights, a change moves no more than it
 * must. Every one of the 65536 hashes that a table can tell apart is asked, so
 * that nothing depends on luck.
 */

#include "kunit_util.h"

#define KEYS	65536
#define NH	9
#define BASE	0x0a010000	/* member i: BASE + i */
#define MEMBERS	1000

struct ctx {
	unsigned int		n;
	struct vr_member_cfg	m[MEMBERS];
	u16			*was, *now;	/* key -> member, 0xffff = none */
	u32			*count;
};

static struct ctx *ctx_new(struct kunit *test)
{
	struct ctx *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->was = kunit_kzalloc(test, 2 * KEYS * sizeof(u16), GFP_KERNEL);
	c->count = kunit_kzalloc(test, MEMBERS * sizeof(u32), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c->was);
	KUNIT_ASSERT_NOT_NULL(test, c->count);
	c->now = c->was + KEYS;
	return c;
}

static void add(struct ctx *c, u32 i, u32 weight)
{
	c->m[c->n++] = (struct vr_member_cfg){ .addr = kt_addr(AF_INET, BASE + i),
					       .family = AF_INET, .port = htons(8080),
					       .weight = weight };
}

static void del(struct ctx *c, unsigned int pos)
{
	memmove(&c->m[pos], &c->m[pos + 1], (--c->n - pos) * sizeof(c->m[0]));
}

static u32 number(const struct vr_member *m)
{
	return ntohl(m->addr.v4) - BASE;
}

/* Programs the members and asks every key; the former answers are in c->was. */
static void apply(struct kunit *test, struct ctx *c)
{
	const struct vr_group *g;
	unsigned int k;

	kt_set_nexthop(kt_world(test), &(struct vr_nexthop_cfg){ .id = NH,
		.type = VROUTER_NEXTHOP_TYPE_ECMP, .n_members = c->n, .members = c->m });
	swap(c->was, c->now);
	memset(c->count, 0, MEMBERS * sizeof(u32));
	rcu_read_lock();
	g = rcu_dereference(vr_nexthop_rcu(kt_world(test)->vn, NH)->group);
	for (k = 0; k < KEYS; k++) {
		struct vr_member *m = vr_group_select(g, k);

		c->now[k] = m ? number(m) : 0xffff;
		if (m)
			c->count[number(m)]++;
	}
	rcu_read_unlock();
}

static unsigned int moved(const struct ctx *c)
{
	unsigned int k, n = 0;

	for (k = 0; k < KEYS; k++)
		n += c->was[k] != c->now[k];
	return n;
}

/* Each member that takes new flows within 5 % of what its weight is worth. */
static void expect_shares(struct kunit *test, const struct ctx *c, const char *what)
{
	bool active = false;
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < c->n; i++)
		active |= c->m[i].state == VROUTER_MEMBER_STATE_ACTIVE;
	for (i = 0; i < c->n; i++)
		if (!active || c->m[i].state == VROUTER_MEMBER_STATE_ACTIVE)
			sum += c->m[i].weight;
	for (i = 0; i < c->n; i++) {
		u32 id = ntohl(c->m[i].addr.v4) - BASE, got = c->count[id];
		bool takes = !active || c->m[i].state == VROUTER_MEMBER_STATE_ACTIVE;
		u64 want = takes ? (u64)KEYS * 1000 * c->m[i].weight : 0;

		do_div(want, sum);	/* thousandths of a key */
		if (abs((s64)got * 1000 - (s64)want) * 20 > want)
			KUNIT_FAIL(test, "%s: member %u of %u has %u keys, %llu.%03llu are its share",
				   what, id, c->n, got, want / 1000, want % 1000);
	}
}

/* At most 1/n of the keys and one in a hundred. */
static void expect_moved(struct kunit *test, const struct ctx *c, unsigned int n, const char *what)
{
	unsigned int m = moved(c);

	if (m > KEYS / n + KEYS / 100)
		KUNIT_FAIL(test, "%s to %u members: %u of %u keys moved", what, c->n, m, KEYS);
}

/* Those that stay keep all they had. */
static void expect_only_of(struct kunit *test, const struct ctx *c, u32 removed)
{
	unsigned int k, wrong = 0;

	for (k = 0; k < KEYS; k++)
		wrong += c->was[k] != removed && c->was[k] != c->now[k];
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0, "keys of others moved when %u of %u went", removed,
			    c->n + 1);
}

/* --- shares --------------------------------------------------------------- */

struct share {
	const char	*desc;
	unsigned int	n;
	u32		weight[8];	/* repeated; 0 ends */
};

static const struct share shares[] = {
	{ "one", 1, { 1 } },
	{ "two", 2, { 1 } },
	{ "three", 3, { 1 } },
	{ "seven", 7, { 1 } },
	{ "twenty", 20, { 1 } },
	{ "hundred", 100, { 1 } },
	{ "thousand", 1000, { 1 } },
	{ "equal large weights", 3, { 1000 } },
	{ "one two three", 3, { 1, 2, 3 } },
	{ "one to ten", 2, { 1, 10 } },
	{ "one to a thousand", 2, { 1, 1000 } },
	{ "primes", 30, { 2, 3, 5, 7, 11 } },
	{ "hundred of mixed weight", 100, { 10, 20, 7, 13, 1 } },
};
KT_PARAM(shares, shares);

static void share(struct kunit *test)
{
	const struct share *s = test->param_value;
	struct ctx *c = ctx_new(test);
	unsigned int i, period;

	for (period = 0; period < 8 && s->weight[period]; period++)
		;
	for (i = 0; i < s->n; i++)
		add(c, i, s->weight[i % period]);
	apply(test, c);
	expect_shares(test, c, s->desc);
}

/* --- changes -------------------------------------------------------------- */

static const struct share sizes[] = {
	{ "two", 2 }, { "three", 3 }, { "eight", 8 }, { "hundred", 100 }, { "thousand", 1000 },
};
KT_PARAM(sizes, sizes);

static void remove_one(struct kunit *test)
{
	const struct share *s = test->param_value;
	unsigned int i, gone, step = max(1u, s->n / 8);
	struct ctx *c = ctx_new(test);

	for (gone = 0; gone < s->n; gone += step) {
		c->n = 0;
		for (i = 0; i < s->n; i++)
			add(c, i, 1);
		apply(test, c);
		del(c, gone);
		apply(test, c);
		expect_only_of(test, c, gone);
		expect_shares(test, c, "one removed");
		KUNIT_EXPECT_EQ(test, c->count[gone], 0);
	}
}

static void add_one(struct kunit *test)
{
	const struct share *s = test->param_value;
	struct ctx *c = ctx_new(test);
	unsigned int i;

	for (i = 0; i + 1 < s->n; i++)
		add(c, i, 1);
	apply(test, c);
	add(c, i, 1);
	apply(test, c);
	expect_moved(test, c, c->n, "grown");
	expect_shares(test, c, "one added");
}

/* One by one up, through several doublings of the table, and down again. */
static void up_and_down(struct kunit *test)
{
	struct ctx *c = ctx_new(test);
	unsigned int i;

	for (i = 0; i < 140; i++) {
		add(c, (i * 37) % 140, 1);
		apply(test, c);
		if (i)
			expect_moved(test, c, c->n, "grown");
		expect_shares(test, c, "growing");
	}
	while (c->n > 1) {
		u32 gone = ntohl(c->m[c->n / 2].addr.v4) - BASE;

		del(c, c->n / 2);
		apply(test, c);
		expect_only_of(test, c, gone);
		expect_shares(test, c, "shrinking");
	}
}

/* The order in which members are listed says nothing; nor does saying them again. */
static void order(struct kunit *test)
{
	struct ctx *c = ctx_new(test);
	unsigned int i;

	for (i = 0; i < 50; i++)
		add(c, i, 1 + i % 3);
	apply(test, c);
	apply(test, c);
	KUNIT_EXPECT_EQ(test, moved(c), 0);
	for (i = 0; i < 25; i++)
		swap(c->m[i], c->m[49 - i]);
	apply(test, c);
	KUNIT_EXPECT_EQ(test, moved(c), 0);
}

static void weight_change(struct kunit *test)
{
	struct ctx *c = ctx_new(test);
	unsigned int i;

	for (i = 0; i < 10; i++)
		add(c, i, 10);
	apply(test, c);
	c->m[3].weight = 20;		/* from 10/100 to 20/110: 8.2 % */
	apply(test, c);
	expect_shares(test, c, "heavier");
	KUNIT_EXPECT_LE(test, moved(c), KEYS * 92 / 1000 + 1);
	c->m[3].weight = 1;		/* to 1/91: 17.1 % */
	apply(test, c);
	expect_shares(test, c, "lighter");
	KUNIT_EXPECT_LE(test, moved(c), KEYS * 181 / 1000 + 1);
}

/* Random changes, several members at once: what a step may move is bounded by the share
 * of what came and what went.
 */
static void random_changes(struct kunit *test)
{
	struct ctx *c = ctx_new(test);
	struct kt_rnd r = { .state = 11 };
	unsigned int step, i, n, gone, came;
	bool in[200] = {};

	for (step = 0; step < 120; step++) {
		gone = 0;
		came = 0;
		n = c->n;
		for (i = kt_rnd_below(&r, 4); i && c->n > 2; i--) {
			unsigned int pos = kt_rnd_below(&r, c->n);

			in[ntohl(c->m[pos].addr.v4) - BASE] = false;
			del(c, pos);
			gone++;
		}
		for (i = kt_rnd_below(&r, step < 60 ? 9 : 3); i; i--) {
			u32 id = kt_rnd_below(&r, 200);

			if (in[id])
				continue;
			in[id] = true;
			add(c, id, 1);
			came++;
		}
		if (!c->n)
			continue;
		apply(test, c);
		expect_shares(test, c, "random");
		if (n && moved(c) > KEYS * gone / n + KEYS * came / c->n + KEYS / 100)
			KUNIT_FAIL(test, "step %u: %u - %u + %u members: %u keys moved", step, n,
				   gone, came, moved(c));
	}
}

/* --- states --------------------------------------------------------------- */

static void draining(struct kunit *test)
{
	struct ctx *c = ctx_new(test);
	unsigned int i;

	for (i = 0; i < 4; i++)
		add(c, i, 1);
	apply(test, c);
	c->m[1].state = VROUTER_MEMBER_STATE_DRAINING;
	apply(test, c);
	KUNIT_EXPECT_EQ(test, c->count[1], 0);
	expect_only_of(test, c, 1);
	expect_shares(test, c, "one drains");
	for (i = 0; i < 4; i++)
		c->m[i].state = VROUTER_MEMBER_STATE_DRAINING;
	apply(test, c);
	expect_shares(test, c, "all drain");
	c->m[2].state = VROUTER_MEMBER_STATE_ACTIVE;
	apply(test, c);
	KUNIT_EXPECT_EQ(test, c->count[2], KEYS);
}

static void none(struct kunit *test)
{
	struct ctx *c = ctx_new(test);

	apply(test, c);
	KUNIT_EXPECT_EQ(test, c->now[0], 0xffff);
	add(c, 1, 1);
	apply(test, c);
	KUNIT_EXPECT_EQ(test, c->count[1], KEYS);
	c->n = 0;
	apply(test, c);
	KUNIT_EXPECT_EQ(test, c->now[KEYS - 1], 0xffff);
	rcu_read_lock();
	KUNIT_EXPECT_NULL(test, vr_group_select(rcu_dereference(
		vr_nexthop_rcu(kt_world(test)->vn, NH)->group), 0));
	rcu_read_unlock();
}

static struct vr_member *find(struct kunit *test, u32 i)
{
	struct vr_nexthop *nh = xa_load(&kt_world(test)->vn->nexthops, NH);
	union vr_addr a = kt_addr(AF_INET, BASE + i);

	return vr_group_find(rcu_dereference_check(nh->group, 1), AF_INET, &a, htons(8080));
}

/* A member goes on through replaces of its group: counters, identity, the mark when it goes. */
static void identity(struct kunit *test)
{
	struct vr_pcpu_counters __percpu *counters;
	struct ctx *c = ctx_new(test);
	struct vr_member *m, *gone;
	struct vr_counters sum;
	unsigned int i;

	for (i = 0; i < 5; i++)
		add(c, i, 1);
	apply(test, c);
	m = find(test, 3);
	gone = find(test, 2);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_ASSERT_NOT_NULL(test, gone);
	KUNIT_ASSERT_TRUE(test, vr_member_tryget(m));
	KUNIT_ASSERT_TRUE(test, vr_member_tryget(gone));
	counters = m->counters;
	local_bh_disable();
	vr_count_rx(counters, 100);
	local_bh_enable();

	del(c, 2);
	apply(test, c);
	KUNIT_EXPECT_TRUE(test, gone->removed);
	KUNIT_EXPECT_FALSE(test, m->removed);
	KUNIT_EXPECT_NULL(test, find(test, 2));
	KUNIT_ASSERT_NOT_NULL(test, find(test, 3));
	KUNIT_EXPECT_PTR_EQ(test, find(test, 3)->counters, counters);
	vr_counters_sum(find(test, 3)->counters, &sum);
	KUNIT_EXPECT_EQ(test, sum.rx_packets, 1);
	KUNIT_EXPECT_EQ(test, sum.rx_bytes, 100);

	c->m[2].weight = 7;		/* number 3 */
	c->m[2].state = VROUTER_MEMBER_STATE_DRAINING;
	apply(test, c);
	KUNIT_EXPECT_FALSE(test, m->removed);
	KUNIT_EXPECT_PTR_EQ(test, find(test, 3)->counters, counters);
	KUNIT_EXPECT_EQ(test, find(test, 3)->weight, 7);
	KUNIT_EXPECT_EQ(test, find(test, 3)->state, VROUTER_MEMBER_STATE_DRAINING);

	/* Come back: takes flows again. */
	add(c, 2, 1);
	apply(test, c);
	KUNIT_ASSERT_NOT_NULL(test, find(test, 2));
	KUNIT_EXPECT_FALSE(test, find(test, 2)->removed);
	vr_member_put(m);
	vr_member_put(gone);
}

/* Deleting the next hop ends its members. */
static void deleted(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct ctx *c = ctx_new(test);
	struct vr_member *m;

	add(c, 0, 1);
	apply(test, c);
	m = find(test, 0);
	KUNIT_ASSERT_TRUE(test, vr_member_tryget(m));
	kt_lock(w);
	KUNIT_EXPECT_EQ(test, vr_nexthop_del(w->vn, NH, NULL), 0);
	kt_unlock(w);
	KUNIT_EXPECT_TRUE(test, m->removed);
	vr_member_put(m);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(share, shares_gen_params),
	KUNIT_CASE_PARAM(remove_one, sizes_gen_params),
	KUNIT_CASE_PARAM(add_one, sizes_gen_params),
	KUNIT_CASE(up_and_down),
	KUNIT_CASE(order),
	KUNIT_CASE(weight_change),
	KUNIT_CASE(random_changes),
	KUNIT_CASE(draining),
	KUNIT_CASE(none),
	KUNIT_CASE(identity),
	KUNIT_CASE(deleted),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_ecmp",
	.init = kt_init,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
