/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_ATTACH_H
#define VRD_ATTACH_H

/*
 * Which device of the node belongs to which interface: what the CNI plugin told,
 * kept in the state directory, one file for each, so that a vrouterd that starts
 * again, or a module that is loaded again, finds the pods without the runtime.
 */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct host_port;

struct attachment {
	struct attachment *next;
	char		host[IFNAMSIZ];	/* the device, and the file's name */
	char		*container, *ifname; /* of CNI; NULL when adopted from the kernel */
	char		*net;		/* name of CNI's network configuration; NULL: not known */
	char		*vmi;		/* key of the VirtualMachineInterface */
	unsigned int	n_ports;
	struct host_port *ports;	/* of the node, that lead to it; hostport.h */
	uint64_t	created;	/* microseconds since 1970; the newest of a vmi counts */
	uint32_t	ifindex;	/* not kept: looked up at start */
	bool		raise;		/* bring the device up once it is programmed */
};

struct attachments {
	struct attachment *list;
	char		*dir;
};

/* Reads the directory, made if it is not there; what names no device of this
 * namespace is removed. Negative errno when there can be no directory.
 */
int attachments_open(struct attachments *a, const char *dir);
void attachments_close(struct attachments *a);

struct attachment *attachment_find(const struct attachments *a, const char *host);
/* The newest, or NULL. */
struct attachment *attachment_of_vmi(const struct attachments *a, const char *vmi);
/* A copy of what is told: host, ifindex, vmi and what CNI told. Kept when this returns 0; else negative
 * errno and there is none. container NULL: adopted, not kept.
 */
int attachment_add(struct attachments *a, const struct attachment *told);
void attachment_del(struct attachments *a, struct attachment *at);

#endif
