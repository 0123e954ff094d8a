// SPDX-License-Identifier: GPL-2.0-only
/* One rule of a security group, from and to its attributes. */

#include <net/ipv6.h>

#include "nl.h"

#define ALL_PORTS	U16_MAX

static bool has_ports(u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

static int parse_family(struct nlattr **tb, struct vr_sg_rule *r, struct netlink_ext_ack *extack)
{
	r->family = vr_nl_u8(tb[VROUTER_A_SG_RULE_FAMILY], 0);
	if (!tb[VROUTER_A_SG_RULE_FAMILY] || r->family == AF_INET || r->family == AF_INET6)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, tb[VROUTER_A_SG_RULE_FAMILY],
			    "The family is AF_INET or AF_INET6");
	return -EAFNOSUPPORT;
}

static int parse_proto(struct nlattr **tb, struct vr_sg_rule *r, struct netlink_ext_ack *extack)
{
	const struct nlattr *a = tb[VROUTER_A_SG_RULE_PROTO];
	u8 family;

	r->proto = vr_nl_u8(a, 0);
	if (!a || has_ports(r->proto))
		return 0;
	if (!vr_is_icmp(r->proto)) {
		NL_SET_ERR_MSG_ATTR(extack, a, "The protocol is TCP, UDP, SCTP, ICMP or ICMPv6");
		return -EPROTONOSUPPORT;
	}

	family = r->proto == IPPROTO_ICMP ? AF_INET : AF_INET6;
	if (r->family && r->family != family) {
		NL_SET_ERR_MSG_ATTR(extack, a, "The protocol is not of the rule's family");
		return -EINVAL;
	}
	r->family = family;
	return 0;
}

static int parse_ports(struct nlattr **tb, struct vr_sg_rule *r, struct netlink_ext_ack *extack)
{
	const struct nlattr *lo = tb[VROUTER_A_SG_RULE_PORT_MIN];
	const struct nlattr *hi = tb[VROUTER_A_SG_RULE_PORT_MAX];

	r->lo = 0;
	r->hi = ALL_PORTS;
	if (!lo && !hi)
		return 0;

	if (!has_ports(r->proto)) {
		NL_SET_ERR_MSG_ATTR(extack, lo ?: hi, "Only TCP, UDP and SCTP have ports");
		return -EINVAL;
	}
	if (!lo) {
		NL_SET_ERR_MSG_ATTR(extack, hi, "A last port needs a first one");
		return -EINVAL;
	}
	r->lo = nla_get_u16(lo);
	r->hi = vr_nl_u16(hi, r->lo);
	if (r->hi < r->lo) {
		NL_SET_ERR_MSG_ATTR(extack, hi, "The last port is less than the first");
		return -EINVAL;
	}
	return 0;
}

/* After parse_ports(). */
static int parse_icmp(struct nlattr **tb, struct vr_sg_rule *r, struct netlink_ext_ack *extack)
{
	const struct nlattr *type = tb[VROUTER_A_SG_RULE_ICMP_TYPE];
	const struct nlattr *code = tb[VROUTER_A_SG_RULE_ICMP_CODE];

	if (!type && !code)
		return 0;

	if (!vr_is_icmp(r->proto)) {
		NL_SET_ERR_MSG_ATTR(extack, type ?: code,
				    "Only ICMP and ICMPv6 have types and codes");
		return -EINVAL;
	}
	if (!type) {
		NL_SET_ERR_MSG_ATTR(extack, code, "An ICMP code needs a type");
		return -EINVAL;
	}
	r->lo = nla_get_u8(type) << 8 | vr_nl_u8(code, 0);
	r->hi = nla_get_u8(type) << 8 | vr_nl_u8(code, U8_MAX);
	return 0;
}

static int parse_prefix(const struct nlattr *nest, struct vr_prefix *prefix,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[VROUTER_A_PREFIX_MAX + 1];

	int err;

	err = nla_parse_nested(tb, VROUTER_A_PREFIX_MAX, nest, vrouter_prefix_nl_policy, extack);
	if (err)
		return err;

	return vr_nl_require_in(extack, nest, tb, VROUTER_A_PREFIX_ADDR, "The prefix's address") ?:
	       vr_nl_require_in(extack, nest, tb, VROUTER_A_PREFIX_LEN, "The prefix's length") ?:
	       vr_nl_prefix(tb[VROUTER_A_PREFIX_ADDR], tb[VROUTER_A_PREFIX_LEN], prefix, extack);
}

static bool is_inside(const struct vr_prefix *inner, const struct vr_prefix *outer)
{
	return inner->family == outer->family && inner->len >= outer->len &&
	       ipv6_prefix_equal(&inner->addr.v6, &outer->addr.v6, outer->len);
}

/* All peer-except attributes of the rule, after its prefix. */
static int parse_except(const struct nlattr *nest, struct vr_sg_rule *r,
			struct netlink_ext_ack *extack)
{
	const struct nlattr *a;
	unsigned int n = 0;
	int err, rem;

	nla_for_each_nested(a, nest, rem)
		n += nla_type(a) == VROUTER_A_SG_RULE_PEER_EXCEPT;
	if (n > VR_SG_MAX_EXCEPT) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, nest, "%u exceptions, at most %u are allowed", n,
					VR_SG_MAX_EXCEPT);
		return -E2BIG;
	}

	r->except = kcalloc(n, sizeof(*r->except), GFP_KERNEL_ACCOUNT);
	if (!r->except)
		return -ENOMEM;
	nla_for_each_nested(a, nest, rem) {
		if (nla_type(a) != VROUTER_A_SG_RULE_PEER_EXCEPT)
			continue;
		err = parse_prefix(a, &r->except[r->n_except], extack);
		if (err)
			return err;
		if (!is_inside(&r->except[r->n_except], &r->prefix)) {
			NL_SET_ERR_MSG_ATTR(extack, a, "The exception is not inside the prefix");
			return -EINVAL;
		}
		r->n_except++;
	}
	return 0;
}

static int parse_peer_prefix(const struct nlattr *nest, struct nlattr **tb, struct vr_sg_rule *r,
			     struct netlink_ext_ack *extack)
{
	const struct nlattr *prefix = tb[VROUTER_A_SG_RULE_PEER_PREFIX];
	int err;

	err = parse_prefix(prefix, &r->prefix, extack);
	if (err)
		return err;
	if (r->family && r->family != r->prefix.family) {
		NL_SET_ERR_MSG_ATTR(extack, prefix, "The prefix is not of the rule's family");
		return -EINVAL;
	}
	r->family = r->prefix.family;
	r->peer = VR_PEER_PREFIX;
	return tb[VROUTER_A_SG_RULE_PEER_EXCEPT] ? parse_except(nest, r, extack) : 0;
}

static int parse_peer(const struct nlattr *nest, struct nlattr **tb, struct vr_sg_rule *r,
		      struct netlink_ext_ack *extack)
{
	const struct nlattr *except = tb[VROUTER_A_SG_RULE_PEER_EXCEPT];
	const struct nlattr *sg = tb[VROUTER_A_SG_RULE_PEER_SG];

	r->peer = VR_PEER_ANY;
	if (tb[VROUTER_A_SG_RULE_PEER_PREFIX]) {
		if (sg) {
			NL_SET_ERR_MSG_ATTR(extack, sg,
					    "The peer is a prefix or a group, not both");
			return -EINVAL;
		}
		return parse_peer_prefix(nest, tb, r, extack);
	}
	if (except) {
		NL_SET_ERR_MSG_ATTR(extack, except, "Exceptions need a prefix");
		return -EINVAL;
	}
	if (sg) {
		r->peer_sg = nla_get_u32(sg);
		r->peer = VR_PEER_SG;
	}
	return 0;
}

static int refuse_output(struct nlattr **tb, struct netlink_ext_ack *extack)
{
	const struct nlattr *a = tb[VROUTER_A_SG_RULE_INDEX] ?: tb[VROUTER_A_SG_RULE_HITS];

	if (!a)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, a, "Given on output only");
	return -EINVAL;
}

int vr_nl_sg_rule(const struct nlattr *nest, struct vr_sg_rule *r, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[VROUTER_A_SG_RULE_MAX + 1];
	const char *label;
	int err;

	memset(r, 0, sizeof(*r));
	err = nla_parse_nested(tb, VROUTER_A_SG_RULE_MAX, nest, vrouter_sg_rule_nl_policy, extack);
	if (err)
		return err;

	err = refuse_output(tb, extack) ?:
	      vr_nl_require_in(extack, nest, tb, VROUTER_A_SG_RULE_DIRECTION,
			       "The rule's direction") ?:
	      parse_family(tb, r, extack) ?:
	      parse_proto(tb, r, extack) ?:
	      parse_ports(tb, r, extack) ?:
	      parse_icmp(tb, r, extack);
	if (err)
		return err;

	r->direction = nla_get_u8(tb[VROUTER_A_SG_RULE_DIRECTION]);
	r->action = vr_nl_u8(tb[VROUTER_A_SG_RULE_ACTION], VROUTER_SG_ACTION_ACCEPT);
	err = parse_peer(nest, tb, r, extack);
	label = vr_nl_label(tb[VROUTER_A_SG_RULE_LABEL]);
	if (!err && label) {
		r->label = kstrdup(label, GFP_KERNEL_ACCOUNT);
		err = r->label ? 0 : -ENOMEM;
	}
	if (err)
		vr_sg_rules_free(r, 1);
	return err;
}

static int put_ports(struct sk_buff *skb, const struct vr_sg_rule *r)
{
	if (r->lo == 0 && r->hi == ALL_PORTS)
		return 0;
	if (!vr_is_icmp(r->proto))
		return nla_put_u16(skb, VROUTER_A_SG_RULE_PORT_MIN, r->lo) ?:
		       nla_put_u16(skb, VROUTER_A_SG_RULE_PORT_MAX, r->hi);

	return nla_put_u8(skb, VROUTER_A_SG_RULE_ICMP_TYPE, r->lo >> 8) ?:
	       (r->lo == r->hi ? nla_put_u8(skb, VROUTER_A_SG_RULE_ICMP_CODE, r->lo) : 0);
}

static int put_prefix(struct sk_buff *skb, int type, const struct vr_prefix *p)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest || vr_nl_put_addr(skb, VROUTER_A_PREFIX_ADDR, p->family, &p->addr) ||
	    nla_put_u8(skb, VROUTER_A_PREFIX_LEN, p->len))
		return -EMSGSIZE;	/* the caller cancels the rule */
	nla_nest_end(skb, nest);
	return 0;
}

static int put_peer(struct sk_buff *skb, const struct vr_sg_rule *r)
{
	unsigned int i;
	int err;

	switch (r->peer) {
	case VR_PEER_SG:
		return nla_put_u32(skb, VROUTER_A_SG_RULE_PEER_SG, r->peer_sg);
	case VR_PEER_PREFIX:
		err = put_prefix(skb, VROUTER_A_SG_RULE_PEER_PREFIX, &r->prefix);
		for (i = 0; !err && i < r->n_except; i++)
			err = put_prefix(skb, VROUTER_A_SG_RULE_PEER_EXCEPT, &r->except[i]);
		return err;
	}
	return 0;
}

int vr_nl_put_sg_rule(struct sk_buff *skb, const struct vr_ruleset *rs, unsigned int i)
{
	const struct vr_sg_rule *r = vr_ruleset_rule(rs, i);
	struct nlattr *nest;

	nest = nla_nest_start(skb, VROUTER_A_SG_RULE);
	if (!nest)
		return -EMSGSIZE;

	if (nla_put_u32(skb, VROUTER_A_SG_RULE_INDEX, i) ||
	    nla_put_u8(skb, VROUTER_A_SG_RULE_DIRECTION, r->direction) ||
	    (r->family && nla_put_u8(skb, VROUTER_A_SG_RULE_FAMILY, r->family)) ||
	    (r->proto && nla_put_u8(skb, VROUTER_A_SG_RULE_PROTO, r->proto)) ||
	    put_ports(skb, r) ||
	    put_peer(skb, r) ||
	    vr_nl_put_label(skb, VROUTER_A_SG_RULE_LABEL, r->label) ||
	    (r->action && nla_put_u8(skb, VROUTER_A_SG_RULE_ACTION, r->action)) ||
	    nla_put_u64_64bit(skb, VROUTER_A_SG_RULE_HITS, vr_ruleset_hits(rs, i),
			      VROUTER_A_SG_RULE_PAD)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}
