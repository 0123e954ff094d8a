/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_PATH_H
#define VR_PATH_H

/*
 * What a packet does, in softirq under RCU. Files in the order in which a
 * packet meets them:
 *
 *   rx_vif.c      from a pod's or VM's device: checks of the frame, then
 *   neigh.c         ARP and ND are answered here,
 *   gro.c         from another node: segments of one stream become one packet, then
 *   rx_tunnel.c   who sends, which virtual network, then
 *   host_dev.c    from (and to) the node's own stack, then
 *   external.c    from (and to) the node's network, by its netfilter hooks, then
 *   parse.c         one bounded walk over the headers fills a struct vr_pkt,
 *   frag.c          a fragment waits until its datagram is whole; then all go on one
 *                   by one, the first as any packet, the others behind it,
 *   input.c         the pipeline: flow hit -> forward, miss -> decide -> new flow
 *   flow.c        a hit: right still?, state, time, counters
 *   tcp_state.c     TCP's part of it
 *   source.c      a miss: is the source its sender's own?
 *   decide.c        source -> vip -> member -> route -> policy, in a
 *                 struct vr_decision; has no side effect, so that a trace can
 *                 call it and print each step
 *   policy.c        its security groups
 *   revalidate.c  a hit after a change: is the flow what decide.c would do now?
 *   icmp_error.c  an ICMP error belongs to the flow of the packet in it
 *   mss.c         a SYN may be bounded in what it asks for
 *   rewrite.c     addresses, ports, TTL, checksums
 *   forward.c     to the vif or the node
 *   tx_tunnel.c     or another node
 *   answer.c      what the module says itself: echo reply, TCP RST, ICMP errors
 *   drop.c        the one place where packets end
 *
 * Functions that can refuse a packet return enum vrouter_drop_reason; 0
 * (VROUTER_DROP_REASON_NONE) means go on. Nobody but drop.c and the last stage
 * frees a packet.
 */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "../table/flow.h"
#include "../obs/obs.h"

#define VR_MAX_VRF_HOPS	4

/* The gateway of every interface, RFC 5798's first virtual MAC. */
extern const u8 vr_gateway_mac[ETH_ALEN + 2];	/* padded for ether_addr_equal_64bits() */

/* What a packet is of its datagram. */
enum vr_frag_kind {
	VR_FRAG_NONE,
	VR_FRAG_FIRST,		/* has the transport header */
	VR_FRAG_LATER,		/* has none: goes where the first one went */
	VR_FRAG_ATOMIC,		/* whole, with a fragment header all the same (RFC 6946) */
};

/* A packet on its way. On the stack of rx_vif.c. */
struct vr_pkt {
	struct vr_net		*vn;
	u32			gen;		/* vr_net_gen() from before conf was read */
	struct vr_vif		*vif;		/* entered by; borrowed under RCU; or NULL */
	struct vr_vif_conf	*conf;		/* of it, at entry */
	struct vr_nexthop	*peer;		/* of type tunnel: leads to who sent it; or NULL */
	struct sk_buff		*skb;		/* data at the network header; NULL in a trace */
	bool			handler;	/* an rx handler's: the core goes on by verdict, */
	rx_handler_result_t	verdict;	/* which says what became of the skb */
	struct vr_tuple		tuple;		/* as it entered */
	u16			l4_off;		/* from the network header, octets */
	u16			tot_len;	/* of the IP packet without padding, octets */
	u8			icmp_type, icmp_code;
	u8			tcp_flags;	/* octet 13 of the TCP header */
	bool			icmp_error;	/* tuple: of the outer header, no ports */
	u8			frag;		/* enum vr_frag_kind */
	struct vr_tuple		inner;		/* icmp_error: of the packet in it, as sent */
	u16			inner_off;	/* its network header, from the outer one's */
	u16			inner_l4_off;	/* its transport header, from the same */
	u32			whole_len;	/* VR_FRAG_FIRST: as tot_len, of the datagram */
	enum vrouter_drop_reason dropped;	/* VR_FRAG_FIRST: by vr_drop(), why */
};

/* What is to be done with the first packet of a flow. Pointers are borrowed
 * under RCU.
 */
struct vr_decision {
	/* asked for */
	struct vr_member	*keep;		/* the member, if still one of the vip's */
	const struct vr_nexthop	*keep_nh;	/* of a route to several, if still one of them */
	/* answered */
	enum vrouter_drop_reason reason;
	u32			gen;		/* the packet's */
	struct vr_vip		*vip;		/* NULL = not a service */
	struct vr_member	*member;
	struct vr_route		*from;		/* to a source that is not the vif's own; or NULL */
	struct vr_route		*route;		/* to the (translated) destination */
	struct vr_nexthop	*nh;
	struct vr_vrf		*vrf;		/* in which it was found */
	struct vr_vif		*out;		/* NULL = the node, when nh is of type host */
	bool			to_gateway;	/* destination is the gateway itself */
	bool			indirect;	/* more than one route had a say */
	bool			refuse;		/* dropped, and the sender is to be told */
	union vr_addr		dst;		/* after translation */
	__be16			dport;
	/* after translation: the vip's to a pod that reaches itself; SNAT's, whose port
	 * flow.c chooses
	 */
	union vr_addr		src;
	__be16			sport;
	u16			port_min, port_max; /* of SNAT, host byte order; 0 = no SNAT */
	struct vr_vif		*sg_vif;	/* whose groups refused, or NULL */
	struct vr_ruleset	*hit[2];	/* rule that let it through, by direction: */
	int			hit_index[2];	/* -1 = none needed */
};

/* Beside the drop reasons: the flow that was found ended just now, and the packet is
 * to be decided anew.
 */
#define VR_DECIDE_ANEW	((enum vrouter_drop_reason)__VROUTER_DROP_REASON_MAX)

/* All but what vr_parse() and vr_pkt_enter() set. */
static inline void vr_pkt_init(struct vr_pkt *pkt, struct vr_net *vn, struct sk_buff *skb)
{
	pkt->vn = vn;
	pkt->gen = vr_net_gen(vn);
	pkt->vif = NULL;
	pkt->peer = NULL;
	pkt->skb = skb;
	pkt->handler = false;
	pkt->verdict = RX_HANDLER_CONSUMED;
	pkt->tuple = (struct vr_tuple) {};
	pkt->tcp_flags = 0;
	pkt->icmp_type = 0;
	pkt->icmp_code = 0;
	pkt->icmp_error = false;
	pkt->frag = VR_FRAG_NONE;
}

/* Here it enters, data at the network header. Octets are counted with a frame's header. */
static inline void vr_pkt_enter(struct vr_pkt *pkt, struct vr_vif *vif)
{
	pkt->vif = vif;
	pkt->conf = rcu_dereference(vif->conf);
	vr_count_rx(vif->counters, pkt->skb->len + ETH_HLEN);
	vr_count_rx(pkt->conf->vrf->counters, pkt->skb->len + ETH_HLEN);
}

static inline bool vr_proto_is_icmp(u8 proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

static inline u8 vr_echo_request(u8 family)
{
	return family == AF_INET ? ICMP_ECHO : ICMPV6_ECHO_REQUEST;
}

/* The tuple of what is sent back; port stays. */
static inline struct vr_tuple vr_tuple_mirror(const struct vr_tuple *t)
{
	struct vr_tuple m = *t;

	m.src = t->dst;
	m.dst = t->src;
	m.sport = t->dport;
	m.dport = t->sport;
	return m;
}

/* Told each step of a decision when somebody asks (trace); NULL for packets. */
struct vr_trace;

/* --- parse.c ------------------------------------------------------------- */
/* skb->data at the network header, skb->protocol set. May pull; on return all
 * headers up to the transport's are linear. Fills tuple (port from pkt->vif)
 * and offsets, trims link-layer padding.
 */
enum vrouter_drop_reason vr_parse(struct vr_pkt *pkt);

/* VROUTER_DROP_REASON_FRAGMENT: the IP header is sound, and it is one of several fragments.
 * l4_off is then where what was fragmented begins (IPv4), or the fragment header (IPv6).
 */

/* --- frag.c --------------------------------------------------------------- */
void vr_frag_input(struct vr_pkt *pkt);	/* consumes the skb */
/* A whole datagram's fragments, in order, as vr_frag_add() hands them out: each goes on as a
 * packet that entered with "last" at dev (may be NULL). Empties the list. BH disabled, RCU.
 */
void vr_frag_send(const struct vr_pkt *last, struct net_device *dev,
		  const struct vr_frag_key *key, struct sk_buff_head *list);
/* Drops what waited, from process context too; empties the list. RCU. */
void vr_frag_drop(struct vr_net *vn, struct vr_vif *vif, const struct vr_frag_key *key,
		  struct sk_buff_head *list, enum vrouter_drop_reason why);
/* Does the skb meet the rx handler on its way to the node's stack, having passed already? */
bool vr_frag_passes(struct sk_buff *skb);

/* --- refrag.c ------------------------------------------------------------- */
/* Did the kernel put this together from fragments? In a netfilter hook: skb->cb is the IP
 * layer's.
 */
bool vr_refrag_is_due(const struct sk_buff *skb);
/* Such a datagram, data at its IP header, for vr_frag_send(); the skb stays the caller's. At
 * most VR_FRAG_MAX, or else a reason and an empty list. BH disabled.
 */
enum vrouter_drop_reason vr_refrag(struct sk_buff *skb, struct sk_buff_head *list);

/* --- neigh.c: consume the skb, always ------------------------------------ */
void vr_neigh_arp(struct vr_pkt *pkt);
bool vr_neigh_nd(struct vr_pkt *pkt);	/* of ICMPv6. false: not ND, skb untouched */

/* --- input.c ------------------------------------------------------------- */
void vr_input(struct vr_pkt *pkt);	/* parsed; consumes the skb */
void vr_input_later(struct vr_pkt *pkt); /* VR_FRAG_LATER, with the first one's tuple; the same */

/* --- flow.c -------------------------------------------------------------- */
/* State, time and counters of a flow that a packet of direction dir hit. VR_DECIDE_ANEW:
 * it opens another connection in place of one that is over.
 */
enum vrouter_drop_reason vr_flow_hit(struct vr_pkt *pkt, struct vr_flow *f, int dir);
void vr_flow_later(const struct vr_pkt *pkt, struct vr_flow *f, int dir);	/* VR_FRAG_LATER */
/* In *side the direction of the packet; the flow may be one that another CPU made. */
enum vrouter_drop_reason vr_flow_new(struct vr_pkt *pkt, struct vr_decision *d,
				     struct vr_flow_side **side);

/* --- tcp_state.c --------------------------------------------------------- */
/* May this packet open a flow (f may be NULL), and what does it make of it (RFC 9293)? */
enum vrouter_drop_reason vr_tcp_open(const struct vr_pkt *pkt, struct vr_flow *f);
/* In CLOSED a SYN of the opener makes the same flow new; see vr_tcp_reopens(). */
enum vrouter_drop_reason vr_tcp_hit(const struct vr_pkt *pkt, struct vr_flow *f, int dir);
bool vr_tcp_is_syn(const struct vr_pkt *pkt);
/* A new connection with the addresses and ports of one that is over? */
bool vr_tcp_reopens(const struct vr_pkt *pkt, const struct vr_flow *f);

/* --- source.c -------------------------------------------------------------- */
/* Is the source one of the vif's own addresses? Of what a pod, a VM or the node sends. */
bool vr_source_is_own(const struct vr_pkt *pkt);
/* May what entered by the vif have this source? Sets from and indirect of d. */
enum vrouter_drop_reason vr_check_source(const struct vr_pkt *pkt, struct vr_decision *d,
					 struct vr_trace *t);

/* --- decide.c, policy.c, revalidate.c ------------------------------------ */
void vr_decide(const struct vr_pkt *pkt, struct vr_decision *d, struct vr_trace *t);
/* Both ends' groups on a packet after translation; sets sg_vif, hit, hit_index. */
enum vrouter_drop_reason vr_policy(const struct vr_pkt *pkt, struct vr_decision *d,
				   struct vr_trace *t);
/* VR_DECIDE_ANEW, or why a packet of direction dir is dropped; *sg_vif: whose groups refuse. */
enum vrouter_drop_reason vr_revalidate(struct vr_pkt *pkt, struct vr_flow *f, int dir,
				       const struct vr_vif **sg_vif);

/* --- icmp_error.c -------------------------------------------------------- */
/* Consumes the skb when 0. *sg_vif as for vr_revalidate(). */
enum vrouter_drop_reason vr_icmp_error(struct vr_pkt *pkt, const struct vr_vif **sg_vif);

/* --- rewrite.c ----------------------------------------------------------- */
/* Makes the packet what the mirror image of "to" says (to = the other side's
 * tuple: its source becomes the destination and so on), decrements the TTL.
 */
enum vrouter_drop_reason vr_rewrite(struct vr_pkt *pkt, const struct vr_tuple *to);
/* Of a packet without transport header (VR_FRAG_LATER). */
enum vrouter_drop_reason vr_rewrite_later(struct vr_pkt *pkt, const struct vr_tuple *to);

/* --- mss.c ----------------------------------------------------------------- */
void vr_bound_mss(struct vr_pkt *pkt);	/* of a SYN, what it asks for */

/* --- forward.c ----------------------------------------------------------- */
/* Does the packet fit? If not, the sender is told, which quotes the packet: so this is
 * asked before it is rewritten. to and nh as below, dst: its destination when it is.
 */
enum vrouter_drop_reason vr_fits(struct vr_pkt *pkt, const struct vr_vif *to,
				 const struct vr_nexthop *nh, const union vr_addr *dst);
/* Consumes the skb when 0: sent, or left to the core by pkt->verdict. to = NULL: to
 * the node's own stack, where it came in. nh: of a tunnel.
 */
enum vrouter_drop_reason vr_forward(struct vr_pkt *pkt, struct vr_vif *to,
				    const struct vr_nexthop *nh);

/* --- tx_tunnel.c --------------------------------------------------------- */
#define VR_PORT_VXLAN		4789	/* RFC 7348 */
#define VR_PORT_MPLSOUDP	6635	/* RFC 7510 */
/* Largest IP packet that the way to the other node takes, octets; 0: there is no way. RCU, BH
 * disabled.
 */
u32 vr_tunnel_mtu(struct vr_net *vn, const struct vr_nexthop *nh);
/* A whole IP packet, data at its header, transport header set. Consumes it when 0. RCU, BH
 * disabled.
 */
enum vrouter_drop_reason vr_tunnel_xmit(struct vr_net *vn, struct sk_buff *skb,
					const struct vr_nexthop *nh, u32 vni);

/* --- gro.c: called by UDP's offload ---------------------------------------- */
struct sk_buff *vr_gro_receive(struct sock *sk, struct list_head *held, struct sk_buff *skb);
int vr_gro_complete_vxlan(struct sock *sk, struct sk_buff *skb, int nhoff);
int vr_gro_complete_mpls(struct sock *sk, struct sk_buff *skb, int nhoff);

/* --- rx_tunnel.c: called by UDP ------------------------------------------- */
int vr_rx_tunnel(struct sock *sk, struct sk_buff *skb);
int vr_rx_tunnel_err(struct sock *sk, struct sk_buff *skb);

/* --- external.c ----------------------------------------------------------- */
int vr_external_open(struct vr_net *vn, struct vr_vif *vif);	/* the node's hooks. Process */
void vr_external_shut(struct vr_net *vn, struct vr_vif *vif);	/* waits for packets */
/* Any context under RCU. */
bool vr_is_node_addr(const struct vr_net *vn, u8 family, const union vr_addr *addr);
/* Largest IP packet on the way there, octets; 0: there is none. RCU. */
u32 vr_external_mtu(struct vr_net *vn, u8 family, const union vr_addr *to);
/* A whole IP packet, data at its header, to where the node's routes lead. Consumes it when 0. */
enum vrouter_drop_reason vr_external_xmit(struct vr_net *vn, struct sk_buff *skb);

/* --- host_dev.c ---------------------------------------------------------- */
bool vr_is_host_dev(const struct net_device *dev);
struct vr_vif *vr_host_dev_vif(const struct net_device *dev);	/* RTNL or RCU; may be NULL */
void vr_host_dev_attach(struct net_device *dev, struct vr_vif *vif);	/* NULL: detach. RTNL */
/* Makes the packet, data at its network header, one that the device has received. The
 * caller hands it to the core. BH disabled.
 */
void vr_host_dev_rx(struct net_device *dev, struct sk_buff *skb);
int vr_host_dev_init(void);
void vr_host_dev_exit(void);

/* --- answer.c: builds a new skb, sends it back by the vif; leaves pkt->skb - */
/* A packet of this protocol (ETH_P_*), data at the network header, back to where the other
 * one came from; to a device in a frame from the gateway. Consumes it.
 */
void vr_answer_send(struct vr_pkt *pkt, struct sk_buff *skb, u16 protocol);
void vr_answer_echo(struct vr_pkt *pkt);
void vr_answer_refused(struct vr_pkt *pkt);		/* TCP RST, else port unreachable */
void vr_answer_too_big(struct vr_pkt *pkt, u32 mtu);
void vr_answer_time_exceeded(struct vr_pkt *pkt);

/* --- drop.c -------------------------------------------------------------- */
void vr_drop(struct vr_pkt *pkt, enum vrouter_drop_reason why, const struct vr_vif *sg_vif);

/* --- rx_vif.c ------------------------------------------------------------ */
rx_handler_result_t vr_rx_vif(struct sk_buff **pskb);	/* rx_handler_data: struct vr_vif */

/* --- trace.c ------------------------------------------------------------- */
/* The dry run: called by nl/trace_nl.c with a made-up packet. Process context. */
struct vr_trace_step {
	u8	stage;			/* VROUTER_TRACE_STAGE_* */
	u8	prefix_len;
	u8	family;			/* of addr; 0 = none */
	u16	port;			/* host order; 0 = none */
	u32	reason;
	u32	vif, vrf, nexthop, sg;	/* 0 = none */
	int	rule;			/* -1 = none */
	union vr_addr addr;
	char	text[160];
};

#define VR_TRACE_MAX_STEPS 64

struct vr_trace {
	unsigned int		n;
	struct vr_trace_step	step[VR_TRACE_MAX_STEPS];
};

/* "17 (default/web-0)" in a step's sentence */
#define VR_NAMED		"%u%s%s%s"
#define VR_NAME(id, label)	(id), (label) ? " (" : "", (label) ?: "", (label) ? ")" : ""

/* A new step with its sentence; NULL (and nothing evaluated) when t is NULL, so that a
 * packet pays one branch.
 */
#define vr_trace_step(t, ...) (unlikely(t) ? __vr_trace_step(t, __VA_ARGS__) : NULL)
__printf(3, 4)
struct vr_trace_step *__vr_trace_step(struct vr_trace *t, u8 stage, const char *fmt, ...);

struct vr_trace_result {
	enum vrouter_drop_reason reason;
	struct vr_tuple		final;		/* port: 0 */
	u32			vif_out;	/* 0 = none or the node */
};

/* tuple->port = the vif. -ENOENT when there is no such vif. */
int vr_trace_run(struct vr_net *vn, const struct vr_tuple *tuple, struct vr_trace *t,
		 struct vr_trace_result *res);

#endif
