/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of one network.
 *
 * Where an address is not given, it follows from a hash of its owner's name: the same
 * manifests give the same addresses on every start, without a record being
 * kept. A taken address makes the next free one above be used, so owners are
 * to be served in a fixed order (sorted by name).
 */
#ifndef MANAGER_IPAM_H
#define MANAGER_IPAM_H

#include "config.h"
#include "map.h"

struct ipam {
	const char	*name;			/* for messages: "pod network" */
	struct network	net;
	struct map	owners;			/* address text -> owner's text */
	uint64_t	first[FAMILIES];	/* offsets that may be given out */
	uint64_t	last[FAMILIES];
	uint64_t	low[FAMILIES];		/* first..low-1 only when the rest is full */
	uint64_t	used[FAMILIES];
};

/*
 * With gateway the first address is the network's gateway and never given out. With
 * band, as in Kubernetes, a low part is left to addresses that are given.
 */
void ipam_init(struct ipam *ipam, const char *name, const struct network *net, bool gateway,
	       bool band);
void ipam_free(struct ipam *ipam);

/* First address of a prefix. */
struct addr ipam_gateway(const struct prefix *p);

/* Takes a given address. NULL, or the reason for which it is refused (to be freed). */
char *ipam_claim(struct ipam *ipam, const struct addr *a, const char *owner);

/* Finds one. NULL, or the reason (to be freed): the network is exhausted. */
char *ipam_allocate(struct ipam *ipam, enum family family, const char *owner, struct addr *out);

void ipam_release(struct ipam *ipam, const struct addr *a);

#endif
