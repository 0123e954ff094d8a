/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_PROMTEXT_H
#define VR_PROMTEXT_H

/*
 * Prometheus' text exposition format, version 0.0.4: a family's head (prom_family()), then its
 * samples. Names are the caller's to get right; values of labels and help may be any text.
 *
 *	prom_family(out, "x_writes_total", "counter", "Writes.");
 *	prom_sample(out, "x_writes_total", 3, "kind", "pods", "result", "ok", NULL);
 */

#include <stdint.h>
#include <stdio.h>

#define PROM_TYPE	"text/plain; version=0.0.4; charset=utf-8"
#define PROM_BUCKETS	16	/* of a histogram, at most */

struct prom_histogram {
	const double	*bounds;	/* upper ones, rising; without the last, +Inf */
	unsigned int	n;		/* of them */
	uint64_t	counts[PROM_BUCKETS + 1];	/* of each bucket alone */
	double		sum;
};

/* type: "counter", "gauge" or "histogram". */
void prom_family(FILE *out, const char *name, const char *type, const char *help);
/* Pairs of a label's name and value, ended by NULL. */
void prom_labelled(FILE *out, const char *name, double value, const char *const *labels);
#define prom_sample(out, name, value, ...)					\
	prom_labelled(out, name, value, (const char *const[]){ __VA_ARGS__ })
/* A family with one sample, without labels. */
void prom_one(FILE *out, const char *name, const char *type, const char *help, double value);

void prom_observe(struct prom_histogram *h, double value);
/* Head and samples. */
void prom_histogram(FILE *out, const char *name, const char *help, const struct prom_histogram *h);

/*
 * The process itself under the names that all programs use: process_cpu_seconds_total,
 * process_resident_memory_bytes, process_start_time_seconds, process_open_fds. What
 * /proc does not tell is left out.
 */
void prom_process(FILE *out);

#endif
