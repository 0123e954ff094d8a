// SPDX-License-Identifier: GPL-2.0-only
/* What the runtime passes: network configuration and environment. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni.h"

#define DEFAULT_SOCKET	"/run/vrouter/cni.sock"
#define DEFAULT_TIMEOUT	30	/* seconds */
#define MAX_TIMEOUT	120
#define MIN_MTU		1280	/* RFC 8200, 5 */
#define MAX_MTU		65535

static int parse_verb(struct cni_request *rq, const char *word, struct cni_error *e)
{
	static const char *const verbs[] = {
		[CNI_ADD] = "ADD", [CNI_DEL] = "DEL", [CNI_CHECK] = "CHECK",
		[CNI_VERSION] = "VERSION", [CNI_STATUS] = "STATUS", [CNI_GC] = "GC",
	};
	unsigned int i;

	if (!word)
		return cni_fail(e, CNI_BAD_ENV, "CNI_COMMAND is not set");
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(word, verbs[i])) {
			rq->verb = i;
			return 0;
		}
	return cni_fail(e, CNI_BAD_ENV, "CNI_COMMAND is \"%.32s\", not ADD, DEL, CHECK, VERSION, "
			"STATUS or GC", word);
}

static int get_string(const json_t *root, const char *key, const char **value,
		      struct cni_error *e)
{
	const json_t *v = json_object_get(root, key);

	if (!v)
		return 0;
	if (!json_is_string(v) || !json_string_length(v))
		return cni_fail(e, CNI_BAD_CONFIG, "%s: must be a string that is not empty", key);
	*value = json_string_value(v);
	return 0;
}

static int get_number(const json_t *root, const char *key, unsigned int min, unsigned int max,
		      unsigned int *value, struct cni_error *e)
{
	const json_t *v = json_object_get(root, key);

	if (!v)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
		return cni_fail(e, CNI_BAD_CONFIG, "%s: must be a number from %u to %u", key, min,
				max);
	*value = json_integer_value(v);
	return 0;
}

/* An identifier as the specification has it for networks and containers. */
static bool is_id(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_.-", *s))
			return false;
	return true;
}

/* A name of Kubernetes: DNS-1123 labels, joined by dots. */
static bool is_kube_name(const char *s)
{
	size_t len = strlen(s), i;

	if (!len || len > 253 || strchr("-.", s[0]) || strchr("-.", s[len - 1]))
		return false;
	for (i = 0; i < len; i++)
		if (!islower((unsigned char)s[i]) && !isdigit((unsigned char)s[i]) &&
		    s[i] != '-' && s[i] != '.')
			return false;
	return true;
}

/* As the kernel's dev_valid_name(). */
static bool is_ifname(const char *s)
{
	if (!*s || strlen(s) >= IFNAMSIZ || !strcmp(s, ".") || !strcmp(s, ".."))
		return false;
	for (; *s; s++)
		if (*s == '/' || *s == ':' || isspace((unsigned char)*s))
			return false;
	return true;
}

static int check_version(struct cni_request *rq, struct cni_error *e)
{
	static const char *const known[] = { "0.3.1", "0.4.0", "1.0.0", "1.1.0" };
	const char *version = rq->version;
	unsigned int i;

	if (!version) {
		/* VERSION is how a runtime finds out what it may say here. */
		rq->version = CNI_VERSION_DEFAULT;
		return rq->verb == CNI_VERSION ? 0 :
			cni_fail(e, CNI_BAD_VERSION, "cniVersion is missing");
	}
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(version, known[i]))
			return 0;
	rq->version = CNI_VERSION_DEFAULT;
	if (rq->verb == CNI_VERSION)
		return 0;
	return cni_fail(e, CNI_BAD_VERSION,
			"cniVersion %.32s is not supported; 0.3.1, 0.4.0, 1.0.0 and 1.1.0 are",
			version);
}

/* Addresses come from the manager: a plugin asked for others must say no. */
static int refuse_ipam(const json_t *root, struct cni_error *e)
{
	const json_t *ipam = json_object_get(root, "ipam");

	if (json_object_size(ipam) == 0)
		return 0;
	return cni_fail(e, CNI_UNSUPPORTED_FIELD,
			"ipam: not supported, addresses are given by contrail-kube-manager");
}

/* What the runtime has, as names of devices. A list that is not understood must not be taken for
 * a shorter one.
 */
static int parse_valid(struct cni_request *rq, const json_t *root, struct cni_error *e)
{
	const json_t *list = json_object_get(root, "cni.dev/valid-attachments"), *o;
	const char *container, *ifname;
	char host[IFNAMSIZ];
	size_t i;

	if (!list)
		return 0;
	if (!json_is_array(list))
		return cni_fail(e, CNI_BAD_CONFIG, "cni.dev/valid-attachments: must be a list");
	rq->keep = json_array();
	json_array_foreach(list, i, o) {
		container = json_string_value(json_object_get(o, "containerID"));
		ifname = json_string_value(json_object_get(o, "ifname"));
		if (!container || !is_id(container) || !ifname || !is_ifname(ifname))
			return cni_fail(e, CNI_BAD_CONFIG, "cni.dev/valid-attachments[%zu]: "
					"containerID or ifname is missing or not one", i);
		cni_host_ifname(host, container, ifname);
		json_array_append_new(rq->keep, json_string(host));
	}
	return 0;
}

static int check_verb(const struct cni_request *rq, struct cni_error *e)
{
	if ((rq->verb == CNI_STATUS || rq->verb == CNI_GC) && strcmp(rq->version, "1.1.0"))
		return cni_fail(e, CNI_BAD_VERSION, "%s came with cniVersion 1.1.0",
				rq->verb == CNI_GC ? "GC" : "STATUS");
	if (rq->verb != CNI_CHECK)
		return 0;
	if (!strcmp(rq->version, "0.3.1"))
		return cni_fail(e, CNI_BAD_VERSION, "CHECK came with cniVersion 0.4.0");
	return rq->prev ? 0 : cni_fail(e, CNI_BAD_CONFIG, "prevResult is missing, CHECK needs it");
}

static int parse_config(struct cni_request *rq, json_t *root, struct cni_error *e)
{
	rq->timeout = DEFAULT_TIMEOUT;
	rq->socket = DEFAULT_SOCKET;
	if (get_string(root, "name", &rq->network, e) ||
	    get_string(root, "socket", &rq->socket, e) ||
	    get_number(root, "mtu", MIN_MTU, MAX_MTU, &rq->mtu, e) ||
	    get_number(root, "timeout", 1, MAX_TIMEOUT, &rq->timeout, e) ||
	    refuse_ipam(root, e))
		return -1;
	if (!rq->network)
		return cni_fail(e, CNI_BAD_CONFIG, "name is missing");
	if (!is_id(rq->network))
		return cni_fail(e, CNI_BAD_CONFIG,
				"name: \"%.64s\" is not letters, digits, \"_\", \".\" and \"-\"",
				rq->network);
	if (rq->socket[0] != '/')
		return cni_fail(e, CNI_BAD_CONFIG, "socket: \"%.64s\" is not an absolute path",
				rq->socket);
	rq->prev = json_object_get(root, "prevResult");
	if (rq->prev && !json_is_object(rq->prev))
		return cni_fail(e, CNI_BAD_CONFIG, "prevResult: must be an object");
	if (check_verb(rq, e))
		return -1;
	/* DEL takes away what is there, whatever its configuration says by now. */
	if ((rq->verb == CNI_ADD || rq->verb == CNI_CHECK) && cni_capabilities_parse(rq, root, e))
		return -1;
	return rq->verb == CNI_GC ? parse_valid(rq, root, e) : 0;
}

/* CNI_ARGS is KEY=VALUE;KEY=VALUE. What is not ours is left to others. */
static int parse_args(struct cni_request *rq, const char *args, struct cni_error *e)
{
	struct { const char *key, **value; bool name; } want[] = {
		{ "K8S_POD_NAMESPACE", &rq->ns, true },
		{ "K8S_POD_NAME", &rq->pod, true },
		{ "K8S_POD_UID", &rq->uid, false },
	};
	char *word, *save, *eq;
	unsigned int i;

	if (!args)
		return 0;
	if (strlen(args) > 4096)
		return cni_fail(e, CNI_BAD_ENV, "CNI_ARGS is longer than 4096 octets");
	rq->args = strdup(args);
	if (!rq->args)
		return cni_fail(e, CNI_IO, "out of memory");
	for (word = strtok_r(rq->args, ";", &save); word; word = strtok_r(NULL, ";", &save)) {
		eq = strchr(word, '=');
		if (!eq)
			return cni_fail(e, CNI_BAD_ENV, "CNI_ARGS: \"%.64s\" is not KEY=VALUE",
					word);
		*eq++ = '\0';
		for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
			if (strcmp(word, want[i].key) || !*eq)
				continue;
			if (want[i].name ? !is_kube_name(eq) : strlen(eq) > 128)
				return cni_fail(e, CNI_BAD_ENV,
						"CNI_ARGS: %s: \"%.64s\" is not a valid name",
						word, eq);
			*want[i].value = eq;
		}
	}
	return 0;
}

static int parse_env(struct cni_request *rq, cni_getenv_fn env, struct cni_error *e)
{
	rq->container = env("CNI_CONTAINERID");
	rq->ifname = env("CNI_IFNAME");
	rq->netns = env("CNI_NETNS");
	if (rq->netns && !*rq->netns)
		rq->netns = NULL;

	if (!rq->container || !*rq->container)
		return cni_fail(e, CNI_BAD_ENV, "CNI_CONTAINERID is not set");
	if (strlen(rq->container) > 256 || !is_id(rq->container))
		return cni_fail(e, CNI_BAD_ENV, "CNI_CONTAINERID: \"%.64s\" is not a container id",
				rq->container);
	if (!rq->ifname || !*rq->ifname)
		return cni_fail(e, CNI_BAD_ENV, "CNI_IFNAME is not set");
	if (!is_ifname(rq->ifname))
		return cni_fail(e, CNI_BAD_ENV, "CNI_IFNAME: \"%.64s\" is not an interface's name",
				rq->ifname);
	if (!rq->netns && rq->verb != CNI_DEL)
		return cni_fail(e, CNI_BAD_ENV, "CNI_NETNS is not set");
	if (parse_args(rq, env("CNI_ARGS"), e))
		return -1;
	/* DEL finds its interface by container and name: it must not fail for this. */
	if (rq->verb != CNI_DEL && (!rq->ns || !rq->pod))
		return cni_fail(e, CNI_BAD_ENV, "CNI_ARGS has no %s",
				rq->ns ? "K8S_POD_NAME" : "K8S_POD_NAMESPACE");

	cni_host_ifname(rq->host, rq->container, rq->ifname);
	return 0;
}

int cni_request_parse(struct cni_request *rq, const char *text, size_t len,
		      cni_getenv_fn env, struct cni_error *e)
{
	json_error_t je;

	memset(rq, 0, sizeof(*rq));
	rq->version = CNI_VERSION_DEFAULT;
	if (parse_verb(rq, env("CNI_COMMAND"), e))
		return -1;
	rq->root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
	if (!rq->root)
		return cni_fail(e, CNI_DECODE, "network configuration: line %d, column %d: %s",
				je.line, je.column, je.text);
	if (!json_is_object(rq->root))
		return cni_fail(e, CNI_DECODE, "network configuration: not a JSON object");

	rq->version = NULL;
	if (get_string(rq->root, "cniVersion", &rq->version, e)) {
		rq->version = CNI_VERSION_DEFAULT;
		e->code = CNI_BAD_VERSION;
		return -1;
	}
	if (check_version(rq, e))
		return -1;
	if (rq->verb == CNI_VERSION)
		return 0;
	if (parse_config(rq, rq->root, e))
		return -1;
	/* These two are about no container. */
	return rq->verb == CNI_STATUS || rq->verb == CNI_GC ? 0 : parse_env(rq, env, e);
}

void cni_request_clear(struct cni_request *rq)
{
	json_decref(rq->keep);
	json_decref(rq->ports);
	json_decref(rq->root);
	free(rq->args);
	memset(rq, 0, sizeof(*rq));
}

void cni_host_ifname(char name[IFNAMSIZ], const char *container, const char *ifname)
{
	uint64_t h = 0xcbf29ce484222325;	/* FNV-1a: the ids are random already */
	const char *s;

	for (s = container; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	h = (h ^ '/') * 0x100000001b3;
	for (s = ifname; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	snprintf(name, IFNAMSIZ, "vr%013llx", (unsigned long long)(h >> 12));
}
