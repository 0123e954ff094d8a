// SPDX-License-Identifier: GPL-2.0-only
/* Where packets end: counted, told, freed. */

#include <linux/skbuff.h>

#include "path.h"

void vr_drop(struct vr_pkt *pkt, enum vrouter_drop_reason why, const struct vr_vif *sg_vif)
{
	vr_net_count_drop(pkt->vn, why);
	this_cpu_inc(pkt->vif->drops[why]);
	vr_event_drop(pkt->vn, pkt->vif, &pkt->tuple, pkt->icmp_type, pkt->icmp_code, why, sg_vif);
	kfree_skb_reason(pkt->skb, SKB_DROP_REASON_NOT_SPECIFIED);
	pkt->skb = NULL;
}
