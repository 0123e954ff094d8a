/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * YAML and JSON text to jansson values that remember their lines.
 *
 * Beside each value stands a second one of the same shape, its lines:
 *   scalar  -> LINE
 *   object  -> [LINE, {key: lines, ...}]
 *   array   -> [LINE, [lines, ...]]
 */
#ifndef MANAGER_READER_H
#define MANAGER_READER_H

#include <jansson.h>
#include <stddef.h>

#define READER_MAX_BYTES	(16u << 20)	/* of one file */
#define READER_MAX_DEPTH	64
#define READER_MAX_NODES	1000000u	/* of one file, with aliases expanded */
#define READER_MAX_DOCUMENTS	10000u		/* of one file */

struct document {
	json_t		*value;		/* a JSON null for an empty document */
	json_t		*lines;
	unsigned int	number;		/* from 1 */
};

struct documents {
	struct document	*v;
	size_t		n;
	/* Why reading stopped, else NULL; then v holds nothing. */
	char		*error;
	unsigned int	error_line, error_document;
};

/*
 * YAML 1.2 core schema: plain scalars may be null, bool, int or float, quoted ones are
 * strings. Anchors and aliases are followed (and counted as if written
 * out); duplicate keys, merge keys, other tags and keys that are no scalars are refused.
 */
void yaml_read(const char *text, size_t len, struct documents *out);

/* Strict JSON; several documents may follow each other. */
void json_read(const char *text, size_t len, struct documents *out);

void documents_free(struct documents *docs);

/* What both readers build with. */
void documents_fail(struct documents *docs, unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Takes both values over; false (and the error) at the bound. */
_Bool documents_add(struct documents *docs, json_t *value, json_t *lines);
json_t *lines_new(unsigned int line, json_t *children);
unsigned int lines_line(const json_t *lines);

#endif
