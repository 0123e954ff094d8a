// SPDX-License-Identifier: GPL-2.0-only
/* Next hops. Who uses one points to it; a replace swaps what is behind it. */

#include <linux/slab.h>

#include "table.h"

static const char * const type_names[] = {
	[VROUTER_NEXTHOP_TYPE_BLACKHOLE]	= "blackhole",
	[VROUTER_NEXTHOP_TYPE_LOCAL]		= "local",
	[VROUTER_NEXTHOP_TYPE_ECMP]		= "ecmp",
	[VROUTER_NEXTHOP_TYPE_HOST]		= "host",
	[VROUTER_NEXTHOP_TYPE_VRF]		= "vrf",
	[VROUTER_NEXTHOP_TYPE_TUNNEL]		= "tunnel",
	[VROUTER_NEXTHOP_TYPE_SNAT]		= "snat",
};

static struct vr_group *group_of(struct vr_net *vn, struct vr_nexthop *nh)
{
	return rcu_dereference_protected(nh->group, lockdep_is_held(&vn->lock));
}

/* The group stays that long: who has the next hop may look at it. */
static void nexthop_free(struct vr_nexthop *nh)
{
	struct vr_group *g = rcu_dereference_protected(nh->group, true);

	if (g)
		vr_group_free(g);
	kfree(rcu_dereference_protected(nh->snat, true));
	vr_label_free(nh->label);
	free_percpu(nh->counters);
	kfree(nh);
}

static void nexthop_free_rcu(struct rcu_head *rcu)
{
	nexthop_free(container_of(rcu, struct vr_nexthop, rcu));
}

void vr_nexthop_put(struct vr_nexthop *nh)
{
	if (refcount_dec_and_test(&nh->ref))
		call_rcu(&nh->rcu, nexthop_free_rcu);
}

/* --- what is behind one --------------------------------------------------- */

/* Looked up, and made as far as it can fail; then it is only swapped in. */
struct target {
	struct vr_vif		*vif;
	struct vr_vrf		*vrf;
	struct vr_group		*group;
	struct vr_tunnel	*tunnel;
	struct vr_snat		*snat;
	struct vr_member_want	*want;
	unsigned int		n;
	char			*label;
};

/* A service that uses the group translates to its members' addresses. */
static int check_vips(struct vr_net *vn, struct vr_nexthop *nh, const struct vr_nexthop_cfg *cfg,
		      struct netlink_ext_ack *extack)
{
	struct vr_vip *vip;
	unsigned int i;

	list_for_each_entry(vip, &nh->vips, of_nh)
		for (i = 0; i < cfg->n_members; i++) {
			if (cfg->members[i].family == vip->key.family)
				continue;
			NL_SET_ERR_MSG_FMT(extack,
					   "A vip uses next hop %u: members need %s addresses",
					   nh->id, vip->key.family == AF_INET ? "IPv4" : "IPv6");
			if (cfg->members[i].attr)
				NL_SET_BAD_ATTR(extack, cfg->members[i].attr);
			return -EINVAL;
		}
	return 0;
}

static int prepare_group(struct vr_net *vn, struct vr_nexthop *nh,
			 const struct vr_nexthop_cfg *cfg, struct target *t,
			 struct netlink_ext_ack *extack)
{
	const struct vr_group *old = nh ? group_of(vn, nh) : NULL;
	int more, err;

	err = nh ? check_vips(vn, nh, cfg, extack) : 0;
	if (err)
		return err;

	t->n = cfg->n_members;
	more = (int)t->n - (int)(old ? old->n : 0);
	err = vr_take_of(vn, members, more, "members", extack);
	if (err)
		return err;
	t->want = vr_members_prepare(vn, old, cfg->members, t->n, extack);
	if (IS_ERR(t->want)) {
		err = PTR_ERR(t->want);
		goto err_give;
	}
	t->group = vr_group_build(old, t->want, t->n);
	if (IS_ERR(t->group)) {
		err = PTR_ERR(t->group);
		goto err_undo;
	}
	return 0;

err_undo:
	vr_members_undo(t->want, t->n);
err_give:
	vr_give_of(vn, members, more);
	t->want = NULL;
	t->group = NULL;
	return err;
}

static int prepare_snat(const struct vr_nexthop_cfg *cfg, struct target *t,
			struct netlink_ext_ack *extack)
{
	if (t->vif->type != VROUTER_VIF_TYPE_EXTERNAL) {
		NL_SET_ERR_MSG_FMT(extack, "Vif %u is not of type external", t->vif->id);
		return -EINVAL;
	}
	t->snat = kmemdup(cfg->snat, struct_size(cfg->snat, addrs, cfg->snat->n),
			  GFP_KERNEL_ACCOUNT);
	return t->snat ? 0 : -ENOMEM;
}

static int prepare(struct vr_net *vn, struct vr_nexthop *nh, const struct vr_nexthop_cfg *cfg,
		   struct target *t, struct netlink_ext_ack *extack)
{
	int err = 0;

	t->label = vr_label_dup(cfg->label);
	if (IS_ERR(t->label))
		return PTR_ERR(t->label);

	switch (cfg->type) {
	case VROUTER_NEXTHOP_TYPE_LOCAL:
	case VROUTER_NEXTHOP_TYPE_SNAT:
		t->vif = xa_load(&vn->vifs, cfg->vif);
		if (!t->vif) {
			NL_SET_ERR_MSG_FMT(extack, "Vif %u does not exist", cfg->vif);
			err = -ENOENT;
		} else if (cfg->type == VROUTER_NEXTHOP_TYPE_SNAT) {
			err = prepare_snat(cfg, t, extack);
		}
		break;
	case VROUTER_NEXTHOP_TYPE_VRF:
		t->vrf = xa_load(&vn->vrfs, cfg->vrf);
		if (!t->vrf) {
			NL_SET_ERR_MSG_FMT(extack, "VRF %u does not exist", cfg->vrf);
			err = -ENOENT;
		}
		break;
	case VROUTER_NEXTHOP_TYPE_ECMP:
		err = prepare_group(vn, nh, cfg, t, extack);
		break;
	case VROUTER_NEXTHOP_TYPE_TUNNEL:
		t->tunnel = vr_tunnel_new(vn, nh, &cfg->tunnel, extack);
		err = PTR_ERR_OR_ZERO(t->tunnel);
		break;
	}
	if (err)
		vr_label_free(t->label);
	return err;
}

/* What prepare() made, when it is not used after all. */
static void undo(struct vr_net *vn, struct target *t)
{
	vr_label_free(t->label);
	kfree(t->snat);
	if (t->tunnel)
		vr_tunnel_undo(vn, t->tunnel);
	if (!t->group)
		return;
	vr_give_of(vn, members, t->n);
	vr_members_undo(t->want, t->n);
	vr_group_free(t->group);
}

static void set_vif(struct vr_nexthop *nh, struct vr_vif *vif)
{
	list_del_init(&nh->of_vif);
	if (vif)
		list_add_tail(&nh->of_vif, &vif->nexthops);
	rcu_assign_pointer(nh->vif, vif);
}

static void set_snat(struct vr_net *vn, struct vr_nexthop *nh, struct vr_snat *snat)
{
	struct vr_snat *old = rcu_replace_pointer(nh->snat, snat, lockdep_is_held(&vn->lock));

	if (old)
		kfree_rcu(old, rcu);
}

static void set_vrf(struct vr_net *vn, struct vr_nexthop *nh, struct vr_vrf *vrf)
{
	struct vr_vrf *old;

	if (vrf)
		vrf->users++;
	old = rcu_replace_pointer(nh->vrf, vrf, lockdep_is_held(&vn->lock));
	if (old)
		old->users--;
}

static void set_group(struct vr_net *vn, struct vr_nexthop *nh, struct target *t)
{
	struct vr_group *old = group_of(vn, nh);
	struct vr_vip *vip;

	vr_members_apply(t->want, t->n);
	rcu_assign_pointer(nh->group, t->group);
	vr_members_finish(old, t->want, t->n);
	if (old) {
		vr_give_of(vn, members, (int)old->n - (int)t->n);
		vr_group_free_later(old);
	}
	list_for_each_entry(vip, &nh->vips, of_nh)
		WRITE_ONCE(vip->gen, vr_net_stamp(vn));
}

static void commit(struct vr_net *vn, struct vr_nexthop *nh, struct target *t)
{
	switch (nh->type) {
	case VROUTER_NEXTHOP_TYPE_SNAT:
		set_snat(vn, nh, t->snat);
		fallthrough;
	case VROUTER_NEXTHOP_TYPE_LOCAL:
		set_vif(nh, t->vif);
		break;
	case VROUTER_NEXTHOP_TYPE_VRF:
		set_vrf(vn, nh, t->vrf);
		break;
	case VROUTER_NEXTHOP_TYPE_ECMP:
		set_group(vn, nh, t);
		break;
	case VROUTER_NEXTHOP_TYPE_TUNNEL:
		vr_tunnel_set(vn, nh, t->tunnel);
		break;
	}
	vr_label_swap(&nh->label, t->label);
	WRITE_ONCE(nh->gen, vr_net_stamp(vn));
}

/* --- set and delete ------------------------------------------------------- */

static struct vr_nexthop *nexthop_new(const struct vr_nexthop_cfg *cfg)
{
	struct vr_nexthop *nh = kzalloc(sizeof(*nh), GFP_KERNEL_ACCOUNT);

	if (!nh)
		return NULL;
	nh->id = cfg->id;
	nh->type = cfg->type;
	INIT_LIST_HEAD(&nh->vips);
	INIT_LIST_HEAD(&nh->of_vif);
	refcount_set(&nh->ref, 1);
	nh->counters = vr_counters_alloc();
	if (!nh->counters) {
		kfree(nh);
		return NULL;
	}
	return nh;
}

/* Reserves the id first, so that nothing can fail once readers can see it. */
static int add(struct vr_net *vn, const struct vr_nexthop_cfg *cfg, struct target *t,
	       struct netlink_ext_ack *extack)
{
	struct vr_nexthop *nh;
	int err;

	err = vr_take_of(vn, nexthops, 1, "nexthops", extack);
	if (err)
		return err;
	nh = nexthop_new(cfg);
	err = nh ? xa_reserve(&vn->nexthops, cfg->id, GFP_KERNEL_ACCOUNT) : -ENOMEM;
	if (err) {
		if (nh)
			nexthop_free(nh);
		vr_give_of(vn, nexthops, 1);
		return err;
	}
	commit(vn, nh, t);
	xa_store(&vn->nexthops, cfg->id, nh, GFP_KERNEL_ACCOUNT);
	return 0;
}

int vr_nexthop_set(struct vr_net *vn, const struct vr_nexthop_cfg *cfg, u16 nlflags,
		   struct netlink_ext_ack *extack)
{
	struct vr_nexthop *nh;
	struct target t = {};
	int err;

	lockdep_assert_held(&vn->lock);
	nh = xa_load(&vn->nexthops, cfg->id);
	err = vr_check_flags(nh, nlflags, extack, "Next hop %u", cfg->id);
	if (err)
		return err;
	if (nh && nh->type != cfg->type) {
		NL_SET_ERR_MSG_FMT(extack, "Next hop %u is of type %s, which cannot be changed",
				   nh->id, type_names[nh->type]);
		return -EINVAL;
	}

	err = prepare(vn, nh, cfg, &t, extack);
	if (err)
		return err;
	if (nh) {
		commit(vn, nh, &t);
	} else {
		err = add(vn, cfg, &t, extack);
		if (err) {
			undo(vn, &t);
			return err;
		}
	}
	vr_net_bump(vn);
	return 0;
}

static void nexthop_release(struct vr_net *vn, struct vr_nexthop *nh)
{
	struct vr_group *g = group_of(vn, nh);

	set_vif(nh, NULL);
	set_vrf(vn, nh, NULL);
	vr_tunnel_set(vn, nh, NULL);
	if (g) {
		vr_members_remove(g);
		vr_give_of(vn, members, g->n);
	}
	vr_nexthop_put(nh);
}

int vr_nexthop_del(struct vr_net *vn, u32 id, struct netlink_ext_ack *extack)
{
	struct vr_nexthop *nh;

	lockdep_assert_held(&vn->lock);
	nh = xa_load(&vn->nexthops, id);
	if (!nh) {
		NL_SET_ERR_MSG_FMT(extack, "Next hop %u does not exist", id);
		return -ENOENT;
	}
	if (nh->users) {
		NL_SET_ERR_MSG_FMT(extack, "Next hop %u is used by %u routes, %u vips, %u members",
				   id, nh->users - nh->n_vips - nh->n_members, nh->n_vips,
				   nh->n_members);
		return -EBUSY;
	}

	xa_erase(&vn->nexthops, id);
	WRITE_ONCE(nh->gen, vr_net_stamp(vn));
	nexthop_release(vn, nh);
	vr_net_bump(vn);
	vr_give_of(vn, nexthops, 1);
	return 0;
}

bool vr_nexthop_may_tell(struct vr_nexthop *nh)
{
	u32 was = READ_ONCE(nh->told), now = (u32)jiffies | 1;

	return (!was || now - was > 60 * HZ) && cmpxchg(&nh->told, was, now) == was;
}

void vr_nexthop_vif_gone(struct vr_net *vn, struct vr_vif *vif)
{
	struct vr_nexthop *nh, *next;

	list_for_each_entry_safe(nh, next, &vif->nexthops, of_vif) {
		set_vif(nh, NULL);
		WRITE_ONCE(nh->gen, vr_net_stamp(vn));
	}
}
