/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_IDS_H
#define VRD_IDS_H

/*
 * Names and the ids that the kernel knows them by. An id belongs to its name
 * as long as somebody holds it: a planned object that mentions it, or the
 * object in the kernel. At start the ids in the kernel are restored by label,
 * so a restart renumbers nothing; a new name gets the lowest free id.
 */

#include <stdbool.h>
#include <stdint.h>

enum id_space { ID_VRF, ID_VIF, ID_NEXTHOP, ID_SG, ID_SPACES };

struct ids;

struct ids *ids_new(void);
void ids_free(struct ids *ids);

/* The name's id, a new one if it has none. Holds it: one ids_put() for each call. */
uint32_t ids_get(struct ids *ids, enum id_space space, const char *name);
void ids_put(struct ids *ids, enum id_space space, uint32_t id);
/* 0 when the name has none. Holds nothing. */
uint32_t ids_find(const struct ids *ids, enum id_space space, const char *name);
const char *ids_name(const struct ids *ids, enum id_space space, uint32_t id);

/* The name has this id in the kernel: holds it. False when name or id is
 * another's already; then it is as with ids_reserve().
 */
bool ids_restore(struct ids *ids, enum id_space space, const char *name, uint32_t id);
/* Somebody else's id, or one that is only mentioned: not given out until
 * ids_unreserve() forgets all of these.
 */
void ids_reserve(struct ids *ids, enum id_space space, uint32_t id);
void ids_unreserve(struct ids *ids);

#endif
