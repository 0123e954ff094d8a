/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_NEEDS_H
#define VRD_NEEDS_H

/*
 * What of the whole cluster this node has use for. All else is known and not programmed. What was needed
 * once is kept until the daemon starts anew: a pod that goes is mostly followed by one like it.
 */

#include "plan.h"

struct needs {
	void	*names[NEEDS];	/* tsearch() trees of keys */
};

bool needs_has(const struct needs *n, enum need need, const char *key);
/* True when it was not needed before. */
bool needs_add(struct needs *n, enum need need, const char *key);
void needs_free(struct needs *n);

#endif
