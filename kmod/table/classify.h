/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_CLASSIFY_H
#define VR_CLASSIFY_H

/*
 * The rules of a security group, compiled: made by compile.c, asked by
 * classify.c.
 *
 * A rule applies to one direction, to one or both families, and to a peer: any,
 * a group, or a prefix. Rules that have all of these in common make one set of
 * ports: for each protocol, disjoint intervals in order, each with the first
 * rule that has it.
 */

#include <linux/hash.h>
#include <linux/workqueue.h>

#include "table.h"

enum vr_proto_class { VR_TCP, VR_UDP, VR_SCTP, VR_ICMP, VR_OTHER, VR_CLASSES };

struct vr_interval {
	u16	lo, hi;
	u32	rule;
};

/* Intervals of protocol class c: from start[c] up to before start[c + 1]. */
struct vr_ports {
	u32		users;		/* prefixes of one rule share it; when making and freeing */
	u32		start[VR_CLASSES + 1];
	struct vr_interval at[];
};

struct vr_peer_slot {
	u32		sg;		/* 0 = free */
	struct vr_ports	*ports;
};

/* Of one direction and family. */
struct vr_section {
	struct vr_ports	*any;		/* NULL: none */
	struct vr_peer_slot *peers;	/* open addressing; NULL: none */
	unsigned int	peer_bits;	/* of its size, a power of two */
	struct vr_lpm	prefixes;	/* struct vr_ports */
};

#define VR_SECTIONS	4
#define VR_HITS_CHUNK	1024		/* well within PCPU_MIN_UNIT_SIZE */

struct vr_ruleset {
	unsigned int		n;
	unsigned int		n_chunks;
	struct vr_sg_rule	*rules;
	struct vr_section	section[VR_SECTIONS];
	struct rcu_work		free;
	u64 __percpu		*hits[];	/* VR_HITS_CHUNK rules each */
};

static inline unsigned int vr_section_of(u8 direction, u8 family)
{
	return (direction == VROUTER_DIRECTION_EGRESS ? 2 : 0) + (family == AF_INET6);
}

static inline enum vr_proto_class vr_class_of(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return VR_TCP;
	case IPPROTO_UDP:
		return VR_UDP;
	case IPPROTO_SCTP:
		return VR_SCTP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return VR_ICMP;
	default:
		return VR_OTHER;
	}
}

/* Where the group is, or the free slot where it would be. */
static inline struct vr_peer_slot *vr_peer_slot(const struct vr_section *s, u32 sg)
{
	unsigned int mask = (1U << s->peer_bits) - 1;
	unsigned int i = hash_32(sg, s->peer_bits);

	while (s->peers[i].sg && s->peers[i].sg != sg)
		i = (i + 1) & mask;
	return &s->peers[i];
}

/* Fills the sections of rs. What it has made so far is in there on error too. */
int vr_rules_compile(struct vr_ruleset *rs, const struct vr_sg_rule *rules, unsigned int n,
		     struct netlink_ext_ack *extack);

#endif
