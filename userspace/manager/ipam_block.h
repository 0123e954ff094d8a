/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose the blocks of a network's subnets are. */
#ifndef MANAGER_IPAM_BLOCK_H
#define MANAGER_IPAM_BLOCK_H

#include "ipam.h"

/* How many addresses the node (NULL: an unknown one) has in the block of offset: by one more or
 * less.
 */
void ipam_block_count(struct ipam *ipam, struct ipam_pool *pool, uint64_t offset, const char *node,
		      int by);

/*
 * A block that the node has and that has room, or else one that nobody has: the offsets
 * that may be given out in it. False: there is none.
 */
bool ipam_block_find(const struct ipam *ipam, const struct ipam_pool *pool, const char *node,
		     uint64_t *from, uint64_t *to);

void ipam_block_changed(struct ipam *ipam, const char *node);
void ipam_block_free(void *value);

/* ipam.c */
struct addr ipam_addr_at(const struct prefix *p, uint64_t offset);

#endif
