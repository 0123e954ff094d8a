// SPDX-License-Identifier: GPL-2.0-only
/* Virtual networks, service chains between them, and what pods say of the networks they are in. */
#include <net/if.h>

#include "config.h"
#include "field.h"
#include "objects.h"
#include "xmem.h"

#define FIRST_NETWORK	"opencontrail.org/network"
#define MORE_NETWORKS	"k8s.v1.cni.cncf.io/networks"

/* MPLS over UDP has the number as label: 20 bits, the first 16 are reserved (RFC 3032, 2.1). */
#define MIN_VNI		16
#define MAX_VNI		1048575
#define MAX_EXTRA	8	/* interfaces beside the first */

/* is_name: what the name has to be */
static char *reference(const struct field *f, const char *text, const char *ns,
		       const char *(*is_name)(const char *))
{
	const char *slash = strchr(text, '/'), *name = slash ? slash + 1 : text, *reason;
	char space[128];	/* a longer one is wrong in its first part, too */

	if (slash)
		snprintf(space, sizeof(space), "%.*s", (int)(slash - text), text);
	else
		snprintf(space, sizeof(space), "%s", ns);
	reason = name_dns_label(space);
	if (!reason)
		reason = is_name(name);
	if (!reason)
		return xasprintf("%s/%s", space, name);
	field_error(f, "\"%.130s\" is not a network's name or namespace/name: it %s", text, reason);
	return NULL;
}

char *network_reference(const struct field *f, const char *text, const char *ns)
{
	return reference(f, text, ns, name_dns_label);
}

/* --- VirtualNetwork ----------------------------------------------------------- */

void network_take_prefix(struct network *net, const struct field *f, const struct field *cidr,
			 const char *text, const struct prefix *p)
{
	if (!addr_is_usable(&p->addr))
		field_error(cidr, "\"%s\" has no addresses for pods: loopback, link-local, multicast and "
			    "reserved ones are none", text);
	if (family_bits(p->addr.family) - p->len < 3)
		field_error(cidr, "\"%s\" is too small: a gateway and a few addresses are needed", text);
	else if (!network_add(net, p))
		field_error(f, "is one too many: a network has at most %d subnets", NETWORK_SUBNETS);
}

static void read_subnet(struct network *net, const struct field *f)
{
	static const char *const known[] = { "cidr", NULL };
	struct field cidr = field_get(f, "cidr");
	struct prefix p;

	if (!json_is_object(f->value)) {
		field_error(f, "must be an object");
		return;
	}
	field_only(f, known, true);
	field_required(f, "cidr");
	if (cidr.value && field_prefix(&cidr, &p))
		network_take_prefix(net, f, &cidr, json_string_value(cidr.value), &p);
}

struct network_spec *network_spec_new(const struct field *doc)
{
	const json_t *meta = json_object_get(doc->value, "metadata");
	const char *created = json_string_value(json_object_get(meta, "creationTimestamp"));
	struct network_spec *net = xzalloc(sizeof(*net));

	net->created = xstrdup(created);
	return net;
}

void network_read(struct object *obj, const struct field *doc)
{
	static const char *const known[] = { "subnets", "vni", NULL };
	struct field spec = field_object(doc, "spec"), list = field_array(&spec, "subnets");
	struct network_spec *net = network_spec_new(doc);
	size_t i;

	obj->network = net;
	field_required(doc, "spec");
	if (!spec.value)
		return;
	field_only(&spec, known, true);
	net->vni = field_int(&spec, "vni", MIN_VNI, MAX_VNI, 0);
	if (!field_count(&list))
		field_error(&list, "must have a subnet of IPv4, of IPv6, or of each");
	for (i = 0; i < field_count(&list); i++) {
		struct field f = field_at(&list, i);

		read_subnet(&net->net, &f);
	}
}

void network_spec_free(struct network_spec *net)
{
	free(net->created);
	free(net);
}

/* --- ServiceChain ------------------------------------------------------------- */

static char *read_side(const struct object *obj, const struct field *spec, const char *key)
{
	const char *text = field_string(spec, key);
	struct field f = field_get(spec, key);

	field_required(spec, key);
	return text ? network_reference(&f, text, obj->ns) : NULL;
}

void chain_read(struct object *obj, const struct field *doc)
{
	static const char *const known[] = { "left", "right", "podSelector", NULL };
	struct field spec = field_object(doc, "spec"), pods = field_get(&spec, "podSelector");
	struct chain_spec *chain = xzalloc(sizeof(*chain));

	obj->chain = chain;
	field_required(doc, "spec");
	if (!spec.value)
		return;
	field_only(&spec, known, true);
	chain->left = read_side(obj, &spec, "left");
	chain->right = read_side(obj, &spec, "right");
	if (chain->left && chain->right && !strcmp(chain->left, chain->right))
		field_error(&spec, "left and right are the same network, %s", chain->left);
	if (pods.value)
		chain->pods = selector_read(&pods);
	else
		field_required(&spec, "podSelector");
}

void chain_spec_free(struct chain_spec *chain)
{
	if (!chain)
		return;
	free(chain->left);
	free(chain->right);
	selector_free(chain->pods);
	free(chain);
}

/* --- a pod's ------------------------------------------------------------------ */

char *network_annotation(const struct object *obj, const struct field *f)
{
	const char *text = field_as_string(f), *project, *name;
	char *ref = NULL;
	json_t *o;

	if (!text)
		return NULL;
	if (*text != '{')
		return network_reference(f, text, obj->ns);
	o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	project = json_string_value(json_object_get(o, "project"));
	name = json_string_value(json_object_get(o, "name"));
	if (name)
		ref = network_reference(f, name, project ? project : obj->ns);
	else
		field_error(f, "is neither a network's name nor JSON with a name");
	json_decref(o);
	return ref;
}

static bool has_interface(const struct pod_spec *pod, const char *name)
{
	size_t i;

	for (i = 0; i < pod->n_extra; i++)
		if (pod->extra[i].name && !strcmp(pod->extra[i].name, name))
			return true;
	return !strcmp(name, "eth0") || !strcmp(name, "lo");
}

/* Takes network over; name NULL: "net1" and so on. */
static void add_extra(struct pod_spec *pod, const struct field *f, char *network, const char *name)
{
	const char *reason = name ? name_dns_label(name) : NULL;
	cleanup_free char *made = xasprintf("net%zu", pod->n_extra + 1);
	struct pod_attachment *at;

	if (!network)
		return;
	if (pod->n_extra == MAX_EXTRA)
		field_error(f, "has more than %d networks", MAX_EXTRA);
	else if (reason)
		field_error(f, "interface \"%.40s\" %s", name, reason);
	else if (name && strlen(name) >= IFNAMSIZ)
		field_error(f, "interface \"%.40s\" has more than %d characters", name, IFNAMSIZ - 1);
	else if (has_interface(pod, name ? name : made))
		field_error(f, "interface %s is there already", name ? name : made);
	else {
		at = array_push(&pod->extra, &pod->n_extra, sizeof(*at));
		at->network = network;
		at->name = xstrdup(name ? name : made);
		return;
	}
	free(network);
}

/* "NETWORK", "NS/NETWORK", each with "@INTERFACE" or without, and commas between. */
static void read_short(struct object *obj, const struct field *f, const char *text)
{
	char *copy = xstrdup(text), *save, *word, *at;

	for (word = strtok_r(copy, ", \n", &save); word; word = strtok_r(NULL, ", \n", &save)) {
		at = strchr(word, '@');
		if (at)
			*at++ = '\0';
		add_extra(obj->pod, f, reference(f, word, obj->ns, name_dns_subdomain), at);
	}
	free(copy);
}

static void read_element(struct object *obj, const struct field *f, size_t i, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "name")), *key;
	const char *ns = json_string_value(json_object_get(o, "namespace"));
	const char *ifname = json_string_value(json_object_get(o, "interface"));
	json_t *value;

	if (!name) {
		field_error(f, "element %zu has no name", i);
		return;
	}
	json_object_foreach((json_t *)o, key, value) {
		if (strcmp(key, "name") && strcmp(key, "namespace") && strcmp(key, "interface"))
			field_warn(f, "element %zu: \"%.40s\" is not supported, ignored", i, key);
	}
	add_extra(obj->pod, f, reference(f, name, ns ? ns : obj->ns, name_dns_subdomain), ifname);
}

/* The Network Plumbing Working Group's standard, 4.1. */
static void read_more(struct object *obj, const struct field *f)
{
	const char *text = field_as_string(f);
	json_error_t e;
	json_t *list, *o;
	size_t i;

	if (!text)
		return;
	if (text[strspn(text, " \n")] != '[') {
		read_short(obj, f, text);
		return;
	}
	list = json_loads(text, JSON_REJECT_DUPLICATES, &e);
	if (!list)
		field_error(f, "is not JSON: line %d: %.100s", e.line, e.text);
	json_array_foreach(list, i, o) {
		read_element(obj, f, i, o);
	}
	json_decref(list);
}

void pod_networks_read(struct object *obj, const struct field *notes)
{
	struct field first = field_get(notes, FIRST_NETWORK), more = field_get(notes, MORE_NETWORKS);

	if (first.value)
		obj->pod->network = network_annotation(obj, &first);
	if (more.value)
		read_more(obj, &more);
}

void pod_networks_free(struct pod_spec *pod)
{
	while (pod->n_extra) {
		free(pod->extra[--pod->n_extra].network);
		free(pod->extra[pod->n_extra].name);
	}
	free(pod->extra);
	free(pod->network);
}
