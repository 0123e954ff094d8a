/* SPDX-License-Identifier: GPL-2.0-only */
/* Label selectors. */
#ifndef MANAGER_SELECTOR_H
#define MANAGER_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

struct field;
struct labels;

enum selector_op { SELECTOR_IN, SELECTOR_NOT_IN, SELECTOR_EXISTS, SELECTOR_ABSENT };

struct requirement {
	enum selector_op	op;
	char			*key;
	char			**values;	/* sorted, no doubles */
	size_t			n;
};

/* All requirements must hold; none = everything matches. */
struct selector {
	struct requirement	*reqs;		/* sorted, no doubles */
	size_t			n;
};

/* From {matchLabels, matchExpressions}. NULL after a complaint. */
struct selector *selector_read(const struct field *f);
/* From a map of labels, as services have. NULL after a complaint. */
struct selector *selector_read_map(const struct field *f);
struct selector *selector_copy(const struct selector *sel);	/* NULL of NULL */
/* key in (value) */
struct selector *selector_new(const char *key, const char *value);
void selector_free(struct selector *sel);

bool selector_matches(const struct selector *sel, const struct labels *labels);

/*
 * The canonical text ("app=web,tier in (a,b),!old"; "" for everything): selectors
 * that are written differently and mean the same requirements give the same text.
 */
char *selector_text(const struct selector *sel);

/* The values of which a matching object has one for *key; NULL when the selector has no such. */
const struct requirement *selector_pivot(const struct selector *sel);

#endif
