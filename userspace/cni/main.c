// SPDX-License-Identifier: GPL-2.0-only
/*
 * contrail-cni: the CNI plugin. Makes a pod's interface and has vrouterd
 * program it; ADD answers when addresses and security groups are in the kernel.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni.h"

#define DETACH_TIMEOUT	5	/* seconds: DEL goes on without vrouterd */

static void print(json_t *o)
{
	char *text = json_dumps(o, JSON_INDENT(4));

	puts(text ?: "{\"cniVersion\": \"1.0.0\", \"code\": 5, \"msg\": \"out of memory\"}");
	fflush(stdout);
	free(text);
	json_decref(o);
}

/* Takes back what ADD did, newest first; the error that led here is told. */
static void undo(const struct cni_request *rq)
{
	struct cni_error e;

	if (cni_call(rq, "detach", DETACH_TIMEOUT, NULL, &e))
		fprintf(stderr, "contrail-cni: undoing ADD: %s\n", e.msg);
	if (cni_pod_delete(rq, &e))
		fprintf(stderr, "contrail-cni: undoing ADD: %s\n", e.msg);
}

/* The specification's ADD. The interface is programmed while both ends are
 * down: the pod's first packet finds its policy in place.
 */
static int do_add(const struct cni_request *rq, struct cni_error *e)
{
	struct cni_interface ifc;
	json_t *reply;
	int err;

	if (cni_call(rq, "prepare", rq->timeout, &reply, e))
		return -1;
	err = cni_interface_parse(reply, &ifc, e);
	json_decref(reply);
	if (err)
		return -1;
	if (rq->mtu)
		ifc.mtu = rq->mtu;
	if (cni_pod_create(rq, &ifc, e))
		return -1;
	if (cni_call(rq, "attach", rq->timeout, NULL, e) || cni_pod_up(rq, &ifc, e)) {
		undo(rq);
		return -1;
	}
	print(cni_result(rq, &ifc));
	return 0;
}

/* The specification's DEL: succeeds when things are gone already. vrouterd
 * learns of the device's end from the kernel if it cannot be told now.
 */
static int do_del(const struct cni_request *rq, struct cni_error *e)
{
	if (cni_call(rq, "detach", DETACH_TIMEOUT, NULL, e))
		fprintf(stderr, "contrail-cni: DEL: %s; removing the device all the same\n",
			e->msg);
	return cni_pod_delete(rq, e);
}

static int do_check(const struct cni_request *rq, struct cni_error *e)
{
	struct cni_interface ifc;

	if (cni_result_parse(rq->prev, rq->ifname, &ifc, e) || cni_pod_check(rq, &ifc, e))
		return -1;
	return cni_call(rq, "check", rq->timeout, NULL, e);
}

static int do_version(const struct cni_request *rq, struct cni_error *e)
{
	(void)e;
	print(cni_versions_json(rq->version));
	return 0;
}

/* All of standard input, or -1. An endless one is refused at a bound. */
static int read_input(char **text, size_t *len, struct cni_error *e)
{
	char *buf = malloc(CNI_MAX_INPUT + 1);
	ssize_t n;

	if (!buf)
		return cni_fail(e, CNI_IO, "out of memory");
	*text = buf;
	*len = 0;
	while ((n = read(STDIN_FILENO, buf + *len, CNI_MAX_INPUT + 1 - *len))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cni_fail_errno(e, CNI_IO, errno, "network configuration");
		*len += n;
		if (*len > CNI_MAX_INPUT)
			return cni_fail(e, CNI_DECODE,
					"network configuration is longer than %d octets",
					CNI_MAX_INPUT);
	}
	return 0;
}

static const char *get_env(const char *name)
{
	return getenv(name);
}

/* What a person who runs the plugin by hand gets. */
static void about(void)
{
	printf("contrail-cni %s: a CNI plugin, run by a container runtime; see contrail-cni(8)\n"
	       "CNI protocol versions 0.3.1, 0.4.0, 1.0.0\n", VR_VERSION);
}

int main(int argc, char **argv)
{
	static int (*const verbs[])(const struct cni_request *, struct cni_error *) = {
		[CNI_ADD] = do_add, [CNI_DEL] = do_del, [CNI_CHECK] = do_check,
		[CNI_VERSION] = do_version,
	};
	struct cni_request rq = { .version = CNI_VERSION_DEFAULT };
	struct cni_error e = {};
	char *text = NULL;
	size_t len = 0;
	int err;

	if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "--help"))) {
		about();
		return 0;
	}
	/* A runtime that hangs up must not keep ADD from being undone. */
	signal(SIGPIPE, SIG_IGN);
	err = read_input(&text, &len, &e) || cni_request_parse(&rq, text, len, get_env, &e) ||
	      verbs[rq.verb](&rq, &e);
	if (err)
		print(cni_error_json(rq.version, &e));
	cni_request_clear(&rq);
	free(text);
	return err;
}
