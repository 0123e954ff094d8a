// SPDX-License-Identifier: GPL-2.0-only
/*
 * The node's own network: what comes from there for a service, for a flow that was
 * translated to the node's address, or for a prefix of the VRF is taken before the host's
 * connection tracking sees it. All else is the host's, untouched. What goes there is
 * routed by the node's tables, untracked. Fragments come put together by the kernel, and
 * what is ours is cut again as it was (refrag.c).
 *
 * There are no hooks without a vif of type external.
 */

#include <linux/inetdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/route.h>

#include "path.h"

/* --- is it ours? ---------------------------------------------------------- */

bool vr_is_node_addr(const struct vr_net *vn, u8 family, const union vr_addr *addr)
{
	if (family == AF_INET)
		return inet_addr_type(vn->net, addr->v4) == RTN_LOCAL;
	return ipv6_chk_addr(vn->net, &addr->v6, NULL, 0);
}

static bool is_of_flow(const struct vr_pkt *pkt)
{
	struct vr_tuple t = pkt->tuple;

	if (pkt->icmp_error)
		t = vr_tuple_mirror(&pkt->inner);
	return vr_flow_lookup_rcu(pkt->vn, &t);
}

static bool is_of_service(const struct vr_pkt *pkt)
{
	return !vr_proto_is_icmp(pkt->tuple.proto) &&
	       vr_vip_find_rcu(pkt->vn, pkt->conf->vrf->id, &pkt->tuple);
}

/* A prefix that is routed through the node; what is in it of the node's own stays there. */
static bool is_of_prefix(const struct vr_pkt *pkt)
{
	const struct vr_tuple *t = &pkt->tuple;

	return vr_route_lookup_rcu(pkt->conf->vrf, t->family, &t->dst) &&
	       !vr_is_node_addr(pkt->vn, t->family, &t->dst);
}

static void set_port(struct vr_pkt *pkt, u32 id)
{
	pkt->tuple.port = id;
	pkt->inner.port = id;
}

/* Where the packet enters, if it is ours; NULL if it is the host's. */
static struct vr_vif *entry(struct vr_pkt *pkt, struct vr_vif *external, bool from_node)
{
	struct vr_vif *host = from_node ? READ_ONCE(pkt->vn->host) : NULL;

	pkt->conf = rcu_dereference(external->conf);
	if (vr_parse(pkt))
		return NULL;
	/* the node answers somebody who came by a service of ours */
	if (host) {
		set_port(pkt, host->id);
		if (is_of_flow(pkt))
			return host;
		set_port(pkt, external->id);
	}
	if (is_of_flow(pkt))
		return external;
	if (pkt->icmp_error)
		return NULL;
	return is_of_service(pkt) || (!from_node && is_of_prefix(pkt)) ? external : NULL;
}

/* Everything behind this judges fragments as those of a pod, each at its size. */
static void send_in_fragments(struct vr_pkt *pkt, struct vr_vif *vif)
{
	const struct vr_tuple *t = &pkt->tuple;
	struct vr_frag_key key = {
		.vif = vif->id, .family = t->family, .proto = t->proto,
		.src = t->src, .dst = t->dst,
	};
	struct sk_buff *whole = pkt->skb;
	enum vrouter_drop_reason why;
	struct sk_buff_head list;

	__skb_queue_head_init(&list);
	why = vr_refrag(whole, &list);
	if (why) {
		vr_pkt_enter(pkt, vif);
		vr_drop(pkt, why, NULL);
		return;
	}
	skb_queue_walk(&list, pkt->skb)
		vr_pkt_enter(pkt, vif);
	vr_frag_send(pkt, whole->dev, &key, &list);
	consume_skb(whole);
}

static unsigned int take(struct vr_vif *external, struct sk_buff *skb, bool from_node)
{
	struct vr_vif *vif;
	struct vr_pkt pkt;

	vr_pkt_init(&pkt, external->vn, skb);
	pkt.vif = external;
	vif = entry(&pkt, external, from_node);
	if (!vif)
		return NF_ACCEPT;
	if (vr_refrag_is_due(skb) && !pkt.icmp_error) {
		send_in_fragments(&pkt, vif);
	} else {
		vr_pkt_enter(&pkt, vif);
		vr_input(&pkt);
	}
	return NF_STOLEN;
}

/* --- hooks ---------------------------------------------------------------- */

static unsigned int on_receive(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	unsigned int verdict;

	if (skb->pkt_type != PACKET_HOST || vr_is_host_dev(state->in))
		return NF_ACCEPT;
	rcu_read_lock();
	verdict = take(priv, skb, false);
	rcu_read_unlock();
	return verdict;
}

/* In process context for what sockets send. */
static unsigned int on_send(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	unsigned int verdict;

	if (state->out && vr_is_host_dev(state->out))
		return NF_ACCEPT;
	local_bh_disable();
	rcu_read_lock();
	verdict = take(priv, skb, true);
	rcu_read_unlock();
	local_bh_enable();
	return verdict;
}

/* Behind the kernel's own defragmentation and before all else of netfilter: whose a fragment is
 * cannot be said without its first one, and the kernel keeps the node's own by the node's
 * bounds, as its connection tracking has it done on nearly every node anyway.
 */
static const struct nf_hook_ops hooks[] = {
	{
		.hook = on_receive, .pf = NFPROTO_IPV4, .hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_CONNTRACK_DEFRAG + 1,
	}, {
		.hook = on_receive, .pf = NFPROTO_IPV6, .hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP6_PRI_CONNTRACK_DEFRAG + 1,
	}, {
		.hook = on_send, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_CONNTRACK_DEFRAG + 1,
	}, {
		.hook = on_send, .pf = NFPROTO_IPV6, .hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP6_PRI_CONNTRACK_DEFRAG + 1,
	},
};

static int defrag_enable(struct net *net)
{
	int err;

	err = nf_defrag_ipv4_enable(net);
	if (err)
		return err;
	err = nf_defrag_ipv6_enable(net);
	if (err)
		nf_defrag_ipv4_disable(net);
	return err;
}

static void defrag_disable(struct net *net)
{
	nf_defrag_ipv6_disable(net);
	nf_defrag_ipv4_disable(net);
}

int vr_external_open(struct vr_net *vn, struct vr_vif *vif)
{
	unsigned int i;
	int err;

	vif->hooks = kmemdup(hooks, sizeof(hooks), GFP_KERNEL_ACCOUNT);
	if (!vif->hooks)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		vif->hooks[i].priv = vif;
	err = defrag_enable(vn->net);
	if (err)
		goto err_free;
	err = nf_register_net_hooks(vn->net, vif->hooks, ARRAY_SIZE(hooks));
	if (err)
		goto err_defrag;
	return 0;

err_defrag:
	defrag_disable(vn->net);
err_free:
	kfree(vif->hooks);
	vif->hooks = NULL;
	return err;
}

void vr_external_shut(struct vr_net *vn, struct vr_vif *vif)
{
	nf_unregister_net_hooks(vn->net, vif->hooks, ARRAY_SIZE(hooks));
	defrag_disable(vn->net);
	synchronize_net();
	kfree(vif->hooks);
	vif->hooks = NULL;
}

/* --- out ------------------------------------------------------------------ */

/* The sender need not be the node: a service's address, or a pod that is routed. */
static struct dst_entry *way_out(struct vr_net *vn, u8 family, const union vr_addr *from,
				 const union vr_addr *to)
{
	struct dst_entry *dst;
	struct rtable *rt;

	if (family == AF_INET) {
		struct flowi4 fl = {
			.daddr = to->v4, .saddr = from->v4, .flowi4_flags = FLOWI_FLAG_ANYSRC,
		};

		rt = ip_route_output_key(vn->net, &fl);
		dst = IS_ERR(rt) ? NULL : &rt->dst;
	} else {
		struct flowi6 fl = { .daddr = to->v6, .saddr = from->v6 };

		dst = ip6_route_output(vn->net, NULL, &fl);
		if (dst->error) {
			dst_release(dst);
			dst = NULL;
		}
	}
	if (dst && vr_is_host_dev(dst->dev)) {
		dst_release(dst);
		dst = NULL;
	}
	return dst;
}

u32 vr_external_mtu(struct vr_net *vn, u8 family, const union vr_addr *to)
{
	static const union vr_addr any;
	struct dst_entry *dst = way_out(vn, family, &any, to);
	u32 mtu;

	if (!dst)
		return 0;
	mtu = dst_mtu(dst);
	dst_release(dst);
	return mtu;
}

enum vrouter_drop_reason vr_external_xmit(struct vr_net *vn, struct sk_buff *skb)
{
	union vr_addr from = {}, to = {};
	u8 family = AF_INET;
	struct dst_entry *dst;

	if (skb->protocol == htons(ETH_P_IP)) {
		from.v4 = ip_hdr(skb)->saddr;
		to.v4 = ip_hdr(skb)->daddr;
	} else {
		family = AF_INET6;
		from.v6 = ipv6_hdr(skb)->saddr;
		to.v6 = ipv6_hdr(skb)->daddr;
	}
	dst = way_out(vn, family, &from, &to);
	if (unlikely(!dst))
		return VROUTER_DROP_REASON_NO_EXTERNAL_ROUTE;

	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	skb->priority = 0;
	memset(skb->cb, 0, sizeof(skb->cb));
	skb_set_nfct(skb, IP_CT_UNTRACKED);
	skb_dst_set(skb, dst);
	dst_output(vn->net, NULL, skb);
	return VROUTER_DROP_REASON_NONE;
}
