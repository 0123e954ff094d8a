// SPDX-License-Identifier: GPL-2.0-only
/* VRFs over netlink. */

#include "nl.h"

#define MAX_GATEWAYS	16

static int fill(struct sk_buff *skb, const struct vr_net *vn, const void *obj)
{
	const struct vr_vrf *vrf = obj;
	const struct vr_gateways *gw;
	unsigned int i;

	if (nla_put_u32(skb, VROUTER_A_VRF_ID, vrf->id) ||
	    vr_nl_put_label(skb, VROUTER_A_VRF_LABEL, vrf->label))
		return -EMSGSIZE;

	gw = rcu_dereference_protected(vrf->gateways, lockdep_is_held(&vn->lock));
	for (i = 0; gw && i < gw->n; i++)
		if (vr_nl_put_addr(skb, VROUTER_A_VRF_GATEWAY, gw->a[i].family, &gw->a[i].addr))
			return -EMSGSIZE;

	if (nla_put_u32(skb, VROUTER_A_VRF_ROUTES, vrf->n_routes))
		return -EMSGSIZE;
	return vr_nl_put_counters(skb, VROUTER_A_VRF_COUNTERS, vrf->counters, NULL);
}

/* The VRF that the request names. Under vr_net::lock. */
static struct vr_vrf *find(struct vr_net *vn, struct genl_info *info)
{
	struct nlattr *id = info->attrs[VROUTER_A_VRF_ID];
	struct vr_vrf *vrf = vr_vrf_rcu(vn, nla_get_u32(id));

	if (!vrf)
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, id, "VRF %u does not exist", nla_get_u32(id));
	return vrf;
}

int vrouter_nl_vrf_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_vrf *vrf;
	int err;

	err = vr_nl_require(info, VROUTER_A_VRF_ID, "The VRF's id");
	if (err)
		return err;

	mutex_lock(&vn->lock);
	vrf = find(vn, info);
	err = vrf ? vr_nl_reply(info, vn, VROUTER_CMD_VRF_GET, fill, vrf) : -ENOENT;
	mutex_unlock(&vn->lock);
	return err;
}

static struct xarray *table(struct vr_net *vn)
{
	return &vn->vrfs;
}

int vrouter_nl_vrf_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	int err = vr_nl_dump_filters(cb, VROUTER_A_VRF_ID, 0);

	return err ?: vr_nl_dump_xa(skb, cb, VROUTER_CMD_VRF_GET, table, fill);
}

int vrouter_nl_vrf_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_addr_af *gateways;
	struct vr_vrf_cfg cfg = {};
	int err;

	err = vr_nl_require(info, VROUTER_A_VRF_ID, "The VRF's id");
	if (err)
		return err;
	err = vr_nl_unicasts(info, VROUTER_A_VRF_GATEWAY, MAX_GATEWAYS, &gateways,
			     &cfg.n_gateways);
	if (err)
		return err;

	cfg.id = nla_get_u32(info->attrs[VROUTER_A_VRF_ID]);
	cfg.label = vr_nl_label(info->attrs[VROUTER_A_VRF_LABEL]);
	cfg.gateways = gateways;

	mutex_lock(&vn->lock);
	err = vr_vrf_set(vn, &cfg, info->nlhdr->nlmsg_flags, info->extack);
	vr_nl_blame(info, err == -EADDRINUSE ? VROUTER_A_VRF_GATEWAY : VROUTER_A_VRF_ID, err);
	if (!err)
		vr_nl_ntf_done(vn, vr_nl_ntf_new(vn, VROUTER_CMD_VRF_NEW_NTF, fill, NULL,
						 vr_vrf_rcu(vn, cfg.id)), 0);
	mutex_unlock(&vn->lock);
	kvfree(gateways);
	return err;
}

int vrouter_nl_vrf_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct sk_buff *ntf;
	struct vr_vrf *vrf;
	int err;

	err = vr_nl_require(info, VROUTER_A_VRF_ID, "The VRF's id");
	if (err)
		return err;

	mutex_lock(&vn->lock);
	vrf = find(vn, info);
	if (vrf) {
		ntf = vr_nl_ntf_new(vn, VROUTER_CMD_VRF_DEL_NTF, fill, NULL, vrf);
		err = vr_vrf_del(vn, vrf->id, info->extack);
		vr_nl_blame(info, VROUTER_A_VRF_ID, err);
		vr_nl_ntf_done(vn, ntf, err);
	} else {
		err = -ENOENT;
	}
	mutex_unlock(&vn->lock);
	return err;
}
