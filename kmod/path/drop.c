// SPDX-License-Identifier: GPL-2.0-only
/* Where packets end that go no further: counted, told, freed. */

#include "path.h"

/* The nearest of the core's own reasons, for dropwatch and the like. */
static enum skb_drop_reason core_reason(enum vrouter_drop_reason why)
{
	switch (why) {
	case VROUTER_DROP_REASON_NO_MEMORY:
		return SKB_DROP_REASON_NOMEM;
	case VROUTER_DROP_REASON_VIF_DOWN:
		return SKB_DROP_REASON_DEV_READY;
	case VROUTER_DROP_REASON_BAD_ETHERNET:
		return SKB_DROP_REASON_UNHANDLED_PROTO;
	case VROUTER_DROP_REASON_BAD_ENCAP:
	case VROUTER_DROP_REASON_BAD_IP:
		return SKB_DROP_REASON_IP_INHDR;
	case VROUTER_DROP_REASON_BAD_L4:
		return SKB_DROP_REASON_HDR_TRUNC;
	case VROUTER_DROP_REASON_MARTIAN:
		return SKB_DROP_REASON_IP_INADDRERRORS;
	case VROUTER_DROP_REASON_SPOOFED_IP:
	case VROUTER_DROP_REASON_SPOOFED_PEER:
	case VROUTER_DROP_REASON_UNKNOWN_PEER:
		return SKB_DROP_REASON_IP_RPFILTER;
	case VROUTER_DROP_REASON_PROTOCOL:
		return SKB_DROP_REASON_IP_NOPROTO;
	case VROUTER_DROP_REASON_MTU:
		return SKB_DROP_REASON_PKT_TOO_BIG;
	case VROUTER_DROP_REASON_NO_ROUTE:
	case VROUTER_DROP_REASON_UNDERLAY:
	case VROUTER_DROP_REASON_BLACKHOLE:
	case VROUTER_DROP_REASON_VRF_LOOP:
		return SKB_DROP_REASON_IP_INNOROUTES;
	case VROUTER_DROP_REASON_SG_EGRESS:
	case VROUTER_DROP_REASON_SG_INGRESS:
	case VROUTER_DROP_REASON_POLICY_CHANGE:
		return SKB_DROP_REASON_NETFILTER_DROP;
	case VROUTER_DROP_REASON_TCP_STATE:
		return SKB_DROP_REASON_TCP_FLAGS;
	case VROUTER_DROP_REASON_TCP_RST:
		return SKB_DROP_REASON_TCP_RESET;
	default:
		return SKB_DROP_REASON_NOT_SPECIFIED;
	}
}

void vr_drop(struct vr_pkt *pkt, enum vrouter_drop_reason why, const struct vr_vif *sg_vif)
{
	pkt->dropped = why;
	vr_net_count_drop(pkt->vn, why);
	if (likely(pkt->vif))
		this_cpu_inc(pkt->vif->drops[why]);
	vr_event_drop(pkt->vn, pkt->vif, &pkt->tuple, pkt->icmp_type, pkt->icmp_code, why, sg_vif);
	kfree_skb_reason(pkt->skb, core_reason(why));
}
