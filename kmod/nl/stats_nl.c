// SPDX-License-Identifier: GPL-2.0-only
/* Totals of the namespace over netlink. */

#include "../obs/obs.h"
#include "../table/flow.h"
#include "nl.h"

static int put_totals(struct sk_buff *skb, const struct vr_net_totals *t)
{
	static const struct {
		u16	attr;
		u16	value;
	} totals[] = {
		{ VROUTER_A_STATS_FLOWS_CREATED, offsetof(struct vr_net_totals, created) },
		{ VROUTER_A_STATS_FLOWS_ENDED, offsetof(struct vr_net_totals, ended) },
		{ VROUTER_A_STATS_FLOWS_EVICTED, offsetof(struct vr_net_totals, evicted) },
		{ VROUTER_A_STATS_FLOW_HITS, offsetof(struct vr_net_totals, hits) },
		{ VROUTER_A_STATS_FLOW_MISSES, offsetof(struct vr_net_totals, misses) },
		{ VROUTER_A_STATS_REVALIDATED, offsetof(struct vr_net_totals, revalidated) },
	};
	const u64 *value;
	u64 drops = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(totals); i++) {
		value = (const void *)t + totals[i].value;
		if (nla_put_u64_64bit(skb, totals[i].attr, *value, VROUTER_A_STATS_PAD))
			return -EMSGSIZE;
	}
	for (i = VROUTER_DROP_REASON_NONE + 1; i <= VROUTER_DROP_REASON_MAX; i++)
		drops += t->drops[i];
	return nla_put_u64_64bit(skb, VROUTER_A_STATS_DROPS, drops, VROUTER_A_STATS_PAD);
}

static int fill(struct sk_buff *skb, const struct vr_net *vn, const void *totals)
{
	return nla_put_u32(skb, VROUTER_A_STATS_FLOWS, atomic_read(&vn->used.flows)) ?:
	       nla_put_u32(skb, VROUTER_A_STATS_HALF_OPEN, atomic_read(&vn->used.half_open)) ?:
	       nla_put_u32(skb, VROUTER_A_STATS_FLOW_SIZE, vr_flow_size()) ?:
	       put_totals(skb, totals);
}

int vrouter_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_net_totals totals;

	vr_net_sum(vn, &totals);
	return vr_nl_reply(info, vn, VROUTER_CMD_STATS_GET, fill, &totals);
}
