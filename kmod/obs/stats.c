// SPDX-License-Identifier: GPL-2.0-only
/* Counters of a namespace and of a vif's drops, summed over the CPUs. */

#include "../table/table.h"
#include "obs.h"

void vr_net_count_drop(struct vr_net *vn, enum vrouter_drop_reason why)
{
	struct vr_pcpu_net *s = this_cpu_ptr(vn->stats);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->drops[why]);
	u64_stats_update_end(&s->syncp);
}

/* What one CPU counted, as of one moment. */
static void read_cpu(const struct vr_pcpu_net *s, struct vr_net_totals *t)
{
	unsigned int start;
	int i;

	do {
		start = u64_stats_fetch_begin(&s->syncp);
		for (i = 0; i < ARRAY_SIZE(t->drops); i++)
			t->drops[i] = u64_stats_read(&s->drops[i]);
		t->hits = u64_stats_read(&s->hits);
		t->misses = u64_stats_read(&s->misses);
		t->created = u64_stats_read(&s->created);
		t->ended = u64_stats_read(&s->ended);
		t->evicted = u64_stats_read(&s->evicted);
		t->revalidated = u64_stats_read(&s->revalidated);
	} while (u64_stats_fetch_retry(&s->syncp, start));
}

void vr_net_sum(const struct vr_net *vn, struct vr_net_totals *sum)
{
	struct vr_net_totals t;
	int cpu, i;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		read_cpu(per_cpu_ptr(vn->stats, cpu), &t);
		for (i = 0; i < ARRAY_SIZE(t.drops); i++)
			sum->drops[i] += t.drops[i];
		sum->hits += t.hits;
		sum->misses += t.misses;
		sum->created += t.created;
		sum->ended += t.ended;
		sum->evicted += t.evicted;
		sum->revalidated += t.revalidated;
	}
}

u64 vr_net_drops(const struct vr_net *vn, enum vrouter_drop_reason why)
{
	const struct vr_pcpu_net *s;
	unsigned int start;
	u64 n, sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		s = per_cpu_ptr(vn->stats, cpu);
		do {
			start = u64_stats_fetch_begin(&s->syncp);
			n = u64_stats_read(&s->drops[why]);
		} while (u64_stats_fetch_retry(&s->syncp, start));
		sum += n;
	}
	return sum;
}

/* On 32 bits a reader may see half of an increment; these are for people. */
u64 vr_vif_drops(const struct vr_vif *vif, enum vrouter_drop_reason why)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(vif->drops, cpu)[why]);
	return sum;
}
