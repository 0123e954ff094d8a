// SPDX-License-Identifier: GPL-2.0-only
/* Routes. One is never edited: a replace puts another in its place. */

#include <linux/slab.h>

#include "table.h"

static struct vr_lpm *lpm_of(struct vr_vrf *vrf, u8 family)
{
	return &vrf->routes[family == AF_INET6];
}

struct vr_route *vr_route_lookup_rcu(const struct vr_vrf *vrf, u8 family,
				     const union vr_addr *addr)
{
	return vr_lpm_lookup(&vrf->routes[family == AF_INET6], addr, NULL);
}

static struct vr_vrf *find_vrf(struct vr_net *vn, u32 id, struct netlink_ext_ack *extack)
{
	struct vr_vrf *vrf = xa_load(&vn->vrfs, id);

	if (!vrf)
		NL_SET_ERR_MSG_FMT(extack, "VRF %u does not exist", id);
	return vrf;
}

static struct vr_route *route_new(const struct vr_net *vn, const struct vr_route_cfg *cfg,
				  struct vr_nexthop *nh)
{
	struct vr_route *r;

	r = kmalloc(struct_size(r, sgs, cfg->n_sgs), GFP_KERNEL_ACCOUNT);
	if (!r)
		return NULL;

	r->prefix = cfg->prefix;
	r->gen = vr_net_stamp(vn);
	r->nh = nh;
	r->node = cfg->node;
	r->n_sgs = cfg->n_sgs;
	if (r->n_sgs)
		memcpy(r->sgs, cfg->sgs, r->n_sgs * sizeof(r->sgs[0]));
	r->label = vr_label_dup(cfg->label);
	if (IS_ERR(r->label)) {
		kfree(r);
		return NULL;
	}
	return r;
}

void vr_route_free(void *route)
{
	struct vr_route *r = route;

	vr_label_free(r->label);
	kfree(r);
}

static void release(struct vr_route *r)
{
	r->nh->users--;
	vr_label_free(r->label);
	kfree_rcu(r, rcu);
}

/* Puts r in the table. */
static int put(struct vr_net *vn, struct vr_vrf *vrf, struct vr_route *r)
{
	void *old;
	int err;

	err = vr_lpm_set(lpm_of(vrf, r->prefix.family), &r->prefix.addr, r->prefix.len, r, &old);
	if (err)
		return err;

	r->nh->users++;
	if (old)
		release(old);
	else
		vrf->n_routes++;
	WRITE_ONCE(vrf->gen, vr_net_stamp(vn));
	vr_net_bump(vn);
	return 0;
}

int vr_route_set(struct vr_net *vn, const struct vr_route_cfg *cfg, u16 nlflags,
		 struct netlink_ext_ack *extack)
{
	struct vr_nexthop *nh;
	struct vr_route *r;
	struct vr_vrf *vrf;
	bool exists;
	int err;

	lockdep_assert_held(&vn->lock);
	vrf = find_vrf(vn, cfg->vrf, extack);
	if (!vrf)
		return -ENOENT;
	exists = vr_lpm_get(lpm_of(vrf, cfg->prefix.family), &cfg->prefix.addr, cfg->prefix.len);
	err = vr_check_flags(exists, nlflags, extack, "The route in VRF %u", cfg->vrf);
	if (err)
		return err;
	nh = xa_load(&vn->nexthops, cfg->nexthop);
	if (!nh) {
		NL_SET_ERR_MSG_FMT(extack, "Next hop %u does not exist", cfg->nexthop);
		return -ENOENT;
	}

	if (!exists) {
		err = vr_take_of(vn, routes, 1, "routes", extack);
		if (err)
			return err;
	}
	r = route_new(vn, cfg, nh);
	err = r ? put(vn, vrf, r) : -ENOMEM;
	if (!err)
		return 0;

	if (r)
		vr_route_free(r);
	if (!exists)
		vr_give_of(vn, routes, 1);
	return err;
}

int vr_route_del(struct vr_net *vn, u32 id, const struct vr_prefix *prefix,
		 struct netlink_ext_ack *extack)
{
	struct vr_route *r;
	struct vr_vrf *vrf;

	lockdep_assert_held(&vn->lock);
	vrf = find_vrf(vn, id, extack);
	if (!vrf)
		return -ENOENT;
	r = vr_lpm_del(lpm_of(vrf, prefix->family), &prefix->addr, prefix->len);
	if (!r) {
		NL_SET_ERR_MSG_FMT(extack, "No such route in VRF %u", id);
		return -ENOENT;
	}

	vrf->n_routes--;
	WRITE_ONCE(vrf->gen, vr_net_stamp(vn));
	vr_net_bump(vn);
	release(r);
	vr_give_of(vn, routes, 1);
	return 0;
}

void vr_route_release_all(struct vr_net *vn, struct vr_vrf *vrf)
{
	struct vr_route *r;
	unsigned int i;

	if (!vrf->n_routes)
		return;
	for (i = 0; i < ARRAY_SIZE(vrf->routes); i++)
		for (r = vr_lpm_next(&vrf->routes[i], NULL, 0); r;
		     r = vr_lpm_next(&vrf->routes[i], &r->prefix.addr, r->prefix.len))
			r->nh->users--;

	vr_give_of(vn, routes, vrf->n_routes);
	vrf->n_routes = 0;
}
