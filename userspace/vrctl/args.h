/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRCTL_ARGS_H
#define VRCTL_ARGS_H

/*
 * A command's words into a structure, by a table. Whatever is wrong with them
 * (an unknown, duplicate, missing or invalid word) is said here, in one way.
 *
 * An entry with a word takes what follows it; one without is positional: the
 * first word that is none of the table's is for the first positional entry,
 * and so on. ARG_LIST begins an element of a list, whose words are those of a
 * table of its own; a word that is not among these is looked for in the table
 * around.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "names.h"
#include "obj.h"

enum arg_type {
	ARG_NUMBER,		/* min to max, of "width" octets */
	ARG_REF,		/* id or label of an object of type "ref" */
	ARG_REFS,
	ARG_STRING,		/* char *, owned; at most max octets */
	ARG_DEVICE,		/* char[16] */
	ARG_MAC,
	ARG_ADDR,
	ARG_ADDRS,
	ARG_PREFIX,
	ARG_PREFIXES,
	ARG_NAME,		/* one of "names", of "width" octets */
	ARG_FLAG,		/* no value: the bool becomes true */
	ARG_LIST,		/* no value: an element, by the table "sub" */
	ARG_CUSTOM,		/* "parse" does it */
};

#define ARG_REQUIRED	1
#define ARG_HIDDEN	2	/* not in the help */

struct arg_table;
struct parser;

struct arg {
	const char	*word;		/* NULL: positional */
	const char	*value;		/* what the help calls its value */
	const char	*help;
	enum arg_type	type;
	uint8_t		flags;
	uint8_t		width;		/* octets of the number: 1, 2, 4 */
	uint16_t	offset;
	uint16_t	with;		/* of a bool that becomes true, or of a list's length */
	bool		has_with;
	uint32_t	min, max;
	const struct vr_name *names;
	const struct vr_obj_type *ref;
	const struct arg_table *sub;
	/* The word was taken, its value is next: arg_value(). */
	int		(*parse)(struct parser *p, const struct arg *a, void *obj);
};

struct arg_table {
	const struct arg *args;
	unsigned int	n;		/* at most 64 */
	size_t		size;		/* of the structure */
};

#define ARG_TABLE(list, type) { list, VR_ARRAY_SIZE(list), sizeof(type) }
/* Where the value goes. */
#define ARG_AT(st, member)	.offset = offsetof(st, member), \
				.width = sizeof(((st *)0)->member)
#define ARG_HAS(st, has)	.with = offsetof(st, has), .has_with = true
#define ARG_COUNT(st, n)	.with = offsetof(st, n)

struct parser {
	char *const	*words;
	unsigned int	n, pos;
	struct vr_err	*err;
	/* The id of what has this label; a negative errno and an error. */
	int		(*resolve)(void *ctx, const struct vr_obj_type *t, const char *label,
				   uint32_t *id, struct vr_err *e);
	void		*ctx;
};

/* All words into *obj, which is zero. On error -EINVAL or what resolve said;
 * what *obj owns then is to be freed too.
 */
int args_parse(struct parser *p, const struct arg_table *table, void *obj);

/* For ARG_CUSTOM: the next word as the entry's value; NULL and an error at the end. */
const char *arg_value(struct parser *p, const struct arg *a);
/* The word after that, NULL at the end; and taking it. */
const char *arg_peek(const struct parser *p);
/* "mtu: \"abc\" is not ..."; -EINVAL. */
int arg_invalid(struct parser *p, const struct arg *a, const char *text, const char *what);
int arg_ref(struct parser *p, const struct arg *a, const struct vr_obj_type *t,
	    const char *text, uint32_t *id);
/* Room for one more zeroed element of a list; NULL and an error. */
void *arg_grow(struct parser *p, void *list, unsigned int *n, size_t size);

#endif
