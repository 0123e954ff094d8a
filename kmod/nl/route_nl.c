// SPDX-License-Identifier: GPL-2.0-only
/* Routes over netlink. */

#include "nl.h"

#define MAX_SGS	VR_VIF_MAX_SGS

/* A route does not know its VRF. */
struct entry {
	u32			vrf;
	const struct vr_route	*route;
};

static int fill(struct sk_buff *skb, const struct vr_net *vn, const void *obj)
{
	const struct entry *e = obj;
	const struct vr_route *r = e->route;
	unsigned int i;

	if (nla_put_u32(skb, VROUTER_A_ROUTE_VRF, e->vrf) ||
	    vr_nl_put_addr(skb, VROUTER_A_ROUTE_ADDR, r->prefix.family, &r->prefix.addr) ||
	    nla_put_u8(skb, VROUTER_A_ROUTE_PREFIX_LEN, r->prefix.len) ||
	    nla_put_u32(skb, VROUTER_A_ROUTE_NEXTHOP, r->nh->id) ||
	    vr_nl_put_label(skb, VROUTER_A_ROUTE_LABEL, r->label) ||
	    (r->node && nla_put_flag(skb, VROUTER_A_ROUTE_NODE)))
		return -EMSGSIZE;

	for (i = 0; i < r->n_sgs; i++)
		if (nla_put_u32(skb, VROUTER_A_ROUTE_SG, r->sgs[i]))
			return -EMSGSIZE;
	return 0;
}

static struct vr_lpm *lpm_of(struct vr_vrf *vrf, u8 family)
{
	return &vrf->routes[family == AF_INET6];
}

static struct vr_vrf *find_vrf(struct vr_net *vn, struct genl_info *info)
{
	struct nlattr *id = info->attrs[VROUTER_A_ROUTE_VRF];
	struct vr_vrf *vrf = vr_vrf_rcu(vn, nla_get_u32(id));

	if (!vrf)
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, id, "VRF %u does not exist", nla_get_u32(id));
	return vrf;
}

static struct vr_route *find_exact(struct vr_vrf *vrf, const struct vr_prefix *p,
				   struct genl_info *info)
{
	struct vr_route *r = vr_lpm_get(lpm_of(vrf, p->family), &p->addr, p->len);

	if (!r)
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[VROUTER_A_ROUTE_ADDR],
					"No such route in VRF %u", vrf->id);
	return r;
}

/* vrf, addr and prefix-len, which name a route. */
static int parse_key(struct genl_info *info, struct vr_prefix *prefix)
{
	return vr_nl_require(info, VROUTER_A_ROUTE_VRF, "The route's VRF") ?:
	       vr_nl_require(info, VROUTER_A_ROUTE_ADDR, "The route's address") ?:
	       vr_nl_require(info, VROUTER_A_ROUTE_PREFIX_LEN, "The route's prefix length") ?:
	       vr_nl_prefix(info->attrs[VROUTER_A_ROUTE_ADDR],
			    info->attrs[VROUTER_A_ROUTE_PREFIX_LEN], prefix, info->extack);
}

static int get_exact(struct vr_net *vn, struct genl_info *info)
{
	struct vr_prefix prefix = {};
	struct entry e = {};
	struct vr_vrf *vrf;
	int err;

	err = parse_key(info, &prefix);
	if (err)
		return err;

	mutex_lock(&vn->lock);
	vrf = find_vrf(vn, info);
	if (vrf) {
		e.vrf = vrf->id;
		e.route = find_exact(vrf, &prefix, info);
	}
	err = e.route ? vr_nl_reply(info, vn, VROUTER_CMD_ROUTE_GET, fill, &e) : -ENOENT;
	mutex_unlock(&vn->lock);
	return err;
}

/* As a packet would find it. */
static int get_lookup(struct vr_net *vn, struct genl_info *info)
{
	struct entry e = {};
	union vr_addr addr;
	struct vr_vrf *vrf;
	u8 family;
	int err;

	err = vr_nl_require(info, VROUTER_A_ROUTE_VRF, "The VRF to look up in") ?:
	      vr_nl_require(info, VROUTER_A_ROUTE_ADDR, "The address to look up") ?:
	      vr_nl_refuse(info, VROUTER_A_ROUTE_PREFIX_LEN, "A look-up takes no prefix length") ?:
	      vr_nl_addr(info->attrs[VROUTER_A_ROUTE_ADDR], &family, &addr, info->extack);
	if (err)
		return err;

	mutex_lock(&vn->lock);
	vrf = find_vrf(vn, info);
	if (vrf) {
		rcu_read_lock();
		e.vrf = vrf->id;
		e.route = vr_route_lookup_rcu(vrf, family, &addr);	/* the mutex keeps it */
		rcu_read_unlock();
		if (!e.route)
			NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[VROUTER_A_ROUTE_ADDR],
						"VRF %u has no route to this address", vrf->id);
	}
	err = e.route ? vr_nl_reply(info, vn, VROUTER_CMD_ROUTE_GET, fill, &e) : -ENOENT;
	mutex_unlock(&vn->lock);
	return err;
}

int vrouter_nl_route_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = vr_nl_refuse(info, VROUTER_A_ROUTE_FAMILY, "A filter of a dump only");

	if (err)
		return err;
	if (nla_get_flag(info->attrs[VROUTER_A_ROUTE_LOOKUP]))
		return get_lookup(vr_nl_net(info), info);
	return get_exact(vr_nl_net(info), info);
}

/* In cb->ctx: the last route that was dumped. */
struct cursor {
	u32		vrf;
	u8		v6;		/* index in vr_vrf::routes */
	u8		len;
	bool		inside;		/* addr and len are set */
	union vr_addr	addr;
};

static int dump_table(struct sk_buff *skb, struct netlink_callback *cb, struct vr_net *vn,
		      struct vr_vrf *vrf, struct cursor *c)
{
	struct entry e = { .vrf = vrf->id };
	const struct vr_route *r;
	int err;

	for (;;) {
		r = vr_lpm_next(&vrf->routes[c->v6], c->inside ? &c->addr : NULL, c->len);
		if (!r)
			return 0;
		e.route = r;
		err = vr_nl_dump_one(skb, cb, vn, VROUTER_CMD_ROUTE_GET, fill, &e);
		if (err)
			return err;
		c->addr = r->prefix.addr;
		c->len = r->prefix.len;
		c->inside = true;
	}
}

static int dump_vrf(struct sk_buff *skb, struct netlink_callback *cb, struct vr_net *vn,
		    struct vr_vrf *vrf, u8 family, struct cursor *c)
{
	int err;

	for (; c->v6 < ARRAY_SIZE(vrf->routes); c->v6++) {
		if (!family || lpm_of(vrf, family) == &vrf->routes[c->v6]) {
			err = dump_table(skb, cb, vn, vrf, c);
			if (err)
				return err;
		}
		c->inside = false;
		c->len = 0;
	}
	return 0;
}

int vrouter_nl_route_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = vr_dump_attrs(cb);
	u8 family = vr_nl_u8(attrs[VROUTER_A_ROUTE_FAMILY], 0);
	u32 only = vr_nl_u32(attrs[VROUTER_A_ROUTE_VRF], 0);
	struct vr_net *vn = vr_nl_dump_net(cb);
	struct cursor *c = (void *)cb->ctx;
	struct vr_vrf *vrf;
	unsigned long id;
	int err;

	BUILD_BUG_ON(sizeof(*c) > sizeof(cb->ctx));
	err = vr_nl_dump_filters(cb, VROUTER_A_ROUTE_LOOKUP,
				 BIT_ULL(VROUTER_A_ROUTE_VRF) | BIT_ULL(VROUTER_A_ROUTE_FAMILY));
	if (err)
		return err;
	if (family && family != AF_INET && family != AF_INET6) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[VROUTER_A_ROUTE_FAMILY],
				    "The family is AF_INET or AF_INET6");
		return -EAFNOSUPPORT;
	}

	mutex_lock(&vn->lock);
	cb->seq = vr_nl_dump_seq(vn);
	xa_for_each_range(&vn->vrfs, id, vrf, max(c->vrf, only), only ?: U32_MAX) {
		if (id != c->vrf)
			*c = (struct cursor) { .vrf = id };
		err = dump_vrf(skb, cb, vn, vrf, family, c);
		if (err)
			break;
	}
	mutex_unlock(&vn->lock);
	return skb->len ?: err;
}

int vrouter_nl_route_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_route_cfg cfg = {};
	struct entry e = {};
	u32 *sgs;
	int err;

	err = parse_key(info, &cfg.prefix) ?:
	      vr_nl_require(info, VROUTER_A_ROUTE_NEXTHOP, "The route's next hop") ?:
	      vr_nl_ids(info, VROUTER_A_ROUTE_SG, MAX_SGS, &sgs, &cfg.n_sgs);
	if (err)
		return err;

	cfg.vrf = nla_get_u32(info->attrs[VROUTER_A_ROUTE_VRF]);
	cfg.nexthop = nla_get_u32(info->attrs[VROUTER_A_ROUTE_NEXTHOP]);
	cfg.label = vr_nl_label(info->attrs[VROUTER_A_ROUTE_LABEL]);
	cfg.node = nla_get_flag(info->attrs[VROUTER_A_ROUTE_NODE]);
	cfg.sgs = sgs;

	mutex_lock(&vn->lock);
	err = vr_nl_exist(info, VROUTER_A_ROUTE_VRF, &vn->vrfs, "VRF") ?:
	      vr_nl_exist(info, VROUTER_A_ROUTE_NEXTHOP, &vn->nexthops, "Next hop") ?:
	      vr_route_set(vn, &cfg, info->nlhdr->nlmsg_flags, info->extack);
	vr_nl_blame(info, VROUTER_A_ROUTE_ADDR, err);
	if (!err) {
		e.vrf = cfg.vrf;
		e.route = find_exact(vr_vrf_rcu(vn, cfg.vrf), &cfg.prefix, info);
		vr_nl_ntf_done(vn, vr_nl_ntf_new(vn, VROUTER_CMD_ROUTE_NEW_NTF, fill, NULL, &e), 0);
	}
	mutex_unlock(&vn->lock);
	kvfree(sgs);
	return err;
}

int vrouter_nl_route_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_prefix prefix = {};
	struct entry e = {};
	struct sk_buff *ntf;
	struct vr_vrf *vrf;
	int err;

	err = parse_key(info, &prefix);
	if (err)
		return err;

	mutex_lock(&vn->lock);
	vrf = find_vrf(vn, info);
	if (vrf) {
		e.vrf = vrf->id;
		e.route = find_exact(vrf, &prefix, info);
	}
	if (e.route) {
		ntf = vr_nl_ntf_new(vn, VROUTER_CMD_ROUTE_DEL_NTF, fill, NULL, &e);
		err = vr_route_del(vn, e.vrf, &prefix, info->extack);
		vr_nl_ntf_done(vn, ntf, err);
	} else {
		err = -ENOENT;
	}
	mutex_unlock(&vn->lock);
	return err;
}
