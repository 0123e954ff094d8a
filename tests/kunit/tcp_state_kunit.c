// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP tracking: scripts of segments, each with the verdict and the state that
 * it leaves. Sequence numbers count from the sides' initial ones.
 */

#include "kunit_util.h"

#define NONE		VROUTER_DROP_REASON_NONE
#define BAD_RST		VROUTER_DROP_REASON_TCP_RST
#define BAD_STATE	VROUTER_DROP_REASON_TCP_STATE
#define NO_FLOW		VROUTER_DROP_REASON_TCP_NO_FLOW
#define ANY		0xff	/* whatever */

#define NEW		VROUTER_FLOW_STATE_NEW
#define RECV		VROUTER_FLOW_STATE_SYN_RECV
#define ESTAB		VROUTER_FLOW_STATE_ESTABLISHED
#define HALF		VROUTER_FLOW_STATE_HALF_CLOSED
#define CLOSED		VROUTER_FLOW_STATE_CLOSED

#define SYN		KT_SYN
#define SA		(KT_SYN | KT_ACK)
#define A		KT_ACK
#define PA		(KT_PSH | KT_ACK)
#define FA		(KT_FIN | KT_ACK)
#define R		KT_RST
#define RA		(KT_RST | KT_ACK)

enum { C, S };		/* client (opener), server */

struct segment {
	u8	from;
	u8	flags;
	u32	seq, ack;	/* from the initial number of the sender, of the other */
	u16	len;
	u8	why;		/* enum vrouter_drop_reason or ANY */
	u8	state;		/* after it, or ANY */
	u16	win;
	u8	wscale;		/* + 1 */
};

struct script {
	const char	*desc;
	u32		isn[2];
	struct segment	seg[16];
};

#define HANDSHAKE							\
	{ C, SYN, 0, 0, 0, NONE, NEW },					\
	{ S, SA, 0, 1, 0, NONE, RECV },					\
	{ C, A, 1, 1, 0, NONE, ESTAB }

static const struct script scripts[] = {
	{ "handshake and data", { 1000, 5000 }, {
		HANDSHAKE,
		{ C, PA, 1, 1, 100, NONE, ESTAB },
		{ S, A, 1, 101, 0, NONE, ESTAB },
		{ S, PA, 1, 101, 1000, NONE, ESTAB },
		{ C, A, 101, 1001, 0, NONE, ESTAB } } },
	{ "numbers wrap", { 0xffffffff, 0xfffffff0 }, {
		HANDSHAKE,
		{ C, PA, 1, 1, 100, NONE, ESTAB },
		{ S, PA, 1, 101, 1000, NONE, ESTAB },
		{ C, A, 101, 1001, 0, NONE, ESTAB },
		{ S, R, 1001, 0, 0, NONE, CLOSED } } },
	{ "retransmissions", { 1, 2 }, {
		{ C, SYN, 0, 0, 0, NONE, NEW },
		{ C, SYN, 0, 0, 0, NONE, NEW },
		{ S, SA, 0, 1, 0, NONE, RECV },
		{ C, SYN, 0, 0, 0, NONE, ANY },
		{ S, SA, 0, 1, 0, NONE, RECV },
		{ C, A, 1, 1, 0, NONE, ESTAB },
		{ S, SA, 0, 1, 0, NONE, ESTAB },
		{ C, A, 1, 1, 0, NONE, ESTAB } } },
	{ "last ACK of the handshake carries data", { 1, 2 }, {
		{ C, SYN, 0, 0, 0, NONE, NEW },
		{ S, SA, 0, 1, 0, NONE, RECV },
		{ C, PA, 1, 1, 10, NONE, ESTAB } } },
	{ "SYN with data (RFC 7413)", { 1, 2 }, {
		{ C, SYN, 0, 0, 100, NONE, NEW },
		{ S, SA, 0, 101, 0, NONE, RECV },
		{ C, A, 101, 1, 0, NONE, ESTAB } } },
	{ "explicit congestion notification (RFC 3168)", { 1, 2 }, {
		{ C, SYN | 0xc0, 0, 0, 0, NONE, NEW },
		{ S, SA | 0x40, 0, 1, 0, NONE, RECV },
		{ C, A | 0x80, 1, 1, 0, NONE, ESTAB } } },
	{ "client closes, server goes on, closes", { 1, 2 }, {
		HANDSHAKE,
		{ C, FA, 1, 1, 0, NONE, HALF },
		{ S, A, 1, 2, 0, NONE, HALF },
		{ S, PA, 1, 2, 1000, NONE, HALF },
		{ C, A, 2, 1001, 0, NONE, HALF },
		{ S, FA, 1001, 2, 0, NONE, CLOSED },
		{ C, A, 2, 1002, 0, NONE, CLOSED } } },
	{ "server closes first", { 1, 2 }, {
		HANDSHAKE,
		{ S, FA, 1, 1, 0, NONE, HALF },
		{ C, A, 1, 2, 0, NONE, HALF },
		{ C, FA, 1, 2, 0, NONE, CLOSED },
		{ S, A, 2, 2, 0, NONE, CLOSED } } },
	{ "FIN again is the same FIN", { 1, 2 }, {
		HANDSHAKE,
		{ C, FA, 1, 1, 0, NONE, HALF },
		{ C, FA, 1, 1, 0, NONE, HALF },
		{ C, FA, 1, 1, 0, NONE, HALF },
		{ S, FA, 1, 2, 0, NONE, CLOSED } } },
	{ "simultaneous close", { 1, 2 }, {
		HANDSHAKE,
		{ C, FA, 1, 1, 0, NONE, HALF },
		{ S, FA, 1, 1, 0, NONE, CLOSED },
		{ C, A, 2, 2, 0, NONE, CLOSED },
		{ S, A, 2, 2, 0, NONE, CLOSED } } },
	{ "simultaneous open", { 1000, 5000 }, {
		{ C, SYN, 0, 0, 0, NONE, NEW },
		{ S, SYN, 0, 0, 0, NONE, ANY },
		{ C, SA, 0, 1, 0, NONE, ANY },
		{ S, SA, 0, 1, 0, NONE, ANY },
		{ C, A, 1, 1, 0, NONE, ESTAB },
		{ S, A, 1, 1, 0, NONE, ESTAB } } },

	/* --- RST, RFC 5961 section 3 --- */
	{ "RST at the next number", { 1000, 5000 }, {
		HANDSHAKE,
		{ S, PA, 1, 1, 100, NONE, ESTAB },
		{ C, A, 1, 101, 0, NONE, ESTAB },
		{ S, R, 101, 0, 0, NONE, CLOSED } } },
	{ "RST of the client", { 1000, 5000 }, {
		HANDSHAKE,
		{ C, PA, 1, 1, 10, NONE, ESTAB },
		{ S, A, 1, 11, 0, NONE, ESTAB },
		{ C, RA, 11, 1, 0, NONE, CLOSED } } },
	{ "RST in the window but not next", { 1000, 5000 }, {
		HANDSHAKE,
		{ S, R, 50, 0, 0, NONE, ESTAB },
		{ C, PA, 1, 1, 10, NONE, ESTAB } } },
	{ "RST before the window", { 100000, 500000 }, {
		HANDSHAKE,
		{ S, R, -70000, 0, 0, BAD_RST, ESTAB },
		{ C, PA, 1, 1, 10, NONE, ESTAB } } },
	{ "RST beyond the window", { 1000, 5000 }, {
		HANDSHAKE,
		{ S, R, 70000, 0, 0, BAD_RST, ESTAB },
		{ S, R, 0x80000000, 0, 0, BAD_RST, ESTAB },
		{ C, R, 0x7fffffff, 0, 0, BAD_RST, ESTAB } } },
	{ "RST in a scaled window", { 1000, 5000 }, {
		{ C, SYN, 0, 0, 0, NONE, NEW, 65535, 8 },
		{ S, SA, 0, 1, 0, NONE, RECV, 65535, 8 },
		{ C, A, 1, 1, 0, NONE, ESTAB, 65535 },
		{ S, R, 1000000, 0, 0, NONE, ANY } } },
	{ "scale of one side only is none (RFC 7323)", { 1000, 5000 }, {
		{ C, SYN, 0, 0, 0, NONE, NEW, 65535, 8 },
		{ S, SA, 0, 1, 0, NONE, RECV, 65535 },
		{ C, A, 1, 1, 0, NONE, ESTAB, 65535 },
		{ S, R, 1000000, 0, 0, BAD_RST, ESTAB } } },
	{ "connection refused", { 1000, 5000 }, {
		{ C, SYN, 0, 0, 0, NONE, NEW },
		{ S, RA, -5000, 1, 0, NONE, CLOSED } } },
	{ "refused, acknowledging what was not sent", { 1000, 5000 }, {
		{ C, SYN, 0, 0, 0, NONE, NEW },
		{ S, RA, 0, 2, 0, BAD_RST, NEW },
		{ S, RA, 0, 0, 0, BAD_RST, NEW },
		{ S, R, 0, 0, 0, BAD_RST, NEW },
		{ S, SA, 0, 1, 0, NONE, RECV } } },
	{ "client gives up", { 1000, 5000 }, {
		{ C, SYN, 0, 0, 0, NONE, NEW },
		{ S, SA, 0, 1, 0, NONE, RECV },
		{ C, R, 1, 0, 0, NONE, CLOSED } } },
	{ "RST after FIN", { 1000, 5000 }, {
		HANDSHAKE,
		{ C, FA, 1, 1, 0, NONE, HALF },
		{ S, RA, 1, 2, 0, NONE, CLOSED } } },

	/* --- SYN where none is due --- */
	{ "SYN on an established connection (RFC 5961 section 4)", { 1000, 5000 }, {
		HANDSHAKE,
		{ C, SYN, 90000, 0, 0, ANY, ESTAB },
		{ S, A, 1, 1, 0, NONE, ESTAB },
		{ C, PA, 1, 1, 10, NONE, ESTAB } } },
	{ "ports used again after close", { 1000, 5000 }, {
		HANDSHAKE,
		{ C, FA, 1, 1, 0, NONE, HALF },
		{ S, FA, 1, 2, 0, NONE, CLOSED },
		{ C, A, 2, 2, 0, NONE, CLOSED },
		{ C, SYN, 100000, 0, 0, NONE, NEW },
		{ S, SA, 200000, 100001, 0, NONE, RECV },
		{ C, A, 100001, 200001, 0, NONE, ESTAB },
		{ S, R, 200001, 0, 0, NONE, CLOSED } } },
	{ "ports used again after RST", { 1000, 5000 }, {
		HANDSHAKE,
		{ S, R, 1, 0, 0, NONE, CLOSED },
		{ C, SYN, 700000, 0, 0, NONE, NEW },
		{ S, SA, 800000, 700001, 0, NONE, RECV },
		{ C, A, 700001, 800001, 0, NONE, ESTAB } } },

	/* --- out of order, out of state --- */
	{ "data before the answer", { 1, 2 }, {
		{ C, SYN, 0, 0, 0, NONE, NEW },
		{ C, PA, 1, 1, 10, BAD_STATE, NEW } } },
	{ "answer that is no SYN", { 1, 2 }, {
		{ C, SYN, 0, 0, 0, NONE, NEW },
		{ S, PA, 1, 1, 10, BAD_STATE, NEW } } },
	{ "SYN and ACK from the opener", { 1, 2 }, {
		{ C, SYN, 0, 0, 0, NONE, NEW },
		{ C, SA, 0, 1, 0, BAD_STATE, NEW } } },
};
KT_PARAM(scripts, scripts);

struct conn {
	struct kt_world	*w;
	struct vr_flow	*f;
	u32		isn[2];
};

static struct kt_pkt packet(const struct conn *c, const struct segment *s)
{
	u32 other = c->isn[!s->from];

	return (struct kt_pkt){
		.proto = IPPROTO_TCP, .flags = s->flags,
		.src = s->from == C ? KT_POD(0) : KT_POD(1),
		.dst = s->from == C ? KT_POD(1) : KT_POD(0),
		.sport = s->from == C ? 1025 : 80, .dport = s->from == C ? 80 : 1025,
		.seq = c->isn[s->from] + s->seq,
		.ack = s->flags & KT_ACK ? other + s->ack : 0,
		.payload = s->len, .win = s->win, .wscale = s->wscale,
	};
}

/* One segment: what opens goes to vr_tcp_open(), the rest to vr_tcp_hit(). */
static enum vrouter_drop_reason pass(struct conn *c, const struct segment *s, bool first)
{
	struct kt_pkt p = packet(c, s);
	struct sk_buff *skb = kt_skb(c->w->test, &p);
	enum vrouter_drop_reason why;
	struct vr_pkt pkt;

	kt_read_lock();
	why = kt_parse(&pkt, kt_vif(c->w, s->from == C ? 0 : 1), skb);
	if (!why)
		why = first ? vr_tcp_open(&pkt, c->f) : vr_tcp_hit(&pkt, c->f, s->from);
	kt_read_unlock();
	kfree_skb(skb);
	return why;
}

static void conn_make(struct kunit *test, struct conn *c, const u32 *isn)
{
	const struct segment syn = { C, SYN };
	enum vrouter_drop_reason why;
	struct kt_pkt p;

	*c = (struct conn){ .w = kt_world(test), .isn = { isn[0], isn[1] } };
	kt_read_lock();
	c->f = vr_flow_alloc(c->w->vn, kt_vif(c->w, 0), kt_vif(c->w, 1), NULL, &why);
	kt_read_unlock();
	KUNIT_ASSERT_NOT_NULL(test, c->f);
	p = packet(c, &syn);
	c->f->side[VR_ORIG].tuple = kt_tuple(KT_VIF(0), &p);
	swap(p.src, p.dst);
	swap(p.sport, p.dport);
	c->f->side[VR_REPLY].tuple = kt_tuple(KT_VIF(1), &p);
	c->f->vrf = KT_VRF;
	c->f->last_used = (u32)jiffies;
}

static void conn_insert(struct kunit *test, struct conn *c)
{
	int err;

	kt_read_lock();
	err = vr_flow_insert(c->w->vn, c->f);
	kt_read_unlock();
	KUNIT_ASSERT_EQ(test, err, 0);
}

static void play(struct kunit *test)
{
	const struct script *s = test->param_value;
	struct conn c;
	unsigned int i;

	conn_make(test, &c, s->isn);
	for (i = 0; i < ARRAY_SIZE(s->seg) && s->seg[i].flags; i++) {
		const struct segment *g = &s->seg[i];
		enum vrouter_drop_reason why = pass(&c, g, !i);
		bool half;

		if (g->why != ANY)
			KUNIT_EXPECT_EQ_MSG(test, why, g->why, "verdict on segment %u", i);
		if (g->state != ANY)
			KUNIT_EXPECT_EQ_MSG(test, c.f->state, g->state, "state after segment %u", i);
		if (!i)
			conn_insert(test, &c);
		half = c.f->state == NEW || c.f->state == RECV;
		KUNIT_EXPECT_EQ_MSG(test, atomic_read(&c.w->vn->used.half_open), half,
				    "half-open flows after segment %u", i);
	}
}

/* Every combination of flags as a first packet: a plain SYN only. */
static void open_flags(struct kunit *test)
{
	static const u32 isn[2] = { 1, 2 };
	struct conn c;
	unsigned int flags;

	conn_make(test, &c, isn);
	for (flags = 0; flags < 64; flags++) {
		const struct segment s = { C, flags };
		enum vrouter_drop_reason why;
		bool opens = (flags & ~(KT_PSH | KT_URG)) == KT_SYN;

		if (opens && flags != KT_SYN)
			continue;	/* odd, but RFC 9293 takes it */
		why = pass(&c, &s, true);
		KUNIT_EXPECT_EQ_MSG(test, !why, opens, "flags %02x: %s", flags, vr_drop_name(why));
		if ((flags & (KT_SYN | KT_FIN | KT_RST)) == 0 && flags & KT_ACK)
			KUNIT_EXPECT_EQ_MSG(test, why, NO_FLOW, "flags %02x", flags);
	}
	conn_insert(test, &c);
}

/* On an established connection, nonsense is dropped and changes nothing. */
static void hit_flags(struct kunit *test)
{
	static const u8 nonsense[] = {
		0, KT_PSH | KT_URG, KT_SYN | KT_FIN, KT_SYN | KT_RST, KT_FIN | KT_RST,
		KT_SYN | KT_FIN | KT_ACK, KT_SYN | KT_RST | KT_ACK, KT_FIN | KT_RST | KT_ACK,
		KT_FIN | KT_PSH | KT_URG, 0x3f,
	};
	static const struct segment hs[] = { HANDSHAKE };
	static const u32 isn[2] = { 100, 200 };
	struct conn c;
	unsigned int i;

	conn_make(test, &c, isn);
	for (i = 0; i < ARRAY_SIZE(hs); i++) {
		KUNIT_ASSERT_EQ(test, pass(&c, &hs[i], !i), NONE);
		if (!i)
			conn_insert(test, &c);
	}
	for (i = 0; i < ARRAY_SIZE(nonsense) * 2; i++) {
		const struct segment s = { i & 1, nonsense[i / 2], 1, 1 };

		KUNIT_EXPECT_NE_MSG(test, pass(&c, &s, false), NONE, "flags %02x", s.flags);
		KUNIT_EXPECT_EQ_MSG(test, c.f->state, ESTAB, "flags %02x", s.flags);
	}
}

/* Random segments never leave the table's counts or the states' range. */
static void random(struct kunit *test)
{
	static const u32 isn[2] = { 0xfffffff0, 17 };
	struct kt_rnd r = { .state = 31 };
	struct conn c;
	unsigned int i;
	bool half;

	conn_make(test, &c, isn);
	KUNIT_ASSERT_EQ(test, pass(&c, &(struct segment){ C, SYN }, true), NONE);
	conn_insert(test, &c);
	for (i = 0; i < 5000; i++) {
		const struct segment s = {
			.from = kt_rnd_below(&r, 2), .flags = kt_rnd(&r) & 0x3f,
			.seq = kt_rnd_below(&r, 4) ? kt_rnd_below(&r, 8) : kt_rnd(&r),
			.ack = kt_rnd_below(&r, 4) ? kt_rnd_below(&r, 8) : kt_rnd(&r),
			.len = kt_rnd_below(&r, 3), .win = kt_rnd(&r), .wscale = kt_rnd_below(&r, 17),
		};

		/* or it would be collected as idle, and freed */
		WRITE_ONCE(c.f->last_used, (u32)jiffies);
		pass(&c, &s, false);
		half = c.f->state == NEW || c.f->state == RECV;
		KUNIT_ASSERT_LE(test, c.f->state, CLOSED);
		KUNIT_ASSERT_NE(test, c.f->state, VROUTER_FLOW_STATE_OPEN);
		KUNIT_ASSERT_EQ_MSG(test, atomic_read(&c.w->vn->used.half_open), half, "round %u", i);
		if (c.f->dead)
			break;
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(play, scripts_gen_params),
	KUNIT_CASE(open_flags),
	KUNIT_CASE(hit_flags),
	KUNIT_CASE(random),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_tcp_state",
	.suite_init = kt_make_pods,
	.suite_exit = kt_end_pods,
	.init = kt_init_pods,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
