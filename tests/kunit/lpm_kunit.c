// SPDX-License-Identifier: GPL-2.0-only
/* Longest prefix match: set, look up, walk and delete, against a naive twin. */

#include "twin.h"

struct ctx {
	struct vr_lpm	t;
	struct twin_lpm	twin;
	struct kt_rnd	r;
	u8		bits;
};

static void nothing(void *value)
{
}

static int init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct ctx), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static void end(struct kunit *test)
{
	struct ctx *c = test->priv;

	if (c && c->t.bits)
		vr_lpm_destroy(&c->t, nothing);
}

static struct ctx *start(struct kunit *test, u8 bits)
{
	struct ctx *c = test->priv;

	c->bits = bits;
	vr_lpm_init(&c->t, bits);
	return c;
}

static void *lookup(struct ctx *c, const union vr_addr *a, u8 *len)
{
	void *value;

	rcu_read_lock();
	value = vr_lpm_lookup(&c->t, a, len);
	rcu_read_unlock();
	return value;
}

static void *value_of(unsigned long i)
{
	return (void *)(i * 16 + 0x1000);
}

/* --- cases with names ----------------------------------------------------- */

struct lookup_case {
	const char	*desc;
	u32		addr;
	unsigned long	value;		/* index in the table below, 0 = none */
	u8		len;
};

static const struct { u32 addr; u8 len; } table[] = {
	{},				/* 0: not in the table */
	{ 0x0a000000, 8 },
	{ 0x0a010000, 16 },
	{ 0x0a010200, 24 },
	{ 0x0a010203, 32 },
	{ 0x0a010280, 25 },
	{ 0xc0a80000, 16 },
	{ 0x80000000, 1 },
	{ 0x0a010204, 31 },
};

static const struct lookup_case lookups[] = {
	{ "only the short one", 0x0a7f0001, 1, 8 },
	{ "the middle one", 0x0a01ff01, 2, 16 },
	{ "inside of the /24", 0x0a010207, 3, 24 },
	{ "host route", 0x0a010203, 4, 32 },
	{ "upper half of the /24", 0x0a0102ff, 5, 25 },
	{ "first of the upper half", 0x0a010280, 5, 25 },
	{ "last of the lower half", 0x0a01027f, 3, 24 },
	{ "pair", 0x0a010205, 8, 31 },
	{ "one bit", 0xffffffff, 7, 1 },
	{ "sixteen below one bit", 0xc0a80101, 6, 16 },
	{ "no default route", 0x0b000000, 0 },
	{ "lowest address", 0, 0 },
};
KT_PARAM(lookups, lookups);

/* The table in both orders, as IPv4 and in the upper and the lower half of an IPv6 address. */
static void named(struct kunit *test)
{
	const struct lookup_case *l = test->param_value;
	struct vr_lpm *t = &start(test, 32)->t;
	unsigned int pass, i, word, shift;
	void *old;
	u8 len;

	for (pass = 0; pass < 6; pass++) {
		word = pass / 2;		/* 0: IPv4; 1, 2: this word of IPv6 */
		shift = word * 32;
		vr_lpm_destroy(t, nothing);
		vr_lpm_init(t, word ? 128 : 32);
		for (i = 1; i < ARRAY_SIZE(table); i++) {
			unsigned int j = pass & 1 ? ARRAY_SIZE(table) - i : i;
			union vr_addr a = {};

			a.w[word] = htonl(table[j].addr);
			KUNIT_ASSERT_EQ(test, vr_lpm_set(t, &a, table[j].len + shift, value_of(j),
							 &old), 0);
			KUNIT_EXPECT_NULL(test, old);
		}
		{
			union vr_addr a = {};

			a.w[word] = htonl(l->addr);
			len = 255;
			KUNIT_EXPECT_PTR_EQ(test, lookup(test->priv, &a, &len),
					    l->value ? value_of(l->value) : NULL);
			if (l->value)
				KUNIT_EXPECT_EQ(test, len, l->len + shift);
			KUNIT_EXPECT_PTR_EQ(test, lookup(test->priv, &a, NULL),
					    l->value ? value_of(l->value) : NULL);
		}
	}
}

static void empty(struct kunit *test)
{
	struct ctx *c = start(test, 128);
	union vr_addr a = {};

	KUNIT_EXPECT_NULL(test, lookup(c, &a, NULL));
	KUNIT_EXPECT_NULL(test, vr_lpm_get(&c->t, &a, 0));
	KUNIT_EXPECT_NULL(test, vr_lpm_next(&c->t, NULL, 0));
	KUNIT_EXPECT_NULL(test, vr_lpm_del(&c->t, &a, 0));
	KUNIT_EXPECT_NULL(test, vr_lpm_del(&c->t, &a, 128));
}

/* The default route and the longest one, which have no bit or no room below. */
static void extremes(struct kunit *test)
{
	struct ctx *c = start(test, 128);
	union vr_addr zero = {}, ones;
	void *old;
	u8 len;

	memset(&ones, 0xff, sizeof(ones));
	KUNIT_ASSERT_EQ(test, vr_lpm_set(&c->t, &zero, 0, value_of(1), &old), 0);
	KUNIT_ASSERT_EQ(test, vr_lpm_set(&c->t, &ones, 128, value_of(2), &old), 0);
	KUNIT_ASSERT_EQ(test, vr_lpm_set(&c->t, &zero, 128, value_of(3), &old), 0);
	KUNIT_EXPECT_PTR_EQ(test, lookup(c, &ones, &len), value_of(2));
	KUNIT_EXPECT_EQ(test, len, 128);
	KUNIT_EXPECT_PTR_EQ(test, lookup(c, &zero, &len), value_of(3));
	ones.w[3] = htonl(0xfffffffe);
	KUNIT_EXPECT_PTR_EQ(test, lookup(c, &ones, &len), value_of(1));
	KUNIT_EXPECT_EQ(test, len, 0);
	KUNIT_EXPECT_PTR_EQ(test, vr_lpm_next(&c->t, NULL, 0), value_of(1));
	KUNIT_EXPECT_PTR_EQ(test, vr_lpm_next(&c->t, &zero, 0), value_of(3));
	KUNIT_EXPECT_PTR_EQ(test, vr_lpm_next(&c->t, &zero, 128), value_of(2));
	KUNIT_EXPECT_PTR_EQ(test, vr_lpm_del(&c->t, &zero, 0), value_of(1));
	KUNIT_EXPECT_NULL(test, lookup(c, &ones, NULL));
}

/* --- random, against the twin --------------------------------------------- */

struct random_case {
	const char	*desc;
	u8		bits;
	u8		octets[3];	/* that vary; the others are the same in all */
	u8		n_octets;
	u64		seed;
};

static const struct random_case randoms[] = {
	{ "IPv4, first octets", 32, { 0, 1 }, 2, 1 },
	{ "IPv4, last octets", 32, { 2, 3 }, 2, 2 },
	{ "IPv4, middle", 32, { 1, 2 }, 2, 3 },
	{ "IPv4, one octet", 32, { 3 }, 1, 4 },
	{ "IPv6, first octets", 128, { 0, 1 }, 2, 5 },
	{ "IPv6, across 32 bits", 128, { 3, 4 }, 2, 6 },
	{ "IPv6, across 64 bits", 128, { 7, 8 }, 2, 7 },
	{ "IPv6, last octets", 128, { 14, 15 }, 2, 8 },
	{ "IPv6, far apart", 128, { 0, 8, 15 }, 3, 9 },
};
KT_PARAM(randoms, randoms);

static union vr_addr random_addr(struct kt_rnd *r, const struct random_case *rc)
{
	union vr_addr a = {};
	unsigned int i;

	memset(&a, 0xa5, rc->bits / 8);
	for (i = 0; i < rc->n_octets; i++)
		((u8 *)&a)[rc->octets[i]] = kt_rnd(r) & kt_rnd(r);
	return a;
}

struct match_arg {
	struct twin_lpm	*twin;
	const union vr_addr *addr;
	unsigned int	n, stop;
	int		last;
	bool		wrong;
};

static bool on_match(void *value, u8 len, void *arg)
{
	struct match_arg *m = arg;
	struct twin_prefix *p;
	union vr_addr a = *m->addr;

	twin_mask(&a, len);
	p = twin_lpm_get(m->twin, &a, len);
	m->wrong |= !p || p->value != value || len <= m->last;
	m->last = len;
	return ++m->n == m->stop;
}

static unsigned int twin_matches(struct twin_lpm *t, const union vr_addr *a)
{
	unsigned int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += twin_prefix_holds(&t->p[i].addr, t->p[i].len, a);
	return n;
}

static void compare_at(struct kunit *test, struct ctx *c, const union vr_addr *a)
{
	struct match_arg m = { .twin = &c->twin, .addr = a, .last = -1 };
	struct twin_prefix *want = twin_lpm_lookup(&c->twin, a);
	unsigned int n = twin_matches(&c->twin, a);
	u8 len = 0;
	bool stopped;

	if (lookup(c, a, &len) != (want ? want->value : NULL) || (want && len != want->len))
		KUNIT_FAIL(test, "lookup of %pI6: /%u, expected /%d", a, len,
			   want ? want->len : -1);
	rcu_read_lock();
	stopped = vr_lpm_match(&c->t, a, on_match, &m);
	rcu_read_unlock();
	if (m.wrong || m.n != n || stopped)
		KUNIT_FAIL(test, "match of %pI6: %u, expected %u", a, m.n, n);
	if (!n)
		return;
	m = (struct match_arg){ .twin = &c->twin, .addr = a, .last = -1,
				.stop = 1 + kt_rnd_below(&c->r, n) };
	n = m.stop;
	rcu_read_lock();
	stopped = vr_lpm_match(&c->t, a, on_match, &m);
	rcu_read_unlock();
	if (m.wrong || m.n != n || !stopped)
		KUNIT_FAIL(test, "match of %pI6 stopped after %u, expected %u", a, m.n, n);
}

/* vr_lpm_next() over all of it, and from a key that need not be there. */
static void compare_order(struct kunit *test, struct ctx *c, const union vr_addr *from, u8 len)
{
	struct twin_prefix *p = NULL;
	unsigned int n = 0;

	do {
		void *got = vr_lpm_next(&c->t, p ? &p->addr : NULL, p ? p->len : 0);

		p = twin_lpm_next(&c->twin, p ? &p->addr : NULL, p ? p->len : 0);
		KUNIT_ASSERT_PTR_EQ_MSG(test, got, p ? p->value : NULL, "after %u prefixes", n);
		n++;
	} while (p);
	p = twin_lpm_next(&c->twin, from, len);
	KUNIT_ASSERT_PTR_EQ_MSG(test, vr_lpm_next(&c->t, from, len), p ? p->value : NULL,
				"after %pI6/%u", from, len);
}

static void random(struct kunit *test)
{
	const struct random_case *rc = test->param_value;
	struct ctx *c = start(test, rc->bits);
	unsigned int i;

	c->r.state = rc->seed;
	for (i = 0; i < 1500; i++) {
		union vr_addr a = random_addr(&c->r, rc), p = a;
		u8 len = kt_rnd_below(&c->r, rc->bits + 1);
		struct twin_prefix *have;
		void *old, *twin_old;

		/* Lengths where the bits vary, mostly; both growing and shrinking phases. */
		if (kt_rnd_below(&c->r, 4))
			len = min(rc->octets[kt_rnd_below(&c->r, rc->n_octets)] * 8 +
				  kt_rnd_below(&c->r, 9), (u32)rc->bits);
		twin_mask(&p, len);
		if (kt_rnd_below(&c->r, 100) < (i / 300 % 2 ? 30 : 70)) {
			if (!twin_lpm_set(&c->twin, &p, len, value_of(i + 1), &twin_old))
				continue;
			KUNIT_ASSERT_EQ(test, vr_lpm_set(&c->t, &p, len, value_of(i + 1), &old), 0);
			KUNIT_ASSERT_PTR_EQ_MSG(test, old, twin_old, "set in round %u", i);
		} else {
			if (c->twin.n && i & 1) {
				have = &c->twin.p[kt_rnd_below(&c->r, c->twin.n)];
				p = have->addr;
				len = have->len;
			}
			twin_old = twin_lpm_del(&c->twin, &p, len);
			KUNIT_ASSERT_PTR_EQ_MSG(test, vr_lpm_del(&c->t, &p, len), twin_old,
						"del in round %u", i);
		}
		have = twin_lpm_get(&c->twin, &p, len);
		KUNIT_ASSERT_PTR_EQ_MSG(test, vr_lpm_get(&c->t, &p, len),
					have ? have->value : NULL, "get in round %u", i);
		compare_at(test, c, &a);
		if (i % 250 == 0)
			compare_order(test, c, &p, len);
	}
	/* To nothing again: the last node must go too. */
	while (c->twin.n) {
		struct twin_prefix p = c->twin.p[kt_rnd_below(&c->r, c->twin.n)];

		twin_lpm_del(&c->twin, &p.addr, p.len);
		KUNIT_ASSERT_PTR_EQ(test, vr_lpm_del(&c->t, &p.addr, p.len), p.value);
	}
	KUNIT_EXPECT_NULL(test, rcu_dereference_check(c->t.root, 1));
}

static unsigned int freed;

static void count_free(void *value)
{
	freed++;
}

static void destroy(struct kunit *test)
{
	struct ctx *c = start(test, 32);
	union vr_addr a = {};
	unsigned int i;
	void *old;

	for (i = 0; i < 200; i++) {
		a.v4 = htonl(i << 8);
		KUNIT_ASSERT_EQ(test, vr_lpm_set(&c->t, &a, 24 + i % 3, value_of(i), &old), 0);
	}
	freed = 0;
	vr_lpm_destroy(&c->t, count_free);
	KUNIT_EXPECT_EQ(test, freed, 200);
	c->t.bits = 0;
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(named, lookups_gen_params),
	KUNIT_CASE(empty),
	KUNIT_CASE(extremes),
	KUNIT_CASE_PARAM(random, randoms_gen_params),
	KUNIT_CASE(destroy),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_lpm",
	.init = init,
	.exit = end,
	.test_cases = cases,
};

kunit_test_suite(suite);
