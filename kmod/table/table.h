/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_TABLE_H
#define VR_TABLE_H

/*
 * What the node knows. Prototypes are grouped by the file that has them.
 *
 * Every *_set() takes a complete, already well-formed configuration (nl/ has
 * checked types and ranges), checks it against the other objects and the
 * bounds, and either does all of it or nothing; it sets an extack sentence for
 * each refusal. They and every *_del() are called in process context with
 * vr_net::lock held; vr_vif_set() and vr_vif_del() with the RTNL held too.
 *
 * nlflags are those of the request: NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE.
 *
 * Look-ups: *_rcu() need rcu_read_lock(), the others vr_net::lock; what they
 * return is borrowed and lives as long as that is held.
 */

#include <net/dst_cache.h>

#include "../vrouter.h"

struct netlink_ext_ack;
struct net_device;
struct vr_group;
struct vr_nexthop;
struct nf_hook_ops;
struct vr_sg;
struct vr_tunnel;
struct vr_vif;

/* --- counters.c ---------------------------------------------------------- */

/* softirq or BH disabled */
static inline void vr_count_rx(struct vr_pcpu_counters __percpu *pc, unsigned int bytes)
{
	struct vr_pcpu_counters *c = this_cpu_ptr(pc);

	u64_stats_update_begin(&c->syncp);
	u64_stats_inc(&c->rx_packets);
	u64_stats_add(&c->rx_bytes, bytes);
	u64_stats_update_end(&c->syncp);
}

static inline void vr_count_tx(struct vr_pcpu_counters __percpu *pc, unsigned int bytes)
{
	struct vr_pcpu_counters *c = this_cpu_ptr(pc);

	u64_stats_update_begin(&c->syncp);
	u64_stats_inc(&c->tx_packets);
	u64_stats_add(&c->tx_bytes, bytes);
	u64_stats_update_end(&c->syncp);
}

static inline void vr_count_flow(struct vr_pcpu_counters __percpu *pc)
{
	struct vr_pcpu_counters *c = this_cpu_ptr(pc);

	u64_stats_update_begin(&c->syncp);
	u64_stats_inc(&c->flows);
	u64_stats_update_end(&c->syncp);
}

struct vr_pcpu_counters __percpu *vr_counters_alloc(void);
void vr_counters_sum(const struct vr_pcpu_counters __percpu *pc, struct vr_counters *sum);

/* Takes one (n) of a bound of namespace and module, or says in the extack
 * (may be NULL) which is reached and returns -ENOSPC. "what" is the limit's name
 * as "vrctl limits set" has it. Any context.
 */
int vr_take(atomic_t *used, const u32 *limit, atomic_t *gused, const u32 *glimit, int n,
	    const char *what, struct netlink_ext_ack *extack);
void vr_give(atomic_t *used, atomic_t *gused, int n);

/* The same, by the name of the bound in struct vr_limits. */
#define vr_take_of(vn, kind, n, what, extack)						\
	vr_take(&(vn)->used.kind, &(vn)->limits.kind, &vr_global.used.kind,		\
		&vr_global.limits.kind, n, what, extack)
#define vr_give_of(vn, kind, n)	vr_give(&(vn)->used.kind, &vr_global.used.kind, n)

/* --- object.c: what setters have in common -------------------------------- */

/* Does the request add or replace what it names (exists or not)? -EEXIST, -ENOENT;
 * fmt and what follows name the object: "VRF %u".
 */
__printf(4, 5)
int vr_check_flags(bool exists, u16 nlflags, struct netlink_ext_ack *extack,
		   const char *fmt, ...);
/* A label's copy; NULL of NULL, ERR_PTR(-ENOMEM). */
char *vr_label_dup(const char *label);
void vr_label_free(char *label);	/* after a grace period; NULL is fine */
/* Under vr_net::lock; readers without it use READ_ONCE() under RCU. Takes over. */
static inline void vr_label_swap(char **label, char *to)
{
	char *old = *label;

	WRITE_ONCE(*label, to);
	vr_label_free(old);
}

/* No address = all octets zero, family 0. */
static inline bool vr_addr_eq(const union vr_addr *a, const union vr_addr *b)
{
	return !((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) |
		 (a->w[3] ^ b->w[3]));
}

/* A sentence that begins with an address: "10.0.0.1", text, id. */
void vr_extack_addr(struct netlink_ext_ack *extack, u8 family, const union vr_addr *addr,
		    const char *text, u32 id);

/* --- lpm.c: longest prefix match ----------------------------------------- */

/* A path-compressed binary trie of prefixes of up to 128 bits, one per family.
 * Readers under RCU; writers serialised by the owner.
 */
struct vr_lpm_node;

struct vr_lpm {
	struct vr_lpm_node __rcu *root;
	u8 bits;				/* 32 or 128 */
};

void vr_lpm_init(struct vr_lpm *t, u8 bits);
/* Value of the longest prefix that holds addr, its length in *len (may be NULL). RCU. */
void *vr_lpm_lookup(const struct vr_lpm *t, const union vr_addr *addr, u8 *len);
/* Calls fn for every prefix that holds addr, shortest first, until fn returns true. RCU. */
bool vr_lpm_match(const struct vr_lpm *t, const union vr_addr *addr,
		  bool (*fn)(void *value, u8 len, void *arg), void *arg);
/* Exact prefix, NULL if none. Writer or RCU. */
void *vr_lpm_get(const struct vr_lpm *t, const union vr_addr *addr, u8 len);
/* Sets the value of a prefix; the old one in *old, NULL if none. -ENOMEM. Writer. */
int vr_lpm_set(struct vr_lpm *t, const union vr_addr *addr, u8 len, void *value, void **old);
/* Removes a prefix, returns its value or NULL. Never fails, allocates nothing. Writer. */
void *vr_lpm_del(struct vr_lpm *t, const union vr_addr *addr, u8 len);
/* The first prefix after (addr, len) in order of address, then length; NULL
 * addr = the very first. Writer.
 */
void *vr_lpm_next(const struct vr_lpm *t, const union vr_addr *addr, u8 len);
/* Frees all nodes; free_value for each value. Writer, no reader left. */
void vr_lpm_destroy(struct vr_lpm *t, void (*free_value)(void *value));

/* --- vrf.c --------------------------------------------------------------- */

struct vr_gateways {
	struct rcu_head	rcu;
	unsigned int	n;
	struct vr_addr_af { union vr_addr addr; u8 family; } a[];
};

struct vr_vrf {
	u32			id;
	u32			gen;		/* changed: gateways, or any route or vip */
	char			*label;		/* under lock; may be NULL */
	struct vr_gateways __rcu *gateways;
	struct vr_vif __rcu	*tunnel;	/* vif of that type, or NULL: sends by its VNI */
	struct vr_lpm		routes[2];	/* [0] IPv4, [1] IPv6: struct vr_route */
	unsigned int		n_routes;	/* under lock */
	unsigned int		users;		/* vifs and nexthops; under lock */
	unsigned int		n_vifs;		/* of these */
	struct vr_pcpu_counters __percpu *counters;
	struct rcu_work		free;
};

struct vr_vrf_cfg {
	u32			id;
	const char		*label;
	unsigned int		n_gateways;
	const struct vr_addr_af	*gateways;
};

int vr_vrf_set(struct vr_net *vn, const struct vr_vrf_cfg *cfg, u16 nlflags,
	       struct netlink_ext_ack *extack);
int vr_vrf_del(struct vr_net *vn, u32 id, struct netlink_ext_ack *extack);
static inline struct vr_vrf *vr_vrf_rcu(const struct vr_net *vn, u32 id)
{
	return xa_load((struct xarray *)&vn->vrfs, id);
}
bool vr_vrf_is_gateway(const struct vr_vrf *vrf, u8 family, const union vr_addr *addr); /* RCU */

/* --- route.c ------------------------------------------------------------- */

struct vr_route {
	struct vr_prefix	prefix;
	u32			gen;		/* at which it was set */
	struct vr_nexthop	*nh;		/* holds a use of it */
	char			*label;		/* of the route: replaced with it */
	bool			node;		/* to a node's address, which has node ports */
	struct rcu_head		rcu;
	unsigned int		n_sgs;
	u32			sgs[];		/* sorted; replaced with the route */
};

struct vr_route_cfg {
	u32			vrf;
	struct vr_prefix	prefix;
	u32			nexthop;
	const char		*label;
	bool			node;
	unsigned int		n_sgs;
	const u32		*sgs;
};

int vr_route_set(struct vr_net *vn, const struct vr_route_cfg *cfg, u16 nlflags,
		 struct netlink_ext_ack *extack);
int vr_route_del(struct vr_net *vn, u32 vrf, const struct vr_prefix *prefix,
		 struct netlink_ext_ack *extack);
/* The VRF ends: its routes let go of what they use and are no longer counted, and
 * stay for readers until vr_route_free(). Once more does nothing. Lock.
 */
void vr_route_release_all(struct vr_net *vn, struct vr_vrf *vrf);
void vr_route_free(void *route);		/* no reader left */
struct vr_route *vr_route_lookup_rcu(const struct vr_vrf *vrf, u8 family,
				     const union vr_addr *addr);

/* --- vif.c --------------------------------------------------------------- */

#define VR_VIF_MAX_ADDRS	32
#define VR_VIF_MAX_SGS		256

/* What may be replaced of a vif, swapped as a whole. */
struct vr_vif_conf {
	struct rcu_head		rcu;
	struct vr_vrf		*vrf;		/* holds a use of it */
	u8			mac[ETH_ALEN] __aligned(2);
	u16			n_addrs;
	u16			n_sgs;
	u8			sg_enforce;	/* the groups' VROUTER_SG_FLAGS_*; READ_ONCE() */
	u8			sg_tiers;	/* BIT(VROUTER_SG_TIER_*) of theirs; READ_ONCE() */
	u32			mtu;		/* 0 = the device's */
	u32			flow_limit;	/* 0 = the namespace's */
	u32			half_open_limit;
	char			*label;
	struct vr_addr_af	*addrs;
	u32			*sg_ids;	/* sorted */
	struct vr_sg		**sgs;		/* same order; each holds a use */
};

/* Where packets enter and leave: an attached device, or a virtual network's end of all
 * tunnels. Found by its device, its VNI, and by id. A flow holds a reference; the device
 * goes at once when it is detached, the memory after the last flow.
 */
struct vr_vif {
	struct vr_net		*vn;
	u32			id;
	u32			gen;		/* conf, a group of it or its rules changed */
	u32			vni;		/* of type tunnel */
	struct nf_hook_ops	*hooks;		/* of type external */
	u8			type;		/* VROUTER_VIF_TYPE_* */
	bool			detached;	/* written under lock */
	struct net_device __rcu	*dev;		/* NULL once detached; of a tunnel always */
	netdevice_tracker	dev_tracker;
	struct vr_vif_conf __rcu *conf;
	struct list_head	nexthops;	/* local, to this vif; under lock */
	atomic_t		flows;		/* opened by it, for the limit */
	atomic_t		half_open;
	atomic_t		fragment_bytes;	/* of fragments that entered by it */
	struct vr_event_rate	answers;	/* ICMP errors to it; path/answer.c */
	struct vr_pcpu_counters __percpu *counters;
	u64 __percpu		*drops;		/* [__VROUTER_DROP_REASON_MAX] */
	refcount_t		ref;
	struct rcu_head		rcu;
};

struct vr_vif_cfg {
	u32			id;
	u8			type;		/* VROUTER_VIF_TYPE_* */
	u32			vni;		/* of type tunnel */
	struct net_device	*dev;		/* borrowed; NULL of type tunnel */
	const char		*label;
	u32			vrf;
	u8			mac[ETH_ALEN];
	unsigned int		n_addrs, n_sgs;
	const struct vr_addr_af	*addrs;
	const u32		*sgs;
	u32			mtu, flow_limit, half_open_limit;
};

int vr_vif_set(struct vr_net *vn, const struct vr_vif_cfg *cfg, u16 nlflags,
	       struct netlink_ext_ack *extack);
int vr_vif_del(struct vr_net *vn, u32 id, struct netlink_ext_ack *extack);
void vr_vif_detach_all(struct vr_net *vn);	/* as vr_vif_del() for each */
static inline struct vr_vif *vr_vif_rcu(const struct vr_net *vn, u32 id)
{
	return xa_load((struct xarray *)&vn->vifs, id);
}
static inline struct vr_vif *vr_vif_by_vni_rcu(const struct vr_net *vn, u32 vni)
{
	return xa_load((struct xarray *)&vn->vnis, vni);
}
static inline bool vr_vif_is_up(const struct vr_vif *vif)
{
	return !READ_ONCE(vif->detached);
}
/* VROUTER_VIF_TYPE_* that a device is for, or -EOPNOTSUPP. */
int vr_vif_type_of(const struct net_device *dev);
/* Tells each vif of the group that the group changed. Lock; the caller bumps. */
void vr_vif_sg_changed(struct vr_net *vn, const struct vr_sg *sg);
struct vr_vif *vr_vif_by_dev(const struct net_device *dev);	/* RTNL or RCU; NULL if not ours */
bool vr_vif_owns(const struct vr_vif_conf *conf, u8 family, const union vr_addr *addr);
void vr_vif_put(struct vr_vif *vif);				/* any context */
static inline bool vr_vif_tryget(struct vr_vif *vif)
{
	return refcount_inc_not_zero(&vif->ref);
}
int vr_vif_init(void);		/* netdevice notifier */
void vr_vif_exit(void);

/* --- member.c ------------------------------------------------------------ */

struct vr_member_block;

/* A member of an ecmp nexthop. Shared by the successive groups it is in
 * (same address and port, or same nexthop without address), so that counters
 * and flows outlive a replace. A flow holds a reference.
 */
struct vr_member {
	union vr_addr		addr;		/* family 0: none */
	u8			family;
	u8			state;		/* VROUTER_MEMBER_STATE_*; written under lock */
	bool			removed;	/* in no group any more; written under lock */
	__be16			port;		/* 0 = keep the packet's */
	u32			weight;		/* written under lock */
	u32			nh_id;		/* 0: by route; the same as nh's */
	struct vr_nexthop __rcu	*nh;		/* NULL: by route; holds a use until removed,
						 * and a reference
						 */
	char			*label;		/* vr_label_swap() */
	struct vr_pcpu_counters __percpu *counters;	/* rx: to the member, tx: from it */
	struct vr_member_block	*block;		/* that the counters are of */
	refcount_t		ref;
	struct rcu_head		rcu;
};

struct vr_member_cfg {
	union vr_addr		addr;
	u8			family;		/* 0: no address */
	u8			state;
	__be16			port;
	u32			weight;
	u32			nexthop;	/* 0: by route */
	const char		*label;
	const struct nlattr	*attr;		/* to blame it in the extack; may be NULL */
};

/* Order of a group's members: by address and port, without address by nexthop. */
int vr_member_cmp(const struct vr_member *m, const struct vr_member_cfg *cfg);

/* What the members of a group are to be. Prepared while it may fail; then either
 * undone, or applied before readers see the new group and finished after that,
 * which cannot fail.
 */
struct vr_member_want {
	const struct vr_member_cfg *cfg;
	struct vr_member	*m;		/* referenced */
	struct vr_nexthop	*nh;		/* borrowed under lock */
	char			*label;		/* owned */
	bool			kept;		/* m is in the old group */
	bool			same_label;	/* as it has */
};

/* Of cfg[n], sorted; the old group's members are found again. Lock. ERR_PTR, NULL for n = 0. */
struct vr_member_want *vr_members_prepare(struct vr_net *vn, const struct vr_group *old,
					  const struct vr_member_cfg *cfg, unsigned int n,
					  struct netlink_ext_ack *extack);
void vr_members_undo(struct vr_member_want *want, unsigned int n);
void vr_members_apply(struct vr_member_want *want, unsigned int n);
/* Marks those of the old group (may be NULL) that are wanted no longer; frees "want". */
void vr_members_finish(const struct vr_group *old, struct vr_member_want *want, unsigned int n);
/* All of a group that goes with its nexthop. Lock. */
void vr_members_remove(const struct vr_group *g);
void vr_member_put(struct vr_member *m);	/* any context */
static inline bool vr_member_tryget(struct vr_member *m)
{
	return refcount_inc_not_zero(&m->ref);
}

/* --- nexthop.c, ecmp.c --------------------------------------------------- */

/* The members, and the table that a new flow's hash selects from. */
struct vr_group {
	struct rcu_head		rcu;
	unsigned int		n;
	unsigned int		n_slots;	/* power of two; 0 = no member */
	u16			*slots;		/* index into members */
	u32			*held;		/* slots of each member; under lock */
	struct vr_member	**members;	/* in the order of vr_member_cmp() */
};

struct vr_nexthop {
	u32			id;
	u32			gen;
	u8			type;		/* VROUTER_NEXTHOP_TYPE_*; never changes */
	char			*label;		/* vr_label_swap() */
	unsigned int		users;		/* routes, vips, members; under lock */
	unsigned int		n_vips;		/* of these */
	unsigned int		n_members;	/* and of these */
	struct list_head	vips;		/* struct vr_vip::of_nh; under lock */
	struct list_head	of_vif;		/* in vr_vif::nexthops; under lock */
	struct vr_vif __rcu	*vif;		/* local, snat; NULL once the vif is gone */
	struct vr_vrf __rcu	*vrf;		/* vrf; NULL once the nexthop is deleted */
	struct vr_group __rcu	*group;		/* ecmp; never NULL */
	struct vr_tunnel __rcu	*tunnel;	/* tunnel; NULL once the nexthop is deleted */
	struct vr_snat __rcu	*snat;		/* snat; never NULL */
	struct vr_pcpu_counters __percpu *counters;
	u32			told;		/* jiffies when the log was told of trouble; or 0 */
	refcount_t		ref;		/* the table's, each member's and each flow's */
	struct rcu_head		rcu;
};

struct vr_tunnel_cfg {
	u8			encap;		/* VROUTER_TUNNEL_ENCAP_* */
	u8			family;		/* of the underlay */
	bool			csum;		/* in the outer UDP header */
	union vr_addr		remote;
	union vr_addr		local;		/* zero = by route */
	u8			mac[ETH_ALEN];	/* VXLAN: the inner frame's destination */
};

/* What sources are translated to; host byte order. */
struct vr_snat {
	struct rcu_head		rcu;
	u16			port_min, port_max;
	unsigned int		n;
	struct vr_addr_af	addrs[];
};

#define VR_SNAT_PORT_MIN	61000		/* above Linux' default of local ports */
#define VR_SNAT_PORT_MAX	65535
#define VR_SNAT_MAX_ADDRS	256

struct vr_nexthop_cfg {
	u32			id;
	u8			type;
	const char		*label;
	u32			vif, vrf;
	struct vr_tunnel_cfg	tunnel;
	const struct vr_snat	*snat;		/* copied */
	unsigned int		n_members;
	const struct vr_member_cfg *members;
};

#define VR_GROUP_MAX_MEMBERS	16384

int vr_nexthop_set(struct vr_net *vn, const struct vr_nexthop_cfg *cfg, u16 nlflags,
		   struct netlink_ext_ack *extack);
int vr_nexthop_del(struct vr_net *vn, u32 id, struct netlink_ext_ack *extack);
void vr_nexthop_put(struct vr_nexthop *nh);	/* any context */
static inline bool vr_nexthop_tryget(struct vr_nexthop *nh)
{
	return refcount_inc_not_zero(&nh->ref);
}
/* May the log be told that this one is in trouble? Once in a minute. Any context. */
bool vr_nexthop_may_tell(struct vr_nexthop *nh);
/* The vif goes: its nexthops lead nowhere from now on. Lock; the caller bumps. */
void vr_nexthop_vif_gone(struct vr_net *vn, struct vr_vif *vif);
static inline struct vr_nexthop *vr_nexthop_rcu(const struct vr_net *vn, u32 id)
{
	return xa_load((struct xarray *)&vn->nexthops, id);
}

/* --- tunnel.c ------------------------------------------------------------- */

struct vr_tunnel_key {
	union vr_addr		remote;
	u8			family;
	u8			encap;
	u16			zero;
};

/* The way to another node: what is behind a nexthop of type tunnel. Found by what came
 * from there. Replaced as a whole.
 */
struct vr_tunnel {
	struct rhash_head	node;
	struct vr_tunnel_key	key;
	struct vr_tunnel_cfg	cfg;
	struct vr_nexthop	*nh;		/* that it is of */
	struct sock		*sk;		/* of vn->tunnel_socks: sends */
	bool			listed;		/* in vn->tunnels; under lock */
	struct dst_cache	dst;		/* BH disabled */
	struct rcu_work		free;
};

/* A UDP port that tunnels come in by. */
struct vr_tunnel_sock {
	struct vr_net		*vn;
	struct socket		*sock;
	u8			encap;
	unsigned int		users;		/* tunnels; under lock */
	struct rcu_head		rcu;
};

int vr_tunnel_init(struct vr_net *vn);
void vr_tunnel_exit(struct vr_net *vn);		/* no tunnel left */
/* Prepared, with its socket, but not found yet. -EEXIST: another nexthop than nh leads there.
 * Lock. ERR_PTR.
 */
struct vr_tunnel *vr_tunnel_new(struct vr_net *vn, const struct vr_nexthop *nh,
				const struct vr_tunnel_cfg *cfg, struct netlink_ext_ack *extack);
/* Swaps the nexthop's tunnel; t or the old one may be NULL. Lock. Cannot fail. */
void vr_tunnel_set(struct vr_net *vn, struct vr_nexthop *nh, struct vr_tunnel *t);
void vr_tunnel_undo(struct vr_net *vn, struct vr_tunnel *t);	/* one that was never set */
/* The nexthop that leads to who sent this. RCU. */
struct vr_nexthop *vr_tunnel_peer_rcu(struct vr_net *vn, const struct vr_tunnel_key *key);

/* --- ecmp.c --------------------------------------------------------------- */

/* Choice by a table of slots, power of two, at least 32 for each share
 * of the smallest weight (bounded by 65536): a flow's hash picks a slot. A
 * change moves only the slots it must; growing doubles the table, so that the
 * others stay. Members that drain own slots only when none is active.
 */
struct vr_group *vr_group_build(const struct vr_group *old, const struct vr_member_want *want,
				unsigned int n);	/* with references of its own; ERR_PTR */
static inline struct vr_member *vr_group_select(const struct vr_group *g, u32 hash)
{
	return g->n_slots ? g->members[g->slots[hash & (g->n_slots - 1)]] : NULL;
}
struct vr_member *vr_group_find(const struct vr_group *g, u8 family,
				const union vr_addr *addr, __be16 port);
void vr_group_free(struct vr_group *g);		/* no reader left; puts the members */
void vr_group_free_later(struct vr_group *g);	/* after a grace period */

/* --- vip.c --------------------------------------------------------------- */

struct vr_vip_key {
	u32		vrf;
	u8		family;
	u8		proto;
	__be16		port;
	union vr_addr	addr;
};

struct vr_vip {
	struct rhash_head	node;
	struct rb_node		order;		/* under lock */
	struct vr_vip_key	key;
	u32			gen;
	u32			affinity_timeout; /* seconds, 0 = none */
	struct vr_nexthop __rcu	*nh;		/* ecmp; holds a use of it */
	struct list_head	of_nh;		/* in vr_nexthop::vips; under lock */
	struct vr_sg __rcu	*sg;		/* whom it serves, NULL = all; holds a use of it */
	struct list_head	of_sg;		/* in vr_sg::vips; under lock */
	char			*label;		/* vr_label_swap() */
	struct vr_pcpu_counters __percpu *counters;
	struct rcu_head		rcu;
};

struct vr_vip_cfg {
	struct vr_vip_key	key;
	u32			nexthop;
	u32			sg;		/* 0 = none */
	u32			affinity_timeout;
	const char		*label;
};

int vr_vip_init(struct vr_net *vn);
void vr_vip_exit(struct vr_net *vn);
int vr_vip_set(struct vr_net *vn, const struct vr_vip_cfg *cfg, u16 nlflags,
	       struct netlink_ext_ack *extack);
int vr_vip_del(struct vr_net *vn, const struct vr_vip_key *key, struct netlink_ext_ack *extack);
void vr_vip_del_vrf(struct vr_net *vn, u32 vrf);	/* all of a VRF; the caller bumps */
/* Tells each vip of the group that the group's rules changed. Lock; the caller bumps. */
void vr_vip_sg_changed(struct vr_net *vn, const struct vr_sg *sg);
struct vr_vip *vr_vip_lookup_rcu(const struct vr_net *vn, const struct vr_vip_key *key);
/* The vip that a packet of this tuple is for: of its address, or a node port's, of this node
 * or of another that the VRF has a route to. RCU.
 */
struct vr_vip *vr_vip_find_rcu(const struct vr_net *vn, u32 vrf, const struct vr_tuple *t);
/* Is addr that of any vip of the VRF (whatever protocol and port), and nothing else? A node
 * has more at its addresses than what a vip serves there (a host port, an external address). RCU.
 */
bool vr_vip_addr_rcu(const struct vr_net *vn, u32 vrf, u8 family, const union vr_addr *addr);
/* The first vip after this key, which need not be there; NULL = the very first. Lock. */
struct vr_vip *vr_vip_next(const struct vr_net *vn, const struct vr_vip_key *after);

/* --- sg.c (objects), classify.c (compiled rules) -------------------------- */

struct vr_sg_rule {
	u8			direction;	/* VROUTER_DIRECTION_* */
	u8			family;		/* 0 = both */
	u8			proto;		/* 0 = any */
	u8			peer;		/* enum vr_peer */
	u16			lo, hi;		/* port, or ICMP type << 8 | code; host order */
	u32			peer_sg;
	struct vr_prefix	prefix;
	unsigned int		n_except;
	struct vr_prefix	*except;	/* owned */
	char			*label;		/* owned (kfree()); may be NULL */
	u8			action;		/* VROUTER_SG_ACTION_* */
};

enum vr_peer { VR_PEER_ANY, VR_PEER_PREFIX, VR_PEER_SG };

#define VR_SG_MAX_RULES		65536
#define VR_SG_MAX_EXCEPT	256
/* Of one group, when exceptions were taken out of prefixes. */
#define VR_SG_MAX_COMPILED	1048576

struct vr_ruleset;				/* classify.c */

struct vr_sg {
	u32			id;
	u32			enforce;	/* VROUTER_SG_FLAGS_*; written under lock */
	u16			priority;	/* in its tier, lowest first; written under lock */
	u8			tier;		/* VROUTER_SG_TIER_*; written under lock */
	char			*label;		/* vr_label_swap() */
	unsigned int		users;		/* vifs and vips; under lock */
	struct list_head	vips;		/* struct vr_vip::of_sg; under lock */
	struct vr_ruleset __rcu	*rules;		/* never NULL */
	struct rcu_head		rcu;
};

struct vr_sg_cfg {
	u32			id;
	u32			enforce;
	u16			priority;
	u8			tier;
	const char		*label;
	unsigned int		n_rules;
	struct vr_sg_rule	*rules;		/* kvmalloc()ed. Taken over on success with what
						 * they own: then NULL
						 */
};

int vr_sg_set(struct vr_net *vn, struct vr_sg_cfg *cfg, u16 nlflags,
	      struct netlink_ext_ack *extack);
int vr_sg_del(struct vr_net *vn, u32 id, struct netlink_ext_ack *extack);
static inline struct vr_sg *vr_sg_rcu(const struct vr_net *vn, u32 id)
{
	return xa_load((struct xarray *)&vn->sgs, id);
}
void vr_sg_rules_free(struct vr_sg_rule *rules, unsigned int n); /* what they own, not the array */

/* What a classifier is asked: the packet after translation, seen from one end. */
struct vr_sg_query {
	u8			direction;	/* VROUTER_DIRECTION_* */
	u8			family;
	u8			proto;
	u16			port;		/* destination, or type << 8 | code; host order */
	const union vr_addr	*peer;		/* the other end */
	unsigned int		n_peer_sgs;
	const u32		*peer_sgs;	/* sorted */
};

/* classify.c. Compiled so that a match costs the same for 1 and 10 000 rules:
 * rules of any peer, of each peer group (hash) and of each prefix (LPM; what is
 * excepted is taken out of the prefix when compiling) hold disjoint port
 * intervals, found by binary search. Only prefixes inside of one another are
 * looked at one by one.
 *
 * The rule named is that of the most general peer that has one: any, then the
 * peer's groups in order of id, then the prefixes from the shortest on; within
 * that peer the first in the list.
 */
/* Takes over the array (kvmalloc()ed) and what is in it on success. ERR_PTR. */
struct vr_ruleset *vr_ruleset_build(struct vr_sg_rule *rules, unsigned int n,
				    struct netlink_ext_ack *extack);
void vr_ruleset_free(struct vr_ruleset *rs);	/* no reader left; process context */
void vr_ruleset_free_later(struct vr_ruleset *rs); /* after a grace period */
unsigned int vr_ruleset_len(const struct vr_ruleset *rs);
const struct vr_sg_rule *vr_ruleset_rule(const struct vr_ruleset *rs, unsigned int i);
u64 vr_ruleset_hits(const struct vr_ruleset *rs, unsigned int i);
void vr_ruleset_hit(struct vr_ruleset *rs, unsigned int i);	/* BH disabled */
/* Index of a matching rule, or -1. RCU. */
int vr_ruleset_match(const struct vr_ruleset *rs, const struct vr_sg_query *q);
/* Index of the first rule that matches, or -1. Asks more than vr_ruleset_match(). RCU. */
int vr_ruleset_first(const struct vr_ruleset *rs, const struct vr_sg_query *q);

#endif
