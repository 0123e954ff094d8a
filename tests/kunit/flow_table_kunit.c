// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flow table: both directions of a flow, clashes, bounds, time-outs,
 * filters; then random operations against a naive twin.
 */

#include "twin.h"

static struct vr_tuple tuple(unsigned int pod, u8 proto, u32 src, u16 sport, u32 dst, u16 dport)
{
	const struct kt_pkt p = { .proto = proto, .src = src, .dst = dst,
				  .sport = sport, .dport = dport };

	return kt_tuple(KT_VIF(pod), &p);
}

static struct vr_tuple mirror(const struct vr_tuple *t, unsigned int pod)
{
	struct vr_tuple m = *t;

	m.port = KT_VIF(pod);
	m.src = t->dst;
	m.dst = t->src;
	m.sport = t->dport;
	m.dport = t->sport;
	return m;
}

/* As flow.c makes one: allocated, both tuples filled in; not yet in the table. */
static struct vr_flow *flow_alloc(struct kt_world *w, unsigned int in, unsigned int out,
				  const struct vr_tuple *orig, const struct vr_tuple *reply,
				  enum vrouter_drop_reason *why)
{
	struct vr_flow *f;

	kt_read_lock();
	f = vr_flow_alloc(w->vn, kt_vif(w, in), kt_vif(w, out), NULL, why);
	kt_read_unlock();
	if (!f)
		return NULL;
	f->side[VR_ORIG].tuple = *orig;
	f->side[VR_REPLY].tuple = *reply;
	f->vrf = KT_VRF;
	f->last_used = (u32)jiffies;
	return f;
}

static int insert(struct kt_world *w, struct vr_flow *f)
{
	int err;

	kt_read_lock();
	err = vr_flow_insert(w->vn, f);
	kt_read_unlock();
	return err;
}

static struct vr_flow *flow_add(struct kt_world *w, unsigned int in, unsigned int out,
				const struct vr_tuple *orig)
{
	struct vr_tuple reply = mirror(orig, out);
	enum vrouter_drop_reason why;
	struct vr_flow *f = flow_alloc(w, in, out, orig, &reply, &why);

	KUNIT_ASSERT_NOT_NULL(w->test, f);
	KUNIT_ASSERT_EQ(w->test, insert(w, f), 0);
	return f;
}

static struct vr_flow *udp_flow(struct kt_world *w, u16 sport)
{
	struct vr_tuple t = tuple(0, IPPROTO_UDP, KT_POD(0), sport, KT_POD(1), 53);

	return flow_add(w, 0, 1, &t);
}

/* NULL, or the flow found and in *dir the side of it. */
static struct vr_flow *lookup(struct kt_world *w, const struct vr_tuple *t, int *dir)
{
	struct vr_flow_side *s;

	rcu_read_lock();
	s = vr_flow_lookup_rcu(w->vn, t);
	rcu_read_unlock();
	if (s && dir)
		*dir = s->dir;
	return s ? vr_flow_of(s) : NULL;
}

static void kill_flow(struct kt_world *w, struct vr_flow *f)
{
	kt_read_lock();
	vr_flow_kill(w->vn, f);
	kt_read_unlock();
}

static void set_state(struct kt_world *w, struct vr_flow *f, u8 state)
{
	kt_read_lock();
	vr_flow_set_state(w->vn, f, state);
	kt_read_unlock();
}

static void expect_used(struct kt_world *w, int flows, int half_open)
{
	KUNIT_EXPECT_EQ(w->test, atomic_read(&w->vn->used.flows), flows);
	KUNIT_EXPECT_EQ(w->test, atomic_read(&w->vn->used.half_open), half_open);
	KUNIT_EXPECT_EQ(w->test, atomic_read(&kt_vif(w, 0)->flows), flows);
	KUNIT_EXPECT_EQ(w->test, atomic_read(&kt_vif(w, 0)->half_open), half_open);
}

/* --- life ----------------------------------------------------------------- */

static void both_directions(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct vr_tuple t = tuple(0, IPPROTO_TCP, KT_POD(0), 1025, KT_POD(1), 80), r, other;
	struct vr_flow *f;
	int dir = -1;

	KUNIT_EXPECT_NULL(test, lookup(w, &t, NULL));
	f = flow_add(w, 0, 1, &t);
	expect_used(w, 1, 1);
	KUNIT_EXPECT_PTR_EQ(test, lookup(w, &t, &dir), f);
	KUNIT_EXPECT_EQ(test, dir, VR_ORIG);
	r = mirror(&t, 1);
	KUNIT_EXPECT_PTR_EQ(test, lookup(w, &r, &dir), f);
	KUNIT_EXPECT_EQ(test, dir, VR_REPLY);
	KUNIT_EXPECT_EQ(test, f->state, VROUTER_FLOW_STATE_NEW);
	KUNIT_EXPECT_PTR_EQ(test, f->vif[VR_ORIG], kt_vif(w, 0));
	KUNIT_EXPECT_PTR_EQ(test, f->vif[VR_REPLY], kt_vif(w, 1));

	/* each part of the tuple counts */
	other = t;
	other.port = KT_VIF(1);
	KUNIT_EXPECT_NULL(test, lookup(w, &other, NULL));
	other = t;
	other.proto = IPPROTO_UDP;
	KUNIT_EXPECT_NULL(test, lookup(w, &other, NULL));
	other = t;
	other.family = AF_INET6;
	KUNIT_EXPECT_NULL(test, lookup(w, &other, NULL));
	other = t;
	other.sport = htons(1026);
	KUNIT_EXPECT_NULL(test, lookup(w, &other, NULL));
	other = t;
	other.dport = htons(81);
	KUNIT_EXPECT_NULL(test, lookup(w, &other, NULL));
	other = t;
	other.src.v4 ^= htonl(1);
	KUNIT_EXPECT_NULL(test, lookup(w, &other, NULL));
	other = t;
	other.dst.v4 ^= htonl(1);
	KUNIT_EXPECT_NULL(test, lookup(w, &other, NULL));

	kill_flow(w, f);
	KUNIT_EXPECT_NULL(test, lookup(w, &t, NULL));
	KUNIT_EXPECT_NULL(test, lookup(w, &r, NULL));
	rcu_barrier();
	expect_used(w, 0, 0);
}

/* All octets of an IPv6 address count. */
static void ipv6_octets(struct kunit *test)
{
	const struct kt_pkt p = { .family = AF_INET6, .proto = IPPROTO_UDP, .src = KT_POD(0),
				  .dst = KT_POD(1), .sport = 7, .dport = 8 };
	struct vr_tuple t = kt_tuple(KT_VIF(0), &p), other;
	struct kt_world *w = kt_world(test);
	struct vr_flow *f = flow_add(w, 0, 1, &t);
	unsigned int i;

	KUNIT_EXPECT_PTR_EQ(test, lookup(w, &t, NULL), f);
	for (i = 0; i < 16; i++) {
		other = t;
		other.src.v6.s6_addr[i] ^= 1;
		KUNIT_EXPECT_NULL_MSG(test, lookup(w, &other, NULL), "source octet %u", i);
		other = t;
		other.dst.v6.s6_addr[i] ^= 0x80;
		KUNIT_EXPECT_NULL_MSG(test, lookup(w, &other, NULL), "destination octet %u", i);
	}
}

static void kill_twice(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct vr_flow *f;

	udp_flow(w, 2);
	f = udp_flow(w, 1);
	kt_read_lock();
	vr_flow_kill(w->vn, f);
	vr_flow_kill(w->vn, f);
	kt_read_unlock();
	rcu_barrier();
	expect_used(w, 1, 1);
}

static void clash(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct vr_tuple t = tuple(0, IPPROTO_UDP, KT_POD(0), 1, KT_POD(1), 53), t2 = t, r, r2;
	enum vrouter_drop_reason why;
	struct vr_flow *f, *again;

	f = flow_add(w, 0, 1, &t);
	r = mirror(&t, 1);
	r2 = r;
	r2.sport = htons(54);
	/* the opener's tuple is there, whatever the reply's */
	again = flow_alloc(w, 0, 1, &t, &r, &why);
	KUNIT_ASSERT_NOT_NULL(test, again);
	KUNIT_EXPECT_EQ(test, insert(w, again), -EEXIST);
	again = flow_alloc(w, 0, 1, &t, &r2, &why);
	KUNIT_ASSERT_NOT_NULL(test, again);
	KUNIT_EXPECT_EQ(test, insert(w, again), -EEXIST);
	KUNIT_EXPECT_NULL(test, lookup(w, &r2, NULL));
	/* another opener, the same reply */
	t2.sport = htons(2);
	again = flow_alloc(w, 0, 1, &t2, &r, &why);
	KUNIT_ASSERT_NOT_NULL(test, again);
	KUNIT_EXPECT_EQ(test, insert(w, again), -EADDRINUSE);
	KUNIT_EXPECT_NULL(test, lookup(w, &t2, NULL));

	KUNIT_EXPECT_PTR_EQ(test, lookup(w, &t, NULL), f);
	KUNIT_EXPECT_PTR_EQ(test, lookup(w, &r, NULL), f);
	rcu_barrier();
	expect_used(w, 1, 1);
}

/* The memory of vif and member lives as long as a flow needs it. */
static void references(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct vr_vif *vif = kt_vif(w, 0);
	unsigned int was = refcount_read(&vif->ref);
	struct vr_flow *f;

	f = udp_flow(w, 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&vif->ref), was + 1);
	KUNIT_ASSERT_TRUE(test, vr_vif_tryget(vif));
	kt_lock(w);
	KUNIT_EXPECT_EQ(test, vr_vif_del(w->vn, KT_VIF(0), NULL), 0);
	kt_unlock(w);
	rcu_barrier();
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(vif->dev));
	/* "detach; ends the interface's flows" */
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 0);
	vr_vif_put(vif);
	(void)f;
}

/* --- half open ------------------------------------------------------------ */

struct state_case {
	const char	*desc;
	u8		state;
	int		half_open;
};

static const struct state_case states[] = {
	{ "new", VROUTER_FLOW_STATE_NEW, 1 },
	{ "open", VROUTER_FLOW_STATE_OPEN, 0 },
	{ "syn-recv", VROUTER_FLOW_STATE_SYN_RECV, 1 },
	{ "established", VROUTER_FLOW_STATE_ESTABLISHED, 0 },
	{ "half-closed", VROUTER_FLOW_STATE_HALF_CLOSED, 0 },
	{ "closed", VROUTER_FLOW_STATE_CLOSED, 0 },
};
KT_PARAM(states, states);

/* To the state and to every other one from there: the count is always that of the state. */
static void half_open(struct kunit *test)
{
	const struct state_case *s = test->param_value;
	struct kt_world *w = kt_world(test);
	struct vr_flow *f = udp_flow(w, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		set_state(w, f, s->state);
		KUNIT_EXPECT_EQ(test, f->state, s->state);
		expect_used(w, 1, s->half_open);
		set_state(w, f, s->state);
		expect_used(w, 1, s->half_open);
		set_state(w, f, states[i].state);
		expect_used(w, 1, states[i].half_open);
	}
	set_state(w, f, s->state);
	kill_flow(w, f);
	rcu_barrier();
	expect_used(w, 0, 0);
}

/* --- time-outs ------------------------------------------------------------ */

struct timeout {
	const char	*desc;
	u8		proto, state;
	size_t		limit;		/* offset in struct vr_limits */
};

#define T(_name) offsetof(struct vr_limits, t_##_name)
static const struct timeout timeouts[] = {
	{ "TCP new", IPPROTO_TCP, VROUTER_FLOW_STATE_NEW, T(tcp_syn) },
	{ "TCP syn-recv", IPPROTO_TCP, VROUTER_FLOW_STATE_SYN_RECV, T(tcp_syn) },
	{ "TCP established", IPPROTO_TCP, VROUTER_FLOW_STATE_ESTABLISHED, T(tcp_established) },
	{ "TCP half-closed", IPPROTO_TCP, VROUTER_FLOW_STATE_HALF_CLOSED, T(tcp_half_closed) },
	{ "TCP closed", IPPROTO_TCP, VROUTER_FLOW_STATE_CLOSED, T(tcp_closed) },
	{ "UDP new", IPPROTO_UDP, VROUTER_FLOW_STATE_NEW, T(new) },
	{ "UDP open", IPPROTO_UDP, VROUTER_FLOW_STATE_OPEN, T(udp) },
	{ "SCTP new", IPPROTO_SCTP, VROUTER_FLOW_STATE_NEW, T(new) },
	{ "SCTP open", IPPROTO_SCTP, VROUTER_FLOW_STATE_OPEN, T(sctp) },
	{ "ICMP open", IPPROTO_ICMP, VROUTER_FLOW_STATE_OPEN, T(icmp) },
};
KT_PARAM(timeouts, timeouts);

static struct vr_flow *flow_in(struct kt_world *w, u8 proto, u8 state, u16 port)
{
	struct vr_tuple t = tuple(0, proto, KT_POD(0), port, KT_POD(1), 99);
	struct vr_flow *f = flow_add(w, 0, 1, &t);

	set_state(w, f, state);
	return f;
}

/* One round of the collector, to its end. */
static void collect(struct kt_world *w)
{
	int i;

	for (i = 0; i < 8; i++) {
		mod_delayed_work(system_wq, &w->vn->flow_gc, 0);
		flush_delayed_work(&w->vn->flow_gc);
	}
}

static void timeout(struct kunit *test)
{
	const struct timeout *c = test->param_value;
	struct kt_world *w = kt_world(test);
	struct vr_flow *old, *fresh;
	u32 seconds = 10000;
	struct vr_tuple t;
	size_t off;

	/* All different, so that none can pass for another. */
	for (off = T(new); off <= T(icmp); off += sizeof(u32))
		*(u32 *)((u8 *)&w->vn->limits + off) = seconds++;
	seconds = *(u32 *)((u8 *)&w->vn->limits + c->limit);
	old = flow_in(w, c->proto, c->state, 1);
	fresh = flow_in(w, c->proto, c->state, 2);
	KUNIT_EXPECT_EQ(test, vr_flow_timeout(w->vn, old), seconds);
	t = old->side[VR_ORIG].tuple;

	WRITE_ONCE(fresh->last_used, (u32)(jiffies - (seconds - 100) * HZ));
	WRITE_ONCE(old->last_used, (u32)(jiffies - (seconds + 1) * HZ));
	collect(w);
	KUNIT_EXPECT_NULL(test, lookup(w, &t, NULL));
	t.sport = htons(2);
	if (c->proto == IPPROTO_ICMP)
		t.dport = htons(2);
	KUNIT_EXPECT_PTR_EQ(test, lookup(w, &t, NULL), fresh);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 1);
}

/* --- bounds --------------------------------------------------------------- */

/* Fills up from pod 0 with flows in this state until one is refused. */
static unsigned int fill(struct kt_world *w, u8 state, unsigned int max,
			 enum vrouter_drop_reason *why)
{
	unsigned int i;

	*why = VROUTER_DROP_REASON_NONE;
	for (i = 0; i < max; i++) {
		struct vr_tuple t = tuple(0, IPPROTO_UDP, KT_POD(0), i + 1, KT_POD(1), 53);
		struct vr_tuple r = mirror(&t, 1);
		struct vr_flow *f = flow_alloc(w, 0, 1, &t, &r, why);

		if (!f)
			break;
		KUNIT_ASSERT_EQ(w->test, insert(w, f), 0);
		set_state(w, f, state);
	}
	return i;
}

static void bound_namespace(struct kunit *test)
{
	struct vr_tuple t = tuple(2, IPPROTO_UDP, KT_POD(2), 1, KT_POD(1), 53), r = mirror(&t, 1);
	struct kt_world *w = kt_world(test);
	enum vrouter_drop_reason why;

	WRITE_ONCE(w->vn->limits.flows, 8);
	KUNIT_EXPECT_EQ(test, fill(w, VROUTER_FLOW_STATE_OPEN, 20, &why), 8);
	KUNIT_EXPECT_EQ(test, why, VROUTER_DROP_REASON_FLOW_TABLE_FULL);
	/* nor for anybody else: what is open goes on */
	KUNIT_EXPECT_NULL(test, flow_alloc(w, 2, 1, &t, &r, &why));
	KUNIT_EXPECT_EQ(test, why, VROUTER_DROP_REASON_FLOW_TABLE_FULL);
	expect_used(w, 8, 0);
}

static void bound_module(struct kunit *test)
{
	u32 was = vr_global.limits.flows, base = atomic_read(&vr_global.used.flows);
	struct kt_world *w = kt_world(test);
	enum vrouter_drop_reason why;

	WRITE_ONCE(vr_global.limits.flows, base + 5);
	KUNIT_EXPECT_EQ(test, fill(w, VROUTER_FLOW_STATE_OPEN, 20, &why), 5);
	KUNIT_EXPECT_EQ(test, why, VROUTER_DROP_REASON_FLOW_TABLE_FULL);
	WRITE_ONCE(vr_global.limits.flows, was);
	expect_used(w, 5, 0);
}

static void bound_vif(struct kunit *test)
{
	struct vr_tuple t = tuple(2, IPPROTO_UDP, KT_POD(2), 1, KT_POD(1), 53), r = mirror(&t, 1);
	struct kt_world *w = kt_world(test);
	enum vrouter_drop_reason why;
	struct vr_flow *f;

	WRITE_ONCE(w->vn->limits.flows_per_vif, 6);
	KUNIT_EXPECT_EQ(test, fill(w, VROUTER_FLOW_STATE_OPEN, 20, &why), 6);
	KUNIT_EXPECT_EQ(test, why, VROUTER_DROP_REASON_VIF_FLOW_LIMIT);
	expect_used(w, 6, 0);
	/* another interface is not concerned */
	f = flow_alloc(w, 2, 1, &t, &r, &why);
	KUNIT_ASSERT_NOT_NULL(test, f);
	KUNIT_EXPECT_EQ(test, insert(w, f), 0);
}

static void bound_half_open(struct kunit *test)
{
	struct vr_tuple t = tuple(0, IPPROTO_UDP, KT_POD(0), 99, KT_POD(1), 53), r = mirror(&t, 1);
	struct kt_world *w = kt_world(test);
	enum vrouter_drop_reason why;
	struct vr_flow *f;

	WRITE_ONCE(w->vn->limits.half_open_per_vif, 4);
	KUNIT_EXPECT_EQ(test, fill(w, VROUTER_FLOW_STATE_NEW, 20, &why), 4);
	KUNIT_EXPECT_EQ(test, why, VROUTER_DROP_REASON_VIF_HALF_OPEN_LIMIT);
	expect_used(w, 4, 4);
	/* an answer makes room */
	f = lookup(w, &(struct vr_tuple){}, NULL);
	KUNIT_EXPECT_NULL(test, f);
	t.sport = htons(1);
	f = lookup(w, &t, NULL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	set_state(w, f, VROUTER_FLOW_STATE_OPEN);
	t.sport = htons(99);
	f = flow_alloc(w, 0, 1, &t, &r, &why);
	KUNIT_ASSERT_NOT_NULL(test, f);
	KUNIT_EXPECT_EQ(test, insert(w, f), 0);
	expect_used(w, 5, 4);
}

/* A vif's own limits go before the namespace's. */
static void bound_own(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct vr_addr_af a = { kt_addr(AF_INET, KT_POD(0)), AF_INET };
	struct vr_vif_cfg cfg = { .id = KT_VIF(0), .dev = w->pod[0].host, .vrf = KT_VRF,
				  .n_addrs = 1, .addrs = &a, .flow_limit = 3 };
	struct netlink_ext_ack extack = {};
	enum vrouter_drop_reason why;

	memcpy(cfg.mac, w->pod[0].mac, ETH_ALEN);
	kt_lock(w);
	KUNIT_EXPECT_EQ(test, vr_vif_set(w->vn, &cfg, NLM_F_REPLACE, &extack), 0);
	kt_unlock(w);
	KUNIT_EXPECT_EQ(test, fill(w, VROUTER_FLOW_STATE_OPEN, 20, &why), 3);
	KUNIT_EXPECT_EQ(test, why, VROUTER_DROP_REASON_VIF_FLOW_LIMIT);
}

static void size(struct kunit *test)
{
	KUNIT_EXPECT_LE(test, vr_flow_size(), 256);
	KUNIT_EXPECT_GE(test, vr_flow_size(), (u32)sizeof(struct vr_flow));
}

/* --- filters -------------------------------------------------------------- */

/* The flow: pod 0 from port 1000 to a vip at port 80, which is pod 1 at port 8080. */
struct filter_case {
	const char	*desc;
	struct vr_flow_filter f;
	bool		yes;
};

#define A4(_h) { .v4 = cpu_to_be32(_h) }
static const struct filter_case filters[] = {
	{ "all", {}, true },
	{ "vif of the opener", { .vif = KT_VIF(0) }, true },
	{ "vif of the responder", { .vif = KT_VIF(1) }, true },
	{ "another vif", { .vif = KT_VIF(2) }, false },
	{ "vrf", { .vrf = KT_VRF }, true },
	{ "another vrf", { .vrf = KT_VRF + 1 }, false },
	{ "state", { .state_set = 1, .state = VROUTER_FLOW_STATE_ESTABLISHED }, true },
	{ "another state", { .state_set = 1, .state = VROUTER_FLOW_STATE_NEW }, false },
	{ "protocol", { .proto = IPPROTO_TCP }, true },
	{ "another protocol", { .proto = IPPROTO_UDP }, false },
	{ "source", { .family = AF_INET, .has_src = true, .src = A4(KT_POD(0)) }, true },
	{ "another source", { .family = AF_INET, .has_src = true, .src = A4(KT_POD(2)) }, false },
	{ "source, other family", { .family = AF_INET6, .has_src = true, .src = A4(KT_POD(0)) },
	  false },
	{ "destination", { .family = AF_INET, .has_dst = true, .dst = A4(KT_VIP) }, true },
	{ "another destination", { .family = AF_INET, .has_dst = true, .dst = A4(KT_POD(3)) },
	  false },
	{ "both", { .family = AF_INET, .has_src = true, .src = A4(KT_POD(0)),
		    .has_dst = true, .dst = A4(KT_VIP) }, true },
	{ "both, one wrong", { .family = AF_INET, .has_src = true, .src = A4(KT_POD(2)),
			       .has_dst = true, .dst = A4(KT_VIP) }, false },
	{ "destination port", { .has_dport = true, .dport = cpu_to_be16(80) }, true },
	{ "another port", { .has_dport = true, .dport = cpu_to_be16(443) }, false },
	{ "source port", { .has_sport = true, .sport = cpu_to_be16(1000) }, true },
	{ "another source port", { .has_sport = true, .sport = cpu_to_be16(1001) }, false },
	{ "all of it", { .vif = KT_VIF(0), .vrf = KT_VRF, .state_set = 1,
			 .state = VROUTER_FLOW_STATE_ESTABLISHED, .family = AF_INET,
			 .has_src = true, .has_dst = true, .has_sport = true, .has_dport = true,
			 .proto = IPPROTO_TCP, .sport = cpu_to_be16(1000),
			 .dport = cpu_to_be16(80), .src = A4(KT_POD(0)), .dst = A4(KT_VIP) }, true },
};
KT_PARAM(filters, filters);

static void filter(struct kunit *test)
{
	struct vr_tuple t = tuple(0, IPPROTO_TCP, KT_POD(0), 1000, KT_VIP, 80);
	struct vr_tuple r = tuple(1, IPPROTO_TCP, KT_POD(1), 8080, KT_POD(0), 1000);
	const struct filter_case *c = test->param_value;
	struct kt_world *w = kt_world(test);
	enum vrouter_drop_reason why;
	struct vr_flow *f;

	f = flow_alloc(w, 0, 1, &t, &r, &why);
	KUNIT_ASSERT_NOT_NULL(test, f);
	f->flags |= VR_FLOW_VIP;
	KUNIT_ASSERT_EQ(test, insert(w, f), 0);
	set_state(w, f, VROUTER_FLOW_STATE_ESTABLISHED);
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, vr_flow_matches(f, &c->f), c->yes);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, vr_flow_flush(w->vn, &c->f), (unsigned int)c->yes);
	KUNIT_EXPECT_EQ(test, !!lookup(w, &t, NULL), !c->yes);
	KUNIT_EXPECT_EQ(test, !!lookup(w, &r, NULL), !c->yes);
}

static void flush_some(struct kunit *test)
{
	struct vr_flow_filter odd = { .has_dport = true, .dport = htons(1) };
	struct kt_world *w = kt_world(test);
	struct vr_flow_filter any = {};
	unsigned int i;

	for (i = 0; i < 500; i++) {
		struct vr_tuple t = tuple(0, IPPROTO_UDP, KT_POD(0), 1000 + i, KT_POD(1), i % 2);

		flow_add(w, 0, 1, &t);
	}
	KUNIT_EXPECT_EQ(test, vr_flow_flush(w->vn, &odd), 250);
	KUNIT_EXPECT_EQ(test, vr_flow_flush(w->vn, &odd), 0);
	KUNIT_EXPECT_EQ(test, vr_flow_flush(w->vn, &any), 250);
	rcu_barrier();
	expect_used(w, 0, 0);
}

/* --- random, against the twin --------------------------------------------- */

static struct vr_tuple random_tuple(struct kt_rnd *r, unsigned int pod)
{
	return tuple(pod, kt_rnd_below(r, 2) ? IPPROTO_UDP : IPPROTO_TCP, KT_POD(pod),
		     1 + kt_rnd_below(r, 8), KT_POD(kt_rnd_below(r, KT_PODS)),
		     1 + kt_rnd_below(r, 4));
}

static void random_insert(struct kunit *test, struct twin_flows *twin, struct kt_rnd *r)
{
	unsigned int in = kt_rnd_below(r, KT_PODS), out = kt_rnd_below(r, KT_PODS);
	struct vr_tuple t = random_tuple(r, in), rep = random_tuple(r, out);
	struct kt_world *w = kt_world(test);
	enum vrouter_drop_reason why;
	struct vr_flow *f;
	int want = 0, dir;

	if (twin->n == TWIN_FLOWS || !memcmp(&t, &rep, sizeof(t)))
		return;
	rep.proto = t.proto;
	if (!memcmp(&t, &rep, sizeof(t)))
		return;
	if (twin_flow_find(twin, &t, &dir))
		want = -EEXIST;
	else if (twin_flow_find(twin, &rep, &dir))
		want = -EADDRINUSE;
	f = flow_alloc(w, in, out, &t, &rep, &why);
	KUNIT_ASSERT_NOT_NULL(test, f);
	KUNIT_ASSERT_EQ(test, insert(w, f), want);
	if (!want)
		twin->f[twin->n++] = (struct twin_flow){ .orig = t, .reply = rep, .flow = f,
							 .opener = in };
}

static void random_flush(struct kunit *test, struct twin_flows *twin, struct kt_rnd *r)
{
	unsigned int pod = kt_rnd_below(r, KT_PODS), i, n = 0;
	struct vr_flow_filter flt = { .vif = KT_VIF(pod), .proto = IPPROTO_TCP };

	for (i = 0; i < twin->n;) {
		struct twin_flow *f = &twin->f[i];

		if (f->orig.proto == IPPROTO_TCP &&
		    (f->orig.port == KT_VIF(pod) || f->reply.port == KT_VIF(pod))) {
			twin_flow_remove(twin, f);
			n++;
		} else {
			i++;
		}
	}
	KUNIT_ASSERT_EQ(test, vr_flow_flush(kt_world(test)->vn, &flt), n);
}

static void compare(struct kunit *test, struct twin_flows *twin, const struct vr_tuple *t)
{
	struct vr_flow *got;
	struct twin_flow *f;
	int dir = -1, want_dir = -1;

	got = lookup(kt_world(test), t, &dir);
	f = twin_flow_find(twin, t, &want_dir);
	KUNIT_ASSERT_PTR_EQ(test, got, f ? f->flow : NULL);
	KUNIT_ASSERT_EQ(test, dir, want_dir);
}

static void random(struct kunit *test)
{
	struct twin_flows *twin = kunit_kzalloc(test, sizeof(*twin), GFP_KERNEL);
	struct kt_world *w = kt_world(test);
	struct kt_rnd r = { .state = 21 };
	unsigned int i, what;

	KUNIT_ASSERT_NOT_NULL(test, twin);
	for (i = 0; i < 8000; i++) {
		struct vr_tuple t = random_tuple(&r, kt_rnd_below(&r, KT_PODS));

		what = kt_rnd_below(&r, 1000);
		if (what < 600) {
			random_insert(test, twin, &r);
		} else if (what < 900 && twin->n) {
			struct twin_flow *f = &twin->f[kt_rnd_below(&r, twin->n)];

			kill_flow(w, f->flow);
			twin_flow_remove(twin, f);
		} else if (what < 990 && twin->n) {
			struct twin_flow *f = &twin->f[kt_rnd_below(&r, twin->n)];

			set_state(w, f->flow, states[kt_rnd_below(&r, ARRAY_SIZE(states))].state);
		} else if (what >= 995) {
			random_flush(test, twin, &r);
		}
		compare(test, twin, &t);
	}
	for (i = 0; i < twin->n; i++) {
		compare(test, twin, &twin->f[i].orig);
		compare(test, twin, &twin->f[i].reply);
	}
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), (int)twin->n);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(both_directions),
	KUNIT_CASE(ipv6_octets),
	KUNIT_CASE(kill_twice),
	KUNIT_CASE(clash),
	KUNIT_CASE(references),
	KUNIT_CASE_PARAM(half_open, states_gen_params),
	KUNIT_CASE_PARAM(timeout, timeouts_gen_params),
	KUNIT_CASE(bound_namespace),
	KUNIT_CASE(bound_module),
	KUNIT_CASE(bound_vif),
	KUNIT_CASE(bound_half_open),
	KUNIT_CASE(bound_own),
	KUNIT_CASE(size),
	KUNIT_CASE_PARAM(filter, filters_gen_params),
	KUNIT_CASE(flush_some),
	KUNIT_CASE(random),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_flow_table",
	.suite_init = kt_make_pods,
	.suite_exit = kt_end_pods,
	.init = kt_init_pods,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
