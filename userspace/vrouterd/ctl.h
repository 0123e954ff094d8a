/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_CTL_H
#define VRD_CTL_H

/*
 * The socket that contrail-cni and vrctl talk to: root only, one request and one reply a
 * connection, each a line of JSON. A request that cannot be served yet waits,
 * for as long as it says, and is looked at again after each change.
 *
 *   {"op": "prepare"|"attach"|"detach"|"check", "containerID": "...", "ifname": "eth0",
 *    "hostIfname": "vr...", "netns": "...", "namespace": "...", "pod": "...", "uid": "...",
 *    "network": "vrouter", "interface": "ns/pod.net1", "timeout": 30, "portMappings":
 *    [{"hostPort": 8080, "containerPort": 80, "protocol": "TCP"}]}
 *                                      network: the name of CNI's configuration; portMappings:
 *                                      of attach, see hostport.h
 *   {"interface": "ns/pod", "macAddress": "02:...", "mtu": 1500, "addresses": [{"address":
 *    "10.32.0.5", "gateway": "10.32.0.1"}], "additional": [{... "ifname": "net1", "routes":
 *    ["10.64.0.0/16"]}]}                  prepare
 *   {"hostIfnames": ["vr..."]}           detach: of all interfaces that end with this one
 *   {}                                   attach, check
 *   {"op": "status"}                   {} when new pods can be attached, else error 50 or 51
 *   {"op": "gc", "network": "vrouter", "keep": ["vr..."]}
 *                                      ends every attachment of the network whose device is not
 *                                      listed, and does not go with one that is; answers as
 *                                      detach does
 *   {"op": "health"}                   what vrctl asks; the members that are probed here:
 *   {"members": [{"healthMonitor": "default/web", "type": "HTTP", "address": "10.32.0.5",
 *    "port": 8080, "target": "default/web-0", "state": "active"|"failed", "since": "...Z",
 *    "streak": 0, "lastProbe": "...Z", "lastGood": true, "lastResult": "HTTP status 200",
 *    "healthyThreshold": 2, ...}]}       as in the monitor; last...: absent before the first
 *   {"error": {"code": 11, "msg": "...", "details": "..."}}     codes as in CNI
 */

#include <jansson.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

enum pod_op { POD_PREPARE, POD_ATTACH, POD_DETACH, POD_CHECK, POD_HEALTH, POD_STATUS,
	POD_GC };

/* Codes of the CNI specification that vrouterd uses, and contrail-cni's own. */
enum {
	POD_ERR_IO		= 5,
	POD_ERR_DECODE		= 6,
	POD_ERR_CONFIG		= 7,
	POD_ERR_TRY_AGAIN	= 11,
	POD_ERR_UNAVAILABLE	= 50,
	POD_ERR_LIMITED		= 51,
	POD_ERR_CHECK		= 101,
	POD_ERR_REFUSED		= 102,
};

struct host_port;

struct pod_request {
	enum pod_op	op;
	const char	*container, *ifname, *host;
	const char	*vmi;		/* the interface's key; NULL: detach may lack it */
	const char	*pod;
	const char	*uid;		/* may be NULL */
	const char	*net;		/* CNI's configuration; may be NULL */
	unsigned int	n_ports;
	struct host_port *ports;	/* owned; of attach */
	unsigned int	timeout;	/* seconds */
	bool		begun;		/* the server's: attach has done its part */
	const json_t	*keep;		/* gc: names of devices, well-formed */
	json_t		*json;		/* what the strings belong to */
	char		*key;
};

/* False with the reply's sentence in why. */
bool pod_request_parse(struct pod_request *rq, const char *text, size_t len, char *why,
		       size_t size);
void pod_request_clear(struct pod_request *rq);
json_t *pod_error(int code, const char *msg, const char *details);

struct ctl_ops {
	/* A reply, or NULL to wait; none is an option when last is set. */
	json_t *(*serve)(void *arg, struct pod_request *rq, bool last);
	/* The client is gone before its reply. */
	void (*abandoned)(void *arg, struct pod_request *rq);
};

struct ctl;

/* Listens; a socket that a dead vrouterd left is replaced. Negative errno. */
int ctl_new(struct ctl **ctl, sd_event *loop, const char *path, const struct ctl_ops *ops,
	    void *arg);
/* Looks at the waiting requests again. */
void ctl_poll(struct ctl *ctl);
void ctl_free(struct ctl *ctl);

#endif
