/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_PLAN_PRIV_H
#define VRD_PLAN_PRIV_H

/* For the parts of plan.c only. */

#include "plan.h"

/* The id of a name, which the unit then holds. */
uint32_t use_id(struct unit *u, struct ids *ids, enum id_space space, const char *name);
uint32_t use_vif(struct unit *u, struct ids *ids, uint8_t type, const char *label);
uint32_t use_nexthop(struct unit *u, struct ids *ids, uint8_t type, const char *label);
/* Takes over what obj owns. */
void add_planned(struct unit *u, enum kobj_kind kind, void *obj);
/* Cut to what the kernel takes; NULL of NULL. */
char *label_dup(const char *text);

/* What is outside: a VRF, a vif and next hops are named so. */
#define EXTERNAL	"Node/external"

/* --- plan_group.c ----------------------------------------------------------- */

/* Has this node use for it? See struct plan_env. */
bool plan_needs(const struct plan_env *env, enum need need, const char *key);
void plan_sg(struct unit *u, const struct res *r, const struct plan_env *env, struct ids *ids);
/* Ids of the interface's groups, each once, *n of them; the caller's to free. env: only of those
 * that rules here ask for; NULL: of all.
 */
uint32_t *use_groups(struct unit *u, const struct vmi *v, const struct plan_env *env,
		     struct ids *ids, unsigned int *n);

/* --- plan_node.c ------------------------------------------------------------ */

/* dev: the host's, of this node; NULL = none. */
void plan_router(struct unit *u, const struct res *r, const struct device *dev,
		 const struct plan_env *env, struct ids *ids);

/* --- plan_interface.c ------------------------------------------------------- */

void plan_interface(struct unit *u, const struct res *r, const struct device *dev,
		    const struct plan_env *env, struct ids *ids);

/* --- plan_service.c --------------------------------------------------------- */

void plan_pool(struct unit *u, const struct res *r, const struct plan_env *env, struct ids *ids);
void plan_lb(struct unit *u, const struct res *r, const struct plan_env *env, struct ids *ids);

/* --- plan_egress.c ---------------------------------------------------------- */

/* A network's ways to and from the outside, once its VRF and its blackhole are planned. */
void plan_egress(struct unit *u, const struct res *r, const struct plan_env *env, struct ids *ids);
void plan_link_local(struct unit *u, const struct res *r, const struct plan_env *env,
		     struct ids *ids);

/* --- plan_join.c ------------------------------------------------------------ */

/* Ways into the network from others, and out of it into the one that it is joined with. */
void plan_join(struct unit *u, const struct res *r, uint32_t vrf, struct ids *ids);

/* --- plan_hostport.c -------------------------------------------------------- */

void plan_host_ports(struct unit *u, const struct res *r, const struct device *dev,
		     const struct plan_env *env, struct ids *ids);

/* --- plan_chain.c ----------------------------------------------------------- */

/* Of the next hop to a chain's instances by their interfaces on one side; buf is returned. */
const char *chain_label(const char *key, bool right, char buf[ID_NAME]);
void plan_chain(struct unit *u, const struct res *r, const struct plan_env *env, struct ids *ids);

#endif
