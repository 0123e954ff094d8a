// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams whose fragments have not all come. Nothing is put together here: a
 * datagram's fragments wait, in order, until there is none missing, and are then
 * handed out as they came.
 *
 * What is kept is bounded, for each vif too: the memory of skbs and of the entries
 * themselves counts (fragment-bytes). An overlap is an attempt to have a filter see
 * something else than the receiver does, or a bug: none of the datagram passes
 * (RFC 5722), and its entry stays until the time is over, so that no late fragment
 * begins it anew.
 *
 * A fragment takes its datagram's lock and no other one but a hash bucket's. Entries
 * are found under RCU; "dead", under the lock, says that one is out of the table.
 */

#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/dst.h>

#include "../path/path.h"
#include "flow.h"

#define NONE		VROUTER_DROP_REASON_NONE
#define MALFORMED	VROUTER_DROP_REASON_FRAGMENT
#define OVERLAP		VROUTER_DROP_REASON_FRAGMENT_OVERLAP
#define LIMIT		VROUTER_DROP_REASON_FRAGMENT_LIMIT
#define GC_INTERVAL	(HZ / 2)

struct datagram {
	struct rhash_head	node;
	struct vr_frag_key	key;
	struct vr_vif		*vif;		/* referenced */
	u32			started;	/* jiffies */
	spinlock_t		lock;		/* all below */
	bool			dead;		/* not in the table any more */
	enum vrouter_drop_reason bad;		/* nothing of it passes, because of this */
	int			bytes;		/* charged */
	u32			seen, end;	/* octets that are there, and of all; 0 = unknown */
	struct sk_buff_head	frags;		/* in order; not its lock */
	struct rcu_head		rcu;
};

/* In skb->cb while it waits. */
struct place {
	u32	off, len;
	u16	hdr;
};

static const struct rhashtable_params params = {
	.key_len		= sizeof(struct vr_frag_key),
	.key_offset		= offsetof(struct datagram, key),
	.head_offset		= offsetof(struct datagram, node),
	.automatic_shrinking	= true,
};

static struct place *place_of(const struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct place) > sizeof(skb->cb));
	return (struct place *)skb->cb;
}

void vr_frag_set_place(struct sk_buff *skb, u32 off, u32 len, u16 hdr)
{
	*place_of(skb) = (struct place) { .off = off, .len = len, .hdr = hdr };
}

unsigned int vr_frag_hdr(const struct sk_buff *skb)
{
	return place_of(skb)->hdr;
}

unsigned int vr_frag_end(const struct sk_buff *skb)
{
	return place_of(skb)->off + place_of(skb)->len;
}

/* --- memory --------------------------------------------------------------- */

static bool charge(struct vr_net *vn, struct vr_vif *vif, int n)
{
	u32 limit = READ_ONCE(vn->limits.fragment_bytes) / 4;

	if ((u32)atomic_add_return(n, &vif->fragment_bytes) <= limit &&
	    !vr_take_of(vn, fragment_bytes, n, "fragment-bytes", NULL))
		return true;
	atomic_sub(n, &vif->fragment_bytes);
	return false;
}

static void uncharge(struct vr_net *vn, struct vr_vif *vif, int n)
{
	atomic_sub(n, &vif->fragment_bytes);
	vr_give_of(vn, fragment_bytes, n);
}

static struct datagram *datagram_new(struct vr_net *vn, struct vr_vif *vif,
				     const struct vr_frag_key *key,
				     enum vrouter_drop_reason *why)
{
	struct datagram *d;

	*why = LIMIT;
	if (!charge(vn, vif, sizeof(*d)))
		return NULL;
	*why = VROUTER_DROP_REASON_NO_MEMORY;
	d = kzalloc(sizeof(*d), GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT);
	if (!d || !vr_vif_tryget(vif)) {
		kfree(d);
		uncharge(vn, vif, sizeof(*d));
		return NULL;
	}
	d->key = *key;
	d->vif = vif;
	d->bytes = sizeof(*d);
	d->started = (u32)jiffies;
	spin_lock_init(&d->lock);
	__skb_queue_head_init(&d->frags);
	return d;
}

/* Nobody can find it any more; what waited in it is elsewhere. */
static void datagram_free(struct vr_net *vn, struct datagram *d)
{
	uncharge(vn, d->vif, d->bytes);
	vr_vif_put(d->vif);
	kfree_rcu(d, rcu);
}

/* Under its lock. Its fragments go to the list, it has to be freed afterwards. */
static void unlink(struct vr_net *vn, struct datagram *d, struct sk_buff_head *out)
{
	d->dead = true;
	rhashtable_remove_fast(&vn->datagrams, &d->node, params);
	skb_queue_splice_tail_init(&d->frags, out);
}

/* The entry stays, the memory of its fragments does not. Under its lock. */
static void poison(struct vr_net *vn, struct datagram *d, enum vrouter_drop_reason why,
		   struct sk_buff_head *out)
{
	d->bad = why;
	skb_queue_splice_tail_init(&d->frags, out);
	uncharge(vn, d->vif, d->bytes - (int)sizeof(*d));
	d->bytes = sizeof(*d);
}

/* --- a fragment ----------------------------------------------------------- */

/* The datagram of this key; made if there is none. */
static struct datagram *get_datagram(struct vr_net *vn, struct vr_vif *vif,
				     const struct vr_frag_key *key,
				     enum vrouter_drop_reason *why)
{
	struct datagram *d, *old;

	d = rhashtable_lookup(&vn->datagrams, key, params);
	if (d)
		return d;
	d = datagram_new(vn, vif, key, why);
	if (!d)
		return NULL;
	old = rhashtable_lookup_get_insert_fast(&vn->datagrams, &d->node, params);
	if (!old)
		return d;
	datagram_free(vn, d);
	*why = VROUTER_DROP_REASON_NO_MEMORY;
	return IS_ERR(old) ? NULL : old;	/* another CPU was first */
}

/* Does it agree with what is known of the datagram's end? Notes the end. */
static bool end_fits(struct datagram *d, const struct vr_frag *f)
{
	const struct sk_buff *tail = skb_peek_tail(&d->frags);
	u32 end = f->off + f->len;

	if (d->end)
		return f->more ? end < d->end : end == d->end;
	if (f->more)
		return true;
	if (tail && vr_frag_end(tail) > end)
		return false;
	d->end = end;
	return true;
}

/* Puts it where it belongs. OVERLAP with d->bad unset: it was there already. */
static enum vrouter_drop_reason insert(struct datagram *d, const struct vr_frag *f,
				       struct sk_buff *skb)
{
	struct sk_buff *before, *after;

	skb_queue_reverse_walk(&d->frags, before)
		if (place_of(before)->off < f->off)
			break;
	/* the head of the list is before the first and behind the last */
	after = before->next;
	if (after != (struct sk_buff *)&d->frags) {
		if (place_of(after)->off == f->off && place_of(after)->len == f->len)
			return OVERLAP;
		if (f->off + f->len > place_of(after)->off) {
			d->bad = OVERLAP;
			return OVERLAP;
		}
	}
	if (before != (struct sk_buff *)&d->frags && vr_frag_end(before) > f->off) {
		d->bad = OVERLAP;
		return OVERLAP;
	}
	if (!end_fits(d, f)) {
		d->bad = MALFORMED;
		return MALFORMED;
	}
	vr_frag_set_place(skb, f->off, f->len, f->hdr);
	__skb_queue_after(&d->frags, before, skb);
	d->seen += f->len;
	return NONE;
}

/* Nothing of where it came from is held on to: a socket, a route, a connection. */
static void let_go(struct sk_buff *skb)
{
	skb_orphan(skb);
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	skb->dev = NULL;
}

/* Under the lock. Whether the skb was kept, and *over: that nobody else may wait. */
static enum vrouter_drop_reason keep(struct vr_net *vn, struct datagram *d,
				     const struct vr_frag *f, struct sk_buff *skb,
				     struct sk_buff_head *out, bool *over)
{
	enum vrouter_drop_reason why = d->bad ?: f->bad;
	int size = skb->truesize;

	if (!why && (skb_queue_len(&d->frags) == VR_FRAG_MAX || !charge(vn, d->vif, size))) {
		unlink(vn, d, out);
		*over = true;
		why = LIMIT;
	} else if (!why) {
		d->bytes += size;
		why = insert(d, f, skb);
		if (!why) {
			let_go(skb);
			*over = d->seen == d->end;
			if (*over)
				unlink(vn, d, out);
			return NONE;
		}
		uncharge(vn, d->vif, size);
		d->bytes -= size;
		if (d->bad)
			poison(vn, d, why, out);
	} else {
		poison(vn, d, why, out);
	}
	__skb_queue_tail(out, skb);
	return why;
}

enum vrouter_drop_reason vr_frag_add(struct vr_net *vn, struct vr_vif *vif,
				     const struct vr_frag *f, struct sk_buff *skb,
				     struct sk_buff_head *out)
{
	enum vrouter_drop_reason why;
	bool dead, over = false;
	struct datagram *d;

	do {
		d = get_datagram(vn, vif, &f->key, &why);
		if (!d) {
			__skb_queue_tail(out, skb);
			return f->bad ?: why;
		}
		spin_lock(&d->lock);
		dead = d->dead;
		if (!dead)
			why = keep(vn, d, f, skb, out, &over);
		spin_unlock(&d->lock);
	} while (dead);		/* it is out of the table: not found again */
	if (over)
		datagram_free(vn, d);
	else if (!delayed_work_pending(&vn->datagram_gc))
		queue_delayed_work(vr_wq, &vn->datagram_gc, GC_INTERVAL);
	return why;
}

/* --- time and end --------------------------------------------------------- */

static bool is_late(const struct vr_net *vn, const struct datagram *d)
{
	return (u32)jiffies - d->started >= READ_ONCE(vn->limits.t_fragment) * HZ;
}

static void end(struct vr_net *vn, struct datagram *d, enum vrouter_drop_reason why)
{
	struct sk_buff_head out;
	bool mine;

	__skb_queue_head_init(&out);
	spin_lock_bh(&d->lock);
	mine = !d->dead;
	if (mine)
		unlink(vn, d, &out);
	spin_unlock_bh(&d->lock);
	if (!mine)
		return;
	vr_frag_drop(vn, d->vif, &d->key, &out, why);
	datagram_free(vn, d);
}

/* Ends the datagrams of a vif, or (NULL) those whose time is over. */
static void walk(struct vr_net *vn, const struct vr_vif *vif)
{
	struct rhashtable_iter iter;
	unsigned int seen = 0;
	struct datagram *d;

	rhashtable_walk_enter(&vn->datagrams, &iter);
	rhashtable_walk_start(&iter);
	while ((d = rhashtable_walk_next(&iter))) {
		if (IS_ERR(d))
			continue;	/* resized: the walk begins again */
		if (vif && d->vif == vif)
			end(vn, d, VROUTER_DROP_REASON_VIF_DOWN);
		else if (!vif && is_late(vn, d))
			end(vn, d, VROUTER_DROP_REASON_FRAGMENT_TIMEOUT);
		if (++seen % 256)
			continue;
		rhashtable_walk_stop(&iter);
		cond_resched();
		rhashtable_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

static void gc(struct work_struct *work)
{
	struct vr_net *vn = container_of(to_delayed_work(work), struct vr_net, datagram_gc);

	walk(vn, NULL);
	if (atomic_read(&vn->datagrams.nelems))
		queue_delayed_work(vr_wq, &vn->datagram_gc, GC_INTERVAL);
}

void vr_frag_flush(struct vr_net *vn, struct vr_vif *vif)
{
	if (atomic_read(&vif->fragment_bytes))
		walk(vn, vif);
}

int vr_frag_init(struct vr_net *vn)
{
	BUILD_BUG_ON(sizeof(struct vr_frag_key) != 44);
	INIT_DELAYED_WORK(&vn->datagram_gc, gc);
	return rhashtable_init(&vn->datagrams, &params);
}

/* Each vif has taken its own with it. */
void vr_frag_exit(struct vr_net *vn)
{
	cancel_delayed_work_sync(&vn->datagram_gc);
	WARN_ON_ONCE(atomic_read(&vn->datagrams.nelems));
	rhashtable_destroy(&vn->datagrams);
}
