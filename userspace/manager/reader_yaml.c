// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <yaml.h>

#include "map.h"
#include "reader.h"
#include "xmem.h"

struct anchor {
	json_t		*value, *lines;
	unsigned int	nodes, levels;	/* that an alias to it stands for */
};

struct reader {
	yaml_parser_t		parser;
	yaml_event_t		event;
	struct documents	*docs;
	struct map		anchors;	/* of the document at hand */
	unsigned int		nodes, depth;
};

static unsigned int line_of(const yaml_event_t *ev)
{
	return ev->start_mark.line + 1;
}

/* The next event into r->event; false at an error. */
static bool next(struct reader *r)
{
	yaml_event_delete(&r->event);
	if (yaml_parser_parse(&r->parser, &r->event))
		return true;
	memset(&r->event, 0, sizeof(r->event));
	documents_fail(r->docs, r->parser.problem_mark.line + 1, "%s%s%s",
		       r->parser.context ? r->parser.context : "",
		       r->parser.context ? ": " : "",
		       r->parser.problem ? r->parser.problem : "cannot be read as YAML");
	return false;
}

static bool count_nodes(struct reader *r, unsigned int n)
{
	if (n <= READER_MAX_NODES - r->nodes) {
		r->nodes += n;
		return true;
	}
	documents_fail(r->docs, line_of(&r->event), "more than %u values in one file%s",
		       READER_MAX_NODES, n > 1 ? ", with aliases written out" : "");
	return false;
}

static bool one_of(const char *s, const char *const list[])
{
	for (; *list; list++)
		if (!strcmp(s, *list))
			return true;
	return false;
}

static bool all_digits(const char *s, const char *digits)
{
	return *s && !s[strspn(s, digits)];
}

/* [-+]? ( [0-9]+ | 0o[0-7]+ | 0x[0-9a-fA-F]+ ); NULL when s is none or too large. */
static json_t *core_int(const char *s)
{
	const char *body = s + (*s == '-' || *s == '+');
	char *end;
	int base;
	long long v;

	if (all_digits(body, "0123456789"))
		base = 10;
	else if (!strncmp(s, "0o", 2) && all_digits(s + 2, "01234567"))
		base = 8;
	else if (!strncmp(s, "0x", 2) && all_digits(s + 2, "0123456789abcdefABCDEF"))
		base = 16;
	else
		return NULL;
	errno = 0;
	v = strtoll(base == 10 ? s : s + 2, &end, base);
	return errno ? NULL : json_integer(v);
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static json_t *core_float(const char *s)
{
	const char *at = s + (*s == '-' || *s == '+');
	size_t whole = strspn(at, "0123456789"), part = 0;
	double v;

	at += whole;
	if (*at == '.') {
		part = strspn(at + 1, "0123456789");
		at += 1 + part;
	}
	if (!whole && !part)
		return NULL;
	if (*at == 'e' || *at == 'E') {
		at += 1 + (at[1] == '-' || at[1] == '+');
		if (!all_digits(at, "0123456789"))
			return NULL;
		at += strlen(at);
	}
	if (*at)
		return NULL;
	v = strtod(s, NULL);
	return isfinite(v) ? json_real(v) : NULL;
}

/* What a plain scalar is in the core schema; a string when nothing else. */
static json_t *core_scalar(const char *s, size_t len)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const trues[] = { "true", "True", "TRUE", NULL };
	static const char *const falses[] = { "false", "False", "FALSE", NULL };
	json_t *v;

	if (one_of(s, nulls))
		return json_null();
	if (one_of(s, trues))
		return json_true();
	if (one_of(s, falses))
		return json_false();
	v = core_int(s);
	if (!v)
		v = core_float(s);
	return v ? v : json_stringn(s, len);
}

static bool type_fits_tag(const json_t *v, const char *type)
{
	if (!strcmp(type, "null"))
		return json_is_null(v);
	if (!strcmp(type, "bool"))
		return json_is_boolean(v);
	if (!strcmp(type, "int"))
		return json_is_integer(v);
	return !strcmp(type, "float") && json_is_number(v);
}

static json_t *scalar_value(struct reader *r)
{
	const char *text = (const char *)r->event.data.scalar.value;
	const char *tag = (const char *)r->event.data.scalar.tag;
	size_t len = r->event.data.scalar.length;
	bool plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	unsigned int line = line_of(&r->event);
	json_t *v;

	if (memchr(text, '\0', len)) {
		documents_fail(r->docs, line, "a string holds a NUL character");
		return NULL;
	}
	if (tag && !strncmp(tag, YAML_NULL_TAG, strlen("tag:yaml.org,2002:")))
		tag += strlen("tag:yaml.org,2002:");
	if (tag ? !strcmp(tag, "!") || !strcmp(tag, "str") : !plain) {
		v = json_stringn(text, len);
	} else {
		v = core_scalar(text, len);
		if (v && tag && !type_fits_tag(v, tag)) {
			documents_fail(r->docs, line, "\"%.60s\" does not fit its tag %.60s", text,
				       tag);
			json_decref(v);
			return NULL;
		}
	}
	if (!v)
		documents_fail(r->docs, line, "a string is not valid UTF-8");
	return v;
}

static bool container_tag_fits(struct reader *r, const yaml_char_t *tag, const char *own)
{
	if (!tag || !strcmp((const char *)tag, own))
		return true;
	documents_fail(r->docs, line_of(&r->event), "tag %.60s is not supported",
		       (const char *)tag);
	return false;
}

static json_t *read_node(struct reader *r, json_t **lines);

/* The key of the pair at hand, or NULL. */
static char *read_key(struct reader *r, const json_t *object)
{
	const char *text = (const char *)r->event.data.scalar.value;
	unsigned int line = line_of(&r->event);

	if (r->event.type != YAML_SCALAR_EVENT) {
		documents_fail(r->docs, line, "a key is not a plain word or a quoted string");
		return NULL;
	}
	if (r->event.data.scalar.anchor) {
		documents_fail(r->docs, line, "an anchor on a key is not supported");
		return NULL;
	}
	if (memchr(text, '\0', r->event.data.scalar.length)) {
		documents_fail(r->docs, line, "a key holds a NUL character");
		return NULL;
	}
	if (!strcmp(text, "<<") && r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		documents_fail(r->docs, line, "merge keys (<<) are not supported");
		return NULL;
	}
	if (json_object_get(object, text)) {
		documents_fail(r->docs, line, "key \"%.100s\" is given twice", text);
		return NULL;
	}
	return xstrdup(text);
}

static json_t *read_mapping(struct reader *r, json_t **lines)
{
	json_t *value = mem_check(json_object()), *kids = mem_check(json_object());
	unsigned int line = line_of(&r->event);

	while (next(r) && r->event.type != YAML_MAPPING_END_EVENT) {
		json_t *child = NULL, *child_lines = NULL;
		char *key = read_key(r, value);

		if (key && next(r))
			child = read_node(r, &child_lines);
		if (child && json_object_set_new(value, key, child)) {
			documents_fail(r->docs, line, "a key is not valid UTF-8");
			json_decref(child_lines);
		} else if (child) {
			json_object_set_new(kids, key, child_lines);
		}
		free(key);
		if (r->docs->error)
			break;
	}
	*lines = lines_new(line, kids);
	return value;
}

static json_t *read_sequence(struct reader *r, json_t **lines)
{
	json_t *value = mem_check(json_array()), *kids = mem_check(json_array());
	unsigned int line = line_of(&r->event);

	while (next(r) && r->event.type != YAML_SEQUENCE_END_EVENT) {
		json_t *child, *child_lines;

		child = read_node(r, &child_lines);
		if (!child)
			break;
		json_array_append_new(value, child);
		json_array_append_new(kids, child_lines);
	}
	*lines = lines_new(line, kids);
	return value;
}

static void free_anchor(void *value)
{
	struct anchor *a = value;

	json_decref(a->value);
	json_decref(a->lines);
	free(a);
}

static unsigned int levels_of(const json_t *v)
{
	unsigned int deepest = 0, n;
	const char *key;
	json_t *child;
	size_t i;

	json_object_foreach((json_t *)v, key, child)
		deepest = (n = levels_of(child)) > deepest ? n : deepest;
	json_array_foreach(v, i, child)
		deepest = (n = levels_of(child)) > deepest ? n : deepest;
	return deepest + (json_is_object(v) || json_is_array(v));
}

static bool too_deep(struct reader *r, unsigned int levels)
{
	if (r->depth + levels <= READER_MAX_DEPTH)
		return false;
	documents_fail(r->docs, line_of(&r->event), "nested deeper than %d levels",
		       READER_MAX_DEPTH);
	return true;
}

static void keep_anchor(struct reader *r, const char *name, json_t *value, json_t *lines,
			unsigned int nodes)
{
	struct anchor *a = xzalloc(sizeof(*a)), *old;

	a->value = json_incref(value);
	a->lines = json_incref(lines);
	a->nodes = nodes;
	a->levels = levels_of(value);
	old = map_set(&r->anchors, name, a);
	if (old)
		free_anchor(old);
}

static json_t *read_alias(struct reader *r, json_t **lines)
{
	const char *name = (const char *)r->event.data.alias.anchor;
	const struct anchor *a = map_get(&r->anchors, name);

	/* An anchor is known only once its node is complete: no loops. */
	if (!a) {
		documents_fail(r->docs, line_of(&r->event), "alias *%.60s has no anchor before it",
			       name);
		return NULL;
	}
	if (!count_nodes(r, a->nodes) || too_deep(r, a->levels))
		return NULL;
	*lines = json_incref(a->lines);
	return json_incref(a->value);
}

static json_t *read_container(struct reader *r, json_t **lines)
{
	bool mapping = r->event.type == YAML_MAPPING_START_EVENT;
	json_t *value;

	if (!(mapping ? container_tag_fits(r, r->event.data.mapping_start.tag, YAML_MAP_TAG) :
	      container_tag_fits(r, r->event.data.sequence_start.tag, YAML_SEQ_TAG)))
		return NULL;
	if (too_deep(r, 1))
		return NULL;
	r->depth++;
	value = mapping ? read_mapping(r, lines) : read_sequence(r, lines);
	r->depth--;
	return value;
}

/*
 * The node that starts at the event at hand. NULL at an error, which is
 * kept in r->docs; *lines is the caller's when a value is returned.
 */
static json_t *read_node(struct reader *r, json_t **lines)
{
	unsigned int before = r->nodes;
	char *anchor = NULL;
	json_t *value;

	*lines = NULL;
	if (r->event.type == YAML_ALIAS_EVENT)
		return read_alias(r, lines);
	if (!count_nodes(r, 1))
		return NULL;
	if (r->event.type == YAML_SCALAR_EVENT) {
		anchor = xstrdup((const char *)r->event.data.scalar.anchor);
		*lines = lines_new(line_of(&r->event), NULL);
		value = scalar_value(r);
	} else {
		anchor = xstrdup((const char *)(r->event.type == YAML_MAPPING_START_EVENT ?
						r->event.data.mapping_start.anchor :
						r->event.data.sequence_start.anchor));
		value = read_container(r, lines);
	}
	if (r->docs->error) {
		json_decref(value);
		json_decref(*lines);
		*lines = NULL;
		value = NULL;
	} else if (anchor) {
		keep_anchor(r, anchor, value, *lines, r->nodes - before);
	}
	free(anchor);
	return value;
}

static bool read_document(struct reader *r)
{
	json_t *value, *lines;

	if (!next(r))
		return false;
	value = read_node(r, &lines);
	map_clear(&r->anchors, free_anchor);
	return value && documents_add(r->docs, value, lines) && next(r);
}

void yaml_read(const char *text, size_t len, struct documents *out)
{
	struct reader r = { .docs = out };

	memset(out, 0, sizeof(*out));
	mem_check(yaml_parser_initialize(&r.parser) ? &r : NULL);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	while (next(&r) && r.event.type != YAML_STREAM_END_EVENT)
		if (r.event.type == YAML_DOCUMENT_START_EVENT && !read_document(&r))
			break;
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	if (out->error) {
		struct documents failed = *out;

		/* Nothing after an error can be trusted to be what was meant. */
		out->v = NULL;
		out->n = 0;
		failed.error = NULL;
		documents_free(&failed);
	}
}
