// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compiled security group rules: cases with names, then random rule lists
 * against walking the list. Whether something matches must agree, and the rule
 * that is named must really match; the first that matches is that of the list.
 */

#include "twin.h"

#define IN	VROUTER_DIRECTION_INGRESS
#define OUT	VROUTER_DIRECTION_EGRESS
#define ICMP(_type, _code)	((_type) << 8 | (_code))

/* Rules whose exceptions and labels are owned, as the builder takes them over. */
static struct vr_sg_rule *own(struct kunit *test, const struct vr_sg_rule *rules, unsigned int n)
{
	struct vr_sg_rule *copy = kmemdup(rules, n * sizeof(*rules), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	for (i = 0; i < n; i++) {
		if (!copy[i].n_except)
			continue;
		copy[i].except = kmemdup(copy[i].except,
					 copy[i].n_except * sizeof(*copy[i].except), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, copy[i].except);
	}
	return copy;
}

static struct vr_ruleset *build(struct kunit *test, const struct vr_sg_rule *rules, unsigned int n)
{
	struct netlink_ext_ack extack = {};
	struct vr_ruleset *rs = vr_ruleset_build(own(test, rules, n), n, &extack);

	if (IS_ERR(rs))
		KUNIT_FAIL(test, "build: %ld %s", PTR_ERR(rs), extack._msg ?: "");
	KUNIT_ASSERT_FALSE(test, IS_ERR(rs));
	return rs;
}

static int match(const struct vr_ruleset *rs, const struct vr_sg_query *q)
{
	int i;

	rcu_read_lock();
	i = vr_ruleset_match(rs, q);
	rcu_read_unlock();
	return i;
}

/* --- cases with names ----------------------------------------------------- */

static struct vr_prefix except_low[] = {
	{ .addr.v4 = cpu_to_be32(0x0a010000), .family = AF_INET, .len = 16 },
	{ .addr.v4 = cpu_to_be32(0x0a020304), .family = AF_INET, .len = 32 },
};

#define NET4(_a, _l) { .addr.v4 = cpu_to_be32(_a), .family = AF_INET, .len = _l }
#define ANY_PORT .lo = 0, .hi = 65535

/* One list for all: each question below is answered by the rule it names. */
static const struct vr_sg_rule rules[] = {
	/* 0 */ { IN, 0, IPPROTO_TCP, VR_PEER_ANY, 80, 80 },
	/* 1 */ { IN, 0, IPPROTO_TCP, VR_PEER_ANY, 8000, 8999 },
	/* 2 */ { IN, 0, IPPROTO_UDP, VR_PEER_SG, 53, 53, 70 },
	/* 3 */ { IN, 0, 0, VR_PEER_SG, ANY_PORT, 71 },
	/* 4 */ { IN, AF_INET, IPPROTO_TCP, VR_PEER_PREFIX, 443, 443, 0, NET4(0x0a000000, 8), 2,
		  except_low },
	/* 5 */ { IN, AF_INET, IPPROTO_TCP, VR_PEER_PREFIX, 443, 443, 0, NET4(0x0a010500, 24) },
	/* 6 */ { OUT, 0, 0, VR_PEER_ANY, ANY_PORT },
	/* 7 */ { IN, AF_INET, IPPROTO_ICMP, VR_PEER_ANY, ICMP(8, 0), ICMP(8, 0) },
	/* 8 */ { IN, AF_INET6, IPPROTO_ICMPV6, VR_PEER_ANY, ICMP(128, 0), ICMP(128, 255) },
	/* 9 */ { IN, AF_INET6, IPPROTO_TCP, VR_PEER_ANY, 22, 22 },
	/* 10 */ { IN, 0, IPPROTO_SCTP, VR_PEER_ANY, ANY_PORT },
	/* 11 */ { IN, AF_INET, 0, VR_PEER_PREFIX, ANY_PORT, 0, NET4(0xc0a80101, 32) },
	/* 12 */ { IN, 0, IPPROTO_TCP, VR_PEER_ANY, 8080, 8080 },
	/* 13 */ { IN, AF_INET, IPPROTO_UDP, VR_PEER_PREFIX, 1000, 2000, 0, NET4(0, 0) },
};

struct question {
	const char	*desc;
	u8		direction, family, proto;
	u16		port;
	u32		peer;
	u32		sgs[2];
	int		rule;		/* -1 = refused */
};

static const struct question questions[] = {
	{ "port", IN, AF_INET, IPPROTO_TCP, 80, 0x0b000001, {}, 0 },
	{ "port, IPv6", IN, AF_INET6, IPPROTO_TCP, 80, 1, {}, 0 },
	{ "other port", IN, AF_INET, IPPROTO_TCP, 81, 0x0b000001, {}, -1 },
	{ "port below", IN, AF_INET, IPPROTO_TCP, 79, 0x0b000001, {}, -1 },
	{ "other protocol", IN, AF_INET, IPPROTO_UDP, 80, 0x0b000001, {}, -1 },
	{ "first of a range", IN, AF_INET, IPPROTO_TCP, 8000, 0x0b000001, {}, 1 },
	{ "last of a range", IN, AF_INET, IPPROTO_TCP, 8999, 0x0b000001, {}, 1 },
	{ "below a range", IN, AF_INET, IPPROTO_TCP, 7999, 0x0b000001, {}, -1 },
	{ "above a range", IN, AF_INET, IPPROTO_TCP, 9000, 0x0b000001, {}, -1 },
	{ "first of two in the list", IN, AF_INET, IPPROTO_TCP, 8080, 0x0b000001, {}, 1 },
	{ "peer group", IN, AF_INET, IPPROTO_UDP, 53, 0x0b000001, { 70 }, 2 },
	{ "one of two peer groups", IN, AF_INET, IPPROTO_UDP, 53, 0x0b000001, { 5, 70 }, 2 },
	{ "peer group, other port", IN, AF_INET, IPPROTO_UDP, 54, 0x0b000001, { 70 }, -1 },
	{ "another group", IN, AF_INET, IPPROTO_UDP, 53, 0x0b000001, { 72 }, -1 },
	{ "peer group, anything", IN, AF_INET, IPPROTO_UDP, 9, 0x0b000001, { 71 }, 3 },
	{ "peer group, anything, ICMP", IN, AF_INET, IPPROTO_ICMP, ICMP(13, 0), 1, { 71 }, 3 },
	{ "prefix", IN, AF_INET, IPPROTO_TCP, 443, 0x0a000001, {}, 4 },
	{ "prefix, last address", IN, AF_INET, IPPROTO_TCP, 443, 0x0affffff, {}, 4 },
	{ "behind the prefix", IN, AF_INET, IPPROTO_TCP, 443, 0x0b000000, {}, -1 },
	{ "in the exception", IN, AF_INET, IPPROTO_TCP, 443, 0x0a010001, {}, -1 },
	{ "last of the exception", IN, AF_INET, IPPROTO_TCP, 443, 0x0a01ffff, {}, -1 },
	{ "behind the exception", IN, AF_INET, IPPROTO_TCP, 443, 0x0a020000, {}, 4 },
	{ "address excepted", IN, AF_INET, IPPROTO_TCP, 443, 0x0a020304, {}, -1 },
	{ "beside the address", IN, AF_INET, IPPROTO_TCP, 443, 0x0a020305, {}, 4 },
	{ "excepted, allowed by another", IN, AF_INET, IPPROTO_TCP, 443, 0x0a010501, {}, 5 },
	{ "prefix has a family", IN, AF_INET6, IPPROTO_TCP, 443, 0x0a000001, {}, -1 },
	{ "egress", OUT, AF_INET, IPPROTO_TCP, 9999, 0x0b000001, {}, 6 },
	{ "egress ICMPv6", OUT, AF_INET6, IPPROTO_ICMPV6, ICMP(1, 4), 1, {}, 6 },
	{ "echo", IN, AF_INET, IPPROTO_ICMP, ICMP(8, 0), 0x0b000001, {}, 7 },
	{ "echo, other code", IN, AF_INET, IPPROTO_ICMP, ICMP(8, 1), 0x0b000001, {}, -1 },
	{ "other type", IN, AF_INET, IPPROTO_ICMP, ICMP(13, 0), 0x0b000001, {}, -1 },
	{ "echo v6, any code", IN, AF_INET6, IPPROTO_ICMPV6, ICMP(128, 7), 1, {}, 8 },
	{ "v6, other type", IN, AF_INET6, IPPROTO_ICMPV6, ICMP(129, 0), 1, {}, -1 },
	{ "one family, right", IN, AF_INET6, IPPROTO_TCP, 22, 1, {}, 9 },
	{ "one family, wrong", IN, AF_INET, IPPROTO_TCP, 22, 1, {}, -1 },
	{ "any port, first", IN, AF_INET, IPPROTO_SCTP, 0, 1, {}, 10 },
	{ "any port, last", IN, AF_INET, IPPROTO_SCTP, 65535, 1, {}, 10 },
	{ "host, any protocol", IN, AF_INET, IPPROTO_TCP, 1, 0xc0a80101, {}, 11 },
	{ "beside the host", IN, AF_INET, IPPROTO_TCP, 1, 0xc0a80102, {}, -1 },
	{ "all of IPv4", IN, AF_INET, IPPROTO_UDP, 1500, 0xffffffff, {}, 13 },
	{ "all of IPv4 is not IPv6", IN, AF_INET6, IPPROTO_UDP, 1500, 1, {}, -1 },
	{ "any peer before a group", IN, AF_INET, IPPROTO_TCP, 80, 0xc0a80101, { 71 }, 0 },
};
KT_PARAM(questions, questions);

static void named(struct kunit *test)
{
	const struct question *a = test->param_value;
	union vr_addr peer = kt_addr(a->family, a->peer);
	const struct vr_sg_query q = {
		.direction = a->direction, .family = a->family, .proto = a->proto,
		.port = a->port, .peer = &peer, .peer_sgs = a->sgs,
		.n_peer_sgs = !!a->sgs[0] + !!a->sgs[1],
	};
	struct vr_ruleset *rs = build(test, rules, ARRAY_SIZE(rules));

	KUNIT_EXPECT_EQ(test, vr_ruleset_len(rs), ARRAY_SIZE(rules));
	KUNIT_EXPECT_EQ(test, match(rs, &q), a->rule);
	vr_ruleset_free(rs);
}

static void empty(struct kunit *test)
{
	union vr_addr peer = kt_addr(AF_INET, 1);
	const struct vr_sg_query q = { .family = AF_INET, .proto = IPPROTO_TCP, .peer = &peer };
	struct netlink_ext_ack extack = {};
	struct vr_ruleset *rs = vr_ruleset_build(NULL, 0, &extack);

	KUNIT_ASSERT_FALSE(test, IS_ERR(rs));
	KUNIT_EXPECT_EQ(test, match(rs, &q), -1);
	KUNIT_EXPECT_EQ(test, vr_ruleset_len(rs), 0);
	vr_ruleset_free(rs);
}

static void hits(struct kunit *test)
{
	struct vr_ruleset *rs = build(test, rules, ARRAY_SIZE(rules));

	local_bh_disable();
	vr_ruleset_hit(rs, 3);
	vr_ruleset_hit(rs, 3);
	vr_ruleset_hit(rs, 13);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, vr_ruleset_hits(rs, 3), 2);
	KUNIT_EXPECT_EQ(test, vr_ruleset_hits(rs, 13), 1);
	KUNIT_EXPECT_EQ(test, vr_ruleset_hits(rs, 0), 0);
	vr_ruleset_free(rs);
}

/* --- random, against walking the list -------------------------------------- */

struct mix {
	const char	*desc;
	unsigned int	n;		/* rules */
	unsigned int	rounds;
	u8		prefixes, groups; /* of 10 rules */
	u16		ports;		/* how many there are: small = dense overlaps */
	u64		seed;
};

static const struct mix mixes[] = {
	{ "few rules", 3, 100, 4, 3, 8, 1 },
	{ "ports overlap", 30, 20, 0, 0, 20, 2 },
	{ "prefixes nest", 30, 20, 9, 0, 6, 3 },
	{ "groups", 30, 20, 0, 9, 8, 4 },
	{ "all kinds", 60, 10, 4, 3, 16, 5 },
	{ "all kinds, all ports", 100, 5, 4, 3, 65535, 6 },
	{ "many", 1000, 1, 4, 3, 300, 7 },
};
KT_PARAM(mixes, mixes);

static const u8 families[] = { 0, AF_INET, AF_INET6 };
static const u8 protos[] = { 0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP };

/* Addresses where prefixes, exceptions and questions meet often. */
static union vr_addr random_addr(struct kt_rnd *r, u8 family)
{
	union vr_addr a = kt_addr(family, 0x0a000000);
	u8 *last = (u8 *)&a + (family == AF_INET ? 2 : 14);

	last[0] = kt_rnd(r) & 0x83;
	last[1] = kt_rnd(r) & 0xc3;
	return a;
}

static struct vr_prefix random_prefix(struct kt_rnd *r, u8 family, const struct vr_prefix *in)
{
	u8 bits = family == AF_INET ? 32 : 128, min = in ? in->len : bits - 17;
	struct vr_prefix p = { .addr = random_addr(r, family), .family = family };
	unsigned int i;

	if (!in && !kt_rnd_below(r, 12))
		min = 0;
	p.len = min + kt_rnd_below(r, bits - min + 1);
	if (in)		/* an exception is inside of its prefix */
		for (i = 0; i < in->len; i++) {
			u8 bit = 0x80 >> (i % 8), *o = (u8 *)&p.addr + i / 8;

			*o = twin_bit(&in->addr, i) ? *o | bit : *o & ~bit;
		}
	twin_mask(&p.addr, p.len);
	return p;
}

static void random_peer(struct kt_rnd *r, const struct mix *m, struct vr_sg_rule *rule)
{
	unsigned int kind = kt_rnd_below(r, 10), i;

	if (kind < m->prefixes) {
		rule->peer = VR_PEER_PREFIX;
		rule->family = kt_rnd_below(r, 2) ? AF_INET : AF_INET6;
		rule->prefix = random_prefix(r, rule->family, NULL);
		if (kt_rnd_below(r, 2))
			rule->n_except = kt_rnd_below(r, 5);
		for (i = 0; i < rule->n_except; i++)
			rule->except[i] = random_prefix(r, rule->family, &rule->prefix);
	} else if (kind < m->prefixes + m->groups) {
		rule->peer = VR_PEER_SG;
		rule->peer_sg = 1 + kt_rnd_below(r, 12);
	}
}

static void random_rule(struct kt_rnd *r, const struct mix *m, struct vr_sg_rule *rule,
			struct vr_prefix *except)
{
	*rule = (struct vr_sg_rule){ .direction = kt_rnd_below(r, 2), .except = except };
	rule->family = families[kt_rnd_below(r, 3)];
	random_peer(r, m, rule);
	rule->proto = protos[kt_rnd_below(r, ARRAY_SIZE(protos))];
	if (rule->proto == IPPROTO_ICMP) {
		if (!rule->family)
			rule->family = AF_INET;
		if (rule->family == AF_INET6)
			rule->proto = IPPROTO_ICMPV6;
	}
	rule->hi = 65535;
	if (rule->proto && kt_rnd_below(r, 5)) {
		rule->lo = kt_rnd_below(r, m->ports);
		rule->hi = rule->lo + kt_rnd_below(r, min(m->ports - rule->lo, m->ports / 3 + 1));
	}
	if (!rule->n_except)
		rule->except = NULL;
}

static void random_query(struct kt_rnd *r, const struct mix *m, struct vr_sg_query *q,
			 union vr_addr *peer, u32 *sgs)
{
	unsigned int i, n = kt_rnd_below(r, 4);

	*q = (struct vr_sg_query){ .direction = kt_rnd_below(r, 2), .peer = peer,
				   .family = kt_rnd_below(r, 2) ? AF_INET : AF_INET6 };
	q->proto = protos[1 + kt_rnd_below(r, 4)];
	if (q->proto == IPPROTO_ICMP && q->family == AF_INET6)
		q->proto = IPPROTO_ICMPV6;
	q->port = kt_rnd_below(r, 8) ? kt_rnd_below(r, m->ports + 1) : kt_rnd(r);
	*peer = random_addr(r, q->family);
	q->peer_sgs = sgs;
	for (i = 0; i < n; i++) {		/* sorted, each once */
		sgs[i] = (i ? sgs[i - 1] : 0) + 1 + kt_rnd_below(r, 6);
		q->n_peer_sgs++;
	}
}

static bool is_first_of_its_kind(const struct vr_sg_rule *list, unsigned int got,
				 const struct vr_sg_query *q)
{
	const struct vr_sg_rule *g = &list[got];
	unsigned int i;

	for (i = 0; i < got; i++)
		if (list[i].peer == g->peer && twin_rule_matches(&list[i], q) &&
		    (g->peer == VR_PEER_ANY ||
		     (g->peer == VR_PEER_SG && list[i].peer_sg == g->peer_sg)))
			return false;
	return true;
}

static void ask(struct kunit *test, const struct vr_ruleset *rs, const struct vr_sg_rule *list,
		unsigned int n, const struct vr_sg_query *q)
{
	bool want = false, want_any = false;
	int got, first = -1;
	unsigned int i;

	for (i = 0; i < n; i++)
		if (twin_rule_matches(&list[i], q)) {
			want = true;
			first = first < 0 ? i : first;
			want_any |= list[i].peer == VR_PEER_ANY;
		}
	rcu_read_lock();
	got = vr_ruleset_first(rs, q);
	rcu_read_unlock();
	if (got != first)
		KUNIT_FAIL(test, "first is %d, not %d", got, first);
	got = match(rs, q);
	if (want != (got >= 0))
		KUNIT_FAIL(test, "dir %u family %u proto %u port %u peer %pI6: %d, expected %s",
			   q->direction, q->family, q->proto, q->port, q->peer, got,
			   want ? "a match" : "none");
	if (got < 0)
		return;
	KUNIT_ASSERT_LT(test, got, (int)n);
	if (!twin_rule_matches(&list[got], q))
		KUNIT_FAIL(test, "rule %d named, which does not match", got);
	if (want_any && list[got].peer != VR_PEER_ANY)
		KUNIT_FAIL(test, "rule %d named, though one of any peer matches", got);
	if (!is_first_of_its_kind(list, got, q))
		KUNIT_FAIL(test, "rule %d named, which is not the first", got);
}

static void random(struct kunit *test)
{
	const struct mix *m = test->param_value;
	struct kt_rnd r = { .state = m->seed };
	struct vr_prefix (*except)[4];
	struct vr_sg_rule *list;
	unsigned int round, i;

	list = kunit_kzalloc(test, m->n * sizeof(*list), GFP_KERNEL);
	except = kunit_kzalloc(test, m->n * sizeof(*except), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	KUNIT_ASSERT_NOT_NULL(test, except);
	for (round = 0; round < m->rounds; round++) {
		struct vr_ruleset *rs;
		struct vr_sg_query q;
		union vr_addr peer;
		u32 sgs[4];

		for (i = 0; i < m->n; i++)
			random_rule(&r, m, &list[i], except[i]);
		rs = build(test, list, m->n);
		for (i = 0; i < 200; i++) {
			random_query(&r, m, &q, &peer, sgs);
			ask(test, rs, list, m->n, &q);
		}
		vr_ruleset_free(rs);
	}
}

/* What the setter hands over comes back from the ruleset as it was. */
static void kept(struct kunit *test)
{
	struct vr_ruleset *rs = build(test, rules, ARRAY_SIZE(rules));
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct vr_sg_rule *r = vr_ruleset_rule(rs, i);

		KUNIT_EXPECT_EQ(test, r->lo, rules[i].lo);
		KUNIT_EXPECT_EQ(test, r->hi, rules[i].hi);
		KUNIT_EXPECT_EQ(test, r->peer, rules[i].peer);
		KUNIT_EXPECT_EQ(test, r->n_except, rules[i].n_except);
		if (r->n_except)
			KUNIT_EXPECT_EQ(test, memcmp(r->except, rules[i].except,
						     r->n_except * sizeof(*r->except)), 0);
	}
	vr_ruleset_free(rs);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(named, questions_gen_params),
	KUNIT_CASE(empty),
	KUNIT_CASE(hits),
	KUNIT_CASE_PARAM(random, mixes_gen_params),
	KUNIT_CASE(kept),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_sg",
	.test_cases = cases,
};

kunit_test_suite(suite);
