/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_FLOW_H
#define VR_FLOW_H

/*
 * What the node has learned from packets: flows, the members that clients stay with,
 * fragments that wait. Written by packets, so in softirq and without vr_net::lock;
 * configuration is in table.h. Prototypes are grouped by the file that has them.
 */

#include "table.h"

/* --- affinity.c ---------------------------------------------------------- */

int vr_affinity_init(struct vr_net *vn);
void vr_affinity_exit(struct vr_net *vn);
/* The member that the client stays with, or NULL. Borrowed. RCU, BH disabled. */
struct vr_member *vr_affinity_get_rcu(struct vr_net *vn, const struct vr_vip *vip,
				      const union vr_addr *client);
/* Remembers it, or makes it last anew. Atomic; a full table only loses the affinity. */
void vr_affinity_set(struct vr_net *vn, const struct vr_vip *vip, const union vr_addr *client,
		     struct vr_member *m);
void vr_affinity_gc(struct vr_net *vn);		/* from the flows' gc; process context */

/* --- frag_table.c: datagrams whose fragments have not all come -------------- */

#define VR_FRAG_MAX	64		/* of one datagram; 64 kB at an MTU of 1280 are 52 */

/* What the fragments of a datagram have in common. Hashed and compared as octets: no holes. */
struct vr_frag_key {
	u32		vif;		/* id: nobody can spoil another's datagrams */
	u8		family;
	u8		proto;		/* IPv6: 0, the first fragment alone says it */
	u16		zero;
	__be32		id;
	union vr_addr	src, dst;
};

struct vr_frag {
	struct vr_frag_key key;
	u32		off, len;	/* of its payload in the datagram's, octets; len > 0 */
	u16		hdr;		/* octets before the payload, from the network header */
	bool		more;		/* it is not the last */
	enum vrouter_drop_reason bad;	/* it cannot be used, and so the datagram cannot */
};

int vr_frag_init(struct vr_net *vn);
void vr_frag_exit(struct vr_net *vn);	/* no packet can come any more */
/* Takes over the skb. 0 with an empty list: it is kept. 0 with skbs: these are the whole
 * datagram, in order, vr_frag_hdr() of each octets of header. Otherwise all in the list,
 * the skb among them, are to be dropped for this reason. BH disabled, RCU.
 */
enum vrouter_drop_reason vr_frag_add(struct vr_net *vn, struct vr_vif *vif,
				     const struct vr_frag *f, struct sk_buff *skb,
				     struct sk_buff_head *out);
/* Makes of any fragment one that vr_frag_add() could have handed out. Octets. */
void vr_frag_set_place(struct sk_buff *skb, u32 off, u32 len, u16 hdr);
unsigned int vr_frag_hdr(const struct sk_buff *skb);
unsigned int vr_frag_end(const struct sk_buff *skb);	/* its payload's end in the datagram */
/* The vif goes: so do its datagrams. No packet enters by it any more. */
void vr_frag_flush(struct vr_net *vn, struct vr_vif *vif);

/* --- flow_table.c -------------------------------------------------------- */

/* One direction: found by its tuple. One cache line. */
struct vr_flow_side {
	struct rhash_head	node;
	struct vr_tuple		tuple;
	u8			dir;		/* VR_ORIG, VR_REPLY: index in vr_flow::side */
	u8			pad[3];
	u32			packets;	/* exact while one CPU has the direction */
};

enum { VR_ORIG, VR_REPLY };

/* TCP: what an RST is checked against. */
struct vr_tcp_side {
	u32			end;		/* highest sequence number sent, plus one */
	u32			ack;		/* last acknowledged by this side */
	u32			win;		/* last window announced, scaled */
	u8			wscale;
	u8			flags;
};

/* A flow: both directions. Packets of direction d enter by vif[d] and leave by
 * vif[!d], as side[!d].tuple says in mirror image.
 * Look-up, hit and state are lock-free: fields below are written with
 * WRITE_ONCE by whichever CPU has a packet; transitions of state by cmpxchg.
 * References: the table holds one; freed by RCU after it was unlinked.
 */
struct vr_flow {
	struct vr_flow_side	side[2];
	struct vr_vif		*vif[2];	/* referenced; [VR_REPLY] NULL = the node itself */
	struct vr_member	*member;	/* referenced; NULL = not through a vip */
	struct vr_nexthop	*nh[2];		/* referenced; that packets of a direction leave
						 * by, or NULL. [VR_REPLY] only to a tunnel
						 */
	u64			bytes[2];
	u32			gen;		/* vr_net::gen at which it was last found right */
	u32			last_used;	/* jiffies */
	u8			state;		/* VROUTER_FLOW_STATE_* */
	u8			flags;		/* VR_FLOW_* */
	u16			dead;		/* 1 = not in the table: not yet, or no longer */
	u32			vrf;		/* of the opener */
	struct vr_tcp_side	tcp[2];
	/* Not in place of anything: who found the flow before it died still writes to it. */
	struct rcu_head		rcu;
};

#define VR_FLOW_VIP		BIT(0)		/* destination translated */
#define VR_FLOW_OTHER_VRF	BIT(1)		/* its route was found in another VRF */
#define VR_FLOW_REFUSED		BIT(2)		/* no longer allowed: remembered for a while */
#define VR_FLOW_SNAT		BIT(3)		/* source translated to one of the node's */

int vr_flow_table_init(struct vr_net *vn);
void vr_flow_table_exit(struct vr_net *vn);	/* no packet can come any more */
int vr_flow_slab_init(void);
void vr_flow_slab_exit(void);			/* after rcu_barrier() */
u32 vr_flow_size(void);				/* octets of slab for one flow */

/* Side of the flow with this tuple, or NULL. Borrowed. RCU. */
struct vr_flow_side *vr_flow_lookup_rcu(struct vr_net *vn, const struct vr_tuple *t);
static inline struct vr_flow *vr_flow_of(const struct vr_flow_side *s)
{
	return container_of(s, struct vr_flow, side[s->dir]);
}
/* Memory within the bounds of module, namespace and vif; a reason if not.
 * The flow takes references to both vifs and the member. Atomic.
 */
struct vr_flow *vr_flow_alloc(struct vr_net *vn, struct vr_vif *in, struct vr_vif *out,
			      struct vr_member *m, enum vrouter_drop_reason *why);
/* Puts both sides in the table. -EEXIST: the opener's tuple is there already
 * (another CPU was first: look up again); -EADDRINUSE: the reply's tuple is
 * taken (flow-clash). On error the flow is freed. Atomic.
 */
int vr_flow_insert(struct vr_net *vn, struct vr_flow *f);
/* Unlinks, frees after RCU. Atomic, idempotent. */
void vr_flow_kill(struct vr_net *vn, struct vr_flow *f);
void vr_flow_set_state(struct vr_net *vn, struct vr_flow *f, u8 state); /* keeps half-open counts */
/* The same, unless another CPU has changed the state from what it was here. */
void vr_flow_move_state(struct vr_net *vn, struct vr_flow *f, u8 from, u8 to);
void vr_flow_set_flag(struct vr_flow *f, u8 flag, bool on);	/* atomic; a flow in the table */
/* Seconds, by protocol and state. */
u32 vr_flow_timeout(const struct vr_net *vn, const struct vr_flow *f);

struct vr_flow_filter {
	u32	vif, vrf;			/* 0 = any */
	u8	state_set, state;
	u8	family;				/* of src and dst; 0 = neither is given */
	bool	has_src, has_dst, has_sport, has_dport;
	u8	proto;				/* 0 = any */
	__be16	sport, dport;
	union vr_addr src, dst;
};
bool vr_flow_matches(const struct vr_flow *f, const struct vr_flow_filter *flt);
/* How many it ended. Process context. */
unsigned int vr_flow_flush(struct vr_net *vn, const struct vr_flow_filter *flt);

#endif
