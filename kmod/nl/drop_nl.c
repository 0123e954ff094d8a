// SPDX-License-Identifier: GPL-2.0-only
/* Drop counters over netlink, of the namespace or of one vif. */

#include "../obs/obs.h"
#include "nl.h"

struct count {
	enum vrouter_drop_reason why;
	u64			packets;
	u32			vif;		/* 0 = of the namespace */
};

static int fill(struct sk_buff *skb, const struct vr_net *vn, const void *obj)
{
	const struct count *c = obj;

	if (nla_put_u32(skb, VROUTER_A_DROP_REASON, c->why) ||
	    nla_put_string(skb, VROUTER_A_DROP_NAME, vr_drop_name(c->why)) ||
	    nla_put_string(skb, VROUTER_A_DROP_HELP, vr_drop_help(c->why)) ||
	    nla_put_u64_64bit(skb, VROUTER_A_DROP_PACKETS, c->packets, VROUTER_A_DROP_PAD) ||
	    (c->vif && nla_put_u32(skb, VROUTER_A_DROP_VIF, c->vif)))
		return -EMSGSIZE;
	return 0;
}

/* The vif that the request names. Under vr_net::lock. */
static struct vr_vif *find_vif(struct vr_net *vn, const struct nlattr *attr,
			       struct netlink_ext_ack *extack)
{
	struct vr_vif *vif = vr_vif_rcu(vn, nla_get_u32(attr));

	if (!vif)
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "Vif %u does not exist", nla_get_u32(attr));
	return vif;
}

/* Under vr_net::lock when there is a vif. */
static u64 count(struct vr_net *vn, const struct vr_vif *vif, enum vrouter_drop_reason why)
{
	return vif ? vr_vif_drops(vif, why) : vr_net_drops(vn, why);
}

int vrouter_nl_drop_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[VROUTER_A_DROP_VIF];
	struct vr_net *vn = vr_nl_net(info);
	struct vr_vif *vif = NULL;
	struct count c = {};
	int err;

	err = vr_nl_require(info, VROUTER_A_DROP_REASON, "The drop reason");
	if (err)
		return err;
	c.why = nla_get_u32(info->attrs[VROUTER_A_DROP_REASON]);
	if (c.why == VROUTER_DROP_REASON_NONE) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VROUTER_A_DROP_REASON],
				    "\"none\" is not counted");
		return -EINVAL;
	}

	mutex_lock(&vn->lock);
	if (attr)
		vif = find_vif(vn, attr, info->extack);
	if (attr && !vif) {
		err = -ENOENT;
	} else {
		c.vif = vif ? vif->id : 0;
		c.packets = count(vn, vif, c.why);
		err = vr_nl_reply(info, vn, VROUTER_CMD_DROP_GET, fill, &c);
	}
	mutex_unlock(&vn->lock);
	return err;
}

/* All reasons but "none", also those that never happened. */
static int dump(struct sk_buff *skb, struct netlink_callback *cb, struct vr_net *vn,
		const struct vr_vif *vif)
{
	struct count c = { .vif = vif ? vif->id : 0 };
	long *done = (long *)cb->ctx;
	int err;

	while (*done < VROUTER_DROP_REASON_MAX) {
		c.why = *done + 1;
		c.packets = count(vn, vif, c.why);
		err = vr_nl_dump_one(skb, cb, vn, VROUTER_CMD_DROP_GET, fill, &c);
		if (err)
			return err;
		(*done)++;
	}
	return 0;
}

int vrouter_nl_drop_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *attr = vr_dump_attrs(cb)[VROUTER_A_DROP_VIF];
	struct vr_net *vn = vr_nl_dump_net(cb);
	struct vr_vif *vif = NULL;
	int err;

	err = vr_nl_dump_filters(cb, VROUTER_A_DROP_VIF, BIT_ULL(VROUTER_A_DROP_VIF));
	if (err)
		return err;

	mutex_lock(&vn->lock);
	if (attr)
		vif = find_vif(vn, attr, cb->extack);
	err = attr && !vif ? -ENOENT : dump(skb, cb, vn, vif);
	mutex_unlock(&vn->lock);
	return skb->len ?: err;
}
