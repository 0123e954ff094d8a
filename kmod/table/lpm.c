// SPDX-License-Identifier: GPL-2.0-only
/*
 * Longest prefix match by a path-compressed binary trie.
 *
 * A node is a prefix. Below it are only longer prefixes that it holds, parted
 * by their first bit after it. A node has a value, or it is a fork: then it has
 * both children. So there are fewer forks than values, a walk down visits at
 * most one node for each length, and a change touches one link.
 *
 * Readers walk under RCU. A writer makes a node complete before it links it in,
 * and a node that is taken out keeps its children for those who are in it; of
 * a linked node only the value and the children are written, each as a whole.
 */

#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "table.h"

struct vr_lpm_node {
	struct vr_lpm_node __rcu *child[2];
	void __rcu		*value;		/* NULL: a fork */
	union vr_addr		addr;		/* bits after len are zero */
	u8			len;
	struct rcu_head		rcu;
};

/* Writers are serialised by the owner's lock, which is not known here. */
#define deref(p)	rcu_dereference_protected(p, true)

static bool bit(const union vr_addr *a, u8 i)
{
	return ((const u8 *)a)[i / 8] & (0x80 >> (i % 8));
}

/* Number of leading bits that are the same, at most max. An IPv4 address is
 * followed by zeroes and so as good as an IPv6 one.
 */
static u8 common(const union vr_addr *a, const union vr_addr *b, u8 max)
{
	return min_t(int, ipv6_addr_diff(&a->v6, &b->v6), max);
}

static bool holds(const struct vr_lpm_node *node, const union vr_addr *addr)
{
	return common(&node->addr, addr, node->len) == node->len;
}

void vr_lpm_init(struct vr_lpm *t, u8 bits)
{
	RCU_INIT_POINTER(t->root, NULL);
	t->bits = bits;
}

/* Forks are not compared with the address: what is below one has its bits too, and
 * is compared when it has a value.
 */
void *vr_lpm_lookup(const struct vr_lpm *t, const union vr_addr *addr, u8 *len)
{
	struct vr_lpm_node *node = rcu_dereference(t->root);
	void *best = NULL, *value;

	while (node) {
		value = rcu_dereference(node->value);
		if (value) {
			if (!holds(node, addr))
				break;
			best = value;
			if (len)
				*len = node->len;
		}
		if (node->len == t->bits)
			break;
		node = rcu_dereference(node->child[bit(addr, node->len)]);
	}
	return best;
}

bool vr_lpm_match(const struct vr_lpm *t, const union vr_addr *addr,
		  bool (*fn)(void *value, u8 len, void *arg), void *arg)
{
	struct vr_lpm_node *node = rcu_dereference(t->root);
	void *value;

	while (node) {
		value = rcu_dereference(node->value);
		if (value) {
			if (!holds(node, addr))
				return false;
			if (fn(value, node->len, arg))
				return true;
		}
		if (node->len == t->bits)
			return false;
		node = rcu_dereference(node->child[bit(addr, node->len)]);
	}
	return false;
}

void *vr_lpm_get(const struct vr_lpm *t, const union vr_addr *addr, u8 len)
{
	struct vr_lpm_node *node = rcu_dereference_check(t->root, true);

	while (node && node->len < len && holds(node, addr))
		node = rcu_dereference_check(node->child[bit(addr, node->len)], true);
	if (!node || node->len != len || !holds(node, addr))
		return NULL;
	return rcu_dereference_check(node->value, true);
}

static struct vr_lpm_node *node_alloc(const union vr_addr *addr, u8 len, void *value)
{
	struct vr_lpm_node *node = kzalloc(sizeof(*node), GFP_KERNEL_ACCOUNT);

	BUILD_BUG_ON(sizeof(*node) > 64);	/* the next size of slab is 96 */
	if (!node)
		return NULL;
	ipv6_addr_prefix(&node->addr.v6, &addr->v6, len);
	node->len = len;
	RCU_INIT_POINTER(node->value, value);
	return node;
}

/* Puts a new node where "below" is, and below under it. below is longer, or
 * parts from it at bit "len", which is shorter than both: then a fork is needed.
 */
static int insert(struct vr_lpm_node __rcu **link, struct vr_lpm_node *below, u8 len,
		  struct vr_lpm_node *node)
{
	struct vr_lpm_node *top = node;

	if (len < node->len) {
		top = node_alloc(&node->addr, len, NULL);
		if (!top)
			return -ENOMEM;
		RCU_INIT_POINTER(top->child[bit(&node->addr, len)], node);
	}
	RCU_INIT_POINTER(top->child[bit(&below->addr, len)], below);
	rcu_assign_pointer(*link, top);
	return 0;
}

int vr_lpm_set(struct vr_lpm *t, const union vr_addr *addr, u8 len, void *value, void **old)
{
	struct vr_lpm_node __rcu **link = &t->root;
	struct vr_lpm_node *node, *next;
	u8 same = 0;
	int err;

	*old = NULL;
	for (next = deref(*link); next; next = deref(*link)) {
		same = common(&next->addr, addr, min(next->len, len));
		if (same < next->len)
			break;
		if (next->len == len) {
			*old = deref(next->value);
			rcu_assign_pointer(next->value, value);
			return 0;
		}
		link = &next->child[bit(addr, next->len)];
	}

	node = node_alloc(addr, len, value);
	if (!node)
		return -ENOMEM;
	if (!next) {
		rcu_assign_pointer(*link, node);
		return 0;
	}
	err = insert(link, next, same, node);
	if (err)
		kfree(node);
	return err;
}

/* Takes out a node that has at most one child. */
static void splice(struct vr_lpm_node __rcu **link, struct vr_lpm_node *node)
{
	struct vr_lpm_node *child = deref(node->child[0]) ?: deref(node->child[1]);

	rcu_assign_pointer(*link, child);
	kfree_rcu(node, rcu);
}

void *vr_lpm_del(struct vr_lpm *t, const union vr_addr *addr, u8 len)
{
	struct vr_lpm_node __rcu **link = &t->root, **parent_link = NULL;
	struct vr_lpm_node *node, *parent = NULL;
	void *value;

	node = deref(*link);
	while (node && node->len < len && holds(node, addr)) {
		parent_link = link;
		parent = node;
		link = &node->child[bit(addr, node->len)];
		node = deref(*link);
	}
	if (!node || node->len != len || !holds(node, addr))
		return NULL;
	value = deref(node->value);
	if (!value)
		return NULL;

	if (deref(node->child[0]) && deref(node->child[1])) {
		RCU_INIT_POINTER(node->value, NULL);
		return value;
	}
	splice(link, node);
	/* It was a leaf of a fork, which has one child left */
	if (parent && !deref(*link) && !deref(parent->value))
		splice(parent_link, parent);
	return value;
}

/* The first value of a subtree; a fork has a left child. */
static void *first(struct vr_lpm_node *node)
{
	while (node && !deref(node->value))
		node = deref(node->child[0]);
	return node ? deref(node->value) : NULL;
}

void *vr_lpm_next(const struct vr_lpm *t, const union vr_addr *addr, u8 len)
{
	struct vr_lpm_node *node = deref(t->root), *right = NULL;
	u8 same;

	if (!addr)
		return first(node);

	while (node) {
		same = common(&node->addr, addr, min(node->len, len));
		if (same < node->len) {
			/* All of it is after the key, or all before */
			if (same == len || !bit(addr, same))
				return first(node);
			break;
		}
		if (node->len == len) {
			node = deref(node->child[0]) ?: deref(node->child[1]);
			return first(node ?: right);
		}
		if (!bit(addr, node->len)) {
			right = deref(node->child[1]) ?: right;
			node = deref(node->child[0]);
		} else {
			node = deref(node->child[1]);
		}
	}
	return first(right);
}

/* Turns left children up until there is none, so that no stack is needed. */
void vr_lpm_destroy(struct vr_lpm *t, void (*free_value)(void *value))
{
	struct vr_lpm_node *node = deref(t->root), *next;
	unsigned int n = 0;
	void *value;

	RCU_INIT_POINTER(t->root, NULL);
	while (node) {
		next = deref(node->child[0]);
		if (next) {
			RCU_INIT_POINTER(node->child[0], deref(next->child[1]));
			RCU_INIT_POINTER(next->child[1], node);
			node = next;
			continue;
		}
		next = deref(node->child[1]);
		value = deref(node->value);
		if (value)
			free_value(value);
		kfree(node);
		node = next;
		if (!(++n % 4096))
			cond_resched();
	}
}
