// SPDX-License-Identifier: GPL-2.0-only
/* Flows over netlink: read, filter, end. */

#include "../table/flow.h"
#include "nl.h"

static int put_traffic(struct sk_buff *skb, const struct vr_flow *f)
{
	return nla_put_u64_64bit(skb, VROUTER_A_FLOW_ORIG_PACKETS,
				 READ_ONCE(f->side[VR_ORIG].packets), VROUTER_A_FLOW_PAD) ?:
	       nla_put_u64_64bit(skb, VROUTER_A_FLOW_ORIG_BYTES,
				 READ_ONCE(f->bytes[VR_ORIG]), VROUTER_A_FLOW_PAD) ?:
	       nla_put_u64_64bit(skb, VROUTER_A_FLOW_REPLY_PACKETS,
				 READ_ONCE(f->side[VR_REPLY].packets), VROUTER_A_FLOW_PAD) ?:
	       nla_put_u64_64bit(skb, VROUTER_A_FLOW_REPLY_BYTES,
				 READ_ONCE(f->bytes[VR_REPLY]), VROUTER_A_FLOW_PAD);
}

/* Seconds until the flow ends. */
static u32 time_left(const struct vr_net *vn, const struct vr_flow *f)
{
	u32 age = ((u32)jiffies - READ_ONCE(f->last_used)) / HZ;
	u32 timeout = vr_flow_timeout(vn, f);

	return age < timeout ? timeout - age : 0;
}

int vr_nl_fill_flow(struct sk_buff *skb, const struct vr_net *vn, const void *flow)
{
	const struct vr_flow *f = flow;
	const struct vr_tuple *orig = &f->side[VR_ORIG].tuple;
	const struct vr_tuple *reply = &f->side[VR_REPLY].tuple;

	if (vr_nl_put_tuple(skb, VROUTER_A_FLOW_ORIG, orig, vr_icmp_request(orig->family)) ||
	    vr_nl_put_tuple(skb, VROUTER_A_FLOW_REPLY, reply, vr_icmp_reply(reply->family)) ||
	    nla_put_u32(skb, VROUTER_A_FLOW_VIF_IN, orig->port) ||
	    (reply->port && nla_put_u32(skb, VROUTER_A_FLOW_VIF_OUT, reply->port)) ||
	    nla_put_u32(skb, VROUTER_A_FLOW_VRF, f->vrf) ||
	    nla_put_u8(skb, VROUTER_A_FLOW_STATE, READ_ONCE(f->state)) ||
	    nla_put_u32(skb, VROUTER_A_FLOW_TIMEOUT, time_left(vn, f)) ||
	    put_traffic(skb, f) ||
	    (f->flags & VR_FLOW_VIP && nla_put_flag(skb, VROUTER_A_FLOW_TRANSLATED)))
		return -EMSGSIZE;
	return 0;
}

static int parse_addrs(struct nlattr **tb, struct vr_flow_filter *flt,
		       struct netlink_ext_ack *extack)
{
	const struct nlattr *src = tb[VROUTER_A_TUPLE_SRC], *dst = tb[VROUTER_A_TUPLE_DST];
	u8 family;
	int err;

	if (src) {
		err = vr_nl_addr(src, &flt->family, &flt->src, extack);
		if (err)
			return err;
		flt->has_src = true;
	}
	if (dst) {
		err = vr_nl_addr(dst, &family, &flt->dst, extack);
		if (err)
			return err;
		if (src && family != flt->family) {
			NL_SET_ERR_MSG_ATTR(extack, dst, "Source and destination differ in family");
			return -EINVAL;
		}
		flt->family = family;
		flt->has_dst = true;
	}
	return 0;
}

static int parse_tuple(const struct nlattr *nest, struct vr_flow_filter *flt,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[VROUTER_A_TUPLE_MAX + 1];
	int err;

	err = nla_parse_nested(tb, VROUTER_A_TUPLE_MAX, nest, vrouter_tuple_nl_policy, extack) ?:
	      parse_addrs(tb, flt, extack);
	if (err)
		return err;

	flt->proto = vr_nl_u8(tb[VROUTER_A_TUPLE_PROTO], 0);
	flt->has_sport = tb[VROUTER_A_TUPLE_SPORT];
	flt->sport = htons(vr_nl_u16(tb[VROUTER_A_TUPLE_SPORT], 0));
	flt->has_dport = tb[VROUTER_A_TUPLE_DPORT];
	flt->dport = htons(vr_nl_u16(tb[VROUTER_A_TUPLE_DPORT], 0));
	if (!vr_is_icmp(flt->proto) || !flt->has_dport)
		return 0;

	if (flt->dport != htons(vr_icmp_request(flt->proto == IPPROTO_ICMP ? AF_INET : AF_INET6))) {
		NL_SET_ERR_MSG_ATTR(extack, tb[VROUTER_A_TUPLE_DPORT],
				    "The flows of ICMP are those of echo requests");
		return -EINVAL;
	}
	flt->has_dport = false;		/* all are */
	return 0;
}

static int parse_filter(struct nlattr **attrs, struct vr_flow_filter *flt,
			struct netlink_ext_ack *extack)
{
	memset(flt, 0, sizeof(*flt));
	flt->vif = vr_nl_u32(attrs[VROUTER_A_FLOW_VIF], 0);
	flt->vrf = vr_nl_u32(attrs[VROUTER_A_FLOW_VRF], 0);
	flt->state_set = !!attrs[VROUTER_A_FLOW_STATE];
	flt->state = vr_nl_u8(attrs[VROUTER_A_FLOW_STATE], 0);
	if (!attrs[VROUTER_A_FLOW_FILTER])
		return 0;
	return parse_tuple(attrs[VROUTER_A_FLOW_FILTER], flt, extack);
}

/* A flow is in the table once for each direction; it is told at its opener's. */
static const struct vr_flow *wanted(const struct vr_flow_side *side,
				    const struct vr_flow_filter *flt)
{
	const struct vr_flow *f;

	if (side->dir != VR_ORIG)
		return NULL;
	f = vr_flow_of(side);
	return !READ_ONCE(f->dead) && vr_flow_matches(f, flt) ? f : NULL;
}

/* The state of a dump, allocated: an iterator has no room in cb->ctx. */
struct dump {
	struct rhashtable_iter	iter;
	struct vr_flow_filter	filter;
	u32			seq;		/* how often the walk began anew */
};

static struct dump **dump_of(struct netlink_callback *cb)
{
	return (struct dump **)cb->ctx;
}

int vr_nl_flow_dump_start(struct netlink_callback *cb)
{
	struct dump *d;
	int err;

	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return -ENOMEM;
	err = parse_filter(vr_dump_attrs(cb), &d->filter, cb->extack);
	if (err) {
		kfree(d);
		return err;
	}
	d->seq = 1;
	rhashtable_walk_enter(&vr_nl_dump_net(cb)->flows, &d->iter);
	*dump_of(cb) = d;
	return 0;
}

int vr_nl_flow_dump_done(struct netlink_callback *cb)
{
	struct dump *d = *dump_of(cb);

	if (d) {
		rhashtable_walk_exit(&d->iter);
		kfree(d);
	}
	return 0;
}

/* Flows come and go in any dump. NLM_F_DUMP_INTR only tells that the table was
 * resized: the walk begins anew, and flows are told twice.
 */
int vrouter_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct vr_net *vn = vr_nl_dump_net(cb);
	struct dump *d = *dump_of(cb);
	struct vr_flow_side *side;
	const struct vr_flow *f;
	int err = 0;

	if (rhashtable_walk_start_check(&d->iter))
		d->seq++;
	/* what did not fit in the last message comes first */
	side = rhashtable_walk_peek(&d->iter);
	for (; side; side = rhashtable_walk_next(&d->iter)) {
		if (IS_ERR(side)) {
			d->seq++;
			continue;
		}
		f = wanted(side, &d->filter);
		if (!f)
			continue;
		cb->seq = d->seq;
		err = vr_nl_dump_one(skb, cb, vn, VROUTER_CMD_FLOW_GET, vr_nl_fill_flow, f);
		if (err)
			break;
	}
	rhashtable_walk_stop(&d->iter);
	return skb->len ?: err;
}

/* Fills a message with the first flow that the filter selects. */
static int fill_first(struct sk_buff *skb, const struct vr_net *vn, const void *filter)
{
	const struct vr_flow *f = NULL;
	struct rhashtable_iter iter;
	struct vr_flow_side *side;
	int err = -ENOENT;

	rhashtable_walk_enter((struct rhashtable *)&vn->flows, &iter);
	rhashtable_walk_start(&iter);
	while (!f && (side = rhashtable_walk_next(&iter)))
		if (!IS_ERR(side))
			f = wanted(side, filter);
	if (f)
		err = vr_nl_fill_flow(skb, vn, f);
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return err;
}

int vrouter_nl_flow_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_flow_filter filter;
	int err;

	err = parse_filter(info->attrs, &filter, info->extack);
	if (err)
		return err;
	err = vr_nl_reply(info, vr_nl_net(info), VROUTER_CMD_FLOW_GET, fill_first, &filter);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "No such flow");
	return err;
}

static int fill_flushed(struct sk_buff *skb, const struct vr_net *vn, const void *n)
{
	return nla_put_u32(skb, VROUTER_A_FLOW_FLUSHED, *(const unsigned int *)n);
}

int vrouter_nl_flow_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_flow_filter filter;
	unsigned int n;
	int err;

	err = parse_filter(info->attrs, &filter, info->extack);
	if (err)
		return err;
	n = vr_flow_flush(vn, &filter);
	return vr_nl_reply(info, vn, VROUTER_CMD_FLOW_DEL, fill_flushed, &n);
}
