/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_KOBJ_H
#define VRD_KOBJ_H

/*
 * One object of the kernel module as vrouterd plans and compares it: identity
 * and configuration, no counters. Made, put in canonical form, and from then
 * on never changed but shared; freed with its last reference.
 */

#include "model.h"

/* In the order of what needs what: each may refer to those before it. */
enum kobj_kind { K_SG, K_VRF, K_VIF, K_NEXTHOP, K_ROUTE, K_VIP, K_KINDS };

/* Compared as octets: unused fields are zero. */
struct kkey {
	uint8_t		kind;		/* enum kobj_kind */
	uint8_t		proto;		/* vip */
	uint16_t	port;		/* vip, host byte order */
	uint32_t	id;		/* its own; of the vrf: route, vip */
	struct prefix	prefix;		/* route, vip */
};

struct kmember {
	struct ip	addr;
	uint16_t	port;
	uint32_t	weight;
	uint8_t		state;		/* VROUTER_MEMBER_STATE_* */
	char		*label;
};

struct krule {
	uint8_t		direction, proto;
	uint16_t	port_min, port_max;
	enum rule_peer	peer;
	struct prefix	prefix;
	unsigned int	n_except;
	struct prefix	*except;
	uint32_t	peer_sg;
	char		*label;
};

struct kobj {
	unsigned int	refs;
	struct kkey	key;
	char		*label;		/* may be NULL */

	uint32_t	vrf;		/* vif; nexthop of type vrf */
	uint32_t	nexthop;	/* route, vip */
	uint8_t		type;		/* nexthop: VROUTER_NEXTHOP_TYPE_* */
	uint32_t	vif;		/* nexthop of type local */
	uint32_t	ifindex;	/* vif */
	char		ifname[16];	/* vif; told by the kernel, not compared */
	uint8_t		mac[6];		/* vif */
	uint32_t	mtu;		/* vif */
	uint32_t	flow_limit, half_open_limit;	/* vif */
	uint32_t	affinity;	/* vip: seconds */
	uint32_t	enforce;	/* sg */

	unsigned int	n_addrs, n_sgs, n_members, n_rules;
	struct ip	*addrs;		/* vif: its own; vrf: gateways */
	uint32_t	*sgs;		/* vif, route */
	struct kmember	*members;	/* nexthop of type ecmp */
	struct krule	*rules;		/* sg */
};

struct kobj *kobj_new(enum kobj_kind kind, uint32_t id, const char *label);
struct kobj *kobj_hold(const struct kobj *o);
void kobj_put(const struct kobj *o);
/* Sorts what has no order in the kernel, so that equal means the same octets. */
void kobj_canonical(struct kobj *o);
bool kobj_equal(const struct kobj *a, const struct kobj *b);
int kkey_compare(const struct kkey *a, const struct kkey *b);

/* "vip 10.96.0.10 tcp/80 in vrf 1 (default/web:http)", for people. */
#define KOBJ_TEXT	512
const char *kobj_text(const struct kobj *o, char buf[KOBJ_TEXT]);

/* Did vrouterd make it? Its labels are "a/b" (a vip's is "a/b:listener"), and
 * its devices are named by contrail-cni. Everything else is somebody else's
 * and is left alone, but where it is in the way of a planned object.
 */
bool kobj_ours(const struct kobj *o);
bool host_ifname_valid(const char *name);

/* --- a table of objects by key ---------------------------------------------- */

struct ktable { void *root; };

const struct kobj *ktable_get(const struct ktable *t, const struct kkey *key);
/* Takes over the caller's reference, and gives up that of what was there. */
void ktable_set(struct ktable *t, const struct kobj *o);
/* The table's reference becomes the caller's; NULL if there is none. */
const struct kobj *ktable_take(struct ktable *t, const struct kkey *key);
void ktable_each(const struct ktable *t, void (*fn)(const struct kobj *o, void *arg), void *arg);
void ktable_clear(struct ktable *t);

#endif
