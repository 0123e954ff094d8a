// SPDX-License-Identifier: GPL-2.0-only
#include "reader.h"

#include "xmem.h"

void documents_fail(struct documents *docs, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	if (docs->error)
		return;
	va_start(ap, fmt);
	docs->error = xvasprintf(fmt, ap);
	va_end(ap);
	docs->error_line = line;
	docs->error_document = docs->n + 1;
}

_Bool documents_add(struct documents *docs, json_t *value, json_t *lines)
{
	struct document *doc;

	if (docs->n == READER_MAX_DOCUMENTS) {
		documents_fail(docs, lines_line(lines), "more than %u documents in one file",
			       READER_MAX_DOCUMENTS);
		json_decref(value);
		json_decref(lines);
		return 0;
	}
	doc = array_push(&docs->v, &docs->n, sizeof(*doc));
	doc->value = value;
	doc->lines = lines;
	doc->number = docs->n;
	return 1;
}

void documents_free(struct documents *docs)
{
	size_t i;

	for (i = 0; i < docs->n; i++) {
		json_decref(docs->v[i].value);
		json_decref(docs->v[i].lines);
	}
	free(docs->v);
	free(docs->error);
	memset(docs, 0, sizeof(*docs));
}

json_t *lines_new(unsigned int line, json_t *children)
{
	json_t *number = mem_check(json_integer(line)), *pair;

	if (!children)
		return number;
	pair = mem_check(json_array());
	json_array_append_new(pair, number);
	json_array_append_new(pair, children);
	return pair;
}

unsigned int lines_line(const json_t *lines)
{
	if (json_is_array(lines))
		lines = json_array_get(lines, 0);
	return json_integer_value(lines);
}
