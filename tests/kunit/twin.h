/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_KUNIT_TWIN_H
#define VR_KUNIT_TWIN_H

/*
 * Naive twins of the module's tables: arrays walked from end to end, too plain
 * to be wrong in the same way. Randomised cases do the same to both and compare.
 */

#include "kunit_util.h"

/* --- longest prefix match ------------------------------------------------- */

struct twin_prefix {
	union vr_addr	addr;
	u8		len;
	void		*value;
};

#define TWIN_PREFIXES	512

struct twin_lpm {
	unsigned int		n;
	struct twin_prefix	p[TWIN_PREFIXES];
};

/* Bit i of an address, the most significant first. */
bool twin_bit(const union vr_addr *a, unsigned int i);
void twin_mask(union vr_addr *a, u8 len);		/* clears the host bits */
bool twin_prefix_holds(const union vr_addr *prefix, u8 len, const union vr_addr *a);
int twin_prefix_cmp(const union vr_addr *a, u8 alen, const union vr_addr *b, u8 blen);
struct twin_prefix *twin_lpm_get(struct twin_lpm *t, const union vr_addr *addr, u8 len);
/* false: full */
bool twin_lpm_set(struct twin_lpm *t, const union vr_addr *addr, u8 len, void *value, void **old);
void *twin_lpm_del(struct twin_lpm *t, const union vr_addr *addr, u8 len);
struct twin_prefix *twin_lpm_lookup(struct twin_lpm *t, const union vr_addr *addr);
struct twin_prefix *twin_lpm_next(struct twin_lpm *t, const union vr_addr *addr, u8 len);

/* --- security group rules -------------------------------------------------- */

/* Does the rule, taken alone, allow what is asked? */
bool twin_rule_matches(const struct vr_sg_rule *r, const struct vr_sg_query *q);

/* --- flows ---------------------------------------------------------------- */

struct twin_flow {
	struct vr_tuple	orig, reply;
	struct vr_flow	*flow;
	unsigned int	opener;		/* pod */
	u32		vrf;
	u8		state;
};

#define TWIN_FLOWS	256

struct twin_flows {
	unsigned int		n;
	struct twin_flow	f[TWIN_FLOWS];
};

/* The flow that has this tuple in one direction, and which; NULL if none. */
struct twin_flow *twin_flow_find(struct twin_flows *t, const struct vr_tuple *tuple, int *dir);
void twin_flow_remove(struct twin_flows *t, struct twin_flow *f);

#endif
