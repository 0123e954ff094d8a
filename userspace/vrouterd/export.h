/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_EXPORT_H
#define VRD_EXPORT_H

/*
 * The addresses of some of this node's pods as host routes by the node's own interface. Of those
 * that are reached from outside: in a table of the kernel's that nothing but a routing daemon
 * reads, which announces them. Of those in joined networks: in the main one, for kubelet's probes.
 */

#include "attach.h"
#include "hostdev.h"

struct export {
	uint32_t	table;		/* 0 = none */
	bool		joined;		/* of which pods, see above */
	bool		stale;		/* export_update() is to be called */
};

/* Makes the table what it should be; what fails is told and tried again. Once the feed was heard
 * to the end, so that a restart withdraws nothing.
 */
void export_update(struct export *x, const struct model *m, const struct attachments *a,
		   const struct hostdev *h);

#endif
