// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flow table: an rhashtable in which each flow stands twice, once for each
 * direction's tuple. The kernel's table grows and shrinks by itself, rehashes with a
 * new seed when somebody finds colliding tuples, and is read without a lock.
 */

#include <linux/jhash.h>
#include <linux/slab.h>

#include "../obs/obs.h"
#include "table.h"

#define GC_INTERVAL	HZ
#define EVICT_LOOK	64	/* entries looked at for one to evict, */
#define EVICT_BUCKETS	256	/* in so many buckets at most */

static struct kmem_cache *slab;

static u32 tuple_hash(const struct vr_tuple *t, u32 seed)
{
	u32 ports = (__force u32)t->sport << 16 | (__force u32)t->dport;

	if (t->family == AF_INET)
		return jhash_3words((__force u32)t->src.v4 ^ t->port,
				    (__force u32)t->dst.v4 ^ (u32)t->proto << 24, ports, seed);
	return jhash2((const u32 *)t, sizeof(*t) / sizeof(u32), seed);
}

static u32 key_hashfn(const void *data, u32 len, u32 seed)
{
	return tuple_hash(data, seed);
}

static u32 obj_hashfn(const void *data, u32 len, u32 seed)
{
	return tuple_hash(&((const struct vr_flow_side *)data)->tuple, seed);
}

static int obj_cmpfn(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct vr_tuple *a = arg->key;
	const struct vr_tuple *b = &((const struct vr_flow_side *)obj)->tuple;

	if (a->port != b->port || a->family != b->family || a->proto != b->proto ||
	    a->sport != b->sport || a->dport != b->dport)
		return 1;
	if (a->family == AF_INET)
		return a->src.v4 != b->src.v4 || a->dst.v4 != b->dst.v4;
	return !vr_addr_eq(&a->src, &b->src) || !vr_addr_eq(&a->dst, &b->dst);
}

static const struct rhashtable_params flow_params = {
	.head_offset = offsetof(struct vr_flow_side, node),
	.key_offset = offsetof(struct vr_flow_side, tuple),
	.key_len = sizeof(struct vr_tuple),
	.hashfn = key_hashfn,
	.obj_hashfn = obj_hashfn,
	.obj_cmpfn = obj_cmpfn,
	.automatic_shrinking = true,
	.min_size = 1024,
};

struct vr_flow_side *vr_flow_lookup_rcu(struct vr_net *vn, const struct vr_tuple *t)
{
	return rhashtable_lookup(&vn->flows, t, flow_params);
}

u32 vr_flow_size(void)
{
	return kmem_cache_size(slab);
}

/* --- life ------------------------------------------------------------------- */

static bool is_half_open(u8 state)
{
	return state == VROUTER_FLOW_STATE_NEW || state == VROUTER_FLOW_STATE_SYN_RECV;
}

static void count_half_open(struct vr_net *vn, struct vr_vif *vif, int n)
{
	atomic_add(n, &vn->used.half_open);
	atomic_add(n, &vr_global.used.half_open);
	atomic_add(n, &vif->half_open);
}

static void flow_free(struct vr_flow *f)
{
	vr_vif_put(f->vif[VR_ORIG]);
	if (f->vif[VR_REPLY])
		vr_vif_put(f->vif[VR_REPLY]);
	if (f->member)
		vr_member_put(f->member);
	kmem_cache_free(slab, f);
}

static void flow_free_rcu(struct rcu_head *rcu)
{
	flow_free(container_of(rcu, struct vr_flow, rcu));
}

/* Of the vif's own limit, or else the namespace's. */
static bool has_room(const atomic_t *used, u32 own, const u32 *limit)
{
	return (u32)atomic_read(used) < (own ?: READ_ONCE(*limit));
}

static bool is_spare(const struct vr_flow *f)
{
	u8 state = READ_ONCE(f->state);

	return is_half_open(state) || state == VROUTER_FLOW_STATE_CLOSED;
}

/* Room for a new flow is made by ending the one that was idle the longest of some
 * that are half open or closed. An established one never goes for another.
 */
static bool evict_one(struct vr_net *vn)
{
	const struct bucket_table *tbl = rcu_dereference(vn->flows.tbl);
	unsigned int i, n, bucket = get_random_u32();
	struct vr_flow *worst = NULL;
	struct rhash_head *pos;

	for (i = 0, n = 0; i < EVICT_BUCKETS && n < EVICT_LOOK; i++, bucket++) {
		rht_for_each_rcu(pos, tbl, bucket & (tbl->size - 1)) {
			struct vr_flow_side *side = container_of(pos, struct vr_flow_side, node);
			struct vr_flow *f = vr_flow_of(side);

			n++;
			if (READ_ONCE(f->dead) || !is_spare(f))
				continue;
			if (!worst || time_before32(READ_ONCE(f->last_used),
						    READ_ONCE(worst->last_used)))
				worst = f;
		}
	}
	if (!worst)
		return false;
	vr_flow_kill(vn, worst);
	vr_net_count(vn, evicted);
	return true;
}

struct vr_flow *vr_flow_alloc(struct vr_net *vn, struct vr_vif *in, struct vr_vif *out,
			      struct vr_member *m, enum vrouter_drop_reason *why)
{
	const struct vr_vif_conf *conf = rcu_dereference(in->conf);
	struct vr_flow *f;

	*why = VROUTER_DROP_REASON_VIF_FLOW_LIMIT;
	if (!has_room(&in->flows, conf->flow_limit, &vn->limits.flows_per_vif))
		return NULL;
	*why = VROUTER_DROP_REASON_VIF_HALF_OPEN_LIMIT;
	if (!has_room(&in->half_open, conf->half_open_limit, &vn->limits.half_open_per_vif))
		return NULL;
	*why = VROUTER_DROP_REASON_FLOW_TABLE_FULL;
	if (vr_take_of(vn, flows, 1, "flows", NULL) &&
	    (!evict_one(vn) || vr_take_of(vn, flows, 1, "flows", NULL)))
		return NULL;
	*why = VROUTER_DROP_REASON_NO_MEMORY;
	f = kmem_cache_zalloc(slab, GFP_ATOMIC);
	if (!f)
		goto err_give;
	if (!vr_vif_tryget(in))
		goto err_free;
	if (out && !vr_vif_tryget(out))
		goto err_in;
	if (m && !vr_member_tryget(m))
		goto err_out;
	f->vif[VR_ORIG] = in;
	f->vif[VR_REPLY] = out;
	f->member = m;
	f->last_used = (u32)jiffies;
	f->side[VR_REPLY].dir = VR_REPLY;
	f->state = VROUTER_FLOW_STATE_NEW;
	atomic_inc(&in->flows);
	count_half_open(vn, in, 1);
	return f;

err_out:
	if (out)
		vr_vif_put(out);
err_in:
	vr_vif_put(in);
err_free:
	kmem_cache_free(slab, f);
err_give:
	vr_give_of(vn, flows, 1);
	return NULL;
}

/* Its state is final from here on: see vr_flow_set_state(). */
static void uncount(struct vr_net *vn, struct vr_flow *f)
{
	if (is_half_open(xchg(&f->state, VROUTER_FLOW_STATE_CLOSED)))
		count_half_open(vn, f->vif[VR_ORIG], -1);
	atomic_dec(&f->vif[VR_ORIG]->flows);
	vr_give_of(vn, flows, 1);
}

void vr_flow_discard(struct vr_net *vn, struct vr_flow *f)
{
	uncount(vn, f);
	flow_free(f);
}

int vr_flow_insert(struct vr_net *vn, struct vr_flow *f)
{
	int err;

	/* The opener's side first: who finds it there makes no second flow. */
	err = rhashtable_lookup_insert_key(&vn->flows, &f->side[VR_ORIG].tuple,
					   &f->side[VR_ORIG].node, flow_params);
	if (err) {
		vr_flow_discard(vn, f);
		return err;
	}
	err = rhashtable_lookup_insert_key(&vn->flows, &f->side[VR_REPLY].tuple,
					   &f->side[VR_REPLY].node, flow_params);
	if (!err) {
		vr_net_count(vn, created);
		return 0;
	}
	/* Packets may have found it for a moment. */
	if (!xchg(&f->dead, 1)) {
		rhashtable_remove_fast(&vn->flows, &f->side[VR_ORIG].node, flow_params);
		uncount(vn, f);
		call_rcu(&f->rcu, flow_free_rcu);
	}
	return err == -EEXIST ? -EADDRINUSE : err;
}

void vr_flow_kill(struct vr_net *vn, struct vr_flow *f)
{
	if (xchg(&f->dead, 1))
		return;
	rhashtable_remove_fast(&vn->flows, &f->side[VR_ORIG].node, flow_params);
	rhashtable_remove_fast(&vn->flows, &f->side[VR_REPLY].node, flow_params);
	vr_net_count(vn, ended);
	vr_event_flow(vn, f, true);
	uncount(vn, f);
	call_rcu(&f->rcu, flow_free_rcu);
}

/* A flow that ends is closed by uncount() first, and nothing leaves that state. */
void vr_flow_set_state(struct vr_net *vn, struct vr_flow *f, u8 to)
{
	u8 from = READ_ONCE(f->state);

	if (from == VROUTER_FLOW_STATE_CLOSED || cmpxchg(&f->state, from, to) != from)
		return;
	if (is_half_open(from) != is_half_open(to))
		count_half_open(vn, f->vif[VR_ORIG], is_half_open(to) ? 1 : -1);
}

u32 vr_flow_timeout(const struct vr_net *vn, const struct vr_flow *f)
{
	const struct vr_limits *l = &vn->limits;
	u8 proto = f->side[VR_ORIG].tuple.proto, state = READ_ONCE(f->state);

	if (proto == IPPROTO_TCP) {
		switch (state) {
		case VROUTER_FLOW_STATE_ESTABLISHED:
			return READ_ONCE(l->t_tcp_established);
		case VROUTER_FLOW_STATE_HALF_CLOSED:
			return READ_ONCE(l->t_tcp_half_closed);
		case VROUTER_FLOW_STATE_CLOSED:
			return READ_ONCE(l->t_tcp_closed);
		}
		return READ_ONCE(l->t_tcp_syn);
	}
	if (state == VROUTER_FLOW_STATE_NEW)
		return READ_ONCE(l->t_new);
	if (proto == IPPROTO_UDP)
		return READ_ONCE(l->t_udp);
	return proto == IPPROTO_SCTP ? READ_ONCE(l->t_sctp) : READ_ONCE(l->t_icmp);
}

/* --- filters, flush, gc ------------------------------------------------------ */

static bool tuple_matches(const struct vr_tuple *t, const struct vr_flow_filter *flt)
{
	if (flt->proto && t->proto != flt->proto)
		return false;
	if (flt->family && t->family != flt->family)
		return false;
	return (!flt->has_src || vr_addr_eq(&t->src, &flt->src)) &&
	       (!flt->has_dst || vr_addr_eq(&t->dst, &flt->dst)) &&
	       (!flt->has_sport || t->sport == flt->sport) &&
	       (!flt->has_dport || t->dport == flt->dport);
}

bool vr_flow_matches(const struct vr_flow *f, const struct vr_flow_filter *flt)
{
	if (flt->vif && f->vif[VR_ORIG]->id != flt->vif &&
	    (!f->vif[VR_REPLY] || f->vif[VR_REPLY]->id != flt->vif))
		return false;
	if (flt->vrf && f->vrf != flt->vrf)
		return false;
	if (flt->state_set && READ_ONCE(f->state) != flt->state)
		return false;
	return tuple_matches(&f->side[VR_ORIG].tuple, flt) ||
	       tuple_matches(&f->side[VR_REPLY].tuple, flt);
}

/* Ends all flows that "over" selects. Process context. */
static unsigned int sweep(struct vr_net *vn, bool (*over)(struct vr_net *vn,
							  const struct vr_flow *f,
							  const void *arg), const void *arg)
{
	struct rhashtable_iter it;
	struct vr_flow_side *side;
	unsigned int n = 0, seen = 0;

	rhashtable_walk_enter(&vn->flows, &it);
	rhashtable_walk_start(&it);
	while ((side = rhashtable_walk_next(&it))) {
		struct vr_flow *f;

		if (IS_ERR(side))
			continue;
		f = vr_flow_of(side);
		if (side->dir == VR_ORIG && !READ_ONCE(f->dead) && over(vn, f, arg)) {
			local_bh_disable();
			vr_flow_kill(vn, f);
			local_bh_enable();
			n++;
		}
		if (++seen % 1024 == 0) {
			rhashtable_walk_stop(&it);
			cond_resched();
			rhashtable_walk_start(&it);
		}
	}
	rhashtable_walk_stop(&it);
	rhashtable_walk_exit(&it);
	return n;
}

static bool selected(struct vr_net *vn, const struct vr_flow *f, const void *arg)
{
	return vr_flow_matches(f, arg);
}

unsigned int vr_flow_flush(struct vr_net *vn, const struct vr_flow_filter *flt)
{
	return sweep(vn, selected, flt);
}

static bool is_old(struct vr_net *vn, const struct vr_flow *f, const void *arg)
{
	return ((u32)jiffies - READ_ONCE(f->last_used)) / HZ >= vr_flow_timeout(vn, f);
}

static void gc(struct work_struct *work)
{
	struct vr_net *vn = container_of(work, struct vr_net, flow_gc.work);

	sweep(vn, is_old, NULL);
	vr_affinity_gc(vn);
	queue_delayed_work(vr_wq, &vn->flow_gc, GC_INTERVAL);
}

/* --- life of the table -------------------------------------------------------- */

int vr_flow_table_init(struct vr_net *vn)
{
	int err = rhashtable_init(&vn->flows, &flow_params);

	if (err)
		return err;
	INIT_DELAYED_WORK(&vn->flow_gc, gc);
	queue_delayed_work(vr_wq, &vn->flow_gc, GC_INTERVAL);
	return 0;
}

void vr_flow_table_exit(struct vr_net *vn)
{
	const struct vr_flow_filter all = {};

	cancel_delayed_work_sync(&vn->flow_gc);
	vr_flow_flush(vn, &all);
	rhashtable_destroy(&vn->flows);
}

int vr_flow_slab_init(void)
{
	BUILD_BUG_ON(sizeof(struct vr_tuple) % sizeof(u32));
	BUILD_BUG_ON(sizeof(struct vr_flow_side) > SMP_CACHE_BYTES);
	BUILD_BUG_ON(sizeof(struct vr_flow) > 256);
	slab = kmem_cache_create("vr_flow", sizeof(struct vr_flow), 0, SLAB_ACCOUNT, NULL);
	return slab ? 0 : -ENOMEM;
}

void vr_flow_slab_exit(void)
{
	kmem_cache_destroy(slab);
}
