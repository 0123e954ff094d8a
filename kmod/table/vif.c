// SPDX-License-Identifier: GPL-2.0-only
/*
 * Vifs: attaching devices (a pod's or VM's by its rx handler, the node's own by itself),
 * ends of tunnels (by their VNI) and the node's network (by netfilter), what is configured
 * of them, and their end, which may come from netlink, from the device or from its namespace.
 */

#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/rtnetlink.h>

#include "../nl/nl.h"
#include "../path/path.h"
#include "flow.h"

static struct vr_vif_conf *conf_of(const struct vr_net *vn, const struct vr_vif *vif)
{
	return rcu_dereference_protected(vif->conf, lockdep_is_held(&vn->lock));
}

bool vr_vif_owns(const struct vr_vif_conf *conf, u8 family, const union vr_addr *addr)
{
	unsigned int i;

	for (i = 0; i < conf->n_addrs; i++)
		if (conf->addrs[i].family == family && vr_addr_eq(&conf->addrs[i].addr, addr))
			return true;
	return false;
}

struct vr_vif *vr_vif_by_dev(const struct net_device *dev)
{
	if (vr_is_host_dev(dev))
		return vr_host_dev_vif(dev);
	if (rcu_access_pointer(dev->rx_handler) != vr_rx_vif)
		return NULL;
	return rcu_dereference_rtnl(dev->rx_handler_data);
}

/* --- configuration -------------------------------------------------------- */

/* One block: the structure, then its lists by falling alignment. */
static struct vr_vif_conf *conf_alloc(const struct vr_vif_cfg *cfg)
{
	struct vr_vif_conf *conf;

	conf = kzalloc(sizeof(*conf) + cfg->n_sgs * (sizeof(*conf->sgs) + sizeof(*conf->sg_ids)) +
		       cfg->n_addrs * sizeof(*conf->addrs), GFP_KERNEL_ACCOUNT);
	if (!conf)
		return NULL;
	conf->n_sgs = cfg->n_sgs;
	conf->n_addrs = cfg->n_addrs;
	conf->sgs = (void *)(conf + 1);
	conf->sg_ids = (void *)(conf->sgs + conf->n_sgs);
	conf->addrs = (void *)(conf->sg_ids + conf->n_sgs);
	return conf;
}

static void conf_free(struct vr_vif_conf *conf)
{
	vr_label_free(conf->label);
	kfree(conf);
}

static int find_sgs(struct vr_net *vn, struct vr_vif_conf *conf, const struct vr_vif_cfg *cfg,
		    struct netlink_ext_ack *extack)
{
	unsigned int i;

	for (i = 0; i < conf->n_sgs; i++) {
		conf->sg_ids[i] = cfg->sgs[i];
		conf->sgs[i] = xa_load(&vn->sgs, cfg->sgs[i]);
		if (!conf->sgs[i]) {
			NL_SET_ERR_MSG_FMT(extack, "Security group %u does not exist", cfg->sgs[i]);
			return -ENOENT;
		}
		conf->sg_enforce |= conf->sgs[i]->enforce;
		conf->sg_tiers |= BIT(conf->sgs[i]->tier);
	}
	return 0;
}

/* What the request says, uses of nothing yet. ERR_PTR. */
static struct vr_vif_conf *conf_new(struct vr_net *vn, const struct vr_vif_cfg *cfg,
				    struct netlink_ext_ack *extack)
{
	struct vr_vif_conf *conf = conf_alloc(cfg);
	int err;

	if (!conf)
		return ERR_PTR(-ENOMEM);

	conf->vrf = xa_load(&vn->vrfs, cfg->vrf);
	if (!conf->vrf) {
		NL_SET_ERR_MSG_FMT(extack, "VRF %u does not exist", cfg->vrf);
		err = -ENOENT;
		goto err_free;
	}
	err = find_sgs(vn, conf, cfg, extack);
	if (err)
		goto err_free;
	conf->label = vr_label_dup(cfg->label);
	if (IS_ERR(conf->label)) {
		err = PTR_ERR(conf->label);
		goto err_free;
	}

	ether_addr_copy(conf->mac, cfg->mac);
	if (conf->n_addrs)
		memcpy(conf->addrs, cfg->addrs, conf->n_addrs * sizeof(*conf->addrs));
	conf->mtu = cfg->mtu;
	conf->flow_limit = cfg->flow_limit;
	conf->half_open_limit = cfg->half_open_limit;
	return conf;

err_free:
	kfree(conf);
	return ERR_PTR(err);
}

static void conf_use(struct vr_vif_conf *conf, int n)
{
	unsigned int i;

	conf->vrf->users += n;
	conf->vrf->n_vifs += n;
	for (i = 0; i < conf->n_sgs; i++)
		conf->sgs[i]->users += n;
}

static int check_owner(struct vr_net *vn, const struct vr_vif_conf *conf,
		       const struct vr_addr_af *a, u32 id, struct netlink_ext_ack *extack)
{
	struct vr_vif_conf *other;
	unsigned long other_id;
	struct vr_vif *vif;
	bool is_gateway;

	rcu_read_lock();
	is_gateway = vr_vrf_is_gateway(conf->vrf, a->family, &a->addr);
	rcu_read_unlock();
	if (is_gateway) {
		vr_extack_addr(extack, a->family, &a->addr, "is a gateway of VRF", conf->vrf->id);
		return -EADDRINUSE;
	}

	xa_for_each(&vn->vifs, other_id, vif) {
		other = conf_of(vn, vif);
		if (other_id == id || other->vrf != conf->vrf ||
		    !vr_vif_owns(other, a->family, &a->addr))
			continue;
		vr_extack_addr(extack, a->family, &a->addr, "is an address of vif", other_id);
		return -EEXIST;
	}
	return 0;
}

static int check_addrs(struct vr_net *vn, const struct vr_vif_conf *conf, u32 id,
		       struct netlink_ext_ack *extack)
{
	unsigned int i;
	int err;

	for (i = 0; i < conf->n_addrs; i++) {
		err = check_owner(vn, conf, &conf->addrs[i], id, extack);
		if (err)
			return err;
	}
	return 0;
}

/* --- devices -------------------------------------------------------------- */

static bool is_kind(const struct net_device *dev, const char *kind)
{
	return dev->rtnl_link_ops && !strcmp(dev->rtnl_link_ops->kind, kind);
}

/* A tun device may call itself Ethernet, but has no header. */
int vr_vif_type_of(const struct net_device *dev)
{
	if (vr_is_host_dev(dev))
		return VROUTER_VIF_TYPE_HOST;
	if (is_kind(dev, "veth"))
		return VROUTER_VIF_TYPE_VETH;
	if (is_kind(dev, "tun") && dev->type == ARPHRD_ETHER && dev->hard_header_len == ETH_HLEN)
		return VROUTER_VIF_TYPE_TAP;
	return -EOPNOTSUPP;
}

static int check_dev(struct vr_net *vn, struct net_device *dev, struct netlink_ext_ack *extack)
{
	const struct vr_vif *vif = vr_vif_by_dev(dev);

	if (vif) {
		NL_SET_ERR_MSG_FMT(extack, "%s is attached as vif %u", dev->name, vif->id);
		return -EBUSY;
	}
	if (vr_vif_type_of(dev) < 0) {
		NL_SET_ERR_MSG_FMT(extack, "%s is neither a veth nor a tap", dev->name);
		return -EOPNOTSUPP;
	}
	if (netdev_is_rx_handler_busy(dev)) {
		NL_SET_ERR_MSG_FMT(extack, "%s is a port of a bridge, bond or the like", dev->name);
		return -EBUSY;
	}
	if (!net_eq(dev_net(dev), vn->net) || dev->reg_state != NETREG_REGISTERED) {
		NL_SET_ERR_MSG_FMT(extack, "%s is leaving this network namespace", dev->name);
		return -ENODEV;
	}
	return 0;
}

/* --- life ----------------------------------------------------------------- */

static void vif_free(struct vr_vif *vif)
{
	struct vr_vif_conf *conf = rcu_dereference_protected(vif->conf, true);

	if (conf)
		conf_free(conf);
	free_percpu(vif->drops);
	free_percpu(vif->counters);
	kfree(vif);
}

static void vif_free_rcu(struct rcu_head *rcu)
{
	vif_free(container_of(rcu, struct vr_vif, rcu));
}

void vr_vif_put(struct vr_vif *vif)
{
	if (refcount_dec_and_test(&vif->ref))
		call_rcu(&vif->rcu, vif_free_rcu);
}

static struct vr_vif *vif_new(struct vr_net *vn, const struct vr_vif_cfg *cfg)
{
	struct vr_vif *vif = kzalloc(sizeof(*vif), GFP_KERNEL_ACCOUNT);

	if (!vif)
		return NULL;
	vif->vn = vn;
	vif->id = cfg->id;
	vif->gen = vr_net_stamp(vn);
	vif->type = cfg->dev ? vr_vif_type_of(cfg->dev) : cfg->type;
	vif->vni = cfg->vni;
	INIT_LIST_HEAD(&vif->nexthops);
	refcount_set(&vif->ref, 1);
	vif->counters = vr_counters_alloc();
	vif->drops = __alloc_percpu_gfp(__VROUTER_DROP_REASON_MAX * sizeof(u64), sizeof(u64),
					GFP_KERNEL_ACCOUNT);
	if (!vif->counters || !vif->drops) {
		vif_free(vif);
		return NULL;
	}
	return vif;
}

/* What has no device. */
static int check_single(struct vr_net *vn, const struct vr_vif_cfg *cfg,
			const struct vr_vif_conf *conf, struct netlink_ext_ack *extack)
{
	const struct vr_vif *other;

	if (cfg->type == VROUTER_VIF_TYPE_EXTERNAL) {
		if (!vn->external)
			return 0;
		NL_SET_ERR_MSG_FMT(extack, "The vif of type external is %u", vn->external->id);
		return -EBUSY;
	}
	other = rcu_dereference_protected(conf->vrf->tunnel, lockdep_is_held(&vn->lock));
	if (other) {
		NL_SET_ERR_MSG_FMT(extack, "VRF %u has a tunnel by vif %u", conf->vrf->id,
				   other->id);
		return -EBUSY;
	}
	other = xa_load(&vn->vnis, cfg->vni);
	if (other) {
		NL_SET_ERR_MSG_FMT(extack, "VNI %u is that of vif %u", cfg->vni, other->id);
		return -EBUSY;
	}
	return 0;
}

/* From here on packets come. */
static int open(struct vr_net *vn, struct vr_vif *vif, const struct vr_vif_conf *conf,
		struct net_device *dev, struct netlink_ext_ack *extack)
{
	int err = 0;

	switch (vif->type) {
	case VROUTER_VIF_TYPE_TUNNEL:
		err = xa_insert(&vn->vnis, vif->vni, vif, GFP_KERNEL_ACCOUNT);
		if (!err)
			rcu_assign_pointer(conf->vrf->tunnel, vif);
		return err;
	case VROUTER_VIF_TYPE_EXTERNAL:
		err = vr_external_open(vn, vif);
		if (!err)
			vn->external = vif;
		return err;
	case VROUTER_VIF_TYPE_HOST:
		vr_host_dev_attach(dev, vif);
		if (!vn->host)
			WRITE_ONCE(vn->host, vif);
		break;
	default:
		err = netdev_rx_handler_register(dev, vr_rx_vif, vif);
		if (err) {
			NL_SET_ERR_MSG_FMT(extack, "%s takes no rx handler", dev->name);
			return err;
		}
		/* What it merges cannot be sent to another pod */
		dev_disable_lro(dev);
	}
	netdev_hold(dev, &vif->dev_tracker, GFP_KERNEL);
	return 0;
}

/* Waits for those that are on their way. */
static void shut(struct vr_net *vn, struct vr_vif *vif, struct net_device *dev)
{
	switch (vif->type) {
	case VROUTER_VIF_TYPE_TUNNEL:
		RCU_INIT_POINTER(conf_of(vn, vif)->vrf->tunnel, NULL);
		xa_erase(&vn->vnis, vif->vni);
		synchronize_net();
		break;
	case VROUTER_VIF_TYPE_EXTERNAL:
		vn->external = NULL;
		vr_external_shut(vn, vif);
		break;
	case VROUTER_VIF_TYPE_HOST:
		if (vn->host == vif)
			WRITE_ONCE(vn->host, NULL);
		vr_host_dev_attach(dev, NULL);
		synchronize_net();
		break;
	default:
		netdev_rx_handler_unregister(dev);
	}
}

/* The vif is complete and found by its id before the first packet comes. */
static int attach(struct vr_net *vn, struct vr_vif *vif, struct vr_vif_conf *conf,
		  struct net_device *dev, struct netlink_ext_ack *extack)
{
	int err;

	RCU_INIT_POINTER(vif->conf, conf);
	rcu_assign_pointer(vif->dev, dev);
	err = xa_insert(&vn->vifs, vif->id, vif, GFP_KERNEL_ACCOUNT);
	if (err)
		goto err_conf;
	err = open(vn, vif, conf, dev, extack);
	if (err)
		goto err_erase;
	conf_use(conf, 1);
	return 0;

err_erase:
	xa_erase(&vn->vifs, vif->id);
	synchronize_rcu();	/* a trace may have found it */
err_conf:
	RCU_INIT_POINTER(vif->conf, NULL);
	return err;
}

/* conf is taken over on success. */
static int add(struct vr_net *vn, const struct vr_vif_cfg *cfg, struct vr_vif_conf *conf,
	       struct netlink_ext_ack *extack)
{
	struct vr_vif *vif;
	int err;

	err = cfg->dev ? check_dev(vn, cfg->dev, extack) : check_single(vn, cfg, conf, extack);
	if (err)
		return err;
	err = vr_take_of(vn, vifs, 1, "vifs", extack);
	if (err)
		return err;

	vif = vif_new(vn, cfg);
	err = vif ? attach(vn, vif, conf, cfg->dev, extack) : -ENOMEM;
	if (!err)
		return 0;

	if (vif)
		vif_free(vif);
	vr_give_of(vn, vifs, 1);
	return err;
}

/* What a vif is does not change. */
static int check_same(struct vr_net *vn, const struct vr_vif *vif, const struct vr_vif_cfg *cfg,
		      const struct vr_vif_conf *conf, struct netlink_ext_ack *extack)
{
	const struct net_device *dev = rtnl_dereference(vif->dev);

	if (dev != cfg->dev) {
		if (cfg->dev && vr_vif_by_dev(cfg->dev))
			return check_dev(vn, cfg->dev, extack);
		NL_SET_ERR_MSG_FMT(extack, "Vif %u is %s already", vif->id,
				   dev ? dev->name : "one without a device");
		return -EEXIST;
	}
	if (!dev && vif->type != cfg->type) {
		NL_SET_ERR_MSG_FMT(extack, "Vif %u is of another type", vif->id);
		return -EEXIST;
	}
	if (vif->type == VROUTER_VIF_TYPE_TUNNEL &&
	    (vif->vni != cfg->vni || conf_of(vn, vif)->vrf != conf->vrf)) {
		NL_SET_ERR_MSG_FMT(extack, "Vif %u is the tunnel of VNI %u and VRF %u already",
				   vif->id, vif->vni, conf_of(vn, vif)->vrf->id);
		return -EEXIST;
	}
	return 0;
}

static int replace(struct vr_net *vn, struct vr_vif *vif, const struct vr_vif_cfg *cfg,
		   struct vr_vif_conf *conf, struct netlink_ext_ack *extack)
{
	struct vr_vif_conf *old;
	int err;

	err = check_same(vn, vif, cfg, conf, extack);
	if (err)
		return err;

	conf_use(conf, 1);
	old = rcu_replace_pointer(vif->conf, conf, lockdep_is_held(&vn->lock));
	conf_use(old, -1);
	vr_label_free(old->label);
	kfree_rcu(old, rcu);
	WRITE_ONCE(vif->gen, vr_net_stamp(vn));
	return 0;
}

int vr_vif_set(struct vr_net *vn, const struct vr_vif_cfg *cfg, u16 nlflags,
	       struct netlink_ext_ack *extack)
{
	struct vr_vif_conf *conf;
	struct vr_vif *vif;
	int err;

	ASSERT_RTNL();
	lockdep_assert_held(&vn->lock);
	if (vn->dying)
		return -ENODEV;
	vif = xa_load(&vn->vifs, cfg->id);
	err = vr_check_flags(vif, nlflags, extack, "Vif %u", cfg->id);
	if (err)
		return err;
	conf = conf_new(vn, cfg, extack);
	if (IS_ERR(conf))
		return PTR_ERR(conf);

	err = check_addrs(vn, conf, cfg->id, extack);
	if (!err)
		err = vif ? replace(vn, vif, cfg, conf, extack) : add(vn, cfg, conf, extack);
	if (err) {
		conf_free(conf);
		return err;
	}
	vr_net_bump(vn);
	return 0;
}

/* Nobody finds the vif any more, then nobody is on the way to it, then its flows
 * end. In this order a packet from elsewhere cannot set up another flow to it.
 */
static void detach(struct vr_net *vn, struct vr_vif *vif)
{
	const struct vr_flow_filter flows = { .vif = vif->id };
	struct net_device *dev = rtnl_dereference(vif->dev);

	xa_erase(&vn->vifs, vif->id);
	vr_nexthop_vif_gone(vn, vif);
	RCU_INIT_POINTER(vif->dev, NULL);
	WRITE_ONCE(vif->detached, true);
	WRITE_ONCE(vif->gen, vr_net_stamp(vn));
	vr_net_bump(vn);

	shut(vn, vif, dev);
	vr_flow_flush(vn, &flows);
	vr_frag_flush(vn, vif);
	if (dev)
		netdev_put(dev, &vif->dev_tracker);
	conf_use(conf_of(vn, vif), -1);
	vr_give_of(vn, vifs, 1);
	vr_vif_put(vif);
}

int vr_vif_del(struct vr_net *vn, u32 id, struct netlink_ext_ack *extack)
{
	struct vr_vif *vif;

	ASSERT_RTNL();
	lockdep_assert_held(&vn->lock);
	vif = xa_load(&vn->vifs, id);
	if (!vif) {
		NL_SET_ERR_MSG_FMT(extack, "Vif %u does not exist", id);
		return -ENOENT;
	}
	detach(vn, vif);
	return 0;
}

void vr_vif_detach_all(struct vr_net *vn)
{
	struct vr_vif *vif;
	unsigned long id;

	ASSERT_RTNL();
	lockdep_assert_held(&vn->lock);
	xa_for_each(&vn->vifs, id, vif)
		detach(vn, vif);
}

/* Each union is one word and each of its values is right for some moment, so they
 * are written in place, and a group's replace cannot fail half way.
 */
void vr_vif_sg_changed(struct vr_net *vn, const struct vr_sg *sg)
{
	struct vr_vif_conf *conf;
	struct vr_vif *vif;
	unsigned long id;
	u8 enforce, tiers;
	bool member;
	int i;

	xa_for_each(&vn->vifs, id, vif) {
		conf = conf_of(vn, vif);
		enforce = 0;
		tiers = 0;
		member = false;
		for (i = 0; i < conf->n_sgs; i++) {
			enforce |= conf->sgs[i]->enforce;
			tiers |= BIT(conf->sgs[i]->tier);
			member |= conf->sgs[i] == sg;
		}
		if (!member)
			continue;
		WRITE_ONCE(conf->sg_enforce, enforce);
		WRITE_ONCE(conf->sg_tiers, tiers);
		WRITE_ONCE(vif->gen, vr_net_stamp(vn));
	}
}

/* The device goes away, or to another namespace. */
static int on_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct vr_vif *vif;
	struct vr_net *vn;

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	vif = vr_vif_by_dev(dev);
	if (!vif)
		return NOTIFY_DONE;

	vn = vif->vn;
	mutex_lock(&vn->lock);
	vr_nl_notify_vif(vn, vif, VROUTER_CMD_VIF_DEL_NTF);
	detach(vn, vif);
	mutex_unlock(&vn->lock);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = on_event };

int vr_vif_init(void)
{
	return register_netdevice_notifier(&notifier);
}

/* Tells the notifier that each device goes away, so each is detached here. */
void vr_vif_exit(void)
{
	unregister_netdevice_notifier(&notifier);
}
