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

#define STATUS_TIMEOUT	5	/* seconds */
#define DETACH_TIMEOUT	5	/* seconds: DEL goes on without vrouterd */

static void print(json_t *o)
{
	char *text = json_dumps(o, JSON_INDENT(4));

	puts(text ?: "{\"cniVersion\": \"1.1.0\", \"code\": 5, \"msg\": \"out of memory\"}");
	fflush(stdout);
	free(text);
	json_decref(o);
}

/* Takes back what ADD did, newest first; the error that led here is told. */
static void undo(const struct cni_request *rq, const struct cni_interfaces *all, unsigned int n)
{
	struct cni_error e;

	while (n--) {
		if (cni_call(rq, &all->v[n], "detach", DETACH_TIMEOUT, NULL, &e))
			fprintf(stderr, "contrail-cni: undoing ADD: %s\n", e.msg);
		if (cni_pod_delete(all->v[n].host, &e))
			fprintf(stderr, "contrail-cni: undoing ADD: %s\n", e.msg);
	}
}

/* The interface is programmed while both ends are down: the pod's first packet finds its policy
 * in place. On failure nothing of it is left.
 */
static int add_interface(const struct cni_request *rq, struct cni_interface *ifc,
			 struct cni_error *e)
{
	struct cni_interfaces one = { .n = 1 };

	if (rq->mtu)
		ifc->mtu = rq->mtu;
	if (cni_pod_create(rq, ifc, e))
		return -1;
	if ((!ifc->first || !cni_bandwidth_set(rq, ifc, e)) &&
	    !cni_call(rq, ifc, "attach", rq->timeout, NULL, e) && !cni_pod_up(rq, ifc, e))
		return 0;
	one.v[0] = *ifc;
	undo(rq, &one, 1);
	return -1;
}

/* The specification's ADD. */
static int do_add(const struct cni_request *rq, struct cni_error *e)
{
	static struct cni_interfaces all;
	json_t *reply;
	unsigned int i;
	int err;

	if (cni_call(rq, NULL, "prepare", rq->timeout, &reply, e))
		return -1;
	err = cni_interfaces_parse(rq, reply, &all, e);
	json_decref(reply);
	if (err)
		return -1;
	for (i = 0; i < all.n; i++) {
		if (add_interface(rq, &all.v[i], e)) {
			undo(rq, &all, i);
			return -1;
		}
	}
	print(cni_result(rq, &all));
	return 0;
}

/* The pod's other interfaces, as vrouterd knows them, or the runtime. */
static int delete_more(const struct cni_request *rq, const json_t *hosts, struct cni_error *e)
{
	static struct cni_interfaces all;
	const json_t *name;
	struct cni_error ignored;
	unsigned int n;
	size_t i;
	int err = 0;

	json_array_foreach(hosts, i, name) {
		if (json_is_string(name))
			err |= cni_pod_delete(json_string_value(name), e);
	}
	if (!rq->prev || cni_result_parse(rq, rq->prev, &all, &ignored))
		return err;
	for (n = 1; n < all.n; n++)
		err |= cni_pod_delete(all.v[n].host, e);
	return err;
}

/* The specification's DEL: succeeds when things are gone already. vrouterd
 * learns of the device's end from the kernel if it cannot be told now.
 */
static int do_del(const struct cni_request *rq, struct cni_error *e)
{
	json_t *reply = NULL;
	int err;

	if (cni_call(rq, NULL, "detach", DETACH_TIMEOUT, &reply, e))
		fprintf(stderr, "contrail-cni: DEL: %s; removing the device all the same\n",
			e->msg);
	err = delete_more(rq, json_object_get(reply, "hostIfnames"), e);
	json_decref(reply);
	return cni_pod_delete(rq->host, e) ?: err;
}

static int do_check(const struct cni_request *rq, struct cni_error *e)
{
	static struct cni_interfaces all;
	unsigned int i;

	if (cni_result_parse(rq, rq->prev, &all, e))
		return -1;
	for (i = 0; i < all.n; i++)
		if (cni_pod_check(rq, &all.v[i], e) ||
		    cni_call(rq, &all.v[i], "check", rq->timeout, NULL, e))
			return -1;
	return cni_bandwidth_check(rq, &all.v[0], e);
}

/* The specification's STATUS: vrouterd that is not there is code 50, not "try again". */
static int do_status(const struct cni_request *rq, struct cni_error *e)
{
	if (!cni_call(rq, NULL, "status", STATUS_TIMEOUT, NULL, e))
		return 0;
	if (e->code == CNI_TRY_AGAIN)
		e->code = CNI_UNAVAILABLE;
	return -1;
}

/* The specification's GC. All devices are tried; the last failure is the answer, the ones before
 * are in the runtime's log.
 */
static int do_gc(const struct cni_request *rq, struct cni_error *e)
{
	const json_t *name;
	json_t *reply;
	int err = 0;
	size_t i;

	if (!rq->keep)
		return 0;
	if (cni_call(rq, NULL, "gc", rq->timeout, &reply, e))
		return -1;
	json_array_foreach(json_object_get(reply, "hostIfnames"), i, name) {
		if (!json_is_string(name) || !cni_pod_delete(json_string_value(name), e))
			continue;
		fprintf(stderr, "contrail-cni: GC: %s: %s\n", e->msg, e->details);
		err = -1;
	}
	json_decref(reply);
	return err;
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
	       "CNI protocol versions 0.3.1, 0.4.0, 1.0.0, 1.1.0\n\n"
	       "contrail-cni --install BIN_DIR [CONFLIST CONF_DIR]\n"
	       "  puts the plugin into BIN_DIR (/opt/cni/bin), then the configuration, if one is\n"
	       "  given, into CONF_DIR (/etc/cni/net.d)\n", VR_VERSION);
}

/* Called with arguments, which runtimes never do; the exit status. */
static int by_hand(int argc, char **argv)
{
	if (!strcmp(argv[1], "--install") && (argc == 3 || argc == 5))
		return cni_install(argv[2], argc == 5 ? argv[3] : NULL, argv[argc - 1]);
	if (argc == 2 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "--help"))) {
		about();
		return 0;
	}
	fprintf(stderr, "contrail-cni: \"%s\" is not an option, or has the wrong number of "
		"arguments; see contrail-cni --help\n", argv[1]);
	return 2;
}

int main(int argc, char **argv)
{
	static int (*const verbs[])(const struct cni_request *, struct cni_error *) = {
		[CNI_ADD] = do_add, [CNI_DEL] = do_del, [CNI_CHECK] = do_check,
		[CNI_VERSION] = do_version, [CNI_STATUS] = do_status, [CNI_GC] = do_gc,
	};
	struct cni_request rq = { .version = CNI_VERSION_DEFAULT };
	struct cni_error e = {};
	char *text = NULL;
	size_t len = 0;
	int err;

	if (argc > 1)
		return by_hand(argc, argv);
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
