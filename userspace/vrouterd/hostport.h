/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_HOSTPORT_H
#define VRD_HOSTPORT_H

/*
 * Ports of the node that a pod has (hostPort, the portMappings capability of CNI): what
 * contrail-cni tells with an attachment, and what is kept with it.
 *
 *   {"hostPort": 8080, "containerPort": 80, "protocol": "TCP", "hostIP": "192.0.2.1"}
 *
 * hostIP absent: every address of the node; 0.0.0.0 or ::, every one of the family.
 */

#include <jansson.h>

#include "attach.h"
#include "model.h"

#define HOST_PORTS_MAX	128	/* of a pod */

struct host_port {
	uint8_t		proto;		/* IPPROTO_TCP, _UDP, _SCTP */
	uint16_t	port;		/* of the node */
	uint16_t	target;		/* of the pod */
	struct vr_addr	addr;		/* family 0: all of the node's; no octet set: of the family */
};

/* The list portMappings of o; absent is an empty one. The caller frees. */
struct host_port *host_ports_parse(struct jerr *e, const json_t *o, unsigned int *n);
json_t *host_ports_json(const struct host_port *ports, unsigned int n);

const char *host_port_proto(uint8_t proto);
/* Does the port serve at this address of the node? */
bool host_port_serves(const struct host_port *p, const struct vr_addr *addr);

/* Can the pod have them? False with the sentence that says which it cannot have, and why: a
 * service or another pod has it, or hostIP is a loopback address or none of this node.
 */
bool host_ports_free(const struct model *model, const struct attachments *a, const char *vmi,
		     const struct host_port *ports, unsigned int n, char *why, size_t size);

#endif
