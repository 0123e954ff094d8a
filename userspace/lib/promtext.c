// SPDX-License-Identifier: GPL-2.0-only
/* Metrics as Prometheus reads them. */

#include "promtext.h"

#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_EXACT	9007199254740992.0	/* 2^53: whole numbers are whole up to there */

/* Label values have their quotes escaped; help texts have none that end them. */
static void put_text(FILE *out, const char *text, bool quoted)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '\\')
			fputs("\\\\", out);
		else if (*text == '"' && quoted)
			fputs("\\\"", out);
		else
			fputc(*text, out);
	}
}

static void put_value(FILE *out, double value)
{
	if (isnan(value))
		fputs(" NaN\n", out);
	else if (isinf(value))
		fputs(value > 0 ? " +Inf\n" : " -Inf\n", out);
	else if (fabs(value) < MAX_EXACT && value == trunc(value))
		fprintf(out, " %.0f\n", value);
	else
		fprintf(out, " %.16g\n", value);
}

void prom_family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s ", name);
	put_text(out, help, false);
	fprintf(out, "\n# TYPE %s %s\n", name, type);
}

void prom_labelled(FILE *out, const char *name, double value, const char *const *labels)
{
	const char *separator = "{";

	fputs(name, out);
	for (; *labels; labels += 2) {
		fprintf(out, "%s%s=\"", separator, labels[0]);
		put_text(out, labels[1], true);
		fputc('"', out);
		separator = ",";
	}
	if (*separator == ',')
		fputc('}', out);
	put_value(out, value);
}

void prom_one(FILE *out, const char *name, const char *type, const char *help, double value)
{
	prom_family(out, name, type, help);
	prom_sample(out, name, value, NULL);
}

/* --- histograms ------------------------------------------------------------ */

void prom_observe(struct prom_histogram *h, double value)
{
	unsigned int i = 0;

	while (i < h->n && value > h->bounds[i])
		i++;
	h->counts[i]++;
	h->sum += value;
}

void prom_histogram(FILE *out, const char *name, const char *help, const struct prom_histogram *h)
{
	char part[128], bound[32];
	uint64_t count = 0;
	unsigned int i;

	prom_family(out, name, "histogram", help);
	snprintf(part, sizeof(part), "%s_bucket", name);
	for (i = 0; i <= h->n; i++) {
		count += h->counts[i];
		if (i < h->n)
			snprintf(bound, sizeof(bound), "%g", h->bounds[i]);
		prom_sample(out, part, count, "le", i < h->n ? bound : "+Inf", NULL);
	}
	snprintf(part, sizeof(part), "%s_sum", name);
	prom_sample(out, part, h->sum, NULL);
	snprintf(part, sizeof(part), "%s_count", name);
	prom_sample(out, part, count, NULL);
}

/* --- the process ----------------------------------------------------------- */

static double seconds(const struct timeval *tv)
{
	return tv->tv_sec + tv->tv_usec / 1e6;
}

/* Seconds since 1970 at which the system was started; 0: unknown. */
static double boot_time(void)
{
	FILE *in = fopen("/proc/stat", "re");
	unsigned long long t = 0;
	char line[256];

	if (!in)
		return 0;
	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "btime %llu", &t) == 1)
			break;
	fclose(in);
	return t;
}

/* Fields 22 and 24 of proc(5)'s stat: clock ticks since boot, and pages. */
static bool read_stat(unsigned long long *start, long *rss)
{
	FILE *in = fopen("/proc/self/stat", "re");
	char text[1024], *p;
	size_t n;

	if (!in)
		return false;
	n = fread(text, 1, sizeof(text) - 1, in);
	fclose(in);
	text[n] = '\0';
	/* the second one is the program's name, in which anything may be */
	p = strrchr(text, ')');
	return p && sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
			   "%*d %*d %*d %llu %*u %ld", start, rss) == 2;
}

static void put_open_fds(FILE *out)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;
	unsigned int n = 0;

	if (!dir)
		return;
	while ((e = readdir(dir)))
		n += e->d_name[0] != '.';
	closedir(dir);
	/* the folder itself was open, too */
	prom_one(out, "process_open_fds", "gauge", "Open file descriptors.", n - 1);
}

void prom_process(FILE *out)
{
	unsigned long long start;
	double boot = boot_time();
	struct rusage use;
	long rss;

	if (!getrusage(RUSAGE_SELF, &use))
		prom_one(out, "process_cpu_seconds_total", "counter",
			 "Processor time used, of the user and the system, in seconds.",
			 seconds(&use.ru_utime) + seconds(&use.ru_stime));
	if (read_stat(&start, &rss)) {
		prom_one(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
			 (double)rss * sysconf(_SC_PAGESIZE));
		if (boot > 0)
			prom_one(out, "process_start_time_seconds", "gauge",
				 "When the process was started, in seconds since 1970.",
				 boot + (double)start / sysconf(_SC_CLK_TCK));
	}
	put_open_fds(out);
}
