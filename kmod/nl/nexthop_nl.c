// SPDX-License-Identifier: GPL-2.0-only
/* Next hops over netlink. An ecmp next hop's members may take several messages of a dump. */

#include <linux/etherdevice.h>

#include "../path/path.h"
#include "nl.h"

static const struct vr_group *group_of(const struct vr_net *vn, const struct vr_nexthop *nh)
{
	if (nh->type != VROUTER_NEXTHOP_TYPE_ECMP)
		return NULL;
	return rcu_dereference_protected(nh->group, lockdep_is_held(&vn->lock));
}

static int fill_tunnel(struct sk_buff *skb, const struct vr_tunnel_cfg *t)
{
	if (nla_put_u8(skb, VROUTER_A_NEXTHOP_ENCAP, t->encap) ||
	    vr_nl_put_addr(skb, VROUTER_A_NEXTHOP_REMOTE, t->family, &t->remote) ||
	    nla_put_u8(skb, VROUTER_A_NEXTHOP_CSUM, t->csum))
		return -EMSGSIZE;
	if (!vr_addr_eq(&t->local, &(union vr_addr) {}) &&
	    vr_nl_put_addr(skb, VROUTER_A_NEXTHOP_LOCAL, t->family, &t->local))
		return -EMSGSIZE;
	if (t->encap == VROUTER_TUNNEL_ENCAP_VXLAN &&
	    nla_put(skb, VROUTER_A_NEXTHOP_MAC, ETH_ALEN, t->mac))
		return -EMSGSIZE;
	return 0;
}

static int fill_snat(struct sk_buff *skb, const struct vr_snat *snat)
{
	unsigned int i;

	for (i = 0; i < snat->n; i++)
		if (vr_nl_put_addr(skb, VROUTER_A_NEXTHOP_SNAT_ADDR, snat->addrs[i].family,
				   &snat->addrs[i].addr))
			return -EMSGSIZE;
	return nla_put_u16(skb, VROUTER_A_NEXTHOP_PORT_MIN, snat->port_min) ?:
	       nla_put_u16(skb, VROUTER_A_NEXTHOP_PORT_MAX, snat->port_max);
}

static int fill_head(struct sk_buff *skb, const struct vr_net *vn, const void *obj)
{
	const struct vr_nexthop *nh = obj;
	const struct vr_tunnel *tunnel;
	const struct vr_group *group;
	const struct vr_snat *snat;
	const struct vr_vif *vif;
	const struct vr_vrf *vrf;

	if (nla_put_u32(skb, VROUTER_A_NEXTHOP_ID, nh->id) ||
	    nla_put_u8(skb, VROUTER_A_NEXTHOP_TYPE, nh->type) ||
	    vr_nl_put_label(skb, VROUTER_A_NEXTHOP_LABEL, nh->label))
		return -EMSGSIZE;

	vif = rcu_dereference_protected(nh->vif, lockdep_is_held(&vn->lock));
	vrf = rcu_dereference_protected(nh->vrf, lockdep_is_held(&vn->lock));
	tunnel = rcu_dereference_protected(nh->tunnel, lockdep_is_held(&vn->lock));
	snat = rcu_dereference_protected(nh->snat, lockdep_is_held(&vn->lock));
	group = group_of(vn, nh);
	if ((vif && nla_put_u32(skb, VROUTER_A_NEXTHOP_VIF, vif->id)) ||
	    (vrf && nla_put_u32(skb, VROUTER_A_NEXTHOP_VRF, vrf->id)) ||
	    (group && nla_put_u32(skb, VROUTER_A_NEXTHOP_MEMBERS, group->n)) ||
	    (tunnel && fill_tunnel(skb, &tunnel->cfg)) || (snat && fill_snat(skb, snat)))
		return -EMSGSIZE;
	return vr_nl_put_counters(skb, VROUTER_A_NEXTHOP_COUNTERS, nh->counters, NULL);
}

static int fill_member(struct sk_buff *skb, const struct vr_member *m)
{
	struct nlattr *nest = nla_nest_start(skb, VROUTER_A_NEXTHOP_MEMBER);

	if (!nest)
		return -EMSGSIZE;

	if ((m->family && vr_nl_put_addr(skb, VROUTER_A_MEMBER_ADDR, m->family, &m->addr)) ||
	    (m->port && nla_put_u16(skb, VROUTER_A_MEMBER_PORT, ntohs(m->port))) ||
	    (m->nh_id && nla_put_u32(skb, VROUTER_A_MEMBER_NEXTHOP, m->nh_id)) ||
	    nla_put_u32(skb, VROUTER_A_MEMBER_WEIGHT, m->weight) ||
	    nla_put_u8(skb, VROUTER_A_MEMBER_STATE, m->state) ||
	    vr_nl_put_label(skb, VROUTER_A_MEMBER_LABEL, m->label) ||
	    vr_nl_put_counters(skb, VROUTER_A_MEMBER_COUNTERS, m->counters, NULL)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* The members from *i on that fit. */
static int fill_members(struct sk_buff *skb, const struct vr_group *group, unsigned int *i)
{
	for (; group && *i < group->n; (*i)++)
		if (fill_member(skb, group->members[*i]))
			return -EMSGSIZE;
	return 0;
}

static int fill(struct sk_buff *skb, const struct vr_net *vn, const void *obj)
{
	unsigned int i = 0;

	return fill_head(skb, vn, obj) ?: fill_members(skb, group_of(vn, obj), &i);
}

static struct vr_nexthop *find(struct vr_net *vn, struct genl_info *info)
{
	struct nlattr *id = info->attrs[VROUTER_A_NEXTHOP_ID];
	struct vr_nexthop *nh = vr_nexthop_rcu(vn, nla_get_u32(id));

	if (!nh)
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, id, "Next hop %u does not exist",
					nla_get_u32(id));
	return nh;
}

int vrouter_nl_nexthop_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_nexthop *nh;
	int err;

	err = vr_nl_require(info, VROUTER_A_NEXTHOP_ID, "The next hop's id");
	if (err)
		return err;

	mutex_lock(&vn->lock);
	nh = find(vn, info);
	err = nh ? vr_nl_reply(info, vn, VROUTER_CMD_NEXTHOP_GET, fill, nh) : -ENOENT;
	mutex_unlock(&vn->lock);
	return err;
}

/* In cb->ctx: what is next, and which of its members. */
struct cursor {
	unsigned long	id;
	unsigned int	member;
};

/* In one message, or in as many buffers as its members fill. -EMSGSIZE: goes on in the next. */
static int dump_nexthop(struct sk_buff *skb, struct netlink_callback *cb, const struct vr_net *vn,
			const struct vr_nexthop *nh, unsigned int *member)
{
	const struct vr_group *group = group_of(vn, nh);
	unsigned int first = *member;
	bool alone = !skb->len;
	void *hdr;
	int err;

	hdr = vr_nl_dump_put(skb, cb, VROUTER_CMD_NEXTHOP_GET);
	if (!hdr)
		return -EMSGSIZE;

	err = fill_head(skb, vn, nh) ?: fill_members(skb, group, member);
	if (err && (!alone || *member == first)) {
		genlmsg_cancel(skb, hdr);
		*member = first;
		return err;
	}
	genlmsg_end(skb, hdr);
	return err;
}

int vrouter_nl_nexthop_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *filter = vr_dump_attrs(cb)[VROUTER_A_NEXTHOP_ID];
	struct vr_net *vn = vr_nl_dump_net(cb);
	struct cursor *c = (void *)cb->ctx;
	unsigned long id, last = ULONG_MAX;
	struct vr_nexthop *nh;
	int err = 0;

	if (filter) {
		last = nla_get_u32(filter);
		c->id = max(c->id, last);
	}

	mutex_lock(&vn->lock);
	cb->seq = vr_nl_dump_seq(vn);
	xa_for_each_range(&vn->nexthops, id, nh, c->id, last) {
		if (id != c->id)
			c->member = 0;
		c->id = id;
		err = dump_nexthop(skb, cb, vn, nh, &c->member);
		if (err)
			break;
		c->id = id + 1;
		c->member = 0;
	}
	mutex_unlock(&vn->lock);
	return skb->len ?: err;
}

static int parse_member(const struct nlattr *nest, struct vr_member_cfg *m,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[VROUTER_A_MEMBER_MAX + 1];
	int err;

	err = nla_parse_nested(tb, VROUTER_A_MEMBER_MAX, nest, vrouter_member_nl_policy, extack);
	if (err)
		return err;

	if (tb[VROUTER_A_MEMBER_COUNTERS]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[VROUTER_A_MEMBER_COUNTERS],
				    "Counters cannot be set");
		return -EINVAL;
	}
	if (tb[VROUTER_A_MEMBER_ADDR]) {
		err = vr_nl_unicast(tb[VROUTER_A_MEMBER_ADDR], &m->family, &m->addr, extack);
	} else if (tb[VROUTER_A_MEMBER_PORT]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[VROUTER_A_MEMBER_PORT],
				    "A member with a port needs an address");
		err = -EINVAL;
	} else {
		err = vr_nl_require_in(extack, nest, tb, VROUTER_A_MEMBER_NEXTHOP,
				       "The member's address or next hop");
	}
	if (err)
		return err;

	m->port = htons(vr_nl_u16(tb[VROUTER_A_MEMBER_PORT], 0));
	m->nexthop = vr_nl_u32(tb[VROUTER_A_MEMBER_NEXTHOP], 0);
	m->weight = vr_nl_u32(tb[VROUTER_A_MEMBER_WEIGHT], 1);
	m->state = vr_nl_u8(tb[VROUTER_A_MEMBER_STATE], VROUTER_MEMBER_STATE_ACTIVE);
	m->label = vr_nl_label(tb[VROUTER_A_MEMBER_LABEL]);
	m->attr = nest;
	return 0;
}

static int parse_members(struct genl_info *info, struct vr_member_cfg **list, unsigned int *n)
{
	struct vr_member_cfg *m;
	struct nlattr *a;
	int err, rem;

	*list = NULL;
	*n = vr_nl_count(info, VROUTER_A_NEXTHOP_MEMBER);
	if (!*n)
		return 0;
	if (*n > VR_GROUP_MAX_MEMBERS) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[VROUTER_A_NEXTHOP_MEMBER],
					"%u members, at most %u are allowed", *n,
					VR_GROUP_MAX_MEMBERS);
		return -E2BIG;
	}
	m = kvcalloc(*n, sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;

	*list = m;
	nlmsg_for_each_attr(a, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(a) != VROUTER_A_NEXTHOP_MEMBER)
			continue;
		err = parse_member(a, m++, info->extack);
		if (err) {
			kvfree(*list);
			return err;
		}
	}
	return 0;
}

/* On success *snat is the caller's. */
static int parse_snat(struct genl_info *info, struct vr_snat **snat)
{
	u16 min = vr_nl_u16(info->attrs[VROUTER_A_NEXTHOP_PORT_MIN], VR_SNAT_PORT_MIN);
	u16 max = vr_nl_u16(info->attrs[VROUTER_A_NEXTHOP_PORT_MAX], VR_SNAT_PORT_MAX);
	struct vr_addr_af *addrs;
	unsigned int n;
	int err;

	err = vr_nl_require(info, VROUTER_A_NEXTHOP_SNAT_ADDR, "An address to translate to");
	if (!err && min > max) {
		NL_SET_ERR_MSG_FMT(info->extack, "Ports %u to %u are none", min, max);
		err = vr_nl_blame(info, info->attrs[VROUTER_A_NEXTHOP_PORT_MIN] ?
				  VROUTER_A_NEXTHOP_PORT_MIN : VROUTER_A_NEXTHOP_PORT_MAX, -EINVAL);
	}
	if (!err)
		err = vr_nl_unicasts(info, VROUTER_A_NEXTHOP_SNAT_ADDR, VR_SNAT_MAX_ADDRS, &addrs,
				     &n);
	if (err)
		return err;

	*snat = kzalloc(struct_size(*snat, addrs, n), GFP_KERNEL_ACCOUNT);
	if (*snat) {
		(*snat)->port_min = min;
		(*snat)->port_max = max;
		(*snat)->n = n;
		memcpy((*snat)->addrs, addrs, n * sizeof(*addrs));
	}
	kvfree(addrs);
	return *snat ? 0 : -ENOMEM;
}

static int refuse_snat(struct genl_info *info)
{
	static const char says[] = "Only a next hop of type snat has snat-addr, port-min, port-max";

	return vr_nl_refuse(info, VROUTER_A_NEXTHOP_SNAT_ADDR, says) ?:
	       vr_nl_refuse(info, VROUTER_A_NEXTHOP_PORT_MIN, says) ?:
	       vr_nl_refuse(info, VROUTER_A_NEXTHOP_PORT_MAX, says);
}

static int refuse_tunnel(struct genl_info *info)
{
	static const u8 attrs[] = {
		VROUTER_A_NEXTHOP_ENCAP, VROUTER_A_NEXTHOP_REMOTE, VROUTER_A_NEXTHOP_LOCAL,
		VROUTER_A_NEXTHOP_MAC, VROUTER_A_NEXTHOP_CSUM,
	};
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		err = vr_nl_refuse(info, attrs[i],
				   "Only a next hop of type tunnel has encap, remote, local, mac, csum");
		if (err)
			return err;
	}
	return 0;
}

static int parse_local(struct genl_info *info, struct vr_tunnel_cfg *t)
{
	struct nlattr *attr = info->attrs[VROUTER_A_NEXTHOP_LOCAL];
	u8 family;
	int err;

	if (!attr)
		return 0;
	err = vr_nl_unicast(attr, &family, &t->local, info->extack);
	if (!err && family != t->family) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "local and remote are of two families");
		err = -EINVAL;
	}
	return err;
}

static int parse_mac(struct genl_info *info, struct vr_tunnel_cfg *t)
{
	struct nlattr *attr = info->attrs[VROUTER_A_NEXTHOP_MAC];

	ether_addr_copy(t->mac, vr_gateway_mac);
	if (!attr)
		return 0;
	if (t->encap != VROUTER_TUNNEL_ENCAP_VXLAN) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "Only VXLAN has inner frames with a MAC");
		return -EINVAL;
	}
	ether_addr_copy(t->mac, nla_data(attr));
	if (is_valid_ether_addr(t->mac))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr, "Not a unicast MAC address");
	return -EINVAL;
}

static int parse_tunnel(struct genl_info *info, struct vr_tunnel_cfg *t)
{
	int err;

	err = vr_nl_require(info, VROUTER_A_NEXTHOP_ENCAP, "The tunnel's encapsulation") ?:
	      vr_nl_require(info, VROUTER_A_NEXTHOP_REMOTE, "The other node's address");
	if (err)
		return err;
	t->encap = nla_get_u8(info->attrs[VROUTER_A_NEXTHOP_ENCAP]);
	err = vr_nl_unicast(info->attrs[VROUTER_A_NEXTHOP_REMOTE], &t->family, &t->remote,
			    info->extack) ?:
	      parse_local(info, t) ?: parse_mac(info, t);
	t->csum = vr_nl_u8(info->attrs[VROUTER_A_NEXTHOP_CSUM], t->family == AF_INET6);
	return err;
}

/* What each type has to have, and may not have. */
static int check_type(struct genl_info *info, u8 type)
{
	int err = 0;

	if (type == VROUTER_NEXTHOP_TYPE_LOCAL)
		err = vr_nl_require(info, VROUTER_A_NEXTHOP_VIF, "The vif of a local next hop");
	else if (type == VROUTER_NEXTHOP_TYPE_SNAT)
		err = vr_nl_require(info, VROUTER_A_NEXTHOP_VIF, "The vif of type external");
	else
		err = vr_nl_refuse(info, VROUTER_A_NEXTHOP_VIF,
				   "Only a local next hop has a vif");
	if (err)
		return err;

	if (type == VROUTER_NEXTHOP_TYPE_VRF)
		err = vr_nl_require(info, VROUTER_A_NEXTHOP_VRF, "The VRF to look up in");
	else
		err = vr_nl_refuse(info, VROUTER_A_NEXTHOP_VRF,
				   "Only a next hop of type vrf has a VRF");
	if (err)
		return err;

	if (type != VROUTER_NEXTHOP_TYPE_ECMP)
		err = vr_nl_refuse(info, VROUTER_A_NEXTHOP_MEMBER,
				   "Only an ecmp next hop has members");
	if (!err && type != VROUTER_NEXTHOP_TYPE_TUNNEL)
		err = refuse_tunnel(info);
	if (!err && type != VROUTER_NEXTHOP_TYPE_SNAT)
		err = refuse_snat(info);
	return err;
}

int vrouter_nl_nexthop_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_nexthop_cfg cfg = {};
	struct vr_member_cfg *members;
	struct vr_snat *snat = NULL;
	int err;

	err = vr_nl_require(info, VROUTER_A_NEXTHOP_ID, "The next hop's id") ?:
	      vr_nl_require(info, VROUTER_A_NEXTHOP_TYPE, "The next hop's type");
	if (err)
		return err;

	cfg.id = nla_get_u32(info->attrs[VROUTER_A_NEXTHOP_ID]);
	cfg.type = nla_get_u8(info->attrs[VROUTER_A_NEXTHOP_TYPE]);
	cfg.label = vr_nl_label(info->attrs[VROUTER_A_NEXTHOP_LABEL]);
	cfg.vif = vr_nl_u32(info->attrs[VROUTER_A_NEXTHOP_VIF], 0);
	cfg.vrf = vr_nl_u32(info->attrs[VROUTER_A_NEXTHOP_VRF], 0);
	err = check_type(info, cfg.type);
	if (!err && cfg.type == VROUTER_NEXTHOP_TYPE_TUNNEL)
		err = parse_tunnel(info, &cfg.tunnel);
	if (!err && cfg.type == VROUTER_NEXTHOP_TYPE_SNAT)
		err = parse_snat(info, &snat);
	if (!err)
		err = parse_members(info, &members, &cfg.n_members);
	if (err)
		goto free_snat;
	cfg.members = members;
	cfg.snat = snat;

	mutex_lock(&vn->lock);
	err = vr_nl_exist(info, VROUTER_A_NEXTHOP_VIF, &vn->vifs, "Vif") ?:
	      vr_nl_exist(info, VROUTER_A_NEXTHOP_VRF, &vn->vrfs, "VRF") ?:
	      vr_nexthop_set(vn, &cfg, info->nlhdr->nlmsg_flags, info->extack);
	vr_nl_blame(info, VROUTER_A_NEXTHOP_ID, err);
	if (!err)
		vr_nl_ntf_done(vn, vr_nl_ntf_new(vn, VROUTER_CMD_NEXTHOP_NEW_NTF, fill, fill_head,
						 vr_nexthop_rcu(vn, cfg.id)), 0);
	mutex_unlock(&vn->lock);
	kvfree(members);
free_snat:
	kfree(snat);
	return err;
}

int vrouter_nl_nexthop_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_nexthop *nh;
	struct sk_buff *ntf;
	int err;

	err = vr_nl_require(info, VROUTER_A_NEXTHOP_ID, "The next hop's id");
	if (err)
		return err;

	mutex_lock(&vn->lock);
	nh = find(vn, info);
	if (nh) {
		ntf = vr_nl_ntf_new(vn, VROUTER_CMD_NEXTHOP_DEL_NTF, fill, fill_head, nh);
		err = vr_nexthop_del(vn, nh->id, info->extack);
		vr_nl_blame(info, VROUTER_A_NEXTHOP_ID, err);
		vr_nl_ntf_done(vn, ntf, err);
	} else {
		err = -ENOENT;
	}
	mutex_unlock(&vn->lock);
	return err;
}
