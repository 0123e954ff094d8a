// SPDX-License-Identifier: GPL-2.0-only
/* VRFs: gateways, and the tables of routes that route.c fills. */

#include <linux/slab.h>

#include "table.h"

bool vr_vrf_is_gateway(const struct vr_vrf *vrf, u8 family, const union vr_addr *addr)
{
	const struct vr_gateways *gw = rcu_dereference(vrf->gateways);
	unsigned int i;

	for (i = 0; i < gw->n; i++)
		if (gw->a[i].family == family && vr_addr_eq(&gw->a[i].addr, addr))
			return true;
	return false;
}

static struct vr_gateways *gateways_new(const struct vr_vrf_cfg *cfg)
{
	struct vr_gateways *gw;

	gw = kmalloc(struct_size(gw, a, cfg->n_gateways), GFP_KERNEL_ACCOUNT);
	if (!gw)
		return NULL;
	gw->n = cfg->n_gateways;
	if (gw->n)
		memcpy(gw->a, cfg->gateways, gw->n * sizeof(gw->a[0]));
	return gw;
}

/* A gateway's address is answered for by the module; no pod may have it. */
static int check_gateways(struct vr_net *vn, const struct vr_vrf_cfg *cfg,
			  struct netlink_ext_ack *extack)
{
	const struct vr_vif_conf *conf;
	struct vr_vif *vif;
	unsigned long id;
	unsigned int i;

	xa_for_each(&vn->vifs, id, vif) {
		conf = rcu_dereference_protected(vif->conf, lockdep_is_held(&vn->lock));
		if (conf->vrf->id != cfg->id)
			continue;
		for (i = 0; i < cfg->n_gateways; i++) {
			if (!vr_vif_owns(conf, cfg->gateways[i].family, &cfg->gateways[i].addr))
				continue;
			vr_extack_addr(extack, cfg->gateways[i].family, &cfg->gateways[i].addr,
				       "is an address of vif", vif->id);
			return -EADDRINUSE;
		}
	}
	return 0;
}

/* What holds memory only. No reader left. */
static void vrf_free(struct vr_vrf *vrf)
{
	vr_lpm_destroy(&vrf->routes[0], vr_route_free);
	vr_lpm_destroy(&vrf->routes[1], vr_route_free);
	kfree(rcu_dereference_protected(vrf->gateways, true));
	vr_label_free(vrf->label);
	free_percpu(vrf->counters);
	kfree(vrf);
}

static void vrf_free_work(struct work_struct *work)
{
	vrf_free(container_of(to_rcu_work(work), struct vr_vrf, free));
}

static struct vr_vrf *vrf_new(const struct vr_vrf_cfg *cfg)
{
	struct vr_vrf *vrf = kzalloc(sizeof(*vrf), GFP_KERNEL_ACCOUNT);

	if (!vrf)
		return NULL;
	vrf->id = cfg->id;
	vr_lpm_init(&vrf->routes[0], 32);
	vr_lpm_init(&vrf->routes[1], 128);
	INIT_RCU_WORK(&vrf->free, vrf_free_work);
	vrf->counters = vr_counters_alloc();
	if (!vrf->counters) {
		kfree(vrf);
		return NULL;
	}
	return vrf;
}

/* gw and label are taken over on success. */
static int add(struct vr_net *vn, const struct vr_vrf_cfg *cfg, struct vr_gateways *gw,
	       char *label, struct netlink_ext_ack *extack)
{
	struct vr_vrf *vrf;
	int err;

	err = vr_take_of(vn, vrfs, 1, "vrfs", extack);
	if (err)
		return err;

	vrf = vrf_new(cfg);
	if (!vrf) {
		err = -ENOMEM;
		goto err_give;
	}
	RCU_INIT_POINTER(vrf->gateways, gw);
	vrf->label = label;
	vrf->gen = vr_net_stamp(vn);
	err = xa_insert(&vn->vrfs, cfg->id, vrf, GFP_KERNEL_ACCOUNT);
	if (err)
		goto err_free;
	return 0;

err_free:
	vrf->label = NULL;
	RCU_INIT_POINTER(vrf->gateways, NULL);
	vrf_free(vrf);
err_give:
	vr_give_of(vn, vrfs, 1);
	return err;
}

static void replace(struct vr_net *vn, struct vr_vrf *vrf, struct vr_gateways *gw, char *label)
{
	gw = rcu_replace_pointer(vrf->gateways, gw, lockdep_is_held(&vn->lock));
	kfree_rcu(gw, rcu);
	vr_label_swap(&vrf->label, label);
	WRITE_ONCE(vrf->gen, vr_net_stamp(vn));
}

int vr_vrf_set(struct vr_net *vn, const struct vr_vrf_cfg *cfg, u16 nlflags,
	       struct netlink_ext_ack *extack)
{
	struct vr_gateways *gw;
	struct vr_vrf *vrf;
	char *label;
	int err;

	lockdep_assert_held(&vn->lock);
	vrf = xa_load(&vn->vrfs, cfg->id);
	err = vr_check_flags(vrf, nlflags, extack, "VRF %u", cfg->id);
	if (err)
		return err;
	err = check_gateways(vn, cfg, extack);
	if (err)
		return err;

	label = vr_label_dup(cfg->label);
	if (IS_ERR(label))
		return PTR_ERR(label);
	gw = gateways_new(cfg);
	if (!gw) {
		err = -ENOMEM;
		goto err_label;
	}

	if (vrf) {
		replace(vn, vrf, gw, label);
	} else {
		err = add(vn, cfg, gw, label, extack);
		if (err)
			goto err_gateways;
	}
	vr_net_bump(vn);
	return 0;

err_gateways:
	kfree(gw);
err_label:
	vr_label_free(label);
	return err;
}

int vr_vrf_del(struct vr_net *vn, u32 id, struct netlink_ext_ack *extack)
{
	struct vr_vrf *vrf;

	lockdep_assert_held(&vn->lock);
	vrf = xa_load(&vn->vrfs, id);
	if (!vrf) {
		NL_SET_ERR_MSG_FMT(extack, "VRF %u does not exist", id);
		return -ENOENT;
	}
	if (vrf->users) {
		NL_SET_ERR_MSG_FMT(extack, "VRF %u is used by %u vifs and %u next hops", id,
				   vrf->n_vifs, vrf->users - vrf->n_vifs);
		return -EBUSY;
	}

	xa_erase(&vn->vrfs, id);
	vr_vip_del_vrf(vn, id);
	vr_route_release_all(vn, vrf);
	WRITE_ONCE(vrf->gen, vr_net_stamp(vn));
	vr_net_bump(vn);
	vr_give_of(vn, vrfs, 1);
	queue_rcu_work(vr_wq, &vrf->free);
	return 0;
}
