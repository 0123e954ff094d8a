// SPDX-License-Identifier: GPL-2.0-only
/* Links, addresses and routes over rtnetlink. */

/* Before linux/if.h, which then leaves out what it has, too. */
#include <net/if.h>

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rtnl_priv.h"

#define BUFFER	8192	/* largest request; answers come in buffers of MNL_SOCKET_BUFFER_SIZE */

static int fail(struct rtnl *r, int err)
{
	snprintf(r->text, sizeof(r->text), "%s", strerror(err));
	return -err;
}

static struct mnl_socket *open_socket(void)
{
	struct timeval patience = { .tv_sec = 10 };
	struct mnl_socket *nl;
	int on = 1;

	nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl)
		return NULL;
	/* Only the sentence is lost where a kernel does not know these. */
	mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(nl);
		return NULL;
	}
	return nl;
}

int rtnl_open(struct rtnl *r, int netns)
{
	int home = -1, err = 0;

	memset(r, 0, sizeof(*r));
	/* A socket stays in the namespace that it was made in. */
	if (netns >= 0) {
		home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (home < 0)
			return fail(r, errno);
		if (setns(netns, CLONE_NEWNET)) {
			err = errno;
			close(home);
			return fail(r, err);
		}
	}

	r->nl = open_socket();
	if (!r->nl)
		err = errno;

	if (home >= 0) {
		if (setns(home, CLONE_NEWNET) && !err)
			err = errno;
		close(home);
	}
	if (err) {
		rtnl_close(r);
		return fail(r, err);
	}
	r->portid = mnl_socket_get_portid(r->nl);
	return 0;
}

void rtnl_close(struct rtnl *r)
{
	if (r->nl)
		mnl_socket_close(r->nl);
	r->nl = NULL;
}

/* The kernel's sentence and the errno of an error message. */
static int read_error(struct rtnl *r, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;
	unsigned int skip;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return fail(r, EBADMSG);
	if (!e->error)
		return 0;

	fail(r, -e->error);
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return e->error;

	skip = sizeof(*e);
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&e->msg);
	mnl_attr_for_each(a, nlh, skip)
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG &&
		    !mnl_attr_validate(a, MNL_TYPE_NUL_STRING))
			snprintf(r->text, sizeof(r->text), "%s", mnl_attr_get_str(a));
	return e->error;
}

/* One datagram of an answer: 1 = there is more, else 0 or the error. */
static int take(struct rtnl *r, const char *buf, int len, rtnl_answer_fn fn, void *arg)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != r->seq)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return read_error(r, nlh);
		if (nlh->nlmsg_type == NLMSG_DONE)
			return 0;
		if (fn && nlh->nlmsg_type >= NLMSG_MIN_TYPE)
			fn(nlh, arg);
	}
	return 1;
}

int rtnl_call(struct rtnl *r, struct nlmsghdr *nlh, rtnl_answer_fn fn, void *arg)
{
	char buf[32768];	/* the kernel's largest part of a dump */
	int err = 1;

	nlh->nlmsg_seq = ++r->seq;
	nlh->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	r->text[0] = '\0';
	if (mnl_socket_sendto(r->nl, nlh, nlh->nlmsg_len) < 0)
		return fail(r, errno);

	while (err > 0) {
		ssize_t n = mnl_socket_recvfrom(r->nl, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(r, errno == EAGAIN ? ETIMEDOUT : errno);
		err = take(r, buf, n, fn, arg);
	}
	return err;
}

static struct ifinfomsg *put_link(char *buf, struct nlmsghdr **nlh, uint16_t type, uint16_t flags)
{
	*nlh = mnl_nlmsg_put_header(buf);
	(*nlh)->nlmsg_type = type;
	(*nlh)->nlmsg_flags = flags;
	return mnl_nlmsg_put_extra_header(*nlh, sizeof(struct ifinfomsg));
}

int rtnl_veth_add(struct rtnl *r, const char *host, const char *peer, int netns,
		  const uint8_t mac[6], unsigned int mtu)
{
	struct nlattr *info, *data, *other;
	struct nlmsghdr *nlh;
	char buf[BUFFER];

	put_link(buf, &nlh, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, host);
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, peer);
	mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac);
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, netns);
	mnl_attr_nest_end(nlh, other);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_call(r, nlh, NULL, NULL);
}

static bool is_veth(const struct nlattr *info)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, info)
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			return !strncmp(mnl_attr_get_payload(a), "veth",
					mnl_attr_get_payload_len(a));
	return false;
}

static void read_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct rtnl_link *link = arg;
	const struct nlattr *a;

	link->ifindex = ifi->ifi_index;
	link->flags = ifi->ifi_flags;
	mnl_attr_for_each(a, nlh, sizeof(*ifi)) {
		uint16_t len = mnl_attr_get_payload_len(a);

		switch (mnl_attr_get_type(a)) {
		case IFLA_ADDRESS:
			if (len == sizeof(link->mac))
				memcpy(link->mac, mnl_attr_get_payload(a), len);
			break;
		case IFLA_MTU:
			link->mtu = mnl_attr_get_u32(a);
			break;
		case IFLA_OPERSTATE:
			link->running = mnl_attr_get_u8(a) == IF_OPER_UP;
			break;
		case IFLA_LINKINFO:
			link->veth = is_veth(a);
			break;
		}
	}
}

int rtnl_link_get(struct rtnl *r, const char *name, struct rtnl_link *link)
{
	struct nlmsghdr *nlh;
	char buf[BUFFER];
	int err;

	memset(link, 0, sizeof(*link));
	put_link(buf, &nlh, RTM_GETLINK, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	err = rtnl_call(r, nlh, read_link, link);
	return err ? err : link->ifindex ? 0 : fail(r, ENODEV);
}

int rtnl_link_del(struct rtnl *r, const char *name)
{
	struct nlmsghdr *nlh;
	char buf[BUFFER];

	put_link(buf, &nlh, RTM_DELLINK, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return rtnl_call(r, nlh, NULL, NULL);
}

int rtnl_link_up(struct rtnl *r, unsigned int ifindex)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;
	char buf[BUFFER];

	ifi = put_link(buf, &nlh, RTM_NEWLINK, 0);
	ifi->ifi_index = ifindex;
	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	return rtnl_call(r, nlh, NULL, NULL);
}

int rtnl_link_mtu(struct rtnl *r, unsigned int ifindex, unsigned int mtu)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;
	char buf[BUFFER];

	ifi = put_link(buf, &nlh, RTM_NEWLINK, 0);
	ifi->ifi_index = ifindex;
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return rtnl_call(r, nlh, NULL, NULL);
}

int rtnl_link_add(struct rtnl *r, const char *name, const char *kind)
{
	struct nlmsghdr *nlh;
	struct nlattr *info;
	char buf[BUFFER];

	put_link(buf, &nlh, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(nlh, info);
	return rtnl_call(r, nlh, NULL, NULL);
}

int rtnl_link_rp_filter(struct rtnl *r, unsigned int ifindex, unsigned int value)
{
	struct nlattr *spec, *inet, *conf;
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;
	char buf[BUFFER];

	ifi = put_link(buf, &nlh, RTM_NEWLINK, 0);
	ifi->ifi_index = ifindex;
	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet = mnl_attr_nest_start(nlh, AF_INET);
	conf = mnl_attr_nest_start(nlh, IFLA_INET_CONF);
	mnl_attr_put_u32(nlh, IPV4_DEVCONF_RP_FILTER, value);
	mnl_attr_nest_end(nlh, conf);
	mnl_attr_nest_end(nlh, inet);
	mnl_attr_nest_end(nlh, spec);
	return rtnl_call(r, nlh, NULL, NULL);
}

int rtnl_link_no_addrgen(struct rtnl *r, unsigned int ifindex)
{
	struct nlattr *spec, *inet6;
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;
	char buf[BUFFER];
	int err;

	ifi = put_link(buf, &nlh, RTM_NEWLINK, 0);
	ifi->ifi_index = ifindex;
	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	err = rtnl_call(r, nlh, NULL, NULL);
	/* A kernel without IPv6 generates none anyway. */
	return err == -EAFNOSUPPORT ? 0 : err;
}

static uint16_t addr_len(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

static int change_addr(struct rtnl *r, uint16_t type, uint16_t flags, unsigned int ifindex,
		       uint8_t family, const void *addr, uint8_t len)
{
	struct ifaddrmsg *ifa;
	struct nlmsghdr *nlh;
	char buf[BUFFER];

	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = family;
	ifa->ifa_prefixlen = len;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	ifa->ifa_index = ifindex;
	/* The manager gives an address out once; a probe would only delay the pod. */
	if (family == AF_INET6)
		ifa->ifa_flags = IFA_F_NODAD;
	mnl_attr_put(nlh, IFA_LOCAL, addr_len(family), addr);
	mnl_attr_put(nlh, IFA_ADDRESS, addr_len(family), addr);
	return rtnl_call(r, nlh, NULL, NULL);
}

int rtnl_addr_add(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *addr,
		  uint8_t len)
{
	return change_addr(r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, family, addr, len);
}

int rtnl_addr_del(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *addr,
		  uint8_t len)
{
	return change_addr(r, RTM_DELADDR, 0, ifindex, family, addr, len);
}

struct search {
	unsigned int	ifindex;
	uint8_t		family;
	const void	*addr;
	bool		found;
};

static void match_addr(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct search *s = arg;
	const struct nlattr *a;

	if (ifa->ifa_index != s->ifindex || ifa->ifa_family != s->family)
		return;
	mnl_attr_for_each(a, nlh, sizeof(*ifa))
		if (mnl_attr_get_type(a) == IFA_ADDRESS &&
		    mnl_attr_get_payload_len(a) == addr_len(s->family) &&
		    !memcmp(mnl_attr_get_payload(a), s->addr, addr_len(s->family)))
			s->found = true;
}

int rtnl_addr_find(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *addr,
		   bool *found)
{
	struct search s = { .ifindex = ifindex, .family = family, .addr = addr };
	struct ifaddrmsg *ifa;
	struct nlmsghdr *nlh;
	char buf[BUFFER];
	int err;

	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_GETADDR;
	nlh->nlmsg_flags = NLM_F_DUMP;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = family;
	ifa->ifa_index = ifindex;
	err = rtnl_call(r, nlh, match_addr, &s);
	*found = s.found;
	return err;
}

static struct rtmsg *put_route(char *buf, struct nlmsghdr **nlh, uint16_t type, uint16_t flags,
			       uint8_t family)
{
	struct rtmsg *rtm;

	*nlh = mnl_nlmsg_put_header(buf);
	(*nlh)->nlmsg_type = type;
	(*nlh)->nlmsg_flags = flags;
	rtm = mnl_nlmsg_put_extra_header(*nlh, sizeof(*rtm));
	rtm->rtm_family = family;
	return rtm;
}

int rtnl_route_add(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *dst,
		   uint8_t len, const void *gateway)
{
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;
	char buf[BUFFER];
	int err;

	rtm = put_route(buf, &nlh, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, family);
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	if (gateway)
		rtm->rtm_flags = RTNH_F_ONLINK;
	if (dst) {
		rtm->rtm_dst_len = len;
		mnl_attr_put(nlh, RTA_DST, addr_len(family), dst);
	}
	if (gateway)
		mnl_attr_put(nlh, RTA_GATEWAY, addr_len(family), gateway);
	mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	err = rtnl_call(r, nlh, NULL, NULL);
	return err == -EEXIST ? 0 : err;
}

int rtnl_route_set(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *dst,
		   uint8_t len, const void *source, uint8_t proto)
{
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;
	char buf[BUFFER];

	rtm = put_route(buf, &nlh, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, family);
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = proto;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = RT_SCOPE_LINK;
	rtm->rtm_dst_len = len;
	mnl_attr_put(nlh, RTA_DST, addr_len(family), dst);
	if (source)
		mnl_attr_put(nlh, RTA_PREFSRC, addr_len(family), source);
	mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	return rtnl_call(r, nlh, NULL, NULL);
}

static void match_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	bool gateway = false, oif = false;
	struct search *s = arg;
	const struct nlattr *a;

	if (rtm->rtm_family != s->family || rtm->rtm_dst_len ||
	    rtm->rtm_table != RT_TABLE_MAIN || rtm->rtm_type != RTN_UNICAST)
		return;
	mnl_attr_for_each(a, nlh, sizeof(*rtm)) {
		if (mnl_attr_get_type(a) == RTA_GATEWAY)
			gateway = mnl_attr_get_payload_len(a) == addr_len(s->family) &&
				  !memcmp(mnl_attr_get_payload(a), s->addr, addr_len(s->family));
		else if (mnl_attr_get_type(a) == RTA_OIF)
			oif = mnl_attr_get_u32(a) == s->ifindex;
	}
	s->found |= gateway && oif;
}

int rtnl_route_find(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *gateway,
		    bool *found)
{
	struct search s = { .ifindex = ifindex, .family = family, .addr = gateway };
	struct nlmsghdr *nlh;
	char buf[BUFFER];
	int err;

	put_route(buf, &nlh, RTM_GETROUTE, NLM_F_DUMP, family);
	err = rtnl_call(r, nlh, match_route, &s);
	*found = s.found;
	return err;
}

int rtnl_table_change(struct rtnl *r, bool add, uint32_t table, uint8_t proto,
		      unsigned int ifindex, const struct vr_prefix *p)
{
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;
	char buf[BUFFER];

	rtm = put_route(buf, &nlh, add ? RTM_NEWROUTE : RTM_DELROUTE,
			add ? NLM_F_CREATE | NLM_F_REPLACE : 0, p->addr.family);
	rtm->rtm_table = RT_TABLE_UNSPEC;
	rtm->rtm_protocol = proto;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = add ? RT_SCOPE_LINK : RT_SCOPE_NOWHERE;
	rtm->rtm_dst_len = p->len;
	mnl_attr_put_u32(nlh, RTA_TABLE, table);
	mnl_attr_put(nlh, RTA_DST, addr_len(p->addr.family), p->addr.b);
	if (add)
		mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	return rtnl_call(r, nlh, NULL, NULL);
}

struct table_walk {
	uint32_t	table;
	uint8_t		proto;
	void		(*fn)(const struct vr_prefix *p, void *arg);
	void		*arg;
};

static void visit_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct table_walk *w = arg;
	uint32_t table = rtm->rtm_table;
	struct vr_prefix p = { .addr.family = rtm->rtm_family, .len = rtm->rtm_dst_len };
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(*rtm)) {
		if (mnl_attr_get_type(a) == RTA_TABLE)
			table = mnl_attr_get_u32(a);
		else if (mnl_attr_get_type(a) == RTA_DST &&
			 mnl_attr_get_payload_len(a) == addr_len(rtm->rtm_family))
			memcpy(p.addr.b, mnl_attr_get_payload(a), addr_len(rtm->rtm_family));
	}
	if (table == w->table && rtm->rtm_protocol == w->proto &&
	    (rtm->rtm_family == AF_INET || rtm->rtm_family == AF_INET6))
		w->fn(&p, w->arg);
}

int rtnl_table_each(struct rtnl *r, uint32_t table, uint8_t proto,
		    void (*fn)(const struct vr_prefix *p, void *arg), void *arg)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct table_walk w = { table, proto, fn, arg };
	struct nlmsghdr *nlh;
	char buf[BUFFER];
	unsigned int i;
	int err = 0;

	for (i = 0; i < sizeof(families) && !err; i++) {
		put_route(buf, &nlh, RTM_GETROUTE, NLM_F_DUMP, families[i]);
		err = rtnl_call(r, nlh, visit_route, &w);
	}
	return err;
}
