// SPDX-License-Identifier: GPL-2.0-only
/* Per-CPU counters of objects, and the bounds of how many there may be. */

#include <linux/netdevice.h>

#include "table.h"

struct vr_pcpu_counters __percpu *vr_counters_alloc(void)
{
	return __netdev_alloc_pcpu_stats(struct vr_pcpu_counters, GFP_KERNEL_ACCOUNT);
}

void vr_counters_sum(const struct vr_pcpu_counters __percpu *pc, struct vr_counters *sum)
{
	const struct vr_pcpu_counters *c;
	struct vr_counters t;
	unsigned int start;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	memset(&t, 0, sizeof(t));
	for_each_possible_cpu(cpu) {
		c = per_cpu_ptr(pc, cpu);
		do {
			start = u64_stats_fetch_begin(&c->syncp);
			t.rx_packets = u64_stats_read(&c->rx_packets);
			t.rx_bytes = u64_stats_read(&c->rx_bytes);
			t.tx_packets = u64_stats_read(&c->tx_packets);
			t.tx_bytes = u64_stats_read(&c->tx_bytes);
			t.flows = u64_stats_read(&c->flows);
		} while (u64_stats_fetch_retry(&c->syncp, start));
		sum->rx_packets += t.rx_packets;
		sum->rx_bytes += t.rx_bytes;
		sum->tx_packets += t.tx_packets;
		sum->tx_bytes += t.tx_bytes;
		sum->flows += t.flows;
	}
}

/* Never more than the limit, not even for a moment: two CPUs at the bound must
 * not refuse each other.
 */
static bool take(atomic_t *used, u32 limit, int n)
{
	int old = atomic_read(used);

	do {
		if ((u32)old + n > limit)
			return false;
	} while (!atomic_try_cmpxchg(used, &old, old + n));
	return true;
}

int vr_take(atomic_t *used, const u32 *limit, atomic_t *gused, const u32 *glimit, int n,
	    const char *what, struct netlink_ext_ack *extack)
{
	if (n <= 0)
		return 0;
	if (!take(used, READ_ONCE(*limit), n)) {
		NL_SET_ERR_MSG_FMT(extack, "Limit of %u %s reached (vrctl limits set %s N)",
				   READ_ONCE(*limit), what, what);
		return -ENOSPC;
	}
	if (!take(gused, READ_ONCE(*glimit), n)) {
		atomic_sub(n, used);
		NL_SET_ERR_MSG_FMT(extack,
				   "Module's limit of %u %s reached (vrctl limits set global)",
				   READ_ONCE(*glimit), what);
		return -ENOSPC;
	}
	return 0;
}

void vr_give(atomic_t *used, atomic_t *gused, int n)
{
	if (n <= 0)
		return;
	atomic_sub(n, used);
	atomic_sub(n, gused);
}
