/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_KUNIT_UTIL_H
#define VR_KUNIT_UTIL_H

/*
 * What the suites share: packets made from a description, a small world of
 * pods on real veth pairs, and a netlink client inside the kernel.
 *
 * The suites run in the first network namespace, whose vrouter state is empty
 * before and after each case: kt_exit() removes whatever a case has left and
 * fails the case if something cannot be removed or is still counted.
 */

#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/skbuff.h>

#include "../../kmod/vrouter.h"
#include "../../kmod/table/flow.h"
#include "../../kmod/path/path.h"

/* A parameter generator for an array of structs with a member "desc". */
#define KT_PARAM(_name, _array)							\
	static void _name##_desc(typeof(&(_array)[0]) c, char *desc)		\
	{									\
		strscpy(desc, c->desc, KUNIT_PARAM_DESC_SIZE);			\
	}									\
	KUNIT_ARRAY_PARAM(_name, _array, _name##_desc)

/* --- addresses and prefixes ---------------------------------------------- */

/* IPv4: host itself; IPv6: fd00::host. */
union vr_addr kt_addr(u8 family, u32 host);
struct vr_prefix kt_prefix(u8 family, u32 host, u8 len);	/* len: of an IPv4 prefix */

/* --- packets -------------------------------------------------------------- */

#define KT_FIN	0x01
#define KT_SYN	0x02
#define KT_RST	0x04
#define KT_PSH	0x08
#define KT_ACK	0x10
#define KT_URG	0x20

enum kt_csum { KT_NONE, KT_UNNECESSARY, KT_COMPLETE, KT_PARTIAL };

struct kt_pkt {
	u8		family;		/* 0 = AF_INET */
	u8		proto;		/* 0 = TCP */
	u32		src, dst;	/* for kt_addr() */
	u16		sport, dport;	/* ICMP: sport is the identifier */
	u8		flags;		/* TCP */
	u32		seq, ack;
	u16		win;		/* 0 = 65535 */
	u8		wscale;		/* a window scale option of this value - 1 */
	u8		type, code;	/* ICMP */
	u8		ttl;		/* 0 = 64 */
	u16		payload;	/* octets */
	const void	*data;		/* what is in it; NULL = counted octets */
	enum kt_csum	csum;
	bool		no_udp_csum;
};

#define KT_MAX_PKT	1500

/* The packet's octets from the network header on, checksums complete; their number. */
unsigned int kt_bytes(const struct kt_pkt *p, u8 *buf);
/* The same in an skb, data at the network header. The caller frees it. */
struct sk_buff *kt_skb(struct kunit *test, const struct kt_pkt *p);
/* An skb of these octets, the first "linear" of them in the head, the rest in pages. */
struct sk_buff *kt_skb_raw(struct kunit *test, const u8 *buf, unsigned int len,
			   unsigned int linear);
/* vr_parse() of a packet as if it had entered by a vif; pkt->skb is then the caller's. */
enum vrouter_drop_reason kt_parse(struct vr_pkt *pkt, struct vr_vif *vif, struct sk_buff *skb);
/* The tuple that a parser makes of the description. */
struct vr_tuple kt_tuple(u32 port, const struct kt_pkt *p);

/* Fails the case unless the packet (data at the network header) is sound in itself, all
 * checksums recomputed from nothing, and so is its checksum metadata.
 */
void kt_expect_sound(struct kunit *test, struct sk_buff *skb, const char *what);
/* And has these addresses, ports and TTL. */
void kt_expect_pkt(struct kunit *test, struct sk_buff *skb, const struct kt_pkt *want,
		   const char *what);

/* --- a world -------------------------------------------------------------- */

#define KT_PODS		4
#define KT_VRF		1
#define KT_NH		100	/* next hop of pod i: KT_NH + i */
#define KT_SUBNET	0x0a000000
#define KT_GATEWAY	0x0a000001
#define KT_POD(i)	(KT_SUBNET + 10 + (i))	/* kt_addr() of pod i */
#define KT_VIP		0x0a600001
#define KT_VIF(i)	(10 + (i))	/* vif id of pod i */

struct kt_pod {
	struct net_device	*host;	/* attached */
	struct net_device	*peer;	/* the pod's own end */
	u8			mac[ETH_ALEN];
	struct sk_buff_head	got;	/* what arrived at peer, data at the network header */
};

/* .suite_init and .suite_exit of a suite with pods: their devices, made once. */
int kt_make_pods(struct kunit_suite *suite);
void kt_end_pods(struct kunit_suite *suite);

struct kt_world {
	struct kunit	*test;
	struct vr_net	*vn;
	struct kt_pod	*pod;	/* [KT_PODS] */
};

/* .init of a suite without devices: test->priv is the world, with no pod. */
int kt_init(struct kunit *test);
/* .init of a suite with pods, its devices being there: VRF, gateways, vifs, local next hops, routes. */
int kt_init_pods(struct kunit *test);
void kt_exit(struct kunit *test);
static inline struct kt_world *kt_world(struct kunit *test)
{
	return test->priv;
}

struct vr_vif *kt_vif(struct kt_world *w, unsigned int pod);	/* borrowed */

/* RTNL and the namespace's mutex, as netlink takes them. */
void kt_lock(struct kt_world *w);
void kt_unlock(struct kt_world *w);

/* As a packet runs: in softirq, under RCU. */
static inline void kt_read_lock(void)
{
	local_bh_disable();
	rcu_read_lock();
}

static inline void kt_read_unlock(void)
{
	rcu_read_unlock();
	local_bh_enable();
}

/* Setters that fail the case when refused. */
void kt_set_vrf(struct kt_world *w, u32 id);
void kt_set_vif(struct kt_world *w, unsigned int pod, unsigned int n_sgs, const u32 *sgs);
void kt_set_nexthop(struct kt_world *w, const struct vr_nexthop_cfg *cfg);
void kt_set_route(struct kt_world *w, u32 vrf, struct vr_prefix prefix, u32 nexthop,
		  unsigned int n_sgs, const u32 *sgs);
void kt_set_sg(struct kt_world *w, u32 id, u32 enforce, const struct vr_sg_rule *rules,
	       unsigned int n);
/* A group of a tier that closes nothing. */
void kt_set_tier(struct kt_world *w, u32 id, u8 tier, u16 priority, const struct vr_sg_rule *rules,
		 unsigned int n);
/* An ecmp next hop of pods first..first+n-1 on this port, and a vip before it. */
void kt_set_service(struct kt_world *w, u8 family, u8 proto, u32 addr, u16 port, u32 nexthop,
		    unsigned int first, unsigned int n, u16 target);

/* Hands a packet to the module as received from pod; consumes it. */
void kt_send_skb(struct kt_world *w, unsigned int pod, struct sk_buff *skb);
void kt_send(struct kt_world *w, unsigned int pod, const struct kt_pkt *p);
/* What came to pod, the oldest first; NULL when nothing comes. */
struct sk_buff *kt_recv(struct kt_world *w, unsigned int pod);
/* Drops of packets that entered by pod's vif. */
u64 kt_drops(struct kt_world *w, unsigned int pod, enum vrouter_drop_reason why);
/* Sends and expects this very drop, counted once. */
void kt_expect_drop(struct kt_world *w, unsigned int pod, const struct kt_pkt *p,
		    enum vrouter_drop_reason why);

/* The packet that came to pod must be this one, sound, in a frame of the gateway's. */
void kt_expect_recv(struct kt_world *w, unsigned int pod, const struct kt_pkt *want,
		    const char *what);
void kt_expect_nothing(struct kt_world *w);	/* nothing waits at any pod */
/* The same packet with its ends swapped. */
struct kt_pkt kt_answer(const struct kt_pkt *p);

/* --- netlink -------------------------------------------------------------- */

/* Sends one request and reads its answer. Returns the ack's error; the sentence of its
 * extack in text (empty if none), the offset of the attribute blamed in *off (0 if none).
 */
int kt_netlink(int protocol, const void *msg, size_t len, char *text, size_t text_len,
	       u32 *off);

/* --- random, the same in each run ---------------------------------------- */

struct kt_rnd { u64 state; };
u32 kt_rnd(struct kt_rnd *r);
static inline u32 kt_rnd_below(struct kt_rnd *r, u32 n)
{
	return (u32)(((u64)kt_rnd(r) * n) >> 32);
}

#endif
