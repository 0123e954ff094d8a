/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_BACKOFF_H
#define VR_BACKOFF_H

/* Waits that double from one failure to the next, with jitter, so that a
 * thousand nodes do not come back in the same instant.
 */

#include <stdint.h>
#include <stdlib.h>

struct backoff {
	uint64_t	min, max;	/* microseconds */
	uint64_t	last;		/* 0 = no failure yet */
};

static inline void backoff_reset(struct backoff *b)
{
	b->last = 0;
}

/* Microseconds until the next try: between half and all of the doubled wait. */
static inline uint64_t backoff_next(struct backoff *b)
{
	b->last = b->last ? b->last * 2 : b->min * 2;
	if (b->last > b->max)
		b->last = b->max;
	return b->last / 2 + (uint64_t)random() % (b->last / 2 + 1);
}

#endif
