/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of resources, deflated (RFC 1951) with a dictionary of what they have in common: about a
 * quarter of it is left. For the one thread of the manager: what is needed to pack is there once.
 */
#ifndef MANAGER_PACK_H
#define MANAGER_PACK_H

#include <stddef.h>

/* To be freed. Equal texts are equal when they are packed. *packed: the octets of it. */
void *pack(const void *text, size_t len, size_t *packed);
/* The other way: len as it was. */
void unpack(const void *from, size_t packed, void *text, size_t len);

#endif
