// SPDX-License-Identifier: GPL-2.0-only
/* vrctl: the operator's view of vrouter.ko. Options, then a command or a file of them. */

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "vrctl.h"

struct options {
	const char	*batch;
	bool		force;
};

enum { OPT_FORCE = 256 };

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "pretty", no_argument, NULL, 'p' },
	{ "stats", no_argument, NULL, 's' },
	{ "all", no_argument, NULL, 'a' },
	{ "netns", required_argument, NULL, 'n' },
	{ "batch", required_argument, NULL, 'b' },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 }
};

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct ctx *c, struct options *o)
{
	int opt;

	/* "+": what comes after the object is the command's. "-force" is iproute2's. */
	while (optind < argc) {
		if (!strcmp(argv[optind], "-force")) {
			o->force = true;
			optind++;
			continue;
		}
		opt = getopt_long(argc, argv, "+jpsan:b:Vh", long_options, NULL);
		if (opt < 0)
			break;
		switch (opt) {
		case 'p':
			c->pretty = true;
			/* fall through */
		case 'j':
			c->json = true;
			break;
		case 's':
			c->counters = true;
			break;
		case 'a':
			c->all = true;
			break;
		case 'n':
			c->netns = optarg;
			break;
		case 'b':
			o->batch = optarg;
			break;
		case OPT_FORCE:
			o->force = true;
			break;
		case 'V':
			puts("vrctl " VR_VERSION);
			return EXIT_OK;
		case 'h':
			help_all(stdout);
			return EXIT_OK;
		default:
			fputs("\"vrctl --help\" lists the options\n", stderr);
			return EXIT_USAGE;
		}
	}
	return -1;
}

static int run(struct ctx *c, const struct options *o, char *const *words, int n)
{
	int status;

	if (o->batch && n) {
		fprintf(stderr, "vrctl: -b takes no command, but \"%s\" is given\n", words[0]);
		return EXIT_USAGE;
	}
	if (o->batch)
		return run_batch(c, o->batch, o->force);
	if (!n) {
		help_all(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(words[0], "help")) {
		help_all(stdout);
		return EXIT_OK;
	}
	status = run_command(c, words, n);
	if (status == EXIT_REFUSED || status == EXIT_USAGE)
		fprintf(stderr, "vrctl: %s\n", c->err.text);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct ctx c = { 0 };
	int status;

	status = parse_options(argc, argv, &c, &o);
	if (status >= 0)
		return status;
	c.out = out_new(stdout, c.json, c.pretty);
	if (!c.out) {
		fputs("vrctl: out of memory\n", stderr);
		return EXIT_REFUSED;
	}
	status = run(&c, &o, argv + optind, argc - optind);
	if (!out_flush(c.out) && status == EXIT_OK) {
		perror("vrctl: standard output");
		status = EXIT_REFUSED;
	}
	labels_forget(&c, NULL);
	out_free(c.out);
	vr_nl_close(c.nl);
	return status;
}
