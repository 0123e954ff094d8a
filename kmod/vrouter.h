/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VROUTER_H
#define VROUTER_H

/*
 * What every file of the module shares: the state of one network namespace,
 * addresses and tuples, bounds.
 *
 * Locking
 * -------
 * Writers of configuration (netlink, device events, namespace exit) are in
 * process context and hold vr_net::lock. Where the RTNL is taken too, it is
 * taken first. Packets (softirq) and read-only look-ups are RCU readers and
 * take no lock; each pointer they follow is __rcu and is replaced as a whole,
 * never edited in place. What a reader may still see is freed after a grace
 * period (kfree_rcu or call_rcu; module exit ends with rcu_barrier()).
 *
 * Revalidation
 * ------------
 * vr_net::gen grows with each change of configuration. Every object that a
 * flow depends on carries the value it had when the object last changed.
 * A flow carries the value at which it was last found right; while that is
 * the namespace's, a hit checks nothing else. Otherwise it compares the few
 * objects it depends on, and only if one of these is newer it is decided anew
 * (path/revalidate.c). Compare with vr_gen_after(), it wraps.
 *
 * A writer first makes the change visible, then stamps the objects with
 * vr_net_stamp(), then calls vr_net_bump(). A reader takes vr_net_gen() before it
 * looks at anything else: whoever sees the new value sees the stamps and the
 * change too, and whoever decided on the old state is found out later.
 */

#include <linux/atomic.h>
#include <linux/ipv6.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/rbtree.h>
#include <linux/rhashtable.h>
#include <linux/siphash.h>
#include <linux/types.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>

#include <linux/vrouter.h>

#include "compat.h"

/* An IPv4 or IPv6 address, network byte order. Unused octets are zero, so that
 * whole unions can be hashed and compared.
 */
union vr_addr {
	__be32		v4;
	struct in6_addr	v6;
	__be32		w[4];
};

struct vr_prefix {
	union vr_addr	addr;		/* host bits zero */
	u8		family;		/* AF_INET, AF_INET6 */
	u8		len;		/* bits */
};

/* The tuple of a packet as it enters. Hashed and compared as octets: no holes,
 * unused octets zero.
 */
struct vr_tuple {
	u32		port;		/* id of the vif that it enters by; 0 = the node */
	u8		family;		/* AF_INET, AF_INET6 */
	u8		proto;		/* IPPROTO_* */
	u16		zero;
	__be16		sport;		/* ICMP echo: the identifier in both */
	__be16		dport;
	union vr_addr	src;
	union vr_addr	dst;
};

/* The octets that matter for an IPv4 tuple come first but for the addresses' tails;
 * how it is hashed and compared: table/flow_table.c.
 */

struct vr_pcpu_counters {
	u64_stats_t		rx_packets;
	u64_stats_t		rx_bytes;
	u64_stats_t		tx_packets;
	u64_stats_t		tx_bytes;
	u64_stats_t		flows;
	struct u64_stats_sync	syncp;
};

struct vr_counters {
	u64 rx_packets, rx_bytes, tx_packets, tx_bytes, flows, drops;
};

/* Bounds and time-outs, in the order of uapi's "limits". Read without lock
 * (READ_ONCE), written under vr_net::lock.
 */
struct vr_limits {
	u32 flows, flows_per_vif, half_open_per_vif;
	u32 vrfs, vifs, nexthops, members, routes, vips, sgs, sg_rules, affinities;
	u32 fragment_bytes;
	u32 t_new, t_tcp_syn, t_tcp_established, t_tcp_half_closed, t_tcp_closed;
	u32 t_udp, t_sctp, t_icmp, t_fragment;	/* seconds */
	u32 tcp_mss;				/* octets; VR_TCP_MSS_ANY = no bound */
};

#define VR_TCP_MSS_ANY	65535

/* What is in use: by the namespace, and (vr_global) by all of them. */
struct vr_usage {
	atomic_t flows, half_open;
	atomic_t vrfs, vifs, nexthops, members, routes, vips, sgs, sg_rules, affinities;
	atomic_t fragment_bytes;
};

struct vr_global {
	struct vr_limits	limits;		/* flows and objects; time-outs unused */
	struct vr_usage		used;
};
extern struct vr_global vr_global;

struct vr_pcpu_net {
	u64_stats_t		drops[__VROUTER_DROP_REASON_MAX];
	u64_stats_t		hits;
	u64_stats_t		misses;
	u64_stats_t		created;
	u64_stats_t		ended;
	u64_stats_t		evicted;
	u64_stats_t		revalidated;
	struct u64_stats_sync	syncp;
};

struct vr_tunnel_sock;

/* What the rate of drop events is kept by, see obs/events.c. Zero to begin with. */
struct vr_event_rate {
	u32		second;			/* of the count, jiffies / HZ */
	atomic_t	sent;
	atomic_t	suppressed;		/* since the last event */
};

struct vr_net {
	struct net		*net;
	struct mutex		lock;		/* serialises configuration */
	u32			gen;		/* written under lock, read anywhere */
	bool			dying;		/* under lock: no new objects */

	/* written under lock, read under RCU */
	struct xarray		vrfs;		/* id -> struct vr_vrf */
	struct xarray		vifs;		/* id -> struct vr_vif */
	struct xarray		nexthops;	/* id -> struct vr_nexthop */
	struct xarray		sgs;		/* id -> struct vr_sg */
	struct xarray		vnis;		/* VNI -> struct vr_vif of type tunnel */
	struct vr_vif		*external;	/* of that type, or NULL; under lock */
	struct vr_vif		*host;		/* one of that type, or NULL; written under lock */
	struct rhashtable	tunnels;	/* struct vr_tunnel by the other node's address */
	struct vr_tunnel_sock	*tunnel_socks[4]; /* under lock; table/tunnel.c */
	struct rhashtable	vips;		/* struct vr_vip by vr_vip_key */
	struct rb_root		vip_order;	/* the same in order, for dumps; under lock */
	struct rhashtable	vip_addrs;	/* their addresses, whatever protocol and port */

	struct rhashtable	flows;		/* struct vr_flow_side; table/flow_table.c */
	struct delayed_work	flow_gc;
	struct rhashtable	affinities;	/* table/affinity.c */
	struct rhashtable	datagrams;	/* not whole yet; table/frag_table.c */
	struct delayed_work	datagram_gc;

	struct vr_limits	limits;
	struct vr_usage		used;
	struct vr_pcpu_net __percpu *stats;
	struct vr_event_rate	drop_events;
	siphash_key_t		hash_key;	/* member choice; set once */
};

extern unsigned int vr_net_id;
extern struct pernet_operations vr_net_ops;
/* netns.c. Any context; never NULL while net lives. */
struct vr_net *vr_net(const struct net *net);

/* What is too long for an RCU callback is freed here (queue_rcu_work()). Module
 * exit drains it after rcu_barrier().
 */
extern struct workqueue_struct *vr_wq;

/* What a flow that is decided from now on is right for. Any context. */
static inline u32 vr_net_gen(const struct vr_net *vn)
{
	/* Pairs with vr_net_bump() */
	return smp_load_acquire(&vn->gen);
}

/* A change of configuration: what the objects that it touched are stamped with,
 * and then its end. Under vn->lock, after the change is visible to readers.
 */
static inline u32 vr_net_stamp(const struct vr_net *vn)
{
	return vn->gen + 1;
}

void vr_net_bump(struct vr_net *vn);

static inline bool vr_gen_after(u32 a, u32 b)
{
	return (s32)(a - b) > 0;
}

#endif
