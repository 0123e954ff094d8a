/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words that many objects have in common, as names of nodes and ports are: each is there once, and
 * goes with the last who has it. For the one thread of the manager.
 */
#ifndef MANAGER_WORD_H
#define MANAGER_WORD_H

/* To be put, and not to be freed; NULL of NULL. The same text is the same pointer. */
const char *word_get(const char *text);
void word_put(const char *word);	/* NULL: nothing */

#endif
