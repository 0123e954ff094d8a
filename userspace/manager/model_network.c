// SPDX-License-Identifier: GPL-2.0-only
/* Virtual networks: the cluster's, and those of manifests. */
#include "model.h"
#include "xmem.h"

/* Above MPLS's reserved labels (RFC 3032, 2.1) and any VLAN's number; so are those made. */
#define CLUSTER_VNI	4096
#define LAST_VNI	1048575	/* an MPLS label's last */

struct network_state *network_get(struct model *m, const char *key)
{
	struct network_state *net = map_get(&m->networks, key);

	if (net)
		return net;
	net = xzalloc(sizeof(*net));
	net->key = xstrdup(key);
	map_set(&m->networks, key, net);
	return net;
}

void network_put(struct model *m, struct network_state *net)
{
	if (net->known || net->object || net->pods.n || net->chains.n)
		return;
	map_del(&m->networks, net->key);
	network_state_free(net);
}

void network_state_free(void *value)
{
	struct network_state *net = value;

	if (net->known)
		ipam_free(&net->ipam);
	map_clear(&net->pods, NULL);
	map_clear(&net->chains, NULL);
	free(net->problem);
	free(net->apart);
	free(net->title);
	free(net->key);
	free(net);
}

static const char *vni_text(uint32_t vni, char buf[12])
{
	snprintf(buf, 12, "%u", vni);
	return buf;
}

static json_t *subnets_of(const struct network_state *net)
{
	const struct network *n = &net->ipam.net;
	json_t *list = mem_check(json_array());
	char text[PREFIX_TEXT], gateway[ADDR_TEXT];
	struct addr a;
	size_t i;

	for (i = 0; i < n->n; i++) {
		a = ipam_gateway(&n->subnets[i]);
		json_array_append_new(list, json_pack("{s:s, s:s}", "cidr",
						      prefix_text(&n->subnets[i], text), "gateway",
						      addr_text(&a, gateway)));
	}
	return list;
}

/* The families without an address left; NULL: none. */
static json_t *exhausted(const struct network_state *net)
{
	json_t *list = NULL;
	enum family f;

	for (f = V4; f < FAMILIES; f++) {
		if (!net->full[f])
			continue;
		if (!list)
			list = mem_check(json_array());
		json_array_append_new(list, json_string(family_name(f)));
	}
	return list;
}

/* services: those of the cluster's network; NULL = none. */
static void publish(struct model *m, const struct network_state *net,
		    const struct network *services)
{
	enum family first = net->ipam.net.primary, order[] = { first, first == V4 ? V6 : V4 };
	json_t *ranges = mem_check(json_array());
	cleanup_free char *ns = xstrdup(net->key);
	char text[PREFIX_TEXT], *name = strchr(ns, '/');
	json_t *notes = NULL;
	int i;

	*name++ = '\0';
	for (i = 0; i < FAMILIES && services; i++)
		if (services->has[order[i]])
			json_array_append_new(ranges, json_string(prefix_text(
				network_first(services, order[i]), text)));
	if (net->object && net->object->network->made)
		notes = json_pack("{s:s}", MADE_OF, "NetworkAttachmentDefinition");
	store_put(m->store, RES_VIRTUAL_NETWORK, ns, name, net->object ? net->object->uid : NULL,
		  notes, json_pack("{s:i, s:o, s:o, s:o*, s:o*, s:o*, s:s*}", "vni", (int)net->vni,
				  "subnets", subnets_of(net), "serviceSubnets", ranges, "exhausted",
				  exhausted(net), "egress", router_egress(m, net->key), "joined",
				  join_of(m, net), "apart", net->apart));
}

void network_publish(struct model *m, const struct network_state *net)
{
	publish(m, net, strcmp(net->key, CLUSTER_NETWORK) ? NULL : &m->cfg->services);
}

void networks_tell(struct model *m)
{
	map_for_each(&m->networks, node) {
		struct network_state *net = node->value;
		bool changed = false;
		enum family f;

		if (!net->known)
			continue;
		for (f = V4; f < FAMILIES; f++) {
			bool full = net->ipam.net.has[f] &&
				    ipam_used(&net->ipam, f) == ipam_size(&net->ipam, f);

			changed |= full != net->full[f];
			net->full[f] = full;
		}
		if (changed)
			network_publish(m, net);
	}
}

static struct ipam_options options_of(struct model *m)
{
	return (struct ipam_options){ .gateway = true, .changed = &m->dirty_nodes,
				      .block_len = { [V4] = m->cfg->block_len[V4],
						     [V6] = m->cfg->block_len[V6] } };
}

void networks_init(struct model *m)
{
	struct network_state *net = network_get(m, CLUSTER_NETWORK);
	struct ipam_options opts = options_of(m);
	char text[12];

	net->known = true;
	net->vni = CLUSTER_VNI;
	ipam_init(&net->ipam, "pod network", &m->cfg->pods, &opts);
	map_set(&m->vnis, vni_text(net->vni, text), net);
	publish(m, net, &m->cfg->services);
}

/* --- a manifest's ------------------------------------------------------------- */

/* The number that all nodes know it by has to be the same after each start. */
static uint32_t vni_of(const struct object *obj)
{
	cleanup_free char *seed = xasprintf("vni %s", obj->key);

	return obj->network->vni ? obj->network->vni :
	       CLUSTER_VNI + 1 + stable_hash(seed) % (LAST_VNI - CLUSTER_VNI);
}

static bool is_same_net(const struct network *a, const struct network *b)
{
	size_t i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (a->subnets[i].len != b->subnets[i].len ||
		    !addr_equal(&a->subnets[i].addr, &b->subnets[i].addr))
			return false;
	return a->n == b->n;
}

/* Then pods that are in it need nothing that they have not. */
static bool has_same_families(const struct network *a, const struct network *b)
{
	return a->has[V4] == b->has[V4] && a->has[V6] == b->has[V6] && a->primary == b->primary;
}

/* The problem (to be freed), or NULL: it has these subnets now, and its pods their addresses. */
static char *reshape(struct model *m, struct network_state *net, const struct network *to)
{
	struct ipam_options opts = options_of(m);
	cleanup_free char *why = ipam_reshape(&net->ipam, to, &opts);

	if (why)
		return xasprintf("spec.subnets: a pod has an address that would go: %s; the network "
				 "stays as it was", why);
	m->joins_changed = m->joins_moved = true;
	/* whoever waits for an address may find one now */
	m->released = true;
	return NULL;
}

static void mark_users(struct model *m, struct network_state *net)
{
	map_for_each(&net->pods, node)
		mark(&m->dirty_pods, node->key);
	map_for_each(&net->chains, node)
		mark(&m->dirty_chains, node->key);
}

/* A number got free, that others may wait for. */
static void mark_waiting(struct model *m)
{
	map_for_each(&m->networks, node) {
		const struct network_state *net = node->value;

		if (net->object && !net->known)
			mark(&m->dirty_networks, node->key);
	}
}

static void withdraw(struct model *m, struct network_state *net)
{
	char *ns, *name;
	struct map_node **pods;
	char text[12];
	size_t i, n;

	if (!net->known)
		return;
	ns = xstrdup(net->key);
	name = strchr(ns, '/');
	*name++ = '\0';
	mark_users(m, net);
	/* so that nothing frees it meanwhile */
	pods = map_sorted(&net->pods);
	for (i = 0, n = net->pods.n; i < n; i++)
		interfaces_drop(m, pods[i]->value);
	free(pods);
	net->known = false;
	m->joins_changed = true;
	m->joins_moved |= net->joined;
	net->joined = false;
	free(net->apart);
	net->apart = NULL;
	ipam_free(&net->ipam);
	map_del(&m->vnis, vni_text(net->vni, text));
	store_del(m->store, RES_VIRTUAL_NETWORK, ns, name);
	free(ns);
	mark_waiting(m);
}

/* The problem (to be freed), or NULL. */
static char *set(struct model *m, struct network_state *net, const struct object *obj)
{
	const struct network *to = &obj->network->net;
	struct ipam_options opts = options_of(m);
	const struct prefix *first, *second;
	const struct network_state *other;
	char a[PREFIX_TEXT], b[PREFIX_TEXT], text[12];
	uint32_t vni = vni_of(obj);

	if (network_overlap(to, to, &first, &second))
		return xasprintf("spec.subnets: %s and %s overlap", prefix_text(first, a),
				 prefix_text(second, b));
	if (net->known && net->vni == vni && is_same_net(&net->ipam.net, to))
		return NULL;
	if (net->known && net->vni == vni && net->pods.n && has_same_families(&net->ipam.net, to))
		return reshape(m, net, to);
	if (net->known && net->pods.n)
		return xasprintf("spec: cannot change while %zu pods have interfaces in it; the "
				 "network stays as it was", net->pods.n);
	other = map_get(&m->vnis, vni_text(vni, text));
	if (other && other != net)
		return xasprintf("spec.vni: %u is that of VirtualNetwork %s; give one of them "
				 "another", vni, other->key);
	withdraw(m, net);
	net->known = true;
	net->vni = vni;
	if (!net->title)
		net->title = xasprintf("VirtualNetwork %s", net->key);
	memset(net->full, 0, sizeof(net->full));
	ipam_init(&net->ipam, net->title, to, &opts);
	map_set(&m->vnis, text, net);
	mark_users(m, net);
	m->joins_changed = true;
	return NULL;
}

static void network_reconcile(struct model *m, const char *key)
{
	const struct object *obj = attachment_network_object(m, key);
	struct network_state *net = network_get(m, key);

	if (!strcmp(key, CLUSTER_NETWORK)) {
		model_problem(m, &net->problem, obj,
			      obj ? xasprintf("is the cluster's own network, which comes from "
					      "--pod-network; ignored") : NULL);
		publish(m, net, &m->cfg->services);
		return;
	}
	m->routers_changed |= !obj == net->known;
	net->object = obj;
	model_problem(m, &net->problem, obj, obj ? set(m, net, obj) : NULL);
	if (!obj)
		withdraw(m, net);
	else if (net->known)
		publish(m, net, NULL);
	network_put(m, net);
}

void networks_reconcile(struct model *m)
{
	struct map_node **nodes = map_sorted(&m->dirty_networks);
	size_t i, n = m->dirty_networks.n;
	char **keys = xcalloc(n, sizeof(*keys));

	for (i = 0; i < n; i++)
		keys[i] = xstrdup(nodes[i]->key);
	free(nodes);
	map_clear(&m->dirty_networks, NULL);
	/* what goes makes place for what comes */
	for (int there = 0; there < 2; there++)
		for (i = 0; i < n; i++)
			if (!!attachment_network_object(m, keys[i]) == there)
				network_reconcile(m, keys[i]);
	for (i = 0; i < n; i++)
		free(keys[i]);
	free(keys);
}
