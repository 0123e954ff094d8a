/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CNI_H
#define CNI_H

/*
 * contrail-cni: what its files share. One call of the program does one verb
 * of the CNI specification (https://www.cni.dev/docs/spec/) and ends.
 *
 * Errors travel as a struct cni_error, filled where the failure is seen and
 * printed once, by main().
 */

#include <jansson.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Error codes of the specification, "Error"; 100 and above are the plugin's own. */
enum cni_code {
	CNI_OK			= 0,
	CNI_BAD_VERSION		= 1,
	CNI_UNSUPPORTED_FIELD	= 2,
	CNI_BAD_ENV		= 4,
	CNI_IO			= 5,
	CNI_DECODE		= 6,
	CNI_BAD_CONFIG		= 7,
	CNI_TRY_AGAIN		= 11,
	CNI_UNAVAILABLE		= 50,	/* STATUS: no pod can be added */
	CNI_NETWORK		= 100,	/* the kernel refused a device, address or route */
	CNI_CHECK_FAILED	= 101,	/* CHECK: something is not as ADD left it */
	CNI_DAEMON		= 102,	/* vrouterd refused */
};

struct cni_error {
	int	code;		/* enum cni_code */
	char	msg[256];	/* one sentence */
	char	details[512];	/* what helps to find the cause; may be empty */
};

/* Fill the error and return -1. */
int cni_fail(struct cni_error *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with what errno value err means as the details. */
int cni_fail_errno(struct cni_error *e, int code, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#define CNI_VERSION_DEFAULT	"1.1.0"
#define CNI_MAX_INPUT		(1 << 20)	/* octets of configuration */
#define CNI_MAX_ADDRS		32
#define CNI_MAX_INTERFACES	16	/* of a pod */

/* --- netconf.c: configuration and environment ----------------------------- */

enum cni_verb { CNI_ADD, CNI_DEL, CNI_CHECK, CNI_VERSION, CNI_STATUS, CNI_GC };

/* A rate limit (capability bandwidth). */
struct cni_limit {
	uint64_t	rate;		/* bits a second; 0 = none */
	uint64_t	burst;		/* bits; 0 = not said */
};

enum { CNI_TO_POD, CNI_FROM_POD };

/* What the runtime passes: environment and standard input. */
struct cni_request {
	enum cni_verb	verb;
	const char	*container;	/* CNI_CONTAINERID */
	const char	*netns;		/* CNI_NETNS; NULL when not given (DEL only) */
	const char	*ifname;	/* CNI_IFNAME */
	const char	*ns, *pod, *uid; /* of CNI_ARGS; NULL when not given (uid; DEL: all) */
	const char	*version;	/* cniVersion */
	const char	*network;	/* name */
	const char	*socket;	/* of vrouterd */
	unsigned int	mtu;		/* octets; 0 = the network's */
	unsigned int	timeout;	/* seconds that ADD waits for the interface */
	json_t		*keep;		/* GC: owned; devices in use; NULL: not given */
	json_t		*prev;		/* prevResult; NULL when not given */
	struct cni_limit limit[2];	/* by CNI_TO_POD, CNI_FROM_POD; ADD and CHECK only */
	json_t		*ports;		/* owned: portMappings as vrouterd takes them; may be NULL */
	char		host[IFNAMSIZ];	/* name of the veth's end in the node's namespace */
	json_t		*root;		/* owned: what the strings are part of */
	char		*args;
};

/* The value of an environment variable, or NULL; getenv() but in tests. */
typedef const char *(*cni_getenv_fn)(const char *name);

/* Version first, so that an error is told in a form the runtime knows. len
 * octets of text. On success everything a verb needs is there and well-formed.
 */
int cni_request_parse(struct cni_request *rq, const char *text, size_t len,
		      cni_getenv_fn env, struct cni_error *e);
void cni_request_clear(struct cni_request *rq);	/* also after a failure */

/* Name of the host's end: the same for the same container and interface, so
 * that DEL finds it when nothing else is left.
 */
void cni_host_ifname(char name[IFNAMSIZ], const char *container, const char *ifname);

/* --- capability.c: runtimeConfig ------------------------------------------- */

int cni_capabilities_parse(struct cni_request *rq, const json_t *root, struct cni_error *e);

/* --- result.c: what is printed --------------------------------------------- */

struct cni_addr {
	uint8_t	family;		/* AF_INET, AF_INET6 */
	uint8_t	len;		/* bits of prefix */
	uint8_t	addr[16];	/* network byte order */
	uint8_t	gateway[16];
};

struct cni_prefix {
	uint8_t	family;
	uint8_t	len;		/* bits */
	uint8_t	addr[16];	/* network byte order */
};

/* An interface as vrouterd describes it and ADD makes it. */
struct cni_interface {
	char		ifname[IFNAMSIZ]; /* in the pod */
	char		host[IFNAMSIZ];	/* the other end */
	char		key[320];	/* vrouterd's name of it; may be empty */
	bool		first;		/* has the pod's default route; the others what follows */
	unsigned int	n_routes;
	struct cni_prefix routes[CNI_MAX_ADDRS];
	uint8_t		mac[6];
	uint8_t		host_mac[6];
	unsigned int	mtu;		/* octets */
	unsigned int	n_addrs;
	struct cni_addr	addrs[CNI_MAX_ADDRS];
};

/* All that a pod has; the first one first. */
struct cni_interfaces {
	unsigned int		n;
	struct cni_interface	v[CNI_MAX_INTERFACES];
};

json_t *cni_result(const struct cni_request *rq, const struct cni_interfaces *all);
json_t *cni_error_json(const char *version, const struct cni_error *e);
json_t *cni_versions_json(const char *version);
/* What a prevResult says of the container's interfaces, rq's first: MACs (zero when it says
 * none), addresses, gateways and routes.
 */
int cni_result_parse(const struct cni_request *rq, const json_t *result,
		     struct cni_interfaces *all, struct cni_error *e);

/* --- client.c: vrouterd ---------------------------------------------------- */

/* One request, one reply; op is prepare, attach, detach or check, about one
 * interface (NULL: the one that the runtime names), or status or gc. On success *reply (may be
 * NULL) is the caller's.
 */
int cni_call(const struct cni_request *rq, const struct cni_interface *ifc, const char *op,
	     unsigned int timeout, json_t **reply, struct cni_error *e);
/* Reply of "prepare". */
int cni_interfaces_parse(const struct cni_request *rq, const json_t *reply,
			 struct cni_interfaces *all, struct cni_error *e);

/* --- install.c --------------------------------------------------------------- */

/* This program into bin, then conflist (a file; may be NULL) into the folder conf: 0, or 1 after it told
 * why on standard error.
 */
int cni_install(const char *bin, const char *conflist, const char *conf);

/* --- pod.c: the pod's side -------------------------------------------------- */

int cni_pod_create(const struct cni_request *rq, struct cni_interface *ifc, struct cni_error *e);
/* After vrouterd programmed the interface: links up, then routes. */
int cni_pod_up(const struct cni_request *rq, const struct cni_interface *ifc,
	       struct cni_error *e);
/* Removes a veth by its end in the node's namespace, and what bandwidth.c made for it; 0 when
 * there is none.
 */
int cni_pod_delete(const char *host, struct cni_error *e);
/* Is the interface as ADD left it? */
int cni_pod_check(const struct cni_request *rq, const struct cni_interface *ifc,
		  struct cni_error *e);

/* --- bandwidth.c: rate limits ------------------------------------------------ */

/* Of an interface that is there and down; cni_pod_delete() takes all of it away. */
int cni_bandwidth_set(const struct cni_request *rq, const struct cni_interface *ifc,
		      struct cni_error *e);
int cni_bandwidth_check(const struct cni_request *rq, const struct cni_interface *ifc,
			struct cni_error *e);
/* Of the device that what the pod sends goes through, by its end of the veth. */
void cni_ifb_name(char name[IFNAMSIZ], const char *host);

#endif
