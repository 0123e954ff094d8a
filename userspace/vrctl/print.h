/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRCTL_PRINT_H
#define VRCTL_PRINT_H

/*
 * One way to print for tables and JSON. A value is given once, with the key
 * that JSON has for it and the head of the column that the table has; NULL for
 * what has no place in one of them.
 *
 *	out_list_begin(o);
 *	for each: out_row_begin(o); out_num(o, "id", "ID", 3); ... out_row_end(o);
 *	out_list_end(o);
 *
 * Keys are a promise (vrctl(8)); heads and columns are not. Text of others
 * (labels, names) is never written as it is: control characters become '?'.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct out;

/* NULL: no memory. */
struct out *out_new(FILE *f, bool json, bool pretty);
void out_free(struct out *o);
bool out_is_json(const struct out *o);
/* Writes what waits, of a table that goes on (monitor). False: the file fails. */
bool out_flush(struct out *o);

/* A list of rows: a table, or a JSON array. An empty one is no text, or "[]". */
void out_list_begin(struct out *o);
void out_list_end(struct out *o);
/* One of a list, or alone: then it is a JSON object. */
void out_row_begin(struct out *o);
void out_row_end(struct out *o);

/* JSON only. A key of NULL within an array. */
void out_object_begin(struct out *o, const char *key);
void out_array_begin(struct out *o, const char *key);
void out_end(struct out *o);

/* A cell of its own: text may have several lines. */
void out_cell(struct out *o, const char *head, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A line below the row; tabs align it with the row's other such lines. */
void out_detail(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line of text at once, not in JSON. */
void out_line(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void out_num(struct out *o, const char *key, const char *head, uint64_t number);
/* NULL: "-", and no key. */
void out_str(struct out *o, const char *key, const char *head, const char *text);
void out_bool(struct out *o, const char *key, bool value);	/* JSON only; true or nothing */

#endif
