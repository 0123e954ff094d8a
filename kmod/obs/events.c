// SPDX-License-Identifier: GPL-2.0-only
/* Flows and drops, told to netlink listeners and tracepoints. */

#include "../nl/nl.h"
#include "obs.h"
#include "trace.h"

#define DROPS_PER_SECOND	1000	/* of a namespace */

void vr_event_flow(struct vr_net *vn, const struct vr_flow *f, bool end)
{
	u8 cmd = end ? VROUTER_CMD_FLOW_DEL_NTF : VROUTER_CMD_FLOW_NEW_NTF;
	struct sk_buff *skb;
	void *hdr;

	if (end)
		trace_vr_flow_end(f);
	else
		trace_vr_flow_new(f);

	if (!vr_nl_listening(vn, VROUTER_NLGRP_FLOWS))
		return;

	skb = nlmsg_new(SZ_1K, GFP_ATOMIC);
	if (!skb)
		goto lost;
	hdr = genlmsg_put(skb, 0, 0, &vr_nl_family, 0, cmd);
	if (!hdr || vr_nl_fill_flow(skb, vn, f)) {
		nlmsg_free(skb);
		goto lost;
	}
	genlmsg_end(skb, hdr);
	vr_nl_multicast(vn, skb, VROUTER_NLGRP_FLOWS);
	return;

lost:
	genl_set_err(&vr_nl_family, vn->net, 0, VROUTER_NLGRP_FLOWS, -ENOBUFS);
}

/* May one more be sent? The count starts anew each second; two CPUs that find
 * a new second at once may let a few more pass.
 */
static bool take(struct vr_event_rate *rate)
{
	u32 last = READ_ONCE(rate->second), now = jiffies / HZ;

	if (last != now && cmpxchg(&rate->second, last, now) == last)
		atomic_set(&rate->sent, 0);
	/* does not grow while it is reached, so that it cannot wrap */
	if (atomic_add_unless(&rate->sent, 1, DROPS_PER_SECOND))
		return true;
	atomic_inc(&rate->suppressed);
	return false;
}

static int fill_drop(struct sk_buff *skb, const struct vr_vif *vif, const struct vr_tuple *t,
		     u16 icmp, enum vrouter_drop_reason why, const struct vr_vif *sg_vif,
		     u32 suppressed)
{
	if (nla_put_u32(skb, VROUTER_A_DROP_REASON, why) ||
	    (vif && nla_put_u32(skb, VROUTER_A_DROP_VIF, vif->id)) ||
	    (sg_vif && nla_put_u32(skb, VROUTER_A_DROP_SG_VIF, sg_vif->id)) ||
	    (t->family && vr_nl_put_tuple(skb, VROUTER_A_DROP_TUPLE, t, icmp)) ||
	    (suppressed && nla_put_u32(skb, VROUTER_A_DROP_SUPPRESSED, suppressed)))
		return -EMSGSIZE;
	return 0;
}

void vr_event_drop(struct vr_net *vn, const struct vr_vif *vif, const struct vr_tuple *tuple,
		   u8 icmp_type, u8 icmp_code, enum vrouter_drop_reason why,
		   const struct vr_vif *sg_vif)
{
	struct sk_buff *skb;
	u32 suppressed;
	void *hdr;

	trace_vr_drop(vif, tuple, why, sg_vif);

	if (!vr_nl_listening(vn, VROUTER_NLGRP_DROPS) || !take(&vn->drop_events))
		return;

	skb = nlmsg_new(SZ_512, GFP_ATOMIC);
	if (!skb) {
		atomic_inc(&vn->drop_events.suppressed);
		return;
	}
	suppressed = atomic_xchg(&vn->drop_events.suppressed, 0);
	hdr = genlmsg_put(skb, 0, 0, &vr_nl_family, 0, VROUTER_CMD_DROP_NTF);
	if (WARN_ON_ONCE(!hdr || fill_drop(skb, vif, tuple, icmp_type << 8 | icmp_code, why,
					   sg_vif, suppressed))) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	vr_nl_multicast(vn, skb, VROUTER_NLGRP_DROPS);
}
