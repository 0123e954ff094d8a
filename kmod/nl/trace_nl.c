// SPDX-License-Identifier: GPL-2.0-only
/* The dry run of a packet over netlink: request and steps. */

#include "../path/path.h"
#include "nl.h"

/* What a client would take when it is not said. */
#define ANY_PORT	49152	/* RFC 6335: first dynamic port */
#define ANY_IDENTIFIER	1

struct run {
	struct vr_trace		trace;
	struct vr_trace_result	result;
};

static int put_step(struct sk_buff *skb, const struct vr_trace_step *s)
{
	struct nlattr *nest = nla_nest_start(skb, VROUTER_A_TRACE_STEP);

	if (!nest ||
	    nla_put_u8(skb, VROUTER_A_TRACE_STEP_STAGE, s->stage) ||
	    nla_put_string(skb, VROUTER_A_TRACE_STEP_TEXT, s->text) ||
	    nla_put_u32(skb, VROUTER_A_TRACE_STEP_REASON, s->reason) ||
	    (s->vif && nla_put_u32(skb, VROUTER_A_TRACE_STEP_VIF, s->vif)) ||
	    (s->vrf && nla_put_u32(skb, VROUTER_A_TRACE_STEP_VRF, s->vrf)) ||
	    (s->nexthop && nla_put_u32(skb, VROUTER_A_TRACE_STEP_NEXTHOP, s->nexthop)) ||
	    (s->sg && nla_put_u32(skb, VROUTER_A_TRACE_STEP_SG, s->sg)) ||
	    (s->rule >= 0 && nla_put_u32(skb, VROUTER_A_TRACE_STEP_RULE, s->rule)) ||
	    (s->port && nla_put_u16(skb, VROUTER_A_TRACE_STEP_PORT, s->port)) ||
	    (s->family &&
	     (vr_nl_put_addr(skb, VROUTER_A_TRACE_STEP_ADDR, s->family, &s->addr) ||
	      nla_put_u8(skb, VROUTER_A_TRACE_STEP_PREFIX_LEN, s->prefix_len))))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int fill(struct sk_buff *skb, const struct vr_net *vn, const void *obj)
{
	const struct run *run = obj;
	const struct vr_trace_result *res = &run->result;
	unsigned int i;

	for (i = 0; i < run->trace.n; i++)
		if (put_step(skb, &run->trace.step[i]))
			return -EMSGSIZE;

	if (nla_put_u32(skb, VROUTER_A_TRACE_REASON, res->reason) ||
	    (res->vif_out && nla_put_u32(skb, VROUTER_A_TRACE_VIF_OUT, res->vif_out)))
		return -EMSGSIZE;
	if (res->reason || !res->final.family)
		return 0;
	return vr_nl_put_tuple(skb, VROUTER_A_TRACE_FINAL, &res->final,
			       vr_icmp_request(res->final.family));
}

/* The ports of a packet that opens a flow: those given, or what a client would
 * take. An echo request has its identifier in both.
 */
static int parse_ports(struct nlattr **tb, struct vr_tuple *t, const struct nlattr *nest,
		       struct netlink_ext_ack *extack)
{
	const struct nlattr *dport = tb[VROUTER_A_TUPLE_DPORT];
	int err;

	switch (t->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		err = vr_nl_require_in(extack, nest, tb, VROUTER_A_TUPLE_DPORT,
				       "The packet's destination port");
		if (err)
			return err;
		t->sport = htons(vr_nl_u16(tb[VROUTER_A_TUPLE_SPORT], ANY_PORT));
		t->dport = htons(nla_get_u16(dport));
		return 0;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (t->proto != vr_icmp_proto(t->family)) {
			NL_SET_ERR_MSG_ATTR(extack, tb[VROUTER_A_TUPLE_PROTO],
					    "The protocol is not of the addresses' family");
			return -EINVAL;
		}
		if (dport && nla_get_u16(dport) != vr_icmp_request(t->family)) {
			NL_SET_ERR_MSG_ATTR(extack, dport, "Only an echo request can be traced");
			return -EINVAL;
		}
		t->sport = htons(vr_nl_u16(tb[VROUTER_A_TUPLE_SPORT], ANY_IDENTIFIER));
		t->dport = t->sport;
		return 0;
	}
	NL_SET_ERR_MSG_ATTR(extack, tb[VROUTER_A_TUPLE_PROTO],
			    "The protocol is TCP, UDP, SCTP, ICMP or ICMPv6");
	return -EPROTONOSUPPORT;
}

static int parse_tuple(const struct nlattr *nest, struct vr_tuple *t,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[VROUTER_A_TUPLE_MAX + 1];
	u8 family;
	int err;

	err = nla_parse_nested(tb, VROUTER_A_TUPLE_MAX, nest, vrouter_tuple_nl_policy, extack) ?:
	      vr_nl_require_in(extack, nest, tb, VROUTER_A_TUPLE_SRC, "The packet's source") ?:
	      vr_nl_require_in(extack, nest, tb, VROUTER_A_TUPLE_DST, "The packet's destination") ?:
	      vr_nl_require_in(extack, nest, tb, VROUTER_A_TUPLE_PROTO, "The packet's protocol") ?:
	      vr_nl_addr(tb[VROUTER_A_TUPLE_SRC], &t->family, &t->src, extack) ?:
	      vr_nl_addr(tb[VROUTER_A_TUPLE_DST], &family, &t->dst, extack);
	if (err)
		return err;

	if (family != t->family) {
		NL_SET_ERR_MSG_ATTR(extack, tb[VROUTER_A_TUPLE_DST],
				    "Source and destination differ in family");
		return -EINVAL;
	}
	t->proto = nla_get_u8(tb[VROUTER_A_TUPLE_PROTO]);
	return parse_ports(tb, t, nest, extack);
}

int vrouter_nl_trace_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_tuple tuple = {};
	struct run *run;
	int err;

	err = vr_nl_require(info, VROUTER_A_TRACE_VIF, "The vif that the packet enters by") ?:
	      vr_nl_require(info, VROUTER_A_TRACE_TUPLE, "The packet's tuple") ?:
	      parse_tuple(info->attrs[VROUTER_A_TRACE_TUPLE], &tuple, info->extack);
	if (err)
		return err;

	run = kzalloc(sizeof(*run), GFP_KERNEL);
	if (!run)
		return -ENOMEM;
	tuple.port = nla_get_u32(info->attrs[VROUTER_A_TRACE_VIF]);
	err = vr_trace_run(vn, &tuple, &run->trace, &run->result);
	if (err)
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[VROUTER_A_TRACE_VIF],
					"Vif %u does not exist", tuple.port);
	else
		err = vr_nl_reply(info, vn, VROUTER_CMD_TRACE, fill, run);
	kfree(run);
	return err;
}
