// SPDX-License-Identifier: GPL-2.0-only
/* Service addresses over netlink. */

#include "nl.h"

static int fill(struct sk_buff *skb, const struct vr_net *vn, const void *obj)
{
	const struct vr_vip *vip = obj;
	const struct vr_vip_key *key = &vip->key;
	const struct vr_nexthop *nh;
	const struct vr_sg *sg;

	nh = rcu_dereference_protected(vip->nh, lockdep_is_held(&vn->lock));
	sg = rcu_dereference_protected(vip->sg, lockdep_is_held(&vn->lock));
	if (nla_put_u32(skb, VROUTER_A_VIP_VRF, key->vrf) ||
	    vr_nl_put_addr(skb, VROUTER_A_VIP_ADDR, key->family, &key->addr) ||
	    nla_put_u8(skb, VROUTER_A_VIP_PROTO, key->proto) ||
	    nla_put_u16(skb, VROUTER_A_VIP_PORT, ntohs(key->port)) ||
	    nla_put_u32(skb, VROUTER_A_VIP_NEXTHOP, nh->id) ||
	    nla_put_u32(skb, VROUTER_A_VIP_AFFINITY_TIMEOUT, vip->affinity_timeout) ||
	    vr_nl_put_label(skb, VROUTER_A_VIP_LABEL, vip->label) ||
	    (sg && nla_put_u32(skb, VROUTER_A_VIP_SG, sg->id)))
		return -EMSGSIZE;
	return vr_nl_put_counters(skb, VROUTER_A_VIP_COUNTERS, vip->counters, NULL);
}

/* All octets zero: every address of the node. */
static int parse_addr(struct genl_info *info, struct vr_vip_key *key)
{
	const struct nlattr *attr = info->attrs[VROUTER_A_VIP_ADDR];
	int err = vr_nl_addr(attr, &key->family, &key->addr, info->extack);

	if (err || vr_addr_eq(&key->addr, &(union vr_addr) {}))
		return err;
	return vr_nl_unicast(attr, &key->family, &key->addr, info->extack);
}

/* The key is compared as octets: it must have been zeroed. */
static int parse_key(struct genl_info *info, struct vr_vip_key *key)
{
	struct nlattr **attrs = info->attrs;
	int err;

	err = vr_nl_require(info, VROUTER_A_VIP_VRF, "The vip's VRF") ?:
	      vr_nl_require(info, VROUTER_A_VIP_ADDR, "The vip's address") ?:
	      vr_nl_require(info, VROUTER_A_VIP_PROTO, "The vip's protocol") ?:
	      vr_nl_require(info, VROUTER_A_VIP_PORT, "The vip's port") ?:
	      parse_addr(info, key);
	if (err)
		return err;

	key->vrf = nla_get_u32(attrs[VROUTER_A_VIP_VRF]);
	key->port = htons(nla_get_u16(attrs[VROUTER_A_VIP_PORT]));
	key->proto = nla_get_u8(attrs[VROUTER_A_VIP_PROTO]);
	switch (key->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		return 0;
	}
	NL_SET_ERR_MSG_ATTR(info->extack, attrs[VROUTER_A_VIP_PROTO],
			    "A vip is of protocol TCP, UDP or SCTP");
	return -EPROTONOSUPPORT;
}

static struct vr_vip *find(struct vr_net *vn, const struct vr_vip_key *key,
			   struct genl_info *info)
{
	struct vr_vip *vip;

	rcu_read_lock();
	vip = vr_vip_lookup_rcu(vn, key);	/* the mutex keeps it */
	rcu_read_unlock();
	if (!vip)
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[VROUTER_A_VIP_ADDR],
					"No such vip in VRF %u", key->vrf);
	return vip;
}

int vrouter_nl_vip_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_vip_key key = {};
	struct vr_vip *vip;
	int err;

	err = parse_key(info, &key);
	if (err)
		return err;

	mutex_lock(&vn->lock);
	vip = find(vn, &key, info);
	err = vip ? vr_nl_reply(info, vn, VROUTER_CMD_VIP_GET, fill, vip) : -ENOENT;
	mutex_unlock(&vn->lock);
	return err;
}

/* In cb->ctx: the last vip that was dumped. */
struct cursor {
	struct vr_vip_key	key;
	bool			inside;
};

int vrouter_nl_vip_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	u32 only = vr_nl_u32(vr_dump_attrs(cb)[VROUTER_A_VIP_VRF], 0);
	struct vr_net *vn = vr_nl_dump_net(cb);
	struct cursor *c = (void *)cb->ctx;
	const struct vr_vip *vip;
	int err;

	BUILD_BUG_ON(sizeof(*c) > sizeof(cb->ctx));
	err = vr_nl_dump_filters(cb, VROUTER_A_VIP_PORT, BIT_ULL(VROUTER_A_VIP_VRF));
	if (err)
		return err;

	mutex_lock(&vn->lock);
	cb->seq = vr_nl_dump_seq(vn);
	for (;;) {
		vip = vr_vip_next(vn, c->inside ? &c->key : NULL);
		if (!vip)
			break;
		if (!only || vip->key.vrf == only) {
			err = vr_nl_dump_one(skb, cb, vn, VROUTER_CMD_VIP_GET, fill, vip);
			if (err)
				break;
		}
		c->key = vip->key;
		c->inside = true;
	}
	mutex_unlock(&vn->lock);
	return skb->len ?: err;
}

int vrouter_nl_vip_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_vip_cfg cfg = {};
	int err;

	err = parse_key(info, &cfg.key) ?:
	      vr_nl_require(info, VROUTER_A_VIP_NEXTHOP, "The vip's next hop");
	if (err)
		return err;

	cfg.nexthop = nla_get_u32(info->attrs[VROUTER_A_VIP_NEXTHOP]);
	cfg.affinity_timeout = vr_nl_u32(info->attrs[VROUTER_A_VIP_AFFINITY_TIMEOUT], 0);
	cfg.label = vr_nl_label(info->attrs[VROUTER_A_VIP_LABEL]);
	cfg.sg = vr_nl_u32(info->attrs[VROUTER_A_VIP_SG], 0);

	mutex_lock(&vn->lock);
	err = vr_nl_exist(info, VROUTER_A_VIP_VRF, &vn->vrfs, "VRF") ?:
	      vr_nl_exist(info, VROUTER_A_VIP_NEXTHOP, &vn->nexthops, "Next hop") ?:
	      vr_nl_exist(info, VROUTER_A_VIP_SG, &vn->sgs, "Security group") ?:
	      vr_vip_set(vn, &cfg, info->nlhdr->nlmsg_flags, info->extack);
	vr_nl_blame(info, err == -EINVAL ? VROUTER_A_VIP_NEXTHOP : VROUTER_A_VIP_ADDR, err);
	if (!err)
		vr_nl_ntf_done(vn, vr_nl_ntf_new(vn, VROUTER_CMD_VIP_NEW_NTF, fill, NULL,
						 find(vn, &cfg.key, info)), 0);
	mutex_unlock(&vn->lock);
	return err;
}

int vrouter_nl_vip_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_vip_key key = {};
	struct sk_buff *ntf;
	struct vr_vip *vip;
	int err;

	err = parse_key(info, &key);
	if (err)
		return err;

	mutex_lock(&vn->lock);
	vip = find(vn, &key, info);
	if (vip) {
		ntf = vr_nl_ntf_new(vn, VROUTER_CMD_VIP_DEL_NTF, fill, NULL, vip);
		err = vr_vip_del(vn, &key, info->extack);
		vr_nl_ntf_done(vn, ntf, err);
	} else {
		err = -ENOENT;
	}
	mutex_unlock(&vn->lock);
	return err;
}
