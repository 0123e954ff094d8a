/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kubernetes objects in, OpenContrail resources out.
 *
 * model_put() and model_del() only note what changed; model_run() reconciles it, in
 * this order, each step touching only what the ones before marked:
 *
 *   namespaces   -> Project                          (model.c)
 *   networks     -> VirtualNetwork                   (model_network.c, model_router.c)
 *   nodes        -> VirtualRouter                    (model_node.c)
 *   pods         -> addresses, index                 (model_pod.c, model_interface.c)
 *   chains       -> ServiceChain                     (model_chain.c)
 *   policies     -> their groups                     (model_policy.c)
 *   memberships  -> which pod is in which group      (group.c)
 *   policies     -> SecurityGroup with rules         (model_policy.c)
 *   pods         -> VirtualMachineInterface, InstanceIP
 *   services     -> LoadBalancer, LoadBalancerPool, InstanceIP (model_service.c)
 *
 * and then publishes all of it at once. Pods are found by their labels through an index
 * (and groups and services by what they select), so the work for one change grows with
 * what it concerns, not with the cluster.
 */
#ifndef MANAGER_MODEL_H
#define MANAGER_MODEL_H

#include "config.h"
#include "err.h"
#include "ipam.h"
#include "map.h"
#include "objects.h"
#include "store.h"

#define CLUSTER_NETWORK_NS "default"
#define CLUSTER_NETWORK_NAME "cluster-network"
#define CLUSTER_NETWORK CLUSTER_NETWORK_NS "/" CLUSTER_NETWORK_NAME

struct namespace_state {
	char			*name;
	const struct object	*object;	/* NULL: made because something lies in it */
	size_t			refs;		/* objects in it */
	bool			isolated, keeps_inside;	/* as its annotations say */
	bool			seen;		/* itself: its annotations are known */
	char			*network;	/* of pods that name none; NULL: the cluster's */
	char			*groups;	/* users' SecurityGroups of its pods; NULL: none */
	char			*problem;
	struct labels		*labels;
};

struct membership {
	struct group	*group;
	char		**variants;		/* of the group, see there */
	size_t		n;
};

/* A VirtualNetwork: the cluster's, or a manifest's, or one that a pod or chain only names. */
struct network_state {
	char			*key;		/* "ns/name" */
	const struct object	*object;	/* NULL: the cluster's, or there is none */
	bool			known;		/* there is one, and what follows is set */
	struct ipam		ipam;		/* and its subnets */
	char			*title;		/* for messages, and the ipam's */
	bool			full[FAMILIES];	/* no address left, as told last */
	uint32_t		vni;
	struct map		pods;		/* that are or want to be in it: keys -> pod_state */
	struct map		chains;		/* that name it: keys -> chain_state */
	bool			joined;		/* with the cluster's, see model_join.c */
	char			*apart;		/* why it is not; NULL: it is, or is the cluster's */
	char			*problem;
};

struct pod_interface {
	char			*name;		/* in the pod: "eth0" */
	char			*resource;	/* of its VirtualMachineInterface, in the namespace */
	struct network_state	*net;
	bool			has_addr[FAMILIES];
	struct addr		addr[FAMILIES];
	char			mac[18];	/* "" until it has one */
};

struct chain_state {
	char			*key;
	const struct object	*object;	/* NULL: deleted */
	char			*ns;
	struct network_state	*left, *right;	/* as named; NULL before the first run */
	char			*pair;		/* in model::chain_pairs: it holds between these two */
	struct map		instances;	/* pods' keys -> pod_state */
	char			*problem;
};

struct pod_state {
	char			*key;		/* "ns/name" */
	const struct object	*object;	/* NULL: deleted */
	char			*ns;
	struct labels		*labels;	/* as indexed, with those of its isolation; NULL: not */
	char			*domain;	/* see model_isolation.c; NULL: none */
	const char		*node;		/* borrowed */
	struct pod_interface	*ifs;		/* all it is to have, the first one first */
	size_t			n_ifs;
	bool			has_interface;	/* and has them, with addresses */
	bool			serves;		/* has an address, so services may use it */
	bool			has_addr[FAMILIES];	/* by which the cluster knows it */
	struct addr		addr[FAMILIES];
	struct map		groups;		/* group's key -> struct membership */
	char			*problem;	/* last one told */
	char			*notice;	/* of what it has not got as it was written down */
};

/*
 * A set of pods that becomes a SecurityGroup: either the pods that a policy selects, or
 * (identity group) those that some peer of policies stands for. Pods of one
 * set that differ in a named port's number are in different variants of it, each
 * a SecurityGroup of its own; a set without named ports has the variant "".
 */
struct group {
	char			*key;
	char			*ns;		/* only pods of it; NULL: see ns_selector */
	struct selector		*ns_selector;
	struct selector		*pods;		/* NULL: all */
	/*
	 * Only pods with an address in this. Such a set is no SecurityGroup: that would stand
	 * for the pods' addresses of both families. Rules name its addresses one by one.
	 */
	bool			in_block;
	struct prefix		block;
	struct prefix		*except;
	size_t			n_except;
	char			*port_name;	/* identity group of a named port, or NULL */
	int			port_proto;
	struct policy_state	*policy;	/* that selects these; NULL: identity group */
	struct map		users;		/* identity group: policies' keys -> policy_state */
	struct map		members;	/* pods' keys -> pod_state */
	struct map		variants;	/* text -> struct variant */
};

struct variant {
	char		*text;
	char		*ns, *name;		/* of the SecurityGroup */
	size_t		pods;
};

struct policy_state {
	char			*key;
	const struct object	*object;
	struct group		*subject;
	struct map		peers;		/* identity groups in use, by key */
	bool			named_ingress;	/* some ingress rule has a named port */
};

struct service_state {
	char			*key;
	const struct object	*object;	/* NULL: deleted */
	char			*bucket;	/* where it stands in by_selector, or NULL */
	char			*monitor;	/* "ns/name", where it stands in monitor_users, or NULL */
	bool			has_addr[FAMILIES];
	struct addr		addr[FAMILIES];
	struct map		pools, ips;	/* names of those published */
	struct map		places;		/* where it stands in externals */
	bool			published;
	char			*problem;
};

/*
 * obj: whose problem it is; NULL: nobody's. text names it, too; NULL: the object has its last one no
 * longer.
 */
typedef void model_warn_fn(void *arg, const struct object *obj, const char *text);

struct model {
	const struct config	*cfg;
	struct store		*store;
	model_warn_fn		*warn;
	void			*warn_arg;
	size_t			problems;	/* objects that could not be translated as given */
	struct ipam		service_ipam;
	struct map		networks;	/* key -> struct network_state */
	struct map		vnis;		/* number as text -> network_state */
	struct map		router_problems; /* LogicalRouter's key -> last problem told */
	bool			routers_changed; /* or the networks that they name */
	bool			joins_changed;	/* networks may be joined, or no longer */
	bool			joins_moved;	/* one that was joined has other addresses, or none */
	struct map		chains;		/* key -> struct chain_state */
	struct map		chain_pairs;	/* "ns/left ns/right" -> chain_state that holds there */
	struct map		chains_of_ns;	/* index: namespace -> chain_state */
	struct map		pods_of_ns;	/* index: namespace -> pod_state, also without labels */
	struct map		pods_of_attachment; /* index: what pods name -> their objects */
	struct map		macs;		/* text -> pod's key (a set) */
	struct map		domains;	/* name -> struct domain */
	struct map		policies_of_ns;	/* index: namespace -> users' NetworkPolicies */
	struct map		user_groups;	/* keys of SecurityGroups that users made */
	struct map		node_policies;	/* keys of ClusterNetworkPolicies that name nodes */
	struct map		externals;	/* index: external address and port -> service_state */
	struct map		app_services;	/* index: bucket -> Services with an app's label */
	struct map		pins, pins_of;	/* see model_pin.c */
	struct map		objects[OBJECT_KINDS];	/* key -> struct object */
	/* key -> their state; a ClusterNetworkPolicy's key is its name, without a slash */
	struct map		namespaces, pods, policies, services;
	struct map		groups;		/* key -> struct group */
	struct map		group_names;	/* "ns/name" of each variant's SecurityGroup */
	struct map		endpoints, slices;	/* indexes: service's key -> their objects */
	struct map		pod_index;	/* index: bucket -> pod_state */
	struct map		group_index;	/* index: bucket -> struct group */
	struct map		service_index;	/* index: bucket -> service_state */
	struct map		monitor_users;	/* index: HealthMonitor's key -> service_state */
	struct map		health;		/* node's name -> its failed members (a set) */
	struct map		unscheduled;	/* pods' keys that name no node */
	struct map		starved_pods, starved_services;	/* that could not get an address */
	bool			released;	/* an address got free in this run */
	/* What a run has to look at: keys. */
	struct map		dirty_namespaces, dirty_nodes, dirty_pods, dirty_members, dirty_interfaces;
	struct map		dirty_policies, dirty_rules, dirty_services;
	struct map		dirty_networks, dirty_chains;
};

/* problems are told through warn; store_commit() is called by model_run() */
void model_init(struct model *m, const struct config *cfg, struct store *store, model_warn_fn *warn,
		void *arg);
void model_free(struct model *m);

/* Adds or replaces; takes obj over. */
void model_put(struct model *m, struct object *obj);
void model_del(struct model *m, enum object_kind kind, const char *key);
/*
 * What a node says of its members (a MemberHealth, see resources.md): takes the place of what it
 * said before. *node is the name that the connection has spoken for, NULL before its first; it is
 * set (to be freed by the caller). Entries for members of other nodes are left out, with
 * one complaint. A negative errno and *err when nothing is taken.
 */
int model_health(struct model *m, char **node, const json_t *object, struct vr_err *err);
/*
 * An InstanceIP that is written down (NULL: no longer): its address stays its interface's, and
 * nobody else's, whatever model_run() would have found.
 */
void model_pin(struct model *m, const char *name, const json_t *object);
/* A SecurityGroup "ns/name" of a user's is there, or no longer. */
void model_user_group(struct model *m, const char *key, bool there);
/* Returns the number of objects that could not be published. */
unsigned int model_run(struct model *m);

/* --- for the parts of the model only ------------------------------------------------ */

static inline void mark(struct map *dirty, const char *key)
{
	map_set(dirty, key, dirty);
}

/* Tells a problem of an object once, and again only when it changes. NULL: there is none. */
void model_problem(struct model *m, char **told, const struct object *obj, char *text);
const struct labels *namespace_labels(const struct model *m, const char *ns);
const char *model_only_node(const struct model *m);

/*
 * Index buckets: "NS|" all pods of a namespace, "NS|KEY=VALUE" those with a label, and the
 * same with "*" for the whole cluster. visit() is called for each bucket that a pod
 * with these labels stands in.
 */
typedef void bucket_fn(const char *bucket, void *arg);
void buckets_of_pod(const char *ns, const struct labels *labels, bucket_fn *visit, void *arg);
/* For the fewest buckets that together hold all pods that ns (NULL: any) and sel may match. */
void buckets_of_selector(const char *ns, const struct selector *sel, bucket_fn *visit, void *arg);

/* model_namespace.c */
/* The network of the pods that name none, from the namespace's annotations. */
#define ISOLATION_ANNOTATION "opencontrail.org/isolation"
#define SNAT_ANNOTATION "opencontrail.org/ip_fabric_snat"

/* Of a Namespace, which may be NULL; NULL when it has none, or no string. */
const char *namespace_annotation(const struct object *obj, const char *key);
void namespace_networks(struct model *m, struct namespace_state *ns);
/* An API server has each, but may tell of its pods first: their network is not known then. */
bool namespace_is_awaited(const struct model *m, const char *name);
/* Marks those that want to be reached: a LogicalRouter came or went. */
void namespaces_mark_fabric(struct model *m);
/* Key of its first interface's, borrowed. */
const char *pod_network(const struct model *m, const struct pod_state *pod);

/* model_external.c */
/* What is wrong (to be freed) with where it is to be reached from outside, or NULL. */
char *external_take(struct model *m, struct service_state *svc);
/* It is reached there no longer; marks those that were in its way in others. */
void external_leave(struct model *m, struct service_state *svc, struct map *others);

/* model_node.c */
void nodes_reconcile(struct model *m);

/* model_pod.c */
void pods_reconcile(struct model *m);
void pod_state_free(void *value);

/* model_isolation.c */
bool isolation_of_namespace(const struct object *obj);
bool isolation_keeps_inside(const struct object *obj);
/* A pod's labels and those that say how it is isolated; the caller's to drop. */
struct labels *isolation_labels(struct model *m, struct pod_state *pod);
void isolation_forget(struct model *m, struct pod_state *pod);
/* Pods whose isolation may be another because of this object, or of their namespace. */
void isolation_mark_policy(struct model *m, const struct object *obj);
void isolation_of_service(struct model *m, const struct object *obj, bool add);
void isolation_mark_namespace(struct model *m, const char *ns);
/* A Deployment or the like with the label of an app came, changed or went. */
void isolation_mark_controller(struct model *m, const struct object *obj);
/* The domains of a namespace whose annotations changed. */
void isolation_refresh(struct model *m, const char *ns);
void isolation_refresh_all(struct model *m);
void isolation_free(struct model *m);

/* model_pin.c. owner: "ns/name" of a VirtualMachineInterface; network: key */
const struct addr *pin_of(const struct model *m, const char *owner, const char *network,
			  enum family f);
bool pin_is_others(const struct model *m, const char *network, const struct addr *a,
		   const char *owner);
/* The pinned address, as allocated, stays taken until its owner comes; and it comes. */
void pin_reserve(struct model *m, struct network_state *net, const struct addr *a);
void pin_take(struct model *m, struct network_state *net, const struct addr *a);
void pins_free(struct model *m);

/* model_interface.c */
/*
 * Name of an address's InstanceIP (to be freed). Networks may have the same addresses; those of
 * the cluster's go by the address alone.
 */
char *instance_ip_of(const char *network, const char *address);
const char *instance_ip_name(const struct addr *a, char *buf);
/* The interfaces become what the pod's object says; those that are other than before go. */
void interfaces_shed(struct model *m, struct pod_state *pod);
void interfaces_drop(struct model *m, struct pod_state *pod);
/* Does an InstanceIP give one of them its address? */
bool interfaces_pinned(const struct model *m, const struct pod_state *pod);
/* All or none: the problem (to be freed), or NULL. */
char *interfaces_set_up(struct model *m, struct pod_state *pod);
void pods_publish(struct model *m);

/* model_network.c */
void networks_init(struct model *m);
/* The network that has or will have this key; network_put() once it is no longer named. */
struct network_state *network_get(struct model *m, const char *key);
void network_put(struct model *m, struct network_state *net);
void networks_reconcile(struct model *m);
/* Of networks that got full, or are no longer. */
void networks_tell(struct model *m);
void network_publish(struct model *m, const struct network_state *net);	/* that is known */
void network_state_free(void *value);

/* model_attachment.c */
/* The network that a definition of this key stands for, or, without one, the key itself. */
const char *attachment_network(const struct model *m, const char *key);
/* A pod's further interfaces, without those that another plugin makes; NULL behind the last. */
const struct pod_attachment *attachment_at(const struct model *m, const struct pod_spec *pod,
					   size_t i);
size_t attachment_count(const struct model *m, const struct pod_spec *pod);
/* The VirtualNetwork that is to be: a user's, or one that a definition makes; NULL: none. */
const struct object *attachment_network_object(const struct model *m, const char *key);
/* A definition came, went or changed. */
void attachment_changed(struct model *m, const struct object *obj);
void attachments_of_pod(struct model *m, const struct object *obj, bool add);

/* model_join.c */
void joins_reconcile(struct model *m);
/* One that came or went. */
void joins_of_node(struct model *m, const struct object *node);
/* Where the network's pods are routed beside it, for its resource; NULL: nowhere. */
json_t *join_of(const struct model *m, const struct network_state *net);
/* The network that the cluster's services reach the pod by: the cluster's, or a joined one? */
bool pod_is_joined(const struct model *m, const struct pod_state *pod);

/* model_router.c */
void routers_mark(struct model *m, const struct object *obj);
void routers_reconcile(struct model *m);
void link_local_publish(struct model *m, const struct object *obj, bool add);
/* How pods of the network get outside, for its resource; NULL: not. */
json_t *router_egress(const struct model *m, const char *network);

/* model_chain.c */
void chains_reconcile(struct model *m);
/* Marks those that may have the pod as an instance. */
void chains_mark(struct model *m, const struct pod_state *pod);
/* The networks beside its own that an interface in net is routed in, for the resource. */
json_t *chains_through(const struct network_state *net, const struct pod_state *pod);
void chain_state_free(void *value);

/* model_user_group.c */
/* For each group that the pod is in by annotation; fn takes key, "ns/name", over. */
void user_groups_there(const struct model *m, const struct pod_state *pod,
		       void (*fn)(char *key, void *arg), void *arg);
/* The first of them that is not there, "ns/name", to be freed; NULL: all are. */
char *user_groups_missing(const struct model *m, const struct pod_state *pod);
/* The annotation of the namespace is another one than at the last call. */
bool user_groups_of_namespace_changed(struct namespace_state *ns);

/* group.c */
static inline bool group_is_published(const struct group *g)
{
	return !g->in_block;
}

/* The group with this key if there is one, else made of g, whose contents are taken over. */
struct group *group_get(struct model *m, struct group *g);
void group_drop(struct model *m, struct group *g);
void group_clear(struct group *g);
void groups_reconcile(struct model *m);
void pod_leave_groups(struct model *m, struct pod_state *pod);
/* Variants with pods in them, sorted by text; *n of them; the array is to be freed. */
struct variant **group_variants(const struct group *g, size_t *n);
/* Name of a variant's SecurityGroup, "ns/name", to be freed. */
char *variant_reference(const struct variant *v);
void group_free(void *value);

/* model_policy.c */
void policies_reconcile(struct model *m);
void policies_publish(struct model *m);
/* A node came, went or changed: whose rules name nodes. */
void policies_mark_nodes(struct model *m);
/* The named ports of the policy's ingress rules and their numbers on a pod: "http/TCP=80,..." */
char *policy_port_numbers(const struct policy_state *ps, const struct pod_state *pod);
void policy_state_free(void *value);

/* model_service.c */
void services_reconcile(struct model *m);
/* Marks the services that select a pod with these labels. */
void services_mark(struct model *m, const char *ns, const struct labels *labels);
void service_state_free(void *value);
/* Marks the services whose members the HealthMonitor probes. */
void services_mark_monitored(struct model *m, const char *monitor);

/* model_health.c */
/* The HealthMonitor that the service names; NULL: none, or *problem says what is wrong with it. */
const struct monitor_spec *health_monitor(const struct model *m, const struct service_state *svc,
					  char **problem);
bool health_can_probe(const struct monitor_spec *mon, const struct service_port *port);
/* Does the member's own node say that it has failed? */
bool health_failed(const struct model *m, const char *monitor, const struct monitor_spec *mon,
		   const char *node, const struct addr *addr, uint16_t port);
void health_free(struct model *m);

#endif
