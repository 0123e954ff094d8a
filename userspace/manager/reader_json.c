// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>

#include "reader.h"
#include "xmem.h"

/*
 * jansson reads the values and refuses what is no JSON, but does not tell
 * on which line a value stands. A second walk over the text, which is known to
 * be right by then, finds the lines.
 */
struct walk {
	const char	*at;
	unsigned int	line;
};

static void skip_space(struct walk *w)
{
	for (; *w->at == ' ' || *w->at == '\t' || *w->at == '\r' || *w->at == '\n'; w->at++)
		w->line += *w->at == '\n';
}

static void skip_string(struct walk *w)
{
	for (w->at++; *w->at != '"'; w->at++)
		w->at += *w->at == '\\';
	w->at++;
}

/* Past the word or punctuation that ends an element; true when another follows. */
static bool another(struct walk *w)
{
	skip_space(w);
	return *w->at++ == ',';
}

/* Consumes the key and its colon. One with escapes is decoded by jansson; hardly any has. */
static char *walk_key(struct walk *w)
{
	const char *start = w->at;
	json_t *key;
	char *copy;

	skip_string(w);
	if (!memchr(start, '\\', w->at - start)) {
		copy = mem_check(strndup(start + 1, w->at - start - 2));
	} else {
		key = json_loadb(start, w->at - start, JSON_DECODE_ANY, NULL);
		copy = xstrdup(json_string_value(mem_check(key)));
		json_decref(key);
	}
	skip_space(w);
	w->at++;
	return copy;
}

static json_t *walk_value(struct walk *w);

static json_t *walk_container(struct walk *w)
{
	bool object = *w->at == '{';
	json_t *kids = mem_check(object ? json_object() : json_array());
	unsigned int line = w->line;

	w->at++;
	skip_space(w);
	if (*w->at == '}' || *w->at == ']') {
		w->at++;
		return lines_new(line, kids);
	}
	do {
		skip_space(w);
		if (object) {
			char *key = walk_key(w);

			json_object_set_new(kids, key, walk_value(w));
			free(key);
		} else {
			json_array_append_new(kids, walk_value(w));
		}
	} while (another(w));
	return lines_new(line, kids);
}

static json_t *walk_value(struct walk *w)
{
	json_t *lines;

	skip_space(w);
	if (*w->at == '{' || *w->at == '[')
		return walk_container(w);
	lines = lines_new(w->line, NULL);
	if (*w->at == '"')
		skip_string(w);
	else
		w->at += strcspn(w->at, ",]} \t\r\n");
	return lines;
}

/* Values in v, or more than max. */
static size_t count_values(const json_t *v, size_t max, unsigned int depth, bool *deep)
{
	const char *key;
	size_t n = 1, i;
	json_t *child;

	if (depth > READER_MAX_DEPTH)
		*deep = true;
	if (*deep)
		return n;
	json_object_foreach((json_t *)v, key, child) {
		n += count_values(child, max, depth + 1, deep);
		if (n > max)
			return n;
	}
	json_array_foreach(v, i, child) {
		n += count_values(child, max, depth + 1, deep);
		if (n > max)
			return n;
	}
	return n;
}

static bool within_bounds(struct documents *docs, const json_t *value, unsigned int line,
			  size_t *nodes)
{
	bool deep = false;

	*nodes += count_values(value, READER_MAX_NODES, 1, &deep);
	if (deep)
		documents_fail(docs, line, "nested deeper than %d levels", READER_MAX_DEPTH);
	else if (*nodes > READER_MAX_NODES)
		documents_fail(docs, line, "more than %u values in one file", READER_MAX_NODES);
	return !docs->error;
}

static void read_all(const char *text, size_t len, struct documents *out)
{
	struct walk w = { .at = text, .line = 1 };
	size_t nodes = 0;

	for (skip_space(&w); (size_t)(w.at - text) < len; skip_space(&w)) {
		json_error_t err;
		json_t *value = json_loadb(w.at, len - (w.at - text), JSON_REJECT_DUPLICATES |
					   JSON_DISABLE_EOF_CHECK, &err);

		if (!value) {
			documents_fail(out, w.line + (err.line > 0 ? err.line - 1 : 0), "%s",
				       err.text);
			return;
		}
		if (!within_bounds(out, value, w.line, &nodes)) {
			json_decref(value);
			return;
		}
		if (!documents_add(out, value, walk_value(&w)))
			return;
	}
}

void json_read(const char *text, size_t len, struct documents *out)
{
	/* The walk stops at the NUL behind the text; one inside would stop it early. */
	char *copy = mem_check(malloc(len + 1));

	memcpy(copy, text, len);
	copy[len] = '\0';
	memset(out, 0, sizeof(*out));
	if (memchr(copy, '\0', len))
		documents_fail(out, 1, "a NUL character, so no text");
	else
		read_all(copy, len, out);
	if (out->error) {
		struct documents failed = *out;

		out->v = NULL;
		out->n = 0;
		failed.error = NULL;
		documents_free(&failed);
	}
	free(copy);
}
