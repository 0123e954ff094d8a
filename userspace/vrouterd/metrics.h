/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_METRICS_H
#define VRD_METRICS_H

/*
 * Metrics of the daemon and of the data path. Those that kube-proxy has too mean the same here,
 * under names that begin with vrouter_ instead of kubeproxy_.
 */

#include <stdbool.h>

#include "healthport.h"
#include "promtext.h"

#define METRICS_TRIGGERS	1024	/* that wait for one reconciliation; more are not timed */

struct metrics {
	struct prom_histogram	sync;		/* seconds of a reconciliation that was done */
	double			begun;		/* CLOCK_MONOTONIC, seconds */
	double			queued, done;	/* when last; seconds since 1970; 0: never */
	unsigned long long	failures;
	struct {
		unsigned long long total, pending;	/* since the start, since it was last done */
	}			services, endpoints;
	struct prom_histogram	network;	/* seconds from a trigger to the kernel */
	double			triggers[METRICS_TRIGGERS];	/* since it was last done */
	unsigned int		n_triggers;
	double			started;	/* seconds since 1970 */
};

void metrics_init(struct metrics *m);
/* A LoadBalancer, or a pool of one, changed. */
void metrics_changed(struct metrics *m, bool endpoints);
/* Members changed because of what happened then, seconds since 1970; 0: nobody knows. */
void metrics_trigger(struct metrics *m, double when);
/* Around bringing what is planned to the kernel. */
void metrics_begin(struct metrics *m);
void metrics_end(struct metrics *m, bool done);

/* arg: struct daemon. The kernel's counters are read now. To be freed. */
char *metrics_text(void *arg, const struct healthport_counts *counts);

#endif
