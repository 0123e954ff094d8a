// SPDX-License-Identifier: GPL-2.0-only
/*
 * Service addresses. Three indexes: by key for packets; by address, for what
 * comes to a service's address but to none of its ports; in order, for dumps.
 */

#include <linux/slab.h>

#include "../path/path.h"
#include "table.h"

static const struct rhashtable_params vip_params = {
	.key_len		= sizeof(struct vr_vip_key),
	.key_offset		= offsetof(struct vr_vip, key),
	.head_offset		= offsetof(struct vr_vip, node),
	.automatic_shrinking	= true,
};

/* Hashed and compared as octets: no holes. */
struct addr_key {
	u32		vrf;
	u32		family;
	union vr_addr	addr;
};

struct vip_addr {
	struct rhash_head	node;
	struct addr_key		key;
	unsigned int		vips;		/* that have it; under lock */
	struct rcu_head		rcu;
};

static const struct rhashtable_params addr_params = {
	.key_len		= sizeof(struct addr_key),
	.key_offset		= offsetof(struct vip_addr, key),
	.head_offset		= offsetof(struct vip_addr, node),
	.automatic_shrinking	= true,
};

static struct addr_key addr_key(u32 vrf, u8 family, const union vr_addr *addr)
{
	return (struct addr_key) { .vrf = vrf, .family = family, .addr = *addr };
}

int vr_vip_init(struct vr_net *vn)
{
	int err;

	BUILD_BUG_ON(sizeof(struct vr_vip_key) != 24);
	BUILD_BUG_ON(sizeof(struct addr_key) != 24);
	vn->vip_order = RB_ROOT;
	err = rhashtable_init(&vn->vips, &vip_params);
	if (err)
		return err;
	err = rhashtable_init(&vn->vip_addrs, &addr_params);
	if (err)
		rhashtable_destroy(&vn->vips);
	return err;
}

void vr_vip_exit(struct vr_net *vn)
{
	rhashtable_destroy(&vn->vip_addrs);
	rhashtable_destroy(&vn->vips);
}

struct vr_vip *vr_vip_lookup_rcu(const struct vr_net *vn, const struct vr_vip_key *key)
{
	return rhashtable_lookup((struct rhashtable *)&vn->vips, key, vip_params);
}

/* This node's, or by its route another's: all of them have the same node ports, and the
 * client's own node selects the member.
 */
static bool is_node_addr(const struct vr_net *vn, u32 id, u8 family, const union vr_addr *addr)
{
	const struct vr_route *route;
	const struct vr_vrf *vrf;

	if (vr_is_node_addr(vn, family, addr))
		return true;
	vrf = vr_vrf_rcu(vn, id);
	route = vrf ? vr_route_lookup_rcu(vrf, family, addr) : NULL;
	return route && route->node;
}

struct vr_vip *vr_vip_find_rcu(const struct vr_net *vn, u32 vrf, const struct vr_tuple *t)
{
	struct vr_vip_key key = {
		.vrf = vrf, .family = t->family, .proto = t->proto, .port = t->dport,
		.addr = t->dst,
	};
	struct vr_vip *vip = vr_vip_lookup_rcu(vn, &key);

	if (likely(vip))
		return vip;
	key.addr = (union vr_addr) {};
	vip = vr_vip_lookup_rcu(vn, &key);
	return vip && is_node_addr(vn, vrf, t->family, &t->dst) ? vip : NULL;
}

bool vr_vip_addr_rcu(const struct vr_net *vn, u32 vrf, u8 family, const union vr_addr *addr)
{
	struct addr_key key = addr_key(vrf, family, addr);

	return rhashtable_lookup((struct rhashtable *)&vn->vip_addrs, &key, addr_params) &&
	       !is_node_addr(vn, vrf, family, addr);
}

/* --- in order ------------------------------------------------------------- */

static int cmp(const struct vr_vip_key *a, const struct vr_vip_key *b)
{
	if (a->vrf != b->vrf)
		return a->vrf < b->vrf ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(&a->addr, &b->addr, sizeof(a->addr)) ?:
	       (int)a->proto - b->proto ?:
	       (int)ntohs(a->port) - ntohs(b->port);
}

static struct vr_vip *of_order(struct rb_node *node)
{
	return rb_entry_safe(node, struct vr_vip, order);
}

struct vr_vip *vr_vip_next(const struct vr_net *vn, const struct vr_vip_key *after)
{
	struct rb_node *node = vn->vip_order.rb_node;
	struct vr_vip *best = NULL;

	lockdep_assert_held(&vn->lock);
	if (!after)
		return of_order(rb_first(&vn->vip_order));

	while (node) {
		if (cmp(&of_order(node)->key, after) > 0) {
			best = of_order(node);
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

static void order_add(struct vr_net *vn, struct vr_vip *vip)
{
	struct rb_node **link = &vn->vip_order.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = cmp(&vip->key, &of_order(parent)->key) < 0 ? &parent->rb_left :
								    &parent->rb_right;
	}
	rb_link_node(&vip->order, parent, link);
	rb_insert_color(&vip->order, &vn->vip_order);
}

/* --- by address ----------------------------------------------------------- */

static struct vip_addr *addr_find(struct vr_net *vn, const struct vr_vip_key *key)
{
	struct addr_key k = addr_key(key->vrf, key->family, &key->addr);

	return rhashtable_lookup_fast(&vn->vip_addrs, &k, addr_params);
}

static int addr_get(struct vr_net *vn, const struct vr_vip_key *key)
{
	struct vip_addr *a = addr_find(vn, key);
	int err;

	if (a) {
		a->vips++;
		return 0;
	}
	a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	if (!a)
		return -ENOMEM;
	a->key = addr_key(key->vrf, key->family, &key->addr);
	a->vips = 1;
	err = rhashtable_insert_fast(&vn->vip_addrs, &a->node, addr_params);
	if (err)
		kfree(a);
	return err;
}

static void addr_put(struct vr_net *vn, const struct vr_vip_key *key)
{
	struct vip_addr *a = addr_find(vn, key);

	if (WARN_ON_ONCE(!a) || --a->vips)
		return;
	rhashtable_remove_fast(&vn->vip_addrs, &a->node, addr_params);
	kfree_rcu(a, rcu);
}

/* --- set and delete ------------------------------------------------------- */

static void vip_free_rcu(struct rcu_head *rcu)
{
	struct vr_vip *vip = container_of(rcu, struct vr_vip, rcu);

	free_percpu(vip->counters);
	kfree(vip);
}

static struct vr_nexthop *nh_of(struct vr_net *vn, struct vr_vip *vip)
{
	return rcu_dereference_protected(vip->nh, lockdep_is_held(&vn->lock));
}

static void use_nexthop(struct vr_vip *vip, struct vr_nexthop *nh)
{
	rcu_assign_pointer(vip->nh, nh);
	list_add_tail(&vip->of_nh, &nh->vips);
	nh->n_vips++;
	nh->users++;
}

static void unuse_nexthop(struct vr_vip *vip, struct vr_nexthop *nh)
{
	list_del(&vip->of_nh);
	nh->n_vips--;
	nh->users--;
}

static void use_sg(struct vr_vip *vip, struct vr_sg *sg)
{
	rcu_assign_pointer(vip->sg, sg);
	if (!sg)
		return;
	list_add_tail(&vip->of_sg, &sg->vips);
	sg->users++;
}

static void unuse_sg(struct vr_net *vn, struct vr_vip *vip)
{
	struct vr_sg *sg = rcu_dereference_protected(vip->sg, lockdep_is_held(&vn->lock));

	if (!sg)
		return;
	list_del(&vip->of_sg);
	sg->users--;
}

void vr_vip_sg_changed(struct vr_net *vn, const struct vr_sg *sg)
{
	struct vr_vip *vip;

	lockdep_assert_held(&vn->lock);
	list_for_each_entry(vip, &sg->vips, of_sg)
		WRITE_ONCE(vip->gen, vr_net_stamp(vn));
}

/* NULL: all clients are served. */
static struct vr_sg *find_sg(struct vr_net *vn, const struct vr_vip_cfg *cfg,
			     struct netlink_ext_ack *extack)
{
	struct vr_sg *sg;

	if (!cfg->sg)
		return NULL;
	sg = xa_load(&vn->sgs, cfg->sg);
	if (sg && !sg->tier)
		return sg;
	if (sg) {
		NL_SET_ERR_MSG_FMT(extack, "Security group %u has a tier, which vips do not know",
				   cfg->sg);
		return ERR_PTR(-EINVAL);
	}
	NL_SET_ERR_MSG_FMT(extack, "Security group %u does not exist", cfg->sg);
	return ERR_PTR(-ENOENT);
}

/* A service translates to its members' addresses, so they need one of its family. */
static struct vr_nexthop *find_nexthop(struct vr_net *vn, const struct vr_vip_cfg *cfg,
				       struct netlink_ext_ack *extack)
{
	struct vr_nexthop *nh = xa_load(&vn->nexthops, cfg->nexthop);
	const struct vr_group *g;
	unsigned int i;

	if (!nh) {
		NL_SET_ERR_MSG_FMT(extack, "Next hop %u does not exist", cfg->nexthop);
		return ERR_PTR(-ENOENT);
	}
	if (nh->type != VROUTER_NEXTHOP_TYPE_ECMP) {
		NL_SET_ERR_MSG_FMT(extack, "A vip needs an ecmp next hop, %u is none", nh->id);
		return ERR_PTR(-EINVAL);
	}
	g = rcu_dereference_protected(nh->group, lockdep_is_held(&vn->lock));
	for (i = 0; i < g->n; i++) {
		if (g->members[i]->family == cfg->key.family)
			continue;
		NL_SET_ERR_MSG_FMT(extack, "Next hop %u has a member without %s address", nh->id,
				   cfg->key.family == AF_INET ? "IPv4" : "IPv6");
		return ERR_PTR(-EINVAL);
	}
	return nh;
}

static struct vr_vip *vip_new(const struct vr_vip_cfg *cfg)
{
	struct vr_vip *vip = kzalloc(sizeof(*vip), GFP_KERNEL_ACCOUNT);

	if (!vip)
		return NULL;
	vip->key = cfg->key;
	vip->affinity_timeout = cfg->affinity_timeout;
	vip->counters = vr_counters_alloc();
	if (!vip->counters) {
		kfree(vip);
		return NULL;
	}
	return vip;
}

/* label is taken over on success. */
static int add(struct vr_net *vn, struct vr_vrf *vrf, const struct vr_vip_cfg *cfg,
	       struct vr_nexthop *nh, struct vr_sg *sg, char *label,
	       struct netlink_ext_ack *extack)
{
	struct vr_vip *vip;
	int err;

	err = vr_take_of(vn, vips, 1, "vips", extack);
	if (err)
		return err;

	vip = vip_new(cfg);
	if (!vip) {
		err = -ENOMEM;
		goto err_give;
	}
	err = addr_get(vn, &vip->key);
	if (err)
		goto err_free;
	vip->label = label;
	vip->gen = vr_net_stamp(vn);
	use_nexthop(vip, nh);
	use_sg(vip, sg);
	err = rhashtable_insert_fast(&vn->vips, &vip->node, vip_params);
	if (err)
		goto err_addr;
	order_add(vn, vip);
	/* Flows that went past the service until now have to be found */
	WRITE_ONCE(vrf->gen, vr_net_stamp(vn));
	return 0;

err_addr:
	unuse_sg(vn, vip);
	unuse_nexthop(vip, nh);
	addr_put(vn, &vip->key);
err_free:
	free_percpu(vip->counters);
	kfree(vip);
err_give:
	vr_give_of(vn, vips, 1);
	return err;
}

static void replace(struct vr_net *vn, struct vr_vip *vip, const struct vr_vip_cfg *cfg,
		    struct vr_nexthop *nh, struct vr_sg *sg, char *label)
{
	unuse_nexthop(vip, nh_of(vn, vip));
	use_nexthop(vip, nh);
	unuse_sg(vn, vip);
	use_sg(vip, sg);
	WRITE_ONCE(vip->affinity_timeout, cfg->affinity_timeout);
	vr_label_swap(&vip->label, label);
	WRITE_ONCE(vip->gen, vr_net_stamp(vn));
}

int vr_vip_set(struct vr_net *vn, const struct vr_vip_cfg *cfg, u16 nlflags,
	       struct netlink_ext_ack *extack)
{
	struct vr_nexthop *nh;
	struct vr_vip *vip;
	struct vr_vrf *vrf;
	struct vr_sg *sg;
	char *label;
	int err;

	lockdep_assert_held(&vn->lock);
	vrf = xa_load(&vn->vrfs, cfg->key.vrf);
	if (!vrf) {
		NL_SET_ERR_MSG_FMT(extack, "VRF %u does not exist", cfg->key.vrf);
		return -ENOENT;
	}
	vip = rhashtable_lookup_fast(&vn->vips, &cfg->key, vip_params);
	err = vr_check_flags(vip, nlflags, extack, "The vip in VRF %u", cfg->key.vrf);
	if (err)
		return err;
	nh = find_nexthop(vn, cfg, extack);
	if (IS_ERR(nh))
		return PTR_ERR(nh);
	sg = find_sg(vn, cfg, extack);
	if (IS_ERR(sg))
		return PTR_ERR(sg);
	label = vr_label_dup(cfg->label);
	if (IS_ERR(label))
		return PTR_ERR(label);

	if (vip) {
		replace(vn, vip, cfg, nh, sg, label);
	} else {
		err = add(vn, vrf, cfg, nh, sg, label, extack);
		if (err) {
			vr_label_free(label);
			return err;
		}
	}
	vr_net_bump(vn);
	return 0;
}

static void remove(struct vr_net *vn, struct vr_vip *vip)
{
	rhashtable_remove_fast(&vn->vips, &vip->node, vip_params);
	rb_erase(&vip->order, &vn->vip_order);
	unuse_nexthop(vip, nh_of(vn, vip));
	unuse_sg(vn, vip);
	addr_put(vn, &vip->key);
	vr_label_free(vip->label);
	WRITE_ONCE(vip->label, NULL);
	WRITE_ONCE(vip->gen, vr_net_stamp(vn));
	vr_give_of(vn, vips, 1);
	call_rcu(&vip->rcu, vip_free_rcu);
}

int vr_vip_del(struct vr_net *vn, const struct vr_vip_key *key, struct netlink_ext_ack *extack)
{
	struct vr_vip *vip;
	struct vr_vrf *vrf;

	lockdep_assert_held(&vn->lock);
	vip = rhashtable_lookup_fast(&vn->vips, key, vip_params);
	if (!vip) {
		NL_SET_ERR_MSG_FMT(extack, "No such vip in VRF %u", key->vrf);
		return -ENOENT;
	}

	remove(vn, vip);
	vrf = xa_load(&vn->vrfs, key->vrf);
	if (!WARN_ON_ONCE(!vrf))
		WRITE_ONCE(vrf->gen, vr_net_stamp(vn));
	vr_net_bump(vn);
	return 0;
}

void vr_vip_del_vrf(struct vr_net *vn, u32 vrf)
{
	const struct vr_vip_key from = { .vrf = vrf };
	struct vr_vip *vip;

	while ((vip = vr_vip_next(vn, &from)) && vip->key.vrf == vrf)
		remove(vn, vip);
}
