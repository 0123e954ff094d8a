/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_OBJ_H
#define VR_OBJ_H

/*
 * The objects of the netlink family as plain structures, and what is done with
 * each of them alike.
 *
 * What is zero (or NULL, or empty) is absent, unless said otherwise. Numbers
 * are in host byte order, addresses in network byte order. "told" marks what
 * the kernel tells and never is sent; vr_obj_equal() does not look at it.
 *
 * Pointers in a structure that was decoded or copied belong to it:
 * vr_obj_free(). In one that the caller fills for a request they may point
 * anywhere.
 */

#include <linux/vrouter.h>

#include "err.h"
#include "util.h"

struct vr_counters {
	uint64_t	rx_packets, rx_bytes, tx_packets, tx_bytes, drops, flows;
};

struct vr_vrf {
	uint32_t	id;
	char		*label;
	unsigned int	n_gateways;
	struct vr_addr	*gateways;
	uint32_t	routes;			/* told */
	struct vr_counters counters;		/* told */
};

struct vr_vif {
	uint32_t	id;
	char		*label;
	uint32_t	ifindex;		/* of the device, or */
	char		ifname[16];		/* its name */
	uint8_t		type;			/* VROUTER_VIF_TYPE_*; a tap may be asked for as veth */
	uint32_t	vrf;
	uint32_t	vni;			/* of type tunnel */
	uint8_t		mac[6];
	unsigned int	n_addrs, n_sgs;
	struct vr_addr	*addrs;
	uint32_t	*sgs;
	uint32_t	mtu;			/* octets; 0 = the device's */
	uint32_t	flow_limit, half_open_limit; /* 0 = the namespace's */
	uint32_t	flows, half_open;	/* told */
	struct vr_counters counters;		/* told */
};

struct vr_member {
	struct vr_addr	addr;
	uint16_t	port;
	uint32_t	nexthop;		/* 0 = by route */
	uint32_t	weight;			/* 0 is sent as 1 */
	uint8_t		state;			/* VROUTER_MEMBER_STATE_* */
	char		*label;
	struct vr_counters counters;		/* told */
};

struct vr_nexthop {
	uint32_t	id;
	char		*label;
	uint8_t		type;			/* VROUTER_NEXTHOP_TYPE_* */
	uint32_t	vif;			/* of types local and snat */
	uint32_t	vrf;			/* of type vrf */
	/* of type tunnel */
	bool		has_encap;
	uint8_t		encap;			/* VROUTER_TUNNEL_ENCAP_*, when has_encap */
	struct vr_addr	remote, local;
	uint8_t		mac[6];			/* VXLAN; zero = the gateway's */
	bool		has_csum;		/* else with IPv6 only */
	uint8_t		csum;
	/* of type snat */
	unsigned int	n_snat_addrs;
	struct vr_addr	*snat_addrs;
	uint16_t	port_min, port_max;	/* 0 = 61000, 65535 */
	unsigned int	n_members;
	struct vr_member *members;		/* of type ecmp */
	uint32_t	members_told;		/* told: their number; more than n_members in an
						 * event that leaves them out
						 */
	struct vr_counters counters;		/* told */
};

struct vr_route {
	uint32_t	vrf;
	struct vr_prefix prefix;
	uint32_t	nexthop;
	unsigned int	n_sgs;
	uint32_t	*sgs;
	char		*label;
	bool		node;			/* to a node's address, which has node ports */
};

/* What a dump of routes or vips can be narrowed to; 0 = all. */
struct vr_filter {
	uint32_t	vrf;
	uint8_t		family;			/* routes: AF_* */
	uint32_t	id;			/* nexthops, sgs */
	uint32_t	vif;			/* drops */
};

struct vr_vip {
	uint32_t	vrf;
	struct vr_addr	addr;
	uint8_t		proto;			/* IPPROTO_* */
	uint16_t	port;
	uint32_t	nexthop;
	uint32_t	affinity_timeout;	/* seconds, 0 = none */
	uint32_t	sg;			/* whose ingress rules clients match; 0 = all are served */
	char		*label;
	struct vr_counters counters;		/* told */
};

struct vr_sg_rule {
	uint32_t	index;			/* told */
	uint8_t		direction;		/* VROUTER_DIRECTION_* */
	uint8_t		family;			/* AF_*; 0 = both, or that of the prefix */
	uint8_t		proto;			/* IPPROTO_*; 0 = any */
	uint16_t	port_min, port_max;	/* as they are when has_ports */
	uint8_t		icmp_type, icmp_code;	/* as they are when has_icmp_* */
	bool		has_ports, has_icmp_type, has_icmp_code;
	struct vr_prefix peer_prefix;
	unsigned int	n_except;
	struct vr_prefix *except;
	uint32_t	peer_sg;
	char		*label;
	uint8_t		action;			/* VROUTER_SG_ACTION_* */
	uint64_t	hits;			/* told */
};

struct vr_sg {
	uint32_t	id;
	char		*label;
	uint32_t	enforce;		/* VROUTER_SG_FLAGS_*; always sent: 0 = open */
	uint8_t		tier;			/* VROUTER_SG_TIER_* */
	uint16_t	priority;		/* in the tiers that have one, lowest first */
	unsigned int	n_rules;
	struct vr_sg_rule *rules;		/* in the order of the list */
	uint32_t	rules_told;		/* told: their number, see members_told */
	uint32_t	users;			/* told */
};

/* A packet, or a filter of them: what is absent matches all. */
struct vr_tuple {
	struct vr_addr	src, dst;
	uint8_t		proto;
	uint16_t	sport, dport;		/* as they are when has_*; ICMP: identifier and
						 * type * 256 + code
						 */
	bool		has_sport, has_dport;
};

struct vr_flow {
	struct vr_tuple	orig, reply;
	uint32_t	vif_in;
	uint32_t	vif_out;		/* 0 = the node */
	uint32_t	vrf;
	uint8_t		state;			/* VROUTER_FLOW_STATE_* */
	uint32_t	timeout;		/* seconds left */
	uint64_t	orig_packets, orig_bytes, reply_packets, reply_bytes;
	bool		translated;
};

struct vr_flow_filter {
	uint32_t	vif, vrf;
	uint8_t		state;			/* when has_state */
	bool		has_state;
	struct vr_tuple	tuple;
};

struct vr_drop {
	uint32_t	reason;			/* VROUTER_DROP_REASON_* */
	char		*name, *help;
	uint64_t	packets;
	uint32_t	vif;
	/* of an event */
	struct vr_tuple	tuple;
	uint32_t	sg_vif;
	uint32_t	suppressed;
};

/* What a vr_limits has for each of "flows" to "tcp-mss", at its attribute's
 * number: value[VROUTER_A_LIMITS_FLOWS].
 */
struct vr_limits {
	bool		global;
	uint32_t	value[VROUTER_A_LIMITS_TCP_MSS + 1];
	uint32_t	used[VROUTER_A_LIMITS_TCP_MSS + 1];	/* told */
};

struct vr_stats {
	uint32_t	flows, half_open;
	uint32_t	flow_size;		/* octets */
	uint64_t	flows_created, flows_ended, flows_evicted;
	uint64_t	flow_hits, flow_misses, revalidated, drops;
};

struct vr_trace_step {
	uint8_t		stage;			/* VROUTER_TRACE_STAGE_* */
	char		*text;
	uint32_t	reason;			/* VROUTER_DROP_REASON_* */
	uint32_t	vif, vrf, nexthop, sg;
	uint32_t	rule;			/* when has_rule */
	bool		has_rule;
	struct vr_addr	addr;
	uint16_t	port;
	uint8_t		prefix_len;
};

struct vr_trace {
	uint32_t	vif;
	struct vr_tuple	tuple;
	/* told */
	unsigned int	n_steps;
	struct vr_trace_step *steps;
	uint32_t	reason;			/* VROUTER_DROP_REASON_NONE: it passes */
	struct vr_tuple	final;			/* the packet as it leaves */
	uint32_t	vif_out;
};

/* --- what is done with them ------------------------------------------------ */

/* A type of object: one of those below, codec_*.c has the table of its attributes. */
struct vr_obj_type;

extern const struct vr_obj_type vr_type_vrf, vr_type_vif, vr_type_nexthop, vr_type_route,
	vr_type_vip, vr_type_sg;		/* what can be set and deleted */
extern const struct vr_obj_type vr_type_flow, vr_type_drop, vr_type_limits, vr_type_stats,
	vr_type_trace;

const char *vr_type_name(const struct vr_obj_type *t);	/* "vif" */
size_t vr_type_size(const struct vr_obj_type *t);	/* of its structure, octets */

/* Frees what the object owns and makes it zero; not the structure itself. */
void vr_obj_free(const struct vr_obj_type *t, void *obj);
/* A copy that owns what it points to. -ENOMEM. */
int vr_obj_copy(const struct vr_obj_type *t, void *to, const void *from);
/* The same identity: id; of a route vrf and prefix; of a vip vrf, address,
 * protocol and port.
 */
bool vr_obj_same_key(const struct vr_obj_type *t, const void *a, const void *b);
/* The same configuration, not looking at what is told. Lists are compared in
 * their order: vr_obj_normalize() both before. A vif's ifindex and ifname are
 * compared where both have it.
 */
bool vr_obj_equal(const struct vr_obj_type *t, const void *a, const void *b);
/* What the kernel makes of it: lists whose order means nothing (addresses,
 * groups, members, exceptions; not rules) are sorted, a weight of 0 is 1, all
 * ports are no ports, a rule has the family of its prefix or protocol, a tunnel its
 * checksum and MAC, SNAT its ports; a tap is a veth.
 */
void vr_obj_normalize(const struct vr_obj_type *t, void *obj);

#endif
