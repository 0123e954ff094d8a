// SPDX-License-Identifier: GPL-2.0-only
/* The small world of the suites: pods on veth pairs, and its cleaning up. */

#include <linux/delay.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/rtnetlink.h>

#include "kunit_util.h"

union vr_addr kt_addr(u8 family, u32 host)
{
	union vr_addr a = {};

	if (family == AF_INET) {
		a.v4 = htonl(host);
	} else {
		a.w[0] = htonl(0xfd000000);
		a.w[3] = htonl(host);
	}
	return a;
}

struct vr_prefix kt_prefix(u8 family, u32 host, u8 len)
{
	return (struct vr_prefix){ .addr = kt_addr(family, host), .family = family,
				   .len = family == AF_INET ? len : 96 + len };
}

u32 kt_rnd(struct kt_rnd *r)
{
	/* SplitMix64 */
	u64 z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) >> 32;
}

/* --- devices -------------------------------------------------------------- */

struct link_msg {
	struct nlmsghdr	nlh;
	struct ifinfomsg ifi;
	u8		attrs[256];
};

static void put_attr(struct link_msg *m, u16 type, const void *data, u16 len)
{
	struct nlattr *a = (void *)m + m->nlh.nlmsg_len;

	a->nla_type = type;
	a->nla_len = nla_attr_size(len);
	memcpy(nla_data(a), data, len);
	m->nlh.nlmsg_len += nla_total_size(len);
}

static struct nlattr *nest(struct link_msg *m, u16 type)
{
	struct nlattr *a = (void *)m + m->nlh.nlmsg_len;

	put_attr(m, type, NULL, 0);
	return a;
}

static void nest_end(struct link_msg *m, struct nlattr *a)
{
	a->nla_len = (void *)m + m->nlh.nlmsg_len - (void *)a;
}

static int veth_add(const char *name, const char *peer)
{
	struct link_msg *m = kzalloc(sizeof(*m), GFP_KERNEL);
	const struct ifinfomsg ifi = {};
	struct nlattr *info, *data, *p;
	int err;

	if (!m)
		return -ENOMEM;
	m->nlh.nlmsg_len = NLMSG_LENGTH(sizeof(m->ifi));
	m->nlh.nlmsg_type = RTM_NEWLINK;
	m->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	put_attr(m, IFLA_IFNAME, name, strlen(name) + 1);
	info = nest(m, IFLA_LINKINFO);
	put_attr(m, IFLA_INFO_KIND, "veth", 4);
	data = nest(m, IFLA_INFO_DATA);
	p = nest(m, VETH_INFO_PEER);
	memcpy((void *)m + m->nlh.nlmsg_len, &ifi, sizeof(ifi));
	m->nlh.nlmsg_len += sizeof(ifi);
	put_attr(m, IFLA_IFNAME, peer, strlen(peer) + 1);
	nest_end(m, p);
	nest_end(m, data);
	nest_end(m, info);
	err = kt_netlink(NETLINK_ROUTE, m, m->nlh.nlmsg_len, NULL, 0, NULL);
	kfree(m);
	return err;
}

static int link_del(int ifindex)
{
	struct link_msg *m = kzalloc(sizeof(*m), GFP_KERNEL);
	int err;

	if (!m)
		return -ENOMEM;
	m->nlh.nlmsg_len = NLMSG_LENGTH(sizeof(m->ifi));
	m->nlh.nlmsg_type = RTM_DELLINK;
	m->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	m->ifi.ifi_index = ifindex;
	err = kt_netlink(NETLINK_ROUTE, m, m->nlh.nlmsg_len, NULL, 0, NULL);
	kfree(m);
	return err;
}

static rx_handler_result_t capture(struct sk_buff **pskb)
{
	struct kt_pod *pod = rcu_dereference((*pskb)->dev->rx_handler_data);
	struct sk_buff *skb = skb_share_check(*pskb, GFP_ATOMIC);

	if (!skb)
		return RX_HANDLER_CONSUMED;
	if (is_multicast_ether_addr(eth_hdr(skb)->h_dest) || skb_queue_len(&pod->got) > 1000) {
		kfree_skb(skb);
	} else {
		skb_reset_network_header(skb);
		skb_queue_tail(&pod->got, skb);
	}
	return RX_HANDLER_CONSUMED;
}

static int pod_make(struct kt_pod *pod, unsigned int i)
{
	char name[2][IFNAMSIZ];
	int err;

	snprintf(name[0], IFNAMSIZ, "kth%u", i);
	snprintf(name[1], IFNAMSIZ, "ktp%u", i);
	err = veth_add(name[0], name[1]);
	if (err)
		return err;
	pod->host = dev_get_by_name(&init_net, name[0]);
	pod->peer = dev_get_by_name(&init_net, name[1]);
	if (!pod->host || !pod->peer)
		return -ENODEV;
	pod->mac[0] = 2;	/* locally administered */
	pod->mac[5] = i + 1;
	skb_queue_head_init(&pod->got);
	rtnl_lock();
	err = netdev_rx_handler_register(pod->peer, capture, pod) ?:
	      dev_open(pod->host, NULL) ?: dev_open(pod->peer, NULL);
	rtnl_unlock();
	return err;
}

static void pod_end(struct kt_pod *pod)
{
	int ifindex;

	if (!pod->host || !pod->peer) {
		dev_put(pod->host);
		dev_put(pod->peer);
		return;
	}
	rtnl_lock();
	netdev_rx_handler_unregister(pod->peer);
	rtnl_unlock();
	skb_queue_purge(&pod->got);
	ifindex = pod->host->ifindex;
	dev_put(pod->host);
	dev_put(pod->peer);
	link_del(ifindex);
}

static struct kt_pod pods[KT_PODS];

/* The devices must say nothing of their own accord: no IPv6 of the stack on them. */
int kt_make_pods(struct kunit_suite *suite)
{
	int err = 0, was = init_net.ipv6.devconf_dflt->disable_ipv6;
	unsigned int i;

	memset(pods, 0, sizeof(pods));
	WRITE_ONCE(init_net.ipv6.devconf_dflt->disable_ipv6, 1);
	for (i = 0; i < KT_PODS && !err; i++)
		err = pod_make(&pods[i], i);
	WRITE_ONCE(init_net.ipv6.devconf_dflt->disable_ipv6, was);
	return err;
}

void kt_end_pods(struct kunit_suite *suite)
{
	unsigned int i;

	for (i = 0; i < KT_PODS; i++)
		pod_end(&pods[i]);
}

/* --- life of a world ------------------------------------------------------ */

void kt_lock(struct kt_world *w)
{
	rtnl_lock();
	mutex_lock(&w->vn->lock);
}

void kt_unlock(struct kt_world *w)
{
	mutex_unlock(&w->vn->lock);
	rtnl_unlock();
}

/* Cases set limits freely; both kinds are as before after each of them. */
static struct vr_limits saved_limits, saved_global;

int kt_init(struct kunit *test)
{
	struct kt_world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	w->test = test;
	w->pod = pods;
	w->vn = vr_net(&init_net);
	if (!w->vn)
		return -ENODEV;
	saved_limits = w->vn->limits;
	saved_global = vr_global.limits;
	test->priv = w;
	return 0;
}

int kt_init_pods(struct kunit *test)
{
	struct kt_world *w;
	unsigned int i;
	int err;

	err = kt_init(test);
	if (err)
		return err;
	w = kt_world(test);
	kt_set_vrf(w, KT_VRF);
	for (i = 0; i < KT_PODS; i++) {
		kt_set_vif(w, i, 0, NULL);
		kt_set_nexthop(w, &(struct vr_nexthop_cfg){ .id = KT_NH + i,
			.type = VROUTER_NEXTHOP_TYPE_LOCAL, .vif = KT_VIF(i) });
		kt_set_route(w, KT_VRF, kt_prefix(AF_INET, KT_POD(i), 32), KT_NH + i, 0, NULL);
		kt_set_route(w, KT_VRF, kt_prefix(AF_INET6, KT_POD(i), 32), KT_NH + i, 0, NULL);
	}
	return 0;
}

static void remove_routes(struct vr_net *vn, struct vr_vrf *vrf)
{
	struct vr_prefix p;
	struct vr_route *r;
	int i;

	for (i = 0; i < 2; i++)
		while ((r = vr_lpm_next(&vrf->routes[i], NULL, 0))) {
			p = r->prefix;
			if (vr_route_del(vn, vrf->id, &p, NULL))
				break;
		}
}

/* Objects hold one another: next hops may need several rounds. */
static void remove_all(struct vr_net *vn)
{
	struct vr_flow_filter any = {};
	struct vr_nexthop *nh;
	unsigned int round;
	struct vr_vip *vip;
	unsigned long id;
	void *entry;

	while ((vip = vr_vip_next(vn, NULL))) {
		struct vr_vip_key key = vip->key;

		if (vr_vip_del(vn, &key, NULL))
			break;
	}
	xa_for_each(&vn->vrfs, id, entry)
		remove_routes(vn, entry);
	for (round = 0; round < 8; round++)
		xa_for_each(&vn->nexthops, id, nh)
			vr_nexthop_del(vn, id, NULL);
	xa_for_each(&vn->vifs, id, entry)
		vr_vif_del(vn, id, NULL);
	xa_for_each(&vn->sgs, id, entry)
		vr_sg_del(vn, id, NULL);
	xa_for_each(&vn->vrfs, id, entry)
		vr_vrf_del(vn, id, NULL);
	vr_flow_flush(vn, &any);
}

/* What is counted in the namespace, by name. */
static void expect_nothing_left(struct kunit *test, struct vr_net *vn)
{
	KUNIT_EXPECT_EQ(test, atomic_read(&vn->used.flows), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vn->used.half_open), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vn->used.vrfs), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vn->used.vifs), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vn->used.nexthops), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vn->used.members), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vn->used.routes), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vn->used.vips), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vn->used.sgs), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vn->used.sg_rules), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vn->used.fragment_bytes), 0);
}

void kt_exit(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	unsigned int i;

	if (!w)
		return;
	kt_lock(w);
	w->vn->limits = saved_limits;
	vr_global.limits = saved_global;
	remove_all(w->vn);
	kt_unlock(w);
	for (i = 0; i < KT_PODS; i++)
		if (w->pod[i].peer)
			skb_queue_purge(&w->pod[i].got);
	expect_nothing_left(test, w->vn);
}

/* --- objects -------------------------------------------------------------- */

struct vr_vif *kt_vif(struct kt_world *w, unsigned int pod)
{
	return xa_load(&w->vn->vifs, KT_VIF(pod));
}

static void expect_set(struct kt_world *w, int err, const char *what, u32 id,
		       const struct netlink_ext_ack *extack)
{
	KUNIT_EXPECT_EQ_MSG(w->test, err, 0, "%s %u: %s", what, id,
			    extack->_msg ?: "(no sentence)");
}

#define SET(_w, _what, _id, _call) do {						\
	struct netlink_ext_ack extack = {};					\
	int __err;								\
										\
	kt_lock(_w);								\
	__err = _call;								\
	kt_unlock(_w);								\
	expect_set(_w, __err, _what, _id, &extack);				\
} while (0)

#define PUT	(NLM_F_CREATE | NLM_F_REPLACE)

void kt_set_vrf(struct kt_world *w, u32 id)
{
	struct vr_addr_af gw[2] = {
		{ kt_addr(AF_INET, KT_GATEWAY), AF_INET },
		{ kt_addr(AF_INET6, KT_GATEWAY), AF_INET6 },
	};
	struct vr_vrf_cfg cfg = { .id = id, .n_gateways = 2, .gateways = gw };

	SET(w, "vrf", id, vr_vrf_set(w->vn, &cfg, PUT, &extack));
}

void kt_set_vif(struct kt_world *w, unsigned int pod, unsigned int n_sgs, const u32 *sgs)
{
	struct vr_addr_af addr[2] = {
		{ kt_addr(AF_INET, KT_POD(pod)), AF_INET },
		{ kt_addr(AF_INET6, KT_POD(pod)), AF_INET6 },
	};
	struct vr_vif_cfg cfg = { .id = KT_VIF(pod), .dev = w->pod[pod].host, .vrf = KT_VRF,
				  .n_addrs = 2, .addrs = addr, .n_sgs = n_sgs, .sgs = sgs };

	memcpy(cfg.mac, w->pod[pod].mac, ETH_ALEN);
	SET(w, "vif", cfg.id, vr_vif_set(w->vn, &cfg, PUT, &extack));
}

void kt_set_nexthop(struct kt_world *w, const struct vr_nexthop_cfg *cfg)
{
	SET(w, "nexthop", cfg->id, vr_nexthop_set(w->vn, cfg, PUT, &extack));
}

void kt_set_route(struct kt_world *w, u32 vrf, struct vr_prefix prefix, u32 nexthop,
		  unsigned int n_sgs, const u32 *sgs)
{
	struct vr_route_cfg cfg = { .vrf = vrf, .prefix = prefix, .nexthop = nexthop,
				    .n_sgs = n_sgs, .sgs = sgs };

	SET(w, "route in vrf", vrf, vr_route_set(w->vn, &cfg, PUT, &extack));
}

void kt_set_sg(struct kt_world *w, u32 id, u32 enforce, const struct vr_sg_rule *rules,
	       unsigned int n)
{
	struct vr_sg_cfg cfg = { .id = id, .enforce = enforce, .n_rules = n };

	/* What the setter takes over is freed by it, so it needs its own. */
	cfg.rules = kmemdup(rules, n * sizeof(*rules), GFP_KERNEL);
	SET(w, "sg", id, vr_sg_set(w->vn, &cfg, PUT, &extack));
}

void kt_set_tier(struct kt_world *w, u32 id, u8 tier, u16 priority, const struct vr_sg_rule *rules,
		 unsigned int n)
{
	struct vr_sg_cfg cfg = { .id = id, .tier = tier, .priority = priority, .n_rules = n };

	cfg.rules = kmemdup(rules, n * sizeof(*rules), GFP_KERNEL);
	SET(w, "sg", id, vr_sg_set(w->vn, &cfg, PUT, &extack));
}

void kt_set_service(struct kt_world *w, u8 family, u8 proto, u32 addr, u16 port, u32 nexthop,
		    unsigned int first, unsigned int n, u16 target)
{
	struct vr_member_cfg m[KT_PODS] = {};
	struct vr_nexthop_cfg nh = { .id = nexthop, .type = VROUTER_NEXTHOP_TYPE_ECMP,
				     .n_members = n, .members = m };
	struct vr_vip_cfg vip = { .nexthop = nexthop };
	unsigned int i;

	for (i = 0; i < n; i++)
		m[i] = (struct vr_member_cfg){ .addr = kt_addr(family, KT_POD(first + i)),
					       .family = family, .weight = 1,
					       .port = htons(target) };
	kt_set_nexthop(w, &nh);
	vip.key = (struct vr_vip_key){ .vrf = KT_VRF, .family = family, .proto = proto,
				       .port = htons(port), .addr = kt_addr(family, addr) };
	SET(w, "vip", nexthop, vr_vip_set(w->vn, &vip, PUT, &extack));
}

/* --- traffic -------------------------------------------------------------- */

void kt_send_skb(struct kt_world *w, unsigned int pod, struct sk_buff *skb)
{
	struct ethhdr *eth = skb_push(skb, ETH_HLEN);

	ether_addr_copy(eth->h_dest, vr_gateway_mac);
	ether_addr_copy(eth->h_source, w->pod[pod].mac);
	eth->h_proto = skb->protocol;
	skb->dev = w->pod[pod].host;
	/* eth_type_trans() pulls without touching a CHECKSUM_COMPLETE sum, which
	 * kt_skb() made from the network header on: as a driver hands it over.
	 */
	skb->protocol = eth_type_trans(skb, skb->dev);
	skb->pkt_type = PACKET_HOST;
	local_bh_disable();
	netif_receive_skb(skb);
	local_bh_enable();
}

void kt_send(struct kt_world *w, unsigned int pod, const struct kt_pkt *p)
{
	kt_send_skb(w, pod, kt_skb(w->test, p));
}

struct sk_buff *kt_recv(struct kt_world *w, unsigned int pod)
{
	struct sk_buff *skb;
	int i;

	/* Nearly always there at once; the rest is for a busy ksoftirqd. */
	for (i = 0; i < 2000; i++) {
		skb = skb_dequeue(&w->pod[pod].got);
		if (skb)
			return skb;
		msleep(1);
	}
	return NULL;
}

u64 kt_drops(struct kt_world *w, unsigned int pod, enum vrouter_drop_reason why)
{
	return vr_vif_drops(kt_vif(w, pod), why);
}

void kt_expect_drop(struct kt_world *w, unsigned int pod, const struct kt_pkt *p,
		    enum vrouter_drop_reason why)
{
	struct vr_net_totals *t = kunit_kzalloc(w->test, 2 * sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(w->test, t);
	vr_net_sum(w->vn, &t[0]);
	kt_send(w, pod, p);
	vr_net_sum(w->vn, &t[1]);
	for (i = 0; i < __VROUTER_DROP_REASON_MAX; i++)
		if (i != why && t[1].drops[i] != t[0].drops[i])
			KUNIT_FAIL(w->test, "dropped as %s, expected %s", vr_drop_name(i),
				   vr_drop_name(why));
	KUNIT_EXPECT_EQ_MSG(w->test, t[1].drops[why] - t[0].drops[why], 1, "drops as %s",
			    vr_drop_name(why));
	kunit_kfree(w->test, t);
}

void kt_expect_recv(struct kt_world *w, unsigned int pod, const struct kt_pkt *want,
		    const char *what)
{
	struct sk_buff *skb = kt_recv(w, pod);
	struct ethhdr *eth;

	if (!skb)
		KUNIT_FAIL(w->test, "%s: nothing arrived at pod %u", what, pod);
	KUNIT_ASSERT_NOT_NULL(w->test, skb);
	eth = eth_hdr(skb);
	KUNIT_EXPECT_TRUE_MSG(w->test, ether_addr_equal(eth->h_dest, w->pod[pod].mac),
			      "%s: to %pM", what, eth->h_dest);
	KUNIT_EXPECT_TRUE_MSG(w->test, ether_addr_equal(eth->h_source, vr_gateway_mac),
			      "%s: from %pM", what, eth->h_source);
	kt_expect_pkt(w->test, skb, want, what);
	kt_expect_sound(w->test, skb, what);
	kfree_skb(skb);
}

void kt_expect_nothing(struct kt_world *w)
{
	unsigned int i;

	for (i = 0; i < KT_PODS; i++)
		KUNIT_EXPECT_EQ_MSG(w->test, skb_queue_len(&w->pod[i].got), 0u, "at pod %u", i);
}

struct kt_pkt kt_answer(const struct kt_pkt *p)
{
	struct kt_pkt a = *p;

	swap(a.src, a.dst);
	if (p->proto != IPPROTO_ICMP && p->proto != IPPROTO_ICMPV6)
		swap(a.sport, a.dport);
	return a;
}
