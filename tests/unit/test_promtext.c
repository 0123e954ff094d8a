// SPDX-License-Identifier: GPL-2.0-only
/* links: lib */
/* Metrics as text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "promtext.h"

static FILE *out;
static char *text;
static size_t len;

static int set_up(void **state)
{
	(void)state;
	out = open_memstream(&text, &len);
	return !out;
}

static int tear_down(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static const char *result(void)
{
	fclose(out);
	return text;
}

static void samples(void **state)
{
	(void)state;
	prom_family(out, "a_total", "counter", "What a \"is\".\nAnd \\.");
	prom_sample(out, "a_total", 3, NULL);
	prom_sample(out, "a_total", 4, "x", "1", "y", "2", NULL);
	assert_string_equal(result(), "# HELP a_total What a \"is\".\\nAnd \\\\.\n"
				      "# TYPE a_total counter\n"
				      "a_total 3\n"
				      "a_total{x=\"1\",y=\"2\"} 4\n");
}

/* A name that somebody else gave ends no label and no line. */
static void hostile(void **state)
{
	(void)state;
	prom_sample(out, "a", 1, "x", "\"} 7\nb 1 \\", NULL);
	assert_string_equal(result(), "a{x=\"\\\"} 7\\nb 1 \\\\\"} 1\n");
}

static void values(void **state)
{
	(void)state;
	prom_sample(out, "a", 0, NULL);
	prom_sample(out, "a", 9007199254740991.0, NULL);
	prom_sample(out, "a", 1795452276.125, NULL);
	prom_sample(out, "a", 0.25, NULL);
	prom_sample(out, "a", -1, NULL);
	prom_sample(out, "a", NAN, NULL);
	prom_sample(out, "a", INFINITY, NULL);
	prom_sample(out, "a", -INFINITY, NULL);
	assert_string_equal(result(), "a 0\na 9007199254740991\na 1795452276.125\na 0.25\na -1\n"
				      "a NaN\na +Inf\na -Inf\n");
}

static void histogram(void **state)
{
	static const double bounds[] = { 0.1, 1 };
	struct prom_histogram h = { .bounds = bounds, .n = 2 };

	(void)state;
	prom_observe(&h, 0.0625);
	prom_observe(&h, 0.1);	/* bounds belong to the bucket below */
	prom_observe(&h, 0.5);
	prom_observe(&h, 4);
	prom_histogram(out, "d_seconds", "Time.", &h);
	assert_string_equal(result(), "# HELP d_seconds Time.\n"
				      "# TYPE d_seconds histogram\n"
				      "d_seconds_bucket{le=\"0.1\"} 2\n"
				      "d_seconds_bucket{le=\"1\"} 3\n"
				      "d_seconds_bucket{le=\"+Inf\"} 4\n"
				      "d_seconds_sum 4.6625\n"
				      "d_seconds_count 4\n");
}

static double value_of(const char *name)
{
	const char *at = text;
	size_t n = strlen(name);

	for (; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (!strncmp(at, name, n) && at[n] == ' ')
			return strtod(at + n, NULL);
	fail_msg("%s is not in:\n%s", name, text);
	return 0;
}

static void process(void **state)
{
	double now = time(NULL);

	(void)state;
	prom_process(out);
	result();
	assert_true(value_of("process_cpu_seconds_total") >= 0);
	assert_true(value_of("process_resident_memory_bytes") > 65536);
	assert_true(value_of("process_open_fds") >= 3);
	assert_true(fabs(value_of("process_start_time_seconds") - now) < 3600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(samples, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(histogram, set_up, tear_down),
		cmocka_unit_test_setup_teardown(process, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
