// SPDX-License-Identifier: GPL-2.0-only
/* Objects of the kernel module: identity, comparison, tables. */

#include <ctype.h>
#include <search.h>
#include <stddef.h>

#include "jread.h"
#include "kobj.h"
#include "mem.h"
#include "names.h"

static const struct vr_obj_type *const types[K_KINDS] = {
	[K_SG] = &vr_type_sg, [K_VRF] = &vr_type_vrf, [K_VIF] = &vr_type_vif,
	[K_NEXTHOP] = &vr_type_nexthop, [K_ROUTE] = &vr_type_route, [K_VIP] = &vr_type_vip,
};

const struct vr_obj_type *kobj_type(enum kobj_kind kind)
{
	return types[kind];
}

bool kobj_kind_of(const struct vr_obj_type *type, enum kobj_kind *kind)
{
	for (*kind = 0; *kind < K_KINDS; (*kind)++)
		if (types[*kind] == type)
			return true;
	return false;
}

static void set_key(struct kobj *o)
{
	switch ((enum kobj_kind)o->key.kind) {
	case K_SG:
		o->key.id = o->sg.id;
		break;
	case K_VRF:
		o->key.id = o->vrf.id;
		break;
	case K_VIF:
		o->key.id = o->vif.id;
		break;
	case K_NEXTHOP:
		o->key.id = o->nexthop.id;
		break;
	case K_ROUTE:
		o->key.id = o->route.vrf;
		o->key.prefix = o->route.prefix;
		break;
	case K_VIP:
		o->key.id = o->vip.vrf;
		o->key.prefix.addr = o->vip.addr;
		o->key.proto = o->vip.proto;
		o->key.port = o->vip.port;
		break;
	case K_KINDS:
		break;
	}
}

struct kobj *kobj_new(enum kobj_kind kind, void *obj)
{
	size_t size = vr_type_size(types[kind]);
	/* no more than its kind takes: routes are many, and of the smallest */
	struct kobj *o = mem_zero(1, offsetof(struct kobj, sg) + size);

	o->refs = 1;
	o->key.kind = kind;
	memcpy(&o->sg, obj, size);
	memset(obj, 0, size);
	vr_obj_normalize(types[kind], &o->sg);
	set_key(o);
	return o;
}

struct kobj *kobj_hold(const struct kobj *o)
{
	struct kobj *k = (struct kobj *)o;

	k->refs++;
	return k;
}

void kobj_put(const struct kobj *o)
{
	struct kobj *k = (struct kobj *)o;

	if (!k || --k->refs)
		return;
	vr_obj_free(types[k->key.kind], &k->sg);
	free(k);
}

bool kobj_equal(const struct kobj *a, const struct kobj *b)
{
	return a == b || (!kkey_compare(&a->key, &b->key) &&
			  vr_obj_equal(types[a->key.kind], &a->sg, &b->sg));
}

const char *kobj_label(const struct kobj *o)
{
	switch ((enum kobj_kind)o->key.kind) {
	case K_SG:
		return o->sg.label;
	case K_VRF:
		return o->vrf.label;
	case K_VIF:
		return o->vif.label;
	case K_NEXTHOP:
		return o->nexthop.label;
	case K_ROUTE:
		return o->route.label;
	case K_VIP:
		return o->vip.label;
	case K_KINDS:
		break;
	}
	return NULL;
}

int kkey_compare(const struct kkey *a, const struct kkey *b)
{
	/* Up to the last field: what pads the structure says nothing. */
	return memcmp(a, b, offsetof(struct kkey, prefix) + sizeof(a->prefix));
}

const char *kobj_text(const struct kobj *o, char buf[KOBJ_TEXT])
{
	const char *name = vr_type_name(types[o->key.kind]), *label = kobj_label(o);
	char addr[VR_ADDR_TEXT], proto[VR_NAME_TEXT];

	label = label ? label : "no label";
	if (o->key.kind < K_ROUTE) {
		snprintf(buf, KOBJ_TEXT, "%s %u (%s)", name, o->key.id, label);
		return buf;
	}
	vr_addr_text(&o->key.prefix.addr, addr);
	if (o->key.kind == K_ROUTE)
		snprintf(buf, KOBJ_TEXT, "%s %s/%u in vrf %u (%s)", name, addr,
			 o->key.prefix.len, o->key.id, label);
	else
		snprintf(buf, KOBJ_TEXT, "%s %s %s/%u in vrf %u (%s)", name, addr,
			 vr_name(vr_names_proto, o->key.proto, proto), o->key.port, o->key.id,
			 label);
	return buf;
}

bool host_ifname_valid(const char *name)
{
	size_t i;

	if (!name || strncmp(name, "vr", 2) || strlen(name) != 15)
		return false;
	for (i = 2; i < 15; i++)
		if (!isdigit((unsigned char)name[i]) && (name[i] < 'a' || name[i] > 'f'))
			return false;
	return true;
}

bool kobj_ours(const struct kobj *o)
{
	const char *label = kobj_label(o);

	if (!label || !key_valid(label))
		return false;
	return o->key.kind != K_VIF || o->vif.type == VROUTER_VIF_TYPE_TUNNEL ||
	       ((o->vif.type == VROUTER_VIF_TYPE_HOST ||
		 o->vif.type == VROUTER_VIF_TYPE_EXTERNAL) && !strncmp(label, "Node/", 5)) ||
	       host_ifname_valid(o->vif.ifname);
}

/* --- tables ------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
	return kkey_compare(&((const struct kobj *)a)->key, &((const struct kobj *)b)->key);
}

static struct kobj **find(const struct ktable *t, const struct kkey *key)
{
	struct kobj probe = { .key = *key };

	return (struct kobj **)tfind(&probe, &t->root, compare);
}

const struct kobj *ktable_get(const struct ktable *t, const struct kkey *key)
{
	struct kobj **slot = find(t, key);

	return slot ? *slot : NULL;
}

void ktable_set(struct ktable *t, const struct kobj *o)
{
	struct kobj **slot = find(t, &o->key), *old;

	if (!slot) {
		mem_check(tsearch(o, &t->root, compare));
		return;
	}
	old = *slot;
	*slot = (struct kobj *)o;
	kobj_put(old);
}

const struct kobj *ktable_take(struct ktable *t, const struct kkey *key)
{
	struct kobj **slot = find(t, key), *o;

	if (!slot)
		return NULL;
	o = *slot;
	tdelete(o, &t->root, compare);
	return o;
}

struct each {
	void (*fn)(const struct kobj *o, void *arg);
	void *arg;
};

static void visit(const void *node, VISIT which, void *arg)
{
	const struct each *each = arg;

	if (which == postorder || which == leaf)
		each->fn(*(const struct kobj *const *)node, each->arg);
}

void ktable_each(const struct ktable *t, void (*fn)(const struct kobj *o, void *arg), void *arg)
{
	struct each each = { fn, arg };

	twalk_r(t->root, visit, &each);
}

static void free_node(void *o)
{
	kobj_put(o);
}

void ktable_clear(struct ktable *t)
{
	tdestroy(t->root, free_node);
	t->root = NULL;
}
