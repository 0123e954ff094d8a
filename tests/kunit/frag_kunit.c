// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fragments wait until their datagram is whole: what the collector hands out, in
 * which order, what it refuses, and that it never holds more than it may.
 */

#include <linux/delay.h>
#include <linux/skbuff.h>

#include "kunit_util.h"

#define NONE		VROUTER_DROP_REASON_NONE
#define MALFORMED	VROUTER_DROP_REASON_FRAGMENT
#define OVERLAP		VROUTER_DROP_REASON_FRAGMENT_OVERLAP
#define LIMIT		VROUTER_DROP_REASON_FRAGMENT_LIMIT

/* --- one at a time -------------------------------------------------------- */

/* The id is the datagram's; the skb is an empty one that remembers the offset. */
static struct vr_frag frag(struct kt_world *w, unsigned int pod, u32 id, u32 off, u32 len,
			   bool more)
{
	return (struct vr_frag) {
		.key = { .vif = KT_VIF(pod), .family = AF_INET, .proto = IPPROTO_UDP,
			 .id = htonl(id), .src = kt_addr(AF_INET, KT_POD(pod)),
			 .dst = kt_addr(AF_INET, KT_POD(3)) },
		.off = off, .len = len, .more = more, .hdr = 20,
	};
}

static enum vrouter_drop_reason add(struct kt_world *w, unsigned int pod, const struct vr_frag *f,
				    struct sk_buff_head *out)
{
	struct sk_buff *skb = alloc_skb(64, GFP_KERNEL);
	enum vrouter_drop_reason why;

	__skb_queue_head_init(out);
	KUNIT_ASSERT_NOT_NULL(w->test, skb);
	skb->mark = f->off;
	kt_read_lock();
	why = vr_frag_add(w->vn, kt_vif(w, pod), f, skb, out);
	kt_read_unlock();
	return why;
}

/* The same, and what is handed out is only counted. */
static enum vrouter_drop_reason add_count(struct kt_world *w, unsigned int pod, u32 id, u32 off,
					  u32 len, bool more, unsigned int *n)
{
	const struct vr_frag f = frag(w, pod, id, off, len, more);
	enum vrouter_drop_reason why;
	struct sk_buff_head out;

	why = add(w, pod, &f, &out);
	*n = skb_queue_len(&out);
	__skb_queue_purge(&out);
	return why;
}

static int used(struct kt_world *w)
{
	return atomic_read(&w->vn->used.fragment_bytes);
}

static void flush(struct kt_world *w)
{
	unsigned int i;

	for (i = 0; i < KT_PODS; i++) {
		vr_frag_flush(w->vn, kt_vif(w, i));
		KUNIT_EXPECT_EQ(w->test, atomic_read(&kt_vif(w, i)->fragment_bytes), 0);
	}
	KUNIT_EXPECT_EQ(w->test, used(w), 0);
}

/* In order, each with the place that it had, without a hole. */
static void expect_whole(struct kunit *test, struct sk_buff_head *out, u32 end, const char *what)
{
	struct sk_buff *skb;
	u32 at = 0;

	skb_queue_walk(out, skb) {
		KUNIT_EXPECT_EQ_MSG(test, skb->mark, at, "%s", what);
		KUNIT_EXPECT_EQ_MSG(test, vr_frag_hdr(skb), 20, "%s", what);
		KUNIT_EXPECT_NULL_MSG(test, skb->dev, "%s", what);
		at = vr_frag_end(skb);
	}
	KUNIT_EXPECT_EQ_MSG(test, at, end, "%s", what);
}

/* --- sequences ------------------------------------------------------------ */

struct step {
	u32		off, len;
	bool		more;
	enum vrouter_drop_reason why;
	unsigned int	n;		/* handed out, to be sent or dropped */
};

static const struct sequence {
	const char	*desc;
	struct step	step[6];	/* len 0 ends */
	u32		end;		/* of the datagram that it makes, 0 = none */
} sequences[] = {
	{ "in order", { { 0, 8, 1 }, { 8, 8, 1 }, { 16, 3, 0, NONE, 3 } }, 19 },
	{ "reversed", { { 16, 3, 0 }, { 8, 8, 1 }, { 0, 8, 1, NONE, 3 } }, 19 },
	{ "middle last", { { 0, 8, 1 }, { 16, 3, 0 }, { 8, 8, 1, NONE, 3 } }, 19 },
	{ "middle first", { { 8, 8, 1 }, { 16, 3, 0 }, { 0, 8, 1, NONE, 3 } }, 19 },
	{ "first last", { { 8, 16, 1 }, { 24, 8, 0 }, { 0, 8, 1, NONE, 3 } }, 32 },
	{ "largest", { { 32768, 32767, 0 }, { 0, 32768, 1, NONE, 2 } }, 65535 },
	{ "a hole", { { 0, 8, 1 }, { 16, 8, 1 }, { 24, 8, 0 } } },
	{ "no end", { { 0, 8, 1 }, { 8, 8, 1 }, { 16, 8, 1 } } },
	{ "twice the first", { { 0, 8, 1 }, { 0, 8, 1, OVERLAP, 1 }, { 8, 8, 0, NONE, 2 } }, 16 },
	{ "twice the last", { { 8, 8, 0 }, { 8, 8, 0, OVERLAP, 1 }, { 0, 8, 1, NONE, 2 } }, 16 },
	{ "over the one before", { { 0, 16, 1 }, { 8, 16, 1, OVERLAP, 2 } } },
	{ "over the one behind", { { 8, 16, 1 }, { 0, 16, 1, OVERLAP, 2 } } },
	{ "same beginning, longer", { { 0, 8, 1 }, { 0, 16, 1, OVERLAP, 2 } } },
	{ "same beginning, shorter", { { 0, 16, 1 }, { 0, 8, 1, OVERLAP, 2 } } },
	{ "same end", { { 0, 16, 1 }, { 8, 8, 1, OVERLAP, 2 } } },
	{ "within", { { 0, 32, 1 }, { 8, 8, 1, OVERLAP, 2 } } },
	{ "around", { { 8, 8, 1 }, { 0, 32, 1, OVERLAP, 2 } } },
	{ "around two", { { 8, 8, 1 }, { 24, 8, 1 }, { 0, 40, 1, OVERLAP, 3 } } },
	{ "by one octet", { { 16, 8, 1 }, { 0, 17, 0, OVERLAP, 2 } } },
	{ "after an overlap", { { 0, 16, 1 }, { 8, 16, 0, OVERLAP, 2 }, { 0, 16, 1, OVERLAP, 1 },
				{ 16, 8, 0, OVERLAP, 1 } } },
	{ "two ends", { { 16, 8, 0 }, { 32, 8, 0, MALFORMED, 2 } } },
	{ "an end before what is there", { { 32, 8, 1 }, { 8, 8, 0, MALFORMED, 2 } } },
	{ "behind the end", { { 16, 8, 0 }, { 24, 8, 1, MALFORMED, 2 } } },
	{ "up to the end, more to come", { { 24, 8, 0 }, { 32, 8, 1, MALFORMED, 2 },
					   { 0, 24, 1, MALFORMED, 1 } } },
};
KT_PARAM(sequences, sequences);

static void orders(struct kunit *test)
{
	const struct sequence *c = test->param_value;
	struct kt_world *w = kt_world(test);
	struct sk_buff_head out;
	const struct step *s;
	struct vr_frag f;

	for (s = c->step; s < c->step + ARRAY_SIZE(c->step) && s->len; s++) {
		f = frag(w, 0, 1, s->off, s->len, s->more);
		KUNIT_EXPECT_EQ_MSG(test, add(w, 0, &f, &out), s->why, "%u+%u", s->off, s->len);
		KUNIT_EXPECT_EQ_MSG(test, skb_queue_len(&out), s->n, "%u+%u", s->off, s->len);
		if (!s->why && s->n) {
			expect_whole(test, &out, c->end, c->desc);
			KUNIT_EXPECT_EQ(test, used(w), 0);
		}
		__skb_queue_purge(&out);
	}
	flush(w);
}

/* One that cannot be used spoils its datagram, be it there already or not. */
static void malformed(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct vr_frag bad = frag(w, 0, 1, 8, 8, true);
	struct sk_buff_head out;
	unsigned int n;

	bad.bad = MALFORMED;
	KUNIT_EXPECT_EQ(test, add_count(w, 0, 1, 0, 8, true, &n), NONE);
	KUNIT_EXPECT_EQ(test, add(w, 0, &bad, &out), MALFORMED);
	KUNIT_EXPECT_EQ(test, skb_queue_len(&out), 2);
	__skb_queue_purge(&out);
	KUNIT_EXPECT_EQ(test, add_count(w, 0, 1, 16, 8, false, &n), MALFORMED);
	KUNIT_EXPECT_EQ(test, n, 1);

	bad.key.id = htonl(2);
	KUNIT_EXPECT_EQ(test, add(w, 0, &bad, &out), MALFORMED);
	__skb_queue_purge(&out);
	KUNIT_EXPECT_EQ(test, add_count(w, 0, 2, 0, 8, true, &n), MALFORMED);
	flush(w);
}

/* Each part of the key tells datagrams apart. */
static void keys(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct sk_buff_head out;
	struct vr_frag f[6];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = frag(w, i == 1, 1, 0, 8, true);
	f[2].key.proto = IPPROTO_TCP;
	f[3].key.id = htonl(2);
	f[4].key.src = kt_addr(AF_INET, KT_POD(2));
	f[5].key.dst = kt_addr(AF_INET, KT_POD(2));
	for (i = 0; i < ARRAY_SIZE(f); i++) {
		KUNIT_EXPECT_EQ_MSG(test, add(w, i == 1, &f[i], &out), NONE, "%u", i);
		KUNIT_EXPECT_EQ_MSG(test, skb_queue_len(&out), 0, "%u", i);
	}
	for (i = 0; i < ARRAY_SIZE(f); i++) {
		f[i].off = 8;
		f[i].more = false;
		KUNIT_EXPECT_EQ_MSG(test, add(w, i == 1, &f[i], &out), NONE, "%u", i);
		KUNIT_EXPECT_EQ_MSG(test, skb_queue_len(&out), 2, "%u", i);
		__skb_queue_purge(&out);
	}
	KUNIT_EXPECT_EQ(test, used(w), 0);
}

/* Random cuts of random datagrams in random order, with some sent twice: whole with the
 * last piece, not before, and in order.
 */
static void random(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct kt_rnd r = { .state = 7 };
	u32 at[VR_FRAG_MAX + 1], round, n, i, k;
	u8 order[VR_FRAG_MAX];
	struct sk_buff_head out;
	unsigned int copies;
	struct vr_frag f;

	for (round = 0; round < 300; round++) {
		n = 2 + kt_rnd_below(&r, VR_FRAG_MAX - 1);
		at[0] = 0;
		for (i = 0; i < n; i++) {
			at[i + 1] = at[i] + 8 * (1 + kt_rnd_below(&r, 100));
			order[i] = i;
		}
		at[n] -= kt_rnd_below(&r, 8);
		for (i = n - 1; i; i--) {
			k = kt_rnd_below(&r, i + 1);
			swap(order[i], order[k]);
		}
		for (i = 0; i < n; i++) {
			k = order[i];
			f = frag(w, 0, round, at[k], at[k + 1] - at[k], k + 1 < n);
			KUNIT_ASSERT_EQ(test, add(w, 0, &f, &out), NONE);
			KUNIT_ASSERT_EQ(test, skb_queue_len(&out), i + 1 < n ? 0 : n);
			if (i + 1 == n)
				expect_whole(test, &out, at[n], "random");
			else if (!kt_rnd_below(&r, 4))
				KUNIT_EXPECT_EQ(test, add_count(w, 0, round, f.off, f.len, f.more,
								&copies), OVERLAP);
			__skb_queue_purge(&out);
		}
		KUNIT_ASSERT_EQ(test, used(w), 0);
	}
}

/* --- bounds --------------------------------------------------------------- */

static void too_many(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	unsigned int i, n;

	for (i = 0; i < VR_FRAG_MAX; i++) {
		KUNIT_EXPECT_EQ(test, add_count(w, 0, 1, 8 + 8 * i, 8, true, &n), NONE);
		KUNIT_EXPECT_EQ(test, n, 0);
	}
	KUNIT_EXPECT_EQ(test, add_count(w, 0, 1, 0, 8, true, &n), LIMIT);
	KUNIT_EXPECT_EQ(test, n, VR_FRAG_MAX + 1);
	KUNIT_EXPECT_EQ(test, used(w), 0);
}

/* Begins datagrams until one is refused; how many there are. */
static unsigned int fill(struct kt_world *w, unsigned int pod)
{
	unsigned int i, n;

	for (i = 0; i < 10000; i++) {
		if (add_count(w, pod, i, 0, 8, true, &n) == LIMIT) {
			KUNIT_EXPECT_EQ(w->test, n, 1);
			return i;
		}
	}
	KUNIT_FAIL(w->test, "no limit");
	return i;
}

/* A vif has a quarter; what is there stays; what is new of it goes, another vif's does not. */
static void memory(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	unsigned int i, n, full;

	w->vn->limits.fragment_bytes = 64 << 10;
	full = fill(w, 0);
	KUNIT_EXPECT_GT(test, full, 5);
	KUNIT_EXPECT_LE(test, used(w), 16 << 10);
	/* the second fragment of one that waits: it and its datagram go, the others stay */
	KUNIT_EXPECT_EQ(test, add_count(w, 0, 0, 16, 8, true, &n), LIMIT);
	KUNIT_EXPECT_EQ(test, n, 2);
	KUNIT_EXPECT_EQ(test, add_count(w, 0, 1, 8, 8, false, &n), NONE);
	KUNIT_EXPECT_EQ(test, n, 2);
	KUNIT_EXPECT_EQ(test, fill(w, 1), full);
	for (i = 2; i < KT_PODS; i++)
		fill(w, i);
	KUNIT_EXPECT_LE(test, used(w), 64 << 10);
	KUNIT_EXPECT_GT(test, used(w), 48 << 10);
	flush(w);
	vr_global.limits.fragment_bytes = 4 << 10;
	n = fill(w, 0);
	KUNIT_EXPECT_LE(test, used(w), 4 << 10);
	KUNIT_EXPECT_LT(test, n, full);
	flush(w);
}

/* Counted of their vif, and forgotten; one that is spoiled leaves nothing to count. */
static void time_out(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	unsigned int i, n;

	w->vn->limits.t_fragment = 1;
	add_count(w, 0, 1, 0, 8, true, &n);
	add_count(w, 0, 1, 16, 8, true, &n);
	add_count(w, 1, 1, 0, 8, true, &n);
	add_count(w, 2, 1, 0, 16, true, &n);
	KUNIT_EXPECT_EQ(test, add_count(w, 2, 1, 8, 16, true, &n), OVERLAP);
	for (i = 0; i < 1000 && used(w); i++)
		msleep(10);
	KUNIT_EXPECT_EQ(test, used(w), 0);
	KUNIT_EXPECT_EQ(test, kt_drops(w, 0, VROUTER_DROP_REASON_FRAGMENT_TIMEOUT), 2);
	KUNIT_EXPECT_EQ(test, kt_drops(w, 1, VROUTER_DROP_REASON_FRAGMENT_TIMEOUT), 1);
	KUNIT_EXPECT_EQ(test, kt_drops(w, 2, VROUTER_DROP_REASON_FRAGMENT_TIMEOUT), 0);
	/* a late one begins anew */
	KUNIT_EXPECT_EQ(test, add_count(w, 2, 1, 8, 8, true, &n), NONE);
	KUNIT_EXPECT_EQ(test, n, 0);
}	/* and goes with its vif */

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(orders, sequences_gen_params),
	KUNIT_CASE(malformed),
	KUNIT_CASE(keys),
	KUNIT_CASE(random),
	KUNIT_CASE(too_many),
	KUNIT_CASE(memory),
	KUNIT_CASE(time_out),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_frag",
	.suite_init = kt_make_pods,
	.suite_exit = kt_end_pods,
	.init = kt_init_pods,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
