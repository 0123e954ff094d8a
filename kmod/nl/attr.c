// SPDX-License-Identifier: GPL-2.0-only
/* Attributes that several objects have: addresses, prefixes, ids, counters. */

#include <linux/in.h>
#include <linux/sort.h>
#include <net/addrconf.h>

#include "nl.h"

#ifdef VR_NEED_EXTACK_FMT
/* An extack has no room of its own for the sentence. It is read after the
 * handler returned, before the sender's next request. A line is used again
 * only after many more refusals, of all senders together.
 */
void vr_extack_fmt(struct netlink_ext_ack *extack, const char *fmt, ...)
{
	static char lines[64][80];
	static atomic_t last;
	va_list args;
	char *line;

	if (!extack)
		return;

	line = lines[(unsigned int)atomic_inc_return(&last) % ARRAY_SIZE(lines)];
	va_start(args, fmt);
	vsnprintf(line, sizeof(lines[0]), fmt, args);
	va_end(args);
	extack->_msg = line;
}
#endif

int vr_nl_require(struct genl_info *info, int attr, const char *what)
{
	if (!GENL_REQ_ATTR_CHECK(info, attr))
		return 0;
	NL_SET_ERR_MSG_FMT(info->extack, "%s is missing", what);
	return -EINVAL;
}

int vr_nl_require_in(struct netlink_ext_ack *extack, const struct nlattr *nest,
		     struct nlattr **tb, int attr, const char *what)
{
	if (!NL_REQ_ATTR_CHECK(extack, nest, tb, attr))
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "%s is missing", what);
	return -EINVAL;
}

int vr_nl_refuse(struct genl_info *info, int attr, const char *why)
{
	if (!info->attrs[attr])
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[attr], "%s", why);
	return -EINVAL;
}

int vr_nl_exist(struct genl_info *info, int type, struct xarray *table, const char *what)
{
	struct nlattr *a;
	int rem;

	nlmsg_for_each_attr(a, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(a) != type || xa_load(table, nla_get_u32(a)))
			continue;
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, a, "%s %u does not exist", what,
					nla_get_u32(a));
		return -ENOENT;
	}
	return 0;
}

int vr_nl_blame(struct genl_info *info, int attr, int err)
{
	if (err && !info->extack->bad_attr)
		NL_SET_BAD_ATTR(info->extack, info->attrs[attr]);
	return err;
}

const char *vr_nl_label(const struct nlattr *a)
{
	const char *label = a ? nla_data(a) : NULL;

	return label && *label ? label : NULL;
}

int vr_nl_addr(const struct nlattr *a, u8 *family, union vr_addr *addr,
	       struct netlink_ext_ack *extack)
{
	memset(addr, 0, sizeof(*addr));
	switch (nla_len(a)) {
	case sizeof(__be32):
		*family = AF_INET;
		break;
	case sizeof(struct in6_addr):
		*family = AF_INET6;
		break;
	default:
		NL_SET_ERR_MSG_ATTR(extack, a, "An address has 4 or 16 octets");
		return -EINVAL;
	}
	nla_memcpy(addr, a, sizeof(*addr));
	return 0;
}

static bool is_unicast(u8 family, const union vr_addr *addr)
{
	if (family == AF_INET)
		return !ipv4_is_zeronet(addr->v4) && !ipv4_is_loopback(addr->v4) &&
		       !ipv4_is_multicast(addr->v4) && !ipv4_is_lbcast(addr->v4);

	return !ipv6_addr_any(&addr->v6) && !ipv6_addr_loopback(&addr->v6) &&
	       !ipv6_addr_is_multicast(&addr->v6) && !ipv6_addr_v4mapped(&addr->v6);
}

int vr_nl_unicast(const struct nlattr *a, u8 *family, union vr_addr *addr,
		  struct netlink_ext_ack *extack)
{
	int err = vr_nl_addr(a, family, addr, extack);

	if (err)
		return err;
	if (!is_unicast(*family, addr)) {
		NL_SET_ERR_MSG_ATTR(extack, a, "Not an address that a host can have");
		return -EINVAL;
	}
	return 0;
}

int vr_nl_prefix(const struct nlattr *addr, const struct nlattr *len, struct vr_prefix *prefix,
		 struct netlink_ext_ack *extack)
{
	unsigned int bits;
	struct in6_addr net;
	int err;

	err = vr_nl_addr(addr, &prefix->family, &prefix->addr, extack);
	if (err)
		return err;

	bits = vr_addr_len(prefix->family) * BITS_PER_BYTE;
	prefix->len = nla_get_u8(len);
	if (prefix->len > bits) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, len, "A prefix of this family has at most %u bits",
					bits);
		return -EINVAL;
	}

	ipv6_addr_prefix(&net, &prefix->addr.v6, prefix->len);
	if (!ipv6_addr_equal(&net, &prefix->addr.v6)) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, addr, "Bits after the first %u are not zero",
					prefix->len);
		return -EINVAL;
	}
	return 0;
}

unsigned int vr_nl_count(struct genl_info *info, int type)
{
	const struct nlattr *a;
	unsigned int n = 0;
	int rem;

	nlmsg_for_each_attr(a, info->nlhdr, GENL_HDRLEN, rem)
		n += nla_type(a) == type;
	return n;
}

/* Room for all attributes of a type. *list is NULL when there are none. */
static int alloc_list(struct genl_info *info, int type, unsigned int max, size_t size,
		      void **list, unsigned int *n)
{
	*list = NULL;
	*n = vr_nl_count(info, type);
	if (!*n)
		return 0;

	if (*n > max) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[type],
					"%u of these, at most %u are allowed", *n, max);
		return -E2BIG;
	}
	*list = kvmalloc_array(*n, size, GFP_KERNEL_ACCOUNT);
	return *list ? 0 : -ENOMEM;
}

int vr_nl_unicasts(struct genl_info *info, int type, unsigned int max,
		   struct vr_addr_af **list, unsigned int *n)
{
	unsigned int i, k = 0;
	struct vr_addr_af *l;
	struct nlattr *a;
	int err, rem;

	err = alloc_list(info, type, max, sizeof(*l), (void **)list, n);
	if (err || !*n)
		return err;

	l = *list;
	nlmsg_for_each_attr(a, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(a) != type)
			continue;
		err = vr_nl_unicast(a, &l[k].family, &l[k].addr, info->extack);
		if (err)
			goto err_free;
		for (i = 0; i < k; i++) {
			if (l[i].family != l[k].family ||
			    memcmp(&l[i].addr, &l[k].addr, sizeof(l[i].addr)))
				continue;
			NL_SET_ERR_MSG_ATTR(info->extack, a, "The same address twice");
			err = -EINVAL;
			goto err_free;
		}
		k++;
	}
	return 0;

err_free:
	kvfree(l);
	*list = NULL;
	return err;
}

static int cmp_u32(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

int vr_nl_ids(struct genl_info *info, int type, unsigned int max, u32 **list,
	      unsigned int *n)
{
	unsigned int i, k = 0;
	struct nlattr *a;
	int err, rem;

	err = alloc_list(info, type, max, sizeof(**list), (void **)list, n);
	if (err || !*n)
		return err;

	nlmsg_for_each_attr(a, info->nlhdr, GENL_HDRLEN, rem)
		if (nla_type(a) == type)
			(*list)[k++] = nla_get_u32(a);

	sort(*list, *n, sizeof(**list), cmp_u32, NULL);
	for (i = 1; i < *n; i++) {
		if ((*list)[i - 1] != (*list)[i])
			continue;
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[type], "%u is named twice",
					(*list)[i]);
		kvfree(*list);
		*list = NULL;
		return -EINVAL;
	}
	return 0;
}

int vr_nl_put_addr(struct sk_buff *skb, int type, u8 family, const union vr_addr *addr)
{
	return nla_put(skb, type, vr_addr_len(family), addr);
}

int vr_nl_put_label(struct sk_buff *skb, int type, const char *label)
{
	return label ? nla_put_string(skb, type, label) : 0;
}

int vr_nl_put_counters(struct sk_buff *skb, int type,
		       const struct vr_pcpu_counters __percpu *pc, const u64 *drops)
{
	struct vr_counters c = {};
	struct nlattr *nest;

	vr_counters_sum(pc, &c);
	nest = nla_nest_start(skb, type);
	if (!nest)
		return -EMSGSIZE;

	if (nla_put_u64_64bit(skb, VROUTER_A_COUNTERS_RX_PACKETS, c.rx_packets,
			      VROUTER_A_COUNTERS_PAD) ||
	    nla_put_u64_64bit(skb, VROUTER_A_COUNTERS_RX_BYTES, c.rx_bytes,
			      VROUTER_A_COUNTERS_PAD) ||
	    nla_put_u64_64bit(skb, VROUTER_A_COUNTERS_TX_PACKETS, c.tx_packets,
			      VROUTER_A_COUNTERS_PAD) ||
	    nla_put_u64_64bit(skb, VROUTER_A_COUNTERS_TX_BYTES, c.tx_bytes,
			      VROUTER_A_COUNTERS_PAD) ||
	    (drops && nla_put_u64_64bit(skb, VROUTER_A_COUNTERS_DROPS, *drops,
					VROUTER_A_COUNTERS_PAD)) ||
	    nla_put_u64_64bit(skb, VROUTER_A_COUNTERS_FLOWS, c.flows,
			      VROUTER_A_COUNTERS_PAD)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int vr_nl_put_tuple(struct sk_buff *skb, int type, const struct vr_tuple *t, int icmp)
{
	u16 sport = ntohs(t->sport), dport = ntohs(t->dport);
	struct nlattr *nest;

	if (vr_is_icmp(t->proto))
		dport = icmp;

	nest = nla_nest_start(skb, type);
	if (!nest)
		return -EMSGSIZE;
	if (vr_nl_put_addr(skb, VROUTER_A_TUPLE_SRC, t->family, &t->src) ||
	    vr_nl_put_addr(skb, VROUTER_A_TUPLE_DST, t->family, &t->dst) ||
	    nla_put_u8(skb, VROUTER_A_TUPLE_PROTO, t->proto) ||
	    nla_put_u16(skb, VROUTER_A_TUPLE_SPORT, sport) ||
	    nla_put_u16(skb, VROUTER_A_TUPLE_DPORT, dport)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}
