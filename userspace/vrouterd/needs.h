/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_NEEDS_H
#define VRD_NEEDS_H

/*
 * What of the whole cluster this node has use for: networks that it, one of its pods or a service is in,
 * and groups of its own interfaces. All else is known and not programmed. What was needed once is kept until
 * the daemon starts anew: a pod that goes is mostly followed by one like it.
 */

#include "model.h"

struct needs {
	void	*names[RES_KINDS];	/* tsearch() trees of keys */
};

bool needs_has(const struct needs *n, enum res_kind kind, const char *key);
/* True when it was not needed before. */
bool needs_add(struct needs *n, enum res_kind kind, const char *key);
void needs_free(struct needs *n);

#endif
