// SPDX-License-Identifier: GPL-2.0-only
/* Vifs over netlink. Attaching and detaching takes the RTNL before vr_net::lock. */

#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>

#include "../obs/obs.h"
#include "../path/path.h"
#include "nl.h"

#define MIN_MTU	68	/* RFC 791 */

static int fill_conf(struct sk_buff *skb, const struct vr_vif_conf *conf)
{
	unsigned int i;

	if (nla_put_u32(skb, VROUTER_A_VIF_VRF, conf->vrf->id) ||
	    (is_valid_ether_addr(conf->mac) &&
	     nla_put(skb, VROUTER_A_VIF_MAC, ETH_ALEN, conf->mac)) ||
	    vr_nl_put_label(skb, VROUTER_A_VIF_LABEL, conf->label) ||
	    nla_put_u32(skb, VROUTER_A_VIF_MTU, conf->mtu) ||
	    nla_put_u32(skb, VROUTER_A_VIF_FLOW_LIMIT, conf->flow_limit) ||
	    nla_put_u32(skb, VROUTER_A_VIF_HALF_OPEN_LIMIT, conf->half_open_limit))
		return -EMSGSIZE;

	for (i = 0; i < conf->n_addrs; i++)
		if (vr_nl_put_addr(skb, VROUTER_A_VIF_ADDR, conf->addrs[i].family,
				   &conf->addrs[i].addr))
			return -EMSGSIZE;

	for (i = 0; i < conf->n_sgs; i++)
		if (nla_put_u32(skb, VROUTER_A_VIF_SG, conf->sg_ids[i]))
			return -EMSGSIZE;
	return 0;
}

static int fill_dev(struct sk_buff *skb, const struct vr_vif *vif)
{
	const struct net_device *dev;
	int err = 0;

	rcu_read_lock();
	dev = rcu_dereference(vif->dev);
	if (dev && (nla_put_u32(skb, VROUTER_A_VIF_IFINDEX, dev->ifindex) ||
		    nla_put_string(skb, VROUTER_A_VIF_IFNAME, dev->name)))
		err = -EMSGSIZE;
	rcu_read_unlock();
	return err;
}

static int fill(struct sk_buff *skb, const struct vr_net *vn, const void *obj)
{
	const struct vr_vif *vif = obj;
	u64 drops = 0;
	int why;

	for (why = VROUTER_DROP_REASON_NONE + 1; why <= VROUTER_DROP_REASON_MAX; why++)
		drops += vr_vif_drops(vif, why);

	if (nla_put_u32(skb, VROUTER_A_VIF_ID, vif->id) ||
	    nla_put_u8(skb, VROUTER_A_VIF_TYPE, vif->type) ||
	    (vif->vni && nla_put_u32(skb, VROUTER_A_VIF_VNI, vif->vni)) ||
	    fill_dev(skb, vif) ||
	    fill_conf(skb, rcu_dereference_protected(vif->conf, lockdep_is_held(&vn->lock))) ||
	    nla_put_u32(skb, VROUTER_A_VIF_FLOWS, atomic_read(&vif->flows)) ||
	    nla_put_u32(skb, VROUTER_A_VIF_HALF_OPEN, atomic_read(&vif->half_open)))
		return -EMSGSIZE;
	return vr_nl_put_counters(skb, VROUTER_A_VIF_COUNTERS, vif->counters, &drops);
}

void vr_nl_notify_vif(struct vr_net *vn, const struct vr_vif *vif, u8 cmd)
{
	vr_nl_ntf_done(vn, vr_nl_ntf_new(vn, cmd, fill, NULL, vif), 0);
}

/* The device that the request names. Under the RTNL or RCU. */
static struct net_device *find_dev(struct genl_info *info)
{
	struct nlattr *index = info->attrs[VROUTER_A_VIF_IFINDEX];
	struct nlattr *name = info->attrs[VROUTER_A_VIF_IFNAME];
	struct net_device *dev;

	if (index)
		dev = dev_get_by_index_rcu(genl_info_net(info), nla_get_u32(index));
	else
		dev = dev_get_by_name_rcu(genl_info_net(info), nla_data(name));
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(info->extack, index ?: name,
				    "No such device in this network namespace");
		return NULL;
	}
	if (index && name && strcmp(dev->name, nla_data(name))) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, name, "Device %d is %s", dev->ifindex,
					dev->name);
		return NULL;
	}
	return dev;
}

/* Id of the vif that a get names in any way, 0 when there is none. */
static u32 find_id(struct genl_info *info)
{
	struct nlattr *attr = info->attrs[VROUTER_A_VIF_ID];
	struct net_device *dev;
	struct vr_vif *vif;
	u32 id = 0;

	if (attr)
		return nla_get_u32(attr);

	rcu_read_lock();
	dev = find_dev(info);
	if (dev) {
		vif = vr_vif_by_dev(dev);
		if (vif)
			id = vif->id;
		else
			NL_SET_ERR_MSG(info->extack, "The device is not attached");
	}
	rcu_read_unlock();
	return id;
}

int vrouter_nl_vif_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_vif *vif;
	int err;
	u32 id;

	if (!info->attrs[VROUTER_A_VIF_IFINDEX] && !info->attrs[VROUTER_A_VIF_IFNAME]) {
		err = vr_nl_require(info, VROUTER_A_VIF_ID, "The vif's id, ifindex or ifname");
		if (err)
			return err;
	}
	id = find_id(info);
	if (!id)
		return -ENOENT;

	mutex_lock(&vn->lock);
	vif = vr_vif_rcu(vn, id);
	if (vif) {
		err = vr_nl_reply(info, vn, VROUTER_CMD_VIF_GET, fill, vif);
	} else {
		NL_SET_ERR_MSG_FMT(info->extack, "Vif %u does not exist", id);
		err = vr_nl_blame(info, VROUTER_A_VIF_ID, -ENOENT);
	}
	mutex_unlock(&vn->lock);
	return err;
}

static struct xarray *table(struct vr_net *vn)
{
	return &vn->vifs;
}

int vrouter_nl_vif_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	int err = vr_nl_dump_filters(cb, VROUTER_A_VIF_IFNAME, 0);

	return err ?: vr_nl_dump_xa(skb, cb, VROUTER_CMD_VIF_GET, table, fill);
}

static int parse_mac(struct genl_info *info, u8 *mac)
{
	struct nlattr *attr = info->attrs[VROUTER_A_VIF_MAC];

	ether_addr_copy(mac, nla_data(attr));
	if (!is_valid_ether_addr(mac)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "Not a unicast MAC address");
		return -EINVAL;
	}
	if (ether_addr_equal(mac, vr_gateway_mac)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "This MAC address is the gateway's");
		return -EINVAL;
	}
	return 0;
}

static int parse_mtu(struct genl_info *info, u32 *mtu)
{
	struct nlattr *attr = info->attrs[VROUTER_A_VIF_MTU];

	*mtu = vr_nl_u32(attr, 0);
	if (*mtu && *mtu < MIN_MTU) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, attr, "An MTU is at least %u, or 0", MIN_MTU);
		return -EINVAL;
	}
	return 0;
}

/* What each type has to have, and may not have. */
static int refuse_device(struct genl_info *info)
{
	return vr_nl_refuse(info, VROUTER_A_VIF_IFNAME, "A vif of this type has no device") ?:
	       vr_nl_refuse(info, VROUTER_A_VIF_IFINDEX, "A vif of this type has no device") ?:
	       vr_nl_refuse(info, VROUTER_A_VIF_MAC, "A vif of this type has no MAC address") ?:
	       vr_nl_refuse(info, VROUTER_A_VIF_SG,
			    "A vif of this type has no groups; routes have those of what is behind");
}

static int check_tunnel(struct genl_info *info)
{
	return vr_nl_require(info, VROUTER_A_VIF_VNI, "The VNI of a tunnel") ?:
	       refuse_device(info) ?:
	       vr_nl_refuse(info, VROUTER_A_VIF_ADDR, "A tunnel has no addresses");
}

static int check_external(struct genl_info *info)
{
	return refuse_device(info) ?:
	       vr_nl_refuse(info, VROUTER_A_VIF_VNI, "Only a tunnel has a VNI");
}

static int check_device(struct genl_info *info, bool host)
{
	int err = 0;

	if (!info->attrs[VROUTER_A_VIF_IFNAME])
		err = vr_nl_require(info, VROUTER_A_VIF_IFINDEX, "The device's ifindex or ifname");
	if (!err && host)
		err = vr_nl_refuse(info, VROUTER_A_VIF_MAC,
				   "The host's interface has no MAC address");
	else if (!err)
		err = vr_nl_require(info, VROUTER_A_VIF_MAC, "The vif's MAC address");
	return err ?: vr_nl_refuse(info, VROUTER_A_VIF_VNI, "Only a tunnel has a VNI");
}

static int check_type(struct genl_info *info, struct vr_vif_cfg *cfg)
{
	/* without one it is that of the device, a pod's or VM's */
	cfg->type = vr_nl_u8(info->attrs[VROUTER_A_VIF_TYPE], VROUTER_VIF_TYPE_VETH);
	cfg->vni = vr_nl_u32(info->attrs[VROUTER_A_VIF_VNI], 0);
	if (cfg->type == VROUTER_VIF_TYPE_TUNNEL)
		return check_tunnel(info);
	if (cfg->type == VROUTER_VIF_TYPE_EXTERNAL)
		return check_external(info);
	return check_device(info, cfg->type == VROUTER_VIF_TYPE_HOST);
}

/* All but the device. On success addrs and sgs are the caller's. */
static int parse(struct genl_info *info, struct vr_vif_cfg *cfg, struct vr_addr_af **addrs,
		 u32 **sgs)
{
	int err;

	err = vr_nl_require(info, VROUTER_A_VIF_ID, "The vif's id") ?:
	      vr_nl_require(info, VROUTER_A_VIF_VRF, "The vif's VRF") ?:
	      check_type(info, cfg);
	if (!err && info->attrs[VROUTER_A_VIF_MAC])
		err = parse_mac(info, cfg->mac);
	if (!err)
		err = parse_mtu(info, &cfg->mtu);
	if (err)
		return err;

	cfg->id = nla_get_u32(info->attrs[VROUTER_A_VIF_ID]);
	cfg->vrf = nla_get_u32(info->attrs[VROUTER_A_VIF_VRF]);
	cfg->label = vr_nl_label(info->attrs[VROUTER_A_VIF_LABEL]);
	cfg->flow_limit = vr_nl_u32(info->attrs[VROUTER_A_VIF_FLOW_LIMIT], 0);
	cfg->half_open_limit = vr_nl_u32(info->attrs[VROUTER_A_VIF_HALF_OPEN_LIMIT], 0);

	err = vr_nl_unicasts(info, VROUTER_A_VIF_ADDR, VR_VIF_MAX_ADDRS, addrs, &cfg->n_addrs);
	if (err)
		return err;
	err = vr_nl_ids(info, VROUTER_A_VIF_SG, VR_VIF_MAX_SGS, sgs, &cfg->n_sgs);
	if (err) {
		kvfree(*addrs);
		return err;
	}
	cfg->addrs = *addrs;
	cfg->sgs = *sgs;
	return 0;
}

/* Is the device what the request says? Under the RTNL. */
static int check_dev_type(struct genl_info *info, const struct vr_vif_cfg *cfg)
{
	struct nlattr *said = info->attrs[VROUTER_A_VIF_TYPE];
	int type;

	if (!cfg->dev)
		return 0;
	type = vr_vif_type_of(cfg->dev);
	if (type < 0 || type == cfg->type || (!said && type == VROUTER_VIF_TYPE_TAP))
		return 0;
	if (type == VROUTER_VIF_TYPE_HOST)
		NL_SET_ERR_MSG_FMT(info->extack, "%s is the host's: the type has to be host",
				   cfg->dev->name);
	else
		NL_SET_ERR_MSG_FMT(info->extack, "%s is a %s", cfg->dev->name,
				   type == VROUTER_VIF_TYPE_TAP ? "tap" : "veth");
	if (said)
		NL_SET_BAD_ATTR(info->extack, said);
	return -EINVAL;
}

/* Under the RTNL and vr_net::lock. */
static int set(struct vr_net *vn, struct genl_info *info, const struct vr_vif_cfg *cfg)
{
	int err;

	err = vr_nl_exist(info, VROUTER_A_VIF_VRF, &vn->vrfs, "VRF") ?:
	      vr_nl_exist(info, VROUTER_A_VIF_SG, &vn->sgs, "Security group") ?:
	      check_dev_type(info, cfg);
	if (err)
		return err;

	err = vr_vif_set(vn, cfg, info->nlhdr->nlmsg_flags, info->extack);
	switch (err) {
	case -EADDRINUSE:
		return vr_nl_blame(info, VROUTER_A_VIF_ADDR, err);
	case -EBUSY:
	case -EOPNOTSUPP:
		if (!cfg->dev)
			return vr_nl_blame(info, VROUTER_A_VIF_VNI, err);
		return vr_nl_blame(info, info->attrs[VROUTER_A_VIF_IFNAME] ?
				   VROUTER_A_VIF_IFNAME : VROUTER_A_VIF_IFINDEX, err);
	}
	return vr_nl_blame(info, VROUTER_A_VIF_ID, err);
}

int vrouter_nl_vif_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_vif_cfg cfg = {};
	struct vr_addr_af *addrs;
	u32 *sgs;
	int err;

	err = parse(info, &cfg, &addrs, &sgs);
	if (err)
		return err;

	rtnl_lock();
	if (cfg.type != VROUTER_VIF_TYPE_TUNNEL && cfg.type != VROUTER_VIF_TYPE_EXTERNAL) {
		rcu_read_lock();
		cfg.dev = find_dev(info);	/* the RTNL keeps it */
		rcu_read_unlock();
		if (!cfg.dev) {
			err = -ENODEV;
			goto unlock_rtnl;
		}
	}
	mutex_lock(&vn->lock);
	err = set(vn, info, &cfg);
	if (!err)
		vr_nl_notify_vif(vn, vr_vif_rcu(vn, cfg.id), VROUTER_CMD_VIF_NEW_NTF);
	mutex_unlock(&vn->lock);
unlock_rtnl:
	rtnl_unlock();
	kvfree(addrs);
	kvfree(sgs);
	return err;
}

int vrouter_nl_vif_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct sk_buff *ntf;
	struct vr_vif *vif;
	int err;
	u32 id;

	err = vr_nl_require(info, VROUTER_A_VIF_ID, "The vif's id");
	if (err)
		return err;
	id = nla_get_u32(info->attrs[VROUTER_A_VIF_ID]);

	rtnl_lock();
	mutex_lock(&vn->lock);
	vif = vr_vif_rcu(vn, id);
	if (vif) {
		ntf = vr_nl_ntf_new(vn, VROUTER_CMD_VIF_DEL_NTF, fill, NULL, vif);
		err = vr_vif_del(vn, id, info->extack);
		vr_nl_ntf_done(vn, ntf, err);
	} else {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[VROUTER_A_VIF_ID],
					"Vif %u does not exist", id);
		err = -ENOENT;
	}
	mutex_unlock(&vn->lock);
	rtnl_unlock();
	return err;
}
