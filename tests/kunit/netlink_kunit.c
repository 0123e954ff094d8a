// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests as messages: what the family refuses before it gets to a table, the
 * attribute that it blames, and that nothing has changed after it.
 */

#include <net/genetlink.h>

#include "../../kmod/nl/nl.h"
#include "kunit_util.h"

/* One attribute; one of "nested" > 0 has that many of the following ones in it. */
struct attr {
	u16	type;
	u8	len, nested;
	u8	data[20];
};

/* Host order is little or big endian: what is given in these is put in by value. */
#define A8(_type, _v)		{ _type, 1, 0, { _v } }
#define A16(_type, _v)		{ _type, 102, 0, { (_v) & 255, (_v) >> 8 } }
#define A32(_type, _v)		{ _type, 104, 0, { (_v) & 255, ((_v) >> 8) & 255,	\
						   ((_v) >> 16) & 255, (u32)(_v) >> 24 } }
#define ABIN(_type, _n, ...)	{ _type, _n, 0, { __VA_ARGS__ } }
#define AIP(_type, ...)		ABIN(_type, 4, __VA_ARGS__)
#define NEST(_type, _n)		{ _type, 0, _n }

struct request {
	const char	*desc;
	u8		cmd;
	u16		flags;
	struct attr	attr[12];
	int		err;
	s8		blame;		/* index of the attribute; -1 = none */
};

#define ADD	(NLM_F_CREATE | NLM_F_EXCL)
#define VRF(_x)	VROUTER_A_VRF_##_x
#define VIF(_x)	VROUTER_A_VIF_##_x
#define NH(_x)	VROUTER_A_NEXTHOP_##_x
#define MB(_x)	VROUTER_A_MEMBER_##_x
#define RT(_x)	VROUTER_A_ROUTE_##_x
#define VP(_x)	VROUTER_A_VIP_##_x
#define SG(_x)	VROUTER_A_SG_##_x
#define RU(_x)	VROUTER_A_SG_RULE_##_x
#define PF(_x)	VROUTER_A_PREFIX_##_x
#define LM(_x)	VROUTER_A_LIMITS_##_x
#define TR(_x)	VROUTER_A_TRACE_##_x
#define TU(_x)	VROUTER_A_TUPLE_##_x
#define CMD(_x)	VROUTER_CMD_##_x

#define MAC	ABIN(VIF(MAC), 6, 2, 0, 0, 0, 1, 0)
#define RULE(_n) A32(SG(ID), 7), NEST(SG(RULE), _n), A8(RU(DIRECTION), 0)
#define TCP	IPPROTO_TCP

static const struct request requests[] = {
	{ "vrf without id", CMD(VRF_NEW), ADD, {}, -EINVAL, -1 },
	{ "vrf 0", CMD(VRF_NEW), ADD, { A32(VRF(ID), 0) }, -ERANGE, 0 },
	{ "unknown attribute", CMD(VRF_NEW), ADD, { A32(VRF(ID), 7), A32(200, 1) }, -EINVAL, 1 },
	{ "id of two octets", CMD(VRF_NEW), ADD, { A16(VRF(ID), 7) }, -EINVAL, 0 },
	{ "gateway of five octets", CMD(VRF_NEW), ADD,
	  { A32(VRF(ID), 7), ABIN(VRF(GATEWAY), 5, 10, 0, 0, 1, 1) }, -EINVAL, 1 },
	{ "gateway of three octets", CMD(VRF_NEW), ADD,
	  { A32(VRF(ID), 7), ABIN(VRF(GATEWAY), 3, 10, 0, 0) }, -EINVAL, 1 },
	{ "gateway is a group", CMD(VRF_NEW), ADD,
	  { A32(VRF(ID), 7), AIP(VRF(GATEWAY), 224, 0, 0, 1) }, -EINVAL, 1 },
	{ "output only", CMD(VRF_NEW), ADD, { A32(VRF(ID), 7), A32(VROUTER_A_VRF_ROUTES, 1) },
	  -EINVAL, 1 },
	{ "get what is not there", CMD(VRF_GET), 0, { A32(VRF(ID), 7) }, -ENOENT, 0 },
	{ "delete what is not there", CMD(VRF_DEL), 0, { A32(VRF(ID), 7) }, -ENOENT, 0 },

	{ "vif without mac", CMD(VIF_NEW), ADD,
	  { A32(VIF(ID), 7), A32(VIF(VRF), 1), A32(VIF(IFINDEX), 1) }, -EINVAL, -1 },
	{ "vif without device", CMD(VIF_NEW), ADD, { A32(VIF(ID), 7), A32(VIF(VRF), 1), MAC },
	  -EINVAL, -1 },
	{ "no such device", CMD(VIF_NEW), ADD,
	  { A32(VIF(ID), 7), A32(VIF(VRF), 1), MAC, A32(VIF(IFINDEX), 999999) }, -ENODEV, 3 },
	{ "mac is a group", CMD(VIF_NEW), ADD,
	  { A32(VIF(ID), 7), A32(VIF(VRF), 1), ABIN(VIF(MAC), 6, 1, 0, 0, 0, 1, 0),
	    A32(VIF(IFINDEX), 1) }, -EINVAL, 2 },
	{ "mac is none", CMD(VIF_NEW), ADD,
	  { A32(VIF(ID), 7), A32(VIF(VRF), 1), ABIN(VIF(MAC), 6), A32(VIF(IFINDEX), 1) },
	  -EINVAL, 2 },
	{ "mac is the gateway's", CMD(VIF_NEW), ADD,
	  { A32(VIF(ID), 7), A32(VIF(VRF), 1), ABIN(VIF(MAC), 6, 0, 0, 0x5e, 0, 1, 0),
	    A32(VIF(IFINDEX), 1) }, -EINVAL, 2 },
	{ "mac of five octets", CMD(VIF_NEW), ADD,
	  { A32(VIF(ID), 7), A32(VIF(VRF), 1), ABIN(VIF(MAC), 5, 2), A32(VIF(IFINDEX), 1) },
	  -ERANGE, 2 },
	{ "mtu too large", CMD(VIF_NEW), ADD,
	  { A32(VIF(ID), 7), A32(VIF(VRF), 1), MAC, A32(VIF(IFINDEX), 1), A32(VIF(MTU), 65536) },
	  -ERANGE, 4 },
	{ "mtu too small", CMD(VIF_NEW), ADD,
	  { A32(VIF(ID), 7), A32(VIF(VRF), 1), MAC, A32(VIF(IFINDEX), 1), A32(VIF(MTU), 67) },
	  -EINVAL, 4 },
	{ "address that no host has", CMD(VIF_NEW), ADD,
	  { A32(VIF(ID), 7), A32(VIF(VRF), 1), MAC, A32(VIF(IFINDEX), 1),
	    AIP(VIF(ADDR), 127, 0, 0, 1) }, -EINVAL, 4 },
	{ "address twice", CMD(VIF_NEW), ADD,
	  { A32(VIF(ID), 7), A32(VIF(VRF), 1), MAC, A32(VIF(IFINDEX), 1),
	    AIP(VIF(ADDR), 10, 0, 0, 1), AIP(VIF(ADDR), 10, 0, 0, 1) }, -EINVAL, 5 },
	{ "group twice", CMD(VIF_NEW), ADD,
	  { A32(VIF(ID), 7), A32(VIF(VRF), 1), MAC, A32(VIF(IFINDEX), 1), A32(VIF(SG), 3),
	    A32(VIF(SG), 3) }, -EINVAL, 5 },

	{ "nexthop without type", CMD(NEXTHOP_NEW), ADD, { A32(NH(ID), 7) }, -EINVAL, -1 },
	{ "type that is none", CMD(NEXTHOP_NEW), ADD, { A32(NH(ID), 7), A8(NH(TYPE), 9) },
	  -ERANGE, 1 },
	{ "local without vif", CMD(NEXTHOP_NEW), ADD,
	  { A32(NH(ID), 7), A8(NH(TYPE), VROUTER_NEXTHOP_TYPE_LOCAL) }, -EINVAL, -1 },
	{ "blackhole with vif", CMD(NEXTHOP_NEW), ADD,
	  { A32(NH(ID), 7), A8(NH(TYPE), VROUTER_NEXTHOP_TYPE_BLACKHOLE), A32(NH(VIF), 1) },
	  -EINVAL, 2 },
	{ "weight 0", CMD(NEXTHOP_NEW), ADD,
	  { A32(NH(ID), 7), A8(NH(TYPE), VROUTER_NEXTHOP_TYPE_ECMP), NEST(NH(MEMBER), 2),
	    AIP(MB(ADDR), 10, 0, 0, 1), A32(MB(WEIGHT), 0) }, -ERANGE, 4 },
	{ "weight 1001", CMD(NEXTHOP_NEW), ADD,
	  { A32(NH(ID), 7), A8(NH(TYPE), VROUTER_NEXTHOP_TYPE_ECMP), NEST(NH(MEMBER), 2),
	    AIP(MB(ADDR), 10, 0, 0, 1), A32(MB(WEIGHT), 1001) }, -ERANGE, 4 },
	{ "state that is none", CMD(NEXTHOP_NEW), ADD,
	  { A32(NH(ID), 7), A8(NH(TYPE), VROUTER_NEXTHOP_TYPE_ECMP), NEST(NH(MEMBER), 2),
	    AIP(MB(ADDR), 10, 0, 0, 1), A8(MB(STATE), 2) }, -ERANGE, 4 },
	{ "second member unknown attribute", CMD(NEXTHOP_NEW), ADD,
	  { A32(NH(ID), 7), A8(NH(TYPE), VROUTER_NEXTHOP_TYPE_ECMP), NEST(NH(MEMBER), 1),
	    AIP(MB(ADDR), 10, 0, 0, 1), NEST(NH(MEMBER), 1), A8(99, 1) }, -EINVAL, 5 },
	{ "member is a group's address", CMD(NEXTHOP_NEW), ADD,
	  { A32(NH(ID), 7), A8(NH(TYPE), VROUTER_NEXTHOP_TYPE_ECMP), NEST(NH(MEMBER), 1),
	    AIP(MB(ADDR), 224, 0, 0, 1) }, -EINVAL, 3 },

	{ "route with host bits", CMD(ROUTE_NEW), ADD,
	  { A32(RT(VRF), 1), AIP(RT(ADDR), 10, 0, 0, 1), A8(RT(PREFIX_LEN), 24),
	    A32(RT(NEXTHOP), 1) }, -EINVAL, 1 },
	{ "prefix of 33 bits", CMD(ROUTE_NEW), ADD,
	  { A32(RT(VRF), 1), AIP(RT(ADDR), 10, 0, 0, 1), A8(RT(PREFIX_LEN), 33),
	    A32(RT(NEXTHOP), 1) }, -EINVAL, 2 },
	{ "prefix of 129 bits", CMD(ROUTE_NEW), ADD,
	  { A32(RT(VRF), 1), ABIN(RT(ADDR), 16, 0xfd), A8(RT(PREFIX_LEN), 129),
	    A32(RT(NEXTHOP), 1) }, -ERANGE, 2 },
	{ "route without nexthop", CMD(ROUTE_NEW), ADD,
	  { A32(RT(VRF), 1), AIP(RT(ADDR), 10, 0, 0, 0), A8(RT(PREFIX_LEN), 24) }, -EINVAL, -1 },
	{ "route without prefix length", CMD(ROUTE_NEW), ADD,
	  { A32(RT(VRF), 1), AIP(RT(ADDR), 10, 0, 0, 0), A32(RT(NEXTHOP), 1) }, -EINVAL, -1 },
	{ "route in no vrf", CMD(ROUTE_GET), 0,
	  { A32(RT(VRF), 7), AIP(RT(ADDR), 10, 0, 0, 0), A8(RT(PREFIX_LEN), 24) }, -ENOENT, 0 },

	{ "vip of protocol GRE", CMD(VIP_NEW), ADD,
	  { A32(VP(VRF), 1), AIP(VP(ADDR), 10, 0, 0, 1), A8(VP(PROTO), 47), A16(VP(PORT), 80),
	    A32(VP(NEXTHOP), 1) }, -EPROTONOSUPPORT, 2 },
	{ "vip of port 0", CMD(VIP_NEW), ADD,
	  { A32(VP(VRF), 1), AIP(VP(ADDR), 10, 0, 0, 1), A8(VP(PROTO), TCP), A16(VP(PORT), 0),
	    A32(VP(NEXTHOP), 1) }, -ERANGE, 3 },
	{ "vip without port", CMD(VIP_NEW), ADD,
	  { A32(VP(VRF), 1), AIP(VP(ADDR), 10, 0, 0, 1), A8(VP(PROTO), TCP), A32(VP(NEXTHOP), 1) },
	  -EINVAL, -1 },
	{ "affinity of two days", CMD(VIP_NEW), ADD,
	  { A32(VP(VRF), 1), AIP(VP(ADDR), 10, 0, 0, 1), A8(VP(PROTO), TCP), A16(VP(PORT), 80),
	    A32(VP(NEXTHOP), 1), A32(VP(AFFINITY_TIMEOUT), 172800) }, -ERANGE, 5 },

	{ "direction that is none", CMD(SG_NEW), ADD,
	  { A32(SG(ID), 7), NEST(SG(RULE), 1), A8(RU(DIRECTION), 2) }, -ERANGE, 2 },
	{ "rule without direction", CMD(SG_NEW), ADD,
	  { A32(SG(ID), 7), NEST(SG(RULE), 1), A8(RU(PROTO), TCP) }, -EINVAL, -1 },
	{ "family that is none", CMD(SG_NEW), ADD, { RULE(2), A8(RU(FAMILY), 3) },
	  -EAFNOSUPPORT, 3 },
	{ "protocol that is none", CMD(SG_NEW), ADD, { RULE(2), A8(RU(PROTO), 47) },
	  -EPROTONOSUPPORT, 3 },
	{ "ports of no protocol", CMD(SG_NEW), ADD, { RULE(2), A16(RU(PORT_MIN), 80) },
	  -EINVAL, 3 },
	{ "ports the wrong way round", CMD(SG_NEW), ADD,
	  { RULE(4), A8(RU(PROTO), TCP), A16(RU(PORT_MIN), 81), A16(RU(PORT_MAX), 80) },
	  -EINVAL, 5 },
	{ "last port only", CMD(SG_NEW), ADD,
	  { RULE(3), A8(RU(PROTO), TCP), A16(RU(PORT_MAX), 80) }, -EINVAL, 4 },
	{ "ICMP type of TCP", CMD(SG_NEW), ADD,
	  { RULE(3), A8(RU(PROTO), TCP), A8(RU(ICMP_TYPE), 8) }, -EINVAL, 4 },
	{ "ICMP code only", CMD(SG_NEW), ADD,
	  { RULE(3), A8(RU(PROTO), IPPROTO_ICMP), A8(RU(ICMP_CODE), 8) }, -EINVAL, 4 },
	{ "ICMPv6 of IPv4", CMD(SG_NEW), ADD,
	  { RULE(3), A8(RU(FAMILY), AF_INET), A8(RU(PROTO), IPPROTO_ICMPV6) }, -EINVAL, 4 },
	{ "peer prefix and group", CMD(SG_NEW), ADD,
	  { RULE(5), NEST(RU(PEER_PREFIX), 2), AIP(PF(ADDR), 10, 0, 0, 0), A8(PF(LEN), 8),
	    A32(RU(PEER_SG), 1) }, -EINVAL, 6 },
	{ "exception of no prefix", CMD(SG_NEW), ADD,
	  { RULE(4), NEST(RU(PEER_EXCEPT), 2), AIP(PF(ADDR), 10, 0, 0, 0), A8(PF(LEN), 8) },
	  -EINVAL, 3 },
	{ "exception outside", CMD(SG_NEW), ADD,
	  { RULE(7), NEST(RU(PEER_PREFIX), 2), AIP(PF(ADDR), 10, 0, 0, 0), A8(PF(LEN), 8),
	    NEST(RU(PEER_EXCEPT), 2), AIP(PF(ADDR), 11, 0, 0, 0), A8(PF(LEN), 16) }, -EINVAL, 6 },
	{ "exception larger", CMD(SG_NEW), ADD,
	  { RULE(7), NEST(RU(PEER_PREFIX), 2), AIP(PF(ADDR), 10, 0, 0, 0), A8(PF(LEN), 8),
	    NEST(RU(PEER_EXCEPT), 2), AIP(PF(ADDR), 10, 0, 0, 0), A8(PF(LEN), 7) }, -EINVAL, 6 },
	{ "exception of the other family", CMD(SG_NEW), ADD,
	  { RULE(7), NEST(RU(PEER_PREFIX), 2), AIP(PF(ADDR), 10, 0, 0, 0), A8(PF(LEN), 8),
	    NEST(RU(PEER_EXCEPT), 2), ABIN(PF(ADDR), 16, 10), A8(PF(LEN), 16) }, -EINVAL, 6 },
	{ "prefix of the other family", CMD(SG_NEW), ADD,
	  { RULE(5), A8(RU(FAMILY), AF_INET6), NEST(RU(PEER_PREFIX), 2),
	    AIP(PF(ADDR), 10, 0, 0, 0), A8(PF(LEN), 8) }, -EINVAL, 4 },
	{ "rule's host bits", CMD(SG_NEW), ADD,
	  { RULE(4), NEST(RU(PEER_PREFIX), 2), AIP(PF(ADDR), 10, 0, 0, 1), A8(PF(LEN), 8) },
	  -EINVAL, 4 },
	{ "rule's hits are output", CMD(SG_NEW), ADD, { RULE(2), A32(RU(INDEX), 1) }, -EINVAL, 3 },
	{ "closing what is no direction", CMD(SG_NEW), ADD, { A32(SG(ID), 7), A32(SG(ENFORCE), 4) },
	  -EINVAL, 1 },
	{ "tier that is none", CMD(SG_NEW), ADD, { A32(SG(ID), 7), A8(SG(TIER), 3) }, -ERANGE, 1 },
	{ "tier that closes", CMD(SG_NEW), ADD,
	  { A32(SG(ID), 7), A8(SG(TIER), 1), A32(SG(ENFORCE), 1) }, -EINVAL, 2 },
	{ "priority without a tier", CMD(SG_NEW), ADD, { A32(SG(ID), 7), A16(SG(PRIORITY), 1) },
	  -EINVAL, 1 },
	{ "action that is none", CMD(SG_NEW), ADD, { RULE(2), A8(RU(ACTION), 3) }, -ERANGE, 3 },
	{ "deny without a tier", CMD(SG_NEW), ADD, { RULE(2), A8(RU(ACTION), 1) }, -EINVAL, 1 },

	{ "module has no such limit", CMD(LIMITS_SET), 0,
	  { ABIN(LM(GLOBAL), 0), A32(LM(TIMEOUT_UDP), 5) }, -EINVAL, 1 },
	{ "trace from no vif", CMD(TRACE), 0,
	  { A32(TR(VIF), 7), NEST(TR(TUPLE), 4), AIP(TU(SRC), 10, 0, 0, 1),
	    AIP(TU(DST), 10, 0, 0, 2), A8(TU(PROTO), TCP), A16(TU(DPORT), 80) }, -ENOENT, 0 },
	{ "command that is none", 200, 0, {}, -EOPNOTSUPP, -1 },
};
KT_PARAM(requests, requests);

struct message {
	struct nlmsghdr		nlh;
	struct genlmsghdr	g;
	u8			attrs[512];
};

static void put_value(struct nlattr *a, const struct attr *from)
{
	const u8 *d = from->data;

	switch (from->len) {
	case 102:
		a->nla_len = NLA_HDRLEN + 2;
		*(u16 *)nla_data(a) = d[0] | d[1] << 8;
		break;
	case 104:
		a->nla_len = NLA_HDRLEN + 4;
		*(u32 *)nla_data(a) = d[0] | d[1] << 8 | d[2] << 16 | (u32)d[3] << 24;
		break;
	default:
		a->nla_len = NLA_HDRLEN + from->len;
		memcpy(nla_data(a), d, from->len);
	}
}

/* Puts attribute i with what is in it; returns the index of the next one. */
static unsigned int put(struct message *m, const struct attr *list, unsigned int i, u32 *offset)
{
	struct nlattr *a = (void *)m + m->nlh.nlmsg_len;
	unsigned int next = i + 1, end = next + list[i].nested;

	offset[i] = m->nlh.nlmsg_len;
	a->nla_type = list[i].type;
	if (!list[i].nested) {
		put_value(a, &list[i]);
		m->nlh.nlmsg_len += NLA_ALIGN(a->nla_len);
		return next;
	}
	a->nla_type |= NLA_F_NESTED;
	m->nlh.nlmsg_len += NLA_HDRLEN;
	while (next < end)
		next = put(m, list, next, offset);
	a->nla_len = (void *)m + m->nlh.nlmsg_len - (void *)a;
	return next;
}

static struct message *message(struct kunit *test, u8 cmd, u16 flags, const struct attr *list,
			       unsigned int n, u32 *offset)
{
	struct message *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->nlh.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	m->nlh.nlmsg_type = vr_nl_family.id;
	m->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	m->g.cmd = cmd;
	m->g.version = VROUTER_FAMILY_VERSION;
	for (i = 0; i < n && list[i].type;)
		i = put(m, list, i, offset);
	return m;
}

static void request(struct kunit *test)
{
	const struct request *r = test->param_value;
	struct kt_world *w = kt_world(test);
	u32 offset[12] = {}, off, gen = w->vn->gen;
	struct vr_usage used;
	struct message *m;
	char text[128];
	int err;

	m = message(test, r->cmd, r->flags, r->attr, ARRAY_SIZE(r->attr), offset);
	memcpy(&used, &w->vn->used, sizeof(used));
	err = kt_netlink(NETLINK_GENERIC, m, m->nlh.nlmsg_len, text, sizeof(text), &off);
	KUNIT_EXPECT_EQ_MSG(test, err, r->err, "%s", text);
	if (r->cmd != 200)
		KUNIT_EXPECT_NE_MSG(test, text[0], '\0', "no sentence");
	if (r->blame >= 0)
		KUNIT_EXPECT_EQ_MSG(test, off, offset[r->blame], "blamed: %s", text);
	KUNIT_EXPECT_EQ(test, w->vn->gen, gen);
	KUNIT_EXPECT_EQ(test, memcmp(&used, &w->vn->used, sizeof(used)), 0);
}

/* A list that is too long is refused as a whole. */
static void too_many(struct kunit *test)
{
	struct message *m = kunit_kzalloc(test, 8192, GFP_KERNEL);
	u32 offset[4], i, off;
	static const struct attr head[] = { A32(VIF(ID), 7), A32(VIF(VRF), 1), MAC,
					    A32(VIF(IFINDEX), 1) };
	struct attr addr = AIP(VIF(ADDR), 10, 1, 0, 0);
	char text[128];

	KUNIT_ASSERT_NOT_NULL(test, m);
	memcpy(m, message(test, VROUTER_CMD_VIF_NEW, ADD, head, 4, offset), 256);
	for (i = 0; i <= VR_VIF_MAX_ADDRS; i++) {
		addr.data[3] = i;
		put(m, &addr, 0, offset);
	}
	KUNIT_EXPECT_EQ(test, kt_netlink(NETLINK_GENERIC, m, m->nlh.nlmsg_len, text,
					 sizeof(text), &off), -E2BIG);
	KUNIT_EXPECT_NE(test, text[0], '\0');
}

/* A label may have 319 octets, not 320. */
static void labels(struct kunit *test)
{
	struct message *m = kunit_kzalloc(test, 1024, GFP_KERNEL);
	static const struct attr head[] = { A32(VRF(ID), 7) };
	struct nlattr *a;
	u32 offset[1], off;
	char text[128];

	KUNIT_ASSERT_NOT_NULL(test, m);
	memcpy(m, message(test, VROUTER_CMD_VRF_NEW, ADD, head, 1, offset), 64);
	a = (void *)m + m->nlh.nlmsg_len;
	a->nla_type = VROUTER_A_VRF_LABEL;
	memset(nla_data(a), 'x', VROUTER_LABEL_MAX + 1);
	a->nla_len = NLA_HDRLEN + VROUTER_LABEL_MAX + 2;
	off = m->nlh.nlmsg_len;
	m->nlh.nlmsg_len = off + NLA_ALIGN(a->nla_len);
	KUNIT_EXPECT_EQ(test, kt_netlink(NETLINK_GENERIC, m, m->nlh.nlmsg_len, text,
					 sizeof(text), NULL), -EINVAL);
	((u8 *)nla_data(a))[VROUTER_LABEL_MAX] = '\0';
	a->nla_len = NLA_HDRLEN + VROUTER_LABEL_MAX + 1;
	m->nlh.nlmsg_len = off + NLA_ALIGN(a->nla_len);
	KUNIT_EXPECT_EQ_MSG(test, kt_netlink(NETLINK_GENERIC, m, m->nlh.nlmsg_len, text,
					     sizeof(text), NULL), 0, "%s", text);
}

/* Random octets behind a right header: any error, no effect, no crash. */
static void random_octets(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct kt_rnd r = { .state = 51 };
	unsigned int i, j, len;
	struct message *m;
	u32 offset[1];
	char text[128];
	int err;

	for (i = 0; i < 1500; i++) {
		m = message(test, kt_rnd_below(&r, VROUTER_CMD_MAX + 1), ADD, NULL, 0, offset);
		for (j = kt_rnd_below(&r, 6); j; j--) {
			struct nlattr *a = (void *)m + m->nlh.nlmsg_len;

			len = kt_rnd_below(&r, 20);
			a->nla_type = kt_rnd_below(&r, 16) | (kt_rnd_below(&r, 3) ? 0 : NLA_F_NESTED);
			a->nla_len = NLA_HDRLEN + len + (kt_rnd_below(&r, 20) ? 0 : kt_rnd_below(&r, 99));
			while (len--)
				((u8 *)nla_data(a))[len] = kt_rnd_below(&r, 2) ? kt_rnd(&r) : 0;
			m->nlh.nlmsg_len += min(NLA_ALIGN(a->nla_len), 60);
		}
		err = kt_netlink(NETLINK_GENERIC, m, m->nlh.nlmsg_len, text, sizeof(text), NULL);
		KUNIT_EXPECT_LE(test, err, 0);
		kunit_kfree(test, m);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.vifs), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(request, requests_gen_params),
	KUNIT_CASE(too_many),
	KUNIT_CASE(labels),
	KUNIT_CASE(random_octets),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_netlink",
	.init = kt_init,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
