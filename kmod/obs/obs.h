/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_OBS_H
#define VR_OBS_H

/* How the module is seen: drop reasons, counters of the namespace, events. */

#include "../vrouter.h"

struct vr_vif;
struct vr_flow;

/* drop_reason.c: from obs/drop_gen.h, the list that is made from the netlink spec */
const char *vr_drop_name(enum vrouter_drop_reason why);	/* "sg-ingress" */
const char *vr_drop_help(enum vrouter_drop_reason why);	/* one sentence */

/* counters of the namespace; BH disabled */
void vr_net_count_drop(struct vr_net *vn, enum vrouter_drop_reason why);

/* One more of vr_pcpu_net's hits, misses, created, ended, evicted, revalidated; BH disabled */
#define vr_net_count(vn, what) do {				\
	struct vr_pcpu_net *__s = this_cpu_ptr((vn)->stats);	\
								\
	u64_stats_update_begin(&__s->syncp);			\
	u64_stats_inc(&__s->what);				\
	u64_stats_update_end(&__s->syncp);			\
} while (0)

struct vr_net_totals {
	u64 drops[__VROUTER_DROP_REASON_MAX];
	u64 hits, misses, created, ended, evicted, revalidated;
};
void vr_net_sum(const struct vr_net *vn, struct vr_net_totals *sum);
u64 vr_net_drops(const struct vr_net *vn, enum vrouter_drop_reason why);
u64 vr_vif_drops(const struct vr_vif *vif, enum vrouter_drop_reason why);

/* Events to netlink listeners, from any context. They cost a flag's check while
 * nobody listens; drops are rate-limited for each namespace.
 */
void vr_event_flow(struct vr_net *vn, const struct vr_flow *f, bool end);
void vr_event_drop(struct vr_net *vn, const struct vr_vif *vif, const struct vr_tuple *tuple,
		   u8 icmp_type, u8 icmp_code, enum vrouter_drop_reason why,
		   const struct vr_vif *sg_vif);

#endif
