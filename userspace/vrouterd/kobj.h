/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_KOBJ_H
#define VRD_KOBJ_H

/*
 * One object of the kernel module as vrouterd plans and compares it: identity
 * and configuration. Made, brought into one order, and from then on never
 * changed but shared; freed with its last reference.
 */

#include "obj.h"

/* In the order of what needs what: each may refer to those before it. */
enum kobj_kind { K_SG, K_VRF, K_VIF, K_NEXTHOP, K_ROUTE, K_VIP, K_KINDS };

/* Compared as octets: unused fields are zero. */
struct kkey {
	uint8_t		kind;		/* enum kobj_kind */
	uint8_t		proto;		/* vip */
	uint16_t	port;		/* vip, host byte order */
	uint32_t	id;		/* its own; of the vrf: route, vip */
	struct vr_prefix prefix;	/* route, vip */
};

struct kobj {
	unsigned int	refs;
	struct kkey	key;
	union {
		struct vr_sg		sg;
		struct vr_vrf		vrf;
		struct vr_vif		vif;
		struct vr_nexthop	nexthop;
		struct vr_route		route;
		struct vr_vip		vip;
	};
};

/* Owns what the structure of the kind points to, which it makes zero. */
struct kobj *kobj_new(enum kobj_kind kind, void *obj);
struct kobj *kobj_hold(const struct kobj *o);
void kobj_put(const struct kobj *o);
bool kobj_equal(const struct kobj *a, const struct kobj *b);
int kkey_compare(const struct kkey *a, const struct kkey *b);
const char *kobj_label(const struct kobj *o);	/* may be NULL */
const struct vr_obj_type *kobj_type(enum kobj_kind kind);
bool kobj_kind_of(const struct vr_obj_type *type, enum kobj_kind *kind);
static inline const void *kobj_obj(const struct kobj *o)
{
	return &o->sg;
}

/* "vip 10.96.0.10 tcp/80 in vrf 1 (default/web:http)", for people. */
#define KOBJ_TEXT	512
const char *kobj_text(const struct kobj *o, char buf[KOBJ_TEXT]);

/* Did vrouterd make it? Its labels are "a/b" (a vip's is "a/b:listener"), and
 * its devices are named by contrail-cni. Everything else is somebody else's
 * and is left alone, but where it is in the way of a planned object.
 */
bool kobj_ours(const struct kobj *o);
bool host_ifname_valid(const char *name);

/* --- a table of objects by key ---------------------------------------------- */

struct ktable { void *root; };

const struct kobj *ktable_get(const struct ktable *t, const struct kkey *key);
/* Takes over the caller's reference, and gives up that of what was there. */
void ktable_set(struct ktable *t, const struct kobj *o);
/* The table's reference becomes the caller's; NULL if there is none. */
const struct kobj *ktable_take(struct ktable *t, const struct kkey *key);
void ktable_each(const struct ktable *t, void (*fn)(const struct kobj *o, void *arg), void *arg);
void ktable_clear(struct ktable *t);

#endif
