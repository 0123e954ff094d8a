// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flows: both directions of a flow are found in one hash table. Look-ups
 * take no lock; insertion and removal take the lock of a bucket.
 *
 * Life of a flow: vr_flow_alloc() counts it, vr_flow_insert() makes it found
 * (dead = 0 once both sides are), vr_flow_kill() unlinks it. Whoever turns
 * dead from 0 to 1 unlinks and uncounts; the memory and the references to
 * vifs, member and next hop go after a grace period. A flow that is being
 * inserted has dead = 1 and cannot be killed, so that nobody removes a side
 * that is not there yet.
 */

#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "../obs/obs.h"
#include "flow.h"

/* In vr_flow::flags, beside VR_FLOW_*: is it counted as half open, is it over? */
#define FLOW_COUNTED	BIT(7)
#define FLOW_OVER	BIT(6)

static struct kmem_cache *slab __read_mostly;

/* --- hash and comparison -------------------------------------------------- */

static __always_inline u32 tuple_hash(const void *data, u32 len, u32 seed)
{
	const struct vr_tuple *t = data;
	u32 a, b, c;

	if (unlikely(t->family != AF_INET))
		return jhash2(data, sizeof(*t) / sizeof(u32), seed);

	a = t->port + JHASH_INITVAL;
	b = ((__force u32)t->sport << 16 | (__force u32)t->dport) + JHASH_INITVAL;
	c = (__force u32)t->src.v4 + seed;
	__jhash_mix(a, b, c);
	a += (__force u32)t->dst.v4;
	b += t->proto;
	__jhash_final(a, b, c);
	return c;
}

/* What rhashtable_lookup() expects: 0 when equal. */
static __always_inline int tuple_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct vr_tuple *a = arg->key, *b = &((const struct vr_flow_side *)obj)->tuple;

	if (a->port != b->port || a->family != b->family || a->proto != b->proto ||
	    a->sport != b->sport || a->dport != b->dport)
		return 1;
	if (likely(a->family == AF_INET))
		return a->src.v4 != b->src.v4 || a->dst.v4 != b->dst.v4;
	return !vr_addr_eq(&a->src, &b->src) || !vr_addr_eq(&a->dst, &b->dst);
}

static const struct rhashtable_params params = {
	.key_len		= sizeof(struct vr_tuple),
	.key_offset		= offsetof(struct vr_flow_side, tuple),
	.head_offset		= offsetof(struct vr_flow_side, node),
	.hashfn			= tuple_hash,
	.obj_cmpfn		= tuple_cmp,
	.automatic_shrinking	= true,
};

struct vr_flow_side *vr_flow_lookup_rcu(struct vr_net *vn, const struct vr_tuple *t)
{
	return rhashtable_lookup(&vn->flows, t, params);
}

/* --- counting ------------------------------------------------------------- */

static bool is_half_open(u8 state)
{
	return state == VROUTER_FLOW_STATE_NEW || state == VROUTER_FLOW_STATE_SYN_RECV;
}

static void count_half_open(struct vr_net *vn, struct vr_flow *f, int n)
{
	atomic_add(n, &vn->used.half_open);
	atomic_add(n, &vr_global.used.half_open);
	atomic_add(n, &f->vif[VR_ORIG]->half_open);
}

/* Brings the count in line with the state. Whatever CPUs do at the same time, the
 * last of them sees the last state; nothing is counted for a flow that is over.
 */
static void recount(struct vr_net *vn, struct vr_flow *f)
{
	u8 old, new;
	bool want;

	do {
		old = READ_ONCE(f->flags);
		want = !(old & FLOW_OVER) && is_half_open(READ_ONCE(f->state));
		new = want ? old | FLOW_COUNTED : old & ~FLOW_COUNTED;
		if (new == old)
			return;
	} while (cmpxchg(&f->flags, old, new) != old);
	count_half_open(vn, f, want ? 1 : -1);
}

void vr_flow_set_flag(struct vr_flow *f, u8 flag, bool on)
{
	u8 old, new;

	do {
		old = READ_ONCE(f->flags);
		new = on ? old | flag : old & ~flag;
		if (new == old)
			return;
	} while (cmpxchg(&f->flags, old, new) != old);
}

void vr_flow_set_state(struct vr_net *vn, struct vr_flow *f, u8 state)
{
	if (xchg(&f->state, state) != state)
		recount(vn, f);
}

void vr_flow_move_state(struct vr_net *vn, struct vr_flow *f, u8 from, u8 to)
{
	if (cmpxchg(&f->state, from, to) == from)
		recount(vn, f);
}

static void uncount(struct vr_net *vn, struct vr_flow *f)
{
	vr_flow_set_flag(f, FLOW_OVER, true);
	recount(vn, f);
	atomic_dec(&f->vif[VR_ORIG]->flows);
	vr_give_of(vn, flows, 1);
}

/* --- time ----------------------------------------------------------------- */

static u32 tcp_timeout(const struct vr_limits *l, u8 state)
{
	switch (state) {
	case VROUTER_FLOW_STATE_ESTABLISHED:
		return READ_ONCE(l->t_tcp_established);
	case VROUTER_FLOW_STATE_HALF_CLOSED:
		return READ_ONCE(l->t_tcp_half_closed);
	case VROUTER_FLOW_STATE_CLOSED:
		return READ_ONCE(l->t_tcp_closed);
	default:
		return READ_ONCE(l->t_tcp_syn);
	}
}

u32 vr_flow_timeout(const struct vr_net *vn, const struct vr_flow *f)
{
	const struct vr_limits *l = &vn->limits;
	u8 state = READ_ONCE(f->state);

	if (READ_ONCE(f->flags) & VR_FLOW_REFUSED)
		return READ_ONCE(l->t_new);
	if (f->side[VR_ORIG].tuple.proto == IPPROTO_TCP)
		return tcp_timeout(l, state);
	if (state == VROUTER_FLOW_STATE_NEW)
		return READ_ONCE(l->t_new);
	switch (f->side[VR_ORIG].tuple.proto) {
	case IPPROTO_UDP:
		return READ_ONCE(l->t_udp);
	case IPPROTO_SCTP:
		return READ_ONCE(l->t_sctp);
	default:
		return READ_ONCE(l->t_icmp);
	}
}

/* Jiffies since the last packet; another CPU may just have seen one "later". */
static u32 idle_time(const struct vr_flow *f, u32 now)
{
	s32 idle = now - READ_ONCE(f->last_used);

	return idle < 0 ? 0 : idle;
}

static bool is_expired(const struct vr_net *vn, const struct vr_flow *f, u32 now)
{
	return idle_time(f, now) > (u64)vr_flow_timeout(vn, f) * HZ;
}

/* --- eviction ------------------------------------------------------------- */

#define EVICT_BUCKETS	64	/* looked at for one victim, at most, */
#define EVICT_FLOWS	16	/* and this many that may go */

static bool may_evict(const struct vr_net *vn, const struct vr_flow *f, u32 now)
{
	u8 state = READ_ONCE(f->state);

	if (READ_ONCE(f->dead))
		return false;
	return is_half_open(state) || state == VROUTER_FLOW_STATE_CLOSED ||
	       READ_ONCE(f->flags) & VR_FLOW_REFUSED || is_expired(vn, f, now);
}

/* The table is full: the flow that was silent longest of a sample of those that
 * are half open, closed or expired goes. What is open is never touched. The
 * sample is random, so that nobody can arrange to be spared.
 */
static bool evict(struct vr_net *vn)
{
	struct bucket_table *tbl = rht_dereference_rcu(vn->flows.tbl, &vn->flows);
	u32 now = (u32)jiffies, idle = 0, bucket = get_random_u32();
	unsigned int i, found = 0;
	struct vr_flow *f, *victim = NULL;
	struct vr_flow_side *side;
	struct rhash_head *pos;

	for (i = 0; i < EVICT_BUCKETS && i < tbl->size && found < EVICT_FLOWS; i++) {
		rht_for_each_entry_rcu(side, pos, tbl, (bucket + i) & (tbl->size - 1), node) {
			f = vr_flow_of(side);
			if (!may_evict(vn, f, now))
				continue;
			found++;
			if (!victim || idle_time(f, now) > idle) {
				victim = f;
				idle = idle_time(f, now);
			}
		}
	}
	if (!victim)
		return false;
	vr_flow_kill(vn, victim);
	vr_net_count(vn, evicted);
	return true;
}

/* --- allocation ----------------------------------------------------------- */

/* A pod or a VM, of which one is not to take all from the others. What enters by another
 * type is of many, and was held to this where it came from.
 */
static bool is_of_one(const struct vr_vif *vif)
{
	return vif->type == VROUTER_VIF_TYPE_VETH || vif->type == VROUTER_VIF_TYPE_TAP;
}

/* Flows and half-open flows of the vif that opens one, each against its bound. */
static enum vrouter_drop_reason take_of_vif(struct vr_net *vn, struct vr_vif *vif)
{
	const struct vr_vif_conf *conf = rcu_dereference(vif->conf);
	u32 all = READ_ONCE(vn->limits.flows), flows = all, half = all / 2;

	if (likely(is_of_one(vif))) {
		flows = READ_ONCE(vn->limits.flows_per_vif);
		half = READ_ONCE(vn->limits.half_open_per_vif);
	}
	flows = conf->flow_limit ?: flows;
	half = conf->half_open_limit ?: half;

	if ((u32)atomic_read(&vif->half_open) >= half)
		return VROUTER_DROP_REASON_VIF_HALF_OPEN_LIMIT;
	if ((u32)atomic_inc_return(&vif->flows) > flows) {
		atomic_dec(&vif->flows);
		return VROUTER_DROP_REASON_VIF_FLOW_LIMIT;
	}
	return VROUTER_DROP_REASON_NONE;
}

static enum vrouter_drop_reason take(struct vr_net *vn, struct vr_vif *in)
{
	enum vrouter_drop_reason why;

	why = take_of_vif(vn, in);
	if (why)
		return why;
	if (likely(!vr_take_of(vn, flows, 1, "flows", NULL)))
		return VROUTER_DROP_REASON_NONE;
	if (evict(vn) && !vr_take_of(vn, flows, 1, "flows", NULL))
		return VROUTER_DROP_REASON_NONE;
	atomic_dec(&in->flows);
	return VROUTER_DROP_REASON_FLOW_TABLE_FULL;
}

static void put_refs(struct vr_flow *f)
{
	if (f->nh[VR_ORIG])
		vr_nexthop_put(f->nh[VR_ORIG]);
	if (f->nh[VR_REPLY])
		vr_nexthop_put(f->nh[VR_REPLY]);
	if (f->member)
		vr_member_put(f->member);
	if (f->vif[VR_REPLY])
		vr_vif_put(f->vif[VR_REPLY]);
	vr_vif_put(f->vif[VR_ORIG]);
}

/* All that the flow points to, or nothing. */
static enum vrouter_drop_reason take_refs(struct vr_flow *f, struct vr_vif *in,
					  struct vr_vif *out, struct vr_member *m)
{
	if (!vr_vif_tryget(in))
		return VROUTER_DROP_REASON_VIF_DOWN;
	if (out && !vr_vif_tryget(out)) {
		vr_vif_put(in);
		return VROUTER_DROP_REASON_VIF_DOWN;
	}
	if (m && !vr_member_tryget(m)) {
		if (out)
			vr_vif_put(out);
		vr_vif_put(in);
		return VROUTER_DROP_REASON_MEMBER_REMOVED;
	}
	f->vif[VR_ORIG] = in;
	f->vif[VR_REPLY] = out;
	f->member = m;
	return VROUTER_DROP_REASON_NONE;
}

struct vr_flow *vr_flow_alloc(struct vr_net *vn, struct vr_vif *in, struct vr_vif *out,
			      struct vr_member *m, enum vrouter_drop_reason *why)
{
	struct vr_flow *f;

	*why = take(vn, in);
	if (*why)
		return NULL;

	f = kmem_cache_zalloc(slab, GFP_ATOMIC | __GFP_NOWARN);
	*why = f ? take_refs(f, in, out, m) : VROUTER_DROP_REASON_NO_MEMORY;
	if (*why) {
		if (f)
			kmem_cache_free(slab, f);
		atomic_dec(&in->flows);
		vr_give_of(vn, flows, 1);
		return NULL;
	}

	f->side[VR_REPLY].dir = VR_REPLY;
	f->dead = 1;
	f->state = VROUTER_FLOW_STATE_NEW;
	f->flags = FLOW_COUNTED;
	count_half_open(vn, f, 1);
	return f;
}

static void free_rcu_cb(struct rcu_head *rcu)
{
	struct vr_flow *f = container_of(rcu, struct vr_flow, rcu);

	put_refs(f);
	kmem_cache_free(slab, f);
}

/* --- insertion and removal ------------------------------------------------ */

static int insert_side(struct vr_net *vn, struct vr_flow_side *side)
{
	void *old;

	old = rhashtable_lookup_get_insert_fast(&vn->flows, &side->node, params);
	return !old ? 0 : IS_ERR(old) ? PTR_ERR(old) : -EEXIST;
}

/* -ENOMEM, or what rhashtable says when it cannot grow right now, beside the
 * two of flow.h.
 */
int vr_flow_insert(struct vr_net *vn, struct vr_flow *f)
{
	int err;

	err = insert_side(vn, &f->side[VR_ORIG]);
	if (unlikely(err)) {
		uncount(vn, f);
		put_refs(f);
		kmem_cache_free(slab, f);
		return err;
	}
	err = insert_side(vn, &f->side[VR_REPLY]);
	if (unlikely(err)) {
		/* a packet may have found the one side in the meantime */
		rhashtable_remove_fast(&vn->flows, &f->side[VR_ORIG].node, params);
		uncount(vn, f);
		call_rcu(&f->rcu, free_rcu_cb);
		return err == -EEXIST ? -EADDRINUSE : err;
	}
	/* pairs with the cmpxchg() in vr_flow_kill() */
	smp_store_release(&f->dead, 0);
	return 0;
}

void vr_flow_kill(struct vr_net *vn, struct vr_flow *f)
{
	if (READ_ONCE(f->dead) || cmpxchg(&f->dead, 0, 1))
		return;

	rhashtable_remove_fast(&vn->flows, &f->side[VR_ORIG].node, params);
	rhashtable_remove_fast(&vn->flows, &f->side[VR_REPLY].node, params);
	vr_event_flow(vn, f, true);
	uncount(vn, f);
	local_bh_disable();
	vr_net_count(vn, ended);
	local_bh_enable();
	call_rcu(&f->rcu, free_rcu_cb);
}

/* --- walks ---------------------------------------------------------------- */

#define WALK_CHUNK	1024	/* sides, then others may run */

/* Kills the flows that fn says; returns how many. Process context. */
static unsigned int walk(struct vr_net *vn, bool (*fn)(struct vr_net *vn, const struct vr_flow *f,
						       const void *arg), const void *arg)
{
	struct rhashtable_iter iter;
	struct vr_flow_side *side;
	unsigned int n = 0, seen = 0;
	struct vr_flow *f;

	rhashtable_walk_enter(&vn->flows, &iter);
	rhashtable_walk_start(&iter);
	while ((side = rhashtable_walk_next(&iter))) {
		/* -EAGAIN: the table was resized and the walk begins anew */
		if (!IS_ERR(side) && side->dir == VR_ORIG) {
			f = vr_flow_of(side);
			if (!READ_ONCE(f->dead) && fn(vn, f, arg)) {
				vr_flow_kill(vn, f);
				n++;
			}
		}
		if (++seen % WALK_CHUNK)
			continue;
		rhashtable_walk_stop(&iter);
		cond_resched();
		rhashtable_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return n;
}

static bool side_has_vif(const struct vr_flow *f, u32 vif)
{
	return f->side[VR_ORIG].tuple.port == vif || f->side[VR_REPLY].tuple.port == vif;
}

bool vr_flow_matches(const struct vr_flow *f, const struct vr_flow_filter *flt)
{
	const struct vr_tuple *t = &f->side[VR_ORIG].tuple;

	if ((flt->vif && !side_has_vif(f, flt->vif)) || (flt->vrf && f->vrf != flt->vrf) ||
	    (flt->state_set && READ_ONCE(f->state) != flt->state) ||
	    (flt->proto && t->proto != flt->proto) || (flt->family && t->family != flt->family))
		return false;
	return (!flt->has_src || vr_addr_eq(&t->src, &flt->src)) &&
	       (!flt->has_dst || vr_addr_eq(&t->dst, &flt->dst)) &&
	       (!flt->has_sport || t->sport == flt->sport) &&
	       (!flt->has_dport || t->dport == flt->dport);
}

static bool matches(struct vr_net *vn, const struct vr_flow *f, const void *flt)
{
	return vr_flow_matches(f, flt);
}

unsigned int vr_flow_flush(struct vr_net *vn, const struct vr_flow_filter *flt)
{
	return walk(vn, matches, flt);
}

static bool expired(struct vr_net *vn, const struct vr_flow *f, const void *arg)
{
	return is_expired(vn, f, (u32)jiffies);
}

/* At most one part in 50 of a CPU, so with many flows it comes around more
 * seldom; a flow then outlives its time-out by up to GC_MAX.
 */
#define GC_MIN	HZ
#define GC_MAX	(15 * HZ)

static void gc(struct work_struct *work)
{
	struct vr_net *vn = container_of(to_delayed_work(work), struct vr_net, flow_gc);
	unsigned long start = jiffies;

	walk(vn, expired, NULL);
	vr_affinity_gc(vn);
	queue_delayed_work(vr_wq, &vn->flow_gc,
			   clamp_t(unsigned long, (jiffies - start) * 50, GC_MIN, GC_MAX));
}

/* --- life of the table ---------------------------------------------------- */

int vr_flow_table_init(struct vr_net *vn)
{
	int err;

	BUILD_BUG_ON(sizeof(struct vr_tuple) != 44);
	BUILD_BUG_ON(sizeof(struct vr_flow_side) > L1_CACHE_BYTES && L1_CACHE_BYTES >= 64);
	BUILD_BUG_ON(sizeof(struct vr_flow) > 248);
	BUILD_BUG_ON(offsetof(struct vr_flow, rcu) < offsetofend(struct vr_flow, tcp));

	err = rhashtable_init(&vn->flows, &params);
	if (err)
		return err;
	INIT_DELAYED_WORK(&vn->flow_gc, gc);
	queue_delayed_work(vr_wq, &vn->flow_gc, GC_MIN);
	return 0;
}

static bool any(struct vr_net *vn, const struct vr_flow *f, const void *arg)
{
	return true;
}

void vr_flow_table_exit(struct vr_net *vn)
{
	cancel_delayed_work_sync(&vn->flow_gc);
	walk(vn, any, NULL);
	rhashtable_destroy(&vn->flows);
}

int vr_flow_slab_init(void)
{
	slab = KMEM_CACHE(vr_flow, SLAB_ACCOUNT);
	return slab ? 0 : -ENOMEM;
}

void vr_flow_slab_exit(void)
{
	kmem_cache_destroy(slab);
}

u32 vr_flow_size(void)
{
	return kmem_cache_size(slab);
}
