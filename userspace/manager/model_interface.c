// SPDX-License-Identifier: GPL-2.0-only
/* A pod's interfaces: addresses, MACs, resources. */
#include "model.h"
#include "utf8.h"
#include "xmem.h"

#define FIRST_INTERFACE "eth0"

/* --- addresses -------------------------------------------------------------- */

const char *instance_ip_name(const struct addr *a, char *buf)
{
	char *colon;

	addr_text(a, buf);
	while ((colon = strchr(buf, ':')))
		*colon = '-';
	return buf;
}

char *instance_ip_of(const char *network, const char *address)
{
	char *name = !strcmp(network, CLUSTER_NETWORK) ? xstrdup(address) :
		     xasprintf("%s-%08x", address, (unsigned int)stable_hash(network));
	char *colon;

	while ((colon = strchr(name, ':')))
		*colon = '-';
	return name;
}

static char *ip_name(const struct network_state *net, const struct addr *a)
{
	char text[ADDR_TEXT];

	return instance_ip_of(net->key, addr_text(a, text));
}

static void release_addr(struct model *m, struct pod_interface *ifc, enum family f)
{
	cleanup_free char *name = ip_name(ifc->net, &ifc->addr[f]);

	ipam_release(&ifc->net->ipam, &ifc->addr[f]);
	store_del(m->store, RES_INSTANCE_IP, "", name);
	ifc->has_addr[f] = false;
	m->released = true;
}

/* Addresses that the pod's status has are those of its first interface. */
static bool is_given(const struct pod_state *pod, const struct pod_interface *ifc, enum family f)
{
	const struct pod_spec *spec = pod->object->pod;

	return ifc == pod->ifs && spec->has_addr[f] &&
	       network_subnet_of(&ifc->net->ipam.net, &spec->addr[f]);
}

/* Of what the pod does not get as it is written down; once. Takes text over. */
static void tell(struct model *m, struct pod_state *pod, char *text)
{
	const struct object *obj = pod->object;

	vr_utf8_clean(text);
	if (!pod->notice || strcmp(pod->notice, text)) {
		cleanup_free char *line = xasprintf("%s%s%s %s: %s", obj->where ? obj->where : "",
						    obj->where ? ": " : "", kind_name(obj->kind),
						    obj->key, text);

		m->warn(m->warn_arg, obj, line);
	}
	free(pod->notice);
	pod->notice = text;
}

/* That an InstanceIP gives it, if one of its network can have it. */
static const struct addr *usable_pin(const struct model *m, const struct pod_interface *ifc,
				     enum family f, const char *resource)
{
	const struct addr *pinned = pin_of(m, resource, ifc->net->key, f);
	cleanup_free char *why = pinned ? ipam_unusable(&ifc->net->ipam, pinned) : NULL;

	return why ? NULL : pinned;
}

static void tell_stray(struct model *m, struct pod_state *pod, const struct pod_interface *ifc,
		       enum family f)
{
	char text[ADDR_TEXT];

	tell(m, pod, xasprintf("status.podIP: %s is outside of the %s, ignored; the pod gets another "
			       "address (did another CNI plugin attach it?)",
			       addr_text(&pod->object->pod->addr[f], text), ifc->net->ipam.name));
}

/* The address that the interface is to have, or NULL: any. What cannot be is told. */
static const struct addr *wanted(struct model *m, struct pod_state *pod,
				 const struct pod_interface *ifc, enum family f,
				 const char *resource)
{
	const struct addr *pinned = pin_of(m, resource, ifc->net->key, f);
	const struct pod_spec *spec = pod->object->pod;
	char *why;

	if (is_given(pod, ifc, f))
		return &spec->addr[f];
	if (ifc == pod->ifs && spec->has_addr[f]) {
		tell_stray(m, pod, ifc, f);
		return usable_pin(m, ifc, f, resource);
	}
	why = pinned ? ipam_unusable(&ifc->net->ipam, pinned) : NULL;
	if (!why)
		return pinned;
	tell(m, pod, xasprintf("InstanceIP: %s; the pod gets another address", why));
	free(why);
	return NULL;
}

/* An address that no InstanceIP gives to another interface. The problem, or NULL. */
static char *find_addr(struct model *m, struct pod_interface *ifc, enum family f,
		       const char *resource, const char *owner, const char *node)
{
	struct ipam *ipam = &ifc->net->ipam;
	char *problem;

	while (!(problem = ipam_allocate(ipam, f, owner, node, &ifc->addr[f]))) {
		if (!pin_is_others(m, ifc->net->key, &ifc->addr[f], resource))
			return NULL;
		pin_reserve(m, ifc->net, &ifc->addr[f]);
	}
	return problem;
}

/* The problem, or NULL. */
static char *take_addrs(struct model *m, struct pod_state *pod, struct pod_interface *ifc)
{
	cleanup_free char *resource = xasprintf("%s/%s", pod->ns, ifc->resource);
	cleanup_free char *owner = ifc == pod->ifs ? xasprintf("pod %s", pod->key) :
				   xasprintf("pod %s, interface %s", pod->key, ifc->name);
	struct ipam *ipam = &ifc->net->ipam;
	const struct addr *pinned;
	char *problem = NULL;
	enum family f;

	for (f = V4; f < FAMILIES && !problem; f++) {
		if (!ipam->net.has[f])
			continue;
		if (ifc->has_addr[f]) {
			ipam_move(ipam, &ifc->addr[f], pod->node);
			if (ifc == pod->ifs && pod->object->pod->has_addr[f] && !is_given(pod, ifc, f))
				tell_stray(m, pod, ifc, f);
			continue;
		}
		pinned = wanted(m, pod, ifc, f, resource);
		if (pinned) {
			ifc->addr[f] = *pinned;
			pin_take(m, ifc->net, pinned);
			problem = ipam_claim(ipam, pinned, owner, pod->node);
		} else {
			problem = find_addr(m, ifc, f, resource, owner, pod->node);
		}
		ifc->has_addr[f] = !problem;
	}
	return problem;
}

/*
 * 02 (locally administered) and five octets of a hash. Of two that hash to the same, the one
 * that comes first by name keeps it.
 */
static void assign_mac(struct model *m, const struct pod_state *pod, struct pod_interface *ifc)
{
	const char *more = ifc == pod->ifs ? "" : ifc->name;
	unsigned int again;

	for (again = 0; !*ifc->mac; again++) {
		cleanup_free char *seed = xasprintf("mac %s %u%s", pod->object->uid, again, more);
		uint64_t h = stable_hash(seed);
		char text[sizeof(ifc->mac)];

		snprintf(text, sizeof(text), "02:%02x:%02x:%02x:%02x:%02x", (int)(h & 0xff),
			 (int)(h >> 8 & 0xff), (int)(h >> 16 & 0xff), (int)(h >> 24 & 0xff),
			 (int)(h >> 32 & 0xff));
		if (map_get(&m->macs, text))
			continue;
		mark(&m->macs, text);
		strcpy(ifc->mac, text);
	}
}

/* --- the interfaces ----------------------------------------------------------- */

static void interface_clear(struct model *m, struct pod_state *pod, struct pod_interface *ifc)
{
	enum family f;

	for (f = V4; f < FAMILIES; f++)
		if (ifc->has_addr[f])
			release_addr(m, ifc, f);
	if (*ifc->mac)
		map_del(&m->macs, ifc->mac);
	store_del(m->store, RES_INTERFACE, pod->ns, ifc->resource);
	free(ifc->name);
	free(ifc->resource);
}

/* A pod that has the name of another one's interface goes first, with its own. */
static void mark_namesake(struct model *m, const struct pod_state *pod)
{
	const char *dot = strrchr(pod->key, '.');
	char *owner;

	if (!dot)
		return;
	owner = mem_check(strndup(pod->key, dot - pod->key));
	if (map_get(&m->pods, owner))
		mark(&m->dirty_interfaces, owner);
	free(owner);
}

void interfaces_drop(struct model *m, struct pod_state *pod)
{
	struct network_state *net;

	pod_leave_groups(m, pod);
	if (pod->n_ifs)
		mark_namesake(m, pod);
	while (pod->n_ifs) {
		net = pod->ifs[--pod->n_ifs].net;
		interface_clear(m, pod, &pod->ifs[pod->n_ifs]);
		map_del(&net->pods, pod->key);
		/* a change of its subnets may have waited for this */
		if (net->object && net->problem)
			mark(&m->dirty_networks, net->key);
		network_put(m, net);
	}
	free(pod->ifs);
	pod->ifs = NULL;
	pod->has_interface = false;
	memset(pod->has_addr, 0, sizeof(pod->has_addr));
}

static const char *network_of(const struct model *m, const struct pod_state *pod, size_t i)
{
	const struct pod_attachment *at = i ? attachment_at(m, pod->object->pod, i - 1) : NULL;

	return at ? attachment_network(m, at->network) : pod_network(m, pod);
}

static const char *name_of(const struct model *m, const struct pod_spec *spec, size_t i)
{
	return i ? attachment_at(m, spec, i - 1)->name : FIRST_INTERFACE;
}

static char *resource_of(const struct model *m, const struct pod_state *pod, size_t i)
{
	const char *name = pod->object->name;

	return i ? xasprintf("%s.%s", name, name_of(m, pod->object->pod, i)) : xstrdup(name);
}

bool interfaces_pinned(const struct model *m, const struct pod_state *pod)
{
	enum family f;
	size_t i;

	for (i = 0; m->pins_of.n && i <= attachment_count(m, pod->object->pod); i++) {
		cleanup_free char *resource = resource_of(m, pod, i);
		cleanup_free char *owner = xasprintf("%s/%s", pod->ns, resource);

		for (f = V4; f < FAMILIES; f++)
			if (pin_of(m, owner, network_of(m, pod, i), f))
				return true;
	}
	return false;
}

static bool is_as_wanted(const struct model *m, const struct pod_state *pod)
{
	const struct pod_spec *spec = pod->object->pod;
	size_t i;

	if (pod->n_ifs != attachment_count(m, spec) + 1)
		return false;
	for (i = 0; i < pod->n_ifs; i++)
		if (strcmp(pod->ifs[i].net->key, network_of(m, pod, i)) ||
		    strcmp(pod->ifs[i].name, name_of(m, spec, i)))
			return false;
	return true;
}

/* Addresses that InstanceIPs give to another, or to which an InstanceIP gives another address. */
static void shed_others(struct model *m, struct pod_state *pod)
{
	const struct addr *pinned;
	enum family f;
	size_t i;

	for (i = 0; i < pod->n_ifs; i++) {
		struct pod_interface *ifc = &pod->ifs[i];
		cleanup_free char *resource = xasprintf("%s/%s", pod->ns, ifc->resource);

		for (f = V4; f < FAMILIES; f++) {
			if (!ifc->has_addr[f] || is_given(pod, ifc, f))
				continue;
			pinned = usable_pin(m, ifc, f, resource);
			if (pin_is_others(m, ifc->net->key, &ifc->addr[f], resource) ||
			    (pinned && !addr_equal(pinned, &ifc->addr[f])))
				release_addr(m, ifc, f);
		}
	}
}

void interfaces_shed(struct model *m, struct pod_state *pod)
{
	const struct pod_spec *spec = pod->object->pod;
	enum family f;

	if (!is_as_wanted(m, pod)) {
		interfaces_drop(m, pod);
		return;
	}
	for (f = V4; f < FAMILIES; f++)
		if (pod->ifs->has_addr[f] && is_given(pod, pod->ifs, f) &&
		    !addr_equal(&pod->ifs->addr[f], &spec->addr[f]))
			release_addr(m, pod->ifs, f);
	shed_others(m, pod);
}

static void name_interfaces(struct model *m, struct pod_state *pod)
{
	const struct pod_spec *spec = pod->object->pod;
	struct pod_interface *ifc;
	size_t i;

	pod->n_ifs = attachment_count(m, spec) + 1;
	pod->ifs = xcalloc(pod->n_ifs, sizeof(*pod->ifs));
	for (i = 0; i < pod->n_ifs; i++) {
		ifc = &pod->ifs[i];
		ifc->name = xstrdup(name_of(m, spec, i));
		ifc->resource = resource_of(m, pod, i);
		ifc->net = network_get(m, network_of(m, pod, i));
		map_keep(&ifc->net->pods, pod->key, pod);
	}
	mark_namesake(m, pod);
}

static void give_up(struct model *m, struct pod_state *pod)
{
	enum family f;
	size_t i;

	for (i = 0; i < pod->n_ifs; i++) {
		for (f = V4; f < FAMILIES; f++)
			if (pod->ifs[i].has_addr[f])
				release_addr(m, &pod->ifs[i], f);
		store_del(m->store, RES_INTERFACE, pod->ns, pod->ifs[i].resource);
	}
	memset(pod->has_addr, 0, sizeof(pod->has_addr));
}

/* Half of its interfaces or addresses would make the pod fail in ways hard to see. */
char *interfaces_set_up(struct model *m, struct pod_state *pod)
{
	char *problem = NULL;
	size_t i;

	if (!pod->n_ifs)
		name_interfaces(m, pod);
	for (i = 0; i < pod->n_ifs && !problem; i++) {
		if (!pod->ifs[i].net->known)
			problem = xasprintf("interface %s: there is no VirtualNetwork %s; the pod "
					    "gets no interface",
					    pod->ifs[i].name, pod->ifs[i].net->key);
		else
			problem = take_addrs(m, pod, &pod->ifs[i]);
	}
	pod->has_interface = !problem;
	if (problem) {
		give_up(m, pod);
		return problem;
	}
	for (i = 0; i < pod->n_ifs; i++)
		assign_mac(m, pod, &pod->ifs[i]);
	memcpy(pod->has_addr, pod->ifs->has_addr, sizeof(pod->has_addr));
	memcpy(pod->addr, pod->ifs->addr, sizeof(pod->addr));
	return NULL;
}

/* --- resources --------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char	**v;
	size_t	n;
};

static void add_name(char *name, void *p)
{
	struct names *names = p;

	*(char **)array_push(&names->v, &names->n, sizeof(*names->v)) = name;
}

/* References of all SecurityGroups that the pod is in, sorted, each once. */
static json_t *security_groups(const struct model *m, const struct pod_state *pod)
{
	json_t *list = mem_check(json_array());
	struct names names = {};
	size_t i;

	map_for_each(&pod->groups, node) {
		const struct membership *ms = node->value;

		for (i = 0; i < ms->n && group_is_published(ms->group); i++)
			add_name(variant_reference(map_get(&ms->group->variants, ms->variants[i])),
				 &names);
	}
	user_groups_there(m, pod, add_name, &names);
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), by_text);
	for (i = 0; i < names.n; i++)
		if (!i || strcmp(names.v[i], names.v[i - 1]))
			json_array_append_new(list, json_string(names.v[i]));
	while (names.n)
		free(names.v[--names.n]);
	free(names.v);
	return list;
}

/* The interface's addresses, the network's primary family first; each becomes an InstanceIP. */
static json_t *publish_addrs(struct model *m, const struct pod_state *pod,
			     const struct pod_interface *ifc)
{
	enum family first = ifc->net->ipam.net.primary, order[] = { first, first == V4 ? V6 : V4 };
	json_t *addrs = mem_check(json_array());
	char text[ADDR_TEXT];
	size_t i;

	for (i = 0; i < FAMILIES; i++) {
		const struct addr *a = &ifc->addr[order[i]];
		cleanup_free char *name = ip_name(ifc->net, a);
		cleanup_free char *owner = xasprintf("%s/%s", pod->ns, ifc->resource);

		if (!ifc->has_addr[order[i]])
			continue;
		addr_text(a, text);
		json_array_append_new(addrs, json_string(text));
		store_put(m->store, RES_INSTANCE_IP, "", name, NULL, NULL,
			  json_pack("{s:s, s:s, s:s, s:s}", "address", text, "family",
				    family_name(order[i]), "network", ifc->net->key, "interface",
				    owner));
	}
	return addrs;
}

/* The interfaces beside the first, by which the CNI plugin learns of them. */
static json_t *additional(const struct pod_state *pod)
{
	json_t *list;
	size_t i;

	if (pod->n_ifs < 2)
		return NULL;
	list = mem_check(json_array());
	for (i = 1; i < pod->n_ifs; i++) {
		cleanup_free char *key = xasprintf("%s/%s", pod->ns, pod->ifs[i].resource);

		json_array_append_new(list, json_string(key));
	}
	return list;
}

static void publish(struct model *m, const struct pod_state *pod, const struct pod_interface *ifc)
{
	const struct object *obj = pod->object;
	json_t *notes = NULL;

	if (obj->pod->config_hash)
		notes = json_pack("{s:s}", CONFIG_HASH, obj->pod->config_hash);
	store_put(m->store, RES_INTERFACE, pod->ns, ifc->resource, obj->uid, notes,
		  json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:i, s:o*, s:o*, s:s*}", "network",
			    ifc->net->key, "node", pod->node, "pod", obj->name, "interface",
			    ifc->name, "macAddress", ifc->mac, "addresses",
			    publish_addrs(m, pod, ifc), "securityGroups", security_groups(m, pod),
			    "mtu", (int)m->cfg->mtu, "additional",
			    ifc == pod->ifs ? additional(pod) : NULL, "through",
			    chains_through(ifc->net, pod), "joined",
			    ifc == pod->ifs && ifc->net->joined ? CLUSTER_NETWORK : NULL));
}

/* Is there a pod by the name of the interface's resource? That one has it. */
static bool is_shadowed(const struct model *m, const struct pod_state *pod,
			const struct pod_interface *ifc)
{
	cleanup_free char *key = xasprintf("%s/%s", pod->ns, ifc->resource);
	const struct pod_state *other = ifc == pod->ifs ? NULL : map_get(&m->pods, key);

	return other && other->has_interface;
}

static void pod_publish(struct model *m, struct pod_state *pod)
{
	size_t i;

	for (i = 0; i < pod->n_ifs; i++) {
		if (!is_shadowed(m, pod, &pod->ifs[i]))
			publish(m, pod, &pod->ifs[i]);
		else
			model_problem(m, &pod->problem, pod->object,
				      xasprintf("interface %s: its name, %s, is that of a pod; the "
						"pod does not get this interface",
						pod->ifs[i].name, pod->ifs[i].resource));
	}
}

void pods_publish(struct model *m)
{
	map_for_each(&m->dirty_interfaces, node) {
		struct pod_state *pod = map_get(&m->pods, node->key);

		if (pod && pod->has_interface)
			pod_publish(m, pod);
	}
	map_clear(&m->dirty_interfaces, NULL);
}
