// SPDX-License-Identifier: GPL-2.0-only
/*
 * InstanceIPs that are there: an address that somebody has written down stays whose it is. A
 * pod that has one keeps it over a restart of the manager; one of a pod that is not known (yet)
 * is given to nobody else until its InstanceIP is gone.
 */
#include "model.h"
#include "xmem.h"

struct pin {
	const char	*owner;		/* "ns/name" of the VirtualMachineInterface */
	const char	*network;	/* key */
	struct addr	addr;
	bool		reserved;	/* in its network's ipam, for an owner that has not come */
	struct map_node	node;		/* by name */
	char		name[];		/* of the InstanceIP; then owner and network */
};

static char *owner_key(const char *owner, const char *network, enum family f)
{
	return xasprintf("%s %s %s", owner, network, family_name(f));
}

static char *reservation(const struct pin *pin)
{
	return xasprintf("InstanceIP of %s", pin->owner);
}

void pins_free(struct model *m)
{
	map_for_each(&m->pins, node)
		free(node->value);
	map_forget(&m->pins);
	map_clear(&m->pins_of, NULL);
}

/* Gives the address back that was kept for an owner. */
static void unreserve(struct model *m, struct pin *pin)
{
	struct network_state *net = map_get(&m->networks, pin->network);

	if (!pin->reserved)
		return;
	pin->reserved = false;
	if (net && net->known)
		ipam_release(&net->ipam, &pin->addr);
	m->released = true;
}

static struct pin *pin_read(const char *name, const json_t *object)
{
	const json_t *spec = json_object_get(object, "spec");
	const char *addr = json_string_value(json_object_get(spec, "address"));
	const char *owner = json_string_value(json_object_get(spec, "interface"));
	const char *network = json_string_value(json_object_get(spec, "network"));
	struct pin *pin;
	struct addr a;
	char *text;

	if (!addr || !owner || !network || addr_parse(addr, &a))
		return NULL;
	pin = xzalloc(sizeof(*pin) + strlen(name) + strlen(owner) + strlen(network) + 3);
	text = stpcpy(pin->name, name) + 1;
	pin->owner = text;
	text = stpcpy(text, owner) + 1;
	pin->network = strcpy(text, network);
	pin->addr = a;
	pin->node.key = pin->name;
	pin->node.value = pin;
	return pin;
}

static void unpin(struct model *m, const char *name)
{
	struct map_node *node = map_unlink(&m->pins, name);

	if (!node)
		return;
	struct pin *pin = node->value;
	cleanup_free char *key = owner_key(pin->owner, pin->network, pin->addr.family);

	if (map_get(&m->pins_of, key) == pin)
		map_del(&m->pins_of, key);
	unreserve(m, pin);
	free(pin);
}

/* The pod of an interface: by its own name, or by that of one of its further interfaces. */
static void mark_pod(struct model *m, const char *interface)
{
	const char *dot = strrchr(interface, '.');
	char *pod;

	if (map_get(&m->pods, interface))
		mark(&m->dirty_pods, interface);
	if (!dot)
		return;
	pod = mem_check(strndup(interface, dot - interface));
	if (map_get(&m->pods, pod))
		mark(&m->dirty_pods, pod);
	free(pod);
}

/* Whose interface the model published the address of; "" when it did not. To be freed. */
static char *holder_of(const struct model *m, const char *name)
{
	cleanup_free char *path = xasprintf("/%s", name);
	json_t *ours = store_read(m->store, RES_INSTANCE_IP, path);
	const char *holder = json_string_value(json_object_get(json_object_get(ours, "spec"),
							       "interface"));
	char *copy = xstrdup(holder ? holder : "");

	json_decref(ours);
	return copy;
}

static void pin(struct model *m, struct pin *pin, const char *holder)
{
	cleanup_free char *key = owner_key(pin->owner, pin->network, pin->addr.family);

	map_link(&m->pins, &pin->node);
	map_set(&m->pins_of, key, pin);
	if (!strcmp(holder, pin->owner))
		return;
	/* whose it is may have been given another one, and another may have been given this */
	mark_pod(m, pin->owner);
	if (*holder)
		mark_pod(m, holder);
}

void model_pin(struct model *m, const char *name, const json_t *object)
{
	struct pin *read;
	char *holder;

	unpin(m, name);
	read = object ? pin_read(name, object) : NULL;
	if (!read)
		return;
	holder = holder_of(m, name);
	pin(m, read, holder);
	free(holder);
}

const struct addr *pin_of(const struct model *m, const char *owner, const char *network,
			  enum family f)
{
	cleanup_free char *key = owner_key(owner, network, f);
	const struct pin *pin = map_get(&m->pins_of, key);

	return pin ? &pin->addr : NULL;
}

bool pin_is_others(const struct model *m, const char *network, const struct addr *a,
		   const char *owner)
{
	char text[ADDR_TEXT];
	cleanup_free char *name = instance_ip_of(network, addr_text(a, text));
	const struct pin *pin = map_get(&m->pins, name);

	return pin && strcmp(pin->owner, owner);
}

void pin_reserve(struct model *m, struct network_state *net, const struct addr *a)
{
	char text[ADDR_TEXT];
	cleanup_free char *name = instance_ip_of(net->key, addr_text(a, text));
	struct pin *pin = map_get(&m->pins, name);
	cleanup_free char *owner = reservation(pin);

	ipam_release(&net->ipam, a);
	free(ipam_claim(&net->ipam, a, owner, NULL));
	pin->reserved = true;
}

void pin_take(struct model *m, struct network_state *net, const struct addr *a)
{
	char text[ADDR_TEXT];
	cleanup_free char *name = instance_ip_of(net->key, addr_text(a, text));
	struct pin *pin = map_get(&m->pins, name);

	if (pin && pin->reserved) {
		ipam_release(&net->ipam, a);
		pin->reserved = false;
	}
}
