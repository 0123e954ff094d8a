/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_MODEL_H
#define VRD_MODEL_H

/*
 * The resources of the feed (userspace/lib/resources.md) as typed objects.
 * parse_*.c makes one from JSON, or says which field is wrong; model.c keeps
 * the last good one of each.
 */

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "util.h"

/* In the order of the feed. Others are known and need nothing on a node. */
enum res_kind { RES_NETWORK, RES_SG, RES_ROUTER, RES_CHAIN, RES_VMI, RES_POOL,
	RES_LINK_LOCAL, RES_LB, RES_KINDS, RES_OTHER = RES_KINDS };

struct network {
	uint32_t	vni;		/* 0 = none */
	unsigned int	n_subnets, n_services;
	struct subnet {
		struct vr_prefix	prefix;
		struct vr_addr	gateway;
	} *subnets;
	struct vr_prefix	*services;	/* where VIPs are from */
	char			*joined;	/* key of a network that it is joined with, or NULL; */
	unsigned int		n_inside;
	struct vr_prefix	*inside;	/* what is reached there */
	bool			egress;		/* its pods get outside: */
	unsigned int		n_addrs, n_nodes, n_plain;
	struct vr_addr		*addrs;		/* from these; none = the node's */
	char			**nodes;	/* which these nodes have; none = all */
	struct vr_prefix	*plain;		/* to these as they are */
	bool			reachable;	/* from outside by their own addresses */
};

enum rule_peer { PEER_ANY, PEER_PREFIX, PEER_SG };

struct rule {
	char		*name;
	uint8_t		direction;	/* VROUTER_DIRECTION_* */
	uint8_t		proto;		/* IPPROTO_*; 0 = any */
	uint16_t	port_min, port_max; /* 0 = any */
	enum rule_peer	peer;
	struct vr_prefix	prefix;
	unsigned int	n_except;
	struct vr_prefix	*except;
	char		*peer_sg;	/* key of a SecurityGroup */
	uint8_t		action;		/* VROUTER_SG_ACTION_* */
};

struct sg {
	uint32_t	enforce;	/* VROUTER_SG_FLAGS_* */
	uint8_t		tier;		/* VROUTER_SG_TIER_* */
	uint16_t	priority;
	unsigned int	n_rules;
	struct rule	*rules;
};

/* A node. Its key is "Node/NAME": no namespace has a capital letter, so it is as well a
 * label that no pod has.
 */
struct router {
	char		*network;	/* key of the VirtualNetwork that the node itself is in */
	unsigned int	n_addrs;
	struct vr_addr	*addrs;		/* the primary first */
	char		*zone;		/* NULL = unknown */
	bool		leaving;	/* load balancers are to send nothing new */
	unsigned int	n_blocks;
	struct block {			/* where its pods have their addresses from */
		const char	*network;	/* interned: key of a VirtualNetwork */
		struct vr_prefix prefix;
	} *blocks;
};

/* What goes between two networks goes through one of the instances. */
struct chain {
	char		*nets[2];	/* keys of VirtualNetworks: left, right */
	unsigned int	n_instances;
	struct instance {
		char	*pod, *node;
		char	*vmis[2];	/* keys of its interfaces in them */
		bool	draining;
	} *instances;
};

struct vmi {
	const char	*network;	/* interned, as joined, node, ifname and sgs: key of a VirtualNetwork */
	const char	*joined;	/* key of another that it is reached in, too, or NULL */
	const char	*node, *ifname;
	char		*pod;		/* as what follows of ids: only of this node's, see res_is_elsewhere() */
	uint8_t		mac[6];
	unsigned int	n_addrs, n_sgs;
	struct vr_addr	*addrs;
	const char	**sgs;		/* keys of SecurityGroups */
	uint32_t	mtu;		/* octets */
	unsigned int	n_additional, n_through;
	char		**additional;	/* of the pod's first: keys of its other interfaces */
	struct through {		/* reached from other networks, too */
		char	*network;	/* key of one */
		char	*chain;		/* by this ServiceChain, */
		bool	right;		/* which has that network on this side */
	} *through;
	char		*config_hash;	/* a static pod's id for the node's kubelet; may be NULL */
};

enum monitor_type { MONITOR_PING, MONITOR_TCP, MONITOR_HTTP };

/* How a pool's members are probed. Times in seconds. */
struct monitor {
	char		*name;		/* "namespace/name" */
	enum monitor_type type;
	uint32_t	interval, timeout, healthy, unhealthy;
	uint16_t	port;		/* 0 = the member's */
	char		*path, *host;	/* of HTTP; host may be NULL */
	unsigned int	n_expected;
	struct status_range {
		uint16_t	from, to;	/* HTTP statuses, inclusive */
	} *expected;
};

struct monitor *monitor_dup(const struct monitor *m);
bool monitor_equal(const struct monitor *a, const struct monitor *b);
void monitor_free(struct monitor *m);

struct pool {
	struct monitor	*monitor;	/* NULL = members are not probed */
	double		trigger;	/* when what changed its members happened, seconds since
					 * 1970; 0 = not said
					 */
	const char	*network;	/* interned: key of a VirtualNetwork; may be NULL */
	char		*shard_of;	/* key of the pool that the members are of; NULL: of this one */
	bool		internal_local;	/* from inside only members of the sender's node */
	bool		external, external_local; /* reached from outside; the same from there */
	uint8_t		proto;		/* IPPROTO_* */
	uint8_t		family;
	unsigned int	n_members;
	struct pool_member {
		struct vr_addr	addr;
		uint16_t	port;
		uint32_t	weight;	/* 0 = no new flows */
		uint8_t		state;	/* VROUTER_MEMBER_STATE_* */
		bool		failed;	/* its node says so: gets nothing */
		char		*target; /* may be NULL */
		const char	*node;	/* interned; may be NULL */
		char		**zones, **nodes; /* whose clients it is meant for */
		unsigned int	n_zones, n_nodes; /* 0 = not said */
	} *members;
};

/* A service of this node's own, for its pods. Its key is "LinkLocal/NAME". */
struct link_local {
	char		*network;
	struct vr_addr	addr;
	uint8_t		proto;
	uint16_t	port, node_port;
};

struct lb {
	char		*network;
	unsigned int	n_vips, n_external, n_balanced, n_ranges, n_listeners;
	struct vr_addr	*vips, *external;
	struct vr_addr	*balanced;	/* the load balancer's, and whom they serve: */
	struct vr_prefix *ranges;	/* none of a family: all of it */
	uint16_t	health_port;	/* 0 = none */
	uint32_t	affinity;	/* seconds, 0 = none */
	struct listener {
		char		*name;
		uint8_t		proto;
		uint16_t	port, node_port; /* node_port: 0 = none */
		char		*pool4, *pool6;	/* keys of LoadBalancerPools; may be NULL */
	} *listeners;
};

struct res {
	enum res_kind	kind;
	char		*key;		/* "namespace/name"; of a router "Node/name" */
	char		*uid;		/* may be NULL */
	bool		listed;		/* seen since the feed connected */
	union {
		struct network	network;
		struct sg	sg;
		struct router	router;
		struct chain	chain;
		struct vmi	vmi;
		struct pool	pool;
		struct lb	lb;
		struct link_local link_local;
	};
};

/* Where in an object the reader is, and what is wrong there. */
struct jerr {
	char	path[192];	/* "spec.rules[3].ports.from" */
	char	text[384];	/* path and sentence, once something is wrong */
};

/* A resource from the object of an event: who it is, or NULL with *e filled.
 * One of a kind that nodes do not use has RES_OTHER and no more.
 */
struct res *res_identify(const json_t *object, struct jerr *e);
/* And what it says; false with *e filled, then the resource is only to be freed. */
bool res_parse_spec(struct res *r, const json_t *object, struct jerr *e);
void res_free(struct res *r);
/* Of an interface on another node: forgets what only its own node needs. */
void res_is_elsewhere(struct res *r);
const char *res_kind_name(enum res_kind kind);
/* Its key as the feed has it: "name" of a kind that has no namespaces. */
const char *res_feed_key(const struct res *r);

/* --- model.c ---------------------------------------------------------------- */

struct model;

struct model_ops {
	/* r took the place of old; either may be NULL. */
	void (*changed)(void *arg, const struct res *old, const struct res *r);
};

struct model *model_new(const struct model_ops *ops, void *arg);
void model_free(struct model *m);
const struct res *model_get(const struct model *m, enum res_kind kind, const char *key);
void model_set(struct model *m, struct res *r);		/* takes r over */
void model_del(struct model *m, enum res_kind kind, const char *key);
/* Was listed, but in a state that cannot be used: the last good one stays. */
void model_keep(struct model *m, enum res_kind kind, const char *key);
/*
 * A pool as it is programmed: with the members of its shards, each of them once. They are r's and the shards',
 * but the list whole->members is the caller's to free.
 */
void model_whole_pool(const struct model *m, const struct res *r, struct pool *whole);
/* Mark and sweep: what was not set since model_mark() is deleted by model_sweep(). */
void model_mark(struct model *m);
unsigned int model_sweep(struct model *m);
void model_each(const struct model *m, enum res_kind kind,
		void (*fn)(const struct res *r, void *arg), void *arg);

#endif
