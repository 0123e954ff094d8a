/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_INTERN_H
#define VRD_INTERN_H

/*
 * Names that very many resources have in common: of networks, nodes, groups, interfaces in pods.
 * Each is kept once, with a count of those who have it; equal names are the same pointer.
 */

const char *intern(const char *text);		/* NULL of NULL */
/* Takes text, which is from malloc(), over. */
const char *intern_take(char *text);
/* Of what intern() gave, or NULL. */
void intern_put(const char *text);

#endif
