/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kubernetes objects as the manager needs them: checked, typed, nothing else kept.
 */
#ifndef MANAGER_OBJECTS_H
#define MANAGER_OBJECTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "config.h"
#include "labels.h"
#include "selector.h"

struct field;

enum object_kind {
	KIND_NAMESPACE, KIND_NODE, KIND_POD, KIND_SERVICE, KIND_ENDPOINTS, KIND_SLICE,
	KIND_POLICY, KIND_CLUSTER_POLICY, KIND_NETWORK, KIND_CHAIN, KIND_MONITOR, KIND_ROUTER,
	KIND_LINK_LOCAL, KIND_ATTACHMENT,
	/* of these only the labels count, with an API server */
	KIND_DEPLOYMENT, KIND_REPLICA_SET, KIND_STATEFUL_SET, KIND_DAEMON_SET, KIND_JOB,
	OBJECT_KINDS
};

static inline bool kind_is_controller(enum object_kind kind)
{
	return kind >= KIND_DEPLOYMENT && kind <= KIND_JOB;
}

#define UID_TEXT 37
/* Of a VirtualNetwork that the manager made: the kind of the object of its name that asked for it. */
#define MADE_OF "opencontrail.org/made-of"
/* kubelet gives the CNI this instead of the uid when the pod is a static one. */
#define CONFIG_HASH "kubernetes.io/config.hash"

/* Of EndpointSlices, and so of pools: when what changed them happened. */
#define TRIGGER_ANNOTATION "endpoints.kubernetes.io/last-change-trigger-time"

/* A label of each Namespace, as the API server gives it. */
#define NAME_LABEL "kubernetes.io/metadata.name"
/* A label of Pods, of their controllers and of Services: see model_isolation.c. */
#define APP_LABEL "opencontrail.org/name"
/* Of a Pod or a Namespace: SecurityGroups that its pods are in. */
#define GROUPS_ANNOTATION "opencontrail.org/security-groups"
/* Of a Service: the HealthMonitor of its members. */
#define MONITOR_ANNOTATION "opencontrail.org/health-monitor"

struct object {
	enum object_kind	kind;
	char			*ns;		/* "" for what has no namespace */
	const char		*key;		/* "ns/name", or "name" without a namespace */
	const char		*name;		/* which is the end of key, and both are in ns's block */
	char			uid[UID_TEXT];	/* the manifest's, else made from kind and key */
	struct labels		*labels;	/* those that count; NULL: none */
	json_t			*source;	/* as it was read; NULL: see object_forget_source() */
	/* to see what changed: hash of a manifest, or of the API server's resourceVersion */
	uint64_t		content;
	char			*where;		/* "web.yaml:12" */
	const void		*owner;		/* manifests.c: the file whose object it is */
	union {
		struct node_spec	*node;
		struct pod_spec		*pod;
		struct service_spec	*service;
		struct endpoint_list	*endpoints;	/* of Endpoints and EndpointSlice */
		struct policy_spec	*policy;	/* of NetworkPolicy, ClusterNetworkPolicy */
		struct network_spec	*network;
		struct attachment_spec	*attachment;
		struct chain_spec	*chain;
		struct router_spec	*router;
		struct link_local_spec	*link_local;
		struct monitor_spec	*monitor;
	};
};

struct node_spec {
	struct addr		*addrs;		/* of type InternalIP, in their order */
	size_t			n;
	char			*zone;		/* NULL: unknown */
	bool			leaving;	/* is being deleted, or about to be */
};

struct container_port {
	const char	*name;			/* a word; "" when it has none */
	int		proto;			/* IPPROTO_ */
	uint16_t	number;
};

/* An interface beside the first. */
struct pod_attachment {
	char		*network;		/* "ns/name" of an attachment definition or network */
	char		*name;			/* of the interface */
};

struct pod_spec {
	const char		*node;		/* a word; NULL: not scheduled */
	bool			host_network, terminating, finished, ready;
	struct container_port	*ports;
	size_t			n_ports;
	bool			has_addr[FAMILIES];
	struct addr		addr[FAMILIES];	/* from its status */
	char			*config_hash;	/* a static pod's uid for the CNI; NULL */
	char			*network;	/* of the first interface; NULL: the cluster's */
	char			*groups;	/* users' SecurityGroups, "a,b"; NULL: none */
	enum object_kind	owner_kind;	/* of the controller that made it, */
	char			*owner;		/* and its name; NULL: none that is watched */
	struct pod_attachment	*extra;
	size_t			n_extra;
};

struct service_port {
	const char	*name;			/* a word; "" when it has none */
	int		proto;
	uint16_t	number;
	uint16_t	target;			/* 0: by name */
	uint16_t	node_port;		/* 0: none */
	const char	*target_name;		/* a word */
};

struct service_spec {
	bool			no_data_path;	/* headless, ExternalName, or another proxy's */
	bool			no_address;	/* headless or ExternalName */
	struct selector		*selector;	/* NULL: none */
	struct service_port	*ports;
	size_t			n_ports;
	bool			wants[FAMILIES];
	enum family		primary;
	bool			has_addr[FAMILIES];
	struct addr		addr[FAMILIES];	/* given cluster addresses */
	struct addr		*external;	/* externalIPs that are none of those below */
	size_t			n_external;
	struct addr		*balanced;	/* that the load balancer gave */
	size_t			n_balanced;
	struct prefix		*ranges;	/* whom these serve; none of a family: all of it */
	size_t			n_ranges;
	uint16_t		health_port;	/* healthCheckNodePort; 0: none */
	bool			load_balancer;
	bool			node_ports;	/* NodePort or LoadBalancer */
	bool			external_local, internal_local;	/* traffic policies */
	unsigned int		affinity;	/* seconds; 0: none */
	bool			publish_not_ready;
	char			*monitor;	/* a HealthMonitor in its namespace; NULL: none */
};

struct endpoint {
	struct addr	addr;
	bool		ready, serving, terminating;
	const char	*node;			/* a word; may be NULL */
	char		*target;		/* "ns/pod"; may be NULL */
	json_t		*zones, *nodes;		/* whom it is meant for: names; each may be NULL */
};

/* Endpoints that share their ports. */
struct endpoint_group {
	struct container_port	*ports;
	size_t			n_ports;
	struct endpoint		*v;
	size_t			n;
};

struct endpoint_list {
	char			*service;	/* name, in the object's namespace */
	char			*trigger;	/* when what changed it happened, RFC 3339; NULL */
	char			*created;	/* RFC 3339; NULL: not said */
	struct endpoint_group	*groups;
	size_t			n;
};

enum monitor_type { MONITOR_PING, MONITOR_TCP, MONITOR_HTTP };

struct monitor_spec {
	enum monitor_type	type;
	uint16_t		port;		/* 0: the member's */
	json_t			*json;		/* as in a LoadBalancerPool, with its defaults */
};

enum direction { INGRESS, EGRESS };

struct policy_peer {
	unsigned int	index;			/* in the rule's list, as it is written */
	struct selector	*nodes;			/* not NULL: these, and nothing else counts */
	struct selector	*ns;			/* NULL: the policy's own namespace */
	struct selector	*pods;			/* NULL: all; both NULL: block */
	struct prefix	block;
	struct prefix	*except;
	size_t		n_except;
};

struct policy_port {
	unsigned int	index;			/* in the rule's list, as it is written */
	int		proto;
	char		*name;			/* NULL: by number */
	uint16_t	from, to;		/* 0: every port */
};

/* NetworkPolicies only accept, and the tier NONE is theirs. */
enum policy_action { ACTION_ACCEPT, ACTION_DENY, ACTION_PASS };
enum policy_tier { TIER_NONE, TIER_ADMIN, TIER_BASELINE };

struct policy_rule {
	enum direction		direction;
	unsigned int		index;		/* in its direction's list */
	enum policy_action	action;
	char			*name;		/* or NULL */
	struct policy_peer	*peers;
	size_t			n_peers;	/* 0: any */
	struct policy_port	*ports;
	size_t			n_ports;	/* 0: any */
};

struct policy_spec {
	struct selector		*ns;		/* of a ClusterNetworkPolicy, else NULL */
	struct selector		*pods;
	enum policy_tier	tier;
	unsigned int		priority;	/* in its tier; the lowest is asked first */
	bool			by_nodes;	/* some peer is nodes */
	bool			enforce[2];	/* by enum direction: rules of it count */
	struct policy_rule	*rules;
	size_t			n_rules;
	char			*domain;	/* isolates this one: the model's own; NULL */
};

/* A VirtualNetwork of a user's. */
struct network_spec {
	struct network	net;
	uint32_t	vni;			/* 0: made from its name */
	char		*created;		/* RFC 3339; NULL: not said */
	bool		made;			/* of an attachment definition, by the manager */
};

/* A NetworkAttachmentDefinition. */
struct attachment_spec {
	bool		foreign;		/* another plugin's: none of what follows counts */
	char		*network;		/* "ns/name" it stands for; NULL: of its own name */
	struct object	*made;			/* that network, where it says how it is; or NULL */
};

/* How a network's pods get outside. */
struct router_spec {
	char		*network;		/* "ns/name" of a VirtualNetwork */
	struct addr	*addrs;			/* that their sources become; none: the node's */
	size_t		n_addrs;
	char		**nodes;		/* that have these; none: all */
	size_t		n_nodes;
	struct prefix	*plain;			/* destinations that see the pods' own addresses */
	size_t		n_plain;
	bool		reachable;		/* pods are reached from outside by their addresses */
};

/* A service of each node's own, for its pods, at a link-local address. */
struct link_local_spec {
	struct addr	addr;
	int		proto;
	uint16_t	port, node_port;
};

/* What goes between two networks goes through one of the selected pods, which are in both. */
struct chain_spec {
	char		*left, *right;		/* "ns/name" of a VirtualNetwork */
	struct selector	*pods;
};

static inline bool peer_is_block(const struct policy_peer *p)
{
	return !p->ns && !p->pods && !p->nodes;
}

const char *kind_name(enum object_kind kind);
const char *kind_version(enum object_kind kind);	/* "networking.k8s.io/v1" */

/*
 * Reads one object of a manifest. What is wrong goes to the report of doc->place, and the
 * place's ->object is set to its name for that. Returns NULL when it is refused or ignored; *key
 * (to be freed) is then "Kind/ns/name" if that much could be read, so that the last good
 * state of the object can be kept.
 */
struct object *object_read(const struct field *doc, char **key);
void object_free(struct object *obj);
/* Sets ns, key and name, which must be the end of key. */
void object_identify(struct object *obj, const char *ns, const char *key, const char *name);

/*
 * Drops what nobody reads again: 150 000 pods are to fit into memory. Annotations of a Namespace
 * are read late.
 */
void object_forget_source(struct object *obj);

/* "Kind/ns/name" */
char *object_id(const struct object *obj);

/* Fills buf (UID_TEXT octets) with a UUID that is always the same for this text. */
void uid_from_text(const char *text, char *buf);

/* One reader a kind; each fills the object's spec. */
void node_read(struct object *obj, const struct field *doc);
void node_spec_free(struct node_spec *node);
void pod_read(struct object *obj, const struct field *doc);
void pod_spec_free(struct pod_spec *pod);
void service_read(struct object *obj, const struct field *doc);
void service_spec_free(struct service_spec *svc);
void slice_read(struct object *obj, const struct field *doc);
void endpoints_read(struct object *obj, const struct field *doc);
void endpoint_list_free(struct endpoint_list *list);
void policy_read(struct object *obj, const struct field *doc);
void policy_rule_clear(struct policy_rule *rule);
void policy_spec_free(struct policy_spec *policy);
void cluster_policy_read(struct object *obj, const struct field *doc);
void network_read(struct object *obj, const struct field *doc);
void network_spec_free(struct network_spec *net);
void attachment_read(struct object *obj, const struct field *doc);
void attachment_spec_free(struct attachment_spec *at);
void chain_read(struct object *obj, const struct field *doc);
void chain_spec_free(struct chain_spec *chain);
void router_read(struct object *obj, const struct field *doc);
void router_spec_free(struct router_spec *router);
void link_local_read(struct object *obj, const struct field *doc);

/* What a pod's annotations say of its networks. */
void pod_networks_read(struct object *obj, const struct field *notes);
void pod_networks_free(struct pod_spec *pod);
/* "ns/name" (to be freed) of "name" or "ns/name"; NULL after a complaint about f. */
char *network_reference(const struct field *f, const char *text, const char *ns);
/* As name, namespace/name, or as OpenContrail has it, {"project": ..., "name": ...}. */
char *network_annotation(const struct object *obj, const struct field *f);
/* Without subnets yet; doc: whose age it has. */
struct network_spec *network_spec_new(const struct field *doc);
/* Adds a subnet, unless pods cannot be in it. f: whose it is; text: what was read at cidr. */
void network_take_prefix(struct network *net, const struct field *f, const struct field *cidr,
			 const char *text, const struct prefix *p);
void monitor_read(struct object *obj, const struct field *doc);
void monitor_spec_free(struct monitor_spec *mon);

#endif
