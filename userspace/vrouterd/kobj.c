// SPDX-License-Identifier: GPL-2.0-only
/* Objects of the kernel module: identity, comparison, tables. */

#include <arpa/inet.h>
#include <ctype.h>
#include <linux/vrouter.h>
#include <search.h>
#include <stddef.h>

#include "jread.h"
#include "kobj.h"
#include "mem.h"

struct kobj *kobj_new(enum kobj_kind kind, uint32_t id, const char *label)
{
	struct kobj *o = mem_zero(1, sizeof(*o));

	o->refs = 1;
	o->key.kind = kind;
	o->key.id = id;
	o->label = mem_strdup(label);
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
	unsigned int i;

	if (!k || --k->refs)
		return;
	for (i = 0; i < k->n_members; i++)
		free(k->members[i].label);
	for (i = 0; i < k->n_rules; i++) {
		free(k->rules[i].label);
		free(k->rules[i].except);
	}
	free(k->label);
	free(k->addrs);
	free(k->sgs);
	free(k->members);
	free(k->rules);
	free(k);
}

static int compare_ip(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip));
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int compare_member(const void *a, const void *b)
{
	const struct kmember *x = a, *y = b;
	int diff = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	return diff ? diff : x->port < y->port ? -1 : x->port > y->port;
}

/* The kernel refuses what is named twice: once is meant. */
static unsigned int uniq(void *list, unsigned int n, size_t size)
{
	unsigned int i, k = 0;
	char *p = list;

	for (i = 0; i < n; i++)
		if (!i || memcmp(p + (k - 1) * size, p + i * size, size))
			memmove(p + k++ * size, p + i * size, size);
	return k;
}

void kobj_canonical(struct kobj *o)
{
	if (o->n_addrs) {
		qsort(o->addrs, o->n_addrs, sizeof(*o->addrs), compare_ip);
		o->n_addrs = uniq(o->addrs, o->n_addrs, sizeof(*o->addrs));
	}
	if (o->n_sgs) {
		qsort(o->sgs, o->n_sgs, sizeof(*o->sgs), compare_u32);
		o->n_sgs = uniq(o->sgs, o->n_sgs, sizeof(*o->sgs));
	}
	if (o->n_members)
		qsort(o->members, o->n_members, sizeof(*o->members), compare_member);
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static bool same_list(const void *a, unsigned int n, const void *b, unsigned int m, size_t size)
{
	return n == m && (!n || !memcmp(a, b, n * size));
}

static bool same_member(const struct kmember *a, const struct kmember *b)
{
	return !compare_member(a, b) && a->weight == b->weight && a->state == b->state &&
	       same_text(a->label, b->label);
}

static bool same_rule(const struct krule *a, const struct krule *b)
{
	return a->direction == b->direction && a->proto == b->proto &&
	       a->port_min == b->port_min && a->port_max == b->port_max && a->peer == b->peer &&
	       !memcmp(&a->prefix, &b->prefix, sizeof(a->prefix)) && a->peer_sg == b->peer_sg &&
	       same_list(a->except, a->n_except, b->except, b->n_except, sizeof(*a->except)) &&
	       same_text(a->label, b->label);
}

static bool same_scalars(const struct kobj *a, const struct kobj *b)
{
	return !kkey_compare(&a->key, &b->key) && same_text(a->label, b->label) &&
	       a->vrf == b->vrf && a->nexthop == b->nexthop && a->type == b->type &&
	       a->vif == b->vif && a->ifindex == b->ifindex &&
	       !memcmp(a->mac, b->mac, sizeof(a->mac)) && a->mtu == b->mtu &&
	       a->flow_limit == b->flow_limit && a->half_open_limit == b->half_open_limit &&
	       a->affinity == b->affinity && a->enforce == b->enforce;
}

bool kobj_equal(const struct kobj *a, const struct kobj *b)
{
	unsigned int i;

	if (a == b)
		return true;
	if (!same_scalars(a, b) || a->n_members != b->n_members || a->n_rules != b->n_rules ||
	    !same_list(a->addrs, a->n_addrs, b->addrs, b->n_addrs, sizeof(*a->addrs)) ||
	    !same_list(a->sgs, a->n_sgs, b->sgs, b->n_sgs, sizeof(*a->sgs)))
		return false;
	for (i = 0; i < a->n_members; i++)
		if (!same_member(&a->members[i], &b->members[i]))
			return false;
	for (i = 0; i < a->n_rules; i++)
		if (!same_rule(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}

int kkey_compare(const struct kkey *a, const struct kkey *b)
{
	/* Up to the last field: what pads the structure says nothing. */
	return memcmp(a, b, offsetof(struct kkey, prefix) + sizeof(a->prefix));
}

static const char *proto_name(uint8_t proto)
{
	return proto == IPPROTO_TCP ? "tcp" : proto == IPPROTO_UDP ? "udp" :
	       proto == IPPROTO_SCTP ? "sctp" : "?";
}

const char *kobj_text(const struct kobj *o, char buf[KOBJ_TEXT])
{
	static const char *const names[K_KINDS] = {
		[K_SG] = "sg", [K_VRF] = "vrf", [K_VIF] = "vif", [K_NEXTHOP] = "nexthop",
		[K_ROUTE] = "route", [K_VIP] = "vip",
	};
	const char *label = o->label ? o->label : "no label", *name = names[o->key.kind];
	char addr[INET6_ADDRSTRLEN];

	if (o->key.kind < K_ROUTE) {
		snprintf(buf, KOBJ_TEXT, "%s %u (%s)", name, o->key.id, label);
		return buf;
	}
	inet_ntop(o->key.prefix.ip.family, o->key.prefix.ip.b, addr, sizeof(addr));
	if (o->key.kind == K_ROUTE)
		snprintf(buf, KOBJ_TEXT, "route %s/%u in vrf %u (%s)", addr, o->key.prefix.len,
			 o->key.id, label);
	else
		snprintf(buf, KOBJ_TEXT, "vip %s %s/%u in vrf %u (%s)", addr,
			 proto_name(o->key.proto), o->key.port, o->key.id, label);
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
	if (!o->label || !key_valid(o->label))
		return false;
	return o->key.kind != K_VIF || host_ifname_valid(o->ifname);
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
