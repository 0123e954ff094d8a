/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of one network.
 *
 * Where an address is not given, it follows from a hash of its owner's name: the same
 * manifests give the same addresses on every start, without a record being
 * kept. A taken address makes the next free one above be used, so owners are
 * to be served in a fixed order (sorted by name).
 *
 * With blocks, a subnet is divided into blocks of one size, and a block is the node's that has
 * most addresses in it (of equals, the first by name). That follows from the addresses alone:
 * whoever knows these knows the blocks.
 */
#ifndef MANAGER_IPAM_H
#define MANAGER_IPAM_H

#include "config.h"
#include "map.h"

/* One subnet. Offsets are from its first address. */
struct ipam_pool {
	struct prefix	prefix;
	uint64_t	first, last;	/* that may be given out */
	uint64_t	low;		/* first..low-1 only when the rest is full */
	uint64_t	used;
	unsigned int	block_bits;	/* of an offset, within its block; 0: no blocks */
	struct map	blocks;		/* with addresses in use: number in hex -> struct block */
};

struct ipam {
	const char		*name;		/* for messages: "pod network" */
	struct network		net;
	struct map		leases;		/* address text -> struct lease */
	struct ipam_pool	pools[NETWORK_SUBNETS];	/* those of net, in its order */
	struct map		nodes;		/* name -> struct map: block's sort key -> struct block */
	struct map		*changed;	/* takes names of nodes whose blocks changed; may be NULL */
};

struct ipam_options {
	bool		gateway;	/* the first address is the network's, and never given out */
	bool		band;		/* as in Kubernetes, a low part is left to given addresses */
	unsigned int	block_len[FAMILIES];	/* a block's prefix length; 0: no blocks */
	struct map	*changed;
};

/* name is borrowed. Subnets with room for fewer than four blocks have none. */
void ipam_init(struct ipam *ipam, const char *name, const struct network *net,
	       const struct ipam_options *opts);
void ipam_free(struct ipam *ipam);

/*
 * Gives it other subnets; all addresses that are taken stay so. NULL, or why that is not
 * possible (to be freed), and nothing has changed.
 */
char *ipam_reshape(struct ipam *ipam, const struct network *net, const struct ipam_options *opts);

/* First address of a prefix. */
struct addr ipam_gateway(const struct prefix *p);

/* Why nobody can have this address: outside, the gateway's; to be freed. NULL: one can. */
char *ipam_unusable(const struct ipam *ipam, const struct addr *a);

/*
 * Takes a given address; node is where its owner is, NULL when unknown. NULL, or the reason for
 * which it is refused (to be freed).
 */
char *ipam_claim(struct ipam *ipam, const struct addr *a, const char *owner, const char *node);

/*
 * Finds one: in the first subnet where the node has a block with room or can have a new one; if
 * there is none, any that is free. NULL, or the reason (to be freed): the network is exhausted.
 */
char *ipam_allocate(struct ipam *ipam, enum family family, const char *owner, const char *node,
		    struct addr *out);

/* The owner of an address that is taken is on this node now. */
void ipam_move(struct ipam *ipam, const struct addr *a, const char *node);

void ipam_release(struct ipam *ipam, const struct addr *a);

/* Addresses of a family that can be given out at all, and those that are. */
uint64_t ipam_size(const struct ipam *ipam, enum family family);
uint64_t ipam_used(const struct ipam *ipam, enum family family);

/* Calls visit for each of the node's blocks, by subnet and address. */
typedef void ipam_block_fn(const struct prefix *block, void *arg);
void ipam_blocks(const struct ipam *ipam, const char *node, ipam_block_fn *visit, void *arg);

#endif
